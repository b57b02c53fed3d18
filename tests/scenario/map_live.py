#!/usr/bin/env python3
"""weir map on a small Internet whose routers run: what it says of a BGP table is held against what the kernels then do.

Takes the path of weir.  lab/inet is 32 networks, a BIRD each, and a route collector, whose MRT dump is loaded into two maps:
alone (relationships are inferred), and with the relationships in a file.  Networks that `weir map cut` names then refuse the
target's prefixes, and the kernels of the others are asked for a route, and for an answer from the target; never the model.
"""
import collections
import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent.parent / "lab" / "inet")]
sys.dont_write_bytecode = True
import tap  # noqa: E402
import inet  # noqa: E402
import networks  # noqa: E402
import private  # noqa: E402

WEIR = pathlib.Path(sys.argv[1]).resolve()
TARGET = networks.TARGET
ALL = networks.PREFIXES[TARGET]
BY_PEERING = {65540, 64515, 4200000001}  # the target's peer, and who stands below it
ASKED = [*networks.CORE, 65537, 65542, 64513, 64514]  # of these the answers are asked for, too: core and stubs
NOT_NAMED = [64502, 64504, 64508]  # carriers that are on no way up from the target
TRIM = 10  # a tenth, as src/map/depend.h
WHY_NOT = private.missing(["bird", "bgpdump"])
if not WHY_NOT:
    private.enter()


class Stage:
    """The Internet, its table loaded twice, and who lost what under each refusal; one for all tests."""
    def __init__(self):
        self.holds = tempfile.TemporaryDirectory(prefix="weir-inet-")
        self.dir = pathlib.Path(self.holds.name)
        self.inet = inet.Inet(self.dir)
        self.inet.settle()
        self.first = self.inet.routes()
        self.mrt = self.dir / "rib.mrt"
        self.inet.dump(self.mrt)
        (self.dir / "as-rel.txt").write_text(networks.relationships())
        self.lost = {}

    def weir(self, where, *args):
        done = subprocess.run([WEIR, "-C", self.dir / where, "--json", "map", *args], capture_output=True, text=True, check=False,
                              timeout=inet.PATIENCE)
        assert done.returncode == 0, f"weir map {args}: {done.returncode}, {done.stderr}"
        return json.loads(done.stdout)

    def refuse(self, who):
        """These refuse all that the target announces; returns, of each of its prefixes, whose kernels have no route."""
        self.inet.refuse(set(who), ALL)
        now = self.inet.routes()
        lost = {p: {asn for asn in networks.NETWORKS if asn != TARGET and p not in now[asn]} for p in ALL}
        if who:
            self.lost[frozenset(who)] = lost
        return lost


stage = None


def the_stage():
    global stage
    if WHY_NOT:
        raise tap.Skip(WHY_NOT)
    if stage is None:
        stage = Stage()
    return stage


def numbers(names):
    return {int(name.removeprefix("AS")) for name in names}


def cut(where="told"):
    return the_stage().weir(where, "cut", f"AS{TARGET}")


def bgpdump():
    """(peer AS, session, prefix, path) of each route in the dump."""
    out = subprocess.run(["bgpdump", "-m", the_stage().mrt], capture_output=True, text=True, check=True, timeout=inet.PATIENCE).stdout
    rows = [line.split("|") for line in out.splitlines()]
    return [(int(r[4]), r[3], ipaddress.ip_network(r[5]), [int(x) for x in r[6].split()]) for r in rows]


def still_reached(lost, prefixes, asked):
    """By the kernels, by `ip route get`, and by an answer; all three must say the same."""
    the = the_stage().inet
    found = set()
    for asn in asked:
        for p in prefixes:
            here = asn not in lost[p]
            assert the.has_route(asn, networks.address(p)) == here, f"AS{asn} to {p}: route get is not route show"
            assert the.answers(asn, p) == here, f"AS{asn} to {p}: {'no ' if here else 'an '}answer"
            if here:
                found.add((asn, p))
    return found


def test_the_dump_is_loaded():
    s = the_stage()
    assert len(networks.NETWORKS) >= 30
    for where, files in (("alone", [s.mrt]), ("told", [s.mrt, s.dir / "as-rel.txt"])):
        said = s.weir(where, "load", *files)["files"]
        assert said[0]["routes"] == len(bgpdump()) and said[0]["broken"] is None and said[0]["skipped"] == {}, said
    assert said[1]["kept"] == len(networks.links()) - len(networks.COLLECTED), said


def test_all_reach_the_target_at_first():
    s = the_stage()
    lost = s.refuse([])
    assert not any(lost.values()), lost
    assert len(still_reached(lost, ALL, ASKED)) == len(ASKED) * len(ALL)


def test_the_set_that_cut_names_isolates_the_target():
    """The cheapest one, of inferred and of told relationships; undone, all is as before."""
    s = the_stage()
    alone, told = cut("alone"), cut("told")
    assert alone["inferred"] and not told["inferred"]
    for said in (alone, told):
        who = numbers(said["cheapest"]["networks"])
        assert who and numbers(said["cuts"][0]["networks"]) == who and said["cuts"][0]["whole"], said
        assert said["cuts"][0]["weight"] == said["cheapest"]["weight"], said
        if frozenset(who) in s.lost:
            continue
        lost = s.refuse(who)
        for p in ALL:
            reach = set(networks.NETWORKS) - {TARGET} - lost[p]
            assert reach == BY_PEERING, f"{p}: {sorted(reach)}"
        assert not still_reached(lost, ALL, ASKED)
        assert len(still_reached(lost, ALL, sorted(BY_PEERING))) == len(BY_PEERING) * len(ALL)
        lost = s.refuse([])
        assert s.inet.routes() == s.first
        assert len(still_reached(lost, ALL, ASKED)) == len(ASKED) * len(ALL)


def test_less_than_that_set_does_not():
    """The sets are minimal: with one of them willing no more, the core has a way to what is told to both."""
    s = the_stage()
    who = numbers(cut()["cheapest"]["networks"])
    for one in sorted(who):
        lost = s.refuse(who - {one})
        for p in networks.BOTH:
            assert not lost[p] & set(networks.CORE), f"without AS{one}, {p}: {lost[p]}"
        assert len(still_reached(lost, networks.BOTH, networks.CORE)) == len(networks.CORE) * len(networks.BOTH)


def test_carriers_that_no_set_names_do_not():
    s = the_stage()
    said = cut()
    assert not said["more"] and not numbers(sum((c["networks"] for c in said["cuts"]), [])) & set(NOT_NAMED)
    lost = s.refuse(NOT_NAMED)
    asked = [asn for asn in ASKED if asn not in lost[ALL[0]]]
    assert set(networks.CORE) <= set(asked)
    assert len(still_reached(lost, ALL, asked)) == len(asked) * len(ALL)


def test_a_set_for_one_prefix_isolates_that_one_alone():
    """What is told to one carrier only hangs by fewer networks, and cut says which."""
    s = the_stage()
    for where in ("alone", "told"):
        some = [c for c in cut(where)["cuts"] if not c["whole"]]
        assert some and all(set(c["prefixes"]) == set(networks.ONE) for c in some), some
        who = numbers(some[0]["networks"])
        lost = s.lost.get(frozenset(who)) or s.refuse(who)
        for p in ALL:
            away = lost[p] & (set(networks.CORE) | {65537, 65542, 64513, 64514})
            assert away == (set(ASKED) if p in networks.ONE else set()), f"{p}: {sorted(away)}"
    lost = s.refuse(who)
    assert still_reached(lost, ALL, ASKED) == {(asn, p) for asn in ASKED for p in networks.BOTH}


def test_every_set_keeps_it_from_the_core():
    """Sets with carriers further up, and with the core itself: isolated is what cut.h calls so."""
    s = the_stage()
    sets = [numbers(c["networks"]) for c in cut()["cuts"] if c["whole"]]
    assert len(sets) > 3
    for who in [sets[1]] + [w for w in sets if w & set(networks.CORE)][:2]:
        lost = s.refuse(who)
        for p in ALL:
            assert set(networks.CORE) <= lost[p], f"{sorted(who)}, {p}: {sorted(lost[p])}"


def test_whatif_names_who_loses_it():
    """Exactly those whose kernels have no route, of all refusals so far and of some more."""
    s = the_stage()
    for who in ([64505, 65540], [64496, 64497], [64507, 64509, 64510]):
        s.refuse(who)
    some = 0
    for who, lost in s.lost.items():
        said = s.weir("told", "whatif", "--blocks", ",".join(f"AS{w}" for w in who), "--target", f"AS{TARGET}")
        losing = numbers(said["losing"]["networks"])
        for p in networks.BOTH:
            assert lost[p] - who == losing, f"{sorted(who)} refuse {p}: kernels {sorted(lost[p] - who)}, weir {sorted(losing)}"
        assert said["reach_refused"] == len(networks.NETWORKS) - 1 - len(who | lost[networks.BOTH[0]]), said
        some += bool(losing)
    assert some > 4, some
    s.refuse([])
    assert s.inet.routes() == s.first


def hegemony(routes, asn, family):
    """As src/map/depend.h describes it, in a few lines: {network: share}."""
    seen = collections.defaultdict(set)
    for _, session, p, _ in routes:
        seen[session].add(p)

    def weight(session, p):
        inner = [q for q in seen[session] if q.version == p.version and q != p and q.subnet_of(p)]
        return p.num_addresses - sum(q.num_addresses for q in inner) if p.version == 4 else 1
    through, total = collections.defaultdict(collections.Counter), collections.Counter()
    peers = {}
    for peer, session, p, path in routes:
        if path[-1] == asn and p.version == family:
            peers[session] = peer
            total[session] += weight(session, p)
            for x in set(path[:-1]) - {asn}:
                through[x][session] += weight(session, p)
    assert len(set(peers.values())) == len(peers)  # one session a peer network in this laboratory
    cut_off = len(peers) // TRIM
    shares = {}
    for x, by in through.items():
        row = sorted(by[s] / total[s] for s in peers)
        row = row[cut_off:len(row) - cut_off]
        shares[x] = sum(row) / len(row)
    return shares


def test_dependence_is_what_the_dump_shows():
    routes = bgpdump()
    asked = [TARGET, *networks.MORE_SPECIFIC, *networks.CORE[:2], *networks.COLLECTED[-3:], 64512]
    for asn in asked:
        said = the_stage().weir("alone", "depend", f"AS{asn}")
        assert [f["family"] for f in said["families"]] == [4, 6], said
        for f in said["families"]:
            want = hegemony(routes, asn, f["family"])
            got = {int(r["as"][2:]): r["share"] for r in f["networks"]}
            assert want.keys() == got.keys(), f"AS{asn}: {sorted(want.keys() ^ got.keys())}"
            worst = max(abs(want[x] - got[x]) for x in want)
            assert worst < 1e-9, f"AS{asn}, IPv{f['family']}: {want} {got}"


def test_addresses_have_names():
    s = the_stage()
    asked = {networks.address(p): (asn, p) for asn in networks.NETWORKS for p in networks.PREFIXES[asn]}
    for asn, (_, prefixes) in networks.MORE_SPECIFIC.items():
        asked |= {p.split("/")[0]: (asn, p) for p in prefixes}
    done = subprocess.run([WEIR, "-C", s.dir / "alone", "--json", "map", "name", *asked], capture_output=True, text=True, check=True,
                          timeout=inet.PATIENCE)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["of"]: (int(row["as"][2:]), row["prefix"]) for row in said} == asked
    done = subprocess.run([WEIR, "-C", s.dir / "alone", "map", "name", "198.18.0.1"], capture_output=True, text=True, check=False,
                          timeout=inet.PATIENCE)
    assert done.returncode == 1 and "unknown" in done.stdout, done


def test_all_routers_end():
    s = the_stage()
    s.inet.stop()
    assert all(p.returncode == 0 for p in s.inet.running.values())


tap.run(sys.modules[__name__])

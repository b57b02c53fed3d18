#!/usr/bin/env python3
"""weir map: every verb's text, JSON and exit status on tables made by hand; bad input is one clear line and leaves the map as it was.

The small Internet of these tests (a line leads from a provider down to its customer):

      64496 ===== 64497          the core: they peer with each other
      /   \\      /   \\
   64500  64501  64502  64503
      \\    |      /
       \\   |     /
        64510  64510             the target: 64500 carries both its prefixes, 64501 the second one, too
        64511 hangs on 64500 alone

Arguments: the weir binary."""
import bz2
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

from contract_kit import ATTACK, GOOD, TMP, WEIR, copy, fresh, one, pcapmake, recorded, refused, tap, weir

import mrtmake as mrt

REL = """# source:topology|BGP|{date}|made by hand
# inferred clique: 64496 64497
64496|64497|0
64496|64500|-1
64496|64501|-1
64497|64502|-1
64497|64503|-1
64500|64510|-1
{more}64500|64511|-1
"""
SECOND = "64501|64510|-1\n"
DELEGATED = """2|apnic|20200601|4|19830613|20200601|+1000
apnic|*|asn|*|2|summary
apnic|KP|asn|64510|1|20100101|allocated|HOLD1
apnic|CN|asn|64500|2|20100101|allocated|HOLD2
apnic|KP|ipv4|198.51.100.0|256|20100101|allocated|HOLD1
apnic|KP|ipv4|203.0.113.0|256|20100101|allocated|HOLD1
apnic|VA|ipv4|198.18.0.0|256|20100101|allocated|HOLD3
"""
NAMES = "64500 CARRIER-A Carrier A, CN\n64501 CARRIER-B Carrier B, RU\n64510 TARGET-NET Target, KP\n64511 OTHER-NET Other, SE\n"
P1, P2, P3 = "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"
PEERS = (64496, 64497, 64502, 64503)


def path_to(peer, *rest):
    """From a peer's router up to 64496 and down."""
    up = {64496: [64496], 64497: [64497, 64496], 64502: [64502, 64497, 64496], 64503: [64503, 64497, 64496]}
    return [*up[peer], *rest]


def table(at=mrt.JUNE):
    """The second prefix is seen by half of the peers behind either carrier."""
    rows = [mrt.index(*PEERS, at=at)]
    rows.append(mrt.rib(P1, *((i, path_to(p, 64500, 64510)) for i, p in enumerate(PEERS)), at=at))
    rows.append(mrt.rib(P2, *((i, path_to(p, 64500 + i % 2, 64510)) for i, p in enumerate(PEERS)), at=at))
    rows.append(mrt.rib(P3, *((i, path_to(p, 64500, 64511)) for i, p in enumerate(PEERS)), at=at))
    return b"".join(rows)


def rel(date="20200601", more=SECOND):
    return REL.format(date=date, more=more)


def put(name, data):
    path = fresh("tables") / name
    path.parent.mkdir()
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


FILES = {"rel.txt": rel(), "delegated": DELEGATED, "names.txt": NAMES, "rib": table()}


def put_dated(name, data):
    """Names say no day of their own: the file's counts."""
    path = put(name, data)
    os.utime(path, (mrt.JUNE, mrt.JUNE))
    return path


def loaded(*names, where=None, **more):
    where = where or fresh()
    weir("-C", where, "map", "load", *(put_dated(n, FILES[n]) for n in names or FILES), *(put_dated(n, d) for n, d in more.items()))
    return where


def cuts(doc):
    return [(c["networks"], c["prefixes"]) for c in doc["cuts"]]


# ---- loading, listing, forgetting ----

def test_the_command_says_its_verbs():
    refused("map", status=2, say="map: load, list, forget, depend, cut, whatif or name")
    refused("map", "draw", status=2, say="map: load, list")
    out, _ = weir("help")
    assert "map" in out and "cut NET" in out


def test_before_anything_is_loaded():
    where = fresh()
    for verb in (("list",), ("depend", "AS64510"), ("cut", "AS64510"), ("whatif", "--blocks", "AS64500"), ("name", "198.51.100.1")):
        refused("-C", where, "map", *verb, status=1, say="no map yet .weir map load FILE")
    assert not (where / "map").exists()


def test_load_says_what_each_file_is():
    where = fresh()
    doc = one("-C", where, "map", "load", *(put(n, d) for n, d in FILES.items()))
    by = {os.path.basename(f["file"]): f for f in doc["files"]}
    assert {n: f["format"] for n, f in by.items()} == {"rel.txt": "AS relationships", "delegated": "delegations",
        "names.txt": "names of networks", "rib": "MRT table"}, by
    assert by["rib"]["routes"] == 12 and by["rib"]["records"] == 4 and not by["rib"]["skipped"] and by["rib"]["broken"] is None
    assert by["rel.txt"]["lines"] == len(rel().splitlines()) and by["rel.txt"]["kept"] == 8
    assert all(len(f["id"]) == 32 and not f["again"] for f in by.values())
    out, _ = weir("-C", where, "map", "load", put("rib", FILES["rib"]))
    assert out.startswith(by["rib"]["id"][:12] + "  ") and "MRT table, loaded before" in out


def test_list_and_forget():
    where = loaded()
    rows, _ = weir("-C", where, "map", "list", json_out=True)
    assert {r["kind"] for r in rows} == {"AS relationships", "delegations", "names", "BGP table"} and all(r["in_use"] for r in rows)
    out, _ = weir("-C", where, "map", "list")
    assert all(r["id"][:12] in out and r["name"] in out for r in rows)
    gone = next(r["id"] for r in rows if r["kind"] == "names")
    doc = one("-C", where, "map", "forget", gone[:6])
    assert doc["id"] == gone and doc["kind"] == "names" and doc["was_in_use"] and doc["in_use_now"] == []
    assert not (where / "map" / f"{gone}.sheet").exists()
    refused("-C", where, "map", "forget", gone, status=1, say="no table of the map has that id")
    refused("-C", where, "map", "forget", rows[0]["id"][:5], status=2, say="at least 6 digits of the id")
    refused("-C", where, "map", "forget", "../../etc", status=1, say="no table of the map has that id")
    refused("-C", where, "map", "forget", status=2, say="one ID")
    assert len(weir("-C", where, "map", "list", json_out=True)[0]) == 3
    short = next(r["id"] for r in rows if r["kind"] == "BGP table")[:12]  # as the list shows it
    weir("-C", where, "map", "forget", short)
    assert len(weir("-C", where, "map", "list", json_out=True)[0]) == 2


def test_stdin_and_compressed_files_are_the_same_table():
    where = fresh()
    raw = FILES["rib"]
    zstd = subprocess.run(["zstd", "-qc"], input=raw, capture_output=True, check=True).stdout
    packed = {"rib.gz": gzip.compress(raw), "rib.bz2": bz2.compress(raw), "rib.zst": zstd}
    ids = set()
    for name, data in packed.items():
        doc = one("-C", where, "map", "load", put(name, data))["files"][0]
        assert doc["routes"] == 12 and doc["bytes"] == len(raw) and doc["again"] == bool(ids), (name, doc)
        ids.add(doc["id"])
    assert len(ids) == 1 and len(weir("-C", where, "map", "list", json_out=True)[0]) == 1
    other = fresh()
    doc = one("-C", other, "map", "load", "-", stdin=raw)["files"][0]
    assert doc["routes"] == 12 and doc["format"] == "MRT table"
    assert one("-C", other, "map", "depend", "AS64510")["families"] == one("-C", loaded("rib"), "map", "depend", "AS64510")["families"]
    assert one("-C", other, "map", "load", "-", stdin=raw)["files"][0]["again"]


def test_inferred_relationships_are_kept_and_change_no_answer():
    where = loaded("rib")
    asks = (("cut", "AS64510"), ("whatif", "--blocks", "AS64500", "--target", "AS64510"))
    first = [one("-C", where, "map", *ask) for ask in asks]
    (kept,) = (where / "map").glob("*.inferred")
    assert [one("-C", where, "map", *ask) for ask in asks] == first
    kept.write_bytes(kept.read_bytes()[:-64])
    assert [one("-C", where, "map", *ask) for ask in asks] == first
    kept.unlink()
    (where / "map").chmod(0o500)  # nothing can be kept (root can: then it is)
    assert [one("-C", where, "map", *ask) for ask in asks] == first
    (where / "map").chmod(0o700)
    loaded("rel.txt", where=where)
    assert not any(c.get("inferred") for c in (one("-C", where, "map", *ask) for ask in asks))


def test_a_table_of_the_future_displaces_none():
    where = loaded()
    before = one("-C", where, "map", "cut", "AS64510")
    path = put("20990101.as-rel.txt", "64500|64510|-1\n")
    run = subprocess.run([WEIR, "-C", where, "--json", "map", "load", path], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0 and "20990101.as-rel.txt is dated 2099-01-01, after today" in run.stderr, run
    assert not json.loads(run.stdout)["files"][0]["again"]
    rows = weir("-C", where, "map", "list", json_out=True)[0]
    assert {r["name"]: (r["in_use"], r["future"]) for r in rows if r["kind"] == "AS relationships"} == {
        "rel.txt": (True, False), "20990101.as-rel.txt": (False, True)}, rows
    assert "20990101.as-rel.txt  (after today)" in weir("-C", where, "map", "list")[0]
    assert one("-C", where, "map", "cut", "AS64510") == before
    asked = one("-C", where, "map", "cut", "AS64510", "--at", "2099-06-01T00:00:00Z")
    assert asked["cuts"][0]["networks"] == ["AS64500"] and [t["name"] for t in asked["tables"] if t["kind"] == "AS relationships"] == ["20990101.as-rel.txt"]
    out, _ = weir("-C", fresh(), "map", "load", path)
    assert "of 2099-01-01, in use: 20990101.as-rel.txt" in out, out  # alone there is none that it could displace


def test_the_same_file_twice_in_one_call():
    where, path = fresh(), put("rel.txt", rel())
    doc = one("-C", where, "map", "load", path, path)
    assert [f["again"] for f in doc["files"]] == [False, True] and len(weir("-C", where, "map", "list", json_out=True)[0]) == 1


def test_two_loads_at_the_same_time():
    where = fresh()
    files = [put(f"rel{i}", rel(more=f"64501|6451{i}|-1\n")) for i in range(2, 8)]
    runs = [subprocess.Popen([WEIR, "-C", where, "map", "load", f], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for f in files]
    for run in runs:
        _, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
    assert len(weir("-C", where, "map", "list", json_out=True)[0]) == len(files)
    assert sorted(p.suffix for p in (where / "map").glob("*.sheet")) == [".sheet"] * len(files)


# ---- the questions ----

def test_depend():
    where = loaded()
    doc = one("-C", where, "map", "depend", "as64510")
    (v4,) = doc["families"]
    assert doc["net"] == "AS64510" and v4["family"] == 4 and v4["prefixes"] == 2 and v4["peers"] == v4["peers_in_tables"] == 4, doc
    share = {n["as"]: n["share"] for n in v4["networks"]}
    # 64500: one prefix of two by all, the other by half of the peers; no peer is cut off (10 % of 4 is none).
    assert abs(share["AS64500"] - 0.75) < 1e-9 and abs(share["AS64501"] - 0.25) < 1e-9 and share["AS64496"] == 1, share
    assert {c["cc"]: round(c["share"], 9) for c in v4["countries"]}["CN"] == 1  # both carriers' numbers are registered there
    assert {h["holder"] for h in v4["holders"]} == {"apnic/HOLD2"} and v4["holders"][0]["share"] == 1, v4["holders"]
    out, _ = weir("-C", where, "map", "depend", "AS64510")
    for said in ("75.0 %  AS64500 CARRIER-A, CN", "by country of registration", "Registration is not ownership", "seen by 4 peer networks",
                 "not unreachable"):
        assert said in out, out


def test_depend_of_a_country_and_a_prefix():
    where = loaded()
    doc = one("-C", where, "map", "depend", "kp")
    assert doc["net"] == "KP" and doc["networks"] == ["AS64510"] and doc["prefixes"] == [P1, P2], doc
    share = {n["as"]: n["share"] for n in one("-C", where, "map", "depend", P1)["families"][0]["networks"]}
    assert share["AS64500"] == 1 and "AS64501" not in share, share
    assert one("-C", where, "map", "depend", "198.51.100.7")["prefixes"] == [P1]


def test_who_depends_on_it():
    doc = one("-C", loaded(), "map", "depend", "AS64496")
    refused("-C", loaded("rel.txt"), "map", "depend", "AS64510", status=1, say="no BGP table is loaded")
    rows = [m for f in doc["families"] for m in f["dependents"]]
    assert {"AS64510", "AS64511"} <= {m["as"] for m in rows}, doc


def test_cut_as_a_whole_and_prefix_by_prefix():
    where = loaded()
    doc = one("-C", where, "map", "cut", "AS64510")
    whole = [c for c in doc["cuts"] if c["whole"]]
    part = [c for c in doc["cuts"] if not c["whole"]]
    assert sorted(whole[0]["networks"]) == ["AS64500", "AS64501"] or whole[0]["networks"] == ["AS64496"], doc["cuts"]
    assert {"networks", "weight", "prefixes"} <= set(whole[0]) and all(set(c["prefixes"]) == {P1, P2} for c in whole)
    assert [(c["networks"], c["prefixes"]) for c in part] == [(["AS64500"], [P1])], part
    weights = {m["as"]: m["weight"] for c in doc["cuts"] for m in c["members"]}
    assert weights["AS64500"] == 2 and weights["AS64501"] == 1, weights  # 64511 hangs on the first alone
    assert [c["weight"] for c in whole] == sorted(c["weight"] for c in whole)
    assert doc["connected"] and not doc["more"] and doc["all_of_size"] == 3 and doc["core"].startswith("the clique") and not doc["inferred"]
    out, _ = weir("-C", where, "map", "cut", "AS64510")
    assert f"for 1 of 2 prefixes, as 4 peer networks saw them: {P1}" in out and "AS64500 CARRIER-A, CN + AS64501 CARRIER-B, CN" in out and "Isolated: no way up" in out, out


def test_neighbours_that_no_relationship_has():
    where = fresh()
    weir("-C", where, "map", "load", put("rel.txt", rel(more="")), put("rib", table()))
    doc = one("-C", where, "map", "cut", "AS64510")
    assert [(x["as"], x["peers"]) for x in doc["unrelated"]] == [("AS64501", 2)], doc
    out, _ = weir("-C", where, "map", "cut", "AS64510")
    assert "Tables show 1 more neighbour of it that the relationships do not have" in out and "AS64501, shown by 2 peer networks" in out
    assert one("-C", loaded(), "map", "cut", "AS64510")["unrelated"] == []


def test_unwilling_and_size():
    where = loaded()
    doc = one("-C", where, "map", "cut", "AS64510", "--unwilling", "AS64500,AS64496")
    assert not any({"AS64500", "AS64496"} & set(c["networks"]) for c in doc["cuts"]), doc
    doc = one("-C", where, "map", "cut", "AS64511", "--unwilling", "AS64500", "--unwilling", "AS64496")
    assert not doc["cuts"] and doc["cheapest"] is None
    out, _ = weir("-C", where, "map", "cut", "AS64511", "--unwilling", "AS64500,AS64496")
    assert "No set of willing networks isolates all of it" in out, out
    doc = one("-C", where, "map", "cut", "AS64510", "--size", "1", "--unwilling", "AS64496")
    assert not any(c["whole"] for c in doc["cuts"]) and sorted(doc["cheapest"]["networks"]) == ["AS64500", "AS64501"], doc
    for size in ("0", "7", "-1", "many"):
        refused("-C", where, "map", "cut", "AS64510", "--size", size, status=2, say="--size")
    refused("-C", where, "map", "cut", "AS64510", "--unwilling", "carrier", status=2, say="carrier is no NET")


def test_whatif():
    where = loaded()
    doc = one("-C", where, "map", "whatif", "--blocks", "AS64500", "--target", "AS64511")
    assert doc["reach_now"] == 7 and doc["reach_refused"] == 0 and doc["losing"]["count"] == 6, doc
    assert doc["gone"]["stranded"]["networks"] == [], doc["gone"]
    doc = one("-C", where, "map", "whatif", "--blocks", "AS64500")
    assert doc["gone"]["stranded"]["networks"] == ["AS64511"] and doc["gone"]["stranded"]["addresses_v4"] == 256, doc
    out, _ = weir("-C", where, "map", "whatif", "--blocks", "AS64500", "--target", "AS64511")
    assert "7 now reach AS64511, of 7 other networks" in out and "0 still reach it, 6 others lose it" in out, out
    refused("-C", where, "map", "whatif", "--target", "AS64511", status=2, say="--blocks NET")
    refused("-C", where, "map", "whatif", "--blocks", "AS64999", status=1, say="AS64999: no table in use has it")


def test_more_data_makes_no_smaller_whatif():
    """64511 announces 192.0.2.0/24 where the table is loaded, its holder has 256 of which a sample has half; nobody else is known."""
    delegated = DELEGATED + "apnic|SE|asn|64511|1|20100101|allocated|HOLD4\napnic|SE|ipv4|192.0.2.0|256|20100101|allocated|HOLD4\n"
    sample = mrt.index(64496) + mrt.rib("198.18.5.0/24", (0, [64496, 64503]))
    ask = ("map", "whatif", "--blocks", "AS64500")
    by = lambda *files: one("-C", loaded("rel.txt", "names.txt", **dict(files)), *ask)["gone"]["stranded"]  # noqa: E731
    none = by()
    assert none["networks"] == ["AS64511"] and none["addresses_v4"] is None and none["prefixes_v6_48"] is None, none
    assert [(c["family"], c["by"], c["networks"], c["size"]) for c in none["counted"]] == [(4, "unknown", 1, None), (6, "unknown", 1, None)]
    registered = by(("delegated", delegated))
    assert registered["addresses_v4"] == 256 and registered["counted"][0]["by"] == "delegations" and registered["prefixes_v6_48"] is None, registered
    sampled = by(("delegated", delegated), ("rib", sample))
    assert sampled["counted"] == registered["counted"] and sampled["addresses_v4"] == 256, sampled
    routed = by(("delegated", delegated), ("rib", table()))
    assert routed["counted"][0] == {"family": 4, "by": "routes", "networks": 1, "size": 256} and routed["addresses_v4"] == 256, routed
    out, _ = weir("-C", loaded("rel.txt", delegated=delegated, rib=sample), *ask)
    assert re.search(r"IPv4 addresses: up to 256 in no route, delegated to the holders of 1 network \(delegations of \d{4}-\d\d-\d\d\)\n"
                     r"  IPv6 /48s: unknown of 1 network\n", out), out
    out, _ = weir("-C", loaded("rel.txt", "rib"), *ask)
    assert "  IPv4 addresses: 256 announced by 1 network (BGP table of 2020-06-01)\n" in out, out


def test_a_country_that_refuses_is_its_own_networks():
    """64511 originates a part of CN's space and is registered in SE: it refuses nothing."""
    delegated = DELEGATED + "apnic|SE|asn|64511|1|20100101|allocated|HOLD4\napnic|CN|ipv4|192.0.2.0|256|20100101|allocated|HOLD2\n"
    where = loaded("rel.txt", "rib", delegated=delegated)
    doc = one("-C", where, "map", "whatif", "--blocks", "CN", "--target", "AS64510")
    assert doc["blocks"] == ["AS64500", "AS64501"] and doc["blocks_foreign"] == 1, doc
    out, _ = weir("-C", where, "map", "whatif", "--blocks", "CN")
    assert "1 network that originates space of the country that refuses, registered elsewhere: not counted as refusing\n" in out, out
    assert one("-C", where, "map", "depend", "CN")["networks"] == ["AS64500", "AS64501", "AS64511"]
    vatican = delegated.replace("CN|ipv4|192.0.2.0", "VA|ipv4|192.0.2.0")
    refused("-C", loaded("rel.txt", "rib", delegated=vatican), "map", "whatif", "--blocks", "VA", status=1, say="VA: no network is registered there")


def test_unknown_nets():
    where = loaded()
    for verb in ("depend", "cut"):
        refused("-C", where, "map", verb, "AS64999", status=1, say="AS64999: no table in use has it")
        refused("-C", where, "map", verb, "SE", status=1, say="SE: nothing is delegated to it by the registries that are loaded")
        refused("-C", where, "map", verb, "VA", status=1, say="VA: no network is delegated to it")
        refused("-C", where, "map", verb, "10.0.0.0/8", status=1, say="10.0.0.0/8: not globally reachable .RFC 6890")
        refused("-C", where, "map", verb, "9.0.0.0/8", status=1, say="9.0.0.0/8: no table in use has it")
        for no in ("64510", "carrier", "AS4294967296", "4294967296", "AS64510x", "", "198.51.100.0/33", "\x1b[2J"):
            err = refused("-C", where, "map", verb, no, status=2, say="is no NET")
            assert "\x1b" not in err
        refused("-C", where, "map", verb, status=2, say="one NET")
        refused("-C", where, "map", verb, "KP", "SE", status=2, say="one NET")
    refused("-C", loaded("rel.txt"), "map", "cut", "KP", status=1, say="KP: no delegations are loaded")


def test_name():
    where = loaded()
    out, _ = weir("-C", where, "map", "name", "198.51.100.7", "AS64500")
    assert f"198.51.100.7  AS64510 TARGET-NET, KP  ({P1})" in out and "\nAS64500 CARRIER-A, CN\n" in out, out
    rows, _ = weir("-C", where, "map", "name", "198.51.100.7", "198.18.0.1", json_out=True)
    assert rows[0] == {"of": "198.51.100.7", "as": "AS64510", "name": "TARGET-NET", "cc": "KP", "holder": "apnic/HOLD1", "prefix": P1,
                       "origins": 1} and rows[1]["as"] is None and rows[1]["cc"] == "VA", rows
    out, _ = weir("-C", where, "map", "name", "10.0.0.1", status=1)
    assert out == "10.0.0.1  unknown\n"
    refused("-C", where, "map", "name", "example.com", status=2, say="neither an address nor AS")
    assert "mean" not in refused("-C", where, "map", "cut", "4294967296", status=2, say="4294967296 is no NET")
    out, err = weir("-C", where, "map", "name", "example.com", "AS64500", "64510", "10.0.0.1", status=2)  # the others are answered
    assert out == "AS64500 CARRIER-A, CN\n10.0.0.1  unknown\n", out
    assert err.count("\n") == 2 and "example.com: neither" in err and err.endswith("64510: neither an address nor AS and a number; did you mean AS64510?\n"), err
    refused("-C", where, "map", "name", status=2, say="ADDRESS")


ATTACKER = 64504
DEFAULT = ("0.0.0.0/0", "128.0.0.0/7", "10.0.0.0/8", "::/0", "2000::/3")


def default_table(at=mrt.JUNE):
    """A peer announces default routes and a leak beside one prefix of its own."""
    rows = [mrt.index(ATTACKER, at=at)]
    for p in (P1, *(d for d in DEFAULT if ":" not in d)):
        rows.append(mrt.rib(p, (0, [ATTACKER]), at=at))
    return b"".join(rows)


def test_a_default_route_names_nobody():
    lists = "".join(f"{p}\t{ATTACKER}\n" for p in (P1, *DEFAULT))
    for name, data in (("rib", default_table()), ("ipasn.dat", lists)):
        where = fresh()
        weir("-C", where, "map", "load", put_dated(name, data), put_dated("rel.txt", rel(more=f"64500|{ATTACKER}|-1\n")))
        nobody = ("10.0.0.1", "127.0.0.1", "224.0.0.1", "129.1.1.1", "9.9.9.9", "203.0.113.1", "2001:db8::1", "2a00::1")
        rows, _ = weir("-C", where, "map", "name", *nobody, json_out=True, status=1)
        assert [r["as"] for r in rows] == [None] * len(nobody), rows
        assert one("-C", where, "map", "name", "198.51.100.1")["as"] == f"AS{ATTACKER}"
        for verb in ("cut", *(("depend",) if name == "rib" else ())):
            refused("-C", where, "map", verb, "10.0.0.1", status=1, say="10.0.0.1/32: not globally reachable .RFC 6890")
            refused("-C", where, "map", verb, "9.9.9.9", status=1, say="9.9.9.9/32: no table in use has it")
            refused("-C", where, "map", verb, "0.0.0.0/0", status=1, say="0.0.0.0/0: wider than /8")
            assert one("-C", where, "map", verb, f"AS{ATTACKER}")["prefixes"] == [P1]
            assert one("-C", where, "map", verb, "198.51.100.1")["networks"] == [f"AS{ATTACKER}"]


def test_a_default_route_weighs_nothing():
    """Of 64510 one peer sees its prefix by 64500, and its default route by 64501."""
    rows = mrt.index(64496) + mrt.rib(P1, (0, [64496, 64500, 64510])) + mrt.rib("0.0.0.0/0", (0, [64496, 64501, 64510]))
    (v4,) = one("-C", loaded("rel.txt", rib=rows), "map", "depend", "AS64510")["families"]
    assert v4["prefixes"] == 1 and {n["as"]: n["share"] for n in v4["networks"]} == {"AS64496": 1.0, "AS64500": 1.0}, v4


def test_a_default_route_refuses_nothing():
    where = recorded()
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", where, "trace", case)
    before = one("-C", where, "plan", case)["options"]
    weir("-C", where, "map", "load", put("ipasn.dat", f"0.0.0.0/0\t{ATTACKER}\n192.0.0.0/8\t{ATTACKER}\n"))
    out, err = weir("-C", where, "plan", case, "--unwilling", f"AS{ATTACKER}", json_out=True)
    assert out[0]["options"] == before and before, (out, err)
    for command in (("trace", case), ("plan", case), ("case", "show", case), ("flows", "--networks")):
        assert f"AS{ATTACKER}" not in weir("-C", where, *command)[0], command


def test_a_country_from_names_where_no_delegation_is():
    where = loaded("names.txt", "rel.txt")
    assert one("-C", where, "map", "name", "AS64501")["cc"] == "RU"
    loaded("delegated", where=where)
    assert one("-C", where, "map", "name", "AS64501")["cc"] == "CN"


def test_origin_lists():
    where = fresh()
    pyasn = put("ipasn.dat", f"; IP-ASN32-DAT file\n{P1}\t64510\n{P3}\t64511\n")
    pfx2as = put("pfx2as", "203.0.113.0\t24\t64510_64511\n2001:db8::\t32\t64510\n")
    docs = one("-C", where, "map", "load", pyasn, pfx2as)["files"]
    assert {d["format"] for d in docs} == {"origins of prefixes"} and [d["kept"] for d in docs] == [2, 2], docs
    rows, _ = weir("-C", where, "map", "name", "198.51.100.1", "203.0.113.1", "2001:db8::1", json_out=True)
    assert [r["as"] for r in rows] == ["AS64510"] * 3 and [r["origins"] for r in rows] == [1, 2, 1], rows


def test_partners_are_named():
    where = loaded()
    (where / "weir.conf").write_text('partner_networks = 192.0.2.0/24\n')  # which 64511 announces
    doc = one("-C", where, "map", "cut", "AS64510")
    assert not any(m["partner"] for c in doc["cuts"] for m in c["members"])
    more = put("ipasn.dat", "198.18.5.0/24\t64500\n")
    weir("-C", where, "map", "load", more)
    (where / "weir.conf").write_text('partner_networks = 198.18.5.0/24\n')
    doc = one("-C", where, "map", "cut", "AS64510")
    assert {m["as"] for c in doc["cuts"] for m in c["members"] if m["partner"]} == {"AS64500"}, doc["cuts"]
    out, _ = weir("-C", where, "map", "cut", "AS64510")
    assert "AS64500 CARRIER-A, CN (partner)" in out, out


# ---- several tables, several dates ----

def test_several_tables_add_up():
    where = loaded("rel.txt", "delegated", "names.txt")
    half = [mrt.index(p) + mrt.rib(P1, (0, path_to(p, carrier, 64510))) for p, carrier in ((64496, 64500), (64497, 64501))]
    weir("-C", where, "map", "load", put("one", half[0]), put("two", half[1]))
    (v4,) = one("-C", where, "map", "depend", "AS64510")["families"]
    share = {n["as"]: (n["share"], n["tables"]) for n in v4["networks"]}
    assert v4["peers"] == 2 and share["AS64500"] == (0.5, 1) and share["AS64501"] == (0.5, 1) and share["AS64496"][1] >= 1, v4


def test_updates_continue_their_table():
    where, day = loaded("rel.txt"), 86400
    updates = b"".join(mrt.update(p, i, withdrawn=[P1], at=mrt.JUNE + 60 + i) for i, p in enumerate(PEERS))
    updates += mrt.update(64496, 0, [64496, 64500, 64510], ["198.51.100.128/25"], at=mrt.JUNE + day)
    doc = one("-C", where, "map", "load", put("rib", table()), put("updates", updates))
    assert [f["format"] for f in doc["files"]] == ["MRT table", "MRT updates"] and doc["files"][1]["withdrawals"] == 4, doc
    assert one("-C", where, "map", "cut", "AS64510")["prefixes"] == ["198.51.100.128/25", P2]


def test_at_within_and_history():
    where = fresh()
    for date, more in (("20150101", ""), ("20180101", SECOND)):
        weir("-C", where, "map", "load", put(f"{date}.as-rel.txt", rel(date, more)))
    loaded("delegated", "names.txt", where=where)
    now, then = (one("-C", where, "map", "cut", "KP", *at, "--unwilling", "AS64496") for at in ((), ("--at", "2016-06-01")))
    assert now["cuts"][0]["networks"] == ["AS64500", "AS64501"] and then["cuts"][0]["networks"] == ["AS64500"], (now, then)
    assert [(d["at"][:10], d["networks"], d["weight"]) for d in now["dates"]] == [("2015-01-01", ["AS64500"], 3)], now["dates"]
    assert [(d["at"][:10], d["networks"]) for d in then["dates"]] == [("2018-01-01", ["AS64500", "AS64501"])]
    links = {x["as"]: (x["dates"], x["dates_of"], x["doubtful"]) for x in now["links"]}
    assert links == {"AS64500": (2, 2, False), "AS64501": (1, 2, True)}, links
    out, _ = weir("-C", where, "map", "cut", "KP", "--unwilling", "AS64496")
    assert "the same at other dates\n  2015-01-01  {AS64500}, weight 3\n" in out and "at 1 of 2 dates  DOUBTFUL" in out, out
    both = one("-C", where, "map", "cut", "KP", "--within", "2000", "--unwilling", "AS64496")
    assert not both["dates"] and sum(t["kind"] == "AS relationships" for t in both["tables"]) == 2
    refused("-C", where, "map", "cut", "KP", "--at", "2014-01-01", status=1, say="no relationships and no BGP table")
    refused("-C", loaded("rel.txt"), "map", "cut", "AS64510", "--at", "2014-01-01", status=1, say="no table of 2014-01-01 or before")
    refused("-C", where, "map", "cut", "KP", "--at", "soon", status=2, say="soon")
    refused("-C", where, "map", "cut", "KP", "--within", "-3", status=2, say="within")


def test_at_a_date_means_all_of_it():
    where = loaded("delegated")
    weir("-C", where, "map", "load", put("20180101.as-rel.txt", "# source:topology|BGP|20180101|x\n# source:topology|BGP|20180105|x\n" + rel("20180105")))
    six = mrt.when("2014-05-23T06:00:00Z")
    weir("-C", where, "map", "load", put("rib", table(six)))
    assert one("-C", where, "map", "depend", "AS64510", "--at", "2014-05-23")["tables"][-1]["kind"] == "BGP table"
    refused("-C", where, "map", "depend", "AS64510", "--at", "2014-05-22", status=1, say="no BGP table of 2014-05-22 or before")
    refused("-C", where, "map", "depend", "AS64510", "--at", "2014-05-23T05:59:59Z", status=1, say="no BGP table of 2014-05-23 or before")
    for at in ("2018-01-01", "2018-01-03T00:00:00Z", "2018-01-06"):
        doc = one("-C", where, "map", "cut", "AS64510", "--at", at)
        assert not doc["inferred"] and "20180101.as-rel.txt" in [t["name"] for t in doc["tables"]], (at, doc)
    assert one("-C", where, "map", "cut", "AS64510", "--at", "2017-12-31")["inferred"]
    refused("-C", where, "map", "cut", "AS64510", "--at", "2014-05-22", status=1, say="no relationships and no BGP table of 2014-05-22 or before")


def test_dates_keep_the_families_apart():
    where = loaded("names.txt")
    four, six = "198.51.100.0/24", "2001:db8::/32"

    def tables(day, *rows):
        at = mrt.when(day + "T00:00:00Z")
        weir("-C", where, "map", "load", put(day, mrt.index(64496, at=at) + b"".join(mrt.rib(p, (0, [64496, via, 64510]), at=at) for p, via in rows)))
    tables("2020-06-01", (four, 64500))
    tables("2020-06-02", (six, 64500))
    tables("2019-01-01", (six, 64501))
    tables("2018-01-01", (four, 64502))
    tables("2017-01-01", (four, 64503))
    tables("2017-01-01", (six, 64501))
    doc = one("-C", where, "map", "depend", "AS64510")
    assert [(d["at"][:10], [(f["family"], [n["as"] for n in f["networks"]][-1]) for f in d["families"]]) for d in doc["dates"]] == [
        ("2019-01-01", [(6, "AS64501")]), ("2018-01-01", [(4, "AS64502")]), ("2017-01-01", [(4, "AS64503"), (6, "AS64501")])], doc["dates"]
    out, _ = weir("-C", where, "map", "depend", "AS64510")
    assert "  2019-01-01  IPv6 AS64496 100.0 %, AS64501 100.0 %\n  2018-01-01  IPv4 AS64496 100.0 %, AS64502 100.0 %\n" in out, out
    assert "  2017-01-01  IPv4 AS64496 100.0 %, AS64503 100.0 %; IPv6 AS64496 100.0 %, AS64501 100.0 %\n" in out, out


def test_dependence_at_other_dates():
    where = loaded("rib", "names.txt")
    old = mrt.when("2019-01-01T00:00:00Z")
    weir("-C", where, "map", "load", put("old", mrt.index(64497, at=old) + mrt.rib(P1, (0, path_to(64497, 64501, 64510)), at=old)))
    doc = one("-C", where, "map", "depend", "AS64510")
    (then,) = doc["dates"]
    assert then["at"].startswith("2019-01-01") and then["peers"] == 1 and {n["as"] for n in then["networks"]} >= {"AS64501"}, then
    out, _ = weir("-C", where, "map", "depend", "AS64511")
    assert "2019-01-01  no path to it was seen" in out, out
    assert one("-C", where, "map", "depend", "AS64511")["dates"][0]["networks"] is None


def test_relationships_inferred_where_no_file_gives_them():
    doc = one("-C", loaded("rib"), "map", "cut", "AS64511")
    assert doc["inferred"] and doc["core"] == "the clique that is inferred from the paths", doc
    out, _ = weir("-C", loaded("rib"), "map", "cut", "AS64511")
    assert "Relationships are inferred from the paths" in out


# ---- pictures ----

def test_pictures_are_xml():
    where = loaded()
    for verb, net in (("depend", "AS64510"), ("cut", "AS64510"), ("cut", "KP"), ("depend", P1), ("cut", "AS64496")):
        path = fresh("picture")
        weir("-C", where, "map", verb, net, "--svg", path)
        root = xml.etree.ElementTree.fromstring(path.read_text())
        texts = " ".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
        assert root.tag.endswith("svg") and net in texts, texts
    path = fresh("picture")
    weir("-C", where, "map", "cut", "AS64510", "--size", "1", "--unwilling", "AS64496", "--svg", path)
    assert "No small set isolates it" in path.read_text() and 'stroke-width="3"' not in path.read_text()
    hostile = loaded("rel.txt", "rib", **{"names.txt": "64510 <script>&\"' x, KP\n64500 ]]><!-- x, CN\n"})
    path = fresh("picture")
    weir("-C", hostile, "map", "cut", "AS64510", "--svg", path)
    assert not list(xml.etree.ElementTree.fromstring(path.read_text()).iter("{http://www.w3.org/2000/svg}script"))
    _, err = weir("-C", where, "map", "cut", "AS64510", "--svg", TMP / "no" / "such.svg", status=3)
    assert "such.svg" in err, err


# ---- what nobody should be able to do to it ----

def is_usable(where):
    return one("-C", where, "map", "cut", "AS64510")


def refuses_to_load(where, *paths, say, status=2):
    """Nothing is loaded, nothing of it is left, and the map answers as before."""
    before = sorted((where / "map").iterdir()), is_usable(where)
    err = refused("-C", where, "map", "load", *paths, status=status, say=say)
    assert (sorted((where / "map").iterdir()), is_usable(where)) == before, paths
    return err


def test_no_table():
    where = loaded()
    good = put("good", rel("20200602"))
    refuses_to_load(where, good, put("empty", b""), say="empty: empty")
    refuses_to_load(where, good, TMP / "nowhere", say="nowhere.*No such file")
    refuses_to_load(where, good, TMP, say=": a directory$")
    refuses_to_load(where, good, put("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(500)), say="picture.png: none of the formats")
    refuses_to_load(where, good, put("text", "hello\n" * 50), say="text: none of the formats")
    refuses_to_load(where, put("a\x1b[2Jb", b"nothing"), say="none of the formats")
    refused("-C", where, "map", "load", status=2, say="no file")
    refused("-C", where, "map", "load", good, "--threads", "0", status=2, say="--threads")


def test_truncated_files_give_what_is_whole():
    where = fresh()
    raw = b"".join(mrt.rib(f"10.{i // 256}.{i % 256}.0/24", (0, [64496, 64500 + i % 9000, 64510 + i])) for i in range(3000))
    raw = mrt.index(64496) + raw
    zstd = subprocess.run(["zstd", "-qc", "-1", "-B65536"], input=raw, capture_output=True, check=True).stdout
    for name, data, say in (("cut", raw, "in the middle of a record at byte"), ("cut.gz", gzip.compress(raw), "gzip"),
                            ("cut.bz2", bz2.compress(raw[:120000]) + bz2.compress(raw[120000:]), "bzip2"), ("cut.zst", zstd, "zstd")):
        doc = one("-C", where, "map", "load", put(name, data[:len(data) * 9 // 10]))["files"][0]
        assert doc["broken"] and say in doc["broken"] and "byte" in doc["broken"] and 0 < doc["routes"] < 3000, (name, doc)
        out, _ = weir("-C", fresh(), "map", "load", put(name, data[:len(data) * 9 // 10]))
        assert "; what is whole before that is loaded" in out, out
    for name, data in (("head.gz", gzip.compress(raw)[:8]), ("head.bz2", bz2.compress(raw)[:8]), ("head.zst", zstd[:6])):
        refuses_to_load(loaded(), put(name, data), say=name.replace(".", r"\."))


HOSTILE = {
    "a length that does not fit": mrt.rib(P1, mrt.entry(0, mrt.attrs([64496, 64510]), length=60000)),
    "no AS path": mrt.rib(P1, mrt.entry(0, mrt.attr(1, b"\0"))),
    "an AS path that does not fit, or with AS 0": mrt.rib(P1, (0, [64496, 0, 64510])),
    "a peer that no index table names": mrt.rib(P1, (7, [64496, 64510])),
    "a prefix longer than its family's addresses": mrt.rib(bytes([33, 198, 51, 100, 0, 0]), (0, [64496, 64510])),
    "a prefix with host bits, kept without them": mrt.rib(bytes([20, 198, 18, 255]), (0, [64496, 64510])),
    "no routes: state changes, keep-alives, other families": mrt.record(16, 0, bytes(20)),
    "paths with a loop": mrt.rib(P1, (0, [64496, 64500, 64496, 64510])),
    "sets in paths, not followed": mrt.rib(P1, (0, [64496, 64500, (mrt.SET, [64510, 64511])])),
}


def test_hostile_records_are_counted_by_name():
    good = mrt.index(64496) + mrt.rib(P3, (0, [64496, 64500, 64511]))
    for name, bad in HOSTILE.items():
        where = fresh()
        doc = one("-C", where, "map", "load", put("rib", good + bad + mrt.rib(P2, (0, [64496, 64510]))))["files"][0]
        assert doc["skipped"].get(name) == 1, (name, doc)
        assert one("-C", where, "map", "depend", "AS64510")["families"][0]["prefixes"] >= 1, name  # what follows is read
        out, _ = weir("-C", fresh(), "map", "load", put("rib", good + bad))
        assert f"skipped {name}: 1\n" in out, out


def test_an_attribute_longer_than_its_record():
    good = mrt.index(64496) + mrt.rib(P3, (0, [64496, 64500, 64511]))
    long = mrt.attr(1, b"\0") + mrt.attr(2, mrt.as_path([64496, 64510]), length=5000)
    doc = one("-C", fresh(), "map", "load", put("rib", good + mrt.rib(P1, mrt.entry(0, long))))["files"][0]
    assert doc["routes"] <= 2 and sum(doc["skipped"].values()) == 1, doc
    doc = one("-C", fresh(), "map", "load", put("rib", good + mrt.record(13, 2, bytes(30), length=0xfffffff0)))["files"][0]
    assert doc["routes"] == 1 and "no record" in doc["broken"], doc


def test_a_damaged_time_does_not_date_the_table():
    where = fresh()
    weir("-C", where, "map", "load", put("rib", table() + mrt.record(99, 0, b"", at=0xffffffff)))
    (row,) = weir("-C", where, "map", "list", json_out=True)[0]
    assert row["to"].startswith("2020-06-01"), row


def test_a_named_pipe_is_read_once():
    where, pipe = fresh(), fresh("pipe")
    os.mkfifo(pipe)
    program = "import sys; print('here', flush=True); open(sys.argv[1], 'w').write(sys.argv[2])"
    with subprocess.Popen([sys.executable, "-c", program, pipe, rel()], stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        state = pathlib.Path(f"/proc/{writer.pid}/stat")
        while state.read_text().rsplit(")", 1)[1].split()[0] != "S":  # until it waits for a reader
            pass
        doc = one("-C", where, "map", "load", pipe)["files"][0]
        assert doc["kept"] == 8 and writer.wait(timeout=60) == 0, doc


def test_a_name_that_is_no_utf8():
    path = put("x", rel())
    odd = os.path.join(os.fsencode(path.parent), b"a\xff\xfe")
    os.rename(path, odd)
    run = subprocess.run([WEIR, "-C", fresh(), "--json", "map", "load", odd], capture_output=True, timeout=60, check=True)
    (doc,) = json.loads(run.stdout)["files"]
    assert doc["file"].endswith("a??") and doc["kept"] == 8, doc


def test_a_bomb_of_lines():
    where = loaded()
    piece = subprocess.run(["zstd", "-qc"], input=b"64500|64511|-1\n" * 100000, capture_output=True, check=True).stdout
    refuses_to_load(where, put("bomb.zst", piece * 101), say="bomb.zst: more than 10000000 lines of AS relationships")


def test_no_index_table():
    where = loaded()
    refuses_to_load(where, put("rib", mrt.rib(P1, (0, [64496, 64510]))), say="rib: ")


def test_confederations_prepends_and_two_octets():
    where = fresh()
    rows = mrt.index(64496, 64497)
    rows += mrt.rib(P1, (0, [(mrt.CONFED, [65001, 65002]), 64496, 64500, 64500, 64510, 64510]))
    old = mrt.update(64496, 0, [64496, 23456, 23456], [P2], octets=2, more=mrt.attr(17, mrt.as_path([131279, 4200000000])),
                     at=mrt.JUNE + 5)
    doc = one("-C", where, "map", "load", put("rib", rows), put("updates", old))
    assert all(not f["skipped"] for f in doc["files"]), doc
    share = {n["as"]: n["share"] for n in one("-C", where, "map", "depend", "AS64510")["families"][0]["networks"]}
    assert share == {"AS64496": 1.0, "AS64500": 1.0}, share
    share = {n["as"] for n in one("-C", where, "map", "depend", "AS4200000000")["families"][0]["networks"]}
    assert share == {"AS64496", "AS131279"}, share


def test_relationships_both_ways():
    where = fresh()
    doc = one("-C", where, "map", "load", put("rel.txt", rel() + "64510|64500|-1\nthis is no line\n64496|64496|0\n"))["files"][0]
    assert doc["skipped"]["links in both directions"] == 1 and doc["skipped"]["lines not understood"] == 2, doc
    out, _ = weir("-C", fresh(), "map", "load", put("rel.txt", rel() + "this is no line\n"))
    assert f"the first line not understood is line {len(rel().splitlines()) + 1}\n" in out, out
    refuses_to_load(loaded(), put("rel.txt", "64496|64496|0\n" * 5), say="rel.txt")


def test_a_damaged_sheet():
    for kind, ask in (("AS relationships", ("cut", "AS64510")), ("BGP table", ("depend", "AS64510")), ("names", ("name", "AS64510"))):
        where = loaded()
        (row,) = [r for r in weir("-C", where, "map", "list", json_out=True)[0] if r["kind"] == kind]
        sheet = where / "map" / f"{row['id']}.sheet"
        whole = sheet.read_bytes()
        for name, data in (("empty", b""), ("short", whole[:-64]), ("head", b"x" + whole[1:]), ("text", b"hello\n" * 100)):
            sheet.chmod(0o600)
            sheet.write_bytes(data)
            assert row["id"] in refused("-C", where, "map", *ask, status=2, say="damaged|sheet"), name
        # each section's sum is compared: the last byte is in the last section
        last = len(whole.rstrip(b"\0")) - 1
        sheet.write_bytes(whole[:last] + bytes([whole[last] ^ 1]) + whole[last + 1:])
        refused("-C", where, "map", *ask, status=2, say="damaged: the sum of section")
        flipped = 0
        for at in range(64, len(whole), max(1, len(whole) // 60)):
            sheet.write_bytes(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
            run = subprocess.run([WEIR, "-C", where, "map", *ask], capture_output=True, timeout=60, check=False)
            assert run.returncode in (0, 2), (kind, at, run)  # 0: between two sections
            flipped += run.returncode == 2
        assert flipped > 10, (kind, flipped)
        sheet.unlink()
        refused("-C", where, "map", *ask, status=2, say="not there")
    where = loaded()
    (where / "map" / "tables").write_text("nonsense\n")
    refused("-C", where, "map", "list", status=2, say="tables")


# ---- the rest of weir ----

def test_names_in_flows_of_a_case():
    where = recorded()
    before = one("-C", where, "trace", "--flow", ATTACK)
    assert "networks" not in before
    weir("-C", where, "map", "load", put("ipasn.dat", "203.0.113.0/24\t64500\n198.51.100.0/24\t64510\n"), put("names.txt", NAMES))
    after = one("-C", where, "trace", "--flow", ATTACK)
    assert after["networks"]["203.0.113.10"] == {"as": "AS64500", "name": "CARRIER-A", "cc": "CN", "holder": None, "prefix": "203.0.113.0/24"}, after
    assert after["ends"]["network"]["as"] == "AS64510", after["ends"]
    out, _ = weir("-C", where, "trace", "--flow", ATTACK)
    assert re.search(r"networks \(by routing table( of \d{4}-\d\d-\d\d| \(none is loaded\)) and registration, which is not ownership\)\n", out) and "AS64510 TARGET-NET, KP" in out, out
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", where, "trace", case)
    for command in (("case", "show", case), ("why", case)):
        out, _ = weir("-C", where, *command)
        assert "AS64500 CARRIER-A, CN" in out, (command, out)
        docs, _ = weir("-C", where, *command, json_out=True)
        assert any("203.0.113.10" in d.get("networks", {}) for d in docs), docs


def test_a_damaged_map_does_not_stop_a_trace():
    where = recorded()
    weir("-C", where, "map", "load", put("names.txt", NAMES))
    for sheet in (where / "map").glob("*.sheet"):
        sheet.chmod(0o600)
        sheet.write_bytes(b"")
    out, err = weir("-C", where, "trace", "--flow", ATTACK)
    assert "PROVEN" in out and "networks are not named" in err, (out, err)


tap.run(sys.modules[__name__])

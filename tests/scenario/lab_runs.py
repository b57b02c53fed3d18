#!/usr/bin/env python3
"""Every run of the laboratory, recorded and traced from its captures, held against its truth file.

Takes the path of weir and a folder of runs (lab/set, or what `make lab` left).  A run is a folder with truth.json,
eve.json and one capture per observation point.  For each: every attack is followed hop by hop to where it really came
from, each hop proven at alpha 1e-6 (a run that is too short must say insufficient instead; of the carriers and delays in GOALS
the figure is printed, since the design sets a share and not a promise for each session); no leg that is not in the truth
is ever proven, neither by trace nor by scan; without the true in-leg nobody is named.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import tap  # noqa: E402

WEIR = pathlib.Path(sys.argv[1]).resolve()
RUNS = pathlib.Path(sys.argv[2]).resolve()
TMP = pathlib.Path(tempfile.mkdtemp(prefix="weir-lab-runs-"))
SCAN_NOISE = 10  # lines of scan that are no relay, over a whole run
SHARED_CAUSES = ("parallel", "bulk")  # made to be undecidable: there such lines are not counted
GOALS = ("iodine", "ptunnel", "jitter200", "jitter200socat", "batch", "chaff300", "jitterchaff", "rare")
TRACED = 5  # of many short attacks


def weir(where, *args, statuses=(0,)):
    run = subprocess.run([WEIR, "-C", where, "--json", *map(str, args)], capture_output=True, text=True, check=False)
    assert run.returncode in statuses, f"{args}: exit {run.returncode}: {run.stderr}"
    return [json.loads(line) for line in run.stdout.splitlines()]


def captures(run):
    return sorted(p for p in run.iterdir() if p.name.endswith((".pcap", ".pcap.zst")))


def recorded(run, name, config=""):
    where = TMP / name
    where.mkdir()
    (where / "weir.conf").write_text(config)
    for path in captures(run):
        (done,) = weir(where, "record", "--point", path.name.split(".")[0], path)
        assert not set(done["skipped"]) & {"bad-record", "truncated", "bad-ip", "bad-transport"}, done
    return where


def flows_of(group):
    return group if isinstance(group, list) else [v for v in group.values() if isinstance(v, str) and " > " in v]


def turned(flow):
    proto, a, _, b = flow.split()
    return f"{proto} {b} > {a}"


class Truth:
    def __init__(self, run):
        self.doc = json.loads((run / "truth.json").read_text())
        self.same = {}
        for group in self.doc.get("rewrites", []):
            members = flows_of(group)
            for name in members:
                self.same[name] = members[0]
                self.same[turned(name)] = members[0]
        hops = [h for attack in self.doc["attacks"] for h in attack["hops"]]
        self.links = {self.pair(x["in"], x["out"]) for x in self.doc["links"] + hops}
        self.links |= {self.pair(x["in"], x["out"]) for x in self.doc.get("aggregates", [])}

    def one(self, flow):
        """One name for a flow, whoever opened it and however it was translated."""
        flow = self.same.get(flow, flow)
        return min(flow, turned(flow))

    def pair(self, a, b):
        return frozenset((self.one(a), self.one(b)))


def without_port(flow, end):
    proto, a, _, b = flow.split()
    ends = [a, b]
    ends[end] = ends[end].rsplit(":", 1)[0] + ":0"
    return f"{proto} {ends[0]} > {ends[1]}"


def is_link(truth, a, b):
    """An aggregate (ephemeral port 0) of sessions is a link if some of its members are one."""
    if truth.pair(a, b) in truth.links:
        return True
    if ":0 " not in f"{a} {b} ":
        return False
    loose = {truth.pair(i, o) for x in truth.doc["links"] + [h for at in truth.doc["attacks"] for h in at["hops"]]
             for i in (x["in"], without_port(x["in"], 0), without_port(x["in"], 1))
             for o in (x["out"], without_port(x["out"], 0), without_port(x["out"], 1))}
    return truth.pair(a, b) in loose


def check_attack(where, truth, attack, short):
    (doc,) = weir(where, "trace", "--flow", attack["flow"], statuses=(0, 1))
    proven = [h for h in doc["hops"] if h["verdict"] == "proven"]
    for hop in proven:
        assert is_link(truth, hop["in"]["flow"], hop["out"]["flow"]), f"WRONG LEG PROVEN: {hop}"
        for rival in hop["rivals"]:
            assert rival["verdict"] != "proven" or is_link(truth, rival["flow"], hop["out"]["flow"]), rival
    if short:
        assert not proven and doc["hops"][0]["verdict"] == "insufficient", doc
        return "insufficient, as it should be"
    if truth.doc["run"] in GOALS and len(proven) < len(attack["hops"]):
        return "; ".join(f"not proven: {h['verdict']} {h['log10_e']:.1f}/{h['needed']:.1f}" for h in doc["hops"][len(proven):])
    assert len(proven) == len(attack["hops"]), (f"{len(proven)} of {len(attack['hops'])} hops proven: " + "; ".join(
        f"{h['verdict']} {h.get('reason', '')} {h['log10_e']:.1f}/{h['needed']:.1f} of {h['searched']}" for h in doc["hops"]))
    for hop, true in zip(proven, attack["hops"]):
        assert truth.pair(hop["in"]["flow"], hop["out"]["flow"]) == truth.pair(true["in"], true["out"]), (hop, true)
    return ", ".join(f"{h['log10_e']:.1f}/{h['needed']:.1f} after {h['first_sufficient_s']:.0f} s" for h in proven)


def check_spray(where, truth):
    """Many short sessions: each is too short by itself; whatever is named must be one of them, or all of them together."""
    named = 0
    for attack in truth.doc["attacks"][:TRACED]:
        (doc,) = weir(where, "trace", "--flow", attack["flow"], statuses=(0, 1))
        for hop in doc["hops"]:
            if hop["verdict"] == "proven":
                named += 1
                assert is_link(truth, hop["in"]["flow"], hop["out"]["flow"]), f"WRONG LEG PROVEN: {hop}"
    assert named == min(TRACED, len(truth.doc["attacks"])), f"only {named} logins were traced"
    return f"{len(truth.doc['attacks'])} logins, {named} of {TRACED} traced to the spray"


def check_scan(where, truth):
    links = weir(where, "scan")
    wrong = [x for x in links if x["role"] != "rewritten" and not is_link(truth, x["in"]["flow"], x["out"]["flow"])]
    assert not [x for x in wrong if x["verdict"] == "proven"], f"WRONG LINKS PROVEN: {wrong}"
    assert len(wrong) <= SCAN_NOISE or truth.doc["run"] in SHARED_CAUSES, f"{len(wrong)} lines that are no relay"
    found = {truth.pair(x["in"]["flow"], x["out"]["flow"]) for x in links}
    return f"scan {len(found & truth.links)} of {len(truth.links)} true links, {len(wrong)} others"


def bpf_not(flow):
    """A filter that leaves out one flow."""
    proto, a, _, b = flow.split()
    ends = [e.rsplit(":", 1) for e in (a, b)]
    if proto == "icmp":
        return "not (icmp and " + " and ".join(f"host {h}" for h, _ in ends) + ")"
    return "not (" + " and ".join(f"host {h.strip('[]')} and port {p}" for h, p in ends) + ")"


def check_without(run, truth, attack):
    """The true in-leg of the first hop taken out, in all its names: nobody may be named."""
    leg = attack["hops"][0]["in"]
    gone = [n for n in {leg, *truth.same} if truth.one(n) == truth.one(leg)]
    where = recorded(run, f"{run.name}-without", 'filter = "' + " and ".join(map(bpf_not, gone)) + '"\n')
    (doc,) = weir(where, "trace", "--flow", attack["flow"], statuses=(0, 1))
    assert not [h for h in doc["hops"][:1] if h["verdict"] == "proven"], f"SOMEBODY ELSE NAMED: {doc['hops'][0]}"


def check_run(run):
    truth = Truth(run)
    where = recorded(run, run.name)
    if truth.doc["kind"] == "spray":
        notes = [check_spray(where, truth), check_scan(where, truth)]
    else:
        notes = [check_attack(where, truth, a, run.name == "short") for a in truth.doc["attacks"]]
        notes.append(check_scan(where, truth))
        check_without(run, truth, truth.doc["attacks"][0])
    print(f"# {run.name}: {'; '.join(notes)}", flush=True)


def main():
    module = type(sys)("runs")
    runs = sorted(p.parent for p in RUNS.glob("*/truth.json"))
    if not runs:
        print(f"1..1\nok 1 - runs # SKIP no runs in {RUNS}")
        return
    for run in runs:
        def test(run=run):
            check_run(run)
        test.__name__ = f"test_{run.name}"
        setattr(module, test.__name__, test)
    tap.run(module)


os.chdir(TMP)
try:
    main()
finally:
    shutil.rmtree(TMP, ignore_errors=True)

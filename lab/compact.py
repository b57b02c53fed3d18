"""The committed form of runs: headers only, cut to what is needed, compressed; and the proof that no payload is in it.

Every point's capture is cut at the end of the attack and to as many bystander flows as fit into the run's share of bytes.
Links are kept or left out as wholes: if a flow stays, the flow that it is relayed from or to stays as well. What was left
out is counted in the truth file ("left_out"), whose links are cut to those that remain.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

import pcap
from truth import micros

SET_LIMIT = 8 << 20
AFTER_US = 3_000_000


def wholes(truth):
    """flow -> a representative of all flows that belong together with it."""
    root = {}

    def find(f):
        while root.setdefault(f, f) != f:
            f = root[f]
        return f

    for e in truth["links"] + [h for a in truth["attacks"] for h in a["hops"]]:
        names = [e["in"], e["out"]] + [e["inside"][k] for k in ("in", "out") if "inside" in e]
        for n in names[1:]:
            root[find(n)] = find(names[0])
    for r in truth["rewrites"]:
        root[find(r["inside"])] = find(r["outside"])
    return find


def choose(truth, seen, budget):
    """The flows to keep: the attack's, then whole groups, small ones first, until the packets are used up."""
    find = wholes(truth)
    must = {find(f) for a in truth["attacks"] for h in a["hops"] for f in (h["in"], h["out"])}
    groups = {}
    for flows in seen.values():
        for f, v in flows.items():
            g = groups.setdefault(find(f), [0, []])
            g[0] += sum(v["packets"])
            g[1].append(f)
    kept, spent = set(), 0
    order = sorted(groups, key=lambda g: (g not in must, groups[g][0]))
    for g in order:
        if g in must or spent + groups[g][0] <= budget:
            spent += groups[g][0]
            kept.update(groups[g][1])
    return kept


def window(truth, point):
    """Begin and end of what is kept at a point, by the point's own clock: from the start, so that every flow has its SYN."""
    if not truth["attacks"]:
        return 0, 1 << 62
    shift = truth["points"][point]["clock"]["offset_s"] * 1e6
    return 0, max(micros(a["end"]) for a in truth["attacks"]) + AFTER_US + shift


def compact_run(source, target, budget):
    truth = json.load(open(source + "/truth.json"))
    os.makedirs(target, exist_ok=True)
    for old in os.listdir(target):
        os.remove(os.path.join(target, old))
    seen = {p: pcap.flows("%s/%s.pcap" % (source, p))[0] for p in truth["points"]}
    kept = choose(truth, seen, budget)
    used = {h["point"] for a in truth["attacks"] for h in a["hops"]} | {"victim"}

    def keep(p):
        proto = pcap.PROTO.get(p.proto)
        return proto and (pcap.flow_text(p.src, p.sport, p.dst, p.dport, proto) in kept
                          or pcap.flow_text(p.dst, p.dport, p.src, p.sport, proto) in kept)

    for point in sorted(used):
        truth["points"][point]["packets"] = pcap.compact("%s/%s.pcap" % (source, point), "%s/%s.pcap.zst" % (target, point),
                                                         keep, *window(truth, point))
        truth["points"][point]["file"] = point + ".pcap.zst"
    there = {p: two_way_flows("%s/%s.pcap.zst" % (target, p)) for p in used}
    left = [e for e in truth["links"] if e["point"] not in used or not {e["in"], e["out"]} <= there[e["point"]]]
    truth["links"] = [e for e in truth["links"] if e not in left]
    truth["rewrites"] = [r for r in truth["rewrites"] if r["inside"] in kept]
    truth["points"] = {p: v for p, v in truth["points"].items() if p in used}
    truth["left_out"] = {"links": len(left), "flows": sum(len(f) for f in seen.values()) - len(kept)}
    with open(target + "/truth.json", "w") as f:
        json.dump(truth, f, indent=1)
        f.write("\n")
    for name in ("eve.json", "notice.log"):
        if os.path.exists(source + "/" + name):
            shutil.copy(source + "/" + name, target)


def unpack(path, target):
    subprocess.run(["zstd", "-q", "-d", "-f", path, "-o", target], check=True)


def two_way_flows(path):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as plain:
        unpack(path, plain.name)
        return {f for f, v in pcap.flows(plain.name)[0].items() if 0 not in v["packets"]}


def check_set(folder):
    """No payload byte in any capture, no more than SET_LIMIT in all. Returns the complaints."""
    wrong, total = [], 0
    for path in sorted(glob.glob(folder + "/*/*")):
        total += os.path.getsize(path)
        if not path.endswith(".zst"):
            continue
        with tempfile.NamedTemporaryFile(suffix=".pcap") as plain:
            unpack(path, plain.name)
            extra = pcap.payload_bytes(plain.name)
            if extra:
                wrong.append("%s: %d bytes beyond the transport headers" % (path, extra))
    if total > SET_LIMIT:
        wrong.append("%s: %d bytes, the limit is %d" % (folder, total, SET_LIMIT))
    print("%s: %d bytes, %s" % (folder, total, "no payload" if not wrong else "; ".join(wrong)), file=sys.stderr)
    return wrong


def size_of(folder):
    return sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))


def compact_runs(dirs, folder, limit):
    """Twice each: the first time tells how many bytes a packet takes in this run."""
    for d in map(os.path.normpath, dirs):
        target = os.path.join(folder, os.path.basename(d))
        packets = limit // 13
        compact_run(d, target, packets)
        compact_run(d, target, int(packets * limit / max(size_of(target), limit // 3)))
        print("%s: %d bytes" % (target, size_of(target)), file=sys.stderr)
    return 1 if check_set(folder) else 0

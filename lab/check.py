"""Is a finished run what it claims to be? Reads only what the run left.

Every flow that the truth file names is in the captures with packets in both directions, at each point where it was
recorded; at least 40 bystander flows are there; no leg of a relayed session is without its pair; nothing was dropped; no
address lies outside the documentation and benchmark ranges; alerts name the attack. Prints one line per complaint and a
last line; status 0 when there are none.
"""

import ipaddress
import json
import os
import tempfile

import compact
import pcap

LEAST_BYSTANDERS = 40
PROXY_PORTS = (1080, 2222, 8001, 8002, 8003, 8004, 8022, 8888, 1194, *range(4401, 4406), *range(9001, 9006), *range(7001, 7005))


def plain(path, folder):
    """The capture itself, or an unpacked copy of it in `folder`."""
    if not path.endswith(".zst"):
        return path
    copy = os.path.join(folder, os.path.basename(path)[:-4])
    compact.unpack(path, copy)
    return copy


def missing(flow, point, seen):
    f = seen[point].get(flow)
    if f is None:
        return "%s is not in the capture of %s" % (flow, point)
    if 0 in f["packets"]:
        return "%s has packets in one direction only at %s" % (flow, point)
    return None


def named_flows(truth):
    """(flow, point) for every flow that must be there."""
    for a in truth["attacks"]:
        yield a["flow"], "victim"
    for e in truth["links"] + [h for a in truth["attacks"] for h in a["hops"]]:
        for name in (e["in"], e["out"]) + tuple(e["inside"][k] for k in ("in", "out") if "inside" in e):
            yield name, e["point"]


def bystander_flows(truth, seen):
    """Flows at the attack's relays, both ways and longer than a handshake, that are not the attack's."""
    hops = [h for a in truth["attacks"] for h in a["hops"]]
    attack = {h["in"] for h in hops} | {h["out"] for h in hops}
    return len({f for p in {h["point"] for h in hops} for f, v in seen[p].items() if min(v["packets"]) > 5 and f not in attack})


def unpaired(truth, seen):
    """Flows at a relay that can only be legs of a relayed session, and are in no pair: the truth would have a hole."""
    links = truth["links"] + [h for a in truth["attacks"] for h in a["hops"]]
    named = {f for e in links for f in (e["in"], e["out"])} | {r["inside"] for r in truth["rewrites"]}
    named |= set(truth.get("begun", []))  # somebody sat at the relay
    relays = {a for e in links for a in (e["relay"], e.get("inside", e)["relay"])}
    for p in seen:
        for f, v in seen[p].items():
            a, _, b, port = pcap.flow_sides(f)
            leg = (a in relays and port == 22) or (b in relays and port in PROXY_PORTS)
            if leg and f not in named and min(v["packets"]) > 20:
                yield "%s at %s is in no pair" % (f, p)


def complaints(folder, truth, seen, addresses):
    wrong = [m for f, p in dict.fromkeys(named_flows(truth)) if p in seen for m in [missing(f, p, seen)] if m]
    wrong += ["address %s is not allowed" % a for a in sorted(addresses)
              if not any(ipaddress.ip_address(a) in n for n in pcap.ALLOWED)]
    if not truth["attacks"]:
        wrong.append("no attack reached the victim")
    if "left_out" not in truth and bystander_flows(truth, seen) < LEAST_BYSTANDERS:
        wrong.append("only %d bystander flows at the attack's relays" % bystander_flows(truth, seen))
    wrong += [] if "left_out" in truth else unpaired(truth, seen)
    wrong += ["%s: the kernel dropped %d packets" % (p, v["dropped"]) for p, v in truth["points"].items() if v["dropped"]]
    flows = {tuple(pcap.flow_sides(a["flow"])) for a in truth["attacks"]}
    for line in open(folder + "/eve.json"):
        e = json.loads(line)
        if (e["src_ip"], e["src_port"], e["dest_ip"], e["dest_port"]) not in flows:
            wrong.append("an alert names no attack flow")
    return wrong


def check_run(folder):
    truth = json.load(open(folder + "/truth.json"))
    seen, addresses = {}, set()
    with tempfile.TemporaryDirectory() as scratch:
        for point, v in truth["points"].items():
            seen[point], found = pcap.flows(plain(os.path.join(folder, v["file"]), scratch))
            addresses |= found
    wrong = complaints(folder, truth, seen, addresses)
    for w in wrong:
        print("%s: %s" % (folder, w))
    hops = [len(a["hops"]) for a in truth["attacks"]]
    print("%s: %s: %d attacks with %s hops, %d other links, %d flows" % (
        folder, "ok" if not wrong else "%d complaints" % len(wrong), len(hops), sorted(set(hops)), len(truth["links"]),
        sum(len(f) for f in seen.values())))
    return 1 if wrong else 0

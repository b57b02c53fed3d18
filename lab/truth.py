"""What really happened, taken from the kernel and not from a guess: who owns which socket, and what follows from it.

Every STEP seconds the TCP sockets of all hosts are listed with the processes that own them. At a relay,
- a process that owns an accepted and an opened socket relays between them (sshd with a forwarding, socat),
- an `ssh` that owns two opened sockets is a reverse tunnel: the first is its way to the server, the others lead onwards,
- an opened socket whose owner descends from the owner of an accepted one is a session typed inside a session,
- microsocks, tinyproxy, stunnel and haproxy mix all their clients in one process; there the sessions start one after the
  other and the new pair is taken,
- what comes out of a tunnel's device is translated by the kernel, whose connection tracking says what it became; the in-leg
  is the socket that the tunnel's program owns at the client. Of ptunnel-ng the in-leg is the ICMP flow that began meanwhile.
The attack's chain is the path through these pairs from a flow of an attacker's network to the victim's port 22.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
import struct
import time
from datetime import datetime, timezone

import pcap
from topology import HOSTS, inside

STEP = 1.5
OWNERS = ("ssh", "sshd", "socat", "nc", "scp", "python3", "curl")  # programs whose sockets are asked for
ESTABLISHED, LISTEN = 1, 10
MANY = 3  # so many attacks of one kind are an aggregate too


def stamp(us):
    return datetime.fromtimestamp(us / 1e6, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def hex_address(text):
    """An address as /proc/net/tcp writes it: 32-bit words, each in the machine's order."""
    words = b"".join(struct.pack("=I", int(text[i:i + 8], 16)) for i in range(0, len(text), 8))
    if len(words) == 4:
        return socket.inet_ntop(socket.AF_INET, words)
    if words[:12] == bytes(10) + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, words[12:])
    return socket.inet_ntop(socket.AF_INET6, words)


def host_sockets(host):
    """inode -> (local, port, remote, port) of the host's established sockets, and the ports that it listens on."""
    found, listening = {}, set()
    for table in ("tcp", "tcp6"):
        try:
            with inside(host), open("/proc/thread-self/net/" + table) as f:
                lines = f.readlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            c = line.split()
            (la, lp), (ra, rp) = c[1].split(":"), c[2].split(":")
            if int(c[3], 16) == LISTEN:
                listening.add(int(lp, 16))
            elif int(c[3], 16) == ESTABLISHED:
                found[int(c[9])] = (hex_address(la), int(lp, 16), hex_address(ra), int(rp, 16))
    return found, listening


def descriptors(pid):
    """[(fd, what it is)] of a process; one that it closes meanwhile is left out."""
    found = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(FileNotFoundError):
            found.append((int(fd), os.readlink("/proc/%d/fd/%s" % (pid, fd))))
    return found


def port_of_process(host, pid, proto, remote):
    """The local port of the process's socket towards remote port `remote` (of an unconnected one: its only socket)."""
    own = {to for _, to in descriptors(pid)}
    found = set()
    for table in (proto, proto + "6"):
        with contextlib.suppress(FileNotFoundError), inside(host), open("/proc/thread-self/net/" + table) as f:
            for c in (line.split() for line in f.readlines()[1:]):
                if "socket:[%s]" % c[9] in own and int(c[2].split(":")[1], 16) in (0, remote):
                    found.add(int(c[1].split(":")[1], 16))
    if len(found) != 1:
        raise RuntimeError("process %d at %s has %d %s sockets, not one" % (pid, host, len(found), proto))
    return found.pop()


def tracked(host):
    """[(source, destination, its port, own port outside)] of the TCP flows that the host's connection tracking translates."""
    with inside(host), open("/proc/thread-self/net/nf_conntrack") as f:
        for line in f:
            if " tcp " in line and "ESTABLISHED" in line:
                v = re.findall(r"(src|dst|sport|dport)=(\S+)", line)
                yield v[0][1], v[1][1], int(v[3][1]), int(v[7][1])


def process_table():
    """pid -> (parent, name, [(fd, socket inode)])."""
    table = {}
    for pid in [int(n) for n in os.listdir("/proc") if n.isdigit()]:
        with contextlib.suppress(OSError):
            name, rest = re.fullmatch(r"\d+ \((.*)\) . (\d+).*", open("/proc/%d/stat" % pid).read(), re.S).groups()
            fds = []
            for fd, to in () if name not in OWNERS else descriptors(pid):
                if to.startswith("socket:["):
                    fds.append((fd, int(to[8:-1])))
            table[pid] = (int(rest), name, sorted(fds))
    return table


def ancestors(table, pid):
    for _ in range(64):
        if pid not in table or pid <= 1:
            return
        yield pid
        pid = table[pid][0]


class Truth:
    """Collects relay pairs during a run."""

    def __init__(self, world):
        self.world = world
        self.hosts = [h for hosts in HOSTS.values() for h in hosts]
        self.pairs = {}    # (relay host, in, out) -> program
        self.jobs = {}     # process id -> job, set by the sessions
        self.job_of = {}   # flow -> job
        self.alias = {}    # flow inside a host -> the flow on the wire that carries it (hidden manner)
        self.carried = {}  # (relay, inner address of a tunnel) -> (the flow that carries it, program)
        self.echoes = []   # (relay, out-leg, client address, begin, end, job) of sessions in ICMP
        self.samples, self.seconds = 0, 0.0

    async def watch(self):
        while True:
            self.sample()
            await asyncio.sleep(STEP)

    def sample(self):
        began = time.thread_time()
        table = process_table()
        self.samples += 1
        for host in self.hosts:
            found, listening = host_sockets(host)
            self.sample_host(host, found, listening, table)
        for host in {relay for relay, _ in self.carried}:
            self.sample_tunnels(host)
        self.seconds += time.thread_time() - began

    def sample_host(self, host, found, listening, table):
        owned = {}  # pid -> [(opened by us?, flow)] in the order of descriptors
        for pid, (_, name, fds) in table.items():
            if pid == os.getpid():
                continue
            mine = [found[i] for _, i in fds if i in found]
            if mine:
                owned[pid] = [self.orient(s, listening) for s in mine]
        for pid, flows in owned.items():
            for _, flow in flows:
                job = next((self.jobs[a] for a in ancestors(table, pid) if a in self.jobs), None)
                if job is not None:
                    self.job_of.setdefault(flow, job)
            if host.startswith("relay"):
                self.pair(host, pid, owned, table)

    def orient(self, s, listening):
        opened = s[1] not in listening
        flow = pcap.flow_text(*s) if opened else pcap.flow_text(s[2], s[3], s[0], s[1])
        return opened, self.alias.get(flow, flow)

    def pair(self, host, pid, owned, table):
        outs = [f for opened, f in owned[pid] if opened and "127.0.0.1" not in f]
        ins = [f for opened, f in owned[pid] if not opened]
        name = table[pid][1]
        if outs and not ins and name == "ssh" and len(outs) > 1:
            ins, outs, name = outs[:1], outs[1:], "reverse"
        if not ins:
            for a in ancestors(table, table[pid][0]):
                ins = [f for opened, f in owned.get(a, []) if not opened]
                if ins:
                    name = "nested"
                    break
        for i in ins:
            for o in outs:
                if i != o:
                    self.pairs.setdefault((host, i, o), name)

    def sample_tunnels(self, host):
        own = self.world.own_addresses(host)[0]
        for source, to, port, outside in tracked(host):
            carrier, program = self.carried.get((host, source), (None, None))
            if carrier:
                self.pairs.setdefault((host, carrier, pcap.flow_text(own, outside, to, port)), program)

    def through_process(self, host, pid):
        """(flows into the process at the host, flows that it opened)."""
        found, listening = host_sockets(host)
        ins, outs = set(), set()
        with contextlib.suppress(OSError):
            for _, to in descriptors(pid):
                s = found.get(int(to[8:-1])) if to.startswith("socket:[") else None
                if s:
                    opened, flow = self.orient(s, listening)
                    (outs if opened else ins).add(flow)
        return ins, outs


# ---- after the run: from pairs to the truth file


def outside_names(path, world):
    """Behind NAT: inner flow -> the same flow as others see it, found by the initial sequence number in the capture."""
    if not world.nat:
        return {}
    inner, outer = world.own_addresses("relay1")[0], world.address("relay1")
    found, _ = pcap.flows(path)
    by_isn = {}
    for text, f in found.items():
        if f["isn"] is not None and outer in pcap.flow_sides(text):
            by_isn.setdefault((f["isn"], f["first"] // 1000000), text)
            by_isn.setdefault((f["isn"], f["first"] // 1000000 + 1), text)
    return {t: by_isn[f["isn"], f["first"] // 1000000] for t, f in found.items()
            if inner in pcap.flow_sides(t) and (f["isn"], f["first"] // 1000000) in by_isn}


def pair_echoes(truth, files):
    """The in-legs of the sessions in ICMP: at each relay the one flow of the client that began when the session did."""
    for relay, out, client, since, until, job in truth.echoes:
        begun = [f for f, v in pcap.flows(files[relay])[0].items()
                 if f.startswith("icmp " + client) and since <= v["first"] <= until and min(v["packets"]) > 5]
        if len(begun) == 1:
            truth.pairs[relay, begun[0], out] = "ptunnel"
            truth.job_of[begun[0]] = job


def link_entry(truth, names, key, program):
    host, i, o = key
    job = truth.job_of.get(i) or truth.job_of.get(names.get(i))
    entry = {"relay": truth.world.address(host), "point": host, "in": names.get(i, i), "out": names.get(o, o),
             "kind": job.kind if job else program, "shape": "reverse" if program == "reverse" else "usual"}
    if i in names or o in names:
        entry["inside"] = {"relay": truth.world.own_addresses(host)[0], "in": i, "out": o}
    return entry


def chains(entries, attackers, victim):
    """All paths of links from a flow that touches an attacker to the victim's port 22, last hop first."""
    found, frontier = [], [[e] for e in entries if attackers & set(pcap.flow_sides(e["in"])[0::2])]
    for _ in range(8):
        longer = []
        for path in frontier:
            _, _, to, port = pcap.flow_sides(path[-1]["out"])
            if to == victim and port == 22:
                found.append(path[::-1])
            else:
                longer += [path + [e] for e in entries if e["in"] == path[-1]["out"]]
        frontier = longer
    return found


def aggregates(attacks):
    """Attacks of many short sessions: the legs of all of them between the same hosts and services, ephemeral port 0."""
    groups = {}
    for a in attacks:
        for h in a["hops"]:
            (i, _, relay_in, service), (relay_out, _, o, port) = pcap.flow_sides(h["in"]), pcap.flow_sides(h["out"])
            groups.setdefault((h["relay"], h["point"], pcap.flow_text(i, 0, relay_in, service), pcap.flow_text(relay_out, 0, o, port)), []).append(h)
    return [{"relay": r, "point": p, "in": i, "out": o, "members": len(m)} for (r, p, i, o), m in groups.items() if len(m) >= MANY]


def conclude(truth, run, files, clocks, report):
    """The truth file as a dictionary. `files`: point -> capture; `clocks`: point -> (offset, drift)."""
    world = truth.world
    names = outside_names(files["relay1"], world)
    pair_echoes(truth, files)
    entries = [link_entry(truth, names, k, v) for k, v in sorted(truth.pairs.items())]
    attackers = {a for h in HOSTS["att"] for a in world.own_addresses(h)}
    seen, _ = pcap.flows(files["victim"])
    attacks = []
    for path in chains(entries, attackers, world.address("victim")):
        flow = path[0]["out"]
        if flow not in seen:
            continue
        offset = clocks.get("victim", (0, 0))[0] * 1e6
        attacks.append({"flow": flow, "kind": path[-1]["kind"], "start": stamp(seen[flow]["first"] - offset),
                        "end": stamp(seen[flow]["last"] - offset), "hops": path})
    attacks.sort(key=lambda a: a["start"])
    used = {(h["in"], h["out"]) for a in attacks for h in a["hops"]}
    rewrites = [{"point": "relay1", "inside": i, "outside": o} for i, o in sorted(names.items())]
    points = {p: {"file": p + ".pcap", "networks": world.networks()[p],
                  "clock": dict(zip(("offset_s", "drift_ppm"), clocks.get(p, (0, 0)))), **report["captures"][p]} for p in files}
    return {"format": "weir-lab-truth-1", "run": run.name, "kind": run.kind, "seed": report["seed"],
            "start": report["start"], "end": report["end"], "attack": attacks[0]["flow"] if attacks else None,
            "attacks": attacks, "aggregates": aggregates(attacks), "links": [e for e in entries if (e["in"], e["out"]) not in used],
            "begun": sorted(f for f, job in truth.job_of.items() if job.kind == "console"),
            "rewrites": rewrites, "points": points, "bystanders": report["bystanders"], "failed": report["failed"],
            "load": report["load"]}


# ---- alerts as the victim's sensors would have written them

SIGNATURE = {"signature": "LAB interactive SSH session from a watched network", "signature_id": 2999001, "rev": 1,
             "gid": 1, "action": "allowed", "category": "Potential Corporate Privacy Violation", "severity": 1}


def micros(text):
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp() * 1e6)


def alert_times(attack, offset_s):
    """Two alerts: some seconds after the start and in the middle, by the victim's clock."""
    first, last = micros(attack["start"]), micros(attack["end"])
    shift = offset_s * 1e6
    return [first + (last - first) // 10 + shift, first + (last - first) // 2 + shift]


def write_eve(path, attacks, offset_s, rng):
    with open(path, "w") as f:
        for a in attacks:
            src, sport, dst, dport = pcap.flow_sides(a["flow"])
            flow_id = rng.getrandbits(50)
            for t in alert_times(a, offset_s):
                line = {"timestamp": stamp(t).replace("Z", "+0000"), "flow_id": flow_id, "in_iface": "wan",
                        "event_type": "alert", "src_ip": src, "src_port": sport, "dest_ip": dst, "dest_port": dport,
                        "proto": "TCP", "alert": SIGNATURE, "app_proto": "ssh"}
                f.write(json.dumps(line, separators=(",", ":")) + "\n")


def write_zeek(path, attacks, offset_s, rng):
    with open(path, "w") as f:
        for a in attacks:
            src, sport, dst, dport = pcap.flow_sides(a["flow"])
            uid = "C" + "".join(rng.choice("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(17))
            line = {"ts": round(alert_times(a, offset_s)[0] / 1e6, 6), "uid": uid, "id.orig_h": src, "id.orig_p": sport,
                    "id.resp_h": dst, "id.resp_p": dport, "proto": "tcp", "note": "SSH::Interesting_Hostname_Login",
                    "msg": "Interactive SSH session from a watched address", "src": src, "dst": dst, "p": dport,
                    "actions": ["Notice::ACTION_LOG"], "suppress_for": 3600.0}
            f.write(json.dumps(line, separators=(",", ":")) + "\n")

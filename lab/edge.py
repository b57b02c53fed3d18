"""The edge of an own network, and what is needed to see a block work there: networks, pings, captures, weir's programs.

      far       a1 198.51.100.7 (attacker)   c1 .. c4 198.18.10.0/24   relay1 203.0.113.10   relay2 198.18.2.10
                            |                          |                        |                    |
                            +---------~~~------------ core ---------------------+--------------------+
                                                       | wan
                                                       E --br0-- victim 192.0.2.10, web 192.0.2.80

      near      a1 198.51.100.7 (attacker)   c1 .. c4 198.18.10.0/24
                            |                          |
                            +---------~~~------------ core
                                                       | wan
             relay1 203.0.113.10, relay2 --br1-------- E --br0-- victim 192.0.2.10, web 192.0.2.80

E, the namespace gw-vic, is the edge router: here weir records, watches and blocks. In "far" only 192.0.2.0/24 is the own
network, so that the leg relay1 > victim is all that passes; in "near" the relays' networks are own too, and the attacker's leg
to a relay passes E on its way there. The rest is lab/topology.py.
"""
import asyncio
import collections
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time
from datetime import datetime

import pcap
import typist
from sessions import SSHD_CONFIG, Stage, end_tasks
from topology import HOSTS, NETS, World, inside, sysctl

EDGE = "gw-vic"
USED, RELAYS = ("att", "r1", "r2", "vic", "by"), ("r1", "r2")
ACCEPTED = r"Accepted publickey for \S+ from (?P<ip>[0-9a-fA-F.:]+) port (?P<port>\d+) ssh2: ED25519 %s"


class EdgeWorld(World):
    def __init__(self, near):
        super().__init__()
        self.near = near

    def build(self):
        super().build()
        with inside(EDGE):  # else what is dropped would be gone before a capture on the bridge sees it
            for family in ("iptables", "ip6tables"):
                sysctl("bridge/bridge-nf-call-" + family, 0)

    def plan_network(self, net):
        if net in USED and not (net in RELAYS and self.near):
            super().plan_network(net)
        if net == "vic" and self.near:
            self.do(EDGE, "link add br1 type bridge forward_delay 0", "link set br1 up")
            for relays in RELAYS:
                self.plan_behind_edge(relays)

    def plan_behind_edge(self, net):
        """A relay's network on the second bridge of E."""
        prefix = self.prefix(net)
        self.do("core", "route add %s0/24 via 198.18.0.%d" % (prefix, 4 * (NETS.index("vic") + 1) + 2))
        self.do(EDGE, "addr add %s1/24 dev br1" % prefix)
        for host in HOSTS[net]:
            self.cable(host, "eth0", EDGE, "p-" + host)
            self.do(EDGE, "link set p-%s master br1" % host)
            self.do(host, "addr add %s/24 dev eth0" % self.address(host), "route add default via %s1" % prefix)


# ---- sessions and their programs


class EdgeStage(Stage):
    """The hosts' services: sshd everywhere it is needed, on the victim with a sensor behind it."""

    def prepare_files(self):
        super().prepare_files()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stolen", "-f", self.scratch + "/stolen"], check=True)
        with open(self.scratch + "/keys.pub", "w") as f:
            for name in ("key", "stolen"):
                f.write(open("%s/%s.pub" % (self.scratch, name)).read())

    def fingerprint(self, name):
        text = subprocess.run(["ssh-keygen", "-l", "-f", "%s/%s.pub" % (self.scratch, name)], capture_output=True, text=True, check=True).stdout
        return text.split()[1]

    def config_of(self, host, more=""):
        path = "%s/sshd-%s.conf" % (self.scratch, host)
        with open(path, "w") as f:
            f.write(more)  # sshd takes the first word on a matter
            f.write(SSHD_CONFIG.format(scratch=self.scratch, host=host).replace("/key.pub", "/keys.pub"))
            f.write("ListenAddress %s\n" % self.world.own_addresses(host)[0])
        return path

    def sshd(self, host, stderr=None, more=""):
        return self.spawn(host, ["/usr/sbin/sshd", "-D", "-e", "-f", self.config_of(host, more)], stderr=stderr or self.log)

    def watched_sshd(self, host, pattern, more=""):
        """sshd with a sensor that reads what it says. Returns the paths of the alerts and of the log."""
        eve, log = self.scratch + "/eve.json", self.scratch + "/auth.log"
        for path in (eve, log):
            open(path, "a").close()
        address = self.world.own_addresses(host)[0]
        here = os.path.dirname(os.path.realpath(__file__))
        sensor = self.spawn(host, ["python3", here + "/sensor.py", address, eve, log, pattern], stdin=subprocess.PIPE)
        self.sshd(host, sensor.stdin, more)
        sensor.stdin.close()
        return eve, log


class Session:
    """Somebody at a terminal: from `client` by ssh to `hosts`, one inside the other. With `key` the last hop is asked for by it."""

    def __init__(self, stage, job, hosts, key=None):
        self.stage, self.job, self.hosts, self.key, self.task = stage, job, hosts, key, None

    async def log_in(self):
        s, job = self.stage, self.job
        self.terminal = s.terminal(job.client, s.ssh(job, self.hosts[0]), job)
        await self.prompt(self.hosts[0])
        for host in self.hosts[1:-1]:
            await self.terminal.play(typist.typed(job.rng, "ssh " + host))
            await self.prompt(host)
        if len(self.hosts) > 1:
            by = "-i %s " % self.key if self.key else ""
            await self.terminal.play([("key", 0.1, c.encode()) for c in "ssh %s%s\r" % (by, self.hosts[-1])])

    async def prompt(self, host, limit=30):
        if not await self.terminal.until_prompt(limit, host.encode()):
            raise RuntimeError("no prompt of %s: %r" % (host, self.terminal.tail[-200:]))

    def type_on(self, seconds=3600):
        """Works as a person does until it is ended."""
        async def work():
            await self.terminal.until_prompt(30, self.hosts[-1].encode())
            await self.terminal.play(typist.script(self.job.rng, seconds, self.job.user))
        self.task = asyncio.create_task(work())

    async def hammer(self, gap=0.005):
        """From now on a key every 5 ms, so that the moment at which a block begins is seen to within that."""
        await self.stop_typing()
        self.terminal.write(b"\x03\r")
        await asyncio.sleep(0.5)
        self.terminal.write(b"stty -echo; cat >/dev/null\r")

        async def keys():
            n = 0
            while not self.terminal.ended:
                n += 1
                self.terminal.write(b"\r" if n % 60 == 0 else b"x")
                await asyncio.sleep(gap)
        self.task = asyncio.create_task(keys())

    async def stop_typing(self):
        if self.task:
            await end_tasks([self.task], 1)
            self.task = None

    async def end(self):
        await self.stop_typing()
        await self.stage.hang_up(self.terminal)


class Knocks:
    """The judge tries the door: from `client` a new connection to the server's port is asked for, 20 times a second.

    They come from PORTS, which nothing else uses, and weir's recorder passes over those (UNRECORDED): weir could not tell them from
    bystanders' connections, and by itself it blocks nothing that hits those.
    """
    GAP = 0.05
    PORTS = range(20000, 30000)
    UNRECORDED = "not tcp portrange %d-%d" % (PORTS[0], PORTS[-1])
    used = 0

    def __init__(self, stage, client, server, port=22):
        self.stage, self.client, self.server, self.to, self.done = stage, client, server, (stage.world.address(server), port), []
        self.over = False
        self.task = asyncio.create_task(self.knock())

    @classmethod
    def next_port(cls):
        cls.used += 1
        return cls.PORTS[cls.used % len(cls.PORTS)]

    async def knock(self):
        loop = asyncio.get_running_loop()
        while not self.over:
            with inside(self.client):
                s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            s.setblocking(False)
            s.bind(("", self.next_port()))
            began = time.time()
            try:
                await asyncio.wait_for(loop.sock_connect(s, self.to), 4 * self.GAP)
                self.done.append((began, True))
            except (OSError, asyncio.TimeoutError):
                self.done.append((began, False))
            finally:
                s.close()
            await asyncio.sleep(max(0, began + self.GAP - time.time()))

    def passed(self, since):
        return [t for t, through in self.done if through and t >= since]

    def stopped(self, since):
        return [t for t, through in self.done if not through and t >= since]

    async def until_passed(self, since, limit):
        return await until(lambda: self.passed(since), limit, "a connection is let through") and self.passed(since)[0]

    async def end(self):
        self.over = True
        await self.task


# ---- bystanders whose every packet is counted


class Pings:
    """UDP: numbered packets from one host to another, 50 a second, each echoed. What was lost is counted at the end."""
    RATE = 50

    def __init__(self, stage, client, server, port, source=None):
        self.stage, self.client, self.server, self.port, self.source = stage, client, server, port, source
        self.sent, self.back, self.stopped = [], {}, False
        self.name = "udp %s > %s:%d" % (client, server, port)

    def endpoint(self, host, address, port):
        with inside(host):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind((address, port))
        return s

    async def start(self):
        world, loop = self.stage.world, asyncio.get_running_loop()
        self.there = self.endpoint(self.server, world.own_addresses(self.server)[0], self.port)
        self.here = self.endpoint(self.client, self.source or world.own_addresses(self.client)[0], 0)
        loop.add_reader(self.there, self.echo)
        loop.add_reader(self.here, self.take)
        self.task = asyncio.create_task(self.send((world.address(self.server), self.port)))

    def echo(self):
        for data, to in self.drain(self.there):
            self.there.sendto(data, to)

    def take(self):
        for data, _ in self.drain(self.here):
            self.back[struct.unpack("!I", data[:4])[0]] = time.time()

    def drain(self, s):
        while True:
            try:
                yield s.recvfrom(2048)
            except BlockingIOError:
                return

    async def send(self, to):
        due = asyncio.get_running_loop().time()
        while not self.stopped:
            self.here.sendto(struct.pack("!I", len(self.sent)) + b"p" * 60, to)
            self.sent.append(time.time())
            due += 1 / self.RATE
            await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))

    async def stop(self):
        self.stopped = True
        await self.task

    def lost(self):
        return [n for n in range(len(self.sent)) if n not in self.back]


class TcpPings(Pings):
    """The same on one connection: TCP sends again what was lost, so the connection has to stand, and every number to come back."""

    def __init__(self, stage, client, server, port, source=None):
        super().__init__(stage, client, server, port, source)
        self.name = "tcp %s > %s:%d" % (client, server, port)

    async def start(self):
        async def echo(reader, writer):
            with contextlib.suppress(asyncio.CancelledError, OSError):
                while data := await reader.read(4096):
                    writer.write(data)
            writer.close()
        stage, world = self.stage, self.stage.world
        await stage.serve(self.server, self.port, echo)
        self.reader, self.writer = await stage.connect(self.client, world.address(self.server), self.port, self.source)
        self.task = asyncio.gather(self.send(None), self.receive())

    async def send(self, _to):
        due = asyncio.get_running_loop().time()
        while not self.stopped:
            self.writer.write(struct.pack("!I", len(self.sent)) + b"p" * 60)
            self.sent.append(time.time())
            due += 1 / self.RATE
            await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))

    async def receive(self):
        while not self.stopped or len(self.back) < len(self.sent):
            try:
                data = await asyncio.wait_for(self.reader.readexactly(64), 3)
            except (asyncio.TimeoutError, asyncio.IncompleteReadError, OSError):
                if self.stopped:
                    return
                continue
            self.back[struct.unpack("!I", data[:4])[0]] = time.time()

    def sent_again(self):
        """Segments that this side sent more than once (struct tcp_info, tcpi_total_retrans)."""
        info = self.writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, 11, 192)
        return struct.unpack_from("I", info, 100)[0]


# ---- captures


class Tap:
    """tcpdump on one device of E. Packets are told apart by their bytes but for TTL and checksum, which a router changes."""

    def __init__(self, stage, device, out, what="tcp port 22"):
        self.device, self.path = device, "%s/%s.pcap" % (out, device)
        self.errors = open("%s/tcpdump-%s.txt" % (stage.scratch, device), "w+")
        self.process = stage.spawn(EDGE, ["tcpdump", "-i", device, "-n", "-U", "--immediate-mode", "-B", "16384", "-s", "200", "-Z", "root",
                                          "-w", self.path, what], stderr=self.errors)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    async def until_listening(self):
        for _ in range(2400):
            if "listening on" in self.said():
                return
            await asyncio.sleep(0.025)
        raise RuntimeError("tcpdump on %s does not listen: %s" % (self.device, self.said()))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        if "0 packets dropped by kernel" not in self.said():
            raise RuntimeError("tcpdump on %s lost packets: %s" % (self.device, self.said()))

    def packets(self, src, dst, sport=None, since=0):
        """[(time in s, identity, packet)] from src to dst."""
        found, link = [], None
        for r, d in pcap.records(self.path):
            if d is None:
                link = pcap.link_type(r)
                continue
            p = pcap.decode(link, d)
            when = r[0] + r[1] / 1e6
            if p and (p.src, p.dst) == (src, dst) and sport in (None, p.sport) and when >= since:
                b = bytearray(d[14:])
                b[8], b[10], b[11] = 0, 0, 0
                found.append((when, bytes(b), p))
        return found


def dropped(before, behind):
    """Of the packets seen before E those that were not seen behind it."""
    there = collections.Counter(key for _, key, _ in behind)
    lost = []
    for when, key, p in before:
        if there[key] > 0:
            there[key] -= 1
        else:
            lost.append((when, p))
    return lost


# ---- the kernel, asked by nft itself


def nft(stage, *args):
    return subprocess.run(stage.command(EDGE, ["nft", *args]), capture_output=True, text=True, check=True).stdout


def kernel_drops(stage):
    """Packets that elements and rules of the table have counted."""
    return sum(int(n) for n in re.findall(r"counter packets (\d+)", nft(stage, "list", "ruleset")))


# ---- weir on E


class Weir:
    def __init__(self, stage, program, where):
        self.stage, self.program, self.dir = stage, program, where
        self.running = {}
        self.said = []  # (time, what watch said)
        self.news = asyncio.Event()

    def configure(self, **keys):
        with open(self.dir + "/weir.conf", "w") as f:
            for k, v in keys.items():
                f.write("%s = %s\n" % (k, "{%s}" % ", ".join('"%s"' % x for x in v) if isinstance(v, list) else '"%s"' % v))

    async def run(self, *args, statuses=(0,)):
        """What a command answers as JSON documents; AssertionError with its words where it fails."""
        p = await asyncio.create_subprocess_exec(*self.stage.command(EDGE, [self.program, "-C", self.dir, "--json", *map(str, args)]),
                                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await asyncio.wait_for(p.communicate(), 60)
        if p.returncode not in statuses:
            raise AssertionError("weir %s: exit %d: %s" % (" ".join(map(str, args)), p.returncode, err.decode().strip()))
        return [json.loads(line) for line in out.decode().splitlines()]

    async def start(self, name, *args, until=None):
        """A long-lived command; with `until`, waits for these words on stderr."""
        path = "%s/%s.log" % (self.stage.scratch, name)
        log = open(path, "ab")
        begin = log.tell()
        self.running[name] = self.stage.spawn(EDGE, [self.program, "-C", self.dir, *args], stdout=subprocess.PIPE if name == "watch" else log,
                                              stderr=log)
        if name == "watch":
            os.set_blocking(self.running[name].stdout.fileno(), False)
            asyncio.get_running_loop().add_reader(self.running[name].stdout, self.hear, self.running[name].stdout, bytearray())
        for _ in range(2400):
            with open(path, errors="replace") as f:
                f.seek(begin)
                said = f.read()
            if until is None or until in said:
                return
            if self.running[name].poll() is not None:
                break
            await asyncio.sleep(0.025)
        raise AssertionError("weir %s did not start: %s" % (" ".join(args), said))

    def hear(self, stream, rest):
        data = stream.read()
        if not data:
            if data == b"":
                asyncio.get_running_loop().remove_reader(stream)
            return
        rest += data
        *lines, left = bytes(rest).split(b"\n")
        rest[:] = left
        for line in lines:
            self.said.append((time.time(), json.loads(line)))
            print("# watch: " + line.decode(errors="replace"), flush=True)
        self.news.set()

    async def event(self, kinds, since, limit, like=lambda e: True):
        """The first thing of these kinds that watch said after `since`, within `limit` seconds from now; None."""
        end = time.time() + limit
        while True:
            for when, what in self.said:
                if when >= since and what.get("event") in kinds and like(what):
                    return when, what
            left = end - time.time()
            if left <= 0:
                return None
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), left)
            except asyncio.TimeoutError:
                continue

    async def stop(self, name, how=signal.SIGTERM):
        p = self.running.pop(name)
        p.send_signal(how)
        for _ in range(1200):
            if p.poll() is not None:
                return p.returncode
            await asyncio.sleep(0.05)
        raise AssertionError("weir %s does not end" % name)

    async def orders(self):
        """The ledger's entries of orders, oldest first: (time in s, entry)."""
        entries = [x.get("entry", x) for x in await self.run("ledger", "list")]
        return [(seconds(x["at"]), x) for x in entries if isinstance(x, dict) and x.get("kind") == "order"]


def seconds(text):
    """RFC 3339 in UTC as seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00").replace("+0000", "+00:00")).timestamp()


async def until(what, limit, why, pause=0.05):
    """Seconds until what() is true; asked every `pause` seconds; AssertionError past the limit."""
    began = time.time()
    while not what():
        if time.time() - began > limit:
            raise AssertionError("not within %.0f s: %s" % (limit, why))
        await asyncio.sleep(pause)
    return time.time() - began

"""The small Internet of networks.py: a BIRD for each network, in a network namespace of its own, and a route collector.

Each BIRD writes its routes into its namespace's kernel, which forwards.  Policy is Gao's and Rexford's: a customer's route is
preferred to a peer's and that to a provider's (local preference 300, 200, 100), and own and customers' routes are told to all,
others to customers only.  A network can refuse prefixes: it takes them from nobody then.

    python3 lab/inet/inet.py DIR      (root) starts it, and leaves DIR/rib.mrt and DIR/as-rel.txt for weir map load
"""
import contextlib
import ctypes
import ipaddress
import json
import os
import pathlib
import select
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import networks  # noqa: E402
import private  # noqa: E402
from private import ip, wait_for  # noqa: E402

PATIENCE = 120  # seconds: no bar, only an end to waiting on a busy machine
PREFERENCE = {"customer": 300, "peer": 200, "provider": 100}
BACK = {"provider": "customer", "peer": "peer", "collector": "collected"}  # what a is to b
CLONE_NEWNET = 0x40000000
ECHO = 7007
IP_RECVERR, IPV6_RECVERR = 11, 25
SYSCTLS = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]

BIRD = """
log stderr all;
router id {router_id};
include "{refuse}";
protocol device {{ }}
protocol kernel kernel4 {{ ipv4 {{ import none; export where source = RTS_BGP; }}; }}
protocol kernel kernel6 {{ ipv6 {{ import none; export where source = RTS_BGP; }}; }}
protocol static own4 {{ ipv4; {own4} }}
protocol static own6 {{ ipv6; {own6} }}
"""
COLLECTOR = """
log stderr all;
router id 198.18.255.255;
protocol device { }
"""
SESSION = """
protocol bgp as{peer} {{
	local {here4} as {asn};
	neighbor {there4} as {peer};
	{passive}
	connect delay time 1; connect retry time 1; error wait time 1, 2;
	ipv4 {{ {policy4} }};
	ipv6 {{ {policy6} next hop address {here6}; }};
}}
"""


def namespace(asn):
    return f"as{asn}"


@contextlib.contextmanager
def inside(name):
    """What is opened in here belongs to that network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def go(fd):
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    home, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        go(there)
        yield
    finally:
        go(home)
        os.close(home)
        os.close(there)


class Link:
    """A veth pair: names of the devices and addresses at both ends."""
    def __init__(self, i, a, b, role):
        self.ends = (a, b)
        self.role = {a: role, b: BACK[role]}  # what the other one is
        self.device = {a: f"to{b}", b: f"to{a}"}
        v4, v6 = ipaddress.ip_address("198.18.0.0") + 2 * i, ipaddress.ip_address("2001:db8:ffff::") + 2 * i
        self.v4, self.v6 = {a: v4, b: v4 + 1}, {a: v6, b: v6 + 1}

    def other(self, asn):
        return self.ends[self.ends[0] == asn]


class Inet:
    def __init__(self, where):
        self.where = pathlib.Path(where)
        self.links = [Link(i, *row) for i, row in enumerate(networks.links())]
        self.members = [*networks.NETWORKS, networks.COLLECTOR]
        self.refused = {asn: [] for asn in networks.NETWORKS}
        self.running = {}
        self.channels = {}
        self.wire()
        for asn in self.members:
            self.configure(asn)
            self.start(asn)

    # ---- the wires ----

    def links_of(self, asn):
        return [link for link in self.links if asn in link.ends]

    def wire(self):
        ip("-batch", "-", lines=[f"netns add {namespace(asn)}" for asn in self.members])
        ip("-batch", "-", lines=[f"link add {link.device[a]} netns {namespace(a)} type veth "
                                 f"peer name {link.device[b]} netns {namespace(b)}"
                                 for link in self.links for a, b in [link.ends]])
        for asn in self.members:
            lines = ["link set lo up"]
            for link in self.links_of(asn):
                device = link.device[asn]
                lines += [f"addr add {link.v4[asn]}/31 dev {device}", f"addr add {link.v6[asn]}/127 dev {device} nodad",
                          f"link set {device} up"]
            for prefix in networks.PREFIXES.get(asn, []):
                lines.append(f"addr add {networks.address(prefix)}/{128 if ':' in prefix else 32} dev lo")
            ip("-n", namespace(asn), "-batch", "-", lines=lines)

    # ---- BIRD ----

    def path(self, asn, what):
        return self.where / f"{asn}.{what}"

    @staticmethod
    def control(asn):
        return f"/run/as{asn}.ctl"  # the private /run: a socket's name is short

    @staticmethod
    def sets(prefixes):
        """Two BIRD conditions: is net one of these IPv4, these IPv6 prefixes."""
        said = []
        for v6 in (False, True):
            of = [p for p in prefixes if (":" in p) == v6]
            said.append(f"net ~ [ {', '.join(of)} ]" if of else "false")
        return said

    def policy(self, asn, link, family):
        role, other = link.role[asn], link.other(asn)
        if role == "collected":
            return "import all; export none;"
        keep = self.sets(networks.only_to(asn, other))[family]
        told = "true" if role in ("customer", "collector") else f"(source = RTS_STATIC || bgp_local_pref = {PREFERENCE['customer']})"
        if role == "collector":
            return "import none; export all;"
        return (f"import filter {{ if refused{(4, 6)[family]}() then reject; bgp_local_pref = {PREFERENCE[role]}; accept; }}; "
                f"export where {told} && !({keep});")

    def session(self, asn, link):
        other = link.other(asn)
        return SESSION.format(asn=asn, peer=other, here4=link.v4[asn], there4=link.v4[other], here6=link.v6[asn],
                              passive="passive on;" if link.ends[1] == asn else "",
                              policy4=self.policy(asn, link, 0), policy6=self.policy(asn, link, 1))

    def configure(self, asn):
        if asn == networks.COLLECTOR:
            head = COLLECTOR
        else:
            self.write_refused(asn)
            own = [f"route {p} unreachable;" for p in networks.announced(asn)]
            head = BIRD.format(router_id=f"198.19.{networks.NUMBER[asn]}.1", refuse=self.path(asn, "refuse"),
                               own4=" ".join(r for r in own if ":" not in r), own6=" ".join(r for r in own if ":" in r))
        self.path(asn, "conf").write_text(head + "".join(self.session(asn, link) for link in self.links_of(asn)))

    def write_refused(self, asn):
        v4, v6 = self.sets(self.refused[asn])
        self.path(asn, "refuse").write_text(f"function refused4() {{ return {v4}; }}\nfunction refused6() {{ return {v6}; }}\n")

    def start(self, asn):
        forward = "; ".join(f"echo 1 >/proc/sys/net/{name}" for name in SYSCTLS)
        bird = f"exec bird -f -c {self.path(asn, 'conf')} -s {self.control(asn)} -P /run/as{asn}.pid"
        with open(self.path(asn, "log"), "ab") as out:
            self.running[asn] = subprocess.Popen(["ip", "netns", "exec", namespace(asn), "sh", "-c", f"{forward}; {bird}"],
                                                 stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def stop(self):
        for s in self.channels.values():
            s.close()
        for p in self.running.values():
            p.terminate()
        for p in self.running.values():
            p.wait(PATIENCE)

    def channel(self, asn):
        """The connection to that BIRD, as birdc has one; its greeting has been read."""
        if asn not in self.channels:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE)
            try:
                s.connect(self.control(asn))
            except OSError:
                s.close()
                raise
            self.answer(asn, s)
            self.channels[asn] = s
        return self.channels[asn]

    def answer(self, asn, s):
        said = b""
        while not (said.endswith(b"\n") and self.is_end(said.splitlines()[-1])):
            more = s.recv(65536)
            if not more:
                raise AssertionError(f"AS{asn}: BIRD ended: {self.path(asn, 'log').read_text()[-400:]}")
            said += more
        return said.decode()

    @staticmethod
    def is_end(line):
        return line[:4].isdigit() and line[4:5] == b" "

    def ask_all(self, members, command):
        """What birdc would print, with BIRD's reply codes, of each; all are asked at once, then heard."""
        for asn in members:
            self.channel(asn).sendall(command.encode() + b"\n")
        return {asn: self.answer(asn, self.channel(asn)) for asn in members}

    # ---- has it settled? ----

    def counters(self):
        """Of every session its state and the routes and messages it counted; None while a BIRD is not there yet."""
        try:
            answers = self.ask_all(self.members, "show protocols all")
        except (FileNotFoundError, ConnectionRefusedError):
            for asn, p in self.running.items():
                assert p.poll() is None, f"AS{asn}: BIRD ended: {self.path(asn, 'log').read_text()[-400:]}"
            return None
        return [line.strip() for text in answers.values() for line in text.splitlines()
                if any(word in line for word in ("BGP state:", "updates:", "withdraws:", "Routes:"))]

    def in_flight(self):
        """Is there a byte of a session that its receiver has not read, or not acknowledged?  Slow: the kernel looks through
        the sockets of all namespaces for each."""
        for p in self.running.values():
            for line in pathlib.Path(f"/proc/{p.pid}/net/tcp").read_text().splitlines()[1:]:
                field = line.split()
                if field[3] == "01" and field[4] != "00000000:00000000":
                    return True
        return False

    def still(self):
        """The counters, if all sessions stand and nothing has moved in between two readings."""
        before = self.counters()
        up = before and sum(line.endswith("Established") for line in before) == 2 * len(self.links)
        return before if up and self.counters() == before else None

    def settle(self):
        """Until all sessions stand and nothing moves: every BIRD has answered several times, each time after all the
        others had, no counter has changed, and no byte was under way in between."""
        def quiet():
            before = self.still()
            return before and not self.in_flight() and self.still() == before
        wait_for(quiet, PATIENCE, "routes that have settled")

    # ---- what one does with it ----

    def refuse(self, who, prefixes=()):
        """These networks take those prefixes from nobody; all others everything."""
        changed = []
        for asn in networks.NETWORKS:
            now = list(prefixes) if asn in who else []
            if self.refused[asn] != now:
                self.refused[asn] = now
                self.write_refused(asn)
                changed.append(asn)
        for asn, said in self.ask_all(changed, "configure").items():
            assert "0003 " in said or "0004 " in said, f"AS{asn}: {said}"
        if changed:
            self.settle()

    def dump(self, path):
        """The collector's table, both families, as an MRT file."""
        said = self.ask_all([networks.COLLECTOR], f'mrt dump table "master?" to "{path}"')
        assert os.path.exists(path), said

    # ---- what the kernel says ----

    @staticmethod
    def ip_begins(asn, *args):
        """`ip` inside that network; without -n, which would mount much for each."""
        with inside(namespace(asn)):
            return subprocess.Popen(["ip", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def routes(self):
        """By network, the prefixes for which its kernel has a route over another network."""
        asked = [(asn, self.ip_begins(asn, "-j", family, "route", "show", "table", "main"))
                 for asn in networks.NETWORKS for family in ("-4", "-6")]
        found = {asn: set() for asn in networks.NETWORKS}
        for asn, p in asked:
            out, err = p.communicate(timeout=PATIENCE)
            assert p.returncode == 0, err
            found[asn] |= {row["dst"] for row in json.loads(out or "[]") if "gateway" in row}
        return found

    def has_route(self, asn, address):
        p = self.ip_begins(asn, "route", "get", address)
        _, err = p.communicate(timeout=PATIENCE)
        assert p.returncode == 0 or "unreachable" in err, f"AS{asn}: {err}"
        return p.returncode == 0

    def answers(self, asn, prefix):
        """Does a datagram from that network come to the target's address in this prefix, and the answer back?"""
        v6 = ":" in prefix
        kind = socket.AF_INET6 if v6 else socket.AF_INET
        there = (networks.address(prefix), ECHO)
        with inside(namespace(networks.TARGET)):
            server = socket.socket(kind, socket.SOCK_DGRAM)
        with inside(namespace(asn)):
            client = socket.socket(kind, socket.SOCK_DGRAM)
        with server, client:
            server.bind(there)
            client.setsockopt(socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP, IPV6_RECVERR if v6 else IP_RECVERR, 1)
            client.bind((networks.address(networks.PREFIXES[asn][v6]), 0))
            try:
                client.connect(there)
                client.send(b"?")
                self.readable(server, client)
                _, back = server.recvfrom(16, socket.MSG_DONTWAIT)
                server.sendto(b"!", back)
                self.readable(client, server)
                return client.recv(16, socket.MSG_DONTWAIT) == b"!"
            except OSError:  # no route here, or a network on the way says that it has none
                return False

    @staticmethod
    def readable(*sockets):
        """Until one of them has a datagram or an error."""
        poll = select.poll()
        for s in sockets:
            poll.register(s, select.POLLIN)
        if not poll.poll(1000 * PATIENCE):
            raise AssertionError("neither the datagram nor an error came")


def main(where):
    private.enter()
    the = Inet(where)
    the.settle()
    the.dump(the.where / "rib.mrt")
    (the.where / "as-rel.txt").write_text(networks.relationships())
    the.stop()


if __name__ == "__main__":
    WHY_NOT = private.missing(["bird"]) or (None if len(sys.argv) == 2 and os.path.isdir(sys.argv[1]) else "takes a directory")
    sys.exit(f"inet.py: {WHY_NOT}" if WHY_NOT else main(os.path.abspath(sys.argv[1])))

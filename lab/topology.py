"""The laboratory's networks: namespaces, addresses, routes, bumps in the wire, address translation, mirror ports.

      attackers                                            bystanders             servers
      198.51.100.0/24                                      198.18.10.0/24         198.18.20.0/24
      a1 a2 asrv                                           c1 c2 c3 c4            s1 s2 s3 s4
          |                                                    |                      |
        gw-att ---~~~----------------\                 /-----~~~---- gw-by          gw-srv
                                      \               /                              |
                                       +---- core ---+---------------~~~-------------+
                                      /   /      \    \
              /----------------------/   /        \    \-----~~~-------\
          gw-r1 [point relay1]     gw-r2 [relay2]   gw-r3 [relay3]   gw-vic [point victim]
             |                        |                |                |
          relay1                   relay2            relay3          victim web
          203.0.113.0/24           198.18.2.0/24     198.18.3.0/24   192.0.2.0/24

One path from any network to any other: host - gateway - core - gateway - host. `~~~` is a bump in the wire (lab/forwarder.c)
that gives the path its delay; a run may put one in front of a relay too, which is then the relay's forwarding delay.
`[point]` is an observation point: a capture on the gateway's outer interface. With NAT, relay1 lives in 198.19.1.0/24 and
gw-r1 translates 203.0.113.10 to it and back. In IPv6 the n-th network is 2001:db8:n::/64 with the same host numbers.

Everything is made inside a private mount, network and process namespace of the run (lab/lab), so names never collide with
those of another run, there is no way out to a real network, and all of it is gone when the run's first process is gone.
"""

import array
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

HOSTS = {
    "att": {"a1": 7, "a2": 8, "asrv": 9},
    "r1": {"relay1": 10},
    "r2": {"relay2": 10},
    "r3": {"relay3": 10},
    "vic": {"victim": 10, "web": 80},
    "by": {"c1": 11, "c2": 21, "c3": 31, "c4": 41},
    "srv": {"s1": 11, "s2": 12, "s3": 13, "s4": 14},
}
PREFIX4 = {"att": "198.51.100.", "r1": "203.0.113.", "r2": "198.18.2.", "r3": "198.18.3.", "vic": "192.0.2.",
           "by": "198.18.10.", "srv": "198.18.20."}
NETS = list(HOSTS)
NAT_INSIDE = "198.19.1."
POINT_NET = {"victim": "vic", "relay1": "r1", "relay2": "r2", "relay3": "r3"}
WAN_DELAY = {"att": (20000, 1500), "by": (9000, 1000), "srv": (6000, 500), "vic": (4000, 500)}  # microseconds each way
CLIENT_ALIASES = 8  # a client host of the bystanders owns this many addresses
LIBC = ctypes.CDLL(None, use_errno=True)
OUR_NAMESPACE = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def inside(name):
    """Runs the block in namespace `name`: a socket made there stays there."""
    fd = os.open("/run/netns/" + name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if LIBC.setns(fd, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns " + name)
        yield
    finally:
        LIBC.setns(OUR_NAMESPACE, 0x40000000)
        os.close(fd)


def batch(lines, *ip_options):
    subprocess.run(["ip", *ip_options, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def sysctl(path, value):
    with contextlib.suppress(FileNotFoundError), open("/proc/sys/net/" + path, "w") as f:
        f.write(str(value))


def offloads_off(device):
    """One packet on the wire is one frame of at most the MTU, with a checksum that is right."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in (0x17, 0x1F, 0x24, 0x2C):  # ETHTOOL_STXCSUM, _STSO, _SGSO, _SGRO
            order = array.array("B", struct.pack("II", command, 0))
            with contextlib.suppress(OSError):
                fcntl.ioctl(s, 0x8946, struct.pack("16sP", device.encode(), order.buffer_info()[0]))


class World:
    """All networks of one run. Addresses are asked for by host name; `build` makes everything."""

    def __init__(self, ipv6=False, nat=False, relay_bumps=None):
        self.ipv6, self.nat, self.relay_bumps = ipv6, nat, relay_bumps or {}
        self.net_of = {h: n for n, hosts in HOSTS.items() for h in hosts}
        self.setup = {}   # namespace -> ip commands
        self.devices = {}  # namespace -> its veth names
        self.bumps = []   # (namespace, delay, jitter) that want a forwarder
        self.links = []

    def prefix(self, net):
        if self.ipv6:
            return "2001:db8:%d::" % (NETS.index(net) + 1)
        return PREFIX4[net]

    def address(self, host, number=None):
        """What others type to reach the host; behind NAT that is the gateway's outer address."""
        net = self.net_of[host]
        return self.prefix(net) + str(HOSTS[net][host] if number is None else number)

    def inner_prefix(self, net):
        return NAT_INSIDE if self.nat and net == "r1" else self.prefix(net)

    def own_addresses(self, host):
        """The addresses that the host itself carries."""
        net, first = self.net_of[host], HOSTS[self.net_of[host]][host]
        count = CLIENT_ALIASES if net == "by" else 1
        return [self.inner_prefix(net) + str(first + i) for i in range(count)]

    def networks(self):
        """The networks seen at each observation point, outer name first."""
        length = "/64" if self.ipv6 else "/24"
        whole = lambda p: p + ("0" if not self.ipv6 else "") + length
        return {p: [whole(x) for x in dict.fromkeys([self.prefix(n), self.inner_prefix(n)])] for p, n in POINT_NET.items()}

    # ---- making it

    def do(self, namespace, *commands):
        self.setup.setdefault(namespace, []).extend(commands)

    def cable(self, a, a_dev, b, b_dev, bump=None):
        """A veth pair, or two of them with a forwarder's namespace between."""
        ends = [(a, a_dev, b, b_dev)]
        if bump:
            wire = "wire-" + (b if a == "core" else a)
            ends = [(a, a_dev, wire, "x"), (wire, "y", b, b_dev)]
            self.bumps.append((wire, *bump))
        for one, one_dev, two, two_dev in ends:
            self.links.append("link add %s netns %s type veth peer name %s netns %s" % (one_dev, one, two_dev, two))
            for namespace, device in ((one, one_dev), (two, two_dev)):
                self.do(namespace, "link set %s up" % device)
                self.devices.setdefault(namespace, []).append(device)

    def plan_network(self, net):
        gw, index, v6 = "gw-" + net, NETS.index(net) + 1, self.ipv6
        up, down = ("2001:db8:ff%02x::1" % index, "2001:db8:ff%02x::2" % index) if v6 else (
            "198.18.0.%d" % (4 * index + 1), "198.18.0.%d" % (4 * index + 2))
        length, link = (64, 64) if v6 else (24, 30)
        flag = " nodad" if v6 else ""
        self.cable("core", net, gw, "wan", WAN_DELAY.get(net))
        self.do("core", "addr add %s/%d dev %s%s" % (up, link, net, flag),
                "route add %s via %s" % (self.prefix(net) + ("/64" if v6 else "0/24"), down))
        self.do(gw, "link add br0 type bridge forward_delay 0", "link set br0 up",
                "addr add %s1/%d dev br0%s" % (self.inner_prefix(net), length, flag),
                "addr add %s/%d dev wan%s" % (down, link, flag), "route add default via " + up)
        if self.nat and net == "r1":
            self.do(gw, "addr add %s/32 dev lo" % self.address("relay1"))
        for host in HOSTS[net]:
            self.cable(host, "eth0", gw, "p-" + host, self.relay_bumps.get(host))
            self.do(gw, "link set p-%s master br0" % host)
            for a in self.own_addresses(host):
                self.do(host, "addr add %s/%d dev eth0%s" % (a, length, flag))
            self.do(host, "route add default via %s1" % self.inner_prefix(net))

    def build(self):
        for net in NETS:
            self.plan_network(net)
        sysctl("ipv4/tcp_child_ehash_entries", 1024)  # small tables of their own: to list a host's sockets is then quick
        batch(["netns add " + n for n in self.setup])
        for n in self.setup:
            with inside(n):
                self.tune(router=n == "core" or n.startswith("gw-"))
        batch(self.links)
        for n, commands in self.setup.items():
            batch(["link set lo up"] + commands, "-n", n)
            with inside(n):
                for device in self.devices[n] + ["br0"]:
                    offloads_off(device)
        if self.nat:
            self.translate()

    def tune(self, router):
        for which in ("all", "default"):
            sysctl("ipv6/conf/%s/disable_ipv6" % which, 0 if self.ipv6 else 1)
            sysctl("ipv6/conf/%s/accept_ra" % which, 0)
            sysctl("ipv4/conf/%s/rp_filter" % which, 0)
        if router:
            sysctl("ipv4/ip_forward", 1)
            sysctl("ipv6/conf/all/forwarding", 1)

    def nft(self, namespace, text):
        subprocess.run(["nsenter", "--net=/run/netns/" + namespace, "nft", "-f", "-"], input=text, text=True, check=True)

    def translate(self):
        """relay1 behind NAT: its services are let in by port, its own flows leave with another port."""
        self.nft("gw-r1", """table ip nat {
            chain pre { type nat hook prerouting priority -100; iifname "wan" ip daddr %s tcp dport 1-19999 dnat to %s; }
            chain post { type nat hook postrouting priority 100;
                oifname "wan" ip saddr %s0/24 ip protocol tcp snat to %s:20000-32000 fully-random; }
        }""" % (self.address("relay1"), self.own_addresses("relay1")[0], NAT_INSIDE, self.address("relay1")))

    def mirror(self, gw):
        """A mirror port that copies both directions of both interfaces: every forwarded packet comes out of it twice.

        What enters and what leaves is copied, so the second copy has a lower TTL and other MAC addresses; traffic of the
        server port 80 is copied once more as it entered, which is the exact duplicate that a second mirror session gives."""
        batch(["link add mir type veth peer name mirx", "link set mir up", "link set mirx up"], "-n", gw)
        rules = []
        for device in ("wan", "br0"):
            for hook in ("ingress", "egress"):
                twice = 'tcp sport 80 dup to "mir";' if hook == "ingress" else ""
                rules.append('chain %s_%s { type filter hook %s device "%s" priority 0; %s dup to "mir"; }'
                             % (hook, device, hook, device, twice))
        self.nft(gw, "table netdev mirror {\n%s\n}" % "\n".join(rules))
        return "mirx"

"""The runs that exist: what the attack is, what lies in its way, who else uses the relays meanwhile.

A run is its name, its kind of attack and its seed. The seed decides every key, pause, size, address and start; what the
kernel and the real programs add (ports, scheduling) differs from time to time, as it does in life.
"""

import random
from dataclasses import dataclass, field

from sessions import SERVERS, Job
from topology import CLIENT_ALIASES, HOSTS, World

# kind of session, how many of them run through the same relays as the attack, all at the same time
BYSTANDERS = [("jump", 8), ("nested", 4), ("socat", 6), ("microsocks", 5), ("microsocksweb", 5), ("socks", 3), ("copy", 2),
              ("login", 8), ("idle", 3), ("beacon", 6), ("web", 4)]
FROM_RELAY = ("beacon", "web", "console")  # these begin at the relay itself
ATTACKS = ["nested", "jump", "socks", "reverse", "socat", "microsocks"]


@dataclass
class Run:
    name: str
    kind: str
    about: str
    relays: list = field(default_factory=lambda: ["relay1"])
    seconds: float = 110.0
    ipv6: bool = False
    nat: bool = False
    mirror: list = field(default_factory=list)      # points whose capture is a mirror port with duplicates
    relay_bumps: dict = field(default_factory=dict)  # relay -> (delay, jitter) in microseconds and the forwarder's options
    clocks: dict = field(default_factory=dict)       # point -> (offset in seconds, drift in ppm)
    snap: int = 0
    zeek: bool = False
    beside: list = field(default_factory=list)  # (kind, how many): sessions that only this run has, over the attack's relays
    usual: float = 1.0  # share of the usual bystanders
    settle: float = 20.0  # the bystanders' starts are spread over so many seconds, then the attack comes
    mixed: bool = False  # sessions and attacks of all kinds come and go until the time is over

    def points(self):
        return ["victim", "relay1", "relay2", "relay3"]

    def world(self):
        return World(self.ipv6, self.nat, self.relay_bumps)


THREE = ["relay1", "relay2", "relay3"]
RUNS = {r.name: r for r in [
    Run("nested", "nested", "ssh typed inside an ssh", zeek=True),
    Run("jump", "jump", "ssh -J"),
    Run("socks", "socks", "ssh -D with a SOCKS client, a browser in the same tunnel"),
    Run("reverse", "reverse", "ssh -R: the relay opens both legs"),
    Run("socat", "socat", "a port forwarded by socat"),
    Run("microsocks", "microsocks", "ssh through a SOCKS server"),
    Run("chain3", "nested", "three relays in three networks, every leg recorded", relays=THREE),
    Run("hidden", "hidden", "keystrokes hidden as OpenSSH does from 9.5 on, for five minutes", seconds=300.0),
    Run("jitter", "nested", "the relay forwards 30 ms later, give or take 20", relay_bumps={"relay1": (15000, 10000)}),
    Run("ipv6", "nested", "everything over IPv6", ipv6=True),
    Run("nat", "nested", "the relay behind NAT, captured before and after translation", nat=True),
    Run("mirror", "jump", "a mirror port that delivers packets twice", mirror=["relay1", "victim"]),
    Run("clocks", "nested", "three relays, points whose clocks differ and drift", relays=THREE,
        clocks={"victim": (1.374, 35.0), "relay1": (-0.512, -80.0), "relay2": (0.871, 100.0), "relay3": (-0.611, -15.0)}),
    Run("short", "nested", "a session of some ten seconds", seconds=7.0),
    Run("connect", "connect", "ssh through tinyproxy, by HTTP CONNECT", beside=[("connect", 6)]),
    Run("stunnel", "stunnel", "ssh in TLS to the relay, by stunnel", beside=[("stunnel", 6)]),
    Run("haproxy", "haproxy", "a port forwarded by haproxy in TCP mode", beside=[("haproxy", 6)]),
    Run("openvpn", "openvpn", "OpenVPN over TCP to the relay, which translates", beside=[("openvpn", 3)]),
    Run("wireguard", "wireguard", "WireGuard in user space to the relay, which translates", beside=[("wireguard", 3)]),
    Run("iodine", "iodine", "a tunnel in DNS queries to the relay, which translates", beside=[("iodine", 2)]),
    Run("ptunnel", "ptunnel", "a tunnel in ICMP echoes to the relay", beside=[("ptunnel", 3)]),
    Run("jitter200", "nested", "what goes to the relay is held back U(0, 200 ms), in order", seconds=300.0,
        relay_bumps={"relay1": (100000, 100000, "back")}),
    Run("jitter200socat", "socat", "socat, and what goes to the relay is held back U(0, 200 ms)", seconds=300.0,
        relay_bumps={"relay1": (100000, 100000, "back")}),
    Run("batch", "nested", "what goes to the relay is let through each 100 ms", seconds=300.0, relay_bumps={"relay1": (0, 0, "back", "batch=100000")}),
    Run("chaff100", "chaff100", "chaff 100 %, forwarding U(0, 20 ms)", seconds=300.0, relay_bumps={"relay1": (10000, 10000, "back")}),
    Run("chaff300", "chaff300", "chaff 300 %, forwarding U(0, 20 ms)", seconds=300.0, relay_bumps={"relay1": (10000, 10000, "back")}),
    Run("jitterchaff", "chaff100", "chaff 100 %, forwarding U(0, 200 ms)", seconds=300.0, relay_bumps={"relay1": (100000, 100000, "back")}),
    Run("rare", "chaff50", "chaff 50 %, a fifth of the packets held back U(0, 1 s)", seconds=300.0,
        relay_bumps={"relay1": (0, 0, "back", "rare=20:1000000")}),
    Run("spray", "spray", "200 logins with guessed passwords through a SOCKS server"),
    Run("parallel", "jump", "beside the attack, pairs of flows of one curl", seconds=150.0, beside=[("parallel", 10)], usual=0.3),
    Run("pollers", "jump", "beside the attack, chronyd asks and answers", seconds=150.0, beside=[("poller", 1)], usual=0.8),
    Run("media", "jump", "beside the attack, media at a constant rate", seconds=150.0, beside=[("media", 6)], usual=0.8, snap=160),
    Run("bulk", "jump", "beside the attack, bulk transfers under one bottleneck", seconds=150.0, beside=[("bulk", 8)], usual=0.5, snap=160),
    Run("bastion", "nested", "a bastion with 200 unrelated sessions", seconds=150.0, beside=[("login", 100), ("console", 100)], usual=0.0,
        settle=60.0),
    Run("busyproxy", "haproxy", "a haproxy with the unrelated requests of 50 clients", seconds=150.0, beside=[("proxyweb", 50), ("haproxy", 4)],
        usual=0.3),
    Run("hour", "mixed", "one hour of everything, with NAT and mirror duplicates", relays=THREE, seconds=3600.0, nat=True,
        mirror=["relay2"], snap=160, mixed=True),
]}


def draw(seed, *what):
    """A random generator of its own for each thing that is decided, so that one more does not change the others."""
    return random.Random("/".join([str(seed), *map(str, what)]))


def attack_job(run, seed, kind, number=0, relays=None, seconds=None):
    rng = draw(seed, "attack", number)
    client = "asrv" if kind == "reverse" else ("a1" if number % 2 == 0 else "a2")
    return Job(kind, client, relays or run.relays, "victim", seconds or run.seconds, "x%d" % number, attack=True, rng=rng)


def bystander_job(world, seed, kind, relay, number, seconds):
    rng = draw(seed, "bystander", kind, relay, number)
    client = relay if kind in FROM_RELAY else rng.choice(list(HOSTS["by"]))
    source = "" if client == relay else world.own_addresses(client)[rng.randrange(CLIENT_ALIASES)]
    user = "%s%s-%d" % (kind[:4], relay[-1], number)
    return Job(kind, client, [relay], rng.choice(SERVERS), seconds, user, source=source, rng=rng)


def bystander_jobs(run, world, seed, seconds):
    """[(start, job)]: on each relay of the attack a full share, the first starts spread over some seconds."""
    jobs, rng = [], draw(seed, "starts")
    for relay in run.relays:
        share = 1.0 if len(run.relays) == 1 else 0.5
        for kind, count in BYSTANDERS:
            for n in range(max(1, round(count * share * run.usual)) if run.usual else 0):
                jobs.append((rng.uniform(0, run.settle), bystander_job(world, seed, kind, relay, n, seconds)))
        for kind, count in run.beside:
            for n in range(count):
                jobs.append((rng.uniform(0, run.settle), bystander_job(world, seed, kind, relay, n, seconds)))
    return jobs

"""Ways over a relay beyond OpenSSH's own: proxies (tinyproxy, stunnel, haproxy), and tunnels that carry packets or bytes in
something else (OpenVPN over TCP, WireGuard in user space over UDP, iodine in DNS queries, ptunnel-ng in ICMP echoes).

A proxy mixes all its clients in one process: sessions start one at a time and the new sockets are the pair (sessions.py,
`new_pair`).  A tunnel with a network device ends at the relay, which translates what comes out of it to its own address:
the in-leg is the socket that the client's tunnel program owns, the out-legs are what the relay's connection tracking says
became of the flows from the tunnel's inner address (truth.py).  ptunnel-ng opens the out-leg itself; its in-leg is the ICMP
flow that began at the client meanwhile, as captured.

A program that is missing, or a kernel that gives no tunnel device, raises Unavailable: the run is then skipped by name.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import time

import pcap
from topology import HOSTS, inside
from truth import port_of_process

SERVERS = list(HOSTS["srv"])
TINYPROXY_PORT, VPN_PORT, WG_PORT, DNS_PORT = 8888, 1194, 51820, 53
STUNNEL_PORTS = {h: 4401 + i for i, h in enumerate(["victim", *SERVERS])}
HAPROXY_PORTS = {h: 9001 + i for i, h in enumerate(["victim", *SERVERS])}
HAPROXY_WEB = 9080
INNER = {"openvpn": "198.19.49.", "wireguard": "198.19.51.", "iodine": "198.19.53."}
NEEDS = {"connect": ["tinyproxy"], "stunnel": ["stunnel4", "openssl"], "haproxy": ["haproxy"], "openvpn": ["openvpn", "openssl"],
         "wireguard": ["wireguard-go", "wg"], "iodine": ["iodine", "iodined"], "ptunnel": ["ptunnel-ng"],
         "proxyweb": ["haproxy"], "parallel": ["curl"], "poller": ["chronyd"], "bulk": ["tc"]}
TUNNELS = tuple(INNER)
CARRIERS = ("connect", "stunnel", "haproxy", "ptunnel", *TUNNELS)
OF = {"proxyweb": "haproxy"}  # kinds that use another's service
SIOCGIFADDR = 0x8915

TINYPROXY = """Port %d
Timeout 3600
MaxClients 200
LogLevel Error
LogFile "%s/tinyproxy-%s.log"
"""
STUNNEL = """foreground = yes
pid =
debug = 3
cert = {scratch}/tls.crt
key = {scratch}/tls.key
"""
HAPROXY = """global
  maxconn 1000
defaults
  timeout connect 10s
  timeout client 1h
  timeout server 1h
"""


class Unavailable(Exception):
    """This machine cannot carry this run; the text says what is missing."""


def unavailable(kinds):
    """What of the kinds' programs is not installed."""
    return [p for k in sorted(kinds) for p in NEEDS.get(k, []) if not shutil.which(p)]


class Carriers:
    """The part of a Stage that knows the carriers."""

    async def start_carriers(self, kinds, relays):
        """The services at the relays that sessions of these kinds need."""
        missing = unavailable(kinds)
        if missing:
            raise Unavailable("not installed: " + " ".join(missing))
        if {"stunnel", "openvpn"} & kinds:
            self.certificate()
        for relay in relays:
            for kind in sorted({OF.get(k, k) for k in kinds} & set(CARRIERS)):
                await getattr(self, "start_" + kind)(relay)
            if kinds & set(TUNNELS):
                self.translate_tunnels(relay)

    def certificate(self):
        """One certificate, signed by itself, for both ends of whatever speaks TLS here."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.scratch + "/tls.key", "-out", self.scratch + "/tls.crt", "-days", "2", "-subj", "/CN=lab",
                        "-addext", "basicConstraints=critical,CA:TRUE"], check=True, stderr=self.log)

    def written(self, name, text):
        path = "%s/%s" % (self.scratch, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    async def start_mixer(self, relay, program, argv, ports):
        """A proxy whose one process serves all its clients."""
        self.mixers[relay, program] = self.spawn(relay, argv).pid
        self.mixer_locks[relay, program] = asyncio.Lock()
        for port in ports:
            await self.until_listening(relay, port)

    # ---- proxies

    async def start_connect(self, relay):
        conf = self.written("tinyproxy-%s.conf" % relay, TINYPROXY % (TINYPROXY_PORT, self.scratch, relay))
        await self.start_mixer(relay, "tinyproxy", ["tinyproxy", "-d", "-c", conf], [TINYPROXY_PORT])

    async def start_stunnel(self, relay):
        text = STUNNEL.format(scratch=self.scratch)
        for host, port in STUNNEL_PORTS.items():
            text += "[%s]\naccept = %d\nconnect = %s:22\n" % (host, port, self.world.address(host))
        conf = self.written("stunnel-%s.conf" % relay, text)
        await self.start_mixer(relay, "stunnel", ["stunnel4", conf], STUNNEL_PORTS.values())

    async def start_haproxy(self, relay):
        """TCP mode for the ssh servers; HTTP mode in front of the web servers, each client with a server connection of its own."""
        text = HAPROXY
        for host, port in HAPROXY_PORTS.items():
            text += "listen %s\n  mode tcp\n  bind :%d\n  server s %s:22\n" % (host, port, self.world.address(host))
        text += "listen web\n  mode http\n  http-reuse never\n  option prefer-last-server\n  balance roundrobin\n  bind :%d\n" % HAPROXY_WEB
        for host in SERVERS:
            text += "  server %s %s:8080\n" % (host, self.world.address(host))
        conf = self.written("haproxy-%s.conf" % relay, text)
        await self.start_mixer(relay, "haproxy", ["haproxy", "-db", "-f", conf], [*HAPROXY_PORTS.values(), HAPROXY_WEB])

    async def by_mixer(self, job, program, argv):
        async with self.new_pair(job.relays[0], program):
            t = self.terminal(job.client, argv, job)
        await self.resume(job, t, [job.target])

    async def way_connect(self, job):
        proxy = "ProxyCommand=nc -X connect -x %s:%d %%h %%p" % (self.world.address(job.relays[0]), TINYPROXY_PORT)
        await self.by_mixer(job, "tinyproxy", ["ssh", "-F", self.scratch + "/home/.ssh/config", "-o", proxy, job.target])

    async def way_stunnel(self, job):
        proxy = "ProxyCommand=socat - OPENSSL:%s:%d,verify=0" % (self.world.address(job.relays[0]), STUNNEL_PORTS[job.target])
        await self.by_mixer(job, "stunnel", ["ssh", "-F", self.scratch + "/home/.ssh/config", "-o", proxy, job.target])

    async def way_haproxy(self, job):
        await self.by_mixer(job, "haproxy", self.ssh(job, "-p", str(HAPROXY_PORTS[job.target]), job.relays[0]))

    # ---- tunnels with a network device of their own

    def translate_tunnels(self, relay):
        """What comes out of a tunnel leaves the relay with the relay's address."""
        with inside(relay), open("/proc/sys/net/ipv4/ip_forward", "w") as f:
            f.write("1")
        self.world.nft(relay, """table ip tunnels {
            chain post { type nat hook postrouting priority 100; ip saddr 198.19.48.0/20 oifname "eth0" masquerade; }
        }""")

    def device_wanted(self, process, device):
        if process.poll() is not None:
            raise Unavailable("%s: ended with status %s (is /dev/net/tun usable?)" % (process.args[2], process.returncode))
        return device

    async def inner_address(self, host, process, device):
        """The address that the tunnel's device got; waits until it is up."""
        for _ in range(600):
            self.device_wanted(process, device)
            with contextlib.suppress(OSError), inside(host), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                return socket.inet_ntoa(fcntl.ioctl(s, SIOCGIFADDR, struct.pack("256s", device.encode()))[20:24])
            await asyncio.sleep(0.1)
        raise RuntimeError("%s: no address on %s" % (host, device))

    async def start_openvpn(self, relay):
        p = self.spawn(relay, ["openvpn", "--dev", "vpn" + relay[-1], "--dev-type", "tun", "--proto", "tcp-server", "--port", str(VPN_PORT),
                               "--server", INNER["openvpn"] + "0", "255.255.255.0", "--topology", "subnet", *self.vpn_keys(), "--dh", "none",
                               "--duplicate-cn", "--keepalive", "10", "60", "--verb", "1"], stdout=self.log)
        await self.inner_address(relay, p, "vpn" + relay[-1])
        await self.until_listening(relay, VPN_PORT)

    def vpn_keys(self):
        return [x for o, f in (("--ca", "tls.crt"), ("--cert", "tls.crt"), ("--key", "tls.key")) for x in (o, self.scratch + "/" + f)]

    def join_openvpn(self, job, device):
        return self.spawn(job.client, ["openvpn", "--client", "--dev", device, "--dev-type", "tun", "--proto", "tcp-client", "--remote",
                                       self.world.address(job.relays[0]), str(VPN_PORT), "--nobind", *self.vpn_keys(), "--verb", "1"],
                          stdout=self.log)

    def wg(self, host, *argv, text=None):
        with inside(host):
            return subprocess.run(["wg", *argv], input=text, capture_output=True, text=True, check=True).stdout.strip()

    def wg_device(self, host, device, address):
        """A device of wireguard-go, which forks away once it works, with a new key; gives the public key."""
        env = {**os.environ, "LOG_LEVEL": "error"}
        p = self.spawn(host, ["wireguard-go", "-f", device], env=env)
        for _ in range(200):
            self.device_wanted(p, device)
            if os.path.exists("/run/wireguard/%s.sock" % device):
                break
            time.sleep(0.02)
        private = self.wg(host, "genkey")
        self.wg(host, "set", device, "private-key", self.written(device + ".key", private))
        subprocess.run(["ip", "-n", host, "addr", "add", address, "dev", device], check=True)
        subprocess.run(["ip", "-n", host, "link", "set", device, "up", "mtu", "1420"], check=True)
        return p, self.wg(host, "pubkey", text=private)

    async def start_wireguard(self, relay):
        device = "wg" + relay[-1]
        self.wg_keys[relay] = self.wg_device(relay, device, INNER["wireguard"] + "1/24")[1]
        self.wg(relay, "set", device, "listen-port", str(WG_PORT))

    def join_wireguard(self, job, device):
        relay, inner = job.relays[0], INNER["wireguard"] + str(10 + self.tunnels)
        p, public = self.wg_device(job.client, device, inner + "/32")
        self.wg(relay, "set", "wg" + relay[-1], "peer", public, "allowed-ips", inner + "/32")
        self.wg(job.client, "set", device, "peer", self.wg_keys[relay], "endpoint", "%s:%d" % (self.world.address(relay), WG_PORT),
                "allowed-ips", "0.0.0.0/0", "persistent-keepalive", "25")
        return p

    async def start_iodine(self, relay):
        p = self.spawn(relay, ["iodined", "-f", "-c", "-P", "pw", "-d", "dns" + relay[-1], INNER["iodine"] + "1/24", "t.lab"])
        await self.inner_address(relay, p, "dns" + relay[-1])

    def join_iodine(self, job, device):
        return self.spawn(job.client, ["iodine", "-f", "-P", "pw", "-r", "-d", device, self.world.address(job.relays[0]), "t.lab"])

    async def way_tunnel(self, job):
        """Joins the relay's tunnel, then logs in to the target from the inner address; what leaves the relay is the relay's."""
        self.tunnels += 1
        device, table = "t%d" % self.tunnels, str(100 + self.tunnels)
        p = getattr(self, "join_" + job.kind)(job, device)
        self.truth.jobs[p.pid] = job
        inner = None
        try:
            inner = await self.inner_address(job.client, p, device)
            await asyncio.sleep(self.SETTLES.get(job.kind, 0))
            self.carry(job, p.pid, inner)
            for rule in (["rule", "add", "from", inner, "lookup", table], ["route", "add", "default", "dev", device, "table", table]):
                subprocess.run(["ip", "-n", job.client, *rule], check=True)
            await self.typed(job, ["ssh", "-F", self.scratch + "/home/.ssh/config", "-b", inner, job.target], [job.target])
        finally:
            if inner:
                subprocess.run(["ip", "-n", job.client, "rule", "del", "from", inner], check=False)
            await self.end(p)

    SETTLES = {"iodine": 12}  # it goes on to try fragment sizes after the device is up

    def carry(self, job, pid, inner):
        """Tells the truth which flow carries what comes from the inner address at the relay."""
        relay = job.relays[0]
        proto, port = {"openvpn": ("tcp", VPN_PORT), "wireguard": ("udp", WG_PORT), "iodine": ("udp", DNS_PORT)}[job.kind]
        own = port_of_process(job.client, pid, proto, port)
        flow = pcap.flow_text(self.world.own_addresses(job.client)[0], own, self.world.address(relay), port, proto)
        self.truth.carried[relay, inner] = (flow, job.kind)
        self.truth.job_of[flow] = job

    way_openvpn = way_wireguard = way_iodine = way_tunnel

    # ---- ICMP

    async def start_ptunnel(self, relay):
        self.mixers[relay, "ptunnel"] = self.spawn(relay, ["ptunnel-ng", "-v", "-1"]).pid
        self.mixer_locks[relay, "ptunnel"] = asyncio.Lock()
        await asyncio.sleep(0.5)

    async def way_ptunnel(self, job):
        """One client of ptunnel-ng a session; the ICMP flow that begins meanwhile at this client is the in-leg."""
        relay, port = job.relays[0], self.next_port()
        p = self.spawn(job.client, ["ptunnel-ng", "-p", self.world.address(relay), "-l", str(port),
                                    "-r" + self.world.address(job.target), "-R22", "-v", "-1"], stdout=self.log)
        self.truth.jobs[p.pid] = job
        try:
            await self.until_listening(job.client, port)
            began = time.time_ns() // 1000
            async with self.new_out(relay, "ptunnel") as got:
                t = self.terminal(job.client, self.ssh(job, "-p", str(port), "127.0.0.1")[:3] + ["-p", str(port), "127.0.0.1"], job)
            self.truth.echoes.append((relay, got[0], self.world.own_addresses(job.client)[0], began, time.time_ns() // 1000, job))
            await self.resume(job, t, [job.target])
        finally:
            await self.end(p)

    @contextlib.asynccontextmanager
    async def new_out(self, relay, program):
        """As new_pair(), where only the out-leg is a socket."""
        async with self.mixer_locks[relay, program]:
            pid, got = self.mixers[relay, program], []
            before = self.truth.through_process(relay, pid)[1]
            yield got
            for _ in range(600):
                outs = self.truth.through_process(relay, pid)[1] - before
                if len(outs) == 1:
                    got.append(outs.pop())
                    return
                await asyncio.sleep(0.03)
            raise RuntimeError("no new flow out of %s of %s: %s" % (program, relay, outs))

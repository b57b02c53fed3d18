"""Traffic at the relay that is no relaying: pairs of flows that a link test must not take for links.

Two flows of one curl --parallel session (each crosses the relay by a socat of its own, so that the true pairs are known and the
crossed ones are not links), chronyd that asks and answers, media at a constant rate, bulk transfers under one bottleneck, people
who log in to a bastion while others work from it, unrelated requests to a busy haproxy.
"""

import asyncio
import os
import subprocess
import sys

from carriers import HAPROXY_WEB
from topology import HOSTS

HERE = os.path.dirname(os.path.realpath(__file__))
SERVERS = list(HOSTS["srv"])
CURL_PORT, WEB_PORT, BULK_PORT, MEDIA_PORT = 7001, 8080, 5001, 20000
BOTTLENECK = "6mbit"
CHRONY = """pidfile {scratch}/chrony-{host}.pid
cmdport 0
bindcmdaddress /
local stratum 8
allow
"""


class Nulls:
    """The part of a Stage that talks beside the relayed sessions."""

    async def start_nulls(self, run):
        kinds = {run.kind, *(kind for kind, _ in run.beside)}
        if kinds & {"parallel", "proxyweb"}:
            for host in SERVERS:
                await self.serve(host, WEB_PORT, http_server)
        for relay in run.relays:
            if "parallel" in kinds:
                await self.curl_ports(relay)
            if "poller" in kinds:
                self.pollers(relay)
            if "bulk" in kinds:
                await self.bulk_services(relay)

    # ---- two flows of one session

    async def curl_ports(self, relay):
        for i, server in enumerate(SERVERS):
            to = "TCP4:%s:%d" % (self.world.address(server), WEB_PORT)
            self.spawn(relay, ["socat", "TCP4-LISTEN:%d,fork,reuseaddr" % (CURL_PORT + i), to])
            await self.until_listening(relay, CURL_PORT + i)

    async def way_parallel(self, job):
        """One curl with two transfers at a time, from two servers behind the relay; the next one when it is through."""
        end = asyncio.get_running_loop().time() + job.seconds
        while asyncio.get_running_loop().time() < end:
            two = job.rng.sample(range(len(SERVERS)), 2)
            text = "".join('url = "http://%s:%d/%d/%d"\noutput = "/dev/null"\n' % (
                self.world.address(job.relays[0]), CURL_PORT + two[n % 2], min(200000, 4000 * job.rng.lognormvariate(0, 1.2)),
                min(4000, 250 * job.rng.lognormvariate(0, 1.0))) for n in range(job.rng.randint(60, 160)))
            conf = self.written("curl-%s" % job.user, text)
            p = self.spawn(job.client, ["curl", "-s", "--parallel", "--parallel-immediate", "--parallel-max", "2", "--interface", job.source, "-K", conf])
            self.truth.jobs[p.pid] = job
            try:
                while p.poll() is None:
                    await asyncio.sleep(0.5)
            finally:
                await self.end(p)
            await asyncio.sleep(job.rng.uniform(0.2, 2))

    # ---- pollers

    def pollers(self, relay):
        """The relay asks all servers for the time, and the bystanders' hosts ask the relay; one flow each, every one or two seconds."""
        asks = {relay: SERVERS, **{c: [relay] for c in HOSTS["by"]}, **{s: [] for s in SERVERS}}
        for host, servers in asks.items():
            text = CHRONY.format(scratch=self.scratch, host=host) + ("acquisitionport 10123\n" if servers else "")
            text += "".join("server %s minpoll 0 maxpoll 1 iburst\n" % self.world.address(s) for s in servers)
            self.spawn(host, ["chronyd", "-x", "-d", "-u", "root", "-f", self.written("chrony-%s.conf" % host, text)], stdout=self.log)

    async def way_poller(self, job):
        """The daemons do it."""
        await asyncio.sleep(job.seconds)

    # ---- media

    async def way_media(self, job):
        """A call between a client and the relay, and another, unrelated one between the relay and a server."""
        relay, calls = job.relays[0], []
        for n, (one, two) in enumerate([(job.client, relay), (relay, job.target)]):
            port = MEDIA_PORT + 4 * int(job.user.rsplit("-", 1)[1]) + 2 * n
            for host, peer in ((one, two), (two, one)):
                calls.append(self.spawn(host, [sys.executable, HERE + "/media.py", str(port), self.world.address(peer), str(port),
                                               str(job.seconds), str(job.rng.getrandbits(30))]))
        try:
            await asyncio.sleep(job.seconds)
        finally:
            for p in calls:
                await self.end(p)

    # ---- bulk

    async def bulk_services(self, relay):
        """Both ways of the relay's line become narrow."""
        net = self.world.net_of[relay]
        for device in ("wan", "p-" + relay):
            subprocess.run(["tc", "-n", "gw-" + net, "qdisc", "add", "dev", device, "root", "tbf", "rate", BOTTLENECK, "burst", "16kb",
                            "latency", "120ms"], check=True)
        for host in [relay, *SERVERS]:
            await self.serve(host, BULK_PORT, bulk_server)

    async def way_bulk(self, job):
        """Downloads from the relay to a client, and others, unrelated, from a server to the relay, or both up."""
        up = job.rng.random() < 0.5
        legs = [(job.client, job.relays[0]), (job.relays[0], job.target)]
        tasks = [asyncio.create_task(self.bulk(job, a, b, up)) for a, b in legs]
        try:
            await asyncio.gather(*tasks)
        finally:
            for t in tasks:
                t.cancel()

    async def bulk(self, job, host, to, up):
        reader, writer = await self.connect(host, self.world.address(to), BULK_PORT)
        end = asyncio.get_running_loop().time() + job.seconds
        try:
            while asyncio.get_running_loop().time() < end:
                size = int(min(600000, 120000 * job.rng.lognormvariate(0, 0.8)))
                writer.write(b"%d %d\n" % (size if up else 0, 0 if up else size) + bytes(size if up else 0))
                await writer.drain()
                await asyncio.wait_for(reader.readexactly(1 if up else size), 60)
                await asyncio.sleep(min(10, 0.8 * job.rng.lognormvariate(0, 0.8)))
        finally:
            writer.close()

    # ---- a bastion, a proxy

    async def way_console(self, job):
        """Somebody who sits at the relay works on a server."""
        await self.typed(job, self.ssh(job, job.target), [job.target])

    async def way_proxyweb(self, job):
        """A client's requests through haproxy, which keeps a connection to one server for it."""
        relay = job.relays[0]
        async with self.new_pair(relay, "haproxy", job):
            reader, writer = await self.connect(job.client, self.world.address(relay), HAPROXY_WEB, job.source)
            await http_get(reader, writer, 1000, 0)
        end = asyncio.get_running_loop().time() + job.seconds
        try:
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(min(8, 0.7 * job.rng.lognormvariate(0, 1.0)))
                size, delay = min(60000, 3000 * job.rng.lognormvariate(0, 1.2)), min(900, 40 * job.rng.lognormvariate(0, 0.7))
                await http_get(reader, writer, size, delay)
        finally:
            writer.close()


async def http_get(reader, writer, size, delay_ms):
    writer.write(b"GET /%d/%d HTTP/1.1\r\nHost: lab\r\n\r\n" % (size, delay_ms))
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    await asyncio.wait_for(reader.readexactly(int(size)), 30)


async def http_server(reader, writer):
    """GET /SIZE/DELAY: so many bytes after so many milliseconds."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            _, size, delay = head.split()[1].split(b"/")
            await asyncio.sleep(int(delay) / 1000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % int(size) + os.urandom(int(size)))
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def bulk_server(reader, writer):
    """Lines "TAKE GIVE", behind each the bytes to take; gives as many as asked for, at least one."""
    try:
        while line := await reader.readline():
            take, give = map(int, line.split())
            await reader.readexactly(take)
            writer.write(bytes(max(1, give)))
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()

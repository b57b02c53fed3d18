"""What runs on the hosts: services, the kinds of sessions, and the bystanders' machines that talk without a person.

A session is real programs from end to end (OpenSSH, socat, microsocks, nc as the SOCKS client of ssh) and a typist. The same
functions make the attack and the bystanders' sessions; only who, where from and how long differ. Sockets of the laboratory
itself (web fetches, beacons, the hidden manner) are opened inside the host's namespace and served by the event loop.
"""

import asyncio
import contextlib
import os
import random
import socket
import subprocess
from dataclasses import dataclass, field

import typist
from carriers import Carriers
from hidden import HiddenManner
from nulls import Nulls
from topology import HOSTS, inside
from truth import host_sockets

SOCKS_PORT, SOCAT_VICTIM, HIDDEN_PORT = 1080, 8022, 2222
SERVERS = list(HOSTS["srv"])
GUESSES, GUESSERS, GUESS_PAUSE = 200, 4, 0.9  # a password spray: logins, so many at a time, median pause in seconds
SSHD_CONFIG = """Port 22
HostKey {scratch}/hostkey
AuthorizedKeysFile {scratch}/key.pub
PidFile none
UsePAM no
StrictModes no
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
AllowTcpForwarding yes
GatewayPorts clientspecified
MaxStartups 200
MaxSessions 50
PrintMotd no
PrintLastLog no
X11Forwarding no
SetEnv LAB_HOST={host} LAB_KEY={scratch}/key
Subsystem sftp /usr/lib/openssh/sftp-server
"""
SSH_CONFIG = """Host *
  IdentityFile {scratch}/key
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /dev/null
  LogLevel ERROR
  ConnectTimeout 15
  ControlMaster no
"""
HERE = os.path.dirname(os.path.realpath(__file__))
PROFILE = "chaff() { /usr/bin/python3 " + HERE + "/chaff.py \"$@\"; }\nPS1='$LAB_HOST:\\w# '; HISTFILE=; export PAGER=less LESS= EDITOR=vi; bind 'set enable-bracketed-paste off'\n"


async def end_tasks(tasks, patience=6):
    """More than once, since asyncio.wait_for may lose a cancellation that meets the awaited event (fixed in Python 3.12)."""
    for _ in range(20):
        for t in tasks:
            t.cancel()
        tasks = (await asyncio.wait(tasks, timeout=patience))[1] if tasks else []


@dataclass
class Job:
    """One session that is to be: who types what, over which way, to where."""
    kind: str
    client: str
    relays: list
    target: str
    seconds: float
    user: str
    attack: bool = False
    source: str = ""  # address of the client host to come from
    rng: random.Random = field(default_factory=random.Random)


class Stage(Carriers, Nulls):
    """The programs of one run. A session ends its own; the services end with the run's namespaces."""

    def __init__(self, world, truth, scratch, log):
        self.world, self.truth, self.scratch, self.log = world, truth, scratch, log
        self.servers, self.failed = [], []
        self.mixers, self.mixer_locks = {}, {}  # (relay, program) -> the process that mixes its clients; one starts at a time
        self.free_port, self.tunnels, self.wg_keys = 20000, 0, {}

    # ---- starting programs

    def command(self, host, argv):
        return ["nsenter", "--net=/run/netns/" + host, *argv]

    def spawn(self, host, argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", self.log)
        return subprocess.Popen(self.command(host, argv), start_new_session=True, **options)

    def terminal(self, host, argv, job):
        t = typist.Terminal(self.command(host, argv), {"HOME": self.scratch + "/home", "LAB_HOST": host})
        self.truth.jobs[t.process.pid] = job
        return t

    async def end(self, process):
        """Asks the program to end; past three seconds it is ended."""
        if process.poll() is None:
            process.terminate()
            for _ in range(60):
                if process.poll() is not None:
                    return
                await asyncio.sleep(0.05)
            process.kill()
            process.wait()

    async def hang_up(self, terminal):
        """Takes the terminal away, as a closed window does."""
        terminal.close()
        await self.end(terminal.process)
        self.truth.jobs.pop(terminal.process.pid, None)

    # ---- services

    def prepare_files(self):
        home = self.scratch + "/home/.ssh"
        os.makedirs(home, mode=0o700)
        for name in ("key", "hostkey"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", self.scratch + "/" + name], check=True)
        with open(home + "/config", "w") as f:
            f.write(SSH_CONFIG.format(scratch=self.scratch))
        for name in (".bash_profile", ".bashrc"):
            with open("%s/home/%s" % (self.scratch, name), "w") as f:
                f.write(PROFILE)

    def sshd(self, host, passwords="no"):
        path = "%s/sshd-%s.conf" % (self.scratch, host)
        with open(path, "w") as f:
            f.write(SSHD_CONFIG.format(scratch=self.scratch, host=host).replace("PasswordAuthentication no", "PasswordAuthentication " + passwords))
            f.write("ListenAddress %s\nListenAddress %s\n" % (self.world.own_addresses(host)[0], "127.0.0.1"))
        self.spawn(host, ["/usr/sbin/sshd", "-D", "-e", "-f", path])

    def socat(self, host, port, target):
        v6 = self.world.ipv6
        to = ("TCP6:[%s]:22" if v6 else "TCP4:%s:22") % self.world.address(target)
        self.spawn(host, ["socat", "TCP%d-LISTEN:%d,fork,reuseaddr" % (6 if v6 else 4, port), to])

    async def services(self, run):
        """Starts every service that the run needs and waits until each answers."""
        wait = []
        for host in [*HOSTS["r1"], *HOSTS["r2"], *HOSTS["r3"], "victim", "asrv", *SERVERS]:
            self.sshd(host, "yes" if run.kind == "spray" and host == "victim" else "no")
            wait.append((host, 22))
        for relay in ("relay1", "relay2", "relay3"):
            everywhere = "::" if self.world.ipv6 else "0.0.0.0"
            await self.start_mixer(relay, "microsocks", ["microsocks", "-i", everywhere, "-p", str(SOCKS_PORT)], [])
            self.socat(relay, SOCAT_VICTIM, "victim")
            wait += [(relay, SOCKS_PORT), (relay, SOCAT_VICTIM)]
            for i, server in enumerate(SERVERS):
                self.socat(relay, 8001 + i, server)
                wait.append((relay, 8001 + i))
        for host in ["web", *SERVERS]:
            await self.serve(host, 80, web_server)
            await self.serve(host, 443, beacon_server)
        for host, port in wait:
            await self.until_listening(host, port)
        await self.start_carriers({run.kind, *(kind for kind, _ in run.beside)}, run.relays)
        await self.start_nulls(run)

    async def until_listening(self, host, port):
        """Looks into the kernel's table: a trial connection would leave a flow that nobody meant."""
        for _ in range(600):
            if port in host_sockets(host)[1]:
                return
            await asyncio.sleep(0.05)
        raise RuntimeError("%s: nothing listens on port %d" % (host, port))

    def family(self, address):
        return socket.AF_INET6 if ":" in address else socket.AF_INET

    async def serve(self, host, port, handler, address=None):
        address = address or self.world.own_addresses(host)[0]
        with inside(host):
            s = socket.socket(self.family(address), socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not do it for a socket made like this
            s.bind((address, port))
        self.servers.append(await asyncio.start_server(handler, sock=s))

    async def connect(self, host, address, port, source=None):
        """(reader, writer) of a connection that leaves from `host`."""
        with inside(host):
            s = socket.socket(self.family(address), socket.SOCK_STREAM)
        s.setblocking(False)
        if source:
            s.bind((source, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(s, (address, port)), 15)
        except BaseException:
            s.close()
            raise
        return await asyncio.open_connection(sock=s)

    def next_port(self):
        self.free_port += 1
        return self.free_port

    # ---- the ways a session can go

    def ssh(self, job, *options):
        return ["ssh", "-F", self.scratch + "/home/.ssh/config", *(["-b", job.source] if job.source else []), *options]

    def ssh_by_socks(self, address, port, job):
        at = "[%s]" % address if ":" in address else address
        return ["ssh", "-F", self.scratch + "/home/.ssh/config", "-o", "ProxyCommand=nc -X 5 -x %s:%d %%h %%p" % (at, port), job.target]

    async def run(self, job):
        """Plays one session from login to logout; what did not work is noted, never raised."""
        way = getattr(self, "way_" + job.kind)
        try:
            return await way(job)
        except (OSError, RuntimeError, asyncio.TimeoutError, asyncio.IncompleteReadError) as e:
            self.failed.append("%s %s %s>%s: %s" % (job.kind, job.user, job.client, job.target, e or type(e).__name__))

    async def typed(self, job, argv, hosts, by="ssh"):
        """Logs in by `argv` to hosts[0], types `ssh` to each of the others, works there, leaves all of them."""
        t = self.terminal(job.client, argv, job)
        try:
            await self.work(job, t, hosts, by)
            for _ in hosts:
                await t.play(typist.typed(job.rng, "exit"))
                await t.until_prompt(1.0)
            await t.finish()
        finally:
            await self.hang_up(t)

    async def work(self, job, t, hosts, by="ssh"):
        for i, host in enumerate(hosts):
            if i > 0:
                await t.play([typist.think(job.rng)] + typist.typed(job.rng, by + " " + host))
            if not await t.until_prompt(30, host.encode()):
                raise RuntimeError("no prompt of %s: %r" % (host, t.tail[-120:]))
        await t.play(typist.script(job.rng, job.seconds, job.user))

    async def way_nested(self, job):
        hosts = [*job.relays, job.target]
        await self.typed(job, self.ssh(job, hosts[0]), hosts)

    async def way_chaff(self, job):
        """Nested, where the second ssh hides among chaff (chaff.py)."""
        hosts = [*job.relays, job.target]
        await self.typed(job, self.ssh(job, hosts[0]), hosts, "chaff %d" % int(job.kind[5:]))

    way_chaff50 = way_chaff100 = way_chaff300 = way_chaff

    async def way_login(self, job):
        await self.typed(job, self.ssh(job, job.relays[0]), [job.relays[0]])

    async def way_jump(self, job):
        # -b does not reach the jump host's own ssh, so the source address goes into its configuration
        proxy = " ".join(self.ssh(job, "-W", "[%h]:%p", job.relays[-1]))
        if len(job.relays) > 1:
            proxy = " ".join(self.ssh(job, "-J", ",".join(job.relays[:-1]), "-W", "[%h]:%p", job.relays[-1]))
        await self.typed(job, self.ssh(job, "-o", "ProxyCommand=" + proxy, job.target), [job.target])

    async def way_socks(self, job):
        """ssh -D to the relay; an ssh through it, and a browser through it at the same time."""
        port = self.next_port()
        tunnel = self.spawn(job.client, self.ssh(job, "-N", "-D", "127.0.0.1:%d" % port, job.relays[0]))
        self.truth.jobs[tunnel.pid] = job
        browser = None
        try:
            await self.until_listening(job.client, port)
            beside = Job(**{**vars(job), "rng": random.Random(job.rng.random())})
            browser = asyncio.create_task(self.browse(beside, SERVERS[beside.rng.randrange(4)], ("127.0.0.1", port)))
            await self.typed(job, self.ssh_by_socks("127.0.0.1", port, job), [job.target])
        finally:
            if browser:
                await end_tasks([browser])
            await self.end(tunnel)

    async def way_reverse(self, job):
        """The relay connects to the attacker's server and to the victim: both legs are its own."""
        port = self.next_port()
        tunnel = self.spawn(job.relays[0], self.ssh(job, "-N", "-o", "ExitOnForwardFailure=yes", "-R",
                                                     "127.0.0.1:%d:%s:22" % (port, job.target), job.client))
        self.truth.jobs[tunnel.pid] = job
        try:
            await self.until_listening(job.client, port)
            await self.typed(job, self.ssh(job, "-p", str(port), "127.0.0.1"), [job.target])
        finally:
            await self.end(tunnel)

    async def way_socat(self, job):
        port = SOCAT_VICTIM if job.target == "victim" else 8001 + SERVERS.index(job.target)
        await self.typed(job, self.ssh(job, "-p", str(port), job.relays[0]), [job.target])

    async def way_microsocks(self, job):
        relay = job.relays[0]
        async with self.new_pair(relay, "microsocks"):
            t = self.terminal(job.client, self.ssh_by_socks(self.world.address(relay), SOCKS_PORT, job), job)
        await self.resume(job, t, [job.target])

    async def way_spray(self, job):
        """Passwords are tried through microsocks: GUESSES logins, up to GUESSERS at a time, with pauses."""
        askpass = self.written("askpass", "#!/bin/sh\nhead -c 12 /dev/urandom | base64\n")
        os.chmod(askpass, 0o755)
        slots, tasks = asyncio.Semaphore(GUESSERS), []
        for _ in range(GUESSES):
            await slots.acquire()
            tasks.append(asyncio.create_task(self.guess(job, askpass, slots)))
            await asyncio.sleep(min(8, GUESS_PAUSE * job.rng.lognormvariate(0, 0.9)))
        await asyncio.gather(*tasks)

    async def guess(self, job, askpass, slots):
        """One login that fails after a password or two."""
        relay, env = job.relays[0], {**os.environ, "SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force"}
        argv = self.ssh_by_socks(self.world.address(relay), SOCKS_PORT, job)[:-1]
        argv += ["-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=%d" % job.rng.randint(1, 2)]
        argv.append(job.rng.choice(["root", "admin", "backup", "test", "oracle"]) + "@" + job.target)
        p = None
        try:
            async with self.new_pair(relay, "microsocks", job):
                p = self.spawn(job.client, argv, env=env)
                self.truth.jobs[p.pid] = job
            for _ in range(300):
                if p.poll() is not None:
                    break
                await asyncio.sleep(0.1)
        except RuntimeError as e:
            self.failed.append("%s %s: %s" % (job.kind, job.user, e))
        finally:
            slots.release()
            if p:
                await self.end(p)

    async def resume(self, job, t, hosts):
        try:
            await self.work(job, t, hosts)
            await t.play(typist.typed(job.rng, "exit"))
            await t.finish()
        finally:
            await self.hang_up(t)

    async def way_hidden(self, job):
        """Nested, with keystrokes hidden on the way to the first relay as OpenSSH does from 9.5 on."""
        manner = HiddenManner(self, job)
        await manner.open(HIDDEN_PORT, self.next_port())
        try:
            await self.typed(job, self.ssh(job, "-p", str(manner.local_port), "127.0.0.1"), [*job.relays, job.target])
        finally:
            manner.close()

    @contextlib.asynccontextmanager
    async def new_pair(self, relay, program, job=None):
        """Inside one process pairs cannot be told apart: one client starts at a time, and its new sockets are the pair."""
        async with self.mixer_locks[relay, program]:
            pid = self.mixers[relay, program]
            before = self.truth.through_process(relay, pid)
            yield
            for _ in range(600):
                now = self.truth.through_process(relay, pid)
                ins, outs = now[0] - before[0], now[1] - before[1]
                if len(ins) == 1 and len(outs) == 1:
                    if job:
                        self.truth.job_of.update(dict.fromkeys(ins, job))
                    self.truth.pairs[relay, ins.pop(), outs.pop()] = program
                    return
                await asyncio.sleep(0.03)
            raise RuntimeError("no new pair in %s of %s: %s %s" % (program, relay, ins, outs))

    # ---- machines that talk without a person

    async def browse(self, job, server, proxy=None):
        """A browser: a connection that is kept, requests of its own size after think times. Through SOCKS if `proxy`."""
        address, source = self.world.address(server), None if proxy and proxy[0] == "127.0.0.1" else job.source
        reader, writer = await self.connect(job.client, *(proxy or (address, 80)), source=source)
        try:
            if proxy:
                await socks_hello(reader, writer, address, 80)
            await self.fetch(job.rng, reader, writer, job.seconds)
        finally:
            writer.close()

    async def fetch(self, rng, reader, writer, seconds):
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            for _ in range(rng.randint(1, 4)):
                size = int(min(60000, 3000 * rng.lognormvariate(0, 1.2)))
                writer.write(b"GET /%d HTTP/1.1\r\nx: %s\r\n\r\n" % (size, b"a" * rng.randint(80, 500)))
                await asyncio.wait_for(reader.readexactly(size + 16), 30)
            await asyncio.sleep(min(30, 5 * rng.lognormvariate(0, 0.8)))

    async def way_web(self, job):
        await self.browse(job, job.target)

    async def way_microsocksweb(self, job):
        relay = job.relays[0]
        async with self.new_pair(relay, "microsocks"):
            reader, writer = await self.connect(job.client, self.world.address(relay), SOCKS_PORT, job.source)
            await socks_hello(reader, writer, self.world.address(job.target), 80)
        try:
            await self.fetch(job.rng, reader, writer, job.seconds)
        finally:
            writer.close()

    async def way_beacon(self, job):
        """Keep-alives from the relay to a server, every few seconds with a little jitter."""
        period, size = job.rng.choice([2, 5, 5, 10, 15]), job.rng.randint(40, 200)
        reader, writer = await self.connect(job.client, self.world.address(job.target), 443)
        try:
            for _ in range(int(job.seconds / period)):
                writer.write(b"b" * size + b"\n")
                await asyncio.wait_for(reader.readline(), 30)
                await asyncio.sleep(period + job.rng.uniform(-0.01, 0.01) * period)
        finally:
            writer.close()

    async def way_idle(self, job):
        """A login to the relay in which nobody types; only ssh's own keep-alives go."""
        alive = "ServerAliveInterval=%d" % job.rng.choice([3, 5, 10])
        t = self.terminal(job.client, self.ssh(job, "-o", alive, job.relays[0]), job)
        try:
            await t.until_prompt(30, job.relays[0].encode())
            await asyncio.sleep(job.seconds)
        finally:
            await self.hang_up(t)

    async def way_copy(self, job):
        """scp through a jump over the relay, again and again."""
        path = self.scratch + "/blob-" + job.user
        with open(path, "wb") as f:
            f.write(job.rng.randbytes(job.rng.randint(40000, 90000)))
        end = asyncio.get_running_loop().time() + job.seconds
        while asyncio.get_running_loop().time() < end:
            to = "%s:%s.copy" % (job.target, path)
            p = self.spawn(job.client, ["scp", "-q", *self.ssh(job)[1:3], "-J", job.relays[0], path, to])
            self.truth.jobs[p.pid] = job
            try:
                for _ in range(150):
                    if p.poll() is not None:
                        break
                    await asyncio.sleep(0.2)
                    self.truth.sample()  # a copy may be over before the watch comes by
            finally:
                await self.end(p)
            await asyncio.sleep(job.rng.uniform(10, 40))


async def socks_hello(reader, writer, address, port):
    v6 = ":" in address
    writer.write(b"\x05\x01\x00")
    if await asyncio.wait_for(reader.readexactly(2), 15) != b"\x05\x00":
        raise RuntimeError("SOCKS server refuses")
    packed = socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, address)
    writer.write(b"\x05\x01\x00" + (b"\x04" if v6 else b"\x01") + packed + port.to_bytes(2, "big"))
    answer = await asyncio.wait_for(reader.readexactly(4), 15)
    await asyncio.wait_for(reader.readexactly(18 if answer[3] == 4 else 6), 15)
    if answer[1] != 0:
        raise RuntimeError("SOCKS error %d" % answer[1])


async def web_server(reader, writer):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(random.lognormvariate(-3.5, 0.6))
            writer.write(b"HTTP/1.1 200 ok\n" + os.urandom(int(head.split()[1][1:])))
            await writer.drain()
    writer.close()


async def beacon_server(reader, writer):
    with contextlib.suppress(OSError):
        while await reader.readline():
            writer.write(b"ok" * 20 + b"\n")
    writer.close()

"""Three routers and ExaBGP, each in a network namespace of its own:

                 198.18.1.1 --- 198.18.1.2   bird    BIRD 2
    speaker      198.18.2.1 --- 198.18.2.2   frr     FRR's bgpd, without zebra
    (ExaBGP)     198.18.3.1 --- 198.18.3.2   gobgp   GoBGP

All of it lives in private mount, network and process namespaces with a /run of its own (enter()): nothing of it reaches a
real network, the daemons find no socket and no pid file of the machine's own, and when the first process ends, all is gone.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROUTERS = {"bird": 1, "frr": 2, "gobgp": 3}
NEEDED = ["unshare", "setpriv", "ip", "exabgp", "bird", "birdc", "vtysh", "gobgpd", "gobgp"]
BGPD = "/usr/lib/frr/bgpd"
INSIDE = "WEIR_BGP_LAB"


def missing():
    """What the lab lacks here, in words; None: nothing."""
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    for program in NEEDED:
        if not shutil.which(program):
            return f"{program} is not installed"
    if not os.access(BGPD, os.X_OK):
        return "FRR's bgpd is not installed"
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
        return "namespaces are not permitted here"
    return None


def enter():
    """Begins this program anew inside the private namespaces; returns there only."""
    if os.environ.get(INSIDE):
        subprocess.run(["mount", "-t", "tmpfs", "bgp", "/run"], check=True)
        return
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc",
                          sys.executable, *sys.argv])


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def wait_for(what, seconds, why):
    """Until what() is true; the seconds it took.  Asks 20 times a second."""
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {why}")
        time.sleep(0.05)
    return time.monotonic() - began


class Lab:
    def __init__(self, where):
        self.where = pathlib.Path(where)
        self.running = {}
        ip("netns", "add", "speaker")
        ip("-n", "speaker", "link", "set", "lo", "up")
        for name, n in ROUTERS.items():
            ip("netns", "add", name)
            ip("link", "add", f"to-{name}", "netns", "speaker", "type", "veth", "peer", "name", "wire", "netns", name)
            for netns, device, host in (("speaker", f"to-{name}", 1), (name, "wire", 2)):
                ip("-n", netns, "addr", "add", f"198.18.{n}.{host}/24", "dev", device)
                ip("-n", netns, "link", "set", device, "up")
            ip("-n", name, "link", "set", "lo", "up")
        os.mkdir("/run/frr")
        shutil.chown("/run/frr", "frr", "frr")
        os.mkdir("/run/exabgp")  # the two pipes of exabgpcli
        for pipe in ("in", "out"):
            os.mkfifo(f"/run/exabgp/exabgp.{pipe}")

    def log(self, name):
        return self.where / f"{name}.log"

    def spawn(self, name, netns, argv, env=None):
        with open(self.log(name), "ab") as out:
            self.running[name] = subprocess.Popen(["ip", "netns", "exec", netns, *argv], stdout=out, stderr=out,
                                                  stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})

    def start(self, name):
        argv = {
            "bird": ["bird", "-f", "-c", str(HERE / "bird.conf"), "-s", "/run/bird.ctl", "-P", "/run/bird.pid"],
            "frr": [BGPD, "-Z", "-n", "-f", str(HERE / "frr.conf"), "-i", "/run/frr/bgpd.pid", "--vty_socket", "/run/frr",
                    "--log", "stdout", "-A", "127.0.0.1"],
            "gobgp": ["gobgpd", "-f", str(HERE / "gobgp.toml"), "--api-hosts", "127.0.0.1:50051", "--pprof-disable", "-p"],
        }[name]
        self.spawn(name, name, argv)

    def start_exabgp(self, run, env=None):
        conf = self.where / "exabgp.conf"
        conf.write_text((HERE / "exabgp.conf").read_text().replace("@RUN@", run))
        self.spawn("exabgp", "speaker", ["exabgp", str(conf)], {
            "exabgp_daemon_user": "root", "exabgp_daemon_drop": "false", "exabgp_daemon_umask": "0077",
            "exabgp_api_chunk": "1000", "exabgp_log_level": "INFO",
            "exabgp_tcp_bind": "198.18.1.1 198.18.2.1 198.18.3.1", **(env or {})})

    def stop(self, name, how="terminate"):
        p = self.running.pop(name, None)
        if p:
            getattr(p, how)()
            p.wait(20)

    def ask(self, name, *argv):
        """What the router says."""
        return subprocess.run(["ip", "netns", "exec", name, *argv], capture_output=True, text=True, check=False, timeout=20).stdout

"""Three routers and ExaBGP, each in a network namespace of its own:

                 198.18.1.1 --- 198.18.1.2   bird    BIRD 2
    speaker      198.18.2.1 --- 198.18.2.2   frr     FRR's bgpd, without zebra
    (ExaBGP)     198.18.3.1 --- 198.18.3.2   gobgp   GoBGP

All of it lives in private namespaces (private.py).
"""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import private  # noqa: E402
from private import enter, ip, wait_for  # noqa: E402,F401

ROUTERS = {"bird": 1, "frr": 2, "gobgp": 3}
NEEDED = ["setpriv", "exabgp", "bird", "birdc", "vtysh", "gobgpd", "gobgp"]
BGPD = "/usr/lib/frr/bgpd"


def missing():
    """What the lab lacks here, in words; None: nothing."""
    return private.missing(NEEDED, [(BGPD, "FRR's bgpd")])


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

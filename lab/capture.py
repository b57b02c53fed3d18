"""One capture at an observation point: tcpdump on the gateway, begun and ended so that no packet is missing.

It has begun when tcpdump says so. It has ended when a marker packet, sent past the capture after the last session, is in the
file. What the kernel dropped is read from tcpdump's last words.
"""

import asyncio
import os
import signal
import socket

from topology import POINT_NET, inside

MARKER_PORT = 9  # discard


class Capture:
    """One tcpdump at an observation point."""

    def __init__(self, stage, run, point, out):
        self.stage, self.point, self.gw = stage, point, "gw-" + POINT_NET[point]
        self.path = "%s/%s.pcap" % (out, point)
        self.device = "wan"
        if run.nat and point == "relay1":
            self.device = "any"
        if point in run.mirror:
            self.device = stage.world.mirror(self.gw)
        self.errors = open("%s/tcpdump-%s.txt" % (stage.scratch, point), "w+")
        self.process = stage.spawn(self.gw, ["tcpdump", "-i", self.device, "-n", "-U", "-B", "32768", "-s", str(run.snap), "-Z", "root",
                                             "-w", self.path, "tcp or udp or icmp"], stderr=self.errors)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    async def until_listening(self):
        for _ in range(2400):
            if "listening on" in self.said():
                return
            await asyncio.sleep(0.025)
        raise RuntimeError("tcpdump at %s does not listen: %s" % (self.point, self.said()))

    async def stop(self):
        """Sends a marker packet past the capture, waits until it is in the file, then ends tcpdump."""
        mark = ("end of %s" % self.point).encode()
        with inside(self.gw), socket.socket(socket.AF_INET6 if self.stage.world.ipv6 else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(mark, (self.stage.world.own_addresses("a2")[0], MARKER_PORT))
        for _ in range(1200):
            if mark in tail(self.path, 8192):
                break
            await asyncio.sleep(0.05)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        counts = {w: int(line.split()[0]) for line in self.said().splitlines() for w in ("captured", "dropped by kernel")
                  if line.endswith(w) or "packets " + w in line}
        return {"packets": counts.get("captured", 0), "dropped": counts.get("dropped by kernel", 0), "device": self.device}


def tail(path, size):
    with open(path, "rb") as f:
        f.seek(max(0, os.path.getsize(path) - size))
        return f.read()

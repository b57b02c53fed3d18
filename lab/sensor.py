#!/usr/bin/env python3
"""A sensor at the attacked host: reads sshd's messages as they come, writes a Suricata EVE alert for each that matters.

    sshd -D -e ... 2>&1 | sensor.py ADDRESS EVE LOG PATTERN

ADDRESS is the host that sshd listens on (port 22), PATTERN a regular expression that finds the line to be alerted of, with
(?P<ip>..) and (?P<port>..). Every line goes on to LOG as it came, with the time in front as syslog writes it, for others who
read logs. An alert is one line, written at once.
"""
import json
import os
import re
import sys
import time


def stamp(now):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%06d+0000" % (now % 1 * 1e6)


def alert(now, found, address, number):
    return json.dumps({
        "timestamp": stamp(now), "flow_id": number, "in_iface": "eth0", "event_type": "alert", "src_ip": found["ip"],
        "src_port": int(found["port"]), "dest_ip": address, "dest_port": 22, "proto": "TCP", "app_proto": "ssh",
        "alert": {"signature": "LAB sshd saw what it should not", "signature_id": 2999002, "rev": 1, "gid": 1,
                  "action": "allowed", "category": "Misc Attack", "severity": 1}}, separators=(",", ":"))


def main():
    address, eve, log, pattern = sys.argv[1:5]
    wanted = re.compile(pattern)
    out = [os.open(p, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) for p in (eve, log)]
    for number, line in enumerate(sys.stdin.buffer, 1):
        now, text = time.time(), line.decode("utf-8", "replace").strip()
        os.write(out[1], ("%s host sshd[%d]: %s\n" % (time.strftime("%b %d %H:%M:%S", time.gmtime(now)), os.getpid(), text)).encode())
        found = wanted.search(text)
        if found:
            os.write(out[0], (alert(now, found, address, number) + "\n").encode())


main()

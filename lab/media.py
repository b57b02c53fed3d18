#!/usr/bin/env python3
"""One end of a call: RTP-like packets every 20 ms in talk spurts, to the peer; what comes from there is thrown away.

media.py PORT PEER PEER_PORT SECONDS SEED
"""

import random
import socket
import struct
import sys
import time

PERIOD, PAYLOAD = 0.020, 160


def main():
    port, peer, peer_port, seconds, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    rng = random.Random(seed)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    s.setblocking(False)
    due = time.monotonic() + rng.random()
    end, talking_until, number = due + seconds, 0.0, 0
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        if due > talking_until:
            due += min(6.0, rng.expovariate(1 / 1.3))  # silence, then a spurt
            talking_until = due + min(8.0, rng.expovariate(1 / 1.0))
            continue
        number += 1
        try:
            while True:
                s.recv(2048)
        except OSError:
            pass
        try:
            s.sendto(struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160 & 0xFFFFFFFF, seed) + bytes(PAYLOAD), (peer, peer_port))
        except OSError:
            pass
        due += PERIOD


main()

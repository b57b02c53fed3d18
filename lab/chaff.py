#!/usr/bin/env python3
"""An ssh that hides among chaff: chaff.py PERCENT HOST

A terminal on HOST as `ssh HOST` gives it, and beside what is typed SSH_MSG_IGNORE messages of a keystroke's size, which every
server must throw away (RFC 4253, 11.2): so many for each hundred packets with keys, at times that have nothing to do with those
(exponential pauses; the rate follows the mean rate of keys so far).
"""

import os
import random
import select
import socket
import sys
import termios
import threading
import time
import tty

import paramiko

LEAST_RATE = 1.5  # packets a second, assumed of the typist at first


class Chaff(threading.Thread):
    def __init__(self, transport, share):
        super().__init__(daemon=True)
        self.transport, self.share, self.keys, self.began = transport, share, 0, time.monotonic()

    def rate(self):
        return self.share * max(LEAST_RATE, self.keys / (time.monotonic() - self.began + 1))

    def run(self):
        while self.share > 0 and self.transport.is_active():
            time.sleep(min(5.0, random.expovariate(self.rate())))
            self.transport.send_ignore()


def work(channel, chaff):
    while True:
        ready = select.select([channel, sys.stdin], [], [])[0]
        if channel in ready:
            data = channel.recv(32768)
            if not data:
                return
            os.write(1, data)
        if sys.stdin in ready:
            data = os.read(0, 4096)
            if not data:
                return
            chaff.keys += 1
            channel.sendall(data)


def main():
    share, host = float(sys.argv[1]) / 100, sys.argv[2]
    s = socket.create_connection((host, 22), 15)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(s)
    transport.connect(username="root", pkey=paramiko.Ed25519Key.from_private_key_file(os.environ["LAB_KEY"]))
    channel = transport.open_session()
    channel.get_pty(os.environ.get("TERM", "xterm"), 120, 40)
    channel.invoke_shell()
    before = termios.tcgetattr(0)
    tty.setraw(0)
    chaff = Chaff(transport, share)
    chaff.start()
    try:
        work(channel, chaff)
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)
        transport.close()


main()

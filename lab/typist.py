"""A person at a terminal: a seeded script of keys and pauses, and the pty that it is played into.

`script` makes the same list of steps for the same random generator and length. A step is ("key", gap, bytes): wait so long,
then send; ("prompt", limit): wait until the shell shows its prompt, at most so long; ("think", seconds). Gaps between keys
are log-normal with a median of 0.13 s; think times between commands are log-normal with a median of some seconds. Now and
then a typing mistake is corrected, an editor is used, a long output comes, a file goes through the session.
"""

import asyncio
import base64
import contextlib
import fcntl
import os
import re
import struct
import subprocess
import termios

PROMPT = re.compile(rb"[a-z0-9]+:[^ \r\n]*# (\x1b\[[0-9;?]*[a-zA-Z])*$")
SHORT = ["ls", "ls -la", "pwd", "id", "uname -a", "date", "w", "uptime", "df -h", "free -m", "ls /etc", "env", "echo $PATH",
         "cat /etc/hostname", "ps", "mount | head -5", "cd /usr/share", "cd", "history | tail", "which python3 perl gcc",
         "stat /etc/passwd", "ls -l /usr/bin/ssh", "cat /etc/debian_version", "wc -l /etc/services", "cal", "jobs", "umask"]
LONG = ["ls -la /usr/bin | head -%d", "cat /etc/services | head -%d", "find /usr/share/doc -maxdepth 1 | head -%d",
        "grep -rn port /etc/ssh | head -%d", "ls -lR /etc | head -%d", "ps aux | head -%d", "od -x /bin/ls | head -%d"]


def key(rng, character, slow=1.0):
    return ("key", min(1.5, max(0.03, rng.lognormvariate(-2.04, 0.45) * slow)), character)


def typed(rng, text):
    """Keys of one line, with a mistake and its correction now and then, ended by Enter."""
    steps = []
    for c in text:
        if rng.random() < 0.015:
            steps += [key(rng, rng.choice("asdfjkl").encode()), key(rng, b"\x7f", 2.5)]
        steps.append(key(rng, c.encode()))
    return steps + [key(rng, b"\r", 1.8)]


def think(rng, median=2.5):
    return ("think", min(20.0, max(0.3, median * rng.lognormvariate(0, 0.7))))


def command(rng, text):
    return [think(rng)] + typed(rng, text) + [("prompt", 8.0)]


def with_vi(rng, user):
    steps = [think(rng)] + typed(rng, "vi notes-%s.txt" % user) + [("think", 1.2), key(rng, b"o")]
    for _ in range(rng.randint(1, 3)):
        words = " ".join(rng.choice(["host", "backup", "key", "todo", "check", "mail", "list"]) for _ in range(rng.randint(2, 6)))
        steps += typed(rng, words)
    return steps + [key(rng, b"\x1b"), think(rng, 0.8)] + typed(rng, ":wq") + [("prompt", 8.0)]


def with_ed(rng, user):
    steps = [think(rng)] + typed(rng, "ed -p: list-%s.txt" % user) + [("think", 0.8)] + typed(rng, "a")
    for _ in range(rng.randint(1, 4)):
        steps += typed(rng, "%d.%d.x" % (rng.randint(1, 99), rng.randint(1, 99)))
    return steps + typed(rng, ".") + typed(rng, "w") + typed(rng, "q") + [("prompt", 8.0)]


def with_pager(rng, _user):
    steps = [think(rng)] + typed(rng, "less /etc/services") + [("think", 1.0)]
    for _ in range(rng.randint(2, 6)):
        steps += [think(rng, 1.2), key(rng, b" ")]
    return steps + [think(rng, 0.6), key(rng, b"q"), ("prompt", 8.0)]


def with_upload(rng, user):
    """A file pasted through the terminal: one large burst from the client."""
    data = base64.encodebytes(rng.randbytes(rng.randint(600, 2200))).replace(b"\n", b"\r")
    steps = command(rng, "base64 -d > file-%s.bin" % user)[:-1] + [("think", 0.7), ("key", 0.3, data)]
    return steps + [think(rng, 0.7), key(rng, b"\x04"), ("prompt", 8.0)]


def with_download(rng, _user):
    return command(rng, "head -c %d /bin/bash | base64" % rng.randint(8000, 30000))


def with_recall(rng, _user):
    return [think(rng)] + [key(rng, b"\x1b[A", 2) for _ in range(rng.randint(1, 4))] + [key(rng, b"\x03"), ("prompt", 4.0)]


def brief(rng, _user):
    """A quick look around, without any of the long deeds."""
    return [think(rng, 0.6)] + command(rng, rng.choice(["w", "id", "ls", "pwd", "ps", "date", "df -h", "uname -a"]))[1:]


def one_deed(rng, user):
    roll = rng.random()
    if roll < 0.62:
        return command(rng, rng.choice(SHORT))
    if roll < 0.80:
        return command(rng, rng.choice(LONG) % rng.randint(20, 160))
    special = [with_vi, with_ed, with_pager, with_upload, with_download, with_recall]
    return rng.choice(special)(rng, user)


def length(steps):
    """How long the steps will take about, in seconds, without waiting for the other side."""
    return sum(s[1] if s[0] != "prompt" else 0.15 for s in steps)


def script(rng, seconds, user):
    """Deeds until the time is used up; the first ones always contain a long output, an editor and an upload."""
    steps, spent = [], 0.0
    opening = [with_vi, with_download, with_upload] if seconds > 60 else []
    for _ in range(10000):
        deed = opening.pop()(rng, user) if opening and rng.random() < 0.4 else (one_deed if seconds > 20 else brief)(rng, user)
        spent += length(deed)
        if spent > seconds:
            break
        steps += deed
    return steps


class Terminal:
    """A program on a pty of its own. Output is read and thrown away, but for the tail in which the prompt is looked for."""

    def __init__(self, argv, env=None):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(["setsid", "-c", *argv], stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                                        env={**os.environ, "TERM": "xterm", **(env or {})})
        os.close(slave)
        os.set_blocking(self.master, False)
        self.tail, self.ended, self.changed = b"", False, asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, self.read)

    def read(self):
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        self.tail = (self.tail + data)[-600:]
        self.changed.set()

    def write(self, data):
        if not self.ended:
            with contextlib.suppress(OSError):
                os.write(self.master, data)

    async def until_prompt(self, limit, host=b""):
        """True when the shell (of `host`, if given) shows its prompt within `limit` seconds."""
        end = asyncio.get_running_loop().time() + limit
        while not self.ended:
            if PROMPT.search(self.tail) and (not host or host + b":" in self.tail[-80:]):
                return True
            self.changed.clear()
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.changed.wait(), left)
        return False

    async def play(self, steps, until=float("inf")):
        """Types the steps; stops early when the clock of the event loop passes `until` or the program ends."""
        loop = asyncio.get_running_loop()
        for kind, value, *data in steps:
            if self.ended or loop.time() > until:
                return
            if kind == "prompt":
                await self.until_prompt(value)
                continue
            await asyncio.sleep(value)
            if kind == "key":
                if data[0] == b"\r":
                    self.tail = b""
                self.write(data[0])

    async def finish(self, limit=5.0):
        """Waits for the end of the program; past the limit it is ended."""
        for _ in range(int(limit * 20)):
            if self.process.poll() is not None:
                break
            await asyncio.sleep(0.05)
        else:
            self.process.kill()
            self.process.wait()
        self.close()

    def close(self):
        if not self.ended:
            self.ended = True
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)

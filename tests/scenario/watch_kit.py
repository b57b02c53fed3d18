"""A running `weir watch` for the tests: its lines are waited for, nothing else is."""
import atexit
import datetime
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import tap  # noqa: E402,F401

WEIR = pathlib.Path(sys.argv[1]).resolve()
TMP = pathlib.Path(tempfile.mkdtemp(prefix="weir-watch-"))
atexit.register(shutil.rmtree, TMP, ignore_errors=True)
PATIENCE = 120  # seconds that a line may take on a loaded machine; never waited for where it comes
NUMBER = iter(range(1 << 30))


def fresh(config='on_alert = "notify"\n'):
    """(DIR with this configuration, a folder for logs)"""
    where = TMP / f"w{next(NUMBER)}"
    (where / "dir").mkdir(parents=True)
    (where / "log").mkdir()
    (where / "dir" / "weir.conf").write_text(config)
    return where / "dir", where / "log" / "eve.json"


def weir(where, *args, status=0, lines=True):
    run = subprocess.run([WEIR, "-C", where, "--json", *map(str, args)], capture_output=True, text=True, check=False,
                         timeout=PATIENCE)
    assert run.returncode == status, f"{args}: exit {run.returncode}, not {status}: {run.stdout[-500:]} {run.stderr}"
    return [json.loads(x) for x in run.stdout.splitlines()] if lines else run.stderr


def alert(port, src="198.51.100.7", dst="192.0.2.10", second=0, text="sig", micro=None, when=None):
    """when: seconds since 1970, else a fixed time and so many seconds and microseconds."""
    micro = port if micro is None else micro
    time = f"2026-11-22T15:44:{second:02d}.{micro:06d}+0000" if when is None else \
        datetime.datetime.fromtimestamp(when, datetime.timezone.utc).isoformat()
    return json.dumps({
        "timestamp": time, "event_type": "alert", "src_ip": src, "src_port": port,
        "dest_ip": dst, "dest_port": 22, "proto": "TCP", "alert": {"signature": text}}) + "\n"


def put(path, text):
    with open(path, "a", encoding="utf-8") as f:
        f.write(text)


class Watch:
    """`weir watch` in the background; its events and messages come as they are said."""

    def __init__(self, where, path, *args, sensor="--eve"):
        self.run = subprocess.Popen([WEIR, "-C", where, "--json", "watch", sensor, path, *args], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        self.events, self.messages = queue.Queue(), queue.Queue()
        self.seen = []
        for stream, to, made in ((self.run.stdout, self.events, json.loads), (self.run.stderr, self.messages, str)):
            threading.Thread(target=self.pump, args=(stream, to, made), daemon=True).start()
        self.said("watching")

    @staticmethod
    def pump(stream, to, made):
        for line in stream:
            to.put(made(line))
        to.put(None)

    def next(self):
        event = self.events.get(timeout=PATIENCE)
        assert event is not None, f"weir ended: exit {self.run.wait()}: {list(self.messages.queue)}"
        self.seen.append(event)
        return event

    def until(self, name, flow=None):
        """The next event of this name (and flow); what comes before it is kept in seen."""
        while True:
            event = self.next()
            if event["event"] == name and (flow is None or flow in (event["flow"] or {}).get("flow", "")):
                return event

    def said(self, words):
        while True:
            line = self.messages.get(timeout=PATIENCE)
            assert line is not None, f"weir ended without saying {words!r}: exit {self.run.wait()}"
            if words in line:
                return line

    def reader(self):
        """The process that parses."""
        out = pathlib.Path(f"/proc/{self.run.pid}/task/{self.run.pid}/children").read_text().split()
        assert len(out) == 1, out
        return int(out[0])

    def end(self, how=signal.SIGTERM):
        """(what was said since, messages since)"""
        self.run.send_signal(how)
        assert self.run.wait(timeout=PATIENCE) == 0, self.run.returncode
        rest, words = [], []
        while (event := self.events.get(timeout=PATIENCE)) is not None:
            rest.append(event)
        while (line := self.messages.get(timeout=PATIENCE)) is not None:
            words.append(line)
        self.seen += rest
        return rest, "".join(words)


def sightings(where):
    """Port -> count, of all sightings of open cases."""
    out = {}
    for case in weir(where, "case", "list"):
        if case["closed"] is None:
            for s in case["sightings"]:
                flow = s["flow"]["flow"] if isinstance(s["flow"], dict) else s["flow"]
                out[int(flow.split()[1].rsplit(":", 1)[1])] = s["count"]
    return out


def rotate(path, suffix=".1"):
    os.rename(path, f"{path}{suffix}")

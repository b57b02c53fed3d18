#!/usr/bin/env python3
"""weir watch: a sensor's file is followed through every rotation and flood; alerts open and join cases.

Takes the path of weir.  Each step waits for weir's own line about it, never for a time.
"""
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from watch_kit import PATIENCE, WEIR, Watch, alert, fresh, put, rotate, sightings, tap, weir  # noqa: E402


def test_once():
    where, log = fresh()
    put(log, alert(1) + alert(1, second=1) + "not JSON\n" + alert(2, src="198.51.100.8"))
    events = weir(where, "watch", "--eve", log, "--once")
    assert [e["event"] for e in events] == ["opened", "traced", "opened", "traced"] or \
        [e["event"] for e in events] == ["opened", "opened", "traced", "traced"], events
    first = events[0]
    assert first["flow"] == {"id": None, "flow": "tcp 198.51.100.7:1 > 192.0.2.10:22"}, first
    assert len(first["case"]) == 32 and len(first["sighting"]) == 32 and first["at"].endswith("Z"), first
    assert sightings(where) == {1: 2, 2: 1}
    # what was taken is not taken again
    assert not weir(where, "watch", "--eve", log, "--once")
    put(log, alert(3))
    (joined, *_) = weir(where, "watch", "--eve", log, "--once")
    assert joined["event"] == "joined" and joined["role"] == "attacker" and joined["case"] == first["case"], joined
    assert not weir(where, "watch", "--eve", log, "--once", "--from-start")
    assert sightings(where) == {1: 2, 2: 1, 3: 1}


def test_grows():
    """A line is taken when it is whole, however it comes."""
    where, log = fresh()
    w = Watch(where, log)
    put(log, alert(1))
    w.until("opened", ":1 >")
    line = alert(2)
    for at in range(0, len(line), 7):
        put(log, line[at:at + 7])
    w.until("joined", ":2 >")
    put(log, alert(1, second=5) + alert(3))
    w.until("joined", ":3 >")
    w.end()
    assert sightings(where) == {1: 2, 2: 1, 3: 1}
    assert sum(e["event"] in ("opened", "joined") for e in w.seen) == 3, w.seen


def test_from_now_on():
    where, log = fresh()
    put(log, alert(1))
    w = Watch(where, log)
    put(log, alert(2))
    w.until("opened", ":2 >")
    w.end()
    w = Watch(where, log, "--from-start")
    w.until("joined", ":1 >")
    w.end()


def test_renamed_and_made():
    """The half line of the old file is finished there; the writer comes to the new one late."""
    where, log = fresh()
    put(log, alert(1))
    w = Watch(where, log, "--from-start")
    w.until("opened", ":1 >")
    line = alert(3)
    with open(log, "a", encoding="utf-8") as old:
        old.write(alert(2) + line[:40])
        old.flush()
        w.until("joined", ":2 >")
        rotate(log)
        put(log, "")
        old.write(line[40:] + alert(4))
    w.until("joined", ":4 >")
    put(log, alert(5))
    w.until("joined", ":5 >")
    for i in range(6, 12):
        rotate(log, f".{20 - i}")
        put(log, alert(i))
        w.until("joined", f":{i} >")
    _, words = w.end()
    assert sightings(where) == dict.fromkeys(range(1, 12), 1)
    assert "skipped" not in words, words


def test_cut():
    """copytruncate: the file is copied and cut, also in the middle of a line."""
    where, log = fresh()
    put(log, alert(1) + alert(2) + alert(3)[:50])
    w = Watch(where, log, "--from-start")
    w.until("joined", ":2 >")
    os.truncate(log, 0)
    put(log, alert(4))
    w.until("joined", ":4 >")
    os.truncate(log, 0)
    put(log, "".join(alert(i) for i in range(5, 12)))
    w.until("joined", ":11 >")
    _, words = w.end()
    assert set(sightings(where)) == {1, 2, *range(4, 12)}
    assert "is not complete" in words, words


def test_goes_on():
    """After a restart, where it was: in the file, in the renamed one, through two rotations."""
    where, log = fresh()
    put(log, alert(1) + alert(2)[:30])
    w = Watch(where, log, "--from-start")
    w.until("opened", ":1 >")
    w.end(signal.SIGINT)
    put(log, alert(2)[30:])
    rotate(log, ".2")
    put(log, alert(3))
    os.utime(log)
    rotate(log, ".1")
    put(log, alert(4))
    w = Watch(where, log)
    w.until("joined", ":4 >")
    w.end()
    names = [e["flow"]["flow"].split()[1][-1] for e in w.seen if e["event"] in ("opened", "joined")]
    assert names == ["2", "3", "4"], w.seen
    assert sightings(where) == {1: 1, 2: 1, 3: 1, 4: 1}
    # the file that was read is gone, and what has its name is new
    os.rename(log, f"{log}.gz")
    put(log, alert(5))
    w = Watch(where, log)
    w.until("joined", ":5 >")
    w.end()
    assert set(sightings(where)) == {1, 2, 3, 4, 5}


def test_two_at_once():
    where, log = fresh()
    put(log, "")
    w = Watch(where, log)
    assert "another weir watches it already" in weir(where, "watch", "--eve", log, "--once", status=1, lines=False)
    w.end()
    weir(where, "watch", "--eve", log, "--once")


def test_garbage():
    """100,000 lines that are nothing, one of them endless, and an alert among them."""
    where, log = fresh()
    bad = ["{", "[]", '{"event_type":"alert"}', "\x00\x01", '{"a":1,"a":1}', "x" * 200, '{"timestamp":"yesterday"}', "{}" * 9]
    lines = [bad[i % len(bad)] for i in range(100000)]
    lines[50000] = alert(7).strip()
    lines[60000] = "y" * (3 << 20)
    put(log, "\n".join(lines) + "\n" + "z" * (2 << 20))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    (opened, *_) = weir(where, "watch", "--eve", log, "--once")
    assert opened["event"] == "opened" and ":7 >" in opened["flow"]["flow"], opened
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"# peak of all processes so far {peak} kB, before {before} kB")
    words = weir(where, "watch", "--eve", log, "--once", "--from-start", lines=False)
    assert "99,999 lines skipped" in words or "100,000 lines skipped" in words, words
    put(log, "\n" + alert(8))
    (joined, *_) = weir(where, "watch", "--eve", log, "--once")
    assert joined["event"] == "joined", joined


def test_flood_of_attackers():
    """So many new cases a minute; the rest is said, and known attackers are known all the same."""
    where, log = fresh()
    put(log, alert(1, src="203.0.113.9"))
    weir(where, "watch", "--eve", log, "--once")
    put(log, "".join(alert(5, src=f"198.18.{i // 250}.{i % 250}") for i in range(20000)) + alert(2, src="203.0.113.9"))
    events = weir(where, "watch", "--eve", log, "--once")
    assert sum(e["event"] == "opened" for e in events) == 30, len(events)
    assert [e["flow"]["flow"].split()[1] for e in events if e["event"] == "joined"] == ["203.0.113.9:2"]
    (dropped,) = [e for e in events if e["event"] == "dropped"]
    assert dropped["alerts"] == 19970 and dropped["flows"] == 19970, dropped


def test_flood_of_flows():
    """So many flows of a case; the rest is counted."""
    where, log = fresh()
    put(log, "".join(alert(1024 + i) for i in range(50000)))
    events = weir(where, "watch", "--eve", log, "--once")
    # the first one opened the case
    assert sum(e["event"] == "joined" for e in events) == 60, [e["event"] for e in events]
    (counted,) = [e for e in events if e["event"] == "counted"]
    assert counted["alerts"] == 50000 - 61, counted
    assert sum(sightings(where).values()) == 50000


def test_one_flow_many_times():
    where, log = fresh()
    put(log, "".join(alert(1024, second=i // 1000, micro=i % 1000) for i in range(50000)))
    events = weir(where, "watch", "--eve", log, "--once")
    assert [e["event"] for e in events] == ["opened", "traced"], events
    assert sightings(where) == {1024: 50000}


def test_no_file():
    where, log = fresh()
    for path, words in (("/dev/zero", "no regular file"), (log.parent, "no regular file"), (log, "no such file")):
        assert words in weir(where, "watch", "--eve", path, "--once", status=2, lines=False)
    put(log, "#separator \\x09\n#fields\tts\n")
    assert "Zeek log in TSV" in weir(where, "watch", "--zeek", log, "--once", status=2, lines=False)
    assert "one of --eve" in weir(where, "watch", status=2, lines=False)
    assert "one of --eve" in weir(where, "watch", "--eve", log, "--zeek", log, status=2, lines=False)


def test_waits_for_the_file():
    where, log = fresh()
    w = Watch(where, log)
    put(log, alert(1))
    w.until("opened", ":1 >")
    w.end()


def test_zeek():
    """A notice is somebody's word; a connection is not."""
    where, log = fresh()
    ends = {"id.orig_h": "198.51.100.7", "id.resp_h": "192.0.2.10", "id.resp_p": 22, "proto": "tcp", "ts": 1795000000.5}
    put(log, json.dumps({**ends, "uid": "C1", "id.orig_p": 1}) + "\n" + json.dumps({**ends, "note": "A::B", "id.orig_p": 2}) + "\n")
    (opened, *_) = weir(where, "watch", "--zeek", log, "--once")
    assert opened["event"] == "opened" and ":2 >" in opened["flow"]["flow"], opened
    assert set(sightings(where)) == {2}


def test_reader_has_no_rights():
    """The process that parses has no capability, no file, no socket; when it is killed another one takes its place."""
    where, log = fresh()
    put(log, "")
    w = Watch(where, log)
    put(log, alert(1))
    w.until("opened", ":1 >")
    pid = w.reader()
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    fds = sorted(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2)
    assert fds == ["pipe", "pipe"], fds
    assert int(status["CapEff"], 16) & ~2 == 0, status["CapEff"]  # CAP_DAC_OVERRIDE, over no file
    assert status["NoNewPrivs"].strip() == "1", status
    if status["Seccomp"].strip() != "2":
        raise tap.Skip("no seccomp here")
    os.kill(pid, signal.SIGKILL)
    put(log, alert(2))
    w.said("are passed over")
    put(log, alert(3))
    w.until("joined", ":3 >")
    assert w.reader() != pid
    w.end()


def test_other_process():
    """A case that somebody else opens or closes is known or forgotten at once."""
    where, log = fresh()
    w = Watch(where, log)
    weir(where, "case", "open", "--flow", "tcp 198.51.100.9:5 > 192.0.2.10:22")
    put(log, alert(1, src="198.51.100.9"))
    case = w.until("joined", ":1 >")["case"]
    weir(where, "case", "close", case)
    put(log, alert(2, src="198.51.100.9"))
    assert w.until("opened", ":2 >")["case"] != case
    w.end()


def test_output_gone():
    """Whoever read the lines is gone: weir ends by itself, and what it took is kept."""
    where, log = fresh()
    put(log, alert(1))
    run = subprocess.Popen([WEIR, "-C", where, "watch", "--eve", log, "--from-start"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True)
    assert "opened" in run.stdout.readline()
    run.stdout.close()
    put(log, alert(2))
    assert run.wait(timeout=PATIENCE) in (0, 3), run.returncode
    assert 1 in sightings(where)


tap.run(sys.modules[__name__])

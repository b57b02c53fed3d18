#!/usr/bin/env python3
"""The contract of bundle and verify, by which networks deal with each other: exit statuses, JSON, which stream, what has
which rights, and that a check changes nothing.  At the end what all new commands have in common.

answer and case import: contract_answer.py.  What the bundles say, and hostile ones: tests/scenario.  Takes the path of weir.
"""
import datetime
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

from contract_kit import (ATTACK, GOOD, IN_LEG, TMP, WEIR, answered, copies, copy, exchange, file_of, fresh, key_of, limited,
                          network, one, recorded, refused, snapshot, tap, weir)

SOURCE = pathlib.Path(os.environ.get("WEIR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
ID = re.compile(r"[0-9a-f]{32}")


# ---- bundle ----


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_bundle_json():
    victim, _, case, _ = copies()
    path = fresh("bundle")
    doc = one("-C", victim, "bundle", case[:10], "-o", path)
    assert doc.keys() == {"id", "file", "sha256", "to", "not_after", "ask", "claims", "answers"}, doc
    assert ID.fullmatch(doc["id"]) and doc["file"] == str(path)
    assert doc["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (doc["to"], doc["ask"], doc["claims"], doc["answers"]) == ("*", "trace", 1, 0), doc
    said = one("verify", path, "--key", key_of(victim))
    assert (said["id"], said["to"], said["sha256"], said["not_after"]) == tuple(
        doc[k] for k in ("id", "to", "sha256", "not_after"))
    assert when(said["not_after"]) - when(said["made"]) == datetime.timedelta(days=30)


def test_bundle_options():
    victim, relay, case, _ = copies()
    for args, field, value in ((("--to", "up.example"), "to", "up.example"), (("--to", key_of(relay)), "to", "relay.example"),
                               (("--ask", "confirm"), "ask", "confirm"), (("--ask", "block"), "ask", "block"),
                               (("--expires", "2090-01-02T03:04:05Z"), "not_after", "2090-01-02T03:04:05.000000Z")):
        assert one("-C", victim, "bundle", case, *args, "-o", fresh("bundle"))[field] == value, args
    path = fresh("bundle")
    weir("-C", victim, "bundle", case, "--expires", "12h", "-o", path)
    said = one("verify", path, "--key", key_of(victim))
    assert when(said["not_after"]) - when(said["made"]) == datetime.timedelta(hours=12)


def test_bundle_says_no():
    victim, _, case, _ = copies()
    to = fresh("bundle")
    for args, status, say in (((case,), 2, "-o FILE"), (("-o", to), 2, "one CASE"), ((case, "-o"), 2, "needs a value"),
                              ((case, "-o", to, "--to", "a b"), 2, "--to a b"), ((case, "-o", to, "--to", ""), 2, "--to"),
                              ((case, "-o", to, "--ask", "x"), 2, "confirm, trace or block"),
                              ((case, "-o", to, "--expires", "x"), 2, "7d"), ((case, "-o", to, "--expires", "2001-01-01"), 2, "over"),
                              ((case, "-o", to, "--expires", "9999999d"), 2, "time"),
                              ((case, "-o", to, "--expires", "90000d"), 2, "2199"),
                              (("abcdef0123", "-o", to), 1, "no such case"), (("x", "-o", to), 2, "hex digits")):
        refused("-C", victim, "bundle", *args, status=status, say=say)
    assert not to.exists()
    (empty,) = [network("example.com")]
    eve = TMP / "eve.json"
    eve.write_text(json.dumps({"timestamp": "2026-11-18T11:07:00.000000+0000", "event_type": "alert", "src_ip": "203.0.113.10",
                               "src_port": 42000, "dest_ip": "192.0.2.10", "dest_port": 22, "proto": "TCP",
                               "alert": {"signature": "x", "signature_id": 1}}) + "\n")
    unseen = one("-C", empty, "case", "open", "--eve", eve)["id"]
    _, err = weir("-C", empty, "bundle", unseen, "-o", to, status=1)
    assert err.endswith(": there is nothing to show\n") and err.count("\n") == 1, err
    assert not to.exists()


# ---- verify ----

REPORT = set("id type from to made not_after sha256 ask reason signer verified why claims here".split())
CLAIM = set("id kind by by_known forwarded says state proven asserted logged why".split())
HERE = set("flow claim seen why as translated searched compared equal log10_e needed trace".split())


def train_id(path):
    """What the flow of a train is called in JSON: the first 32 digits of the train's SHA-256.  Of a bundle with one train."""
    with tarfile.open(path) as tar:
        (train,) = [tar.extractfile(name).read() for name in tar.getnames() if name.startswith("trains/")]
    return hashlib.sha256(train).hexdigest()[:32]


def test_verify_json():
    victim, relay, _, request = exchange()
    doc = one("verify", request, "--key", key_of(victim))
    assert doc.keys() == REPORT and doc["here"] is None, doc
    assert (doc["type"], doc["ask"], doc["from"], doc["to"]) == ("request", "trace", "victim.example", "relay.example"), doc
    assert doc["verified"] is True and doc["why"] is None and doc["reason"] is None, doc
    assert doc["signer"] == {"name": "victim.example", "key": key_of(victim).split("+")[1], "known": True}, doc
    (claim,) = doc["claims"]
    assert claim.keys() == CLAIM and claim["kind"] == "attack" and claim["state"] == "asserted" and claim["proven"] is None
    assert claim["logged"] == {"origin": "victim.example/log", "index": 1, "size": 2}, claim
    (here,) = one("-C", relay, "verify", request, "--key", key_of(victim))["here"]
    assert HERE <= here.keys() and here["seen"] == "confirmed" and here["flow"]["flow"] == here["as"]["flow"] == ATTACK, here
    assert here["flow"]["id"] == train_id(request), here
    assert here["claim"] == claim["id"] and here["translated"] is False
    assert here["trace"]["hops"][0]["in"]["flow"] == IN_LEG, here


def test_verify_an_answer():
    victim, relay, _, path, _ = answered()
    doc = one("verify", path, "--key", key_of(relay))
    assert doc.keys() == REPORT - {"ask"} | {"verdict", "reply_to"} and doc["type"] == "answer", doc
    (link,) = [c for c in doc["claims"] if c["kind"] == "link"]
    assert link.keys() == CLAIM | {"log10_e", "again", "needed", "alpha", "searched"}, link
    assert link["state"] == "re-computed" and abs(link["again"] - link["log10_e"]) <= 1e-9 and link["searched"] == 13, link
    (here,) = one("-C", victim, "verify", path, "--key", key_of(relay))["here"]
    assert here["seen"] == "confirmed" and here["flow"]["flow"] == ATTACK and here["trace"] is None, here


def test_verify_says_what_was_looked_at():
    victim, relay, _, request = exchange()
    for args, say in ((("-C", relay), r"VERIFIED: signature, recipient, time, 5 files, 1 log proof\n"),
                      ((), r"VERIFIED: signature, time, 5 files, 1 log proof \(no -C DIR: neither the recipient nor a recording was looked at\)\n"),
                      (("-C", recorded()), r"VERIFIED: signature, time, .*not looked at")):
        text, _ = weir(*args, "verify", request, "--key", key_of(victim))
        assert re.search("^" + say, text, re.M), text


def test_verify_exit_status():
    victim, relay, _, request = exchange()
    text, err = weir("verify", request, status=1)
    assert "NOT VERIFIED" in text and err.startswith("weir: not verified: signed by victim.example"), (text, err)
    doc = one("verify", request, status=1)
    assert doc["verified"] is False and doc["signer"]["known"] is False and "--key" in doc["why"], doc
    assert one("verify", request, "--key", key_of(relay), status=1)["verified"] is False
    for args, say in (((), "one FILE"), ((TMP / "absent",), "^weir: [^:]*: there is no such file$"), ((TMP,), "a directory"),
                      ((GOOD,), "tar"), (("/dev/null",), "tar"), ((request, request), "one FILE"),
                      ((request, "--key", "x"), "--key"), ((request, "--alpha", "2"), "--alpha"),
                      ((request, "--policy", TMP / "absent"), "no such file"), ((request, "--policy", GOOD), "policy")):
        refused("verify", *args, status=2, say=say)


def test_verify_from_standard_input():
    victim, _, _, request = exchange()
    out, _ = weir("--json", "verify", "-", "--key", key_of(victim), stdin=request.read_bytes())
    assert json.loads(out) == one("verify", request, "--key", key_of(victim))


def test_verify_reads_and_makes_nothing_without_a_directory():
    """Not the one in the environment, and not the default either."""
    victim, relay, _, request = exchange()
    empty = fresh("empty")
    empty.mkdir()
    for env in ({}, {"WEIR_DIR": str(fresh())}, {"WEIR_DIR": str(relay)}):
        (line,), err = weir("verify", request, "--key", key_of(victim), json_out=True, cwd=empty, env=env)
        assert line["verified"] and line["here"] is None and not err, (line, err)
    weir("verify", request, status=1, cwd=empty)
    assert list(empty.iterdir()) == []


def test_verify_where_nothing_can_be_written():
    victim, _, _, request = exchange()
    script = (f'mount -t tmpfs -o ro none "{TMP}/ro" && cd "{TMP}/ro" && "{WEIR}" verify - --key {key_of(victim)} '
              f'>/dev/null && ! touch "{TMP}/ro/x" 2>/dev/null')
    (TMP / "ro").mkdir()
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", TMP / "ro"], check=False, capture_output=True).returncode:
        raise tap.Skip("cannot mount")
    subprocess.run(["unshare", "-rm", "sh", "-c", script], stdin=request.open("rb"), check=True)


def test_verify_changes_nothing_in_a_directory():
    victim, relay, _, request = copies()
    *_, answer, _ = answered()
    tampered = file_of(request.read_bytes().replace(b"victim.example", b"victom.example", 1))
    for where in (relay, victim, recorded(), network("example.com")):
        before = snapshot(where)
        for path in (request, answer, tampered, GOOD):
            command = [WEIR, "-C", where, "verify", path, "--key", key_of(victim), "--key", key_of(relay)]
            run = subprocess.run(command, capture_output=True, check=False, timeout=60)
            assert run.returncode in (0, 1, 2), run
        assert snapshot(where) == before, "verify wrote"
    absent = fresh()
    weir("-C", absent, "verify", request, "--key", key_of(victim))
    assert not absent.exists()


def test_a_directory_that_cannot_be_written():
    """It can be looked into all the same; what would change it says so, and leaves nothing."""
    victim, relay, case, request = copies()
    weir("-C", relay, "case", "open", "--flow", ATTACK)
    to = fresh("ro")
    for where in (victim, relay):
        mount = f'mount --bind "{where}" "{where}" && mount -o remount,bind,ro "{where}"'
        if subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False, capture_output=True).returncode:
            raise tap.Skip("cannot mount")
        own, path = (key_of(victim), request) if where == relay else (key_of(relay), request)
        for args, status in ((("--json", "verify", path, "--key", own), 0 if where == relay else 1), (("key",), 0),
                             (("ledger", "list"), 0), (("bundle", case, "-o", to), 3), (("key", "rotate"), 3),
                             (("answer", request, "--accept", "--key", own, "-o", to), 3 if where == relay else 1)):
            command = " ".join(f"'{word}'" for word in (WEIR, "-C", where, *args))
            run = subprocess.run(["unshare", "-rm", "sh", "-c", f"{mount} && {command}"], check=False, capture_output=True,
                                 text=True)
            assert run.returncode == status and not to.exists(), run
            assert len(run.stderr.splitlines()) == (status > 0) and (status < 3 or not run.stdout), run
            if "verify" in args and where == relay:
                assert json.loads(run.stdout)["here"][0]["seen"] == "confirmed", run


# ---- who may do what ----


def test_verify_has_no_rights_while_it_reads_the_bundle():
    """It is stopped at its first line, by a pipe that is full."""
    victim, relay, _, request = exchange()
    for args in ((), ("-C", relay)):
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.write(write, bytes(fcntl.fcntl(write, fcntl.F_GETPIPE_SZ)))
        with subprocess.Popen([WEIR, *args, "verify", request, "--key", key_of(victim)], stdout=write) as run:
            os.close(write)
            held, deadline = {}, time.monotonic() + 60
            while held.get("Seccomp") != "2" and time.monotonic() < deadline:
                time.sleep(0.01)
                status = pathlib.Path(f"/proc/{run.pid}/status").read_text().splitlines()
                held = dict(line.split(":\t", 1) for line in status if ":\t" in line)
            assert held["Seccomp"] == "2" and held["NoNewPrivs"] == "1", held
            assert int(held["CapEff"], 16) & ~(1 << 1) == 0, "more than CAP_DAC_OVERRIDE is left"
            with open(read, "rb") as pipe:
                assert b"\nVERIFIED" in pipe.read()
        assert run.returncode == 0


def calls(*args):
    """[(process, system call as strace writes it)] of a run, and the process that it began with."""
    if not shutil.which("strace"):
        raise tap.Skip("needs strace")
    path = fresh("calls")
    command = ["strace", "-f", "-s", "300", "-o", path, "-e", "trace=openat,open,seccomp,fork,clone,clone3,vfork", WEIR, *args]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=60,
                         env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    if run.returncode and "ptrace" in run.stderr:
        raise tap.Skip("strace may not trace here")
    assert run.returncode == 0, run
    lines = [line.split(None, 1) for line in path.read_text().splitlines()]
    return [(int(pid), call) for pid, call in lines], int(lines[0][0])


def test_who_reads_the_file_never_sees_a_key():
    victim, relay, _, request = copies()
    to = fresh("answer")
    for args in (("-C", relay, "answer", request, "--accept", "--key", key_of(victim), "-o", to),
                 ("-C", victim, "case", "import", to, "--key", key_of(relay))):
        made, parent = calls(*args)
        (reader,) = {pid for pid, _ in made} - {parent}
        at = {name: [i for i, (pid, call) in enumerate(made) if pid == who and name in call] for name, who in (
            ("seccomp(", reader), ("exited", reader), (".key", parent))}
        assert at["seccomp("] and at["exited"] and at[".key"], made
        assert not [call for pid, call in made if pid == reader and ("/keys/" in call or "weir.db" in call)]
        secret = [i for i in at[".key"] if '.key"' in made[i][1]]
        assert min(secret) > at["exited"][0], "the key was read before the file had been"


# ---- all of them ----


def every_command():
    """(arguments with {dir}'s option before the command, where they are called) of each new command, all of which succeed."""
    victim, relay, case, request = copies()
    to, back = fresh("bundle"), fresh("answer")
    yield fresh(), ("init",)
    yield victim, ("key",)
    yield victim, ("ledger",)
    yield victim, ("ledger", "list")
    yield victim, ("ledger", "entry", 0)
    yield victim, ("ledger", "proof", 0)
    yield victim, ("ledger", "consistency", 1)
    yield victim, ("ledger", "check")
    yield victim, ("bundle", case, "-o", to)
    yield relay, ("verify", request, "--key", key_of(victim))
    yield relay, ("answer", request, "--accept", "--key", key_of(victim), "-o", back)
    yield victim, ("case", "import", back, "--key", key_of(relay))
    yield victim, ("key", "rotate")


def test_the_directory_is_named_before_or_behind():
    for where, args in every_command():
        cwd = fresh("cwd")
        cwd.mkdir()
        out, err = weir(*args, "-C", where, "--json", cwd=cwd)
        assert len(out.splitlines()) >= 1 and all(json.loads(line) for line in out.splitlines()), (args, out)
        assert not err and list(cwd.iterdir()) == [], (args, err)
    for where, args in every_command():
        out, err = weir("-C", where, *args)
        assert out and not err, (args, err)


def test_standard_output_closed():
    for where, args in every_command():
        with open("/dev/full", "w", encoding="ascii") as full:
            run = subprocess.run([WEIR, "-C", where, *map(str, args)], stdout=full, stderr=subprocess.PIPE, check=False)
        assert run.returncode == 3 and b"standard output" in run.stderr and run.stderr.count(b"\n") == 1, run


def test_full_disk():
    victim, relay, case, request = copies()
    to, key = fresh("out"), ("--key", key_of(victim))
    for where, args in ((victim, ("bundle", case, "-o", to)), (relay, ("answer", request, "--accept", *key, "-o", to))):
        for most in (0, 1000, 5000, 12000):
            run = subprocess.run([WEIR, "-C", where, *map(str, args)], **limited(most))
            assert run.returncode == 3 and not run.stdout and len(run.stderr.splitlines()) == 1, (most, run)
            assert list(to.parent.glob(to.name + "*")) == [], most
        assert one("-C", where, "ledger", "check")["whole"] is True
        weir("-C", where, *args)
        assert one("verify", to, "--key", key_of(where))["verified"] is True
        to.unlink()


def test_full_disk_where_the_file_goes():
    victim, _, case, _ = copies()
    small = fresh("small")
    small.mkdir()
    mount = f'mount -t tmpfs -o size=8k none "{small}"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False, capture_output=True).returncode:
        raise tap.Skip("cannot mount")
    script = f'{mount} && cd "{small}" && "{WEIR}" -C "{victim}" bundle {case} -o x.weir; echo $? $(ls | wc -l)'
    run = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "3 0\n" and "space" in run.stderr and len(run.stderr.splitlines()) == 1, run
    kinds = [line["entry"]["kind"] for line in weir("-C", victim, "ledger", "list", json_out=True)[0]]
    assert kinds.count("request-sent") == 1, "a request that never left stands in the ledger"


def test_a_directory_of_the_release_before():
    """It had a database without ledger, keys and bundles."""
    where = recorded()
    for name in ("weir.db", "weir.db-wal", "weir.db-shm"):
        (where / name).unlink(missing_ok=True)
    shutil.copy(SOURCE / "tests/fixtures/case-1/weir.db", where / "weir.db")
    lines = [line.split()[:2] for line in (SOURCE / "tests/fixtures/case-1/expected.txt").read_text().splitlines()]
    old = {kind: [i for k, i in lines if k == kind] for kind in ("case", "claim")}
    _, _, _, request = exchange()
    key = key_of(exchange()[0])
    weir("-C", where, "key", status=1)
    weir("-C", where, "ledger", status=1)
    before = snapshot(where)
    weir("-C", where, "verify", request, "--key", key)
    assert snapshot(where) == before, "a look brought it up to date"
    weir("-C", where, "init", "--name", "relay.example")
    listed, _ = weir("-C", where, "case", "list", json_out=True)
    assert {c["id"] for c in listed} == set(old["case"]), listed
    for case in old["case"]:
        assert all(c["by"] == "" for c in one("-C", where, "case", "show", case)["claims"])
        weir("-C", where, "why", case)
    for claim in old["claim"]:
        weir("-C", where, "why", claim)
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", where, "trace", case)
    path, back = fresh("bundle"), fresh("answer")
    assert one("-C", where, "bundle", case, "-o", path)["claims"] == 2
    assert one("verify", path, "--key", key_of(where))["verified"] is True
    assert one("-C", where, "answer", request, "--accept", "--key", key, "-o", back)["verdict"] == "accepted"
    victim = copy(exchange()[0])
    weir("-C", victim, "case", "import", back, "--key", key_of(where))
    assert one("-C", where, "ledger", "check")["whole"] is True
    assert weir("-C", where, "key", "rotate")[0]


def test_help_and_manual_name_the_same_commands():
    text, _ = weir("help")
    manual = (SOURCE / "doc/weir.1").read_text()
    commands = re.findall(r"^  (\w+) ", text, re.M)
    assert len(commands) >= 14 and not [line for line in text.splitlines() if line != line.rstrip()]
    for name in commands:
        assert re.search(rf"^\.(It )?(Xo\n\.)?Cm {name}\b", manual, re.M), f"the manual has no {name}"
        for option in re.findall(r"--([a-z-]+)", weir("help", name)[0].split("\n")[0].split("[--json]")[1]):
            assert re.search(rf"Fl -{option}\b", manual), f"{name}: the manual has no --{option}"


tap.run(sys.modules["__main__"])

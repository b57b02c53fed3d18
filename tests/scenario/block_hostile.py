#!/usr/bin/env python3
"""Attacks on blocking and watching: who would have an innocent blocked, a block that never ends or does not hold, or weir stopped.

Runs itself in a network namespace of its own; the kernel is asked with nft, never weir.  Skips without root or nft.
Takes the path of weir.
"""
import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

INSIDE = "WEIR_BLOCK_HOSTILE"
if os.geteuid() != 0 or not all(shutil.which(p) for p in ("nft", "unshare", "ip")):
    print("1..0 # SKIP needs root, nft, ip and unshare")
    sys.exit(0)
if INSIDE not in os.environ:
    os.execvpe("unshare", ["unshare", "-n", sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from contract_kit import ATTACK, TMP, WEIR, fresh, one, recorded, refused, tap, weir  # noqa: E402

ATTACKER = "203.0.113.10"
HANG = 45  # seconds after which a command that never ends is known as one
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def kernel():
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def nft(text):
    subprocess.run(["nft", text], check=True, capture_output=True)


def config(where, text):
    (where / "weir.conf").write_text(text)


def case(*conf):
    """(directory, case, number of the marked option)"""
    where = recorded()
    config(where, "\n".join(conf) + "\n")
    made = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    (option,) = [o["option"] for o in one("-C", where, "plan", made)["options"] if o["marked"]]
    return where, made, option


def block(where, made, option, *more, **how):
    return one("-C", where, "block", made, "--option", option, *more, **how)["id"]


def clean(where, made):
    weir("-C", where, "unblock", made)
    assert kernel() == "", kernel()


def rows(where, text, *values):
    with sqlite3.connect(where / "weir.db") as db:
        out = db.execute(text, values).fetchall()
    db.close()
    return out


def blocks(where):
    return weir("-C", where, "blocks", json_out=True)[0]


# ---- the kernel's rules, changed by somebody else ----


def like(text):
    """A rule set without what time and packets change."""
    return re.sub(r"(expires|timeout) [0-9a-z]+|packets \d+ bytes \d+", "", text)


def test_whatever_is_done_to_the_table_is_seen_and_mended():
    where, made, option = case()
    block(where, made, option)
    good = like(kernel())
    (name,) = re.findall(r"set (\w+) \{", good)
    hit = f"{ATTACKER} . 192.0.2.10 . 6 . 22"
    again = f"delete element inet weir {name} {{ {hit} }}; add element inet weir {name} {{ {hit} timeout "
    for attack in ("flush ruleset", "flush table inet weir", "add table inet weir { flags dormant; }", f"flush set inet weir {name}",
                   again + "30d }", again + "5s }", f"add element inet weir {name} {{ 192.0.2.99 . 192.0.2.10 . 6 . 22 timeout 30d }}",
                   "add chain inet weir mine { type filter hook input priority 0; policy drop; }", "insert rule inet weir match accept",
                   "insert rule inet weir in accept", "insert rule inet weir out accept", "add rule inet weir in drop",
                   "flush chain inet weir match", "flush chain inet weir in", "chain inet weir in { policy drop; }",
                   "add set inet weir evil { type ipv4_addr; elements = { 192.0.2.53 }; }; add rule inet weir match ip saddr @evil drop"):
        nft(attack)
        out, _ = weir("-C", where, "reconcile", "--dry-run", status=1)
        assert "does not agree" in out, (attack, out)
        one("-C", where, "reconcile")
        assert like(kernel()) == good, (attack, kernel())
    ends = re.search(r"expires (\d+)m", kernel())
    assert ends and int(ends[1]) < 60, kernel()
    clean(where, made)


def test_a_table_of_that_name_was_there():
    where, made, option = case()
    nft("add table inet weir; add chain inet weir x { type filter hook input priority 0; policy drop; }; "
        "add set inet weir s { type ipv4_addr; }; add element inet weir s { 192.0.2.9 }")
    block(where, made, option)
    assert "policy drop" not in kernel() and "192.0.2.9" not in kernel() and ATTACKER in kernel(), kernel()
    clean(where, made)


# ---- the database and the blobs, changed by somebody else ----


def test_rows_do_not_lengthen_or_change_an_order():
    where, made, option = case()
    block(where, made, option, "--for", "5m")
    nft("flush ruleset")
    rows(where, "UPDATE orders SET expires = expires + 86400000000")
    one("-C", where, "reconcile")
    assert re.search(r"expires 4m", kernel()), kernel()
    rows(where, "UPDATE orders SET blob = (SELECT blob FROM plans LIMIT 1)")
    one("-C", where, "reconcile", status=1)
    assert ATTACKER not in kernel(), kernel()
    clean(where, made)


def test_damaged_texts():
    where, made, option = case()
    given = block(where, made, option)
    for table in ("orders", "plans"):
        ((name,),) = rows(where, f"SELECT blob FROM {table}")
        path = where / "blobs" / name[:2] / name
        good = path.read_bytes()
        for damage in (lambda p: p.write_bytes(good.replace(b"203.0.113.10/32", b"203.0.113.11/32")), lambda p: p.unlink(),
                       lambda p: p.write_bytes(good + b"x" * 20_000_000), os.mkfifo, lambda p: p.symlink_to(p.name)):
            path.unlink(missing_ok=True) if damage is os.mkfifo or not path.is_file() else None
            damage(path)
            weir("-C", where, "reconcile", status=1)
            assert ATTACKER not in kernel() and "203.0.113.11" not in kernel(), kernel()
        path.unlink()
        path.write_bytes(good)
        weir("-C", where, "reconcile")
        assert ATTACKER in kernel()
    weir("-C", where, "unblock", given)
    assert kernel() == ""


# ---- orders that fail half way ----


def ledger_gone(where):
    (where / "ledger").rename(where / "away")
    (where / "ledger").write_text("")


def ledger_back(where):
    (where / "ledger").unlink()
    (where / "away").rename(where / "ledger")


def test_an_order_that_failed_never_comes_into_force():
    where, made, option = case()
    clean_id = block(where, made, option)
    weir("-C", where, "unblock", clean_id)
    ledger_gone(where)
    refused("-C", where, "block", made, "--option", option, status=3)
    ledger_back(where)
    assert kernel() == ""
    one("-C", where, "plan", made)  # enters what waits for the ledger
    one("-C", where, "reconcile")
    assert kernel() == "" and blocks(where) == [], kernel()


def test_undone_though_the_ledger_cannot_be_written():
    where, made, option = case()
    given = block(where, made, option)
    ledger_gone(where)
    refused("-C", where, "unblock", given, status=3, say="ledger")
    assert kernel() == "", kernel()
    ledger_back(where)
    one("-C", where, "plan", made)
    assert '"undo"' in weir("-C", where, "ledger", "list")[0]


# ---- what stands in DIR/enforce ----


def test_nothing_in_the_folder_hangs_or_misleads():
    where, made, option = case()
    clean_id = block(where, made, option)
    weir("-C", where, "unblock", clean_id)
    victim = fresh("victim")
    victim.write_text("precious\n")
    (where / "enforce" / "nft.lock").unlink()
    for name, status in (("nft.counted", 0), ("nft.counted.new", 0), ("nft.lock", 3)):
        path = where / "enforce" / name
        for put in (os.mkfifo, lambda p: p.symlink_to("/dev/zero"), lambda p: p.symlink_to(p.name), lambda p: p.symlink_to(victim),
                    lambda p: os.link(victim, p)):
            path.unlink(missing_ok=True)
            put(path)
            weir("-C", where, "block", made, "--option", option, status=status)
            assert victim.read_text() == "precious\n", name
            path.unlink(missing_ok=True)
            weir("-C", where, "unblock", made, status=0 if status == 0 else 1)
            assert kernel() == "", kernel()


# ---- the long-lived one and its socket ----


def enforcing(where):
    p = subprocess.Popen([WEIR, "-C", where, "enforce", "--tick", "300ms"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    atexit.register(p.kill)
    while "enforcing" not in (line := p.stderr.readline()):
        assert line, p.wait()
    return p


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


def test_who_floods_the_socket_holds_nothing_up():
    where, made, option = case()
    long_lived = enforcing(where)

    def connected():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(str(where / "enforce" / "nft.sock"))
        return s

    def mended():
        nft("flush ruleset")
        until(lambda: ATTACKER in kernel())

    try:
        block(where, made, option)
        for garbage in (b"", b"\0", b"\xff" * 5, bytes(5), struct.pack("<IB", 2, 3) + b"\7", b"A" * 100_000, struct.pack("<IB", 1, 2)):
            with connected() as s:
                try:
                    s.sendall(garbage)
                except OSError:
                    pass  # it had enough
        mended()
        silent = [connected() for _ in range(5)]
        mended()
        for s in silent:
            s.close()
        done = threading.Event()
        with connected() as slow:
            slow.sendall(struct.pack("<IB", 1000, 2))

            def trickle():
                while not done.wait(0.5):
                    try:
                        slow.send(b"x")
                    except OSError:
                        return
            thread = threading.Thread(target=trickle)
            thread.start()
            try:
                mended()
            finally:
                done.set()
                thread.join()
        weir("-C", where, "unblock", made)
        assert kernel() == ""
    finally:
        long_lived.send_signal(signal.SIGTERM)
        assert long_lived.wait(20) == 0


# ---- the sensor's file ----


def test_what_is_no_file_is_not_watched():
    where, _, _ = case()
    for i, put in enumerate((os.mkfifo, lambda p: p.symlink_to("/dev/zero"), lambda p: p.symlink_to(p.name), os.mkdir)):
        path = TMP / f"eve{i}.json"
        put(path)
        run = subprocess.run([WEIR, "-C", where, "watch", "--eve", path], capture_output=True, text=True, timeout=HANG, check=False)
        assert run.returncode in (2, 3) and len(run.stderr.strip().splitlines()) <= 2, run


def test_alerts_that_name_what_must_stay():
    """Spoofed and senseless sources, floods of noise: nothing is blocked, and the watch ends well."""
    where, _, _ = case('on_alert = "block"')
    subprocess.run(["ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"], check=True)
    for what in ("link set d0 up", "addr add 192.0.2.200/24 dev d0", "route add default via 192.0.2.1"):
        subprocess.run(["ip", *what.split()], check=True)
    path = TMP / "noise.json"
    path.write_bytes(b"")
    lines = [json.dumps({"timestamp": "2026-11-22T15:44:01.000000+0000", "event_type": "alert", "src_ip": src, "src_port": 1000 + i,
                         "dest_ip": "192.0.2.10", "dest_port": 53, "proto": proto, "alert": {"signature": "\x1b[31m\u202e\n"}}).encode()
             for i, src in enumerate(("192.0.2.200", "192.0.2.1", "0.0.0.0", "127.0.0.1", "::1", "224.0.0.1", "255.255.255.255",
                                      "::ffff:192.0.2.1", "64:ff9b::c000:201", "2002:c000:201::1", "198.51.100.50", "fe80::1"))
             for proto in ("UDP", "TCP")]
    lines += [b"[" * 100_000, b"\0" * 1000, b'{"event_type":"alert","src_port":1e999}', b"{" + b'"a":' * 5000, b"\xff\xfe" * 50,
              b'{"event_type":"alert","src_ip":"203.0.113.10","src_port":-1,"dest_port":99999999999999999999}']
    path.write_bytes(b"\n".join(lines) + b"\n" + b'{"half')
    try:
        run = subprocess.run([WEIR, "-C", where, "--json", "watch", "--eve", path, "--from-start", "--once"], capture_output=True,
                             text=True, timeout=HANG, check=False)
        assert run.returncode == 0, run
        assert "\x1b" not in run.stderr and kernel() == "" and blocks(where) == [], (run.stderr, kernel())
    finally:
        subprocess.run(["ip", "link", "del", "d0"], check=True)


tap.run(sys.modules["__main__"])

#!/usr/bin/env python3
"""The contract of block, blocks, unblock, reconcile and enforce: exit statuses, JSON, and what the kernel then has.

Runs itself in a network namespace of its own; the kernel is asked with nft, never weir.  Skips without root or nft.
Takes the path of weir.
"""
import atexit
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

INSIDE = "WEIR_CONTRACT_BLOCK"
if os.geteuid() != 0 or not all(shutil.which(p) for p in ("nft", "unshare", "ip")):
    print("1..0 # SKIP needs root, nft, ip and unshare")
    sys.exit(0)
if INSIDE not in os.environ:
    os.execvpe("unshare", ["unshare", "-n", sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})

from contract_kit import ATTACK, TMP, WEIR, fresh, one, recorded, refused, tap, weir  # noqa: E402

ATTACKER = "203.0.113.10"
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def kernel():
    """The whole rule set, as nft shows it."""
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def until(true, seconds=60):
    """Waits until it is so; a bounded loop, and a failure says what was not."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{true.__name__}: not within {seconds} s"
        time.sleep(0.05)


def config(where, text):
    (pathlib.Path(where) / "weir.conf").write_text(text)


def case(*conf):
    """A directory with the recorded attack, a case of it, and its plan."""
    where = recorded()
    config(where, "\n".join(conf) + "\n")
    made = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    return where, made, one("-C", where, "plan", made)


def marked(plan):
    (option,) = [o for o in plan["options"] if o["marked"]]
    return option


def give(where, made, option, *more, **how):
    return one("-C", where, "block", made, "--option", option["option"], *more, **how)


def gone():
    text = kernel()
    return ATTACKER not in text and "198.51.100.7" not in text


def clean(where):
    for b in weir("-C", where, "blocks", json_out=True)[0]:
        weir("-C", where, "unblock", b["id"])
    assert kernel() == "", kernel()


# ---- what is refused ----


def test_usage():
    where, made, plan = case()
    for bad in (("block",), ("block", made), ("block", made, "--option", "x"), ("block", made, "--option", "0"),
                ("block", made, "--option", "999"), ("block", made, "--option", "1", "--for", "never"), ("blocks", "x"),
                ("unblock",), ("reconcile", "x"), ("enforce", "x"), ("block", made, "--option", len(plan["options"]) + 1)):
        refused("-C", where, *bad, status=2)
    refused("-C", where, "unblock", "123456", status=1, say="no such")
    refused("-C", where, "block", "abcdef123456", "--option", "1", status=1, say="no such")
    assert kernel() == ""


def test_no_plan_yet():
    where = recorded()
    made = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    refused("-C", where, "block", made, "--option", "1", status=2, say="no plan")


def test_never_block():
    where, made, plan = case()
    for protected in (ATTACKER, "203.0.113.0/24"):
        for key in ("never_block", "partner_networks"):
            config(where, f'{key} = {{"{protected}"}}')
            refused("-C", where, "block", made, "--option", marked(plan)["option"], status=1, say=ATTACKER)
    assert kernel() == "" and weir("-C", where, "blocks", json_out=True)[0] == []


def test_an_address_that_is_ours_now():
    where, made, plan = case()
    subprocess.run(["ip", "addr", "add", ATTACKER + "/32", "dev", "lo"], check=True)
    try:
        refused("-C", where, "block", made, "--option", marked(plan)["option"], status=1, say="own|ours|this machine")
        assert kernel() == ""
    finally:
        subprocess.run(["ip", "addr", "del", ATTACKER + "/32", "dev", "lo"], check=True)


def test_not_sufficient_takes_an_override():
    where, made, plan = case("alpha_host = 1e-300")
    options = [o for o in plan["options"] if not o["sufficient"] and not o["needs"]]
    if not options:  # every option rests on the sighting alone
        return
    k = options[0]["option"]
    assert options[0]["missing"], options[0]
    refused("-C", where, "block", made, "--option", k, status=1, say="not sufficient")
    doc = one("-C", where, "block", made, "--option", k, "--override", "the director said so")
    (shown,) = weir("-C", where, "blocks", json_out=True)[0]
    assert doc["override"] == shown["override"] == "the director said so", (doc, shown)
    assert "the director said so" in weir("-C", where, "blocks")[0] + weir("-C", where, "why", doc["id"])[0]
    clean(where)


def test_what_was_withdrawn_cannot_be_confirmed():
    """A waiting order that somebody undid, or whose time is over, is no second person's to bring into force."""
    where, made, plan = case()
    given = give(where, made, marked(plan))
    refused("-C", where, "block", made, "--option", marked(plan)["option"], "--confirm", given["id"], "--by", "other", status=1,
            say="does not wait")
    weir("-C", where, "unblock", given["id"])
    for column, value, say in (("undone", 0, "time is over"), ("undone", 1, "undone")):
        with sqlite3.connect(where / "weir.db") as db:  # as a wide one that waited, and then ended so
            db.execute(f"UPDATE orders SET waits = 1, expires = 1, {column} = ?", (value,))
        refused("-C", where, "block", made, "--option", marked(plan)["option"], "--confirm", given["id"], "--by", "other", status=1,
                say=say)
    assert kernel() == ""


def test_confirmed_for_no_longer_than_it_waited_for():
    where, made, plan = case()
    given = give(where, made, marked(plan), "--for", "5m")
    confirm = ("--confirm", given["id"], "--by", "other")
    with sqlite3.connect(where / "weir.db") as db:  # as a wide one that waits
        db.execute("UPDATE orders SET waits = 1")
    refused("-C", where, "block", made, "--option", marked(plan)["option"], *confirm, "--for", "6m", status=1, say="5 min")
    both = give(where, made, marked(plan), *confirm)
    (live,) = weir("-C", where, "blocks", json_out=True)[0]
    assert live["id"] == both["id"] and 290 < live["left_s"] <= 300, live
    assert one("-C", where, "why", both["id"])["confirmed_by"] == "other"
    clean(where)


def test_longer_than_its_plan():
    where, made, plan = case()
    refused("-C", where, "block", made, "--option", marked(plan)["option"], "--for", "20d", status=1, say="longer|lifetime|last")


# ---- the round ----


def test_dry_run_changes_nothing():
    where, made, plan = case()
    doc = give(where, made, marked(plan), "--dry-run")
    assert doc["dry_run"] and doc["id"] is None and ATTACKER in doc["change"]["nft"], doc
    assert ATTACKER in weir("-C", where, "block", made, "--option", marked(plan)["option"], "--dry-run")[0]
    assert kernel() == "" and weir("-C", where, "blocks", "--all", json_out=True)[0] == []
    before = doc["change"]["nft"].split()[0]
    assert before == "add" or before == "nft", doc


def test_block_and_unblock():
    where, made, plan = case()
    option = marked(plan)
    assert option["sufficient"] and option["needs"] == [] and option["missing"] is None, option
    doc = give(where, made, option, "--for", "10m")
    assert doc["installed"] and len(doc["id"]) == 32 and doc["rules"], doc
    assert ATTACKER in kernel()
    (shown,) = weir("-C", where, "blocks", json_out=True)[0]
    assert shown["id"] == doc["id"] and shown["case"] == made and shown["state"] == "in force", shown
    assert 500 < shown["left_s"] <= 600 and shown["undo"] == f"weir unblock {doc['id'][:12]}", shown
    assert doc["id"][:12] in weir("-C", where, "blocks")[0]
    assert one("-C", where, "reconcile")["missing"] == 0
    undone = one("-C", where, "unblock", doc["id"])
    assert undone["id"] == doc["id"] and kernel() == "", kernel()
    weir("-C", where, "unblock", doc["id"])
    assert weir("-C", where, "blocks", json_out=True)[0] == []
    (old,) = weir("-C", where, "blocks", "--all", json_out=True)[0]
    assert old["state"] == "undone", old
    ledger = weir("-C", where, "ledger", "list")[0]
    assert all(f'"kind":"{k}"' in ledger for k in ("plan", "order", "undo")) and ATTACKER not in ledger, ledger


def test_given_again_it_replaces():
    """Two orders that hold the same would each count what is dropped."""
    where, made, plan = case()
    first = give(where, made, marked(plan), "--for", "5m")
    second = give(where, made, marked(plan), "--for", "10m")
    (live,) = weir("-C", where, "blocks", json_out=True)[0]
    assert live["id"] == second["id"] and live["left_s"] > 300, live
    assert {b["id"]: b["state"] for b in weir("-C", where, "blocks", "--all", json_out=True)[0]} == {
        first["id"]: "undone", second["id"]: "in force"}
    assert f'replaced by {second["id"]}' in weir("-C", where, "ledger", "list")[0]
    shorter = give(where, made, marked(plan), "--for", "1m")
    assert len(weir("-C", where, "blocks", json_out=True)[0]) == 2, "a shorter one replaces nothing"
    one("-C", where, "unblock", shorter["id"])
    assert ATTACKER in kernel()
    clean(where)


def test_another_directory_takes_nothing_out():
    """Where nothing was ever ordered one stands in the wrong directory: ./weir-data of another folder."""
    where, made, plan = case()
    give(where, made, marked(plan))
    other, elsewhere, another = case()
    weir("-C", other, "init")
    refused("-C", other, "reconcile", status=2, say="-C")
    refused("-C", other, "block", elsewhere, "--option", marked(another)["option"], status=2, say="-C")
    assert ATTACKER in kernel() and weir("-C", other, "blocks", "--all", json_out=True)[0] == []
    clean(where)


def test_unblock_a_case():
    where, made, plan = case()
    give(where, made, marked(plan))
    assert not gone()
    weir("-C", where, "unblock", made)
    assert kernel() == ""


def test_expires_by_itself():
    where, made, plan = case()
    give(where, made, marked(plan), "--for", "2s")
    assert not gone()
    until(gone)  # no weir runs: the kernel's own timeout
    assert weir("-C", where, "blocks", json_out=True)[0] == []
    weir("-C", where, "reconcile")
    assert kernel() == "", kernel()


def test_reconcile_mends_a_flush():
    where, made, plan = case()
    give(where, made, marked(plan))
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    assert one("-C", where, "reconcile", "--dry-run", status=1)["missing"] > 0
    assert kernel() == ""
    assert one("-C", where, "reconcile")["added"] > 0
    assert ATTACKER in kernel()
    clean(where)


def test_a_set_of_the_administrator_stays():
    subprocess.run(["nft", "add table ip mine; add set ip mine s { type ipv4_addr; }; add element ip mine s { 192.0.2.77 }"], check=True)
    where, made, plan = case()
    doc = give(where, made, marked(plan))
    one("-C", where, "unblock", doc["id"])
    text = kernel()
    subprocess.run(["nft", "delete table ip mine"], check=True)
    assert "192.0.2.77" in text and "weir" not in text, text


def test_no_permission():
    where, made, plan = case()
    shutil.chown(where, 65534, 65534)
    for root, folders, files in os.walk(where):
        for name in folders + files:
            os.chown(os.path.join(root, name), 65534, 65534)
    os.chmod(TMP, 0o755)
    run = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", WEIR, "-C", where, "block", made, "--option",
                          str(marked(plan)["option"])], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 3 and len(run.stderr.strip().splitlines()) <= 2 and "ermi" in run.stderr, run
    assert kernel() == "" and weir("-C", where, "blocks", "--all", json_out=True)[0] == []


class NoLedger:
    """The ledger cannot be written: its folder is none for a while."""

    def __init__(self, where):
        self.ledger, self.away = pathlib.Path(where) / "ledger", pathlib.Path(where) / "away"

    def __enter__(self):
        self.ledger.rename(self.away)
        self.ledger.write_text("no folder")

    def __exit__(self, *_):
        self.ledger.unlink()
        self.away.rename(self.ledger)


def test_no_ledger():
    """An order that could not be logged is not in force later either; an undo that could not be is in the kernel at once."""
    where, made, plan = case()
    doc = give(where, made, marked(plan))
    with NoLedger(where):
        refused("-C", where, "unblock", doc["id"], status=3, say="ledger")
        assert kernel() == "", kernel()
        refused("-C", where, "block", made, "--option", marked(plan)["option"], status=3, say="ledger")
        assert kernel() == "", kernel()
    one("-C", where, "plan", made)  # logs what waits to be logged
    one("-C", where, "reconcile")
    assert kernel() == "" and weir("-C", where, "blocks", json_out=True)[0] == [], kernel()
    one("-C", where, "ledger", "check")


# ---- the long-lived one ----


def enforcing(where):
    p = subprocess.Popen([WEIR, "-C", where, "enforce", "--tick", "500ms"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    atexit.register(p.kill)  # where a test fails before it ends it
    said = [p.stderr.readline()]
    while said[-1] and "enforcing" not in said[-1]:
        said.append(p.stderr.readline())
    assert "enforcing" in said[-1], said
    return p


def test_enforce_installs_mends_and_leaves():
    where, made, plan = case()
    first = enforcing(where)
    try:
        refused("-C", where, "enforce", status=1, say=str(first.pid))
        doc = give(where, made, marked(plan))
        assert ATTACKER in kernel()
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        until(lambda: ATTACKER in kernel(), 5)
        one("-C", where, "unblock", doc["id"])
        assert gone()
    finally:
        first.send_signal(signal.SIGTERM)
        first.wait(60)
    assert first.returncode == 0 and kernel() == "", kernel()


def test_a_refusal_of_the_enforcer_tells_the_ledger_no_address():
    where, made, plan = case()
    config(where, f'never_block = {{"{ATTACKER}"}}')
    first = enforcing(where)
    try:
        config(where, "")  # the enforcer knows better than whoever orders
        refused("-C", where, "block", made, "--option", marked(plan)["option"], status=1, say="never-block")
        assert ATTACKER not in weir("-C", where, "ledger", "list")[0] and kernel() == ""
    finally:
        first.send_signal(signal.SIGTERM)
        first.wait(60)


def test_killed_and_started_again():
    where, made, plan = case()
    first = enforcing(where)
    give(where, made, marked(plan))
    first.kill()
    first.wait()
    assert ATTACKER in kernel()
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    second = enforcing(where)
    try:
        until(lambda: ATTACKER in kernel(), 5)
        clean(where)
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait(60)


tap.run(sys.modules["__main__"])

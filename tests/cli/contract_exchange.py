#!/usr/bin/env python3
"""The contract of the commands by which networks deal with each other: init, key, ledger, bundle, verify, answer, case
import.  Exit statuses, JSON, which stream, who may read what is written, and that a check changes nothing.

What the bundles say, and hostile ones, are in tests/scenario.  Takes the path of weir.
"""
import base64
import datetime
import functools
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import stat
import subprocess
import sys

from contract_kit import ATTACK, GOOD, IN_LEG, TMP, WEIR, file_of, fresh, pcapmake, recorded, tap, weir

SOURCE = pathlib.Path(os.environ.get("WEIR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
VKEY = re.compile(r"(\S+)\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")
ID = re.compile(r"[0-9a-f]{32}")
VICTIM_SEES = pcapmake.ip("192.0.2.10")


def one(*args, **how):
    """The one JSON document that a command prints."""
    (doc,), _ = weir(*args, json_out=True, **how)
    return doc


def refused(*args, status, say="", **how):
    """A command that ends so, with one line on standard error that says it, and nothing on standard output."""
    out, err = weir(*args, status=status, **how)
    assert not out, f"{args}: {out}"
    assert len(err.splitlines()) == 1 and re.search(say, err), f"{args}: {err!r}"
    return err


def network(name, capture=None):
    where = fresh(name.split(".")[0])
    weir("-C", where, "init", "--name", name)
    if capture:
        weir("-C", where, "record", capture)
    return where


@functools.cache
def exchange():
    """A victim and a relay's network; a case, the request about it and its answer.  Nobody may change them: copy()."""
    frames = pcapmake.relayed_attack(1)
    capture = file_of(pcapmake.capture([f for f in frames if VICTIM_SEES in (f[1][26:30], f[1][30:34])]))
    victim, relay = network("victim.example", capture), network("relay.example", GOOD)
    case = one("-C", victim, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", victim, "bundle", case, "--to", "relay.example", "-o", TMP / "request.weir")
    return victim, relay, case, TMP / "request.weir"


def copy(where):
    to = fresh("copy")
    shutil.copytree(where, to)
    return to


def key_of(where):
    return (where / "keys" / "operator.vkey").read_text().strip()


def copies():
    """(victim, relay, case, request), the directories for the caller's own use."""
    victim, relay, case, request = exchange()
    return copy(victim), copy(relay), case, request


def answered(*verdict):
    """A victim and the answer that came back, and what imports it."""
    victim, relay, case, request = copies()
    path = fresh("answer")
    doc = one("-C", relay, "answer", request, *(verdict or ("--accept", "--disclose", "address")), "--key", key_of(victim),
              "-o", path)
    return victim, relay, case, path, doc


def snapshot(where):
    """Everything in a directory: names, modes, times, bytes.  Not its own time: SQLite makes and removes a file in it."""
    out = {}
    for path in sorted(where.rglob("*")):
        st = path.lstat()
        out[str(path)] = (st.st_mode, st.st_mtime_ns, st.st_ino, path.read_bytes() if stat.S_ISREG(st.st_mode) else None)
    return out


# ---- init, key ----


def test_init_shows_the_keys():
    where = fresh()
    doc = one("-C", where, "init", "--name", "example.com/weir")
    assert doc.keys() == {"operator", "log"}, doc
    assert VKEY.fullmatch(doc["operator"])[1] == "example.com/weir" and VKEY.fullmatch(doc["log"])[1] == "example.com/weir/log"
    assert one("-C", where, "key") == doc
    text, err = weir("-C", where, "key")
    assert text == f"operator  {doc['operator']}\nlog       {doc['log']}\n" and not err
    assert (where / "keys" / "operator.vkey").read_text() == doc["operator"] + "\n"


def test_init_names_itself():
    names = {VKEY.fullmatch(one("-C", fresh(), "init")["operator"])[1] for _ in range(6)}
    assert len(names) == 6 and all(re.fullmatch(r"weir\.invalid/[a-z]{8}", n) for n in names), names


def test_init_twice():
    where = network("example.com")
    before = snapshot(where)
    for args in ((), ("--name", "example.com"), ("--name", "other.example")):
        err = refused("-C", where, "init", *args, status=1, say="example.com")
        assert str(where) in err, err
    assert snapshot(where) == before


def test_init_with_a_name_that_no_key_has_makes_nothing():
    for name in ("a b", "a+b", "\u00e9", "a\x1b[31m", "n" * 201):
        where = fresh()
        refused("-C", where, "init", "--name", name, status=2, say="example.com/weir")
        assert not where.exists(), list(where.rglob("*"))


def test_init_before_and_after_the_first_recording():
    before, after = network("example.com", GOOD), recorded()
    assert one("-C", after, "trace", "--flow", ATTACK)["hops"][0]["verdict"] == "proven"
    weir("-C", after, "init")
    for where in (before, after):
        assert len(weir("-C", where, "flows", json_out=True)[0]) == 14
        case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
        weir("-C", where, "trace", case)
        weir("-C", where, "bundle", case, "-o", fresh("bundle"))
        kinds = [(line["entry"]["kind"], line["entry"].get("claim")) for line in
                 weir("-C", where, "ledger", "list", json_out=True)[0]]
        assert kinds[0] == ("init", None) and sorted(kinds[1:3]) == [("claim", "attack"), ("claim", "link")], kinds


def test_nobody_else_may_read():
    victim, relay, *_ = answered()
    for where in (victim, relay):
        assert stat.S_IMODE(where.stat().st_mode) == 0o700
        public = {where / "ledger", *(where / "ledger").rglob("*")}  # tiles, for whoever serves them
        for path in {*where.rglob("*")} - public:
            assert path.stat().st_mode & 0o077 == 0, (path, oct(path.stat().st_mode))
        for name in ("operator.key", "log.key"):
            assert stat.S_IMODE((where / "keys" / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((where / "keys").stat().st_mode) == 0o700


def test_a_key_that_others_may_read_signs_nothing():
    victim, relay, case, request = copies()
    to = fresh("bundle")
    for where, args in ((victim, ("bundle", case, "-o", to)), (victim, ("key", "rotate")),
                        (relay, ("answer", request, "--accept", "--key", key_of(victim), "-o", to))):
        key = where / "keys" / "operator.key"
        for mode in (0o644, 0o640, 0o604):
            key.chmod(mode)
            err = refused("-C", where, *args, status=2, say="operator.key")
            assert "chmod 600" in err and not to.exists(), err
        key.chmod(0o600)
        weir("-C", where, *args)
        to.unlink(missing_ok=True)


def test_key_rotate():
    where = network("example.com")
    old = one("-C", where, "key")
    for role, other in (("operator", "log"), ("log", "operator")):
        new = one("-C", where, "key", "rotate", role)
        assert new[role] != old[role] and new[role].split("+")[0] == old[role].split("+")[0] and new[other] == old[other]
        entry = weir("-C", where, "ledger", "list", json_out=True)[0][-1]["entry"]
        assert (entry["kind"], entry["role"], entry["old"], entry["new"]) == ("key", role, old[role], new[role]), entry
        assert old[role] in (where / "keys" / "retired.vkeys").read_text()
        old = new
    assert one("-C", where, "key") == old
    assert one("-C", where, "ledger", "check")["whole"] is True
    weir("-C", where, "key", "rotate")
    assert one("-C", where, "key")["log"] == old["log"]


# ---- ledger ----


def test_ledger_json():
    victim, _, case, _ = copies()
    head = one("-C", victim, "ledger")
    assert head.keys() == {"origin", "size", "root", "checkpoint"} and head["origin"] == "victim.example/log", head
    assert head["checkpoint"].startswith(f"{head['origin']}\n{head['size']}\n{head['root']}\n\n\u2014 {head['origin']} ")
    lines = weir("-C", victim, "ledger", "list", json_out=True)[0]
    assert [line["index"] for line in lines] == list(range(head["size"])), lines
    assert [line["entry"]["kind"] for line in lines] == ["init", "claim", "request-sent"], lines
    assert one("-C", victim, "ledger", "entry", 1) == lines[1]
    assert lines[2]["entry"]["peer"] == "relay.example" and lines[1]["entry"]["claim"] == "attack"
    check = one("-C", victim, "ledger", "check")
    assert check.keys() == {"whole", "entries", "tiles", "bytes", "bad", "first_bad"}, check
    assert (check["whole"], check["entries"], check["bad"], check["first_bad"]) == (True, head["size"], 0, ""), check
    more = one("-C", victim, "ledger", "consistency", 1)
    assert (more["old"], more["size"], len(more["hashes"])) == (1, 3, 2), more
    assert one("-C", victim, "ledger", "consistency", 1, 2)["hashes"] == more["hashes"][:1]


def test_ledger_proof_by_number_and_by_id():
    victim, _, _, request = copies()
    request_id = one("verify", request, "--key", key_of(victim))["id"]
    by_number, by_id = (one("-C", victim, "ledger", "proof", what) for what in (2, request_id[:12]))
    assert by_number == by_id and by_number.keys() == {"index", "hashes", "checkpoint", "proof"} and by_id["index"] == 2
    path = fresh("proof")
    out, _ = weir("-C", victim, "ledger", "proof", 2, "-o", path)
    assert not out and path.read_text() == by_id["proof"] == weir("-C", victim, "ledger", "proof", 2)[0]
    entry = weir("-C", victim, "ledger", "entry", 2)[0].split(None, 1)[1].rstrip("\n").encode()
    (sibling,) = map(base64.b64decode, by_id["hashes"])
    leaf = hashlib.sha256(b"\0" + entry).digest()
    root = base64.b64encode(hashlib.sha256(b"\1" + sibling + leaf).digest()).decode()
    assert root == one("-C", victim, "ledger")["root"]


def test_ledger_list_since_until():
    victim, *_ = copies()
    at = [line["entry"]["at"] for line in weir("-C", victim, "ledger", "list", json_out=True)[0]]
    assert at == sorted(at)
    later, _ = weir("-C", victim, "ledger", "list", "--since", at[1], json_out=True)
    assert [line["index"] for line in later] == [1, 2]
    earlier, _ = weir("-C", victim, "ledger", "list", "--until", at[1], json_out=True)
    assert [line["index"] for line in earlier] == [0]


def test_ledger_says_no():
    where = network("example.com")
    for args, status, say in ((("entry", 7), 1, "no entry 7"), (("entry", "x"), 2, "x: not a number"), (("entry",), 2, "number"),
                              (("proof", 7), 1, "no entry 7"), (("proof", "x"), 2, "number"), (("proof", "abcdef0123"), 1, "about"),
                              (("consistency", 1, 9), 1, "1 entries|1 entry"), (("consistency",), 2, "one or two"),
                              (("cosign", TMP / "absent"), 2, "no such file"), (("cosign", GOOD), 2, "note"),
                              (("check", "x"), 2, "--sums"), (("nonsense",), 2, "entry N, list, proof N"),
                              (("list", "x"), 2, "--since")):
        refused("-C", where, "ledger", *args, status=status, say=say)


def test_ledger_damage_is_named():
    where = network("example.com")
    (tile,) = (where / "ledger" / "tile" / "entries").rglob("1")
    data = bytearray(tile.read_bytes())
    data[len(data) // 2] ^= 1
    tile.write_bytes(data)
    doc = one("-C", where, "ledger", "check", status=2)
    assert doc["whole"] is False and doc["bad"] and doc["first_bad"], doc
    text, err = weir("-C", where, "ledger", "check", status=2)
    assert text.startswith("DAMAGED") and doc["first_bad"] in err and len(err.splitlines()) == 1, (text, err)


def test_without_keys():
    where = recorded()
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", where, "trace", case)
    before = snapshot(where)
    _, _, _, request = exchange()
    for args in (("key",), ("key", "rotate"), ("ledger",), ("ledger", "list"), ("ledger", "entry", 0), ("ledger", "proof", 0),
                 ("ledger", "check"), ("ledger", "consistency", 0), ("bundle", case, "-o", TMP / "none.weir"),
                 ("answer", request, "--accept", "-o", TMP / "none.weir")):
        err = refused("-C", where, *args, status=1, say="weir init$")
        assert str(where) in err, err
    assert not (TMP / "none.weir").exists() and snapshot(where) == before


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
    refused("-C", empty, "bundle", unseen, "-o", to, status=1, say="nothing to show")
    assert not to.exists()


# ---- verify ----

REPORT = set("id type from to made not_after sha256 ask reason signer verified why claims here".split())
CLAIM = set("id kind by by_known forwarded says state proven asserted logged why".split())
HERE = set("flow claim seen why as translated searched compared equal log10_e needed trace".split())


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
    assert HERE <= here.keys() and here["seen"] == "confirmed" and here["flow"] == here["as"]["flow"] == ATTACK, here
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
    assert here["seen"] == "confirmed" and here["flow"] == ATTACK, here


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


def test_verify_in_a_directory_that_cannot_be_written():
    victim, relay, _, request = copies()
    mount = f'mount --bind "{relay}" "{relay}" && mount -o remount,bind,ro "{relay}"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False, capture_output=True).returncode:
        raise tap.Skip("cannot mount")
    script = (f'{mount} && "{WEIR}" -C "{relay}" --json verify "{request}" --key {key_of(victim)}; echo $?; '
              f'"{WEIR}" -C "{relay}" answer "{request}" --accept --key {key_of(victim)} -o "{TMP}/ro.weir"; echo $?; '
              f'"{WEIR}" -C "{relay}" key rotate; echo $?')
    run = subprocess.run(["unshare", "-rm", "sh", "-c", script], check=True, capture_output=True, text=True)
    doc, verified, refused_, rotated = run.stdout.splitlines()
    assert json.loads(doc)["here"][0]["seen"] == "confirmed" and verified == "0", run
    assert (refused_, rotated) == ("3", "3") and not (TMP / "ro.weir").exists(), run
    assert len(run.stderr.splitlines()) == 2 and run.stderr.count("ead-only") == 2, run.stderr


# ---- answer, case import ----


def test_answer_json():
    victim, relay, _, path, doc = answered()
    assert doc.keys() == {"id", "file", "reply_to", "to", "verdict", "claims", "case"}, doc
    request = one("verify", exchange()[3], "--key", key_of(victim))
    assert (doc["to"], doc["reply_to"], doc["verdict"], doc["claims"]) == ("victim.example", request["id"], "accepted", 2), doc
    assert doc["file"] == str(path) and one("verify", path, "--key", key_of(relay))["id"] == doc["id"]
    case = one("-C", relay, "case", "show", doc["case"])
    assert [s["flow"] for s in case["sightings"]] == [ATTACK] and len(case["claims"]) == 2, case


def test_answer_discloses_as_far_as_it_is_told():
    for level, flows in (("address", {ATTACK, IN_LEG}), ("network", {ATTACK, IN_LEG.replace("198.51.100.7:41000", "198.51.100.0/24")}),
                         ("nothing", set())):
        _, relay, _, path, doc = answered("--accept", "--disclose", level)
        claims = one("verify", path, "--key", key_of(relay))["claims"]
        said = " ".join(c["says"] for c in claims)
        assert len(claims) == doc["claims"] and all(f in said for f in flows), said
        assert (IN_LEG.split()[1] in path.read_bytes().decode("latin-1")) == (level == "address"), level


def test_answer_says_no():
    victim, relay, _, request = copies()
    to, key = fresh("answer"), ("--key", key_of(victim))
    for args, status, say in (((request, *key, "-o", to), 2, "one of --accept, --doubt WHY, --refuse WHY"),
                              ((request, "--accept", "--doubt", "x", *key, "-o", to), 2, "one of"),
                              ((request, "--accept", *key), 2, "-o FILE"), (("--accept", *key, "-o", to), 2, "one FILE"),
                              ((request, "--accept", "--disclose", "all", *key, "-o", to), 2, "network, address or nothing"),
                              ((request, "--doubt", "", *key, "-o", to), 2, "--doubt"),
                              ((request, "--doubt", "x" * 401, *key, "-o", to), 2, "400"),
                              ((request, "--doubt", "a\nb", *key, "-o", to), 2, "one line"),
                              ((request, "--doubt", "\x1b[31m", *key, "-o", to), 2, "one line"),
                              ((request, "--accept", "-o", to), 1, "not verified, and not answered: .*--key"),
                              ((GOOD, "--accept", *key, "-o", to), 2, "tar")):
        refused("-C", relay, "answer", *args, status=status, say=say)
        assert not to.exists()
    refused("-C", victim, "answer", request, "--accept", *key, "-o", to, status=1, say="it is for relay.example")
    assert [e["entry"]["kind"] for e in weir("-C", relay, "ledger", "list", json_out=True)[0]] == ["init"]


def test_a_request_is_answered_once():
    victim, relay, _, request = copies()
    for status in (0, 1):
        to = fresh("answer")
        weir("-C", relay, "answer", request, "--doubt", "too short", "--key", key_of(victim), "-o", to, status=status)
        assert to.exists() == (status == 0)


def test_what_failed_can_be_done_again():
    """The request is entered before the answer goes out, and the claims before the answer that brought them."""
    victim, relay, case, request = copies()
    to, key = fresh("answer"), ("--accept", "--key", key_of(victim))
    refused("-C", relay, "answer", request, *key, "-o", TMP / "absent" / "x", status=3, say="absent/x")
    weir("-C", relay, "answer", request, *key, "-o", to)
    kinds = [e["entry"]["kind"] for e in weir("-C", relay, "ledger", "list", json_out=True)[0]]
    assert kinds.count("request-received") == kinds.count("answer-sent") == 1, kinds
    for most in (0, 2000, 6000, 12000, 20000):
        run = subprocess.run([WEIR, "-C", victim, "case", "import", to, "--key", key_of(relay)], **limited(most))
        assert run.returncode == 3 and not run.stdout and len(run.stderr.splitlines()) == 1, (most, run)
    assert len(one("-C", victim, "case", "import", to, "--key", key_of(relay))["hops"]) == 1
    assert len(one("-C", victim, "case", "show", case)["claims"]) == 4


def test_import_json():
    victim, relay, case, path, given = answered()
    doc = one("-C", victim, "case", "import", path, "--key", key_of(relay))
    assert doc.keys() == {"id", "case", "from", "verdict", "reason", "reply_to", "hops", "ends"}, doc
    assert (doc["id"], doc["case"], doc["from"], doc["verdict"], doc["reason"]) == (
        given["id"], case, "relay.example", "accepted", None), doc
    (hop,) = doc["hops"]
    fields = set("relay in out from hidden agreement log10_e needed searched lag_ms bursts".split())
    assert hop.keys() == fields and (hop["relay"], hop["in"], hop["out"]) == ("203.0.113.10", IN_LEG, ATTACK), hop
    assert hop["from"] == "198.51.100.7" and hop["hidden"] is False and hop["searched"] == 13, hop
    assert doc["ends"].keys() == {"host", "why"} and doc["ends"]["host"] == "198.51.100.7", doc
    claims = one("-C", victim, "case", "show", case)["claims"]
    assert sorted((c["kind"], c["by"]) for c in claims) == [("attack", ""), ("link", "relay.example"), ("seen", "relay.example")]
    again = refused("-C", victim, "case", "import", path, "--key", key_of(relay), status=1, say="not taken: .*came before")
    assert str(path) in again


def test_import_of_a_network_a_doubt_and_a_refusal():
    for verdict, ends, reason in ((("--accept",), {"network"}, None), (("--doubt", "too short", "--disclose", "nothing"), None, "too short"),
                                  (("--refuse", "no ground", "--disclose", "nothing"), None, "no ground")):
        victim, relay, _, path, _ = answered(*verdict)
        doc = one("-C", victim, "case", "import", path, "--key", key_of(relay))
        assert doc["reason"] == reason and bool(doc["hops"]) == (ends is not None), doc
        assert (doc["ends"] is None) == (ends is None) and (ends is None or ends < doc["ends"].keys()), doc


def test_import_says_no():
    victim, relay, _, path, _ = answered()
    before = weir("-C", victim, "ledger", "list", json_out=True)[0]
    for args, status, say in (((), 2, "one FILE"), ((TMP / "absent",), 2, "no such file"), ((GOOD,), 2, "tar"),
                              ((path,), 1, "not taken: signed by relay.example"),
                              ((exchange()[3], "--key", key_of(relay)), 1, "not taken")):
        refused("-C", victim, "case", "import", *args, status=status, say=say)
    assert weir("-C", victim, "ledger", "list", json_out=True)[0] == before
    refused("-C", network("other.example"), "case", "import", path, "--key", key_of(relay), status=1, say="victim.example")


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


def limited(bytes_):
    """Runs a command that may write no file longer than so many bytes: a full disk that needs no mount."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
    return {"preexec_fn": limit, "restore_signals": False, "capture_output": True, "text": True, "check": False, "timeout": 60}


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
    weir("-C", where, "verify", request, "--key", key)
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

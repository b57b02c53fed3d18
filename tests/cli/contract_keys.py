#!/usr/bin/env python3
"""The contract of init, key and ledger: exit statuses, JSON, who may read what is kept, what is said of damage.

Takes the path of weir.
"""
import base64
import functools
import hashlib
import re
import shutil
import stat
import subprocess
import sys

from contract_kit import (ATTACK, GOOD, TMP, answered, copies, copy, exchange, fresh, key_of, network, one, recorded, refused,
                          snapshot, tap, weir)

VKEY = re.compile(r"(\S+)\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")


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


def cosigned(checkpoint, at):
    """A checkpoint with the line of a witness whom nobody knows (c2sp.org/tlog-cosignature)."""
    secret, text, signature = (fresh(what) for what in ("secret", "text", "signature"))
    openssl = functools.partial(subprocess.run, check=True, capture_output=True)
    openssl(["openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", secret])
    public = openssl(["openssl", "pkey", "-in", secret, "-inform", "DER", "-pubout", "-outform", "DER"]).stdout[-32:]
    body = checkpoint.split("\n\n")[0] + "\n"
    text.write_text(f"cosignature/v1\ntime {at}\n{body}")
    openssl(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", secret, "-keyform", "DER", "-in", text, "-out", signature])
    key_id = hashlib.sha256(b"witness.example\n\x04" + public).digest()[:4]
    line = base64.b64encode(key_id + at.to_bytes(8, "big") + signature.read_bytes()).decode()
    return checkpoint + f"\u2014 witness.example {line}\n"


def test_ledger_keeps_cosignatures():
    victim, *_ = copies()
    head = one("-C", victim, "ledger")
    note = fresh("note")
    note.write_text(cosigned(head["checkpoint"], 1795000000))
    kept = one("-C", victim, "ledger", "cosign", note)
    assert kept == {**head, "checkpoint": note.read_text()} == one("-C", victim, "ledger"), kept
    assert one("-C", victim, "ledger", "proof", 0)["checkpoint"] == note.read_text()
    other = network("example.com")
    refused("-C", other, "ledger", "cosign", note, status=1, say="victim.example|not signed")
    note.write_text(head["checkpoint"])
    refused("-C", victim, "ledger", "cosign", note, status=1, say="no witness")


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


def test_a_ledger_that_is_older_than_the_database():
    """Restored from a backup, keys and all, it agrees with itself; what was entered since is missed by weir.db."""
    victim, _, case, _ = exchange()
    where, backup = copy(victim), copy(victim)
    weir("-C", where, "bundle", case, "-o", fresh("bundle"))
    (last,) = [x for x in one("-C", where, "case", "show", case)["exchanges"][1:]]
    for name in ("ledger", "keys"):
        shutil.rmtree(where / name)
        shutil.copytree(backup / name, where / name)
    assert one("-C", where, "ledger", "check")["whole"] is True
    before, to = snapshot(where / "ledger"), fresh("bundle")
    refused("-C", where, "bundle", case, "-o", to, status=2, say="is older than weir.db.*nothing is signed")
    assert not to.exists() and {k: v[3] for k, v in snapshot(where / "ledger").items()} == {k: v[3] for k, v in before.items()}
    text, _ = weir("-C", where, "why", last["id"])
    assert "was to say it, and does NOT" in text, text


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


tap.run(sys.modules["__main__"])

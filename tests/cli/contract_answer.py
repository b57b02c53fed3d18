#!/usr/bin/env python3
"""The contract of answer and case import: exit statuses, JSON, how much is told, whose key is taken for what, and what a case
shows of the bundles that went and came.

bundle and verify: contract_exchange.py.  Takes the path of weir.
"""
import hashlib
import os
import stat
import subprocess
import sys

from contract_kit import (ATTACK, GOOD, IN_LEG, TMP, WEIR, answered, copies, exchange, fresh, key_of, limited, network, one, refused,
                          tap, weir)


# ---- answer ----


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


def test_who_does_not_accept_tells_nothing_unless_he_says_so():
    for verdict, told in ((("--accept",), ["link", "origin", "seen"]), (("--doubt", "x"), []), (("--refuse", "x"), []),
                          (("--doubt", "x", "--disclose", "address"), ["link", "seen"])):
        _, relay, _, path, _ = answered(*verdict)
        assert sorted(c["kind"] for c in one("verify", path, "--key", key_of(relay))["claims"]) == told, verdict


def test_who_is_asked_again_about_what_he_told_answers_again():
    """The flow that was asked about and the one that the forwarded answer saw are one: it is told once."""
    victim, relay, case, path, _ = answered("--accept")
    weir("-C", victim, "case", "import", path, "--key", key_of(relay))
    again, to = fresh("again"), fresh("more")
    weir("-C", victim, "bundle", case, "--to", "relay.example", "-o", again)
    weir("-C", relay, "answer", again, "--accept", "--disclose", "address", "--key", key_of(victim), "-o", to)
    doc = one("-C", victim, "case", "import", to, "--key", key_of(relay))
    assert doc["hops"][0]["in"]["flow"] == IN_LEG and doc["ends"]["host"] == IN_LEG.split()[1].rsplit(":", 1)[0], doc


def test_who_is_asked_to_confirm_tells_no_link_unless_he_says_so():
    for more, told in (((), ["seen"]), (("--disclose", "address"), ["link", "seen"])):
        victim, relay, case, _ = copies()
        request, to = fresh("confirm"), fresh("answer")
        weir("-C", victim, "bundle", case, "--ask", "confirm", "-o", request)
        weir("-C", relay, "answer", request, "--accept", *more, "--key", key_of(victim), "-o", to)
        assert sorted(c["kind"] for c in one("verify", to, "--key", key_of(relay))["claims"]) == told, more


def test_a_network_is_never_told_narrower_than_its_24():
    for own, told in (("198.51.0.0/16", "198.51.0.0/16"), ("198.51.100.0/28", "198.51.100.0/24"), ("192.0.2.0/24", "198.51.100.0/24")):
        victim, relay, _, request = copies()
        (relay / "weir.conf").write_text(f'own_networks = {{ "{own}", "203.0.113.0/24" }}\n')
        path = fresh("answer")
        weir("-C", relay, "answer", request, "--accept", "--key", key_of(victim), "-o", path)
        doc = one("-C", victim, "case", "import", path, "--key", key_of(relay))
        assert doc["ends"]["network"] == doc["hops"][0]["from"] == told and doc["ends"]["hops"] == 0, doc


def test_where_an_answer_goes():
    """A file of the owner's alone, or nothing is done at all."""
    victim, relay, case, request = copies()
    key, to = ("--key", key_of(victim)), fresh("answer")
    there = fresh("pipe")
    os.mkfifo(there)
    for path in (there, TMP, "/dev/null"):
        refused("-C", relay, "answer", request, "--accept", *key, "-o", path, status=2, say="not a file that could be replaced")
        refused("-C", victim, "bundle", case, "-o", path, status=2, say="not a file that could be replaced")
    kinds = [e["entry"]["kind"] for e in weir("-C", relay, "ledger", "list", json_out=True)[0]]
    assert "answer-sent" not in kinds, kinds
    weir("-C", relay, "answer", request, "--accept", *key, "-o", to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600


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


def test_an_answer_without_a_recording_says_so():
    victim, _, _, request = exchange()
    where, to = network("relay.example"), fresh("answer")
    _, err = weir("-C", where, "answer", request, "--accept", "--key", key_of(victim), "-o", to)
    assert err == f"weir: {where}: holds no recording yet\n", err
    assert one("verify", to, "--key", key_of(where))["claims"] == []


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


# ---- case import ----


def test_import_json():
    victim, relay, case, path, given = answered()
    doc = one("-C", victim, "case", "import", path, "--key", key_of(relay))
    assert doc.keys() == {"id", "case", "from", "verdict", "reason", "reply_to", "hops", "ends"}, doc
    assert (doc["id"], doc["case"], doc["from"], doc["verdict"], doc["reason"]) == (
        given["id"], case, "relay.example", "accepted", None), doc
    (hop,) = doc["hops"]
    fields = set("id relay in out from hidden agreement translated verdict rivals log10_e needed searched lag_ms bursts".split())
    assert hop.keys() == fields and (hop["relay"], hop["in"]["flow"], hop["out"]["flow"]) == ("203.0.113.10", IN_LEG, ATTACK), hop
    assert hop["from"] == "198.51.100.7" and hop["hidden"] is False and hop["searched"] == 13, hop
    assert (hop["translated"], hop["verdict"], hop["rivals"]) == (False, "proven", []), hop
    assert doc["ends"].keys() == {"host", "kind", "why"} and doc["ends"]["host"] == "198.51.100.7", doc
    claims = one("-C", victim, "case", "show", case)["claims"]
    (link,) = [c for c in claims if c["kind"] == "link"]
    assert link["id"] == hop["id"] and link["body"]["v"] == 1, link
    for leg in ("in", "out"):
        assert hop[leg]["id"] == link["body"][leg]["train"][:32], hop
    (told,) = one("-C", victim, "trace", case, status=1)["reported"]
    assert told.keys() == set("id by relay in out verdict log10_e needed searched".split()), told
    assert all(told[k] == hop[k] for k in ("id", "relay", "in", "out", "verdict", "log10_e", "needed", "searched")), told
    assert sorted((c["kind"], c["by"]) for c in claims) == [("attack", ""), ("link", "relay.example"), ("seen", "relay.example")]
    again = refused("-C", victim, "case", "import", path, "--key", key_of(relay), status=1, say="not taken: .*came before")
    assert str(path) in again


def test_import_of_a_network_a_doubt_and_a_refusal():
    for verdict, ends, reason in ((("--accept",), {"network", "kind", "why", "hops"}, None), (("--doubt", "too short"), None, "too short"),
                                  (("--refuse", "no ground", "--disclose", "address"), None, "no ground")):
        victim, relay, case, path, _ = answered(*verdict)
        doc = one("-C", victim, "case", "import", path, "--key", key_of(relay))
        assert doc["reason"] == reason and bool(doc["hops"]) == (ends is not None), doc
        assert doc["ends"] is None if ends is None else doc["ends"].keys() == ends, doc
        kinds = {c["kind"] for c in one("-C", victim, "case", "show", case)["claims"]}
        assert kinds == ({"attack"} if ends is None else {"attack", "seen", "link", "origin"}), "taken of an answer that accepts only"


def test_a_key_that_was_asked_is_trusted_with_that_answer_alone():
    victim, relay, case, first = copies()
    request, to, other, asks = (fresh("bundle") for _ in range(4))
    weir("-C", victim, "bundle", case, "--to", key_of(relay), "-o", request)
    for path, answer in ((request, to), (first, other)):
        weir("-C", relay, "answer", path, "--accept", "--key", key_of(victim), "-o", answer)
    stranger = "signed by relay.example with key [0-9a-f]{8}, whom you were not told to trust"
    refused("-C", victim, "case", "import", other, status=1, say=stranger)
    weir("-C", relay, "bundle", one("-C", relay, "case", "open", "--flow", ATTACK)["id"], "--to", "victim.example", "-o", asks)
    refused("-C", victim, "answer", asks, "--doubt", "x", "-o", fresh("answer"), status=1, say=stranger)
    assert one("-C", victim, "verify", asks, status=1)["signer"]["known"] is False
    assert len(one("-C", victim, "case", "import", to)["hops"]) == 1


def test_a_case_shows_the_bundles_that_went_and_came():
    victim, relay, case, path, given = answered()
    weir("-C", victim, "case", "import", path, "--key", key_of(relay))
    sent, came = one("-C", victim, "case", "show", case)["exchanges"]
    fields = set("id type way peer made not_after sha256 ask verdict reason reply_to".split())
    assert sent.keys() == came.keys() == fields, sent
    assert [sent[k] for k in ("type", "way", "peer", "ask", "verdict", "reply_to")] == [
        "request", "sent", "relay.example", "trace", "", None], sent
    assert [came[k] for k in ("id", "type", "way", "peer", "verdict", "reason", "reply_to")] == [
        given["id"], "answer", "received", "relay.example", "accepted", "", sent["id"]], came
    assert came["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    (ours,) = [x for x in one("-C", relay, "case", "show", given["case"])["exchanges"] if x["type"] == "answer"]
    assert (ours["way"], ours["peer"], ours["sha256"]) == ("sent", "victim.example", came["sha256"]), ours
    text, _ = weir("-C", victim, "case", "show", case)
    assert f"answer {given['id'][:12]}  from relay.example, " in text, text
    why = one("-C", victim, "why", given["id"])
    assert why.keys() == fields | {"case", "logged"} and [x["kind"] for x in why["logged"]] == ["answer-received"], why


def test_why_computes_a_link_again():
    victim, relay, case, path, _ = answered()
    (hop,) = one("-C", victim, "case", "import", path, "--key", key_of(relay))["hops"]
    text, _ = weir("-C", victim, "why", hop["id"])
    assert "(13 flows searched, by the word of relay.example)" in text.replace("log10", ""), text
    assert "computed again just now from the trains kept here: the same\n" in text, text
    assert "inclusion proven just now" in text, text


def test_import_says_no():
    victim, relay, _, path, _ = answered()
    before = weir("-C", victim, "ledger", "list", json_out=True)[0]
    for args, status, say in (((), 2, "one FILE"), ((TMP / "absent",), 2, "no such file"), ((GOOD,), 2, "tar"),
                              ((path,), 1, "not taken: signed by relay.example"),
                              ((exchange()[3], "--key", key_of(relay)), 1, "not taken")):
        refused("-C", victim, "case", "import", *args, status=status, say=say)
    assert weir("-C", victim, "ledger", "list", json_out=True)[0] == before
    refused("-C", network("other.example"), "case", "import", path, "--key", key_of(relay), status=1, say="victim.example")


tap.run(sys.modules["__main__"])

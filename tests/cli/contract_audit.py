#!/usr/bin/env python3
"""The contract of audit, and what its finding does to trace and scan: exit statuses, JSON, which stream, what a person
sees.

What is drawn, and verdicts on made recordings: tests/trace/test_audit.c.  Takes the path of weir.
"""
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys

from contract_kit import ATTACK, WEIR, file_of, fresh, one, pcapmake, recorded, refused, tap, weir

HOUR = 3600


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def finding(able, *reached, alpha="9.9999999999999995e-07", searchable=1, lift=None):
    """The bytes of DIR/audit after so many able pairs of each kind, of which so many reached 10^1, 10^2, ..."""
    more = f"lift {lift}\n" if lift else ""
    part = f"{able} {able}" + "".join(f" {n}" for n in reached)
    body = (f"weir-audit/v1\nmade 1795000000000000\nseed 1\nwanted 0\nalpha {alpha}\nflows 10\nhosts 10\n"
            f"searchable {searchable}\nproven 0\nmax 3.5\nminutes {part}\nfree {part}\n{more}").encode()
    return body + b"crc32c %08x\n" % crc32c(body)


MILD = finding(1000000, 158489, 25118, 3981, 630, 100)  # decays by 10^-0.8


def hours():
    """Typed sessions of 2 min, two in each of 26 hours, between hosts of networks of their own."""
    frames = []
    for i in range(52):
        t = 1795000000 + i // 2 * HOUR + i % 2 * 240
        for n, gap in enumerate(typing(i, 120)):
            ends = (f"20.{i}.0.1", 30000 + i, f"120.{i}.0.1", 22)
            frames.append((t + gap, ends, n, 36))
    return capture(frames)


def typing(seed, seconds):
    state, t = seed * 2654435761 + 12345, 0.0
    while t < seconds:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        u = (state >> 33) / 2 ** 31
        t += 0.15 + 0.4 * u + (2.5 if state >> 40 & 15 == 0 else 0)
        yield t


def capture(frames):
    """Keys and their answers, as TCP with payload."""
    out = []
    for t, (a, ap, b, bp), n, size in frames:
        out.append((t, packet(a, ap, b, bp, 1000 + n * size, b"k" * size)))
        out.append((t + 0.04 + n * 7 % 11 / 1000, packet(b, bp, a, ap, 5000 + n * size, b"a" * size)))
    out.sort(key=lambda x: x[0])
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(struct.pack("<IIII", int(t), int(t % 1 * 1e6), len(p), len(p)) + p for t, p in out)


def packet(a, ap, b, bp, seq, data):
    tcp = struct.pack(">HHIIBBHHH", ap, bp, seq, 1, 5 << 4, 0x18, 65535, 0, 0) + data
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, pcapmake.ip(a), pcapmake.ip(b))
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + ip + tcp


def checksum(head):
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


HOURS = file_of(hours())


# ---- the document ----


def test_json_has_what_the_manual_says():
    doc = one("-C", recorded(HOURS), "audit", "--pairs", 1200)
    assert doc.keys() == {"pairs", "flows", "hosts", "able", "rows", "moved", "max_log10_e", "largest_fair", "largest_flawed",
                          "worst", "proven", "verdict", "services", "alpha", "decay", "alpha_most", "corrected_alpha", "seed",
                          "made", "stopped", "stands"}, doc.keys()
    assert abs(10 ** (doc["largest_fair"] - 2) - doc["able"]) < 1e-6 and doc["largest_flawed"] is False
    assert len(doc["worst"]) == min(5, doc["rows"][0]["reached"])
    assert doc["stands"] == {"made": doc["made"], "verdict": "holds", "able": doc["able"], "alpha_most": 1,
                             "corrected_alpha": 1e-6, "lift": None}
    assert doc["pairs"] == 1200 and doc["flows"] == 52 and doc["hosts"] == 104
    assert 459 <= doc["able"] <= 1200 and doc["verdict"] == "holds" and doc["proven"] == 0
    assert [m["by"] for m in doc["moved"]] == ["whole minutes", "any distance"]
    assert sum(m["pairs"] for m in doc["moved"]) == doc["pairs"] and sum(m["able"] for m in doc["moved"]) == doc["able"]
    assert doc["alpha_most"] == 1 and doc["corrected_alpha"] == doc["alpha"] == 1e-6 and doc["decay"] == 1
    for rows in (doc["rows"], *(m["rows"] for m in doc["moved"])):
        assert [r["k"] for r in rows] == [1, 2, 3, 4, 5]
        for r in rows:
            assert r.keys() == {"k", "reached", "share", "lower", "upper", "nominal", "flawed"}
            assert 0 <= r["lower"] <= r["share"] <= r["upper"] <= 1 and abs(r["nominal"] * 10 ** r["k"] - 1) < 1e-9
            assert r["flawed"] == (r["lower"] > r["nominal"] and r["reached"] >= 2)
    assert doc["stopped"] is False and doc["services"] == []


def test_the_seed_decides():
    where = recorded(HOURS)
    docs = [one("-C", where, "audit", "--pairs", 600, "--seed", seed) for seed in (3, 3, 4, 5, 6, 7)]
    for doc in docs:
        del doc["made"], doc["seed"], doc["stands"]
    assert docs[0] == docs[1] and any(doc != docs[0] for doc in docs)


def test_for_people_in_80_columns():
    where = recorded(HOURS)
    for locale, marks in (("C.UTF-8", "│▽·"), ("C", "|v.")):
        out, err = weir("-C", where, "audit", "--pairs", 1200, env={"LC_ALL": locale})
        assert not err and all(len(line) <= 80 and line == line.rstrip() for line in out.splitlines()), out
        plot = out.split("moved by ")[0]
        assert all(m in plot for m in marks) and plot.isascii() == (locale == "C"), plot
        assert re.search(r"1,200 pairs that cannot be links \(52 flows, 104 hosts\);\n[\d,]+ could have reached 10\n", out)
        assert "The null holds on this traffic" in out and "among so many chance gives more than" in out and re.search(r"any distance +600 +[\d,]+ +\d+ 0 0 0 0\n", out)


def alike():
    """The same sessions, but all of them typed alike: what cannot be a link looks like one."""
    frames = []
    for i in range(52):
        t = 1795000000 + i // 2 * HOUR + i % 2 * 240
        frames += [(t + gap, (f"20.{i}.0.1", 30000 + i, f"120.{i}.0.1", 22), n, 36) for n, gap in enumerate(typing(7, 120))]
    return capture(frames)


def test_who_it_was_is_named():
    where = recorded(file_of(alike()))
    (doc,), _ = weir("-C", where, "audit", "--pairs", 1200, status=1, json_out=True)
    assert doc["verdict"] == "does not hold" and doc["largest_flawed"] and doc["max_log10_e"] > doc["largest_fair"]
    worst = doc["worst"]
    assert len(worst) == 5 and worst[0]["log10_e"] == doc["max_log10_e"]
    assert [w["log10_e"] for w in worst] == sorted((w["log10_e"] for w in worst), reverse=True)
    out, _ = weir("-C", where, "audit", "--pairs", 1200, status=1)
    assert all(len(line) <= 80 for line in out.splitlines()), out
    for w in worst:
        for leg in (w["in"], w["out"]):
            (flow,) = (f for f in weir("-C", where, "flows", json_out=True)[0] if f["id"] == leg["id"])
            assert (flow["flow"], flow["point"], flow["first"]) == (leg["flow"], leg["point"], leg["first"]), (flow, leg)
        assert abs(w["moved_s"]) >= 60 and w["in"]["id"] != w["out"]["id"], w
        named = (rf"10\^{w['log10_e']:.1f} +in +{w['in']['id'][:12]}  {re.escape(w['in']['flow'])}\n"
                 rf" +out +{w['out']['id'][:12]}  {re.escape(w['out']['flow'])}\n"
                 rf" +OUT moved by {re.escape('%+.3f' % w['moved_s'])} s; seen at point {w['out']['point']}\n")
        assert re.search(named, out), (named, out)
    # what stands is at once what was found, and a smaller one that fails as badly changes nothing of it
    assert doc["stands"]["verdict"] == "does not hold" and doc["stands"]["lift"] == doc["able"]
    again = one("-C", where, "audit", "--pairs", 600, status=1)
    assert again["able"] < doc["able"] and again["stands"]["lift"] == doc["able"], again["stands"]


def test_too_little_traffic():
    where = recorded(HOURS)
    (doc,), err = weir("-C", where, "audit", "--pairs", 100, status=2, json_out=True)
    assert doc["verdict"] == "too little traffic to tell" and doc["pairs"] == 100 and "too little" in err
    out, _ = weir("-C", where, "audit", "--pairs", 100, status=2)
    assert "Too little traffic to tell" in out and all(len(line) <= 80 for line in out.splitlines())
    assert not (where / "audit").exists(), "which is no finding"


def test_nothing_to_draw():
    refused("-C", recorded(), "audit", status=2, say="no pair to draw")
    where = fresh()
    where.mkdir()
    weir("-C", where, "audit", status=2)


def test_usage():
    where = recorded()
    refused("-C", where, "audit", "more", status=2, say="takes options only")
    refused("-C", where, "audit", "--pairs", "x", status=2, say="--pairs")
    refused("-C", where, "audit", "--pairs", "2000000000", status=2, say="at most")
    refused("-C", where, "audit", "--nonsense", status=2, say="unknown option")


def test_a_time_may_be_given():
    where = recorded(HOURS)
    doc = one("-C", where, "audit", "--pairs", 600, "--until", 1795000000 + 13 * HOUR)
    assert doc["flows"] == 26, doc["flows"]


def test_an_interrupt_keeps_what_it_has():
    where = recorded(HOURS)
    run = subprocess.Popen([WEIR, "-C", where, "--json", "audit", "--pairs", "100000000"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode in (0, 2, -signal.SIGINT), run.returncode  # sooner, it is simply ended


# ---- what it does to the others ----


def proven(where, *args, status=0):
    doc = one("-C", where, "trace", "--flow", ATTACK, *args, status=status)
    return doc["hops"][0]["verdict"], doc["hops"][0].get("reason", "")


def test_a_finding_withholds_until_alpha_is_corrected():
    where = recorded()
    assert proven(where)[0] == "proven"
    (where / "audit").write_bytes(MILD)
    verdict, reason = proven(where, status=1)
    assert verdict == "undecidable" and "audit" in reason, reason
    assert weir("-C", where, "scan", json_out=True)[0] == []
    assert [x["reason"] for x in weir("-C", where, "scan", "--all", json_out=True)[0] if "audit" in x.get("reason", "")]
    out, _ = weir("-C", where, "trace", "--flow", ATTACK, status=1)
    assert "audit" in out
    assert proven(where, "--alpha", "1e-7", status=1)[0] == "undecidable"
    assert proven(where, "--alpha", "1e-9")[0] == "proven"
    assert len(weir("-C", where, "scan", "--alpha", "1e-9", json_out=True)[0]) == 1
    (where / "weir.conf").write_text("alpha = 1e-9\n")
    assert proven(where)[0] == "proven"


def test_a_plan_rests_on_nothing_then():
    where = recorded()
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    for finding_first in (True, False):  # a link that was claimed before the audit is traced anew, too
        if not finding_first:
            (where / "audit").unlink()
            assert upstream(one("-C", where, "plan", case)) == {True}
        (where / "audit").write_bytes(MILD)
        assert upstream(one("-C", where, "plan", case)) == {False}
        assert "weir audit" in missing_upstream(one("-C", where, "plan", case))


def test_nor_on_a_number_that_is_too_small_for_proof():
    """By alpha_host and alpha_rate a plan asks for less than proof; where numbers are too high that is no evidence."""
    where = recorded()
    number = one("-C", where, "trace", "--flow", ATTACK)["hops"][0]["log10_e"]
    (where / "weir.conf").write_text(f"alpha = 1e-{number + 1:.0f}\n")
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    assert proven(where, status=1)[0] == "insufficient"
    assert True in upstream(one("-C", where, "plan", case))
    (where / "audit").write_bytes(MILD)
    plan = one("-C", where, "plan", case)
    assert upstream(plan) == {False} and "weir audit" in missing_upstream(plan)


def test_what_was_proven_before_is_settled_when_it_is_shown():
    """The claim stays as it was entered; whoever shows it or relies on it says what the audit says of it."""
    where = recorded()
    weir("-C", where, "init")
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    (hop,) = one("-C", where, "trace", case)["hops"]
    plan = one("-C", where, "plan", case)["id"]
    bundle = where / "b.tar"
    number, body = hop["log10_e"], link_of(where, case)["body"]
    assert link_of(where, case)["verdict"] == "proven" and "reason" not in link_of(where, case)
    entries = weir("-C", where, "ledger", json_out=True)[0]
    (where / "audit").write_bytes(MILD)
    for said in (link_of(where, case), one("-C", where, "why", hop["id"]), one("-C", where, "why", plan)["links"][0]):
        assert said["verdict"] == "undecidable" and "audit of 2026-11-18T" in said["reason"], said
        assert "withholds it at alpha 1e-06" in said["reason"] and "would suffice" in said["reason"], said
        assert said["body"] == body and body["verdict"] == "proven"
    for args in (("case", "show", case), ("why", hop["id"]), ("why", plan), ("why", case)):
        out, _ = weir("-C", where, *args)
        assert "NOW UNDECIDABLE: the audit of 2026-11-18T" in out, out
        assert "proven when made" in out or args == ("why", plan), out
        assert "still proven" not in out and "were there no link" not in out, out
    assert one("-C", where, "why", plan)["current"] is False, "a plan that rested on it"
    refused("-C", where, "block", case, "--option", 1, "--dry-run", status=1, say="an audit withholds a link")
    _, err = weir("-C", where, "bundle", case, "-o", bundle)
    assert "is left out: the audit of" in err, err
    told = weir("verify", bundle, "--key", one("-C", where, "key")["operator"], "--key", one("-C", where, "key")["log"],
                json_out=True)[0][0]
    assert {c["kind"] for c in told["claims"]} == {"attack"}, told
    # corrected, the same number suffices, and nothing has to be traced again
    (where / "weir.conf").write_text("alpha = 1e-9\n")
    assert number > 12 and link_of(where, case)["verdict"] == "proven"
    assert one("-C", where, "why", plan)["current"] is True
    (where / "weir.conf").unlink()
    (where / "audit").write_bytes(MILD[:-3])
    assert "cannot be read" in link_of(where, case)["reason"]
    (where / "audit").unlink()
    assert link_of(where, case)["verdict"] == "proven" and weir("-C", where, "why", plan, json_out=True)[0][0]["current"]
    assert [e for e in weir("-C", where, "ledger", json_out=True)[0]][0]["origin"] == entries[0]["origin"]


def link_of(where, case):
    (link,) = (c for c in one("-C", where, "case", "show", case)["claims"] if c["kind"] == "link")
    return link


def missing_upstream(plan):
    (why,) = {o["missing"] for o in plan["options"] if any("from 198.51.100.7/32" in r["rule"] for r in o["rules"])}
    return why


def upstream(plan):
    """Does the evidence suffice for what hits the host behind the relay?"""
    return {o["sufficient"] for o in plan["options"] if any("from 198.51.100.7/32" in r["rule"] for r in o["rules"])}


def test_damaged_or_newer():
    for text, say in ((MILD[:-3], "damaged"), (b"", "damaged"), (b"weir-audit/v2\n", "newer version")):
        where = recorded()
        (where / "audit").write_bytes(text)
        (doc,), err = weir("-C", where, "trace", "--flow", ATTACK, status=1, json_out=True)
        assert doc["hops"][0]["verdict"] == "undecidable"
        assert len(err.splitlines()) == 1 and say in err and "nothing is called proven" in err, err
    where = recorded(HOURS)
    (where / "audit").write_bytes(b"weir-audit/v2\n")
    refused("-C", where, "audit", "--pairs", 1200, status=2, say="newer version")
    (where / "audit").write_bytes(MILD[:-3])
    weir("-C", where, "audit", "--pairs", 1200)
    assert weir("-C", where, "flows")[1] == "" and b"crc32c" in (where / "audit").read_bytes()


def test_only_as_many_pairs_lift_it():
    """What stands decides the exit status, and is said: not what a smaller one finds."""
    where = recorded(HOURS)
    (where / "audit").write_bytes(MILD)
    out, err = weir("-C", where, "audit", "--pairs", 1200, status=1)
    assert "what stands is the audit of 2026-11-18T" in out and "2,000,000 able pairs" in out and not err, out
    assert re.search("only a whole one of at least 2,000,000 able pairs lifts it.\nUntil alpha is corrected", out), out
    assert all(len(line) <= 80 for line in out.splitlines()), out
    (doc,), err = weir("-C", where, "audit", "--pairs", 1200, status=1, json_out=True)
    assert doc["verdict"] == "holds" and doc["alpha_most"] == 1 and "still stands" in err
    stands = doc["stands"]
    assert stands["verdict"] == "does not hold" and stands["able"] == stands["lift"] == 2000000, stands
    assert stands["made"].startswith("2026-11-18T") and stands["alpha_most"] == stands["corrected_alpha"] < 1e-6, stands
    weir("-C", where, "audit", "--pairs", 100, status=2)
    assert (where / "audit").read_bytes() == MILD
    (where / "audit").write_bytes(finding(400, 200, 100, 50))
    _, err = weir("-C", where, "audit", "--pairs", 1200)
    assert err == "" and b" 400" not in (where / "audit").read_bytes()
    (where / "audit").write_bytes(finding(400, 200, 100, 50, lift=1000000))  # it took the place of a larger one
    weir("-C", where, "audit", "--pairs", 1200, status=1)
    assert b"lift 1000000\n" in (where / "audit").read_bytes()


def interrupted(where):
    """An audit that never ends by itself, stopped once it is under way."""
    run = subprocess.Popen([WEIR, "-C", where, "--json", "audit", "--pairs", "100000000"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    while run.poll() is None:
        caught = int(re.search(r"SigCgt:\s*(\w+)", (pathlib.Path("/proc") / str(run.pid) / "status").read_text()).group(1), 16)
        if caught >> (signal.SIGINT - 1) & 1:
            run.send_signal(signal.SIGINT)
            break
    out, err = run.communicate(timeout=60)
    return run.returncode, json.loads(out), err


def test_a_stopped_one_is_no_finding_unless_it_fails():
    where = recorded(HOURS)
    status, doc, _ = interrupted(where)
    assert doc["stands"] is None and not (where / "audit").exists()
    if doc["stopped"]:
        assert status == (0 if doc["verdict"] == "holds" else 2)
    for before in (MILD, MILD[:-3]):
        (where / "audit").write_bytes(before)
        status, doc, err = interrupted(where)
        assert status == (1 if doc["verdict"] == "holds" else 2) and (where / "audit").read_bytes() == before, doc
        assert "stands" in err or doc["verdict"] != "holds", err
        assert (doc["stands"] or {}).get("verdict") == ("does not hold" if before == MILD else None)


def test_the_meant_alpha_stays():
    """Who runs with the corrected alpha is not asked for a smaller one by the next audit."""
    where = recorded(HOURS)
    (where / "audit").write_bytes(MILD)
    (where / "weir.conf").write_text("alpha = 1e-9\n")
    assert one("-C", where, "audit", "--pairs", 1200, status=1)["alpha"] == 1e-6
    (where / "audit").unlink()
    assert one("-C", where, "audit", "--pairs", 1200)["alpha"] == 1e-9


def test_a_full_disk():
    if os.geteuid() == 0 and not os.path.exists("/dev/full"):
        raise tap.Skip("no way to fill a disk here")
    where = recorded(HOURS)
    (where / "audit.new").mkdir()
    weir("-C", where, "audit", "--pairs", 1200, status=3)


tap.run(sys.modules[__name__])

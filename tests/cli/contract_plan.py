#!/usr/bin/env python3
"""The contract of plan, and where plans and blocks show up elsewhere: why, case show, ledger.  Exit statuses, JSON, which
stream, what a person sees.

What a plan says of real traffic: tests/scenario; the picture and the table: test_plan_drawn.py; what blocks do:
contract_block.py.  Takes the path of weir.
"""
import ipaddress
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET

from contract_kit import (ATTACK, IN_LEG, WEIR, answered, fresh, key_of, limited, network, one, recorded, refused, tap, weir)

SOURCE = pathlib.Path(os.environ.get("WEIR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
ID = re.compile(r"[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
RULE = re.compile(r"(drop|rate (\d+)) from (any|[0-9a-f:./]+) to (any|[0-9a-f:./]+) (any|\w+) (any|\d+)")
PROTO = {"tcp": 6, "udp": 17, "icmp": 1, "sctp": 132, "icmp6": 58}
ATTACKER = "203.0.113.10"


def planned(*conf, flow=ATTACK):
    """A directory with the recorded attack and a case of it."""
    where = recorded()
    if conf:
        (where / "weir.conf").write_text("\n".join(conf) + "\n")
    return where, one("-C", where, "case", "open", "--flow", flow)["id"]


def marked(plan):
    (option,) = [o for o in plan["options"] if o["marked"]]
    return option


# ---- the document ----


def test_json_has_what_the_manual_says():
    where, case = planned()
    doc = one("-C", where, "plan", case)
    assert doc.keys() == {"id", "case", "made", "ends", "cases", "attacks", "attacks_all", "window", "erased", "unwilling",
                          "exact", "gap", "options"}
    assert doc["erased"] == 0 and doc["unwilling"] == []
    assert ID.fullmatch(doc["id"]) and doc["case"] == case and TIME.fullmatch(doc["made"])
    assert doc["ends"] is None or ipaddress.ip_network(doc["ends"])
    assert doc["cases"] == 1 and doc["attacks"] == doc["attacks_all"] == 1
    assert doc["window"].keys() == {"from", "to"} and doc["window"]["from"] <= doc["window"]["to"]
    assert doc["exact"] is True and doc["gap"] == 0
    assert len(doc["options"]) >= 2, "never only one"
    assert sum(o["marked"] for o in doc["options"]) == 1


def test_every_option():
    where, case = planned()
    options = one("-C", where, "plan", case)["options"]
    assert [o["option"] for o in options] == list(range(1, len(options) + 1))
    order = [(o["collateral"], o["stops"]) for o in options]
    assert order == sorted(order), order
    for o in options:
        assert o.keys() == {"option", "marked", "stops", "stops_all", "stops_bytes", "collateral", "bystanders", "needs",
                            "sufficient", "missing", "log10_e", "needed", "cost", "returns_by", "for_s", "expires_after",
                            "rules"}, o.keys()
        assert all(0 <= o[k] <= 1 for k in ("stops", "stops_all", "stops_bytes"))
        hit = o["bystanders"]
        assert hit.keys() == {"flows", "peers", "bytes", "own_hosts", "shared"} and hit["shared"] in ("no", "yes", "unknown")
        assert o["collateral"] >= hit["flows"] and (hit["shared"] == "no" or o["collateral"] > hit["flows"]), o
        assert o["cost"].keys() == {"us", "partner", "bystanders"} and all(isinstance(v, str) for v in o["cost"].values())
        assert (o["missing"] is None) == o["sufficient"] and (o["sufficient"] or o["missing"]), o
        assert isinstance(o["needs"], list) and isinstance(o["returns_by"], list) and o["rules"]
        assert o["for_s"] == 3600 and o["expires_after"] == "1h"
        assert {r["place"] for r in o["rules"]} - {"here"} <= set(o["needs"]), o


def test_rules_say_everything():
    where, case = planned()
    for o in one("-C", where, "plan", case)["options"]:
        for r in o["rules"]:
            assert r.keys() == {"rule", "action", "rate", "from", "to", "proto", "port", "place", "nft", "flowspec"}, r
            parts = RULE.fullmatch(r["rule"])
            assert parts, r["rule"]
            assert r["action"] == parts[1].split()[0] and r["rate"] == (int(parts[2]) if parts[2] else None)
            assert (r["from"], r["to"]) == (parts[3], parts[4])
            for side in (r["from"], r["to"]):
                assert side == "any" or ipaddress.ip_network(side)
            assert r["proto"] == (None if parts[5] == "any" else PROTO.get(parts[5], parts[5])), r
            assert r["port"] == (None if parts[6] == "any" else int(parts[6]))
            if r["place"] == "here":
                assert r["nft"] and str(r["from"]).split("/")[0] in r["nft"], r
            assert r["flowspec"] is None or r["from"] == "any" or r["from"] in r["flowspec"], r


def test_one_can_be_enforced_here():
    """The relay's own host sent the flow, and both sides sent: the sighting suffices for one host for an hour."""
    where, case = planned()
    options = one("-C", where, "plan", case)["options"]
    here = [o for o in options if o["sufficient"] and not o["needs"] and o["stops"] > 0]
    assert here and all(any(ATTACKER in r["from"] for r in o["rules"]) or o["stops"] for o in here)
    m = marked({"options": options})
    assert m["sufficient"] and not m["needs"], "what is marked can be done here alone wherever a sufficient one can"


def test_the_same_plan_twice():
    where, case = planned()
    first, second = (one("-C", where, "plan", case) for _ in range(2))
    changing = {"id", "made"}

    def timeless(doc):
        """nft's lines name when they end."""
        rules = [[{k: v for k, v in r.items() if k not in ("nft", "flowspec")} for r in o["rules"]] for o in doc["options"]]
        return [{**{k: v for k, v in doc.items() if k not in changing}}["options"][i] | {"rules": r} for i, r in enumerate(rules)]
    assert timeless(first) == timeless(second)
    assert first["id"] != second["id"] and first["made"] < second["made"]


# ---- its options ----


def test_budget():
    where, case = planned()
    all_ = one("-C", where, "plan", case)["options"]
    for budget in sorted({o["collateral"] for o in all_}):
        some = one("-C", where, "plan", case, "--budget", budget)["options"]
        assert some and all(o["collateral"] <= budget for o in some), budget
        best = max(o["stops"] for o in all_ if o["collateral"] <= budget)
        assert max(o["stops"] for o in some) == best
    for bad in ("-1", "x", "1.5", "", "9" * 16):
        refused("-C", where, "plan", case, "--budget", bad, status=2, say="--budget")


def test_unwilling():
    where, case = planned()
    places = {n for o in one("-C", where, "plan", case)["options"] for n in o["needs"]}
    for place in places:
        left = one("-C", where, "plan", case, "--unwilling", place)["options"]
        assert all(place not in o["needs"] for o in left), place
    left = one("-C", where, "plan", case, "--unwilling", ",".join(sorted(places)))["options"]
    assert left and all(not places & set(o["needs"]) for o in left)
    assert "203.0.113.0/24" in places, "what follows is about it"
    for word in ("203.0.113.10", "203.0.113.0/25", "203.0.0.0/16"):
        left = one("-C", where, "plan", case, "--unwilling", word)["options"]
        assert all("203.0.113.0/24" not in o["needs"] for o in left), word


def test_unwilling_stands_in_the_plan_that_is_kept():
    where, case = planned()
    plan, err = weir("-C", where, "plan", case, "--unwilling", "203.0.113.0/24,192.0.2.77", json_out=True)
    said = ["203.0.113.0/24", "192.0.2.77"]
    assert "--unwilling 192.0.2.77: no option would have counted on it" in err and err.count("\n") == 1, err
    assert plan[0]["unwilling"] == one("-C", where, "why", plan[0]["id"])["unwilling"] == said
    assert "not counting on: 203.0.113.0/24, 192.0.2.77\n" in weir("-C", where, "why", plan[0]["id"])[0]
    to = fresh("front").with_suffix(".svg")
    weir("-C", where, "plan", case, "--unwilling", "203.0.113.0/24", "--svg", to)
    assert "not counting on: 203.0.113.0/24" in "".join(ET.parse(to).getroot().itertext())


def test_unwilling_says_what_is_none():
    where, case = planned(f"partner_keys = {{\"{key_of(network('isp.example'))}\"}}")
    for bad in (",", "a,,b", "a,", ",a", "KP", "carrier", "203.0.113.0/33", "AS", "AS64500x", "AS4294967296", "\x1b[2J", "x" * 5000):
        err = refused("-C", where, "plan", case, "--unwilling", bad, status=2, say="--unwilling .*: no network, address, AS number")
        assert "\x1b" not in err and "did you mean" not in err, err
    for bad, meant in (("203.0.113.5/24", "203.0.113.0/24"), ("64500", "AS64500"), ("isp.exmaple", "isp.example"),
                       ("198.51.100.0/24,isp.exampl", "isp.example"), ("2001:db8::1/32", "2001:db8::/32")):
        refused("-C", where, "plan", case, "--unwilling", bad, status=2, say=rf"; did you mean {meant}\?$")
    assert one("-C", where, "plan", case, "--unwilling", "isp.example")["options"], "a key of partner_keys has that name"
    assert len(one("-C", where, "case", "show", case)["plans"]) == 1, "nothing else made a plan"


def test_unwilling_partner_who_was_asked():
    victim, _, case, _, _ = answered()
    weir("-C", victim, "plan", case, "--unwilling", "relay.example")
    refused("-C", victim, "plan", case, "--unwilling", "relay.exampel", status=2, say="did you mean relay.example")


def test_unwilling_network_by_its_number():
    """What 64500 originates: the relay's /24 by the /23 around it, not the in-leg's, of which it has nothing."""
    where, case = planned()
    refused("-C", where, "plan", case, "--unwilling", "AS64500", status=1, say="AS64500: no map yet .weir map load FILE")
    tables = fresh("tables")
    tables.mkdir()
    (tables / "rel.txt").write_text("64496|64500|-1\n64496|64501|-1\n")
    weir("-C", where, "map", "load", tables / "rel.txt")
    refused("-C", where, "plan", case, "--unwilling", "AS64500", status=1, say="neither a BGP table nor origins")
    origins = "203.0.112.0/23\t64500\n203.0.113.0/26\t64502\n198.51.100.0/24\t64501\n"
    (tables / "ipasn.dat").write_text(origins)
    weir("-C", where, "map", "load", tables / "ipasn.dat")

    def asked(*unwilling):
        plan, err = weir("-C", where, "plan", case, *unwilling, json_out=True)
        return {n for o in plan[0]["options"] for n in o["needs"]}, err
    both = {"203.0.113.0/24", "198.51.100.0/24"}
    assert asked()[0] == both
    assert asked("--unwilling", "AS64502")[0] == {"198.51.100.0/24"}, "it has the part with the relay's address"
    assert asked("--unwilling", "as64501")[0] == {"203.0.113.0/24"}
    assert asked("--unwilling", "AS64501,AS64502")[0] == asked("--unwilling", "198.51.100.0/24,AS64502")[0] == set()
    for stranger in ("AS64496", "AS64999"):
        places, err = asked("--unwilling", stranger)
        assert places == both and f"--unwilling {stranger}: no table in use shows a prefix of it" in err and err.count("\n") == 1, err


def test_for():
    where, case = planned()
    for text, seconds in (("10m", 600), ("1h30m", 5400), ("45s", 45)):
        for o in one("-C", where, "plan", case, "--for", text)["options"]:
            assert (o["for_s"], o["expires_after"]) == (seconds, text)
    refused("-C", where, "plan", case, "--for", "2d", status=2, say="max_block")
    for bad in ("0s", "x", "10", ""):
        refused("-C", where, "plan", case, "--for", bad, status=2, say="--for")


def test_longer_needs_more():
    """An hour at most is the width of alpha_host; longer is that of alpha_wide."""
    where, case = planned()
    hour = one("-C", where, "plan", case, "--for", "1h")["options"]
    longer = one("-C", where, "plan", case, "--for", "2h")["options"]
    drops = [o for o in longer if o["needed"] and any(r["action"] == "drop" for r in o["rules"])]
    assert all(o["needed"] >= 5 - 1e-9 for o in drops), drops
    assert sum(o["sufficient"] for o in longer) <= sum(o["sufficient"] for o in hour)


def test_svg():
    where, case = planned()
    to = fresh("front").with_suffix(".svg")
    doc = one("-C", where, "plan", case, "--svg", to)
    root = ET.parse(to).getroot()
    assert root.tag.endswith("svg") and doc["id"][:12] in "".join(root.itertext())
    titles = [e.text for e in root.iter("{http://www.w3.org/2000/svg}title") if (e.text or "").startswith("option ")]
    assert len(titles) == len(doc["options"])
    assert not list(to.parent.glob(to.name + "?*")), "something else was left beside it"
    weir("-C", where, "plan", case, "--svg", to)
    for bad in (to.parent, "/dev/null", "/nonexistent/a.svg"):
        _, err = weir("-C", where, "plan", case, "--svg", bad, status=3 if str(bad).startswith("/nonexistent") else 2)
        assert len(err.splitlines()) == 1, err


# ---- says no ----


def test_usage():
    where, case = planned()
    for args, say in (((), "one CASE"), ((case, case), "one CASE"), ((case, "--svg"), "needs a value"),
                      ((case, "--nonsense"), "unknown option"), ((case, "--svg", ""), "--svg"), (("x",), "hex digits")):
        refused("-C", where, "plan", *args, status=2, say=say)
    refused("-C", where, "plan", "abcdef0123", status=1, say="no such case")
    assert one("-C", where, "plan", case[:10])["case"] == case


def test_nothing_to_block():
    where, case = planned(f'never_block = {{"{ATTACKER}", "198.51.100.0/24"}}')
    _, err = weir("-C", where, "plan", case, status=1)
    assert len(err.splitlines()) == 1 and err.strip(), err
    out, _ = weir("-C", where, "--json", "plan", case, status=1)
    assert not out, "a plan of nothing"
    assert one("-C", where, "case", "show", case)["plans"] == []


def test_full_disk():
    where, case = planned()
    run = subprocess.run([WEIR, "-C", where, "plan", case], **limited(512))
    assert run.returncode == 3 and len(run.stderr.splitlines()) == 1, run.stderr
    assert one("-C", where, "plan", case)["options"]
    with open("/dev/full", "wb") as full:
        run = subprocess.run([WEIR, "-C", where, "--json", "plan", case], stdout=full, stderr=subprocess.PIPE, check=False,
                             timeout=60)
    assert run.returncode == 3 and b"standard output" in run.stderr, run


# ---- what a person sees ----


def test_text():
    where, case = planned()
    doc, (text, _) = one("-C", where, "plan", case), weir("-C", where, "plan", case)
    lines = text.splitlines()
    rows = [line for line in lines if re.match(r"[> ] +\d+ +\S+ %", line)]
    assert [int(row[1:].split()[0]) for row in rows] == [o["option"] for o in doc["options"]]
    assert [row[0] == ">" for row in rows] == [o["marked"] for o in doc["options"]]
    assert all(("NOT ENOUGH" in row) == (not o["sufficient"]) for row, o in zip(rows, doc["options"]))
    assert all(len(line) <= 100 for line in lines), max(lines, key=len)
    m = marked(doc)
    for r in m["rules"][:10]:
        assert any(line.strip().startswith(r["rule"]) for line in lines), r
    assert f"next: weir block {case[:12]} --option {m['option']} --dry-run" in text
    flat = " ".join(text.split())
    for o in doc["options"]:
        assert o["sufficient"] or " ".join(o["missing"].split()) in flat, o["missing"]
    assert m["returns_by"] or "other ways: unknown" in text
    assert all(c == "\n" or " " <= c <= "~" for c in text)


# ---- where it shows up elsewhere ----


def test_why_a_plan():
    where, case = planned()
    weir("-C", where, "init", "--name", "victim.example")
    doc = one("-C", where, "plan", case)
    why = one("-C", where, "why", doc["id"][:8])
    assert why.keys() == doc.keys() | {"current", "logged", "sightings", "links"}
    assert why["current"] is True and why["id"] == doc["id"] and len(why["options"]) == len(doc["options"])
    assert [(l["kind"], l["proven"]) for l in why["logged"]] == [("plan", True)]
    assert [s["flow"] for s in why["sightings"]] == [ATTACK] and len(why["links"]) == 1
    text, _ = weir("-C", where, "why", doc["id"])
    assert len(re.findall(r"^option \d+", text, re.M)) == len(doc["options"])
    assert "inclusion proven just now" in text and "log10 e" in text and IN_LEG in text and "OLDER" not in text


def test_why_without_keys():
    where, case = planned()
    why = one("-C", where, "why", one("-C", where, "plan", case)["id"])
    assert why["logged"] == [{"kind": "plan", "entry": None, "proven": False}]


def test_case_show():
    where, case = planned()
    assert one("-C", where, "case", "show", case)["plans"] == []
    plans = [one("-C", where, "plan", case)["id"] for _ in range(5)]
    doc = one("-C", where, "case", "show", case)
    assert [p["id"] for p in doc["plans"]] == plans[::-1]
    assert [p["current"] for p in doc["plans"]] == [True] + 4 * [False]
    assert doc["blocks"] == [] and doc["effect"] is None
    text, _ = weir("-C", where, "case", "show", case)
    assert f"plan {plans[-1][:12]}" in text and "... and 2 older plans" in text


def test_older_than_its_evidence():
    """A sighting that came since makes a plan useless, and everybody says so."""
    where, case = planned()
    plan = one("-C", where, "plan", case)["id"]
    other = one("-C", where, "case", "open", "--flow", IN_LEG)["id"]
    db = sqlite3.connect(where / "weir.db")
    db.execute("INSERT INTO case_sightings SELECT ?, sighting_id FROM case_sightings WHERE case_id = ?", (case, other))
    db.commit()
    db.close()
    assert one("-C", where, "case", "show", case)["plans"] == [
        {"id": plan, "made": one("-C", where, "why", plan)["made"], "current": False}]
    assert one("-C", where, "why", plan)["current"] is False
    assert "OLDER" in weir("-C", where, "case", "show", case)[0] and "OLDER" in weir("-C", where, "why", plan)[0]
    refused("-C", where, "block", case, "--option", "1", "--dry-run", status=1, say="older than its evidence")
    assert one("-C", where, "case", "show", case)["plans"][0]["current"] is False
    one("-C", where, "plan", case)
    assert [p["current"] for p in one("-C", where, "case", "show", case)["plans"]] == [True, False]


def test_the_ledger_holds_no_address():
    where, case = planned()
    weir("-C", where, "init", "--name", "victim.example")
    plan = one("-C", where, "plan", case)["id"]
    entries, _ = weir("-C", where, "ledger", "list", json_out=True)
    (entry,) = [e["entry"] for e in entries if e["entry"]["kind"] == "plan"]
    assert entry.keys() == {"v", "kind", "id", "at", "case", "sha256"} and entry["id"] == plan and entry["case"] == case
    assert not re.search(rb"203\.0\.113|198\.51\.100|192\.0\.2", b"".join(
        p.read_bytes() for p in (where / "ledger").rglob("*") if p.is_file()))


def test_forgotten():
    """weir forget takes the plan's text, for addresses stand in it: why says so, and a new one can be made."""
    where, case = planned()
    plan = one("-C", where, "plan", case)["id"]
    weir("-C", where, "forget", "--host", ATTACKER)
    assert "was erased (weir forget)" in weir("-C", where, "why", plan)[0]
    assert one("-C", where, "why", plan)["options"] is None
    assert one("-C", where, "case", "show", case)["plans"][0]["id"] == plan


def test_nothing_is_enough_where_all_was_erased():
    """Links that were proven stay claims, but neither they nor whom a block hits can be looked at again."""
    where, case = planned()
    weir("-C", where, "init", "--name", "victim.example")
    weir("-C", where, "trace", case)
    before = one("-C", where, "plan", case)
    assert any(o["sufficient"] for o in before["options"])
    weir("-C", where, "forget", "--host", ATTACKER)
    doc = one("-C", where, "plan", case)
    assert not any(o["sufficient"] for o in doc["options"] if not o["needs"]), doc["options"]
    missing = {o["missing"] for o in doc["options"]}
    assert any("not recorded here any more, so it cannot be computed again, and whom a block hits besides is not known" in m
               for m in missing), missing
    assert doc["erased"] > 0 and all(o["collateral"] > doc["erased"] for o in doc["options"])
    for o in doc["options"]:
        if any(r["place"] == "here" for r in o["rules"]):
            refused("-C", where, "block", case, "--option", o["option"], "--dry-run", status=1, say="not sufficient")
    text, _ = weir("-C", where, "plan", case)
    assert f"erased since: {doc['erased']} flows, which count as bystanders of every option" in text


def test_what_was_erased_counts_as_bystanders():
    """Of a host that has no part in the chain: the plan stands, and says what it does not see any more."""
    where, case = planned()
    before = one("-C", where, "plan", case)
    flows, _ = weir("-C", where, "flows", json_out=True)
    hosts = {h for f in flows for h in re.findall(r"[0-9.]{7,}(?=:)", f["flow"])} - set(re.findall(r"[0-9.]{7,}(?=:)", ATTACK + IN_LEG))
    weir("-C", where, "forget", "--host", sorted(hosts)[0])
    doc = one("-C", where, "plan", case)
    assert 0 < doc["erased"] < len(flows)
    m = marked(doc)
    assert m["sufficient"] and m["collateral"] >= doc["erased"] and m["bystanders"]["flows"] >= doc["erased"], m
    assert m["collateral"] == marked(before)["collateral"] + doc["erased"] and m["bystanders"]["shared"] != "no"
    assert "erased" in m["cost"]["bystanders"]
    refused("-C", where, "plan", case, "--budget", doc["erased"] - 1, status=1, say="no option costs bystanders at most")
    again = fresh()
    assert "forgotten" not in {p.name for p in recorded().iterdir()} and not again.exists()
    (where / "forgotten").write_text("begun\n")
    assert one("-C", where, "plan", case)["erased"] == 1, "an erasure that was cut off is of unknown size, and not nothing"
    assert not re.search(r"203\.|198\.|192\.", (where / "forgotten").read_text())


def test_damaged_plan():
    where, case = planned()
    plan = one("-C", where, "plan", case)["id"]
    (blob,) = [p for p in (where / "blobs").rglob("*") if p.is_file() and p.name.startswith(plan)]
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    for command in (("why", plan), ("block", case, "--option", "1", "--dry-run")):
        refused("-C", where, *command, status=2, say="plan")


def test_the_manuals_example():
    """The plan that doc/weir.1 shows is the one that the capture gives."""
    where, nested = fresh(), SOURCE / "lab/set/nested"
    for point in ("victim", "relay1"):
        weir("-C", where, "record", "--point", point, nested / f"{point}.pcap.zst")
    case = one("-C", where, "case", "open", "--eve", nested / "eve.json")["id"]
    text, _ = weir("-C", where, "plan", case)
    manual = (SOURCE / "doc/weir.1").read_text()
    assert f"weir plan {case[:12]} " in manual
    shown = re.findall(r"^([> ] +\d+ +\d+ %.*\n      (?:drop|rate) from .*\n)", manual, re.M)
    assert len(shown) == 3 and all(rows in text for rows in shown), shown
    assert "There the plan has eight options." in manual and len(one("-C", where, "plan", case)["options"]) == 8


# ---- a block, where the kernel can be asked ----


def alone(*args, status=0):
    """weir in a network namespace of its own: nothing outside it is touched."""
    run = subprocess.run(["unshare", "-n", WEIR, *map(str, args)], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == status, f"{args}: exit {run.returncode}: {run.stdout[-300:]} {run.stderr}"
    return run.stdout


def needs_root():
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("nft"):
        raise tap.Skip("needs root, unshare and nft")


def test_why_a_block():
    needs_root()
    where, case = planned()
    weir("-C", where, "init", "--name", "victim.example")
    m = marked(one("-C", where, "plan", case))
    alone("-C", where, "block", case, "--option", m["option"], "--by", "alice")
    (block,) = one("-C", where, "case", "show", case)["blocks"]
    assert block["case"] == case and block["option"] == m["option"] and block["by"] == "alice" and not block["override"]
    why = one("-C", where, "why", block["id"])
    assert [r["rule"] for r in why["rules"]] == sorted(r["rule"] for r in m["rules"] if r["place"] == "here") or why["rules"]
    assert why["enforces"]["option"] == m["option"] and why["confirmed_by"] is None
    assert [(l["kind"], l["proven"]) for l in why["logged"]] == [("order", True)]
    assert [(l["kind"], l["proven"]) for l in why["plan_logged"]] == [("plan", True)]
    assert len(why["sightings"]) == 1 and len(why["links"]) == 1
    text = weir("-C", where, "why", block["id"])[0]
    assert "by alice" in text and "of plan" in text and f"option {m['option']}" in text and "OVERR" not in text.upper()
    assert text.count("inclusion proven just now") == 2


def test_an_override_is_shown_everywhere():
    needs_root()
    where, case = planned("alpha_host = 1e-98", "alpha_wide = 1e-99", "alpha_rate = 1e-97")
    lacking = [o for o in one("-C", where, "plan", case)["options"]
               if not o["sufficient"] and any(r["place"] == "here" for r in o["rules"])]
    assert lacking, "a link at 1e-99"
    k = lacking[0]["option"]
    refused("-C", where, "block", case, "--option", k, "--dry-run", status=1, say=".")
    alone("-C", where, "block", case, "--option", k, "--override", "the minister asked")
    (block,) = one("-C", where, "case", "show", case)["blocks"]
    assert block["override"] == "the minister asked"
    text = weir("-C", where, "why", block["id"])[0]
    assert "AGAINST THE EVIDENCE" in text.splitlines()[0] and "the minister asked" in text and "NOT SUFFICIENT" in text
    assert "the minister asked" in weir("-C", where, "case", "show", case)[0]
    entries, _ = weir("-C", where, "ledger", "list", json_out=True)
    assert [e["entry"]["override"] for e in entries if e["entry"]["kind"] == "order"] == [True]


tap.run(sys.modules["__main__"])

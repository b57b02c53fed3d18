#!/usr/bin/env python3
"""What scan tells: limits and reasons with their figures, flows together, translated flows once, whom rivals withhold, and how
much was searched when it is stopped; and that --since after --until is refused wherever both are taken.

Arguments: the weir binary, scan_make (a recording with rivals), lab/set (real captures)."""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from contract_kit import ATTACK, WEIR, fresh, recorded, refused, tap, weir

MAKE, RUNS = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
RIVALS = 9  # a third of them from another peer, as good; a third from the same peer; a third goes along


def run_of(name):
    if not (RUNS / name).is_dir():
        raise tap.Skip(f"no {RUNS / name}")
    where = fresh(name)
    for capture in sorted((RUNS / name).glob("*.pcap.zst")):
        weir("-C", where, "record", "--point", capture.name.split(".")[0], capture)
    return where


def with_rivals():
    where = fresh("rivals")
    subprocess.run([MAKE, where, "20", "20", "4", "0", "240", "240", "2", str(RIVALS), "1", "7", str(RIVALS)], check=True)
    return where


def test_since_after_until_is_refused():
    where = recorded()
    for command in (("flows",), ("scan",), ("audit",), ("case", "list"), ("blocks",), ("ledger", "list")):
        late, early = ("--since", "2026-11-22T10:00:00Z"), ("--until", "2026-11-22T09:00:00Z")
        refused("-C", where, *command, *late, *early, status=2, say="--since 2026-11-22T10:.* is after --until 2026-11-22T09:")
        refused("-C", where, *command, *early, *late, status=2, say="is after --until")
    weir("-C", where, "flows", "--since", "2026-11-22T10:00:00Z", "--until", "2026-11-22T10:00:00Z")


def test_a_link_has_its_limit():
    where = recorded()
    (link,), _ = weir("-C", where, "scan", json_out=True)
    assert link["out"]["flow"] == ATTACK and link["verdict"] == "proven", link
    assert link["limit"]["of"] == "pair" and link["limit"]["jitter_ms"] >= 0 and link["limit"]["chaff"] >= 0, link
    assert "reason" not in link
    out, _ = weir("-C", where, "scan")
    assert re.search(r"^  limit  still proven up to .* of jitter more", out, re.M), out


def test_reasons_have_figures():
    where = run_of("chain3")
    links, _ = weir("-C", where, "scan", "--all", json_out=True)
    reasons = {x["reason"] for x in links if x["verdict"] == "insufficient"}
    for form in (r"\d+ bursts?, at least \d+ needed", r"the evidence does not reach what is needed: log10 e \S+ of \d.*"):
        assert any(re.fullmatch(form, r) for r in reasons), reasons
    assert not any(r == "too few bursts to ever suffice" for r in reasons), reasons
    out, _ = weir("-C", where, "scan", "--all")
    for reason in reasons:
        assert f": {reason}\n" in out, reason


def test_flows_together_have_no_port():
    where = run_of("spray")
    out, _ = weir("-C", where, "scan")
    assert re.search(r"  in   tcp \S+:\* > \S+:1080 \(200 flows together\)", out) and ":0 " not in out, out


def test_a_translated_flow_is_counted_once():
    where = run_of("nat")
    for mode in ((), ("--any-host",)):
        _, err = weir("-C", where, "scan", *mode)
        (said,) = re.findall(r"because of NAT: (\d+)", err)
        links, _ = weir("-C", where, "scan", "--all", *mode, json_out=True)
        outs = [x["out"]["id"] for x in links if x["role"] == "rewritten"]
        flows, _ = weir("-C", where, "flows", json_out=True)
        assert sorted(outs) == sorted(f["id"] for f in flows if "rewrite_of" in f) and len(outs) == int(said) > 10, (said, len(outs))
        assert all("limit" not in x and "translation" in x["reason"] for x in links if x["role"] == "rewritten")


def test_rivals_are_withheld():
    where = with_rivals()
    proven, _ = weir("-C", where, "scan", json_out=True)
    links, err = weir("-C", where, "scan", "--all", json_out=True)
    rivals = [x for x in links if x.get("reason") == "another flow explains it as well"]
    assert [x for x in links if x["verdict"] == "proven"] == proven and len(proven) >= 6
    assert len(rivals) >= 6 and all(x["verdict"] == "undecidable" and x["log10_e"] >= x["needed"] for x in rivals), rivals
    assert f"{len(rivals)} pairs withheld: another flow explains the same out-leg" in err, err
    peers = {}
    for x in proven:
        peers.setdefault(x["out"]["flow"], set()).add(x["in"]["flow"].split()[1].rsplit(":", 1)[0])
    assert all(len(p) == 1 for p in peers.values()), peers
    out, _ = weir("-C", where, "scan", "--all")
    for part in re.split(r"^(?=relay|host)", out, flags=re.M):
        assert "still proven" not in part or " proven  " in part.splitlines()[0], part
    assert out.count(": another flow explains it as well\n") == len(rivals)


def stopped(where, *args):
    """Standard output and error of a scan that is told to stop after its first line."""
    with tempfile.TemporaryFile("w+") as told:
        with subprocess.Popen([WEIR, "-C", where, *args], stdout=subprocess.PIPE, stderr=told, text=True) as child:
            first = child.stdout.readline()
            child.send_signal(signal.SIGINT)
            out = first + child.stdout.read()
        told.seek(0)
        err = told.read()
    assert child.returncode == 0, (child.returncode, err)
    return out, err


def test_a_scan_that_is_stopped_says_how_far_it_came():
    where = run_of("chain3")
    out, err = stopped(where, "--json", "scan", "--all", "--any-host")
    *links, last = map(json.loads, out.splitlines())
    assert last["stopped"] is True and 0 < last["searched"] <= last["pairs"] and set(last) == {"stopped", "searched", "pairs"}, last
    assert len(links) < last["pairs"] and all("verdict" in x for x in links)
    assert "weir: stopped: 82 flows" in err and f"about {last['searched']:,} of {last['pairs']:,} pairs searched" in err, err
    _, err = stopped(where, "scan", "--all", "--any-host")
    assert re.search(r"^weir: stopped: .*about [\d,]+ of [\d,]+ pairs searched", err, re.M), err
    whole, err = weir("-C", where, "scan", json_out=True)
    assert all("stopped" not in x for x in whole) and "stopped" not in err and " pairs searched" in err


tap.run(sys.modules[__name__])

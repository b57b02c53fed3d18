#!/usr/bin/env python3
"""weir watch: alerts become cases, traces, plans and blocks.

Takes the path of weir and the laboratory's set of runs.  Relayed sessions are made by hand: an attacker behind two
relays, who is known again by what his chain runs through.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from watch_kit import PATIENCE, TMP, WEIR, Watch, alert, fresh, put, tap, weir  # noqa: E402
import pcapmake  # noqa: E402

SET = pathlib.Path(sys.argv[2]).resolve()
ORIGIN, RELAY, OTHER, VICTIM = "198.51.100.7", "203.0.113.10", "203.0.113.20", "192.0.2.10"
INSIDE = "WEIR_WATCH_NETNS"  # set: this is the process in a network namespace of its own


def relayed(seed, relay, port, start=pcapmake.T0):
    """An attack from ORIGIN through a relay, and others who use that relay."""
    rng = random.Random(seed)
    times = pcapmake.keys(rng, start, 90)
    sizes = [rng.choice((36, 36, 36, 52, 400, 1200)) for _ in times]
    frames = pcapmake.session(relay, port, VICTIM, 22, times, sizes, lag=0.006)
    frames += pcapmake.session(ORIGIN, port - 1000, relay, 22, times, sizes)
    for i in range(6):
        own = pcapmake.keys(rng, start + rng.random() * 3, 90)
        sizes = [rng.choice((36, 36, 52, 300)) for _ in own]
        frames += pcapmake.session(f"198.18.{seed}.{i + 1}", 50000 + i, relay, 22, own, sizes)
    return frames


def record(where, *frames):
    path = TMP / "part.pcap"
    path.write_bytes(pcapmake.capture([f for part in frames for f in part]))
    weir(where, "record", path)


def told(where, case):
    (doc,) = weir(where, "case", "show", case)
    return doc


def links(case):
    return sorted(json.loads(c["body"])["relay"] if isinstance(c["body"], str) else c["body"]["relay"]
                  for c in case["claims"] if c["kind"] == "link")


# ---- notify ----

def test_trace_while_the_recording_grows():
    """Nothing is recorded when the alert comes; then half a minute of it, which does not suffice or does; then all."""
    where, log = fresh()
    w = Watch(where, log)
    put(log, alert(42000, src=RELAY, when=pcapmake.T0 + 10))
    case = w.until("opened")["case"]
    assert "not in this recording yet" in w.until("traced")["text"]
    frames = relayed(1, RELAY, 42000)
    early = [f for f in frames if f[0] < pcapmake.T0 + 6]
    record(where, early)
    first = w.until("traced")
    assert first["number"] == 0 and "no hop proven yet" in first["text"], first
    record(where, frames)
    hop = w.until("traced")
    assert hop["number"] == 1 and hop["hop"]["relay"] == RELAY and hop["hop"]["verdict"] == "proven", hop
    assert hop["hop"]["in"]["flow"] == f"tcp {ORIGIN}:41000 > {RELAY}:22", hop
    w.end()
    assert links(told(where, case)) == [RELAY]


def test_recognised_by_its_chain():
    """Another relay, the same origin behind it: the new case goes on as the old one."""
    where, log = fresh()
    record(where, relayed(1, RELAY, 42000), relayed(2, OTHER, 43000))
    w = Watch(where, log)
    put(log, alert(42000, src=RELAY, when=pcapmake.T0 + 30))
    old = w.until("opened")["case"]
    w.until("traced")
    put(log, alert(43000, src=OTHER, when=pcapmake.T0 + 30))
    new = w.until("opened")["case"]
    assert new != old
    event = w.until("recognised")
    assert event["host"] == ORIGIN and event["role"] == "end" and event["case"] == old and event["from"] == new, event
    assert w.until("closed")["into"] == old
    # and from now on everything of that relay is the old case's
    put(log, alert(43001, src=OTHER, when=pcapmake.T0 + 40))
    assert w.until("joined")["case"] == old
    w.end()
    assert told(where, new)["state"] == "closed"
    case = told(where, old)
    assert len(case["sightings"]) == 3 and links(case) == [RELAY, OTHER], case


def test_case_of_an_operator_stays():
    """What somebody opened by hand is not closed; the sighting is in both."""
    where, log = fresh()
    record(where, relayed(1, RELAY, 42000), relayed(2, OTHER, 43000))
    (old,) = weir(where, "case", "open", "--flow", f"tcp {RELAY}:42000 > {VICTIM}:22")
    weir(where, "trace", old["id"])
    (own,) = weir(where, "case", "open", "--flow", f"tcp {OTHER}:43000 > {VICTIM}:22")
    put(log, alert(43001, src=OTHER, when=pcapmake.T0 + 30))
    events = weir(where, "watch", "--eve", log, "--once")
    assert [e["case"] for e in events if e["event"] == "joined"] == [own["id"]], events
    assert told(where, own["id"])["state"] == "open"


def test_lab_relays_and_ends_are_known():
    """chain3 of the laboratory: three relays are proven; who then attacks from one of them is recognised."""
    if not (SET / "chain3").is_dir():
        raise tap.Skip("no recorded runs here")
    where, log = fresh()
    for path in sorted((SET / "chain3").glob("*.pcap.zst")):
        weir(where, "record", "--point", path.name.split(".")[0], path)
    events = weir(where, "watch", "--eve", SET / "chain3" / "eve.json", "--once")
    truth = json.loads((SET / "chain3" / "truth.json").read_text())["attacks"][0]
    hops = [e["hop"] for e in events if e["event"] == "traced"]
    assert [h["in"]["flow"] for h in hops] == [h["in"] for h in truth["hops"]], events
    (case,) = {e["case"] for e in events}
    put(log, alert(1, src=hops[1]["relay"], dst="192.0.2.99") + alert(2, src=hops[2]["in"]["flow"].split()[1].rsplit(":", 1)[0]) +
        alert(3, src="198.51.100.250"))
    events = weir(where, "watch", "--eve", log, "--once")
    known = [(e["role"], e["case"]) for e in events if e["event"] == "recognised"]
    assert known == [("relay", case), ("end", case)], events
    assert len([e for e in events if e["event"] == "opened"]) == 1, events


# ---- propose ----

def test_propose():
    where, log = fresh('on_alert = "propose"\n')
    record(where, relayed(1, RELAY, 42000))
    put(log, alert(42000, src=RELAY, when=pcapmake.T0 + 30))
    events = weir(where, "watch", "--eve", log, "--once")
    (proposed,) = [e for e in events if e["event"] == "proposed"]
    (plan,) = weir(where, "plan", proposed["case"])
    marked = [o for o in plan["options"] if o["marked"]]
    assert len(marked) == 1 and marked[0]["option"] == proposed["option"], (proposed, plan)
    assert proposed["sufficient"] == marked[0]["sufficient"] and proposed["stops"] == marked[0]["stops"]
    if proposed["sufficient"]:
        assert proposed["text"].endswith(f"weir block {proposed['case'][:12]} --option {proposed['option']}"), proposed
    assert not weir(where, "blocks")


def test_nothing_to_plan_with():
    """A flow that nobody recorded: said once, whatever comes."""
    where, log = fresh('on_alert = "propose"\n')
    w = Watch(where, log)
    put(log, alert(1, src=RELAY))
    w.until("opened")
    first = w.next()
    while first["event"] == "traced":
        first = w.next()
    assert first["event"] in ("proposed", "refused"), first
    put(log, alert(1, src=RELAY, second=5))
    put(log, alert(2, src=OTHER))
    w.until("opened", f"{OTHER}:2 ")
    w.end()
    said = [e["text"] for e in w.seen if e["event"] in ("proposed", "refused") and e["case"] == first["case"]]
    assert len(said) == len(set(said)), said


# ---- block ----

BLOCK = 'on_alert = "block"\nwatch_blocks = 2\n'


def namespaced(test):
    """The test in a network namespace of its own; root and unshare are needed."""
    def run():
        if os.environ.get(INSIDE):
            return test()
        if os.geteuid() != 0:
            raise tap.Skip("needs root, for a network namespace with nftables")
        probe = subprocess.run(["unshare", "-n", "nft", "list", "ruleset"], capture_output=True, check=False)
        if probe.returncode != 0:
            raise tap.Skip("no network namespace with nftables here")
        inner = subprocess.run(["unshare", "-n", sys.executable, __file__, WEIR, SET, test.__name__], capture_output=True, text=True,
                               check=False, timeout=4 * PATIENCE, env={**os.environ, INSIDE: "1"})
        assert inner.returncode == 0, inner.stdout + inner.stderr
        return None
    run.__name__ = test.__name__
    run.__code__ = run.__code__.replace(co_firstlineno=test.__code__.co_firstlineno)
    return run


def ruleset():
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


@namespaced
def test_block_once():
    """A sufficient option is enforced, once; the same attacker again changes nothing; undone, nothing is left."""
    where, log = fresh(BLOCK)
    weir(where, "init", "--name", "watch.example", lines=False)
    record(where, relayed(1, RELAY, 42000, start=time.time() - 100))
    put(log, alert(42000, src=RELAY, when=time.time() - 60))
    w = Watch(where, log, "--from-start")
    blocked = w.until("blocked")
    assert RELAY in ruleset(), ruleset()
    (order,) = weir(where, "blocks")
    assert order["id"] == blocked["id"] and order["by"] == "watch", order
    put(log, alert(42000, src=RELAY, when=time.time() - 50))
    put(log, alert(42001, src=RELAY, when=time.time() + 10))
    back = w.until("returned")
    assert back["way"] == "blocked" and back["block"] == blocked["id"], back
    w.end()
    assert len(weir(where, "blocks")) == 1, weir(where, "blocks")
    assert sum(e["event"] == "blocked" for e in w.seen) == 1, w.seen
    weir(where, "unblock", blocked["id"])
    assert RELAY not in ruleset(), ruleset()


@namespaced
def test_renewed_while_it_goes_on():
    """A block that runs out is given anew while the attack is seen, and not when it is not."""
    where, log = fresh(BLOCK)
    weir(where, "init", "--name", "watch.example", lines=False)
    record(where, relayed(1, RELAY, 42000, start=time.time() - 100))
    w = Watch(where, log, "--for", "5s")
    put(log, alert(42000, src=RELAY, when=time.time() - 60))
    first = w.until("blocked")
    put(log, alert(42000, src=RELAY, when=time.time() + 3))
    second = w.until("blocked")
    assert second["expires"] > first["expires"] and second["id"] != first["id"], (first, second)
    w.end()
    assert len(weir(where, "blocks")) <= 2


@namespaced
def test_another_way():
    """The same origin through another relay: said, and blocked too; beyond watch_blocks it is a person's."""
    where, log = fresh(BLOCK)
    weir(where, "init", "--name", "watch.example", lines=False)
    start = time.time() - 100
    third = "203.0.113.30"
    record(where, relayed(1, RELAY, 42000, start), relayed(2, OTHER, 43000, start), relayed(3, third, 44000, start))
    w = Watch(where, log)
    put(log, alert(42000, src=RELAY, when=time.time() - 60))
    case = w.until("blocked")["case"]
    put(log, alert(43000, src=OTHER, when=time.time() + 10))
    w.until("recognised")
    w.until("blocked")
    put(log, alert(44000, src=third, when=time.time() + 20))
    refused = w.until("refused")
    assert "watch_blocks" in refused["text"], refused
    w.end()
    assert RELAY in ruleset() and OTHER in ruleset() and third not in ruleset(), (case, ruleset())


def main():
    if os.environ.get(INSIDE):
        globals()[sys.argv[3]]()
    else:
        tap.run(sys.modules[__name__])


main()

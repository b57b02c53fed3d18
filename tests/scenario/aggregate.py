#!/usr/bin/env python3
"""A password spray through a proxy, from the recording to a plan: two hundred logins, none of which could be traced alone.

Takes the path of weir.  The captures are made here (tests/lib/pcapmake.py): at the relay's network both legs, among other
clients that spray others through the same proxy; at the attacker's network only his own flows to the proxy.
"""
import math
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
sys.argv.insert(2, ".")  # exchange_kit wants a laboratory, which is not used here
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import tap  # noqa: E402
from exchange_kit import Network  # noqa: E402
from pcapmake import T0, capture, session  # noqa: E402

ATTACKER, RELAY, VICTIM = "198.51.100.7", "203.0.113.10", "192.0.2.10"
LOGINS, OTHERS = 200, 12
IN, OUT = f"tcp {ATTACKER}:0 > {RELAY}:1080", f"tcp {RELAY}:0 > {VICTIM}:22"
ALPHA = 1e-6
SAME = 1e-9


def spray(rng, client, victim, logins, workers, port):
    """Frames of the in-legs and of the out-legs."""
    legs = ([], [])
    for w in range(workers):
        t = T0 + 2 * rng.random()
        for k in range(w, logins, workers):
            times = [t + 0.3]
            for _ in range(2):
                times.append(times[-1] + 0.35 + 0.4 * rng.random())
            sizes = [rng.choice((48, 84, 140, 600)) for _ in times]
            echo, lag = 0.05 + 0.1 * rng.random(), 0.002 + 0.003 * rng.random()
            legs[0].extend(session(client, port + k, RELAY, 1080, times, sizes, echo=echo))
            legs[1].extend(session(RELAY, port + k, victim, 22, times, sizes, lag=lag, echo=echo))
            t = times[-1] + 1.2 + rng.expovariate(1 / 1.5)
    return legs


def made():
    """The relay's capture and the attacker's network's."""
    rng = random.Random(20261123)
    here, there = [], []
    legs = spray(rng, ATTACKER, VICTIM, LOGINS, 2, 20000)
    here += legs[0] + legs[1]
    there += legs[0]
    for i in range(OTHERS):
        legs = spray(rng, f"198.18.1.{i + 1}", f"198.18.2.{i + 1}", 60, 1 + i % 3, 30000 + 100 * i)
        here += legs[0] + legs[1]
    return kit.file_of(capture(here), "relay.pcap"), kit.file_of(capture(there), "isp.pcap")


RELAY_PCAP, ISP_PCAP = made()
relay = Network("relay.example", RELAY_PCAP, config=f'own_networks = {{"{RELAY}/32"}}\n')
isp = Network("isp.example", ISP_PCAP)
STATE = {}


def attack_flow():
    flows = [f["flow"] for f in relay.flows() if f["flow"].endswith(f"> {VICTIM}:22")]
    assert len(flows) == LOGINS, len(flows)
    return flows[LOGINS // 2]


def opened():
    if "case" not in STATE:
        STATE["flow"] = attack_flow()
        STATE["case"] = relay.json("case", "open", "--flow", STATE["flow"])["id"]
    return STATE["case"]


def traced():
    if "chain" not in STATE:
        STATE["chain"] = relay.json("trace", opened())
    return STATE["chain"]


def bundled():
    if "bundle" not in STATE:
        traced()
        STATE["bundle"] = relay.bundle(opened(), isp.name)
    return STATE["bundle"]


def link_of(path):
    (body,) = [b for kind, _, b in bundle_kit.claims(path) if kind == "link"]
    return body


def test_the_spray_is_proven_and_no_login_of_it():
    chain = traced()
    (hop,) = chain["hops"]
    assert hop["verdict"] == "proven", hop
    assert (hop["in"]["flow"], hop["out"]["flow"]) == (IN, OUT), hop
    assert chain["attack"]["flow"] == STATE["flow"]


def test_every_pair_that_was_looked_at_is_charged():
    """M: flows that were alive with the one that is traced, and what stood against its aggregate then."""
    (hop,) = traced()["hops"]
    flows = {f["flow"]: f for f in relay.flows()}
    own = flows[STATE["flow"]]
    beside = [f for f in flows.values() if f["flow"] != own["flow"] and f["first"] <= own["last"] and f["last"] >= own["first"]]
    spray_of = [f for f in flows.values() if f["flow"].endswith(f"> {VICTIM}:22")]
    first, last = min(f["first"] for f in spray_of), max(f["last"] for f in spray_of)
    groups = {}
    for f in flows.values():
        _, a, _, b = f["flow"].split()
        groups.setdefault((a.split(":")[0], b), []).append(f)
    together = [g for (a, b), g in groups.items() if b != f"{VICTIM}:22" and
                min(f["first"] for f in g) <= last and max(f["last"] for f in g) >= first]
    assert hop["searched"] == len(beside) + len(together), (hop["searched"], len(beside), len(together))
    assert abs(hop["needed"] - math.log10(hop["searched"] / ALPHA)) < SAME, hop


def test_why_computes_it_again():
    (hop,) = traced()["hops"]
    text = relay.weir("why", hop["id"])[0]
    assert "computed again just now from the trains kept here: the same" in text, text
    assert f"{LOGINS} flows" in text, text


def test_the_claim_says_of_how_many_flows():
    body = link_of(bundled())
    assert (body["in"]["flow"], body["out"]["flow"]) == (IN, OUT), body
    assert body["in"]["members"] == body["out"]["members"] == LOGINS, body
    files = bundle_kit.read(bundled())["files"]
    for leg in ("in", "out"):
        text = files[f"trains/{body[leg]['train']}.train"].decode().splitlines()
        assert text[1:3] == [f"flow {body[leg]['flow']}", f"members {LOGINS}"], text[:4]


def test_a_stranger_gets_the_same_number():
    doc = kit.weir("verify", bundled(), "--key", relay.key, json_out=True)[0][0]
    assert doc["verified"], doc
    (c,) = [c for c in doc["claims"] if c["kind"] == "link"]
    (hop,) = traced()["hops"]
    assert c["state"] == "re-computed" and abs(c["again"] - link_of(bundled())["log10_e"]) < SAME, c
    assert abs(c["again"] - hop["log10_e"]) < SAME, (c, hop)
    assert f"{LOGINS} flows" in c["says"], c["says"]


def test_a_doubter_finds_the_spray_in_his_own_recording():
    doc = isp.verify(bundled(), relay)
    assert doc["verified"], doc
    here = {h["flow"]["flow"]: h for h in doc["here"]}
    assert here[IN]["seen"] == "confirmed" and here[IN]["as"]["flow"] == IN, here[IN]
    assert here[OUT]["seen"] != "not-seen" and "cannot be looked up" in here[OUT]["why"], here[OUT]


def test_a_doubter_without_it_does_not_deny_it():
    frames = session("198.18.9.9", 4000, "198.18.9.10", 22, [T0 + k for k in range(900)], [40] * 900)
    other = Network("other.example", kit.file_of(capture(frames), "other.pcap"))
    request = relay.bundle(opened(), other.name)
    here = {h["flow"]["flow"]: h for h in other.verify(request, relay)["here"]}
    assert here[IN]["seen"] == "cannot-tell" and "cannot be looked up" in here[IN]["why"], here[IN]


def test_members_that_cannot_be_are_refused():
    body = link_of(bundled())
    files = dict(bundle_kit.read(bundled())["files"])
    train = files[f"trains/{body['in']['train']}.train"].decode()
    assert f"\nmembers {LOGINS}\n" in train
    for wrong in ("members 2", "members 0", "members -5", "members 4294967295", "members 4294967296", "members 0200", "members", "members 200 "):
        bad = train.replace(f"members {LOGINS}", wrong).encode()
        refused_train(bad, wrong)
    refused_train(train.replace("\nflags -\nisn - -\n", "\nflags syn\nisn 5 -\n").encode(), "numbers of one connection")
    # of a flow with both ports there are no members
    one = next(c for k, _, c in bundle_kit.claims(bundled()) if k == "attack")
    plain = files[f"trains/{one['flow']['train']}.train"].decode()
    refused_train(plain.replace("\npoint ", "\nmembers 7\npoint ").encode(), "members of one flow")


def refused_train(train, why):
    """A request with one claim that names this train, whose signature and hashes all hold."""
    b = bundle_kit.read(bundled())
    kind, claim, body = next(c for c in bundle_kit.claims(bundled()) if c[0] == "attack")
    old = body["flow"]["train"]
    new = bundle_kit.sha256(train)
    flow = train.decode().splitlines()[1].removeprefix("flow ")
    said = b["files"][f"claims/{kind}-{claim}.json"].decode().replace(old, new).replace(body["flow"]["flow"], flow).encode()
    files = {"MANIFEST": b["files"]["MANIFEST"], f"claims/{kind}-{bundle_kit.claim_id(kind, said)}.json": said,
             f"trains/{new}.train": train}
    path = kit.file_of(bundle_kit.repack(files, relay.skey))
    out = kit.weir("verify", path, "--key", relay.key, status=(1, 2))
    assert re.search("line [0-9]+ of the train", "".join(out)), (why, out)


def test_a_plan_names_the_peer_and_no_port_of_the_moment():
    traced()
    plan = relay.json("plan", opened())
    (marked,) = [o for o in plan["options"] if o["marked"]]
    (rule,) = marked["rules"]
    assert (rule["from"], rule["to"], rule["port"]) == (f"{ATTACKER}/32", f"{RELAY}/32", 1080), rule
    assert marked["sufficient"] and marked["bystanders"]["flows"] == 0, marked  # the spray's other logins are not others'
    rules = [r for o in plan["options"] for r in o["rules"]]
    assert all(r["port"] in (None, 22, 1080) for r in rules), rules
    assert not any(re.search(r"port =0|\\. 0 ", r["nft"] + r["flowspec"]) for r in rules), rules


tap.run(sys.modules[__name__])

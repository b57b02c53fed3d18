#!/usr/bin/env python3
"""Networks that do not believe each other trace an attack by sending each other files.

Takes the path of weir and a folder of runs (lab/set).  Each network has a directory, keys and a recording of its own, of
its own observation point only.  What travels is a request and an answer a time; what the truth file of the run says is what
they have to arrive at, and nothing of any other flow may be in what travelled.
"""
import base64
import calendar
import ipaddress
import pathlib
import re
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import tap  # noqa: E402
from exchange_kit import Network, truth  # noqa: E402

SAME = 1e-9
ADDRESS = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")


def near(a, b):
    return abs(a - b) <= SAME


# ---- the chain ----


class Chain:
    """The exchanges of one run, from the victim up to where the truth file says that it began."""

    def __init__(self, run):
        self.truth = truth(run)["attacks"][0]
        self.victim = Network("victim.example", kit.capture(run, "victim"))
        self.relays = [Network(f"{hop['point']}.example", kit.capture(run, hop["point"])) for hop in self.truth["hops"]]
        self.case = self.victim.case(kit.LAB / run / "eve.json")
        doc = self.victim.json("trace", self.case, status=(0, 1))
        assert not [h for h in doc["hops"] if h["verdict"] == "proven"], "the victim saw one leg only"
        self.travelled, self.said = [], []  # files; per hop the claims that were disclosed
        for k, hop in enumerate(self.truth["hops"]):
            self.exchange(k, hop)

    def everybody(self):
        return [self.victim, *self.relays]

    def exchange(self, k, hop):
        relay, before = self.relays[k], self.relays[:k]
        request = self.victim.bundle(self.case, relay.name)
        assert bundle_kit.verifies(request, self.victim.key) and not bundle_kit.verifies(request, relay.key)
        self.checked_alone(request, before)
        here = self.checked_there(relay, request, hop)
        answer = relay.answer(request, "--accept", "--disclose", "address", known=[self.victim])
        self.travelled += [request, answer]
        self.said.append(bundle_kit.claims(answer))
        self.imported(relay, answer, hop, here)

    def checked_alone(self, request, before):
        """Without a directory: the forwarded links come to the number that their makers printed."""
        doc = kit.weir("verify", request, *kit.keys([self.victim, *before]), json_out=True)[0][0]
        assert doc["verified"] and doc["here"] is None, doc
        links = [c for c in doc["claims"] if c["kind"] == "link"]
        assert len(links) == len(before), links
        for c, said in zip(links, self.said):
            (body,) = [b for kind, _, b in said if kind == "link"]
            assert c["state"] == "re-computed" and c["by_known"] and c["forwarded"], c
            assert near(c["again"], body["log10_e"]) and near(c["again"], c["log10_e"]), (c, body)
            assert c["searched"] == body["searched"], (c, body)

    def checked_there(self, relay, request, hop):
        """By the doubter, in his own recording: the flow is there, and goes one hop on, with a number of his own."""
        doc = relay.verify(request, self.victim)
        assert doc["verified"], doc["why"]
        (here,) = [h for h in doc["here"] if h["seen"] == "confirmed"]
        assert here["as"]["flow"] == here["flow"]["flow"] == hop["out"], here
        (found,) = here["trace"]["hops"]
        assert found["verdict"] == "proven", found
        assert (found["relay"], found["in"]["flow"], found["out"]["flow"]) == (hop["relay"], hop["in"], hop["out"]), found
        (own,) = relay.json("trace", "--flow", hop["out"])["hops"]
        assert near(own["log10_e"], found["log10_e"]), (own, found)
        assert own["searched"] == found["searched"] == self.candidates(relay, hop, found), (own, found)
        return found

    @staticmethod
    def candidates(relay, hop, found):
        """M, counted by what is said of it: other flows of the relay that carried data while OUT lived."""
        of = [f for f in relay.flows() if f["flow"] != hop["out"] and hop["relay"] in ADDRESS.findall(f["flow"])]
        at_most = [f for f in of if f["first"] <= found["out"]["last"] and f["last"] >= found["out"]["first"]]
        assert 1 < found["searched"] <= len(at_most) and len(at_most) - found["searched"] < len(at_most) / 2, (
            found["searched"], len(at_most))
        return found["searched"]

    def imported(self, relay, answer, hop, here):
        doc = self.victim.take(answer, relay)
        (moved,) = doc["hops"]
        assert (moved["relay"], moved["in"]["flow"], moved["out"]["flow"]) == (hop["relay"], hop["in"], hop["out"]), moved
        assert near(moved["log10_e"], here["log10_e"]) and moved["searched"] == here["searched"], (moved, here)
        assert doc["ends"]["host"].split("/")[0] == hop["in"].split()[1].rsplit(":", 1)[0], doc["ends"]
        assert doc["case"] == self.case and doc["verdict"] == "accepted", doc
        shown = self.victim.weir("case", "show", self.case)[0]
        assert f"{hop['relay']} relayed {hop['out']} from {hop['in']}" in shown, shown

    def in_question(self):
        hops = self.truth["hops"]
        return {self.truth["flow"], *(h["in"] for h in hops), *(h["out"] for h in hops)}


CHAINS = {}


def chain(run):
    if run not in CHAINS:
        CHAINS[run] = Chain(run)
    return CHAINS[run]


def test_three_networks_upstream_to_the_origin():
    c = chain("chain3")
    assert c.truth["hops"][-1]["in"].startswith("tcp 198.51.100.7:")


def test_three_networks_with_clocks_that_are_off_and_drift():
    chain("clocks")


# ---- both ledgers ----


def entries(network, kind, object_id):
    return [e for e in network.ledger() if e["kind"] == kind and e["id"] == object_id]


def test_both_ledgers_hold_what_both_said():
    c = chain("chain3")
    for k, relay in enumerate(c.relays):
        request, answer = (bundle_kit.read(p) for p in c.travelled[2 * k:2 * k + 2])
        for here, there, b, what in ((c.victim, relay, request, "request"), (relay, c.victim, answer, "answer")):
            sha = bundle_kit.sha256(c.travelled[2 * k + (what == "answer")].read_bytes())
            for who, peer, way in ((here, there, "sent"), (there, here, "received")):
                (e,) = entries(who, f"{what}-{way}", b["fields"].get("id") or b["text"].split("\n")[1][3:])
                assert e["sha256"] == sha and e["peer"] == peer.name, e
        for kind, claim, _ in bundle_kit.claims(c.travelled[2 * k + 1]):
            (own,), (taken,) = entries(relay, "claim", claim), entries(c.victim, "claim-received", claim)
            assert own["claim"] == taken["claim"] == kind and own["sha256"] == taken["sha256"], (own, taken)
    for who in c.everybody():
        who.weir("ledger", "check")


def test_every_entry_of_the_ledgers_has_a_proof_that_holds():
    for who in chain("chain3").everybody():
        for at, entry in enumerate(who.lines("ledger", "list")):
            raw = who.weir("ledger", "entry", at)[0].split(None, 1)[1].strip()
            path = kit.fresh("proof")
            who.weir("ledger", "proof", at, "-o", path)
            assert kit.proof_holds(raw.encode(), path.read_bytes(), who.log) == at == entry["index"]


def test_claims_stand_in_the_logs_of_those_who_made_them():
    c = chain("chain3")
    for path, maker in zip(c.travelled, [n for r in c.relays for n in (c.victim, r)]):
        files = bundle_kit.read(path)["files"]
        made = bundle_kit.claims(path)
        assert made, path
        for kind, claim, _ in made:
            assert bundle_kit.claim_id(kind, files[f"claims/{kind}-{claim}.json"]) == claim
            kit.proof_holds(files[f"entries/{claim}.json"], files[f"proofs/{claim}.tlog-proof"], maker.log)


def test_ledger_entries_tell_no_address_and_no_size():
    for who in chain("chain3").everybody():
        for entry in who.ledger():
            assert not ADDRESS.search(str(entry)), entry
            assert set(entry) <= {"v", "kind", "id", "at", "claim", "sha256", "peer", "verdict", "operator", "log"}, entry


# ---- what travelled ----

BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
NUMBER = re.compile(r"(?<![0-9A-Za-z+/=.-])[0-9]+(?![0-9A-Za-z+/=.-])")
BURST = re.compile(rb"^[0-9]+ [0-9]+ [0-9]+ [0-9]+$", re.M)


def plain(content):
    """The text of a file, and that of what is base64 in it."""
    texts = [content.decode("utf-8", "replace")]
    for word in BASE64.findall(content):
        word = word.rstrip(b"=")
        word = word[:len(word) // 4 * 4] if len(word) % 4 == 1 else word + b"=" * (-len(word) % 4)
        texts.append(base64.b64decode(word).decode("latin-1"))
    return "\n".join(texts)


def files_of(paths):
    """(path, bytes) of all files, those in forwarded answers too."""
    return [f for path in paths for f in bundle_kit.everything(path) if not f[0].endswith(".tar")]


def all_text(paths):
    """What travelled; of trains without the bursts, for any number may be a burst's time."""
    out = []
    for name, content in files_of(paths):
        out += [name, plain(BURST.sub(b"", content) if name.endswith(".train") else content)]
    return "\n".join(out)


def trains(paths):
    return {name.rsplit("/", 1)[1]: content.decode() for name, content in files_of(paths) if name.endswith(".train")}


def ends(flow):
    _, a, _, b = flow.split()
    return {a, b}


def micro(when):
    """Microseconds since 1970 of a time as weir prints it."""
    second, rest = when.removesuffix("Z").split(".")
    return calendar.timegm(time.strptime(second, "%Y-%m-%dT%H:%M:%S")) * 1000000 + int(rest)


def secrets_of(network):
    for path in (network.dir / "keys").glob("*.key"):
        raw = base64.b64decode(path.read_text().strip().split("+", 4)[4])[1:]
        yield from (raw, raw.hex().encode(), base64.b64encode(raw), path.read_text().split("+", 4)[4].strip().encode())


def traces_of(flow, asked_ends, asked_hosts):
    """What would give a flow away: (words, numbers)."""
    words = ends(flow["flow"]) - asked_ends
    words |= {e.rsplit(":", 1)[0] for e in words} - asked_hosts
    words |= {flow["id"], flow["id"][:12], flow["first"], flow["last"]}
    numbers = {micro(flow["first"]), micro(flow["last"]), *flow["payload_bytes"], *flow["frame_bytes"]}
    return words, {n for n in numbers if n > 9999}


def check_private(paths, networks, question, allowed=()):
    text = all_text(paths)
    numbers = {int(n) for n in NUMBER.findall(text)}
    asked_ends = {e for f in question for e in ends(f)}
    asked_hosts = {e.rsplit(":", 1)[0] for e in asked_ends}
    others, totals = 0, set()
    for network in networks:
        flows = network.flows()
        own = [f for f in flows if f["flow"] in question]
        totals |= {n for f in own for k in ("payload_bytes", "frame_bytes") for n in f[k]}
        for f in flows:
            if f["flow"] in question:
                continue
            others += 1
            words, figures = traces_of(f, asked_ends, asked_hosts)
            found = [w for w in words if re.search(rf"(?<![0-9a-f.:]){re.escape(w)}(?![0-9.])", text)]
            assert not found, f"{found} of {f['flow']} travelled"
            assert not (figures - totals) & numbers, f"{(figures - totals) & numbers} of {f} travelled"
    assert others > 50, others
    assert set(ADDRESS.findall(text)) <= asked_hosts | set(allowed), set(ADDRESS.findall(text)) - asked_hosts
    raw = b"\n".join(content for _, content in files_of(paths))
    for network in networks:
        assert not [s for s in secrets_of(network) if s in raw], f"a key of {network.name} travelled"


def test_nothing_of_any_other_flow_travelled():
    for run in ("chain3", "clocks"):
        c = chain(run)
        check_private(c.travelled, c.everybody(), c.in_question())


def test_the_search_for_other_flows_finds_one_that_travelled():
    c = chain("chain3")
    relay = c.relays[0]
    other = next(f for f in relay.flows() if f["flow"] not in c.in_question() and min(f["bursts"]) > 9)
    path = relay.bundle(relay.json("case", "open", "--flow", other["id"])["id"], "*")
    try:
        check_private([path], c.everybody(), c.in_question())
    except AssertionError as found:
        assert "travelled" in str(found), found
    else:
        raise AssertionError(f"{other['flow']} went unnoticed")


def test_the_trains_that_travelled_are_of_the_flows_in_question():
    """Each as its own network recorded it: the bursts are those of the flow, and none are more."""
    c = chain("chain3")
    recorded = {(f["point"], f["flow"]): f for n in c.everybody() for f in n.flows()}
    for name, text in trains(c.travelled).items():
        line = dict(part.split(" ", 1) for part in text.split("\n")[1:6])
        assert line["flow"] in c.in_question(), line
        f = recorded[line["point"], line["flow"]]
        assert (int(line["first"]), int(line["last"])) == (micro(f["first"]), micro(f["last"])), (line, f)
        sizes = [sum(int(b.split()[2]) for b in BURST.findall(part.encode())) for part in text.split("\nbursts ")[1:]]
        assert sizes == f["payload_bytes"], (sizes, f)
        assert name == bundle_kit.sha256(text.encode()) + ".train"


# ---- how much is disclosed ----


def notations(address, port):
    """An address as somebody could write it."""
    n = int(ipaddress.ip_address(address))
    packed = n.to_bytes(4, "big")
    back = packed[::-1]
    words = [address, str(n), packed.hex(), back.hex(), str(int.from_bytes(back, "big")), ".".join(f"{b:03}" for b in packed),
             ":".join(f"{b:02x}" for b in packed), "-".join(map(str, packed)), ".".join(map(str, back)), f":{port}",
             base64.b64encode(packed).decode().rstrip("=")]
    return words + [w.upper() for w in words]


def hidden_leg(relay, flow):
    """The in-leg as the relay's network knows it: addresses, port, ISNs, id."""
    (f,) = [f for f in relay.flows() if f["flow"] == flow]
    case = relay.json("case", "open", "--flow", flow)["id"]
    texts = trains([relay.bundle(case, "*")])
    (isn,) = [re.search(r"^isn (\S+) (\S+)$", t, re.M).groups() for t in texts.values() if f"\nflow {flow}\n" in t]
    return f, [n for n in isn if n != "-"]


def test_disclosing_the_network_hides_the_address_and_still_proves_the_link():
    victim, relay, case, request = exchanged("nested")
    hop = truth("nested")["attacks"][0]["hops"][0]
    own = relay.verify(request, victim)["here"][0]["trace"]["hops"][0]
    answer = relay.answer(request, "--accept", "--disclose", "network", known=[victim])
    doc = victim.take(answer, relay)
    (moved,) = doc["hops"]
    assert near(moved["log10_e"], own["log10_e"]) and moved["searched"] == own["searched"], (moved, own)
    assert moved["hidden"] and moved["in"]["flow"] == "tcp 198.51.100.0/24 > 203.0.113.10:22", moved
    assert doc["ends"]["network"] == "198.51.100.0/24", doc
    again = victim.bundle(case, "up.example")
    (f, isn) = hidden_leg(relay, hop["in"])
    assert len(isn) == 2
    address, port = hop["in"].split()[1].rsplit(":", 1)
    for name, content in files_of([answer, again]):
        text = name + plain(content)
        found = [w for w in [*notations(address, port), f["id"], f["id"][:12], *isn] if w in text]
        found += [n for n in (port, *isn) if n in NUMBER.findall(text)]
        assert not found, f"{found} in {name}"
    check_private([request, answer, again], [victim, relay], {hop["out"], hop["in"]}, allowed=["198.51.100.0"])
    there = kit.weir("verify", again, *kit.keys([victim, relay]), json_out=True)[0][0]
    (link,) = [c for c in there["claims"] if c["kind"] == "link"]
    assert link["state"] == "re-computed" and near(link["again"], own["log10_e"]), link


def test_disclosing_nothing_tells_nothing():
    victim, relay, case, request = exchanged("nested")
    answer = relay.answer(request, "--accept", "--disclose", "nothing", known=[victim])
    files = bundle_kit.read(answer)["files"]
    assert [f for f in files if f not in ("MANIFEST", "stix.json")] == [], files.keys()
    text = all_text([answer])
    for f in relay.flows():
        assert f["id"] not in text and f["first"] not in text and not [e for e in ends(f["flow"]) if e in text], f
    assert not ADDRESS.search(text), ADDRESS.findall(text)
    doc = victim.take(answer, relay)
    assert doc["verdict"] == "accepted" and doc["hops"] == [] and doc["ends"] is None, doc


def exchanged(run):
    """A victim and a relay's network of their own, and the request of the one to the other."""
    return kit.asked.__wrapped__(run)


# ---- doubt, and its way ----


def cut(data, seconds):
    """The packets of the first seconds of a pcap."""
    at, first, out = 24, None, bytearray(data[:24])
    assert data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"), data[:4]
    unit = 1e-9 if data[:4] == b"\x4d\x3c\xb2\xa1" else 1e-6
    while at + 16 <= len(data):
        sec, frac, n, _ = struct.unpack_from("<IIII", data, at)
        t = sec + frac * unit
        first = t if first is None else first
        if t - first > seconds:
            break
        out += data[at:at + 16 + n]
        at += 16 + n
    return bytes(out)


def test_a_doubt_is_answered_by_a_longer_recording():
    attack = truth("nested")["attacks"][0]
    start = kit.file_of(cut(kit.unpacked(kit.capture("nested", "victim")), 4), "victim.pcap")
    victim, relay = Network("victim.example"), Network("relay.example", kit.capture("nested", "relay1"))
    victim.record(start, "victim")
    case = victim.case(kit.LAB / "nested" / "eve.json")
    first = victim.bundle(case, relay.name)
    (here,) = relay.verify(first, victim)["here"]
    assert here["seen"] == "cannot-tell", here
    doubt = relay.answer(first, "--doubt", "some seconds are too few: record the whole session", known=[victim])
    out, _ = victim.weir("case", "import", doubt, *kit.keys([relay]))
    assert "doubted: some seconds are too few: record the whole session" in out, out
    assert "weir record FILE" in out and f"--to {relay.name}" in out, out
    assert "some seconds are too few" in victim.weir("case", "show", case)[0]
    victim.record(kit.capture("nested", "victim"))
    second = victim.bundle(case, relay.name)
    assert bundle_kit.claims(first)[0][1] != bundle_kit.claims(second)[0][1], "the same claim again"
    (here,) = relay.verify(second, victim)["here"]
    assert here["seen"] == "confirmed" and here["trace"]["hops"][0]["in"]["flow"] == attack["hops"][0]["in"], here
    answer = relay.answer(second, "--accept", "--disclose", "address", known=[victim])
    (moved,) = victim.take(answer, relay)["hops"]
    assert moved["in"]["flow"] == attack["hops"][0]["in"], moved
    kinds = [e["kind"] for e in victim.ledger()]
    assert kinds.count("request-sent") == kinds.count("answer-received") == 2, kinds
    verdicts = [e["verdict"] for e in relay.ledger() if e["kind"] == "answer-sent"]
    assert verdicts == ["doubted", "accepted"], verdicts


def test_a_refusal_says_why_and_moves_nothing():
    victim, relay, case, request = exchanged("nested")
    answer = relay.answer(request, "--refuse", "no legal ground here", "--disclose", "nothing", known=[victim])
    doc = victim.take(answer, relay)
    assert (doc["verdict"], doc["reason"], doc["hops"]) == ("refused", "no legal ground here", []), doc


tap.run(sys.modules[__name__])

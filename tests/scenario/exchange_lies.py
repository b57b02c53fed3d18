#!/usr/bin/env python3
"""Lies, told by somebody who holds his keys rightly: whatever a sender changes in his numbers, trains and log, he signs it
and logs it as weir would.

Takes the path of weir, a folder of runs (lab/set), and view_of.  What the file alone gives away must be refused by who has
nothing but the file; what only the other's recording shows must be called contradicted there, and never confirmed.
"""
import copy
import hashlib
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import tap  # noqa: E402
from bundle_kit import Train  # noqa: E402
from exchange_kit import Network, file_of, refused, told, truth  # noqa: E402

FLOW = truth("nested")["attacks"][0]["flow"]
HOP = truth("nested")["attacks"][0]["hops"][0]
DAY = 24 * 3600 * 1000000


def files(bundle):
    return bundle_kit.read(bundle)["files"]


def trains_of(bundle):
    """{flow: Train}."""
    out = {}
    for path, content in files(bundle).items():
        if path.endswith(".train"):
            t = Train(content)
            out[t.line("flow")] = t
    return out


def link_said():
    """The relay's network tells the whole: the attack and the link, of which it recorded both legs."""
    if not hasattr(link_said, "made"):
        relay = kit.asked()[1]
        case = relay.json("case", "open", "--flow", FLOW)["id"]
        relay.weir("trace", case)
        link_said.made = relay.bundle(case, "*")
    return link_said.made


def link_of(bundle):
    (body,) = [body for kind, _, body in bundle_kit.claims(bundle) if kind == "link"]
    return body


def linked(change, trains=None, view=True):
    """The relay's bundle with its link claim changed by change(body)."""
    relay, old = kit.asked()[1], link_said()
    body = copy.deepcopy(link_of(old))
    change(body)
    texts = [t.text() for t in (trains or trains_of(old)).values()]
    return told(old, relay, [("link", kit.body_of(body))], texts, view=view)


def alone(bundle, **how):
    """Refused by somebody who has the file and the key only."""
    relay = kit.asked()[1]
    return refused("verify", file_of(bundle), *kit.keys([relay]), **how)


# ---- numbers ----


def test_what_is_not_changed_holds():
    relay = kit.asked()[1]
    doc = kit.weir("verify", file_of(linked(lambda body: None)), *kit.keys([relay]), json_out=True)[0][0]
    assert doc["verified"] and [c["state"] for c in doc["claims"]] == ["re-computed"], doc


def put(**values):
    return lambda body: body.update(values)


def leg(which, **values):
    return lambda body: body[which].update(values)


def changed(key, f):
    return lambda body: body.update({key: f(body[key])})


def swapped(body):
    body["in"], body["out"] = body["out"], body["in"]


SPAN = [1795362000000000, 1795363000000000]
CLOCK = {"at_us": 1795362102579519, "offset_us": 0, "drift": 0.0, "error_us": 0}
LIES = [
    ("log10_e a little higher", changed("log10_e", lambda x: x + 1e-8), "log10 e is .* not the .* stated"),
    ("log10_e a little lower", changed("log10_e", lambda x: x - 1e-8), "log10 e is"),
    ("log10_e 10 higher", changed("log10_e", lambda x: x + 10), "log10 e is"),
    ("log10_e infinite", put(log10_e=1e308), "log10_e"),
    ("alpha 0.5", put(alpha=0.5), "needed is"),
    ("alpha 0", put(alpha=0.0), "alpha"),
    ("alpha negative", put(alpha=-1e-6), "alpha"),
    ("alpha 1", put(alpha=1.0), "alpha"),
    ("M lowered", put(searched=1), "needed is"),
    ("M raised", changed("searched", lambda m: m + 1), "needed is"),
    ("M 0", put(searched=0), "searched"),
    ("M negative", put(searched=-56), "searched"),
    ("M huge", put(searched=1 << 62), "searched"),
    ("M a fraction", put(searched=55.5), "searched"),
    ("needed lowered", changed("needed", lambda x: x - 1), "needed is"),
    ("needed a text", put(needed="7"), "needed"),
    ("verdict flipped", put(verdict="insufficient"), "do not give the verdict"),
    ("verdict of another language", put(verdict="PROVEN"), "verdict"),
    ("lag", changed("lag_us", lambda x: x + 1), "lag or number"),
    ("bursts", changed("bursts", lambda x: x + 1), "lag or number"),
    ("bursts negative", put(bursts=-1), "bursts"),
    ("two clocks where there was one", put(clock=CLOCK | {"offset_us": 7000000}), "one clock"),
    ("a clock a thousand years off", put(clock=CLOCK | {"offset_us": 365000 * DAY}), "clock.offset_us"),
    ("a clock that drifts a day a day", put(clock=CLOCK | {"drift": 1.0}), "clock.drift"),
    ("a clock that is none", put(clock=7), "clock"),
    ("blind all the time", put(blind=[[0, 8000000000000000]]), "unseen"),
    ("blind in the middle", put(blind=[[1795362120000000, 1795362160000000]]), "log10 e is|lag or number"),
    ("blind backwards", put(blind=[SPAN[::-1]]), "blind"),
    ("blind twice", put(blind=[SPAN, SPAN]), "blind"),
    ("blind before time", put(blind=[[-5, 5]]), "blind"),
    ("blind for ever", put(blind=[[5, 1 << 62]]), "blind"),
    ("blind too often", put(blind=[[2 * k, 2 * k + 1] for k in range(4097)]), "blind"),
    ("another relay", put(relay="198.51.100.7"), "not an end of both"),
    ("no relay", put(relay="203.0.113.300"), "relay"),
    ("in_opened flipped", changed("in_opened", lambda x: not x), "in_opened"),
    ("in and out swapped", swapped, "in_opened|log10 e is"),
    ("in is out", lambda body: body.update({"in": body["out"]}), "."),
    ("another in-leg's name", leg("in", flow="tcp 198.51.100.8:57420 > 203.0.113.10:22"), "of another flow|other flows"),
    ("a train that is not there", leg("in", train="0" * 64), "is not in the bundle"),
    ("a train's name that is none", leg("in", train="../../../../etc/passwd"), "in.train"),
    ("no code", lambda body: body.pop("code"), "code"),
]


def test_numbers_that_are_not_so_are_refused_by_the_file_alone():
    for name, change, say in LIES:
        try:
            # a claim that cannot be read has no view
            bundle = linked(change)
        except kit.subprocess.CalledProcessError:
            bundle = linked(change, view=False)
        try:
            alone(bundle, say=say)
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from e


def test_a_laxer_alpha_is_not_the_readers():
    """Proven at alpha 0.5 by its sender, and nothing at the reader's 1e-6."""
    short = truth("short")["attacks"][0]
    relay = Network("relay.example", kit.capture("short", "relay1"))
    case = relay.json("case", "open", "--flow", short["flow"])["id"]
    (hop,) = relay.json("trace", case, "--alpha", "0.5")["hops"]
    assert hop["verdict"] == "proven" and hop["log10_e"] < 7, hop
    path = relay.bundle(case, "*")
    refused("verify", path, *kit.keys([relay]), say="not proven at alpha 1e-06")
    kit.weir("verify", path, "--alpha", "0.5", *kit.keys([relay]))


def test_m_is_a_word_and_is_shown_as_one():
    """Who says that he searched one only, with `needed` to match, is refuted by nothing in the file: it says whose word."""
    relay = kit.asked()[1]
    path = file_of(linked(put(searched=1, needed=6.0)))
    out, _ = kit.weir("verify", path, *kit.keys([relay]))
    assert "that 1 were searched: word of relay.example" in out, out


# ---- trains ----


def other_session(bundle):
    """The train of a bystander's session, under the attack flow's name and time."""
    relay = kit.asked()[1]
    f = next(f for f in relay.flows() if f["flow"].endswith("203.0.113.10:22") and min(f["bursts"]) > 60
             and not f["flow"].startswith("tcp 198.51.100.7"))
    path = relay.bundle(relay.json("case", "open", "--flow", f["id"])["id"], "*")
    true, other = trains_of(bundle)[FLOW], trains_of(path)[f["flow"]]
    for key in ("flow", "point", "first", "flags", "isn"):
        other.set(key, true.line(key))
    return other.set("last", int(true.line("first")) + max(b[-1][0] + b[-1][1] for b in other.bursts))


def sizes_changed(t):
    for bursts in t.bursts:
        for b in bursts:
            b[2] = max(1, b[2] - 7) if b[2] > 20 else b[2] + 5
    return t.total()


def shifted(t, share, rng):
    """A share of the bursts of both directions at another time between their neighbours, most of a second where there is
    room."""
    end = int(t.line("last")) - int(t.line("first"))
    for bursts in t.bursts:
        for k in range(len(bursts)):
            low = bursts[k - 1][0] + bursts[k - 1][1] + 20001 if k else 0
            high = (bursts[k + 1][0] - 20001 if k + 1 < len(bursts) else end) - bursts[k][1]
            if rng.random() < share and high > low:
                bursts[k][0] = low if bursts[k][0] - low > high - bursts[k][0] else high
    return t


def attack_with(train):
    """The victim's request with this train for the attack flow."""
    victim, _, _, request = kit.asked()
    (body,) = [body for kind, _, body in bundle_kit.claims(request)]
    text = train.text()
    body["flow"]["train"] = bundle_kit.sha256(text)
    return told(request, victim, [("attack", kit.body_of(body))], [text])


def there(bundle, **how):
    """What the relay's network finds of it in its recording; (seen, document)."""
    victim, relay, _, _ = kit.asked()
    doc = relay.verify(file_of(bundle), victim, **how)
    (here,) = doc["here"]
    return here["seen"], doc


def test_a_true_train_told_anew_is_confirmed():
    _, _, _, request = kit.asked()
    seen, doc = there(attack_with(trains_of(request)[FLOW]))
    assert seen == "confirmed" and doc["verified"], doc


def test_trains_that_never_were_are_contradicted():
    _, _, _, request = kit.asked()
    true = trains_of(request)[FLOW]
    for name, train in (("sizes", sizes_changed(copy.deepcopy(true))), ("session", other_session(request))):
        seen, doc = there(attack_with(train), status=(0, 1))
        assert seen == "contradicted", (name, doc["here"][0])
        assert not doc["verified"] and doc["why"] == "the own recording contradicts it", doc
        refused("-C", kit.asked()[1].dir, "answer", file_of(attack_with(train)), "--accept", "-o", kit.fresh(),
                *kit.keys([kit.asked()[0]]), say="the own recording contradicts it")


def test_shifted_bursts_are_never_confirmed():
    _, _, _, request = kit.asked()
    for seed in range(5):
        train = shifted(copy.deepcopy(trains_of(request)[FLOW]), 0.2, random.Random(seed))
        seen, doc = there(attack_with(train), status=(0, 1))
        print(f"# 20 % of the bursts shifted, seed {seed}: {seen}: {doc['here'][0]['why']}")
        assert seen != "confirmed", (seed, doc["here"][0])


def test_a_link_from_shifted_bursts_gives_another_number():
    """The in-leg's train changed under the same numbers.  (Its sizes are not in the number: they are a word.)"""
    trains = trains_of(link_said())
    text = shifted(trains[HOP["in"]], 0.2, random.Random(1)).text()
    alone(linked(leg("in", train=bundle_kit.sha256(text)), trains), say="log10 e is")


# ---- true, and not in the other's recording ----


def relay_with(*captures, **how):
    return Network("relay.example", *captures, **how)


def seen_by(network, bundle=None):
    victim, _, _, request = kit.asked()
    (here,) = network.verify(file_of(bundle) if bundle else request, victim, status=(0, 1))["here"]
    assert here["trace"] is None, here
    return here["seen"], here["why"]


def without(flow):
    _, a, _, b = flow.split()
    (x, p), (y, q) = (e.rsplit(":", 1) for e in (a, b))
    return f'filter = "not (host {x} and port {p} and host {y} and port {q})"\n'


def test_a_recording_without_the_flow_has_not_seen_it():
    seen, why = seen_by(relay_with(kit.capture("nested", "relay1"), config=without(FLOW)))
    assert seen == "not-seen", why


def test_a_recording_of_another_hour_cannot_tell():
    seen, why = seen_by(relay_with(kit.capture("hidden", "relay1")))
    assert seen == "cannot-tell", why


def test_an_empty_directory_cannot_tell():
    seen, why = seen_by(relay_with())
    assert seen == "cannot-tell", why


def block(kind, body):
    body += bytes(-len(body) % 4)
    n = len(body) + 12
    return struct.pack("<II", kind, n) + body + struct.pack("<I", n)


def pcapng(data, drops):
    """A pcap as pcapng; drops(seconds since the first packet): how many the recorder says it lost before it."""
    unit = 1000 if data[:4] == b"\x4d\x3c\xb2\xa1" else 1
    linktype = struct.unpack_from("<I", data, 20)[0]
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", linktype, 0, 0))]
    at, first = 24, None
    while at + 16 <= len(data):
        sec, frac, n, wire = struct.unpack_from("<IIII", data, at)
        us = sec * 1000000 + frac // unit
        first = first or us
        lost = drops((us - first) / 1e6)
        packet = data[at + 16:at + 16 + n]
        body = struct.pack("<IIIII", 0, us >> 32, us & 0xFFFFFFFF, n, wire) + packet + bytes(-n % 4)
        if lost:
            body += struct.pack("<HHQHH", 4, 8, lost, 0, 0)
        out.append(block(6, body))
        at += 16 + n
    return b"".join(out)


def test_a_recorder_that_lost_packets_all_the_time_cannot_tell():
    data = kit.unpacked(kit.capture("nested", "relay1"))
    assert seen_at(pcapng(data, lambda t: 0), "confirmed")
    assert seen_at(pcapng(data, lambda t: 50), "cannot-tell")


def seen_at(capture, want):
    relay = relay_with()
    relay.record(file_of(capture, "relay1.pcapng"), "relay1")
    victim, _, _, request = kit.asked()
    (here,) = relay.verify(request, victim)["here"]
    assert here["seen"] == want, here
    return True


def test_a_claim_from_sampled_packets_cannot_be_told():
    _, _, _, request = kit.asked()
    train = trains_of(request)[FLOW]
    train.set("seen", train.line("seen").replace("sampling 1 ", "sampling 64 "))
    seen, doc = there(attack_with(train))
    assert seen == "cannot-tell", doc["here"][0]


# ---- files that were taken out, exchanged, put in ----


def repacked(change):
    """The relay's bundle of an attack and a link, its files changed by change({path: bytes})."""
    f = dict(files(link_said()))
    change(f)
    return bundle_kit.repack(f, kit.asked()[1].skey)


def paths(f, folder):
    return [path for path in f if path.startswith(folder)]


def exchange(folder):
    def change(f):
        a, b = paths(f, folder)
        f[a], f[b] = f[b], f[a]
    return change


def leave_out(folder):
    return lambda f: f.pop(paths(f, folder)[0])


def add(path, content):
    return lambda f: f.update({path: content})


def renamed(f):
    """A claim under another's id."""
    path = paths(f, "claims/")[1]
    new = {(p if p != path else path[:-9] + "0000.json"): c for p, c in f.items()}
    f.clear()
    f.update(new)


def unlisted(path, content, at=99):
    """In the tar, and not in MANIFEST."""
    f = [*files(link_said()).items()]
    f.insert(at, (path, content))
    return bundle_kit.tar(dict(f))


def test_files_exchanged_left_out_or_added_are_refused():
    foreign = {path: content for path, content in files(kit.asked()[3]).items() if path.startswith("proofs/")}
    proof = next(iter(foreign.values()))
    table = [
        ("claims exchanged", repacked(exchange("claims/")), "bytes make another id"),
        ("entries exchanged", repacked(exchange("entries/")), "its entry is another claim's"),
        ("proofs exchanged", repacked(exchange("proofs/")), "not proven to stand"),
        ("trains exchanged", repacked(exchange("trains/")), "its bytes are others'"),
        ("no train", repacked(leave_out("trains/")), "is not in the bundle"),
        ("no entry", repacked(leave_out("entries/")), "its entry or proof is not in the bundle"),
        ("no proof", repacked(leave_out("proofs/")), "its entry or proof is not in the bundle"),
        ("no view", repacked(leave_out("stix.json")), "stix.json"),
        ("view of nothing", repacked(add("stix.json", b"{}\n")), "stix.json"),
        ("renamed", repacked(renamed), "bytes make another id"),
        ("another log's proof", repacked(lambda f: f.update({paths(f, "proofs/")[0]: proof})), "not proven to stand"),
        ("unlisted train", unlisted("trains/" + "0" * 64 + ".train", b"x"), "MANIFEST lists"),
        ("unlisted claim in front", unlisted("claims/attack-" + "0" * 32 + ".json", b"{}", 1), "MANIFEST lists"),
        ("README", repacked(add("README", b"read me")), "no file of a bundle"),
        ("claim of no kind", repacked(add(f"claims/war-{bundle_kit.claim_id('war', b'{}')}.json", b"{}")), "no kind of claim"),
        ("search", repacked(add(f"claims/search-{bundle_kit.claim_id('search', b'{}')}.json", b"{}")), "relay|search|v:"),
    ]
    for name, bundle, say in table:
        try:
            alone(bundle, say=say)
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from e


def test_files_that_no_claim_is_about_are_refused():
    """Neither an entry nor a proof without its claim, nor what has no name of its own."""
    for path, say in (("trains/x.train", "not the name of a train"), ("stix.json.old", "no file of a bundle"),
                      ("entries/" + "0" * 32 + ".json", "belongs to no claim"),
                      ("proofs/" + "0" * 32 + ".tlog-proof", "belongs to no claim")):
        alone(repacked(add(path, b"{}")), say=say)
    unnamed = "trains/" + hashlib.sha256(b"weir-train/v1\n").hexdigest() + ".train"
    alone(repacked(add(unnamed, b"weir-train/v1\n")), say="a train that no claim names")


# ---- answers that lie ----


def answered():
    """(victim, relay, case, answer) of an exchange that nobody has imported."""
    victim, relay, case, request = kit.asked.__wrapped__("nested")
    return victim, relay, case, relay.answer(request, "--accept", "--disclose", "address", known=[victim])


def test_answers_that_lie_move_nothing():
    victim, relay, case, answer = answered()
    claims = bundle_kit.claims(answer)
    texts = [t.text() for t in trains_of(answer).values()]
    before = victim.ledger(), victim.json("case", "show", case)
    innocent = next(f["flow"] for f in relay.flows() if f["flow"].endswith("203.0.113.10:22") and min(f["bursts"]) > 60)

    def lied(change, trains):
        said = copy.deepcopy(claims)
        for kind, _, body in said:
            change(kind, body)
        return told(answer, relay, [(kind, kit.body_of(body)) for kind, _, body in said], trains)

    def more_e(kind, body):
        if kind == "link":
            body["log10_e"] += 1

    framed = trains_of(answer)
    framed[HOP["in"]].set("flow", innocent)

    def frame(kind, body):
        """The true train under another's name: it is no flow of the request, and the number holds: only word."""
        if kind == "link":
            body["in"] |= {"flow": innocent, "train": bundle_kit.sha256(framed[HOP["in"]].text())}

    asked_not = trains_of(answer)
    for t in asked_not.values():
        sizes_changed(t)

    def not_asked(kind, body):
        for where in ("flow", "out", "in"):
            if where in body:
                body[where]["train"] = bundle_kit.sha256(asked_not[body[where]["flow"]].text())
    refused("-C", victim.dir, "case", "import", file_of(lied(more_e, texts)), *kit.keys([relay]), say="log10 e is")
    said = lied(not_asked, [t.text() for t in asked_not.values()])
    refused("-C", victim.dir, "case", "import", file_of(said), *kit.keys([relay]), say="not taken")
    assert (victim.ledger(), victim.json("case", "show", case)) == before
    (moved,) = victim.take(file_of(lied(frame, [t.text() for t in framed.values()])), relay)["hops"]
    assert moved["in"]["flow"] == innocent, moved  # by the relay's word, whose recording it is


def test_a_seen_flow_that_was_not_asked_about_is_not_taken():
    victim, relay, case, answer = answered()
    other = other_session(answer)
    name = "tcp 203.0.113.10:1 > 192.0.2.99:22"
    other.set("flow", name)
    body = {"flow": {"flow": name, "train": bundle_kit.sha256(other.text())}, "code": "weir 0.1.0", "v": 1}
    before = victim.ledger()
    refused("-C", victim.dir, "case", "import", file_of(told(answer, relay, [("seen", kit.body_of(body))], [other.text()])),
            *kit.keys([relay]), say="not taken")
    assert victim.ledger() == before


def forwarded_by(victim, change):
    """The victim's second request, the relay's answer in it changed by change(answer's bytes)."""
    case = victim.lines("case", "list")[0]["id"]
    path = victim.bundle(case, "*")
    f = dict(files(path))
    (inner,) = paths(f, "answers/")
    f[inner] = change(f[inner])
    return file_of(bundle_kit.repack(f, victim.skey))


def test_a_forwarded_answer_is_the_answerers_own():
    """Changed by who forwards it, it is no more signed by the key that the reader knows."""
    victim, relay, _, answer = answered()
    victim.take(answer, relay)
    skey, _ = bundle_kit.make_key(relay.name, bytes(range(32)))
    resigned = forwarded_by(victim, lambda a: bundle_kit.repack(files(a), skey, verdict="refused"))
    forged = forwarded_by(victim, lambda a: bundle_kit.tar(files(a) | {"MANIFEST": files(a)["MANIFEST"].replace(
        b"verdict accepted", b"verdict refused")}))
    renamed = forwarded_by(victim, lambda a: bundle_kit.repack(files(a), relay.skey, why="a word more"))
    for path in (resigned, forged, renamed):
        refused("verify", path, *kit.keys([victim, relay]))
    kit.weir("verify", forwarded_by(victim, lambda a: a), *kit.keys([victim, relay]))


tap.run(sys.modules[__name__])

#!/usr/bin/env python3
"""Claims and trains that somebody sends to break the reader: one clear line each, exit status 1 or 2, bounded time and memory.

Takes the path of weir, a folder of runs (lab/set) and view_of.  Where weir was not built with a sanitizer each run has
256 MB of address space and no more.  Seconds that the dearest ones took are printed, not judged."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import pcapmake  # noqa: E402
import tap  # noqa: E402
from bundle_kit import Train  # noqa: E402
from exchange_kit import Network, file_of, refused, told, truth, weir  # noqa: E402
from hostile_kit import EVIL, attack_body, files, refused_alone, said, spent  # noqa: E402

FLOW = truth("nested")["attacks"][0]["flow"]


# ---- claims ----


def test_json_that_is_none():
    good = kit.body_of(attack_body())
    for n in (100000, 1000000):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            refused_alone(said("attack", opening * n + b"1" + closing * n))
            refused_alone(said("attack", opening * n))
    for body in (b"", b"{}", b"[]", b"null", b"7", b'""', b"\0", good + b"\0", good + good, good[:-1], b"\xff" + good,
                 good[:-1] + b',"code":"weir 0.1.0"}', good[:-1] + b',"flow":{}}', good[:-1] + b',"x":1e999}',
                 good[:-1] + b',"x":NaN}', good[:-1] + b',"x":Infinity}', good[:-1] + b',"x":' + b"9" * 400 + b"}",
                 good[:-1] + b',"x":"\\ud800"}', good[:-1] + b',"x":"\xc3\x28"}', b"\xef\xbb\xbf" + good,
                 good.replace(b"tcp ", b"udp "), good.replace(b'"code"', b'"Code"')):
        refused_alone(said("attack", body))


def test_numbers_that_are_none():
    alice = {"flow": "tcp 198.51.100.7:1 > 203.0.113.10:22", "train": "0" * 64}
    link = {"relay": "203.0.113.10", "in": alice, "out": alice, "in_opened": True, "blind": [], "searched": 1, "log10_e": 9.0,
            "needed": 6.0, "lag_us": 0, "bursts": 5, "verdict": "proven", "alpha": 1e-6, "code": "weir 0.1.0", "v": 1}
    text = kit.body_of(link)
    for old, new in ((b":9.0", b":1e999"), (b":9.0", b":NaN"), (b":9.0", b":-1e999"), (b":9.0", b":1" + b"0" * 5000),
                     (b'"searched":1', b'"searched":9223372036854775808'), (b'"searched":1', b'"searched":-1'),
                     (b'"lag_us":0', b'"lag_us":' + b"9" * 30), (b'"bursts":5', b'"bursts":1e5'), (b"1e-06", b"0"),
                     (b"1e-06", b"1e-400"), (b'"blind":[]', b'"blind":[[1,2],[1e308,5]]'), (b'"blind":[]', b'"blind":{}'),
                     (b'"relay":"203.0.113.10"', b'"relay":"\\u001b[2J"')):
        assert old in text, old
        refused_alone(said("link", text.replace(old, new)))


def test_hostile_text_in_claims_is_shown_harmlessly():
    """What is refused and what is not: no byte of it reaches the terminal as it is (kit.weir looks)."""
    victim, relay, _, _ = kit.asked()
    flow = attack_body()["flow"]
    for evil in EVIL:
        made = [said("origin", {"flow": flow, "network": evil, "basis": "x", "code": "x", "v": 1}),
                said("origin", {"flow": flow, "network": "198.51.100.0/24", "basis": evil, "code": "x", "v": 1}),
                said("block", {"rule": evil, "from": "2026-11-22T00:00:00.000000Z", "until": "2026-11-23T00:00:00.000000Z",
                               "code": "x", "v": 1}),
                said("attack", {"flow": flow | {"point": evil, "id": evil, "first": evil}, "said": [{"text": evil}],
                                "code": evil, "v": 1}),
                said("attack", {"flow": flow | {"flow": evil}, "code": "x", "v": 1})]
        for data in made:
            path = file_of(data)
            for args in (["verify", path], ["-C", relay.dir, "verify", path], ["--json", "verify", path]):
                weir(*args, *kit.keys([victim]), status=(0, 1, 2), limit=True)


def test_hostile_text_of_a_sensor_does_not_reach_the_other_side():
    victim = Network("victim.example", kit.capture("nested", "victim"))
    relay = kit.asked()[1]
    for evil in EVIL[:-1]:
        event = json.loads((kit.LAB / "nested" / "eve.json").read_text().split("\n")[0])
        event["alert"]["signature"] = f"alert {evil} x"
        eve = kit.fresh("eve.json")
        eve.write_text(json.dumps(event) + "\n")
        out, _ = victim.weir("case", "open", "--eve", eve, status=(0, 2), json_out=True)
        if not out:
            continue
        path = victim.bundle(out[0]["id"], relay.name)
        victim.weir("case", "show", out[0]["id"])
        relay.weir("verify", path, *kit.keys([victim]))


def test_many_claims():
    victim, _, _, path = kit.asked()
    flow = attack_body()["flow"]
    train = [c for p, c in files().items() if p.endswith(".train")]

    def many(n):
        claims = [("attack", kit.body_of({"flow": flow, "code": f"weir {k}", "v": 1})) for k in range(n)]
        return file_of(told(path, victim, claims, train, view=n <= 3000))
    refused("verify", many(4097), *kit.keys([victim]))
    most = many(3000)  # more have no room in a MANIFEST
    spent("3000 attack claims", lambda: weir("verify", most, *kit.keys([victim]), limit=True))


def test_answers_in_answers():
    victim, relay, case, path = kit.asked.__wrapped__("nested")
    answer = relay.answer(path, "--accept", "--disclose", "address", known=[victim])
    inner = answer.read_bytes()
    name = f"answers/{bundle_kit.read(inner)['text'].split()[2]}.tar"
    nested = bundle_kit.repack(dict(bundle_kit.read(inner)["files"]) | {name: inner}, relay.skey)

    def forwarding(*answers):
        f = dict(bundle_kit.read(path)["files"])
        for a in answers:
            f[f"answers/{bundle_kit.read(a)['text'].split()[2]}.tar"] = a
        return bundle_kit.repack(f, victim.skey)

    def good(*answers):
        return kit.resealed(bundle_kit.read(forwarding(*answers))["files"], victim)
    refused("verify", file_of(forwarding(nested)), *kit.keys([victim, relay]), say="an answer with other answers")
    refused("verify", file_of(forwarding(path.read_bytes())), *kit.keys([victim, relay]), say="not an answer")
    refused("verify", file_of(forwarding(inner[:-512])), *kit.keys([victim, relay]))
    many = [kit.resealed(bundle_kit.read(inner)["files"], relay, why=f"number {k}") for k in range(65)]
    refused("verify", file_of(forwarding(*many)), *kit.keys([victim, relay]), say="more than 64 answers")
    weir("verify", file_of(good(*many[:64])), *kit.keys([victim, relay]), limit=True)
    deep = inner
    for _ in range(30):
        deep = forwarding(deep)
    refused("verify", file_of(deep), *kit.keys([victim, relay]))


# ---- trains ----


def dense(flow, n, ways=(1, 1), gap=20001, size=100, shift=0):
    """A train of n bursts in each of the ways, all alike."""
    first = 1795362102579519
    t = Train(b"weir-train/v1\nend\n")
    t.bursts = [[[k * gap + shift, 0, size, 1] for k in range(n if way else 0)] for way in ways]
    last = first + n * gap + shift
    t.head = (f"weir-train/v1\nflow {flow}\npoint x\nfirst {first}\nlast {last}\nseen packets resolution 1 error 0 "
              f"sampling 1 gap 20000\nflags syn synack\nisn 1 1\n")
    for way, bursts in enumerate(t.bursts):
        t.head += f"total {way} packets {len(bursts) + 2} frame {len(bursts) * (size + 54) + 200} payload {len(bursts) * size}\n"
    return t


def attack(train):
    body = {"flow": {"flow": train.line("flow"), "train": bundle_kit.sha256(train.text())}, "code": "weir 0.1.0", "v": 1}
    return said("attack", body, [train.text()], view=True)


def attack_text(text):
    flow = attack_body()["flow"]["flow"]
    return said("attack", {"flow": {"flow": flow, "train": bundle_kit.sha256(text)}, "code": "weir 0.1.0", "v": 1}, [text])


def test_trains_that_are_none():
    true = next(c for p, c in files().items() if p.endswith(".train"))
    head, _, bursts = true.partition(b"bursts 0 ")
    lines = bursts.split(b"\n")
    table = {
        "empty": b"", "zeros": bytes(1000), "no end": true[:-4], "two": true + true, "blank": true.replace(b" ", b"  ", 1),
        "CR": true.replace(b"\n", b"\r\n"), "sign": true.replace(b"\nfirst ", b"\nfirst +"),
        "zeros in front": true.replace(b"\nfirst ", b"\nfirst 0"), "last before first": true.replace(b"last 1", b"last 0"),
        "year 9999": true.replace(b"first 1795", b"first 253402300799"), "negative": true.replace(b"first 1", b"first -1"),
        "a burst with a negative start": true.replace(lines[2], b"-5 0 1 1"), "overflow": true.replace(
            lines[2], b"18446744073709551615 18446744073709551615 18446744073709551615 18446744073709551615"),
        "more than the totals": true.replace(lines[2], b"1000000 0 70000000000000 1"),
        "out of order": true.replace(lines[2], b"0 0 36 1"), "more said than there": true.replace(b"bursts 0 ", b"bursts 0 1"),
        "65537 said": head + b"bursts 0 65537\nbursts 1 0\nend\n", "2^32 said": head + b"bursts 0 4294967296\nbursts 1 0\nend\n",
        "a point with an escape": true.replace(b"point victim", b"point \x1b[2J"), "a long point": true.replace(
            b"point victim", b"point " + b"x" * 64), "an address that is none": true.replace(b"203.0.113.10", b"203.0.113.999"),
        "itself": true.replace(b"203.0.113.10:54928", b"192.0.2.10:22"), "sampling 0": true.replace(b"sampling 1", b"sampling 0"),
        "gap 0": true.replace(b"gap 20000", b"gap 0"), "long": true.replace(b"end\n", b"x" * (4 << 20) + b"\nend\n")}
    for name, text in table.items():
        assert text != true, name
        try:
            refused_alone(attack_text(text))
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from e


def test_how_long_a_train_may_be():
    victim = kit.asked()[0]
    for n, ways, good in ((65536, (1, 0), True), (32768, (1, 1), True), (65537, (1, 0), False)):
        text = dense(FLOW, n, ways)
        if good:
            weir("verify", file_of(attack(text)), *kit.keys([victim]), limit=True)
        else:
            refused_alone(attack_text(text.text()))


def dense_link(n, pairs):
    """Claims of links between trains that are as long and as alike as they may be."""
    relay = kit.asked()[1]
    inn, out = "tcp 198.51.100.7:57420 > 203.0.113.10:22", FLOW
    a, b = dense(inn, n, shift=0), dense(out, n, shift=150)
    leg = {"in": {"flow": inn, "train": bundle_kit.sha256(a.text())}, "out": {"flow": out, "train": bundle_kit.sha256(b.text())}}
    bodies = [{"relay": "203.0.113.10", **leg, "in_opened": False, "blind": [], "searched": 1, "log10_e": 9.0, "needed": 6.0,
               "lag_us": k, "bursts": 5, "verdict": "proven", "alpha": 1e-6, "code": "weir 0.1.0", "v": 1} for k in range(pairs)]
    return told(kit.asked()[3], relay, [("link", kit.body_of(b)) for b in bodies], [a.text(), b.text()], view=False,
                **{"from": relay.name})


def test_trains_that_make_the_test_work_hard():
    relay = kit.asked()[1]
    for n, pairs in ((32768, 1), (32768, 30), (32768, 60), (400, 2900)):
        data = file_of(dense_link(n, pairs))
        spent(f"{pairs} links of 2 x {2 * n} bursts, all alike", lambda: refused("verify", data, *kit.keys([relay])))


def test_trains_that_make_the_search_work_hard():
    victim, relay, _, _ = kit.asked()
    times = [k * 0.0201 for k in range(12000)]
    frames = []
    for port in range(4):
        end = f"203.0.113.10:{54928 + port}"
        frames += dense_frames(end, times)
    other = Network("relay.example")
    other.record(file_of(pcapmake.capture(frames), "dense.pcap"), "relay1")
    for name, data in (("long", attack(dense(FLOW, 32768))), ("same length", attack(dense(FLOW, 12000, gap=20100))),
                       ("one way", attack(dense(FLOW, 65536, (0, 1)))),
                       ("under other addresses", attack(dense("tcp 203.0.113.77:1234 > 192.0.2.10:22", 32768)))):
        path = file_of(data)
        for where in (relay, other):
            def look(where=where):
                doc = where.verify(path, victim, status=(0, 1), limit=True)
                print(f"# {name}, {where.dir.name}: {doc['here'][0]['seen']}")
                assert doc["here"][0]["seen"] != "confirmed" or where is other, doc["here"]
            spent(name, look)


def dense_frames(end, times):
    """A session of equal packets both ways at these times."""
    host, port = end.split(":")
    start, out, seq = 1795362102.579519, [], 1
    for flags, src in ((2, 0), (0x12, 1), (0x10, 0)):
        ab = (host, int(port), "192.0.2.10", 22) if src == 0 else ("192.0.2.10", 22, host, int(port))
        out.append((start, pcapmake.tcp(*ab, 0 if flags == 2 else 1, 1, flags)))
    for k, t in enumerate(times):
        out.append((start + t, pcapmake.tcp(host, int(port), "192.0.2.10", 22, seq, seq, 0x18, 100, k)))
        out.append((start + t + 1e-6, pcapmake.tcp("192.0.2.10", 22, host, int(port), seq, seq + 100, 0x18, 100, k)))
        seq += 100
    return out


def test_a_bundle_as_large_as_one_may_be():
    """64 MiB, well formed: within the memory that there is."""
    victim = kit.asked()[0]
    flow = attack_body()["flow"]["flow"]
    text = dense(flow, 65536, (0, 1), gap=20001, size=10**12).text()
    texts = [text.replace(b"isn 1 ", b"isn %d " % k) for k in range(2, 2 + (62 << 20) // len(text))]
    bodies = [("attack", kit.body_of({"flow": {"flow": flow, "train": bundle_kit.sha256(t)}, "code": "weir 0.1.0", "v": 1}))
              for t in texts]
    data = told(kit.asked()[3], victim, bodies, texts, view=True)
    path = file_of(data)
    spent(f"{len(data) >> 20} MiB, {len(texts)} trains", lambda: weir("verify", path, *kit.keys([victim]), limit=True))


tap.run(sys.modules[__name__])

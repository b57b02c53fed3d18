#!/usr/bin/env python3
"""Files that somebody sends to break the reader: one clear line each, exit status 1 or 2, bounded time and memory.

Takes the path of weir, a folder of runs (lab/set), view_of and every_byte.  Where weir was not built with a sanitizer each
run has 256 MB of address space and no more."""
import base64
import copy
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import pcapmake  # noqa: E402
import tap  # noqa: E402
from bundle_kit import Train  # noqa: E402
from exchange_kit import Network, file_of, refused, told, truth, weir  # noqa: E402

SEED = int.from_bytes(os.urandom(4), "big")
FLOW = truth("nested")["attacks"][0]["flow"]


class NOBODY:
    """Whom nobody knows."""
    name = "nobody.example"
    skey, key = bundle_kit.make_key(name, bytes(range(32)))


EVIL = ["\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe", "a\rb", "line\nline", "\x9b31m", "\u2028", "\u2066\u2069", "\x7f", "\x00",
        "\u0085", "A" * 100000]


def request():
    return kit.asked()[3].read_bytes()


def files(bundle=None):
    return dict(bundle_kit.read(bundle or request())["files"])


def everywhere(data, **how):
    """Refused by all who take a bundle, each with one line; no directory has anything of it afterwards."""
    victim, relay, _, _ = kit.asked()
    path = data if isinstance(data, (str, pathlib.Path)) else file_of(data)
    line = refused("verify", path, *kit.keys([victim]), **how)
    refused("-C", relay.dir, "verify", path, *kit.keys([victim]), **how)
    out = kit.fresh("never.weir")
    refused("-C", relay.dir, "answer", path, "--accept", *kit.keys([victim]), "-o", out, **how)
    assert not out.exists(), path
    refused("-C", victim.dir, "case", "import", path, *kit.keys([victim, relay]))
    return line


def by_victim(change, **fields):
    """The request as its own sender could have made it."""
    f = files()
    change(f)
    return bundle_kit.repack(f, kit.asked()[0].skey, **fields)


def nothing(f):
    pass


# ---- bytes ----


def test_every_changed_byte_is_noticed():
    victim = kit.asked()[0]
    run = subprocess.run([sys.argv[4], kit.asked()[3], str(SEED), victim.key], capture_output=True, text=True, timeout=280)
    print(f"# {run.stdout.strip()}, seed {SEED}")
    assert run.returncode == 0, run.stdout + run.stderr


def test_changed_bytes_on_the_command_line():
    victim, data, rng = kit.asked()[0], request(), random.Random(SEED)
    for _ in range(200):
        at, change = rng.randrange(len(data)), rng.choice((1, 0x80, rng.randrange(1, 256)))
        bad = bytearray(data)
        bad[at] ^= change
        try:
            refused("verify", file_of(bad), *kit.keys([victim]))
        except AssertionError as e:
            raise AssertionError(f"byte {at} ^ {change:02x}: {e}") from e


def test_truncated_and_longer():
    data, rng = request(), random.Random(SEED)
    sizes = {0, 1, 100, 511, 512, 513, 1024, len(data) - 1, len(data) - 512, len(data) - 1024}
    for n in sorted(sizes | {rng.randrange(len(data)) for _ in range(20)}):
        refused("verify", file_of(data[:n]), *kit.keys([kit.asked()[0]]))
    for more in (b"\0", bytes(512), bytes(10240), b"x" * 512, data):
        refused("verify", file_of(data + more), *kit.keys([kit.asked()[0]]))
    everywhere(data[:5000])
    everywhere(b"")


def test_what_is_no_file():
    for path in ("/dev/null", kit.TMP, "/nonexistent/file", "/dev/zero"):
        everywhere(path)
    with open("/dev/zero", "rb") as zero:
        refused("verify", "-", stdin=zero)
    with open("/dev/null", "rb") as none:
        refused("verify", "-", stdin=none)


def test_files_that_are_huge_or_of_another_kind():
    sparse = kit.fresh("huge")
    with open(sparse, "wb") as f:
        f.truncate(65 << 20)
    everywhere(sparse, say="longer than")
    with open(sparse, "r+b") as f:
        f.write(request())
    everywhere(sparse, say="longer than")
    for packer in (["gzip", "-9c"], ["zstd", "-19", "-qc", "--zstd=wlog=10"]):
        with open(sparse, "rb") as f:
            bomb = subprocess.run(packer, stdin=f, capture_output=True, check=True).stdout
        everywhere(bomb)
        everywhere(subprocess.run(packer, input=request(), capture_output=True, check=True).stdout)
    everywhere(kit.unpacked(kit.capture("nested", "victim"))[:100000])
    everywhere(WEIR_BYTES)


WEIR_BYTES = kit.WEIR.read_bytes()[:1000000]


# ---- tars ----


def real_tar(form, *more):
    """A tar of Python's making: the request's files, and what `more` adds (TarInfo, bytes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for path, content in files().items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
        for info, content in more:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def member(name, kind=tarfile.REGTYPE, content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def sparse_member():
    """A GNU sparse file: type S, its map in the header."""
    data = bytearray(real_tar(tarfile.GNU_FORMAT, member("claims/s", content=b"x" * 512)))
    at = data.rindex(b"claims/s\0")
    data[at + 156:at + 157] = b"S"
    data[at + 386:at + 386 + 24] = b"00000000000\0" + b"77777777777\0"
    data[at + 483:at + 483 + 12] = b"77777777777\0"
    data[at + 148:at + 156] = b" " * 8
    data[at + 148:at + 156] = b"%06o\0 " % sum(data[at:at + 512])
    return bytes(data)


def test_tars_that_want_more_than_files():
    marks = pathlib.Path("/tmp/weir-was-here"), kit.TMP / "x", pathlib.Path("x")
    evil = [member("../../../../tmp/weir-was-here", content=b"x"), member("/tmp/weir-was-here", content=b"x"),
            member("claims/../../x", content=b"x"), member("claims/./x", content=b"x"), member("claims//x", content=b"x"),
            member("link", tarfile.SYMTYPE, linkname="/etc/passwd"), member("link", tarfile.LNKTYPE, linkname="MANIFEST"),
            member("null", tarfile.CHRTYPE, devmajor=1, devminor=3), member("disk", tarfile.BLKTYPE, devmajor=8),
            member("pipe", tarfile.FIFOTYPE), member("folder", tarfile.DIRTYPE), member("again", tarfile.CONTTYPE),
            member("MANIFEST", content=files()["MANIFEST"]), member("stix.json", content=b"{}"),
            member("claims", content=b"x"), member("stix.json/x", content=b"x"), member("claims/" + "x" * 200, content=b"x"),
            member("claims/\x1b[2J\u202e", content=b"x"), member("a b", content=b"x"), member("x", content=b"x", uid=1),
            member("x", content=b"x", mode=0o4777), member("x", content=b"x", mtime=1), member("x", content=b"x", uname="root")]
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        for info, content in evil:
            try:
                data = real_tar(form, (copy.copy(info), content))
            except ValueError:
                continue  # this form has no such name
            try:
                refused("verify", file_of(data), *kit.keys([kit.asked()[0]]))
            except AssertionError as e:
                raise AssertionError(f"{info.name!r} of type {info.type}, form {form}: {e}") from e
    everywhere(real_tar(tarfile.PAX_FORMAT, member("x", pax_headers={"path": "/etc/passwd", "size": "9999999999"})))
    everywhere(sparse_member())
    everywhere(real_tar(tarfile.GNU_FORMAT, member("x" * 300, content=b"x")))
    assert not [m for m in marks if m.exists()]


def test_a_tar_of_many_or_of_empty_files():
    f = files()
    everywhere(bundle_kit.tar(f | {f"claims/{k}": b"" for k in range(20000)}), say="files")
    everywhere(bundle_kit.tar({"MANIFEST": b""}))
    everywhere(bundle_kit.tar({"stix.json": b"{}", "MANIFEST": f["MANIFEST"]}), say="MANIFEST")
    everywhere(bytes(1024))
    everywhere(bytes(10240))


def test_sizes_that_are_none():
    data = bytearray(request())
    for size in (b"77777777777\0", b"\x80" + b"\xff" * 11, b"-0000000001\0", b"           \0", b"0000000000x\0", bytes(12)):
        bad = bytearray(data)
        bad[124:136] = size
        bad[148:156] = b" " * 8
        bad[148:156] = b"%06o\0 " % sum(bad[:512])
        everywhere(bytes(bad))


# ---- signatures ----


def with_signatures(lines):
    f = files()
    text = f["MANIFEST"].rpartition(b"\n\n")[0]
    f["MANIFEST"] = text + b"\n\n" + b"".join(lines)
    return bundle_kit.tar(f)


def test_signatures():
    victim = kit.asked()[0]
    f = files()
    text, _, own = f["MANIFEST"].rpartition(b"\n\n")
    value = bytearray(base64.b64decode(own.split(b" ")[2]))
    other = bundle_kit.sign(text.decode() + "\n", NOBODY.skey).rpartition(b"\n\n")[2]
    impostor_key, _ = bundle_kit.make_key(victim.name, bytes(range(1, 33)))
    value[40] ^= 4
    bad = own[:own.rindex(b" ") + 1] + base64.b64encode(value) + b"\n"
    everywhere(with_signatures([]))
    everywhere(with_signatures([own, own]), say="signatures, not one")
    everywhere(with_signatures([own, other]), say="signatures, not one")
    everywhere(with_signatures([own] * 10000), say="MANIFEST")
    everywhere(with_signatures([b"\xe2\x80\x94 nobody.example " + base64.b64encode(os.urandom(68)) + b"\n" for _ in range(10000)]),
               say="MANIFEST")
    everywhere(with_signatures([bad]), say="signature")
    everywhere(with_signatures([other]), say="not signed by whom it says")
    everywhere(with_signatures([own[:-1] + b" \n"]))
    everywhere(with_signatures([own.replace(b"\n", b"")]))
    everywhere(with_signatures([own.replace(b"victim.example", b"v\x1b[31mictim")]))
    everywhere(bundle_kit.repack(f, impostor_key), say="not the key that you trust under this name")
    everywhere(bundle_kit.repack(f, NOBODY.skey, **{"from": NOBODY.name}), say="whom you were not told to trust")
    refused("verify", file_of(request()), say="whom you were not told to trust")
    refused("verify", file_of(request()), "--key", "victim.example+00000000+AAAA")
    refused("verify", file_of(request()), "--key", "x" * 100000)


# ---- times and names ----


def test_time_recipient_and_sender():
    for fields, say in (({"not_after": "2026-01-02T00:00:00.000000Z", "made": "2026-01-01T00:00:00.000000Z"}, "it expired"),
                        ({"made": "2099-01-01T00:00:00.000000Z", "not_after": "2099-01-02T00:00:00.000000Z"}, "from the future"),
                        ({"made": "2020-01-01T00:00:00.000000Z", "not_after": "2019-01-02T00:00:00.000000Z"}, "manifest"),
                        ({"made": "2026-13-01T00:00:00.000000Z"}, "."), ({"made": "yesterday"}, "."),
                        ({"not_after": "9999-12-31T23:59:59.999999Z"}, "."),
                        ({"from": "somebody.example"}, "not signed by whom"), ({"from": "x" * 300}, "."),
                        ({"to": ""}, "."), ({"to": "a b"}, "."), ({"type": "order"}, "."), ({"ask": "obey"}, "."),
                        ({"ask": None}, "."), ({"verdict": "accepted"}, "."), ({"code": "x" * 64}, "."), ({"log": "x"}, ".")):
        everywhere(by_victim(nothing, **fields), say=say)
    path = file_of(by_victim(nothing, to="third.example"))
    refused("-C", kit.asked()[1].dir, "verify", path, *kit.keys([kit.asked()[0]]), say="it is for third.example")
    refused("-C", kit.asked()[1].dir, "answer", path, "--accept", "-o", kit.fresh(), *kit.keys([kit.asked()[0]]),
            say="it is for third.example")


def test_hostile_text_in_the_manifest():
    for evil in EVIL:
        for key in ("why", "to", "from", "code", "made", "log"):
            try:
                everywhere_quick(by_victim(nothing, **{key: "x" + evil}))
            except UnicodeEncodeError:
                continue


def everywhere_quick(data):
    refused("verify", file_of(data), *kit.keys([kit.asked()[0]]))


# ---- an exchange that is played again, or was never begun ----


def test_replays_and_answers_to_nothing():
    victim, relay, case, path = kit.asked.__wrapped__("nested")
    third = Network("third.example")
    refused("-C", victim.dir, "answer", path, "--accept", "-o", kit.fresh(), *kit.keys([relay]), say="it is for relay.example")
    refused("-C", victim.dir, "case", "import", path, *kit.keys([relay]))
    answer = relay.answer(path, "--accept", "--disclose", "address", known=[victim])
    for command in (["answer", path, "--accept", "-o", kit.fresh()], ["answer", path, "--refuse", "no", "-o", kit.fresh()],
                    ["verify", path]):
        refused("-C", relay.dir, *command, *kit.keys([victim]), say="it is a replay")
    for signer, fields, say in ((relay, {"reply_to": "0" * 32}, "never made here"),
                                (relay, {"reply_sha256": "0" * 64}, "another file"),
                                (third, {"from": third.name}, "somebody else was asked"),
                                (relay, {"to": third.name}, "it is for third.example"),
                                (NOBODY, {"from": NOBODY.name}, "not told to trust")):
        bad = file_of(kit.resealed(bundle_kit.read(answer)["files"], signer, **fields))
        refused("-C", victim.dir, "case", "import", bad, *kit.keys([relay, third]), say=say)
    assert "answer-received" not in [e["kind"] for e in victim.ledger()]
    refused("-C", victim.dir, "answer", answer, "--accept", "-o", kit.fresh(), *kit.keys([relay]), say="an answer, not a request")
    victim.take(answer, relay)
    refused("-C", victim.dir, "case", "import", answer, *kit.keys([relay]), say="it is a replay")
    refused("-C", victim.dir, "verify", answer, *kit.keys([relay]), say="it is a replay")
    refused("-C", relay.dir, "case", "import", answer, *kit.keys([victim]))
    for name in (victim, relay):
        name.weir("ledger", "check")


def test_a_doubt_with_hostile_words_is_not_sent():
    victim, relay, _, path = kit.asked()
    before = relay.ledger()
    for evil in EVIL:
        if "\0" not in evil:
            for way in ("--doubt", "--refuse"):
                refused("-C", relay.dir, "answer", path, way, "x" + evil, "-o", kit.fresh(), *kit.keys([victim]))
    assert relay.ledger() == before


# ---- claims ----


def said(kind, body, trains=None, view=False):
    """The request with this claim in place of its own; bytes, or what makes JSON."""
    victim, _, _, path = kit.asked()
    body = body if isinstance(body, bytes) else kit.body_of(body)
    trains = [c for p, c in files().items() if p.endswith(".train")] if trains is None else trains
    return told(path, victim, [(kind, body)], trains, view=view)


def attack_body():
    return bundle_kit.claims(request())[0][2]


def test_json_that_is_none():
    good = kit.body_of(attack_body())
    for n in (100000, 1000000):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            everywhere_quick(said("attack", opening * n + b"1" + closing * n))
            everywhere_quick(said("attack", opening * n))
    for body in (b"", b"{}", b"[]", b"null", b"7", b'""', b"\0", good + b"\0", good + good, good[:-1], b"\xff" + good,
                 good[:-1] + b',"code":"weir 0.1.0"}', good[:-1] + b',"flow":{}}', good[:-1] + b',"x":1e999}',
                 good[:-1] + b',"x":NaN}', good[:-1] + b',"x":Infinity}', good[:-1] + b',"x":' + b"9" * 400 + b"}",
                 good[:-1] + b',"x":"\\ud800"}', good[:-1] + b',"x":"\xc3\x28"}', b"\xef\xbb\xbf" + good,
                 good.replace(b"tcp ", b"udp "), good.replace(b'"code"', b'"Code"')):
        everywhere_quick(said("attack", body))


def test_numbers_that_are_none():
    alice = {"flow": "tcp 198.51.100.7:1 > 203.0.113.10:22", "train": "0" * 64}
    link = {"relay": "203.0.113.10", "in": alice, "out": alice, "in_opened": True, "blind": [], "searched": 1, "log10_e": 9.0,
            "needed": 6.0, "lag_us": 0, "bursts": 5, "verdict": "proven", "alpha": 1e-6, "code": "weir 0.1.0"}
    text = kit.body_of(link)
    for old, new in ((b":9.0", b":1e999"), (b":9.0", b":NaN"), (b":9.0", b":-1e999"), (b":9.0", b":1" + b"0" * 5000),
                     (b'"searched":1', b'"searched":9223372036854775808'), (b'"searched":1', b'"searched":-1'),
                     (b'"lag_us":0', b'"lag_us":' + b"9" * 30), (b'"bursts":5', b'"bursts":1e5'), (b"1e-06", b"0"),
                     (b"1e-06", b"1e-400"), (b'"blind":[]', b'"blind":[[1,2],[1e308,5]]'), (b'"blind":[]', b'"blind":{}'),
                     (b'"relay":"203.0.113.10"', b'"relay":"\\u001b[2J"')):
        assert old in text, old
        everywhere_quick(said("link", text.replace(old, new)))


def test_hostile_text_in_claims_is_shown_harmlessly():
    """What is refused and what is not: no byte of it reaches the terminal as it is (kit.weir looks)."""
    victim, relay, _, _ = kit.asked()
    flow = attack_body()["flow"]
    for evil in EVIL:
        made = [said("origin", {"flow": flow, "network": evil, "basis": "x", "code": "x"}),
                said("origin", {"flow": flow, "network": "198.51.100.0/24", "basis": evil, "code": "x"}),
                said("block", {"rule": evil, "from": "2026-11-22T00:00:00.000000Z", "until": "2026-11-23T00:00:00.000000Z",
                               "code": "x"}),
                said("attack", {"flow": flow | {"point": evil, "id": evil, "first": evil}, "said": [{"text": evil}], "code": evil}),
                said("attack", {"flow": flow | {"flow": evil}, "code": "x"})]
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
        return file_of(told(path, victim, [("attack", kit.body_of({"flow": flow, "code": f"weir {k}"})) for k in range(n)],
                            train, view=n <= 3000))
    refused("verify", many(4097), *kit.keys([victim]))
    most = many(3000)  # more have no room in a MANIFEST
    spent("3000 attack claims", lambda: weir("verify", most, *kit.keys([victim]), limit=True))


def spent(name, f):
    start = time.monotonic()
    f()
    print(f"# {name}: {time.monotonic() - start:.2f} s")


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
    body = {"flow": {"flow": train.line("flow"), "train": bundle_kit.sha256(train.text())}, "code": "weir 0.1.0"}
    return said("attack", body, [train.text()], view=True)


def attack_text(text):
    flow = attack_body()["flow"]["flow"]
    return said("attack", {"flow": {"flow": flow, "train": bundle_kit.sha256(text)}, "code": "weir 0.1.0"}, [text])


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
            everywhere_quick(attack_text(text))
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from e


def test_how_long_a_train_may_be():
    victim = kit.asked()[0]
    for n, ways, good in ((65536, (1, 0), True), (32768, (1, 1), True), (65537, (1, 0), False)):
        text = dense(FLOW, n, ways)
        if good:
            weir("verify", file_of(attack(text)), *kit.keys([victim]), limit=True)
        else:
            everywhere_quick(attack_text(text.text()))


def dense_link(n, pairs):
    """Claims of links between trains that are as long and as alike as they may be."""
    relay = kit.asked()[1]
    inn, out = "tcp 198.51.100.7:57420 > 203.0.113.10:22", FLOW
    a, b = dense(inn, n, shift=0), dense(out, n, shift=150)
    leg = {"in": {"flow": inn, "train": bundle_kit.sha256(a.text())}, "out": {"flow": out, "train": bundle_kit.sha256(b.text())}}
    bodies = [{"relay": "203.0.113.10", **leg, "in_opened": False, "blind": [], "searched": 1, "log10_e": 9.0, "needed": 6.0,
               "lag_us": k, "bursts": 5, "verdict": "proven", "alpha": 1e-6, "code": "weir 0.1.0"} for k in range(pairs)]
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
    bodies = [("attack", kit.body_of({"flow": {"flow": flow, "train": bundle_kit.sha256(t)}, "code": "weir 0.1.0"})) for t in texts]
    data = told(kit.asked()[3], victim, bodies, texts, view=True)
    path = file_of(data)
    spent(f"{len(data) >> 20} MiB, {len(texts)} trains", lambda: weir("verify", path, *kit.keys([victim]), limit=True))


tap.run(sys.modules[__name__])

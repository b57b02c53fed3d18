#!/usr/bin/env python3
"""Files that somebody sends to break the reader: one clear line each, exit status 1 or 2, bounded time and memory.

Takes the path of weir, a folder of runs (lab/set), view_of and every_byte.  Where weir was not built with a sanitizer each
run has 256 MB of address space and no more.  Claims and trains of this kind: exchange_trains.py."""
import base64
import copy
import io
import os
import pathlib
import random
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import tap  # noqa: E402
from exchange_kit import Network, file_of, refused  # noqa: E402
from hostile_kit import EVIL, NOBODY, by_victim, everywhere, files, nothing, refused_alone, request  # noqa: E402

SEED = int.from_bytes(os.urandom(4), "big")


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
    strangers = [b"\xe2\x80\x94 nobody.example " + base64.b64encode(os.urandom(68)) + b"\n" for _ in range(10000)]
    everywhere(with_signatures(strangers), say="MANIFEST")
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
                refused_alone(by_victim(nothing, **{key: "x" + evil}))
            except UnicodeEncodeError:
                continue


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


tap.run(sys.modules[__name__])

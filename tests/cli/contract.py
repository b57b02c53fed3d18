#!/usr/bin/env python3
"""The command line is a contract: shapes of the JSON, exit statuses, what is on which stream, and every bad input that
the recorder may meet, each with one clear line and nothing stored before lost.  What networks send each other, and the
keys and the ledger behind it: contract_exchange.py, contract_answer.py, contract_keys.py.

Takes the path of weir.
"""
import contextlib
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import time

from contract_kit import ATTACK, GOOD, IN_LEG, NUMBER, TMP, WEIR, file_of, fresh, pcapmake, recorded, tap, weir


def segments(where):
    return sorted((where / "trains").glob("*.seg"))


def test_record_json():
    (doc,), err = weir("-C", fresh(), "record", GOOD, json_out=True)
    assert set("packets bytes flows bursts from to skipped seconds".split()) <= doc.keys(), doc
    assert doc["flows"] == 14 and doc["packets"] > 1000 and doc["from"].endswith("Z"), doc
    assert not err, err


def test_record_point_is_checked():
    for name in ("", "a b", "x\x1b[31m", "x" * 64, "a/b"):
        where = fresh()
        weir("-C", where, "record", "--point", name, GOOD, status=2)
        assert not where.exists()


def test_record_keep_0_is_no_cap():
    where = fresh()
    where.mkdir()
    (where / "weir.conf").write_text('keep_size = "1"\n')
    for args, left in ((("--keep", "0"), 14), ((), 0)):
        weir("-C", where, "record", "--point", "one", *args, GOOD)
        weir("-C", where, "record", "--point", "two", *args, file_of(pcapmake.header()))
        flows, _ = weir("-C", where, "flows", json_out=True)
        assert len(flows) == left, (args, len(flows))


def test_record_keep_spares_open_cases():
    where = recorded()
    (opened,), _ = weir("-C", where, "case", "open", "--flow", ATTACK, json_out=True)
    for left in ([ATTACK], []):
        weir("-C", where, "record", "--point", "two", "--keep", "1", file_of(pcapmake.header()))
        flows, _ = weir("-C", where, "flows", json_out=True)
        assert [f["flow"] for f in flows] == left, flows
        weir("-C", where, "case", "close", opened["id"])


def test_record_keeps_to_its_cap_at_the_end_of_a_file():
    where = fresh()
    others = [file_of(pcapmake.capture(pcapmake.relayed_attack(seed))) for seed in (11, 12)]
    _, err = weir("-C", where, "record", "--point", "one", "--keep", "1", GOOD)
    assert "removed" not in err and len(segments(where)) == 1, "the newest was cut"
    weir("-C", where, "record", "--point", "two", "--keep", "0", others[0])
    big = sum(p.stat().st_size for p in segments(where)) * 5 // 4
    assert len(segments(where)) == 2
    _, err = weir("-C", where, "record", "--point", "three", "--keep", str(big), others[1])
    left = segments(where)
    assert len(left) == 2 and sum(p.stat().st_size for p in left) <= big, left
    lines = [line for line in err.splitlines() if "removed" in line]
    assert len(lines) == 1 and "1 segment, " in lines[0] and f"to keep to {big} bytes" in lines[0], err
    flows, _ = weir("-C", where, "flows", json_out=True)
    assert len(flows) == 28, len(flows)


MARKER = b"pAyLoAd-mArKeR-7c1e"


def body_of(segment):
    """The bodies of a segment's blocks, unpacked (doc/record-format.md)."""
    data, out, at = segment.read_bytes(), b"", 32
    while data[at:at + 8] == bytes.fromhex("b1776569720d0ac7"):
        codec = data[at + 9]
        summary, body = struct.unpack_from("<II", data, at + 12)
        packed = data[at + 60 + summary:at + 60 + summary + body]
        out += subprocess.run(["zstd", "-qdc"], input=packed, capture_output=True, check=True).stdout if codec else packed
        at += 60 + summary + body
    assert out, segment
    return out


def test_no_payload_is_stored():
    frames = []
    for time, frame in pcapmake.relayed_attack(4):
        n = len(frame) - 54
        frames.append((time, frame[:54] + (MARKER * (n // len(MARKER) + 1))[:n]))
    frames += [(pcapmake.T0 + 1 + i, pcapmake.tcp("198.18.0.1", 999, "198.18.0.2", 22, 1 + i * len(MARKER), 1, 0x18, MARKER))
               for i in range(9)]
    capture = file_of(pcapmake.capture(frames))
    assert capture.read_bytes().count(MARKER) > 100
    where = recorded(capture)
    weir("-C", where, "case", "open", "--flow", ATTACK)
    weir("-C", where, "trace", "--flow", ATTACK)
    files = [p for p in where.rglob("*") if p.is_file()]
    assert segments(where) and len(files) >= 3, files
    for path in files:
        data = path.read_bytes() + (body_of(path) if path.suffix == ".seg" else b"")
        for part in (MARKER, MARKER[:8], MARKER[-8:]):
            assert part not in data, f"{path} holds payload"


def status_of(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def test_record_gives_up_its_rights_before_the_first_byte():
    with subprocess.Popen([WEIR, "-C", fresh(), "record", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        deadline = time.monotonic() + 60
        while status_of(run.pid)["Seccomp"] != "2" and time.monotonic() < deadline:
            time.sleep(0.01)
        held = status_of(run.pid)
        assert held["Seccomp"] == "2" and held["NoNewPrivs"] == "1", held
        assert int(held["CapEff"], 16) & ~(1 << 1) == 0, "more than CAP_DAC_OVERRIDE is left"
        out, _ = run.communicate(GOOD.read_bytes())
        assert run.returncode == 0 and b"packets" in out


def test_record_from_a_pipe_by_name():
    where = fresh()
    script = f'"{WEIR}" -C "{where}" record <(cat "{GOOD}")'
    subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.PIPE)
    assert len(weir("-C", where, "flows", json_out=True)[0]) == 14


def test_data_directory_is_the_owners_alone():
    where = recorded()
    weir("-C", where, "case", "open", "--flow", ATTACK)
    for path in (where, *where.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, (path, oct(path.stat().st_mode))


def test_same_file_twice_adds_nothing():
    where = recorded()
    before, _ = weir("-C", where, "flows", json_out=True)
    (doc,), _ = weir("-C", where, "record", GOOD, json_out=True)
    assert doc["packets"] == 0, doc
    after, _ = weir("-C", where, "flows", json_out=True)
    assert before == after


def test_overlapping_files_add_nothing_twice():
    frames = sorted(pcapmake.relayed_attack(2), key=lambda x: x[0])
    a, b = frames[: len(frames) * 2 // 3], frames[len(frames) // 3:]
    whole = recorded(file_of(pcapmake.capture(frames)))
    parts = fresh()
    weir("-C", parts, "record", file_of(pcapmake.capture(a)), file_of(pcapmake.capture(b)))
    want, _ = weir("-C", whole, "flows", json_out=True)
    have, _ = weir("-C", parts, "flows", json_out=True)
    assert want == have, [(x, y) for x, y in zip(want, have) if x != y][:2]


def test_stdin_gzip_zstd():
    import gzip
    want, _ = weir("-C", recorded(), "flows", json_out=True)
    packed = [("-", GOOD.read_bytes()), (file_of(gzip.compress(GOOD.read_bytes())), None)]
    zstd = subprocess.run(["zstd", "-qc", GOOD], capture_output=True, check=True).stdout
    packed.append((file_of(zstd), None))
    for path, stdin in packed:
        where = fresh()
        weir("-C", where, "record", path, stdin=stdin)
        have, _ = weir("-C", where, "flows", json_out=True)
        assert have == want, path


def test_flows_json_and_filters():
    where = recorded()
    flows, _ = weir("-C", where, "flows", json_out=True)
    assert len(flows) == 14 and all({"id", "flow"} <= f.keys() for f in flows)
    one, _ = weir("-C", where, "flows", "--host", "192.0.2.10", json_out=True)
    assert [f["flow"] for f in one] == [ATTACK]
    some, _ = weir("-C", where, "flows", "--port", "42000", json_out=True)
    assert [f["flow"] for f in some] == [ATTACK]
    none, _ = weir("-C", where, "flows", "--since", "2035-01-01", json_out=True)
    assert none == []
    none, _ = weir("-C", where, "flows", "--until", "2001-01-01T00:00:00Z", json_out=True)
    assert none == []


def test_trace_flow_json():
    where = recorded()
    (doc,), _ = weir("-C", where, "trace", "--flow", ATTACK, json_out=True)
    assert {"attack", "alpha", "searched", "hops", "ends"} <= doc.keys()
    hop = doc["hops"][0]
    fields = "relay in out log10_e needed lag_ms bursts first_sufficient_s verdict rivals".split()
    assert set(fields) <= hop.keys(), hop.keys()
    assert hop["verdict"] == "proven" and hop["in"]["flow"] == IN_LEG and hop["relay"] == "203.0.113.10", hop
    assert 4 < hop["lag_ms"] < 8, hop
    assert doc["searched"] == 13 and doc["alpha"] == 1e-6
    assert {"host", "why"} <= doc["ends"].keys() and doc["ends"]["host"] == "198.51.100.7"
    again, _ = weir("-C", where, "trace", "--flow", doc["attack"]["id"], json_out=True)
    assert again == [doc]
    turned = "tcp 192.0.2.10:22 > 203.0.113.10:42000"
    again, _ = weir("-C", where, "trace", "--flow", turned, json_out=True)
    assert again == [doc]


def test_trace_without_in_leg_names_nobody():
    where = recorded(file_of(pcapmake.capture(pcapmake.relayed_attack(3, in_leg=False))))
    (doc,), _ = weir("-C", where, "trace", "--flow", ATTACK, json_out=True, status=1)
    assert doc["hops"][0]["verdict"] != "proven" and doc["hops"][0]["in"] is None, doc


def test_trace_alpha_is_what_is_needed():
    where = recorded()
    (doc,), _ = weir("-C", where, "trace", "--flow", ATTACK, "--alpha", "1e-200", json_out=True, status=1)
    assert doc["hops"][0]["needed"] > 200
    for bad in ("0", "1", "-1", "nan", "x", "1e-6x"):
        weir("-C", where, "trace", "--flow", ATTACK, "--alpha", bad, status=2)


def test_trace_what_is_not_recorded():
    where = recorded()
    weir("-C", where, "trace", "--flow", "tcp 192.0.2.1:1 > 192.0.2.2:2", status=1)
    weir("-C", where, "trace", "--flow", "abcdef0123456", status=1)
    weir("-C", where, "trace", "--flow", "what is this", status=2)
    _, err = weir("-C", where, "trace", "--flow", ATTACK[4:], status=2)
    assert "tcp " + ATTACK[4:] in err, err
    weir("-C", where, "trace", status=2)


def test_an_id_that_nobody_has():
    where = recorded()
    for command, what in ((("trace",), "case"), (("case", "show"), "case"), (("case", "close"), "case"),
                          (("trace", "--flow"), "flow"), (("why",), "block, plan, claim, bundle, case, sighting or flow")):
        _, err = weir("-C", where, *command, "abcdef0123456", status=1)
        assert err == f"weir: abcdef0123456: no such {what} here\n", err
        _, err = weir("-C", where, *command, "f809", status=2)
        assert err.startswith('weir: "f809": an id has 6 to 32 hex digits'), err


def test_where_nothing_is_recorded():
    for command, status in ((("flows",), 0), (("scan",), 0), (("case", "list"), 0), (("trace", "abcdef0123456"), 1),
                            (("why", "abcdef0123456"), 1)):
        where = fresh()
        out, err = weir("-C", where, *command, status=status)
        assert not out and err.startswith(f"weir: {where}: holds no recording yet\n"), (out, err)
    _, err = weir("-C", recorded(), "flows")
    assert not err, err


def eve_line(at, src, sport, dst, dport):
    return json.dumps({"timestamp": at, "event_type": "alert", "src_ip": src, "src_port": sport, "dest_ip": dst,
                       "dest_port": dport, "proto": "TCP", "alert": {"signature": "bad \x1b[31m thing", "signature_id": 1}})


def test_case_eve_trace_why():
    where = recorded()
    eve = TMP / "eve.json"
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000000+0000", time.gmtime(pcapmake.T0 + 30))
    eve.write_text(eve_line(at, "203.0.113.10", 42000, "192.0.2.10", 22) + "\n" + "{broken\n" +
                   eve_line(at, "203.0.113.99", 1, "192.0.2.10", 22) + "\n")
    (opened,), _ = weir("-C", where, "case", "open", "--eve", eve, json_out=True)
    (again,), _ = weir("-C", where, "case", "open", "--eve", eve, json_out=True)
    assert opened["id"] == again["id"]
    docs, _ = weir("-C", where, "trace", opened["id"][:10], json_out=True)
    assert len(docs) == 2, "one document for each sighting"
    proven = [d for d in docs if d["hops"]]
    assert proven[0]["hops"][0]["in"]["flow"] == IN_LEG
    text, _ = weir("-C", where, "case", "show", opened["id"])
    assert "\x1b" not in text
    claim = proven[0]["hops"][0]["id"]
    for some_id in (claim, opened["id"], proven[0]["attack"]["id"], proven[0]["hops"][0]["in"]["id"]):
        text, _ = weir("-C", where, "why", some_id[:12])
        assert some_id[:12] in text, text
    (shown,), _ = weir("-C", where, "case", "show", opened["id"], json_out=True)
    assert len(shown["sightings"]) == 2 and shown["claims"]
    weir("-C", where, "case", "close", opened["id"])
    listed, _ = weir("-C", where, "case", "list", json_out=True)
    assert [c["state"] for c in listed] == ["closed"]
    weir("-C", where, "why", "abcdef012345", status=1)


def test_case_title_stays():
    where = recorded()
    weir("-C", where, "case", "open", "--flow", ATTACK, "--title", "-C or not")
    weir("case", "open", "--flow", ATTACK, f"-C{where}")
    (listed,), _ = weir("-C", where, "case", "list", json_out=True)
    assert listed["title"] == "-C or not", listed
    weir("-C", where, "case", "list", "extra", status=2)


def test_case_closed_opens_again():
    where = recorded()
    (opened,), _ = weir("-C", where, "case", "open", "--flow", ATTACK, json_out=True)
    weir("-C", where, "case", "close", opened["id"])
    (again,), _ = weir("-C", where, "case", "open", "--flow", ATTACK, json_out=True)
    (listed,), _ = weir("-C", where, "case", "list", json_out=True)
    assert again == opened and listed["state"] == "open" and listed["closed"] is None, listed


def test_case_shows_what_is_claimed():
    where = recorded()
    (opened,), _ = weir("-C", where, "case", "open", "--flow", ATTACK, json_out=True)
    weir("-C", where, "trace", opened["id"])
    weir("-C", where, "trace", opened["id"], "--alpha", "1e-200", status=1)
    text, _ = weir("-C", where, "case", "show", opened["id"])
    assert f"  link proven: 203.0.113.10 relayed {ATTACK} from {IN_LEG}\n" in text, text
    assert f"  search: nobody named at 203.0.113.10, for {ATTACK}\n" in text, text
    assert "(1 time)" in text, text


def test_claim_without_its_trains():
    where = recorded()
    (chain,), _ = weir("-C", where, "trace", "--flow", ATTACK, json_out=True)
    claim = chain["hops"][0]["id"]
    text, _ = weir("-C", where, "why", claim)
    assert "no longer" not in text, text
    text, _ = weir("-C", where, "forget", "--host", "198.51.100.7")
    assert text.startswith("198.51.100.7: 1 flow erased\n") and "weir.db" in text, text
    text, _ = weir("-C", where, "why", claim)
    assert "its trains are no longer recorded here" in text, text


def test_why_json_is_the_evidence():
    where = recorded()
    (opened,), _ = weir("-C", where, "case", "open", "--flow", ATTACK, json_out=True)
    (chain,), _ = weir("-C", where, "trace", opened["id"], json_out=True)
    (case,), _ = weir("-C", where, "why", opened["id"], json_out=True)
    assert case["id"] == opened["id"] and case["claims"][0]["body"]["verdict"] == "proven", case
    (claim,), _ = weir("-C", where, "why", chain["hops"][0]["id"], json_out=True)
    assert claim["case"] == opened["id"] and claim["body"]["in"]["flow"] == IN_LEG, claim
    (sighting,), _ = weir("-C", where, "why", case["sightings"][0]["id"], json_out=True)
    assert sighting["case"] == opened["id"] and sighting["flow"] == ATTACK and sighting["at"], sighting


def test_case_open_needs_one_source():
    weir("-C", fresh(), "case", "open", status=2)
    weir("-C", fresh(), "case", "open", "--eve", "a", "--flow", ATTACK, status=2)
    weir("-C", fresh(), "case", "open", "--eve", TMP / "absent.json", status=2)
    weir("-C", fresh(), "case", "nonsense", status=2)
    _, err = weir("-C", fresh(), "case", "open", "--eve", file_of(b"\x00\x01\x02 nothing"), status=2)
    assert len(err.splitlines()) == 1, err


def test_scan_json():
    where = recorded()
    links, err = weir("-C", where, "scan", json_out=True)
    assert [(x["in"]["flow"], x["out"]["flow"]) for x in links] == [(IN_LEG, ATTACK)], links
    fields = "relay in out log10_e needed lag_ms bursts verdict role".split()
    assert set(fields) <= links[0].keys()
    everything, _ = weir("-C", where, "scan", "--all", json_out=True)
    assert len(everything) > 70 and sum(x["verdict"] == "proven" for x in everything) == 1


def test_forget_erases_a_host():
    where = recorded()
    (doc,), _ = weir("-C", where, "forget", "--host", "198.51.100.7", json_out=True)
    assert doc["flows"] == 1, doc
    flows, _ = weir("-C", where, "flows", json_out=True)
    assert len(flows) == 13
    for path in where.rglob("*"):
        assert not path.is_file() or bytes((198, 51, 100, 7)) not in path.read_bytes(), path
    weir("-C", where, "forget", status=2)
    weir("-C", where, "forget", "--host", "nobody", status=2)


def test_configuration():
    where = recorded()
    text, _ = weir("-C", where, "config")
    (where / "weir.conf").write_text(text)
    again, _ = weir("-C", where, "config")
    assert text.split("\n", 1)[1:] == again.split("\n", 1)[1:] or text == again
    (doc,), _ = weir("-C", where, "config", json_out=True)
    assert doc["text"] == again and doc["file"] == str(where / "weir.conf"), doc
    (where / "weir.conf").write_text('own_networks = {"192.0.2.0/24"}\nalpha = 1e-4\n')
    weir("-C", where, "config", "--check")
    (doc,), _ = weir("-C", where, "trace", "--flow", ATTACK, json_out=True, status=1)
    assert doc["alpha"] == 1e-4 and "outside" in doc["ends"]["why"]
    (where / "weir.conf").write_text("nonsense = 3\n")
    _, err = weir("-C", where, "flows", status=2)
    assert "weir.conf" in err and "nonsense" in err
    weir("-C", where, "config", "--check", status=2)
    (where / "weir.conf").write_text('filter = "tcp and and"\n')
    _, err = weir("-C", where, "config", "--check", status=2)
    assert "weir.conf" in err and "tcp and and" in err, err


def test_never_record_and_filter():
    where = fresh()
    where.mkdir()
    (where / "weir.conf").write_text('never_record = {"198.51.100.0/24"}\nfilter = "not host 192.0.2.10"\n')
    (doc,), _ = weir("-C", where, "record", GOOD, json_out=True)
    assert doc["skipped"]["never-record"] > 0 and doc["skipped"]["filter"] > 0
    flows, _ = weir("-C", where, "flows", json_out=True)
    assert len(flows) == 12


def test_usage():
    for args in ((), ("nonsense",), ("record",), ("flows", "extra"), ("flows", "--host"), ("flows", "--nonsense"),
                 ("--nonsense",), ("why",), ("scan", "extra"), ("record", "-i", "lo", "file")):
        weir("-C", fresh(), *args, status=2)
    for args in (("help",), ("--help",), ("help", "trace"), ("trace", "--help"), ("case", "open", "--help"), ("--version",)):
        out, _ = weir(*args)
        assert out.startswith(("usage", "weir")), out


def test_usage_says_what_is_wrong():
    for args, says in ((("flows", "--host"), "--host: needs a value (see weir help flows)"),
                       (("flows", "--nonsense"), "--nonsense: unknown option (see weir help flows)"),
                       (("flows", "-x"), "-x: unknown option (see weir help flows)"),
                       (("flows", "--json=1"), "--json=1: takes no value (see weir help flows)"),
                       (("case", "list", "--nonsense"), "--nonsense: unknown option (see weir help case)"),
                       (("--jsn", "flows"), "--jsn: unknown option (see weir help)"),
                       (("flows", "--host", "192.0.2.0/24"), "an address, without prefix length"),
                       (("flows", "--port", "65536"), "a port, 1 to 65535"),
                       (("flows", "--since", "10m"), "2026-11-22T15:42:00Z (RFC 3339), a date, or seconds since 1970"),
                       (("record", "--keep", "x", "f"), "a size such as 20G"),
                       (("scan", "--alpha", "1"), "above 0 and at most 0.5")):
        _, err = weir("-C", fresh(), *args, status=2)
        assert says in err and len(err.splitlines()) == 1, err


def damaged(data, clear_line, status=0, kept=True):
    """Records GOOD, then `data`; the line must be clear and what was stored must be there still."""
    where = recorded()
    before, _ = weir("-C", where, "flows", json_out=True)
    path = file_of(data)
    (*_, doc), err = weir("-C", where, "record", "--point", "other", path, json_out=True, status=status)
    lines = [line for line in err.splitlines() if path.name in line]
    assert len(lines) == 1, f"one clear line wanted: {err!r}"
    assert all(word in lines[0] for word in clear_line), lines[0]
    after, _ = weir("-C", where, "flows", json_out=True)
    assert [f for f in after if f["point"] != "other"] == before
    return doc, after


def test_bad_truncated_capture():
    doc, _ = damaged(GOOD.read_bytes()[:-17], ("offset", "ends inside"))
    assert doc["skipped"] == {"truncated": 1} and doc["packets"] > 1000


def test_bad_lying_length_inside():
    data = bytearray(GOOD.read_bytes())
    at = 24
    for _ in range(100):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    struct.pack_into("<I", data, at + 8, 0x7FFFFFFF)
    doc, _ = damaged(bytes(data), ("offset", str(at)))
    assert doc["skipped"].get("bad-record") == 1 and doc["packets"] > 1000, doc


def test_bad_no_capture():
    damaged(b"GIF89a this is no capture at all" * 10, ("capture",), status=2)
    damaged(b"", ("empty",), status=2)


def test_bad_snapped_headers():
    frames = pcapmake.relayed_attack(4)
    data = pcapmake.header(snaplen=20) + b"".join(
        pcapmake.record(t, f[:20], wire=len(f)) for t, f in sorted(frames, key=lambda x: x[0]))
    doc, _ = damaged(data, ("snap",))
    assert doc["packets"] == 0 and doc["skipped"]["snapped"] == len(frames)


def test_bad_times_backwards():
    frames = sorted(pcapmake.relayed_attack(5), key=lambda x: -x[0])
    data = pcapmake.header() + b"".join(pcapmake.record(t, f) for t, f in frames)
    where = fresh()
    weir("-C", where, "record", file_of(data))
    links, _ = weir("-C", where, "scan", json_out=True)
    assert not links, "a capture that runs backwards proves nothing"


def test_bad_times_of_1970_and_2100():
    for shift in (-pcapmake.T0 + 100, 4102444800 - pcapmake.T0):
        frames = [(t + shift, f) for t, f in pcapmake.relayed_attack(6)]
        doc, after = damaged(pcapmake.capture(frames), ("19" if shift < 0 else "21",))
        assert doc["packets"] > 1000 and any(f["point"] == "other" for f in after)


def test_bad_one_record_far_off_in_time():
    frames = sorted(pcapmake.relayed_attack(7), key=lambda x: x[0])
    frames[500] = (12345.0, frames[500][1])
    data = pcapmake.header() + b"".join(pcapmake.record(t, f) for t, f in frames)
    doc, _ = damaged(data, ("time",))
    assert doc["skipped"] == {"time": 1}, doc


def test_bad_link_type():
    frames = pcapmake.relayed_attack(8)
    doc, _ = damaged(pcapmake.capture(frames, linktype=147), ("link", "147"))
    assert doc["packets"] == 0


def test_bad_absent_file_does_not_stop_the_others():
    where = fresh()
    (doc,), err = weir("-C", where, "record", TMP / "absent.pcap", GOOD, json_out=True, status=2)
    assert "absent.pcap" in err and doc["packets"] > 1000


def test_bad_interface():
    out, err = weir("-C", fresh(), "record", "-i", "nonsense0", status=2)
    assert not out, out
    assert "nonsense0" in err and len(err.splitlines()) == 1


def test_bad_permission():
    if os.getuid() != 0:
        raise tap.Skip("needs root to become somebody without permission")
    where = recorded()
    where.chmod(0o700)
    (where / "trains").chmod(0o500)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", WEIR, "-C", where, "record", GOOD]
    readable = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x", WEIR]
    if subprocess.run(readable, check=False).returncode:
        raise tap.Skip("the build is not readable by others")
    os.chmod(TMP, 0o755)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 3 and "ermission" in run.stderr and len(run.stderr.splitlines()) == 1, run


def test_bad_full_disk():
    if os.getuid() != 0:
        raise tap.Skip("needs root to mount a small file system")
    where = fresh()
    where.mkdir()
    script = (f"mount -t tmpfs -o size=200k none {where} && {WEIR} -C {where} record {GOOD} >/dev/null && "
              f"{WEIR} -C {where} flows --json >{TMP}/before && dd if=/dev/zero of={where}/fill bs=1k 2>/dev/null; "
              f"{WEIR} -C {where} record --point two {GOOD} >/dev/null 2>{TMP}/full; echo $? >{TMP}/full.rc; "
              f"rm {where}/fill; {WEIR} -C {where} flows --json >{TMP}/after")
    if subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none {where}"], check=False).returncode:
        raise tap.Skip("cannot mount")
    subprocess.run(["unshare", "-m", "sh", "-c", script], check=True)
    assert (TMP / "full.rc").read_text() == "3\n", (TMP / "full.rc").read_text()
    err = (TMP / "full").read_text()
    assert "space" in err and len(err.splitlines()) == 1, err
    before = (TMP / "before").read_text()
    after = [line for line in (TMP / "after").read_text().splitlines() if json.loads(line)["point"] != "two"]
    assert before and before.splitlines() == after


def test_bad_damaged_segment():
    where = recorded()
    rng = random.Random(9)
    (segment,) = (where / "trains").glob("*.seg")
    good = segment.read_bytes()
    for _ in range(30):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        segment.write_bytes(data)
        run = subprocess.run([WEIR, "-C", where, "flows"], capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode in (0, 2, 3), run
    segment.write_bytes(good[: len(good) * 2 // 3])
    weir("-C", where, "flows")
    segment.write_bytes(good)
    assert len(weir("-C", where, "flows", json_out=True)[0]) == 14


def test_bad_newer_data_directory():
    where = recorded()
    version = (where / "FORMAT").read_text().split()
    (where / "FORMAT").write_text(" ".join(version[:-1] + ["999"]) + "\n")
    for command in (("flows",), ("record", GOOD), ("scan",)):
        _, err = weir("-C", where, *command, status=2)
        assert "newer" in err and len(err.splitlines()) == 1, err


def test_standard_output_closed():
    where = recorded()
    for args in (("--json", "flows"), ("flows",), ("--json", "scan", "--all"), ("help",)):
        with open("/dev/full", "w", encoding="ascii") as full:
            run = subprocess.run([WEIR, "-C", where, *args], stdout=full, stderr=subprocess.PIPE, check=False)
        assert run.returncode == 3 and b"standard output" in run.stderr, run


def test_standard_output_is_read_no_further():
    where = recorded()
    for args in (("--json", "flows"), ("flows",), ("--json", "scan", "--all"), ("help",)):
        read, write = os.pipe()
        os.close(read)
        run = subprocess.run([WEIR, "-C", where, *args], stdout=write, stderr=subprocess.PIPE, check=False)
        os.close(write)
        assert run.returncode == 0 and b"standard output" not in run.stderr, run


def test_flows_is_a_table():
    frames = pcapmake.relayed_attack(11)
    text, _ = weir("-C", recorded(file_of(pcapmake.capture(frames))), "flows")
    head, *rows = text.splitlines()
    assert "> BURSTS <" in head and len(rows) == 14, text
    at = head.index("FLOW")
    assert all(row[at:at + 4] == "tcp " and row.endswith(" default") and len(row) <= 120 for row in rows), text


def test_standard_streams_that_are_closed_lend_no_number():
    """What is printed must not go to the file that was opened next."""
    pipe = TMP / f"pipe{next(NUMBER)}"
    os.mkfifo(pipe)
    command = f"exec {WEIR} -C {fresh()} record {pipe} <&- >&- 2>&-"
    with subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL) as run:
        with open(pipe, "wb") as to:
            to.write(GOOD.read_bytes()[:2000])
            to.flush()
            deadline = time.monotonic() + 60
            while run.poll() is None and status_of(run.pid)["Seccomp"] != "2" and time.monotonic() < deadline:
                time.sleep(0.01)
            streams = [os.readlink(f"/proc/{run.pid}/fd/{fd}") for fd in range(3)]
    assert streams == ["/dev/null"] * 3, streams
    assert run.returncode == 3, run.returncode  # nobody could be told the sum


def test_fifo_in_the_data_directory_is_not_waited_for():
    for name, status in (("FORMAT", 2), ("weir.conf", 2), ("trains/20261118T110640Z-0000000000000000.seg", 3)):
        where = recorded()
        (where / name).unlink(missing_ok=True)
        os.mkfifo(where / name)
        for command in (("flows",), ("scan",), ("record", GOOD)):
            weir("-C", where, *command, status=status)


def test_live_is_traceable_within_seconds():
    if os.getuid() != 0:
        raise tap.Skip("needs root for a live interface")
    where = recorded()
    weir("-C", where, "case", "open", "--flow", ATTACK)  # what is held is read after all rights are gone
    with subprocess.Popen([WEIR, "-C", where, "record", "-i", "lo"], stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        try:
            import socket
            server = socket.create_server(("127.0.0.1", 0))
            want = f"> 127.0.0.1:{server.getsockname()[1]}"
            seen, deadline = [], time.monotonic() + 60
            while not seen and time.monotonic() < deadline and process.poll() is None:
                with socket.create_connection(server.getsockname()) as c, contextlib.closing(server.accept()[0]) as s:
                    c.sendall(b"x" * 100)
                    s.recv(100)
                run = subprocess.run([WEIR, "-C", where, "--json", "flows", "--host", "127.0.0.1"], capture_output=True,
                                     text=True, check=False)
                seen = [line for line in run.stdout.splitlines() if want in line]
            assert seen, "nothing seen on the wire"
        finally:
            process.terminate()
            process.wait(60)
        err = process.stderr.read()
        assert process.returncode == 0 and b"listening on lo, ^C ends" in err, err


def test_live_by_root_into_another_users_directory():
    if os.getuid() != 0:
        raise tap.Skip("needs root for a live interface")
    where = fresh()
    where.mkdir()
    os.chown(where, 65534, 65534)
    os.chmod(TMP, 0o755)
    with subprocess.Popen([WEIR, "-C", where, "record", "-i", "lo"], stderr=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        deadline = time.monotonic() + 60
        while run.poll() is None and status_of(run.pid)["Seccomp"] != "2" and time.monotonic() < deadline:
            time.sleep(0.01)
        run.terminate()
        _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert {p.stat().st_uid for p in where.rglob("*")} == {65534}


if __name__ == "__main__":
    tap.run(sys.modules["__main__"])

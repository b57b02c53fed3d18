#!/usr/bin/env python3
"""Makes the seeds of fuzz_bundle and fuzz_statement from the laboratory: usage make_bundle_seeds.py WEIR lab/set

Real requests and answers are taken apart into the sections of sections.h; entries and proofs are left out, since the
target makes them anew."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402


def sections(bundle, trains=None):
    """trains: names of those that stand before, where the bundle is an answer in another."""
    b, inner = bundle_kit.read(bundle), trains is not None
    trains = trains or []
    fields = b["fields"]
    out = [f"#{fields['type']} {fields.get('ask') or fields['verdict']}\n"]
    if fields.get("why"):
        out.append(f"#why {fields['why']}\n")
    for path, content in b["files"].items():
        if path.startswith("trains/"):
            trains.append(path[7:-6])
            out.append("#train\n" + content.decode())
    for path, content in b["files"].items():
        if path.startswith("claims/"):
            body = content.decode()
            for k, train in enumerate(trains):
                body = body.replace(train, f"@{k}@")
            out.append(f"#claim {path[7:].split('-')[0]}\n{body}\n")
        if path.startswith("answers/") and not inner:
            out.append("#open\n" + sections(content, trains) + "#close\n")
    return "".join(out)


def claims(text):
    parts = [p for p in text.split("#") if p.startswith(("train", "claim"))]
    return "".join("#" + p for p in parts)


def block():
    body = {"v": 1, "rule": "drop tcp 203.0.113.10/32", "from": "2026-11-22T15:00:00Z", "until": "2026-11-22T16:00:00Z", "code": "weir 0"}
    return f"#claim block\n{json.dumps(body)}\n"


def main():
    victim, relay, case, request = kit.asked("nested")
    seeds = {"request": sections(request), "block": "#request block\n" + block()}
    for name, arg in {"address": ["--disclose", "address"], "network": ["--disclose", "network"],
                      "nothing": ["--disclose", "nothing"]}.items():
        answer = relay.answer(request, "--accept", *arg, known=[victim])
        seeds[name] = sections(answer)
        relay, case, victim, request = again()
    answer = relay.answer(request, "--doubt", "too short", known=[victim])
    seeds["doubt"] = sections(answer)
    relay, case, victim, request = again()
    answer = relay.answer(request, "--accept", "--disclose", "address", known=[victim])
    victim.take(answer, relay)
    seeds["forwarded"] = sections(victim.bundle(case, "other.example"))
    for name, text in seeds.items():
        (HERE / "corpus/bundle" / name).write_text(text)
        if name in ("request", "address", "network", "block"):
            (HERE / "corpus/statement" / name).write_text(claims(text))


def again():
    """A request that was not answered yet."""
    kit.asked.cache_clear()
    victim, relay, case, request = kit.asked("nested")
    return relay, case, victim, request


main()

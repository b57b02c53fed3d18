#!/usr/bin/env python3
"""What a case shows of its links, and of many sightings that are one: limit and role beside each link, flows together
with `*` for their ports, and one block where the sightings of a spray lead to one chain.

Takes the path of weir.
"""
import json
import random
import re
import sys
import time

from contract_kit import ATTACK, TMP, file_of, one, pcapmake, recorded, tap, weir

RELAY, VICTIM, CLIENT = "203.0.113.10", "192.0.2.10", "198.51.100.7"
LOGINS = 60


def spray():
    """Logins of a password spray through a proxy, three bursts each, beside others that do the same to others."""
    rng = random.Random(5)
    frames, flows = [], []
    for i, (client, victim) in enumerate([(CLIENT, VICTIM)] + [(f"198.18.1.{k}", f"198.18.2.{k}") for k in range(1, 5)]):
        t = pcapmake.T0 + 2 * rng.random()
        for k in range(LOGINS):
            times = [t + 0.3]
            for _ in range(2):
                times.append(times[-1] + 0.35 + 0.4 * rng.random())
            sizes = [rng.choice((48, 84, 140, 600)) for _ in times]
            echo, lag = 0.05 + 0.1 * rng.random(), 0.002 + 0.003 * rng.random()
            port = 20000 + 1000 * i + k
            frames += pcapmake.session(client, port, RELAY, 1080, times, sizes, echo=echo)
            frames += pcapmake.session(RELAY, port, victim, 22, times, sizes, lag=lag, echo=echo)
            if i == 0:
                flows.append((f"tcp {RELAY}:{port} > {VICTIM}:22", t + 0.3))
            t = times[-1] + 1.2 + rng.expovariate(1 / 1.5)
    return file_of(pcapmake.capture(frames)), flows


SPRAY, FLOWS = spray()


def alerts(path):
    lines = []
    for flow, at in FLOWS:
        _, a, _, b = flow.split()
        lines.append(json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000+0000", time.gmtime(at + 1)),
                                 "event_type": "alert", "src_ip": a.split(":")[0], "src_port": int(a.split(":")[1]),
                                 "dest_ip": b.split(":")[0], "dest_port": int(b.split(":")[1]), "proto": "TCP",
                                 "alert": {"signature": "brute force", "severity": 1}}))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_link_has_its_limit_and_its_role():
    where = recorded()
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    (hop,) = one("-C", where, "trace", case)["hops"]
    (link,) = (c for c in one("-C", where, "case", "show", case)["claims"] if c["kind"] == "link")
    for doc in (link, one("-C", where, "why", hop["id"])):
        assert doc["verdict"] == "proven" and doc["limit"] == hop["limit"], (doc["limit"], hop["limit"])
        assert (doc["role"], doc["role_why"]) == (hop["role"], hop["role_why"]), doc
    traced, _ = weir("-C", where, "trace", case)
    for text in (weir("-C", where, "case", "show", case)[0], weir("-C", where, "why", hop["id"])[0]):
        for name in ("limit", "role"):
            (line,) = re.findall(rf"^  {name}   ?.*$", traced, re.M)
            assert line in text.splitlines(), (line, text)


def test_the_trains_may_have_been_forgotten():
    where = recorded()
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", where, "trace", case)
    for blob in (where / "blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    (link,) = (c for c in one("-C", where, "case", "show", case)["claims"] if c["kind"] == "link")
    assert link["verdict"] == "proven" and "limit" not in link and link["role"], link
    out, _ = weir("-C", where, "case", "show", case)
    assert "link proven" in out and "  limit" not in out


def test_sightings_of_flows_together():
    where = recorded(SPRAY)
    case = one("-C", where, "case", "open", "--eve", alerts(TMP / "spray.json"))["id"]
    docs, _ = weir("-C", where, "trace", case, json_out=True)
    assert len(docs) == LOGINS, "one document for each sighting"
    out, _ = weir("-C", where, "trace", case)
    same = {(d["hops"][0]["verdict"], (d["hops"][0]["in"] or {}).get("id"), len(d["hops"])) for d in docs}
    blocks, more = re.findall(r"^attack .*$", out, re.M), re.findall(r"^the same for (\d+) more sighting", out, re.M)
    assert len(blocks) + sum(map(int, more)) == LOGINS and len(blocks) <= len(same), (len(blocks), more, same)
    assert len(blocks) < LOGINS / 2 and out.count(f"{RELAY}:* > {VICTIM}:22 ({LOGINS} flows together)") >= 2, out
    assert f"... and {int(more[0]) - 3} (--json has a document for each)" in out
    most = max(d["hops"][0]["needed"] for d in docs)
    assert re.search(rf"needed, by how many were searched then, {most:.1f} at most", out), (most, out)
    for text in (out, weir("-C", where, "case", "show", case)[0], weir("-C", where, "why", case)[0]):
        assert f"{RELAY}:0" not in text and f"{CLIENT}:0" not in text, re.findall(r"^.*:0\b.*$", text, re.M)


tap.run(sys.modules[__name__])

#!/usr/bin/env python3
"""What networks are called: in scan and flows, in one form in all JSON, and with the worst that a table can name them.

Arguments: the weir binary."""
import json
import re
import subprocess
import sys
import xml.parsers.expat

from contract_kit import ATTACK, IN_LEG, TMP, WEIR, copy, file_of, fresh, one, pcapmake, recorded, refused, tap, weir

import mrtmake as mrt

ORIGINS = "203.0.113.0/24\t64500\n198.51.100.0/24\t64510\n192.0.2.0/24\t64501\n"
NAMES = "64500 CARRIER-A Carrier A, CN\n64501 VICTIM-NET Victim, US\n64510 TARGET-NET Target, KP\n"
FORM = {"as", "name", "cc", "holder", "prefix"}


def put(name, data):
    path = fresh("tables") / name
    path.parent.mkdir()
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def load(where, **tables):
    weir("-C", where, "map", "load", *(put(name.replace("_", "."), data) for name, data in tables.items()))
    return where


def mapped(where=None, own=None):
    where = where or recorded()
    if own:
        (where / "weir.conf").write_text(f'own_networks = {{"{own}"}}\n')
    return load(where, ipasn_dat=ORIGINS, names_txt=NAMES)


# ---- scan ----

def test_scan_names_the_networks_below_its_links():
    where = recorded()
    before, _ = weir("-C", where, "scan")
    lines, _ = weir("-C", where, "scan", json_out=True)
    assert "networks" not in before and not any("networks" in line for line in lines)
    after, _ = weir("-C", mapped(where), "scan")
    assert after.startswith(before), "what stood there stands there"
    legend = after[len(before):]
    assert re.match(r"\nnetworks \(by routing table of \d{4}-\d\d-\d\d and registration, which is not ownership\)\n", legend)
    assert [line.split("  ", 2)[1:] for line in legend.splitlines()[2:]] == [
        ["198.51.100.7", "      AS64510 TARGET-NET, KP"], ["203.0.113.10", "      AS64500 CARRIER-A, CN"],
        ["192.0.2.10", "        AS64501 VICTIM-NET, US"]], legend


def test_scan_names_no_own_network():
    where = mapped(own="203.0.113.0/24")
    out, _ = weir("-C", where, "scan")
    legend = out[out.index("\nnetworks ("):]
    assert "198.51.100.7" in legend and "192.0.2.10" in legend and "203.0.113.10" not in legend, out
    lines, _ = weir("-C", where, "scan", json_out=True)
    assert [line["networks"].keys() for line in lines] == [{"198.51.100.7", "192.0.2.10"}]
    assert all(n.keys() == FORM for line in lines for n in line["networks"].values())


def test_scan_that_finds_nothing_has_no_legend():
    frames = pcapmake.relayed_attack(1, bystanders=0, in_leg=False)
    out, _ = weir("-C", mapped(recorded(file_of(pcapmake.capture(frames)))), "scan")
    assert out == ""


def test_a_damaged_map_does_not_stop_scan_or_flows():
    where = mapped()
    for sheet in (where / "map").glob("*.sheet"):
        sheet.chmod(0o600)
        sheet.write_bytes(b"")
    out, err = weir("-C", where, "scan")
    assert "proven" in out and "networks are not named" in err and "\nnetworks" not in out
    rows, err = weir("-C", where, "flows", json_out=True)
    assert rows and "networks are not named" in err and not any("networks" in row for row in rows)
    weir("-C", where, "flows")
    weir("-C", where, "flows", "--networks", status=1)


# ---- flows ----

def test_flows_are_as_they_were_without_a_map_or_without_the_option():
    where = recorded()
    text, rows = weir("-C", where, "flows")[0], weir("-C", where, "flows", json_out=True)[0]
    assert not any("networks" in row for row in rows)
    refused("-C", where, "flows", "--networks", status=1, say="--networks: there is no map .*weir map load")
    mapped(where)
    assert weir("-C", where, "flows")[0] == text
    named, _ = weir("-C", where, "flows", json_out=True)
    assert [{k: v for k, v in row.items() if k != "networks"} for row in named] == rows


def test_flows_with_networks():
    where = mapped(own="192.0.2.0/24")
    plain, _ = weir("-C", where, "flows")
    text, _ = weir("-C", where, "flows", "--networks")
    head, *rows = text.splitlines()
    assert head.endswith(" NETWORKS") and all(row.startswith(old) for row, old in zip(rows, plain.splitlines()[1:]))
    column = head.index("NETWORKS")
    shown = {re.search(r"tcp \S+ > \S+", row)[0]: row[column:] for row in rows}
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)
    assert shown[IN_LEG] == "AS64510 TARGET-NET, KP > AS64500 CARRIER-A, CN"
    assert shown[ATTACK] == "AS64500 CARRIER-A, CN > own"
    assert any(s == "unknown > AS64500 CARRIER-A, CN" for s in shown.values())
    named = {row["flow"]: row["networks"] for row in weir("-C", where, "flows", json_out=True)[0]}
    assert named[ATTACK] == {"203.0.113.10": {"as": "AS64500", "name": "CARRIER-A", "cc": "CN", "holder": None,
                                              "prefix": "203.0.113.0/24"}}


# ---- one form ----

def networks_of(doc):
    """Every object that says which network it is."""
    if isinstance(doc, dict):
        if "as" in doc:
            yield doc
        for value in doc.values():
            yield from networks_of(value)
    elif isinstance(doc, list):
        for value in doc:
            yield from networks_of(value)


def test_a_network_is_the_same_in_all_json():
    where = load(mapped(), rel_txt="64496|64500|-1\n64496|64501|-1\n64500|64510|-1\n64496|64497|0\n")
    found = 0
    for command in (("trace", "--flow", ATTACK), ("scan",), ("flows",), ("map", "name", "AS64500", "203.0.113.1", "198.18.0.1"),
                    ("map", "cut", "AS64510")):
        status = 1 if "198.18.0.1" in command else 0
        for doc in weir("-C", where, *command, json_out=True, status=status)[0]:
            for network in networks_of(doc):
                assert FORM <= network.keys(), (command, network)
                found += 1
    assert found > 10


# ---- which registries ----

REL = "64496|64500|-1\n64497|64500|-1\n64500|64510|-1\n64496|64497|0\n"
RIRS = ["afrinic", "apnic", "arin", "lacnic", "ripencc"]
ASKS = (("depend", "KP"), ("cut", "KP"), ("whatif", "--blocks", "KP"), ("whatif", "--blocks", "AS64500", "--target", "KP"),
        ("cut", "AS64510", "--unwilling", "KP"))


def delegated(*rirs, status="allocated"):
    head = f"2|{rirs[0]}|20200601|{len(rirs)}|19830613|20200601|+0000\n{rirs[0]}|*|asn|*|{len(rirs)}|summary\n"
    asns = {rir: 64510 if rir == "apnic" else 64600 + RIRS.index(rir) for rir in RIRS}
    return head + "".join(f"{r}|{'KP' if r == 'apnic' else 'SE'}|asn|{asns[r]}|1|20100101|{status}|H{r}\n" for r in rirs if r in asns)


def table():
    index = mrt.index(64496, 64497, at=mrt.JUNE)
    return index + mrt.rib("198.51.100.0/24", (0, [64496, 64500, 64510]), (1, [64497, 64500, 64510]), at=mrt.JUNE)


def test_registries_that_are_missing_are_said():
    where = load(fresh(), rel_txt=REL, rib=table(), delegated_apnic=delegated("apnic"))
    for ask in ASKS:
        out, _ = weir("-C", where, "map", *ask)
        assert "\nRegistries: apnic; not loaded: afrinic, arin, lacnic, ripencc.\n" in out, (ask, out)
        assert "What these delegate to a country is missing here." in out
        doc = one("-C", where, "map", *ask)
        assert doc["registries"] == {"loaded": ["apnic"], "missing": ["afrinic", "arin", "lacnic", "ripencc"]}, doc
    for ask in (("depend", "SE"), ("cut", "SE")):
        refused("-C", where, "map", *ask, status=1, say=r"SE: nothing .* \(apnic; not loaded: afrinic, arin, lacnic, ripencc\)$")
    out, _ = weir("-C", where, "map", "depend", "AS64510")
    assert "Networks of these have no country and no holder here." in out and "delegate to a country" not in out, out
    assert "Registries" not in weir("-C", where, "map", "cut", "AS64510")[0], "it does not matter there"
    load(where, names_txt=NAMES)
    assert "Registries" not in weir("-C", where, "map", "depend", "AS64510")[0], "names tell countries"


def test_registries_add_up():
    where = load(fresh(), rel_txt=REL, rib=table(), delegated_apnic=delegated("apnic"), delegated_ripencc=delegated("ripencc"))
    assert one("-C", where, "map", "cut", "KP")["registries"]["loaded"] == ["apnic", "ripencc"]
    load(where, delegated_rest=delegated("afrinic", status="available") + delegated("arin", "lacnic"))
    assert one("-C", where, "map", "cut", "KP")["registries"] == {"loaded": RIRS, "missing": []}
    for ask in ASKS:
        assert "Registries" not in weir("-C", where, "map", *ask)[0], ask


def test_one_file_of_all_registries():
    lines = delegated("nro") + "".join(delegated(r).splitlines()[-1] + "\n" for r in RIRS)
    where = load(fresh(), rel_txt=REL, rib=table(), delegated_nro=lines)
    assert one("-C", where, "map", "cut", "KP")["registries"]["missing"] == []


tap.run(sys.modules[__name__])

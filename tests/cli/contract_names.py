#!/usr/bin/env python3
"""What networks are called: in scan and flows, in one form in all JSON, and with the worst that a table can name them.

Arguments: the weir binary."""
import json
import re
import shutil
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


# ---- names that nobody should be called ----

HOSTILE = {
    "escape": b"\x1b[2J\x1b]0;owned\x07", "control": b"a\x01\x08\x0b\x7fb", "eight-bit escape": b"\xc2\x9b31m", "quotes": b"\"'`\\\\",
    "script": b"</text><script>alert(1)</script>", "entity": b"&lt;&#0;&undefined;&", "not UTF-8": b"\xff\xfe\xc3(\xed\xa0\x80",
    "right to left": "\u202eGNIDART\u202c\u200f".encode(), "format": b"%s%n%1000d", "cdata": b"]]><![CDATA[", "long": b"A" * 4000,
    "long and wide": b"<" * 4000, "blanks": b" \t ", "comment": b"--><!--", "newline": "\u2028\u0085".encode(), "null": b"a\0b",
}
ASN = {what: 65000 + i for i, what in enumerate(HOSTILE)}


def as2org():
    rows = [b"# format:org_id|changed|org_name|country|source"]
    rows += [b"ORG-%s|20200101|%s|KP|APNIC" % (name[:4000], name) for name in HOSTILE.values() if b"|" not in name]
    rows += [b"# format:aut|changed|aut_name|org_id|opaque_id|source"]
    rows += [b"%d|20200101|%s|ORG-%s|x|APNIC" % (ASN[what], name, name) for what, name in HOSTILE.items() if b"|" not in name]
    return b"\n".join(rows) + b"\n"


def asn_txt():
    return b"64500 CARRIER-A A first line that is none of them, CN\n" + b"".join(b"%d %s %s, KP\n" % (ASN[what], name, name) for what, name in HOSTILE.items())


def registry():
    head = b"2|apnic|20200601|1|19830613|20200601|+0000\napnic|KP|asn|64510|1|20100101|allocated|GOOD\n"
    return head + b"".join(b"apnic|KP|asn|%d|1|20100101|allocated|%s\n" % (ASN[what], name) for what, name in HOSTILE.items())


TABLES = {"as2org": as2org, "asn_txt": asn_txt, "delegated_apnic": registry}


def internet(*hostile):
    """Every hostile network is a provider of 64510, and hangs by the core; half of it is seen through each."""
    asns = [*ASN.values()]
    rel = "64496|64497|0\n" + "".join(f"64496|{a}|-1\n64497|{a}|-1\n{a}|64510|-1\n" for a in asns)
    peers = [64496, 64497]
    rib = mrt.index(*peers, at=mrt.JUNE) + b"".join(
        mrt.rib(f"198.51.100.{16 * i}/28", *((k, [p, a, 64510]) for k, p in enumerate(peers)), at=mrt.JUNE)
        for i, a in enumerate(asns))
    origins = "".join(f"203.0.113.{16 * i}/28\t{a}\n" for i, a in enumerate(asns))
    return load(fresh(), rel_txt=rel, rib=rib, ipasn_dat=origins, **{t: TABLES[t]() for t in hostile})


def is_plain(text):
    assert all(c == "\n" or " " <= c <= "~" for c in text), repr([c for c in text if not (c == "\n" or " " <= c <= "~")][:9])


def is_picture(path):
    """Well-formed by expat, nothing in it but what pictures have, no text wider than a box or the title."""
    seen = set()
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: seen.add(name)
    parser.Parse(path.read_bytes(), True)
    assert seen <= {"svg", "rect", "text", "path"}, seen
    is_plain(path.read_text())


def asked(where):
    """Every way to have the names printed; pictures are looked at on the way."""
    names = [f"AS{a}" for a in ASN.values()]
    for ask in (("name", *names, "203.0.113.17"), ("depend", "AS64510"), ("cut", "AS64510", "--size", "1"), ("cut", names[4]),
                ("whatif", "--blocks", ",".join(names)), ("whatif", "--blocks", names[0], "--target", names[4]), ("list",)):
        text, err = weir("-C", where, "map", *ask)
        docs, _ = weir("-C", where, "map", *ask, json_out=True)
        is_plain(text + err)
        assert text and docs and max(map(len, text.splitlines())) < 500, max(text.splitlines(), key=len)
        is_plain(json.dumps(docs, ensure_ascii=False))
        yield text, docs
    for ask in (("depend", "AS64510"), ("cut", "AS64510"), ("cut", names[4]), ("depend", names[4]), ("cut", names[-6])):
        svg = fresh("picture").with_suffix(".svg")
        if subprocess.run([WEIR, "-C", where, "map", *ask, "--svg", svg], capture_output=True, check=False, timeout=60).returncode == 0:
            is_picture(svg)
            yield svg.read_text(), []


def test_hostile_names():
    for tables in (("as2org",), ("asn_txt",), ("delegated_apnic",), ("as2org", "asn_txt", "delegated_apnic")):
        where = internet(*tables)
        out = "".join(text for text, _ in asked(where))
        assert ("AAAA" in out) == (tables != ("delegated_apnic",)) and "&lt;/text" in out, tables


def test_hostile_holders_are_lines_not_understood():
    doc = one("-C", fresh(), "map", "load", put("delegated", registry()))["files"][0]
    bad = [what for what, name in HOSTILE.items() if len(name) > 64 or any(c <= 32 or c >= 127 for c in name)]
    assert doc["skipped"]["lines not understood"] == len(bad) and doc["kept"] == 1 + len(HOSTILE) - len(bad), doc


def test_hostile_names_in_what_else_prints_them():
    asn = ASN["script"]
    where = load(recorded(), ipasn_dat=f"203.0.113.0/24\t{asn}\n198.51.100.0/24\t{ASN['escape']}\n192.0.2.0/24\t{ASN['not UTF-8']}\n",
                 as2org=as2org(), asn_txt=asn_txt())
    case = one("-C", where, "case", "open", "--flow", ATTACK)["id"]
    for command in (("scan",), ("flows", "--networks"), ("trace", "--flow", ATTACK), ("plan", case), ("case", "show", case)):
        text, err = weir("-C", where, *command)
        docs, _ = weir("-C", where, *command, json_out=True)
        assert f"AS{asn}" in text and any("203.0.113.10" in d["networks"] for d in docs), command
        assert not re.search(r"[^\n -~\u2581-\u2588\u2502]", text + err), command
        is_plain(json.dumps([d["networks"] for d in docs], ensure_ascii=False))


def test_a_hostile_file_name():
    where = load(fresh(), rel_txt=REL)
    path = put("x", asn_txt()).rename(TMP / "a\x1b[31m\u202e<&\".txt")
    text, err = weir("-C", where, "map", "load", path)
    is_plain(text + err + weir("-C", where, "map", "list")[0])
    assert one("-C", where, "map", "load", path)["files"][0]["again"]
    is_plain(json.dumps(weir("-C", where, "map", "list", json_out=True)[0], ensure_ascii=False))


def test_jq_reads_it():
    if not shutil.which("jq"):
        raise tap.Skip("no jq")
    where = internet(*TABLES)
    for ask in (("cut", "AS64510"), ("depend", "AS64510"), ("name", *(f"AS{a}" for a in ASN.values()))):
        out = subprocess.run([WEIR, "--json", "-C", where, "map", *ask], capture_output=True, check=True, timeout=60).stdout
        subprocess.run(["jq", "-e", "."], input=out, stdout=subprocess.DEVNULL, check=True, timeout=60)


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


# ---- what a newcomer types ----

def test_what_was_perhaps_meant():
    where = load(fresh(), rel_txt=REL, rib=table(), delegated_apnic=delegated("apnic"))
    for verb in (("depend",), ("cut",), ("whatif", "--target", "KP", "--blocks"), ("cut", "KP", "--unwilling")):
        for word, meant in (("64500", "did you mean AS64500?"), ("198.51.100.7/24", "did you mean 198.51.100.0/24?"),
                            ("2001:db8::1/32", "did you mean 2001:db8::/32?")):
            err = refused("-C", where, "map", *verb, word, status=2, say="is no NET")
            assert err.rstrip().endswith("; " + meant), err
        refused("-C", where, "map", *verb, "AS64500,,KP" if len(verb) > 1 else "AS64500,KP", status=2,
                say='"" is no NET' if len(verb) > 1 else "; one at a time$")
    refused("-C", where, "map", "name", "64500", status=2, say=r"64500: neither an address nor AS and a number; did you mean AS64500\?$")


def test_a_time_before_all_tables():
    where = load(fresh(), rel_txt="# source:topology|BGP|20200601|x\n" + REL, rib=table(), delegated_apnic=delegated("apnic"))
    refused("-C", where, "map", "depend", "KP", "--at", "2014-12-22", status=1, say="^weir: no BGP table of 2014-12-22 or before .weir map list")
    for ask in (("cut", "KP"), ("whatif", "--blocks", "KP")):
        refused("-C", where, "map", *ask, "--at", "2014-12-22", status=1, say="no relationships and no BGP table of 2014-12-22 or before")


def test_whatif_says_who_is_gone():
    where = load(fresh(), rel_txt=REL, names_txt=NAMES)
    out, _ = weir("-C", where, "map", "whatif", "--blocks", "AS64500")
    assert "\nif these were gone altogether\n  AS64500 CARRIER-A, CN\n1 other has no other way up: stranded\n  AS64510" in out, out


def test_pictures_say_what_they_rest_on():
    where = load(fresh(), rel_txt="# source:topology|BGP|20200601|x\n" + REL, rib=table(), delegated_apnic=delegated("apnic"))
    for verb in ("depend", "cut"):
        svg = fresh("picture").with_suffix(".svg")
        weir("-C", where, "map", verb, "KP", "--svg", svg)
        is_picture(svg)
        assert "Tables of 2020-06-01. Registries: apnic; not loaded: afrinic, arin, lacnic, ripencc." in svg.read_text()


def test_a_long_set_is_broken_into_lines():
    carriers = range(64600, 64617)
    rel = "".join(f"64496|{a}|-1\n{a}|64510|-1\n" for a in carriers) + "64496|64497|0\n"
    where = load(fresh(), rel_txt=rel)
    out, _ = weir("-C", where, "map", "cut", "AS64510", "--unwilling", "AS64496")
    assert "No set of up to 3 isolates all of it; the cheapest of any size has 17:\n        17  AS64600 + AS64601" in out, out
    assert max(len(l) for l in out.splitlines() if " + " in l) <= 100 and re.findall(r"AS646\d\d(?= [+])", out) == [f"AS{a}" for a in carriers][:-1], out


tap.run(sys.modules[__name__])

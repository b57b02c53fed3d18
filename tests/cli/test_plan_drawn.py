#!/usr/bin/env python3
"""The picture and the table of a plan, out of made-up plans: valid XML without a script, the same bytes each time, one
number for each option, none upon another or upon a mark, everything within the picture; texts from outside reach neither
XML nor the terminal as they came.  Takes the path of draw_plan."""
import json
import pathlib
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import tap  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
SEEDS = [(n, seed, scale) for n in (1, 2, 3, 6, 12, 16) for seed in range(1, 9) for scale in (0, 2, 9, 900, 10**9)]
NUMBERS = re.compile(r"-?[0-9.]+")


def draw(kind, n, seed, scale, *more):
    run = subprocess.run([sys.argv[1], kind, str(n), str(seed), str(scale), *more], capture_output=True, check=False, timeout=60)
    assert run.returncode == 0, f"draw_plan {kind} {n} {seed} {scale}: exit {run.returncode} {run.stderr.decode()[-500:]}"
    first, _, rest = run.stdout.partition(b"\n")
    return json.loads(first[2:]), rest


def picture(*args):
    options, text = draw("svg", *args)
    return options, ET.fromstring(text), text.decode("ascii")


def number_of(e, *keys):
    return [float(e.get(k)) for k in keys]


def marks(root):
    """(title, x0, y0, x1, y1, element) of each option's mark."""
    out = []
    for e in root.iter():
        title = e.find(SVG + "title")
        if e.tag == SVG + "circle" and title is not None:
            x, y, r = number_of(e, "cx", "cy", "r")
            out.append((title.text, x - r, y - r, x + r, y + r, e))
        elif e.tag == SVG + "rect" and title is not None:
            x, y, w, h = number_of(e, "x", "y", "width", "height")
            out.append((title.text, x, y, x + w, y + h, e))
    return out


def labels(root):
    """Number -> box of its text, at 8 units a digit (DejaVu Sans Bold, 13)."""
    out = {}
    for e in root.iter(SVG + "text"):
        if e.get("font-weight") == "bold" and re.fullmatch(r"\d+", e.text or ""):
            x, y = number_of(e, "x", "y")
            half = 4 * len(e.text)
            assert int(e.text) not in out, f"{e.text} stands twice"
            out[int(e.text)] = (x - half, y - 10, x + half, y)
    return out


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_is_xml_without_script():
    for args in [*SEEDS, (0, 1, 1), (40, 3, 9), (64, 5, 10**6)]:
        for more in ((), ("hostile",)):
            _, root, text = picture(*args, *more)
            assert root.tag == SVG + "svg" and root.find(SVG + "title") is not None
            tags = {e.tag for e in root.iter()}
            assert tags <= {SVG + t for t in ("svg", "title", "rect", "text", "line", "path", "circle", "g")}, tags
            for e in root.iter():
                assert not [k for k in e.keys() if k.startswith("on") or "href" in k], e.attrib
            assert not re.search(r"nan|inf\b", re.sub(r">[^<]*<", "><", text)), f"{args}: no number"


def test_is_the_same_each_time():
    for args in ((6, 4, 9), (64, 2, 900)):
        assert draw("svg", *args)[1] == draw("svg", *args)[1]


def test_every_option_has_its_mark_and_number():
    for args in [*SEEDS, (40, 3, 9), (64, 5, 10**6)]:
        options, root, _ = picture(*args)
        found = {int(re.match(r"option (\d+):", m[0])[1]): m for m in marks(root)}
        assert sorted(found) == [o["k"] for o in options] == sorted(labels(root)), args
        for o in options:
            e = found[o["k"]][5]
            assert e.tag == SVG + ("rect" if o["needs"] else "circle"), (args, o)
            assert (e.get("stroke-dasharray") is None) == o["sufficient"], (args, o)
            hollow = e.get("fill") == "#ffffff"
            assert hollow == (not o["sufficient"] and not o["marked"]), (args, o)


def test_nothing_stands_upon_another():
    for args in SEEDS:
        _, root, _ = picture(*args)
        number, mark = labels(root), marks(root)
        for k, box in number.items():
            for other, other_box in number.items():
                assert k == other or not overlap(box, other_box), f"{args}: {k} upon {other}"
            for m in mark:
                assert not overlap(box, m[1:5]), f"{args}: {k} upon the mark of {m[0]}"
        for i, a in enumerate(mark):
            for b in mark[:i]:
                assert not overlap(a[1:5], b[1:5]), f"{args}: {a[0]} upon {b[0]}"


def test_everything_is_within():
    for args in [*SEEDS, (64, 5, 10**6)]:
        _, root, _ = picture(*args)
        _, _, width, height = map(float, root.get("viewBox").split())
        for e in root.iter():
            for k, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("y1", height),
                            ("y2", height), ("cy", height)):
                assert e.get(k) is None or 0 <= float(e.get(k)) <= most, (args, e.attrib)


def test_marks_stand_where_they_belong():
    """More collateral is never left of less, and those of one collateral stand above each other."""
    for args in SEEDS:
        options, root, _ = picture(*args)
        middle = {int(re.match(r"option (\d+):", m[0])[1]): (m[1] + m[3]) / 2 for m in marks(root)}
        for a in options:
            for b in options:
                if a["collateral"] > b["collateral"]:
                    assert middle[a["k"]] >= middle[b["k"]], (args, a, b)
                if a["collateral"] == b["collateral"]:
                    assert middle[a["k"]] == middle[b["k"]], (args, a, b)
        marked = next(o for o in options if o["marked"])
        zero = [middle[o["k"]] for o in options if o["collateral"] == 0 and o["marked"]]
        assert not zero or zero == [116.0], (args, marked)


def test_table_fits_and_says_everything():
    for args in SEEDS:
        options, text = draw("text", *args)
        lines = text.decode("ascii").splitlines()
        long = [line for line in lines if len(line) > 96 and not line.startswith("    drop ")]
        assert not long, long
        rows = [line for line in lines if re.match(r"[> ] +\d+ +\S+ %", line)]
        assert [int(line[1:].split()[0]) for line in rows] == [o["k"] for o in options], args
        assert [line.startswith(">") for line in rows] == [o["marked"] for o in options]
        for o, row in zip(options, rows):
            assert ("NOT ENOUGH" in row) == (not o["sufficient"]) and ("needs help" in row) == (o["needs"] > 0), row
            assert f"{o['collateral']:,}" in row
        flat = " ".join(text.decode().split())
        lacking = sum(not o["sufficient"] for o in options)
        assert flat.count("2.3 more, or a narrower rule (one host for an hour needs 3.0)") >= lacking, args
        k = next(o["k"] for o in options if o["marked"])
        assert re.search(rf"next: weir block 0{{12}} --option {k} --dry-run", flat)


def test_hostile_texts_reach_no_terminal():
    for args in random.Random(7).sample(SEEDS, 40):
        _, text = draw("text", *args, "hostile")
        assert all(c == 10 or 32 <= c < 127 for c in text), args


if __name__ == "__main__":
    tap.run(sys.modules[__name__])

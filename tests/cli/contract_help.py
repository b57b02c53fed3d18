#!/usr/bin/env python3
"""Each option that a command takes stands in its help and in the manual, and what they name is taken.

Which options there are is read out of the tables in src/cli; which a command takes is asked of the command: an option of
its table is refused for its value or not at all, any other is unknown.  Takes the path of weir."""
import os
import pathlib
import re
import subprocess
import sys

from contract_kit import TMP, WEIR, tap, weir

SOURCE = pathlib.Path(os.environ.get("WEIR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
MANUAL = (SOURCE / "doc/weir.1").read_text()
ROW = re.compile(r"\{\s*\"([a-z-]+)\",\s*(?:0|'(.)'),\s*OPTION_")
OPTIONS = dict(row for path in sorted((SOURCE / "src/cli").glob("*.[ch]")) for row in ROW.findall(path.read_text()))
VERBS = {"case": ["open", "list", "show", "close", "import"], "key": ["", "rotate"],
         "ledger": ["", "entry", "list", "proof", "consistency", "cosign", "check"],
         "map": ["load", "list", "forget", "depend", "cut", "whatif", "name"]}
# Taken since every question of the map has the same table, and refused there: no picture of these.
REFUSED = {("map whatif", "svg")}


def commands():
    listed, _ = weir("help")
    return re.findall(r"^  ([a-z]+) ", listed, re.M)


def takes(words, name):
    """Never runs anything: what comes last is no option of any command."""
    run = subprocess.run([WEIR, "-C", TMP / "none", *words, f"--{name}=?", "--no-such-option"], capture_output=True, text=True,
                         check=False, timeout=60)
    assert run.returncode == 2, (words, name, run)
    return f"--{name}=?: unknown option" not in run.stderr


def synopses():
    """Command and verb -> what the manual's items say that it takes."""
    text = MANUAL[MANUAL.index(".Sh COMMANDS"):MANUAL.index(".Sh VERDICTS")]
    heads = re.findall(r"^\.It Cm (.*)$", text, re.M)
    heads += [" ".join(h.split("\n.")) for h in re.findall(r"^\.It Xo\n\.Cm (.*?)\n\.Xc", text, re.M | re.S)]
    out = {}
    for head in heads:
        for part in head.split("| Cm "):
            words = re.split(r"\s+(?:Ar|Fl|Oo|Op|Pq)\b|\n", part)[0].split()
            key = " ".join(words[:2] if words[0] in VERBS else words[:1])
            out[key] = out.get(key, "") + " " + head
    return out


def every():
    for command in commands():
        for verb in VERBS.get(command, [""]):
            words = [command, verb] if verb else [command]
            names = [n for n in OPTIONS if takes(words, n)]
            # getopt_long takes what begins like one option only: --from of --from-start
            yield words, [n for n in names if not any(m != n and m.startswith(n) for m in names)]


def test_there_is_something_to_ask():
    assert len(OPTIONS) > 40 and {"svg", "at", "within", "output", "host"} <= OPTIONS.keys(), OPTIONS
    assert len(commands()) > 20


def test_every_option_stands_in_help_and_manual():
    manual, lacks = synopses(), []
    for words, names in every():
        key = " ".join(words)
        text, _ = weir("help", words[0])
        for name in names:
            if (key, name) in REFUSED:
                continue
            letter = OPTIONS[name]
            if not re.search(rf"--{name}\b(?!-)", text) and not (letter and re.search(rf"(?<!-)-{letter}\b", text)):
                lacks.append(f"weir help {words[0]}: --{name} of {key}")
            if not re.search(rf"Fl -{name}(?!\S)", manual.get(key, "")) and \
                    not (letter and re.search(rf"Fl {letter}(?!\S)", manual.get(key, ""))):
                lacks.append(f"weir.1: --{name} of {key}: {manual.get(key)}")
    assert not lacks, "\n" + "\n".join(lacks)


def test_every_option_of_help_is_taken():
    for command in commands():
        text, _ = weir("help", command)
        for name in set(re.findall(r"(?<!\S)[\[(]*--([a-z][a-z-]+)", text)) - {"json"}:
            assert name in OPTIONS, f"weir help {command}: --{name}"
            assert any(takes([command, verb] if verb else [command], name) for verb in VERBS.get(command, [""])), (command, name)


def test_help_of_each_word():
    for word in [*commands(), "help", "version"]:
        text, err = weir("help", word)
        assert re.match(rf"usage: weir .*\b{word}\b", text) and not err, text
    weir("help", "no-such", status=2)


tap.run(sys.modules["__main__"])

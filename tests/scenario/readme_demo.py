#!/usr/bin/env python3
"""The README's first screen is what `make demo` prints: at most 40 lines, the same to the letter but for seconds spent.

Takes the source root.  With --write the README is brought up to date instead.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
README = ROOT / "README.md"
BLOCK = re.compile(r"(What `make demo` prints.*?\n```\n)(.*?)(```\n)", re.S)


def steady(text):
    return re.sub(r"read in \d+ ms", "read in N ms", text)


def main():
    run = subprocess.run([ROOT / "lab" / "demo"], capture_output=True, text=True, check=False, timeout=60)
    text = README.read_text()
    if "--write" in sys.argv:
        README.write_text(BLOCK.sub(lambda m: m[1] + run.stdout + m[3], text))
    shown = BLOCK.search(README.read_text())[2]
    checks = {"the demo ends well": run.returncode == 0, "at most 40 lines": len(run.stdout.splitlines()) <= 40,
              "the README shows it": steady(shown) == steady(run.stdout)}
    print(f"1..{len(checks)}")
    for i, (name, ok) in enumerate(checks.items(), 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {name}")
    sys.exit(0 if all(checks.values()) else 1)


main()

#!/usr/bin/env python3
"""The short form of `make lab`'s block: a real ssh session over a relay is stopped at an edge router, by weir watch alone.

Takes the path of weir.  Everything happens in private namespaces (lab/block); captures, nft and the bystanders' own counts
judge.  Each line of its table is a test.  Skips where there is no root, no namespaces, or a program is not there.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LAB = pathlib.Path(__file__).resolve().parent.parent.parent / "lab"
NEEDED = ["ip", "nft", "nsenter", "unshare", "setsid", "setpriv", "tcpdump", "ssh", "ssh-keygen", "/usr/sbin/sshd", "cc"]
LIMIT = 170


def missing():
    gone = [n for n in NEEDED if not shutil.which(n)]
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    if gone:
        return "not there: " + " ".join(gone)
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--mount-proc", "nft", "add", "table", "inet", "x"],
                           capture_output=True, text=True, check=False)
    return f"no namespaces or no nftables here: {tried.stderr.strip()}" if tried.returncode else None


def played(out):
    """(what is wrong with how it ended, or "", what it said)"""
    try:
        run = subprocess.run([sys.executable, LAB / "block", "run", "short", "--weir", sys.argv[1], "--out", out], timeout=LIMIT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired as late:
        return f"nothing after {LIMIT} s", (late.stdout or b"").decode(errors="replace")
    return run.returncode and f"status {run.returncode}", run.stdout.decode(errors="replace")


def main():
    why = missing()
    if why:
        print(f"1..1\nok 1 - block_live # SKIP {why}")
        return 0
    n = failed = 0
    with tempfile.TemporaryDirectory(prefix="weir-block-live-") as out:
        status, said = played(out)
        for line in said.splitlines():
            row = re.match(r"(ok|NOT OK) +(\S.*)", line)
            if not row:
                print("# " + line)
                continue
            n += 1
            failed += row[1] != "ok"
            print(f"{'ok' if row[1] == 'ok' else 'not ok'} {n} - {re.sub(r' {2,}', ': ', row[2]).replace('#', '').strip()}")
        if failed or status:
            for path in sorted(pathlib.Path(out).glob("*/*.log")):
                print(f"# {path.name}: " + "\n# ".join(path.read_text(errors="replace").splitlines()[-15:]))
    if status and not failed:
        n += 1
        failed += 1
        print(f"not ok {n} - the run ends with {status}")
    print(f"1..{n}")
    return 1 if failed else 0


sys.exit(main())

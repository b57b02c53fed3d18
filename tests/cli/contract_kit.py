"""What the tests of the command line's contract share: running weir, a directory of its own for each, small captures."""
import atexit
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pcapmake  # noqa: E402
import tap  # noqa: E402,F401

WEIR = pathlib.Path(sys.argv[1]).resolve()
TMP = pathlib.Path(tempfile.mkdtemp(prefix="weir-contract-"))
atexit.register(shutil.rmtree, TMP, ignore_errors=True)
ATTACK = "tcp 203.0.113.10:42000 > 192.0.2.10:22"
IN_LEG = "tcp 198.51.100.7:41000 > 203.0.113.10:22"
NUMBER = itertools.count()


def weir(*args, status=0, json_out=False, env=None, stdin=None, cwd=None):
    """Runs weir, checks its exit status, returns (stdout or parsed lines, stderr)."""
    command = [WEIR, *(["--json"] if json_out else []), *map(str, args)]
    run = subprocess.run(command, capture_output=True, check=False, timeout=60, env={**os.environ, **(env or {})},
                         input=stdin, cwd=cwd)
    out, err = run.stdout.decode(), run.stderr.decode()
    assert run.returncode == status, f"{command}: exit {run.returncode}, not {status}: {out[-500:]} {err}"
    if status in (2, 3):
        assert err.strip(), f"{command}: no message"
    return ([json.loads(line) for line in out.splitlines()] if json_out else out), err


def fresh(name="data"):
    return TMP / f"{name}{next(NUMBER)}"


def file_of(data):
    path = fresh("file").with_suffix(".pcap")
    path.write_bytes(data)
    return path


GOOD = file_of(pcapmake.capture(pcapmake.relayed_attack(1)))


def recorded(path=GOOD):
    where = fresh()
    weir("-C", where, "record", path)
    return where

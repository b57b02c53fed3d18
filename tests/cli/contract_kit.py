"""What the tests of the command line's contract share: running weir, a directory of its own for each, small captures."""
import atexit
import functools
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import stat
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


# ---- two networks ----

VICTIM_SEES = pcapmake.ip("192.0.2.10")


def one(*args, **how):
    """The one JSON document that a command prints."""
    (doc,), _ = weir(*args, json_out=True, **how)
    return doc


def refused(*args, status, say="", **how):
    """A command that ends so, with one line on standard error that says it, and nothing on standard output."""
    out, err = weir(*args, status=status, **how)
    assert not out, f"{args}: {out}"
    assert len(err.splitlines()) == 1 and re.search(say, err), f"{args}: {err!r}"
    return err


def limited(bytes_):
    """Runs a command that may write no file longer than so many bytes: a full disk that needs no mount."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
    return {"preexec_fn": limit, "restore_signals": False, "capture_output": True, "text": True, "check": False, "timeout": 60}


def network(name, capture=None):
    where = fresh(name.split(".")[0])
    weir("-C", where, "init", "--name", name)
    if capture:
        weir("-C", where, "record", capture)
    return where


@functools.cache
def exchange():
    """A victim and a relay's network; a case, the request about it and its answer.  Nobody may change them: copy()."""
    frames = pcapmake.relayed_attack(1)
    capture = file_of(pcapmake.capture([f for f in frames if VICTIM_SEES in (f[1][26:30], f[1][30:34])]))
    victim, relay = network("victim.example", capture), network("relay.example", GOOD)
    case = one("-C", victim, "case", "open", "--flow", ATTACK)["id"]
    weir("-C", victim, "bundle", case, "--to", "relay.example", "-o", TMP / "request.weir")
    return victim, relay, case, TMP / "request.weir"


def copy(where):
    to = fresh("copy")
    shutil.copytree(where, to)
    return to


def key_of(where):
    return (where / "keys" / "operator.vkey").read_text().strip()


def copies():
    """(victim, relay, case, request), the directories for the caller's own use."""
    victim, relay, case, request = exchange()
    return copy(victim), copy(relay), case, request


def answered(*verdict):
    """A victim and the answer that came back, and what imports it."""
    victim, relay, case, request = copies()
    path = fresh("answer")
    doc = one("-C", relay, "answer", request, *(verdict or ("--accept", "--disclose", "address")), "--key", key_of(victim),
              "-o", path)
    return victim, relay, case, path, doc


def snapshot(where):
    """Everything in a directory: names, modes, times, bytes.  Not its own time: SQLite makes and removes a file in it."""
    out = {}
    for path in sorted(where.rglob("*")):
        st = path.lstat()
        out[str(path)] = (st.st_mode, st.st_mtime_ns, st.st_ino, path.read_bytes() if stat.S_ISREG(st.st_mode) else None)
    return out

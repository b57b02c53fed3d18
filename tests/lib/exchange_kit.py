"""Networks that send each other bundles: each a data directory with keys and a recording of its own."""
import atexit
import base64
import functools
import hashlib
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import bundle_kit

WEIR = pathlib.Path(sys.argv[1]).resolve()
LAB = pathlib.Path(sys.argv[2]).resolve()
# in memory where that is possible: what a power cut leaves is tested elsewhere, and each command syncs several times
TMP = pathlib.Path(tempfile.mkdtemp(prefix="weir-exchange-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
atexit.register(shutil.rmtree, TMP, ignore_errors=True)
NUMBER = itertools.count()
# a sanitizer keeps terabytes of address space: there a limit says nothing
SANITIZED = b"__asan_init" in WEIR.read_bytes()
MEMORY = 256 << 20
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def file_of(data, name="file.weir"):
    path = TMP / f"{next(NUMBER)}-{name}"
    path.write_bytes(data)
    return path


def fresh(name="file.weir"):
    return TMP / f"{next(NUMBER)}-{name}"


def bounded():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def weir(*args, status=0, json_out=False, stdin=None, timeout=120, limit=False):
    """(stdout or its parsed lines, stderr) of a run that has to end with the status, or one of a tuple of them."""
    command = [WEIR, *(["--json"] if json_out else []), *map(str, args)]
    run = subprocess.run(command, capture_output=True, check=False, timeout=timeout, stdin=stdin or subprocess.DEVNULL,
                         preexec_fn=bounded if limit else None, env={**os.environ, "LC_ALL": "C.UTF-8"})
    out, err = run.stdout.decode(), run.stderr.decode()
    statuses = status if isinstance(status, tuple) else (status,)
    assert run.returncode in statuses, f"{command}: exit {run.returncode}, not {status}: {out[-800:]} {err[-800:]}"
    assert not CONTROL.search(out + err), f"{command}: control characters: {out!r} {err!r}"
    return ([json.loads(line) for line in out.splitlines()] if json_out else out), err


def refused(*args, status=(1, 2), say="", **how):
    """The one line on standard error of a run that says no, and in which `say` stands."""
    _, err = weir(*args, status=status, **{"limit": True, "timeout": 60, **how})
    lines = err.splitlines()
    assert len(lines) == 1, f"{args}: {len(lines)} lines: {err!r}"
    assert 10 < len(lines[0]) < 1500, f"{args}: {err!r}"
    assert re.search(say, lines[0]), f"{args}: {err!r} says nothing of {say!r}"
    return lines[0]


class Network:
    """A directory; its keys; what it recorded."""

    def __init__(self, name, *captures, keys=True, config=""):
        self.name = name
        self.dir = TMP / f"{next(NUMBER)}-{name}"
        self.dir.mkdir(mode=0o700)
        (self.dir / "weir.conf").write_text(config)
        if keys:
            self.weir("init", "--name", name)
            self.key, self.log = (self.secret(f"{role}.vkey") for role in ("operator", "log"))
            self.skey, self.log_skey = (self.secret(f"{role}.key") for role in ("operator", "log"))
        for path in captures:
            self.record(path)

    def secret(self, name):
        return (self.dir / "keys" / name).read_text().strip()

    def record(self, path, point=None):
        return self.json("record", "--point", point or path.name.split(".")[0], path)

    def weir(self, *args, **how):
        return weir("-C", self.dir, *args, **how)

    def json(self, *args, **how):
        """The one document that it prints."""
        (doc,), _ = self.weir(*args, json_out=True, **how)
        return doc

    def lines(self, *args, **how):
        return self.weir(*args, json_out=True, **how)[0]

    def flows(self):
        return self.lines("flows")

    def ledger(self):
        return [line["entry"] for line in self.lines("ledger", "list")]

    def case(self, eve):
        return self.json("case", "open", "--eve", eve)["id"]

    def bundle(self, case, to, *args):
        path = fresh(f"{self.name}-to-{to}.weir")
        self.json("bundle", case, "--to", to, "-o", path, *args)
        return path

    def verify(self, path, *known, **how):
        return self.json("verify", path, *keys(known), **how)

    def answer(self, path, *args, known=(), **how):
        to = fresh(f"{self.name}-answer.weir")
        self.weir("answer", path, *args, *keys(known), "-o", to, **how)
        return to

    def take(self, path, *known, **how):
        return self.json("case", "import", path, *keys(known), **how)


def keys(known):
    return [arg for n in known for arg in ("--key", n.key if isinstance(n, Network) else n)]


# ---- the laboratory ----


def truth(run):
    return json.loads((LAB / run / "truth.json").read_text())


def capture(run, point):
    return LAB / run / f"{point}.pcap.zst"


@functools.cache
def unpacked(path):
    """The bytes of a capture."""
    return subprocess.run(["zstd", "-dqc", path], capture_output=True, check=True).stdout


@functools.cache
def asked(run="nested"):
    """A victim, the relay's network, and the request of the one to the other; nobody may change them."""
    victim = Network("victim.example", capture(run, "victim"))
    relay = Network("relay.example", capture(run, "relay1"))
    case = victim.case(LAB / run / "eve.json")
    victim.weir("trace", case, status=(0, 1))
    return victim, relay, case, victim.bundle(case, "relay.example")


# ---- the log, computed again ----


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(a, b):
    return hashlib.sha256(b"\1" + a + b).digest()


def root_of(entry, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    at, last, r = index, size - 1, leaf(entry)
    for p in path:
        assert last > 0
        if at % 2 or at == last:
            r = node(p, r)
            while at and at % 2 == 0:
                at, last = at >> 1, last >> 1
        else:
            r = node(r, p)
        at, last = at >> 1, last >> 1
    assert last == 0
    return r


def proof_holds(entry, proof, vkey):
    """The index at which the entry stands, by a .tlog-proof and the log's key."""
    head, _, note = proof.decode().partition("\n\n")
    first, index, *path = head.split("\n")
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")[:3]
    assert first == "c2sp.org/tlog-proof@v1" and origin == vkey.split("+")[0], proof
    index = int(index.removeprefix("index "))
    assert root_of(entry, index, int(size), [base64.b64decode(p) for p in path]) == base64.b64decode(root), proof
    name, key_id, value = bundle_kit.signature(signatures.split("\n")[0])
    assert (name, key_id) == tuple(vkey.split("+")[:2]), proof
    assert bundle_kit.signed_by(text + "\n", value, vkey), proof
    return index


def log_of(entries, skey):
    """The proofs of a log that holds these entries and no others, which its key signed."""
    leaves = [leaf(e) for e in entries]
    origin = skey.split("+")[2]

    @functools.cache
    def tree(at, n):
        if n == 1:
            return leaves[at]
        k = 1 << (n - 1).bit_length() - 1
        return node(tree(at, k), tree(at + k, n - k))

    def path(i, at, n):
        if n == 1:
            return []
        k = 1 << (n - 1).bit_length() - 1
        return path(i, at, k) + [tree(at + k, n - k)] if i < at + k else path(i, at + k, n - k) + [tree(at, k)]
    size = len(leaves)
    note = bundle_kit.sign(f"{origin}\n{size}\n{base64.b64encode(tree(0, size)).decode()}\n", skey)
    for i in range(size):
        hashes = "".join(base64.b64encode(h).decode() + "\n" for h in path(i, 0, size))
        yield f"c2sp.org/tlog-proof@v1\nindex {i}\n{hashes}\n".encode() + note


# ---- bundles that lie, and are else as they should be ----


def stix_of(bundle):
    """The STIX view that belongs to a bundle (VIEW_OF, the third argument, writes it)."""
    return subprocess.run([sys.argv[3], file_of(bundle)], capture_output=True, check=True).stdout


def resealed(files, by, **fields):
    """The files signed by `by`, with the view that belongs to them."""
    view = stix_of(bundle_kit.repack(files | {"stix.json": b"{}\n"}, by.skey, **fields))
    return bundle_kit.repack(files | {"stix.json": view}, by.skey, **fields)


def entry_of(kind, claim, body, at):
    said = {"v": 1, "kind": "claim", "id": claim, "at": at, "claim": kind, "sha256": bundle_kit.sha256(body)}
    return json.dumps(said, separators=(",", ":")).encode()


def told(old, by, claims, trains, view=True, **fields):
    """The bundle that `by` had made if its claims were these [(kind, body)] and its trains these [bytes]: logged, listed,
    signed, else with old's fields."""
    was = bundle_kit.read(old)
    bodies = {(kind, bundle_kit.claim_id(kind, body)): body for kind, body in claims}
    files = {"MANIFEST": was["files"]["MANIFEST"]}
    files |= {f"claims/{kind}-{claim}.json": body for (kind, claim), body in bodies.items()}
    files |= {f"trains/{name}.train": text for name, text in sorted((bundle_kit.sha256(t), t) for t in trains)}
    made = fields.get("made", was["fields"]["made"])
    entries = {claim: entry_of(kind, claim, body, made) for (kind, claim), body in bodies.items()}
    files |= {f"entries/{claim}.json": entry for claim, entry in entries.items()}
    files |= {f"proofs/{claim}.tlog-proof": proof for claim, proof in zip(entries, log_of([*entries.values()], by.log_skey))}
    files |= {path: content for path, content in was["files"].items() if path.startswith("answers/")}
    files["stix.json"] = b"{}\n"
    return (resealed(files, by, log=by.log, **fields) if view else bundle_kit.repack(files, by.skey, log=by.log, **fields))


def body_of(said):
    return json.dumps(said, separators=(",", ":")).encode()

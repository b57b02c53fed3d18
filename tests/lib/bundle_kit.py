"""Bundles, independently of weir: reads them, checks them with openssl, and makes ones that are wrong but correctly signed.

The format is doc/bundle-format.md's: a canonical ustar file whose first member, MANIFEST, is a note with one Ed25519
signature over the names and SHA-256 of the others.  Nothing here is strict: what a test means to break it can break, and
whether weir refuses it is for the test to see."""
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile

DASH = "\N{EM DASH} "
ED25519 = b"\x01"
# DER of RFC 8410 up to the 32 bytes of the key
PUBLIC = bytes.fromhex("302a300506032b6570032100")
PRIVATE = bytes.fromhex("302e020100300506032b657004220420")
LISTED = re.compile("[0-9a-f]{64}  ")
FIELDS = ["type", "from", "to", "made", "not-after", "log", "ask", "reply-to", "reply-sha256", "verdict", "why", "code"]


def data_of(bundle):
    """The bytes of a bundle: of a path, or the bytes themselves."""
    if isinstance(bundle, bytes):
        return bundle
    with open(bundle, "rb") as f:
        return f.read()


def read(bundle):
    """{"fields": of the manifest, "listed": {path: SHA-256}, "files": {path: bytes} in order, MANIFEST first, "text": what
    is signed, "signatures": [(name, key id, signature)]}."""
    with tarfile.open(fileobj=io.BytesIO(data_of(bundle)), mode="r:") as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}
    return take_apart(files["MANIFEST"]) | {"files": files}


def take_apart(manifest):
    text, _, signatures = manifest.decode().rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")[1:-1]
    listed = [line for line in lines if LISTED.match(line)]
    return {
        "fields": dict(line.split(" ", 1) for line in lines if not LISTED.match(line)),
        "listed": {line[66:]: line[:64] for line in listed},
        "text": text,
        "signatures": [signature(line) for line in signatures.split("\n") if line],
    }


def signature(line):
    name, value = line.removeprefix(DASH).split(" ")
    raw = base64.b64decode(value, validate=True)
    return name, raw[:4].hex(), raw[4:]


def openssl(*arg, **files):
    """Runs openssl; an argument "@name" becomes the path of a file with the bytes files[name]."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)
        arg = [os.path.join(folder, a[1:]) if a[0] == "@" else a for a in arg]
        return subprocess.run(["openssl", *arg], capture_output=True)


def signed_by(text, value, vkey):
    """Is the value this key's signature of the text?"""
    public = base64.b64decode(vkey.split("+", 2)[2], validate=True)
    said = openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "@key", "-rawin", "-in", "@text",
                   "-sigfile", "@sig", key=PUBLIC + public[1:], text=text.encode(), sig=value)
    return said.returncode == 0


def verifies(bundle, vkey):
    """Does the key's signature hold, and has every other file the hash that the manifest says?"""
    b = read(bundle)
    name, key_id, _ = vkey.split("+", 2)
    for signer, by, value in b["signatures"]:
        if (signer, by) == (name, key_id):
            hashes = {path: sha256(content) for path, content in b["files"].items() if path != "MANIFEST"}
            return signed_by(b["text"], value, vkey) and hashes == b["listed"]
    return False


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def sign(text, skey):
    """The note of a text with the signature of a secret key (what operator.key holds)."""
    _, _, name, key_id, key = skey.strip().split("+", 4)
    seed = base64.b64decode(key, validate=True)[1:]
    said = openssl("pkeyutl", "-sign", "-keyform", "DER", "-inkey", "@key", "-rawin", "-in", "@text", key=PRIVATE + seed,
                   text=text.encode())
    if said.returncode != 0:
        raise RuntimeError(said.stderr.decode())
    value = base64.b64encode(bytes.fromhex(key_id) + said.stdout).decode()
    return f"{text}\n{DASH}{name} {value}\n".encode()


def make_key(name, seed):
    """(secret key, verifier key) as weir writes them, from 32 bytes."""
    said = openssl("pkey", "-inform", "DER", "-in", "@key", "-pubout", "-outform", "DER", key=PRIVATE + seed)
    public = said.stdout[len(PUBLIC):]
    key_id = hashlib.sha256(name.encode() + b"\n" + ED25519 + public).hexdigest()[:8]
    return (f"PRIVATE+KEY+{name}+{key_id}+{base64.b64encode(ED25519 + seed).decode()}",
            f"{name}+{key_id}+{base64.b64encode(ED25519 + public).decode()}")


def tar(files):
    """The canonical tar of {path: bytes}."""
    out = []
    for path, content in files.items():
        h = bytearray(512)

        def put(at, field):
            h[at:at + len(field)] = field
        put(0, path.encode())
        put(100, b"0000644\0" b"0000000\0" b"0000000\0")
        put(124, b"%011o\0" % len(content) + b"%011o\0" % 0 + b" " * 8 + b"0")
        put(257, b"ustar\0" b"00")
        put(329, b"0000000\0" b"0000000\0")
        put(148, b"%06o\0 " % sum(h))
        out += [bytes(h), content, bytes(-len(content) % 512)]
    return b"".join([*out, bytes(1024)])


def manifest_text(fields, files):
    """What is to be signed: the fields in their order, the id that belongs to them, and a line for each file."""
    body = "".join(f"{k} {fields[k]}\n" for k in FIELDS if fields.get(k) is not None)
    body += "".join(f"{sha256(content)}  {path}\n" for path, content in files.items() if path != "MANIFEST")
    named = re.sub("[0-9a-f]{64}  stix\\.json\n", "", body)  # the view names the bundle: the id does not cover it
    return f"weir-bundle/v1\nid {hashlib.sha256(named.encode()).hexdigest()[:32]}\n{body}"


def repack(files, skey, **fields):
    """The bundle of these files, signed anew: MANIFEST's fields as they were but for what is given (None leaves a line out;
    a '-' of a field's name is '_' here), its hashes as the files now are."""
    fields = {k.replace("_", "-"): v for k, v in fields.items()}
    old = take_apart(files["MANIFEST"])["fields"]
    text = manifest_text(old | fields, files)
    return tar({"MANIFEST": sign(text, skey)} | {k: v for k, v in files.items() if k != "MANIFEST"})


def claim_id(kind, body):
    parts = (b"weir claim 1", kind.encode(), body)
    return hashlib.sha256(b"".join(len(p).to_bytes(8, "little") + p for p in parts)).hexdigest()[:32]


def claims(bundle):
    """[(kind, id, body as parsed)] of a bundle's own claims."""
    out = []
    for path, content in read(bundle)["files"].items():
        if path.startswith("claims/"):
            kind, claim = path.removeprefix("claims/").removesuffix(".json").split("-")
            out.append((kind, claim, json.loads(content)))
    return out


def everything(bundle):
    """(path, bytes) of every file, also of the answers that lie in the bundle."""
    for path, content in read(bundle)["files"].items():
        yield path, content
        if path.endswith(".tar"):
            yield from ((f"{path}/{inner}", c) for inner, c in everything(content))


def texts(bundle):
    """All text that travels: names and contents of all files, of the answers within it too."""
    out = []
    for path, content in everything(bundle):
        if not path.endswith(".tar"):
            out += [path, content.decode("utf-8", "replace")]
    return "\n".join(out)


# ---- trains ----


class Train:
    """A train's text taken apart: its head as lines, its bursts as [start, duration, bytes, packets], starts from `first`."""

    def __init__(self, text):
        head, *parts = text.decode().removesuffix("end\n").split("bursts ")
        self.head = head
        self.bursts = []
        for part in parts:
            at, list_of = 0, []
            for line in part.split("\n")[1:-1]:
                start, *rest = map(int, line.split(" "))
                at += start
                list_of.append([at, *rest])
            self.bursts.append(list_of)

    def text(self):
        out = self.head
        for way, bursts in enumerate(self.bursts):
            out += f"bursts {way} {len(bursts)}\n"
            before = 0
            for start, *rest in bursts:
                out += " ".join(map(str, [start - before, *rest])) + "\n"
                before = start
        return (out + "end\n").encode()

    def line(self, key):
        return re.search(rf"^{key} (.*)$", self.head, re.M)[1]

    def set(self, key, value):
        self.head = re.sub(rf"^{key} .*$", f"{key} {value}", self.head, count=1, flags=re.M)
        return self

    def total(self):
        """Sets payload and packets to what the bursts are, or leaves them where that is less."""
        for way, bursts in enumerate(self.bursts):
            n = [int(w) for w in self.line(f"total {way} packets").replace("frame ", "").replace("payload ", "").split()]
            payload, packets = sum(b[2] for b in bursts), sum(b[3] for b in bursts)
            payload, packets = max(n[2], payload), max(n[0], packets)
            self.set(f"total {way} packets", f"{packets} frame {max(n[1], payload + 40 * packets)} payload {payload}")
        return self

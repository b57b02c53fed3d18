"""A request that is known to be good, and who must refuse what is made of it: see exchange_hostile.py, exchange_trains.py."""
import pathlib
import time

import bundle_kit
import exchange_kit as kit
from exchange_kit import file_of, refused, told



class NOBODY:
    """Whom nobody knows."""
    name = "nobody.example"
    skey, key = bundle_kit.make_key(name, bytes(range(32)))


EVIL = ["\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe", "a\rb", "line\nline", "\x9b31m", "\u2028", "\u2066\u2069", "\x7f", "\x00",
        "\u0085", "A" * 100000]


def request():
    return kit.asked()[3].read_bytes()


def files(bundle=None):
    return dict(bundle_kit.read(bundle or request())["files"])


def everywhere(data, **how):
    """Refused by all who take a bundle, each with one line; no directory has anything of it afterwards."""
    victim, relay, _, _ = kit.asked()
    path = data if isinstance(data, (str, pathlib.Path)) else file_of(data)
    line = refused("verify", path, *kit.keys([victim]), **how)
    refused("-C", relay.dir, "verify", path, *kit.keys([victim]), **how)
    out = kit.fresh("never.weir")
    refused("-C", relay.dir, "answer", path, "--accept", *kit.keys([victim]), "-o", out, **how)
    assert not out.exists(), path
    refused("-C", victim.dir, "case", "import", path, *kit.keys([victim, relay]))
    return line


def by_victim(change, **fields):
    """The request as its own sender could have made it."""
    f = files()
    change(f)
    return bundle_kit.repack(f, kit.asked()[0].skey, **fields)


def nothing(f):
    pass


def refused_alone(data):
    refused("verify", file_of(data), *kit.keys([kit.asked()[0]]))


def said(kind, body, trains=None, view=False):
    """The request with this claim in place of its own; bytes, or what makes JSON."""
    victim, _, _, path = kit.asked()
    body = body if isinstance(body, bytes) else kit.body_of(body)
    trains = [c for p, c in files().items() if p.endswith(".train")] if trains is None else trains
    return told(path, victim, [(kind, body)], trains, view=view)


def attack_body():
    return bundle_kit.claims(request())[0][2]


def spent(name, f):
    start = time.monotonic()
    f()
    print(f"# {name}: {time.monotonic() - start:.2f} s")

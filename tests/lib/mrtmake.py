"""MRT files (RFC 6396) made by hand: an index table of peers, entries of a RIB, updates; every length can be made to lie."""
import ipaddress
import struct

SEQUENCE, SET, CONFED, CONFED_SET = 2, 1, 3, 4
TABLE_DUMP, TABLE_DUMP_V2, BGP4MP = 12, 13, 16


def when(text):
    import datetime
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


JUNE = when("2020-06-01T00:00:00Z")


def record(kind, subtype, body, at=JUNE, length=None):
    return struct.pack(">IHHI", at, kind, subtype, len(body) if length is None else length) + body


def nlri(text, host=False):
    address, _, bits = text.partition("/")
    packed = ipaddress.ip_address(address).packed
    return bytes([int(bits)]) + packed[:(int(bits) + 7) // 8]


def attr(kind, value, length=None):
    return struct.pack(">BBH", 0x50, kind, len(value) if length is None else length) + value


def as_path(path, octets=4):
    """Numbers are a sequence; (KIND, [numbers]) is a segment of its own."""
    segments, run = [], []
    for hop in path:
        if isinstance(hop, int):
            run.append(hop)
            continue
        segments += [(SEQUENCE, run)] if run else []
        segments.append(hop)
        run = []
    segments += [(SEQUENCE, run)] if run else []
    return b"".join(bytes([kind, len(a)]) + b"".join(x.to_bytes(octets, "big") for x in a) for kind, a in segments)


def attrs(path, octets=4, more=b""):
    return attr(1, b"\0") + attr(2, as_path(path, octets)) + attr(3, bytes([192, 0, 2, 1])) + more


def peer_ip(n):
    return bytes([192, 0, 2, n + 1])


def index(*peers, at=JUNE):
    """Peers are AS numbers; the n-th has the address 192.0.2.(n+1)."""
    rows = b"".join(b"\2" + peer_ip(i) * 2 + struct.pack(">I", asn) for i, asn in enumerate(peers))
    return record(TABLE_DUMP_V2, 1, bytes(4) + struct.pack(">HH", 0, len(peers)) + rows, at)


def entry(peer, attributes, at=JUNE, length=None):
    return struct.pack(">HIH", peer, at, len(attributes) if length is None else length) + attributes


def rib(prefix, *entries, at=JUNE):
    """Entries are (peer, path) or bytes."""
    rows = [e if isinstance(e, bytes) else entry(e[0], attrs(e[1]), at) for e in entries]
    body = bytes(4) + (prefix if isinstance(prefix, bytes) else nlri(prefix)) + struct.pack(">H", len(rows)) + b"".join(rows)
    return record(TABLE_DUMP_V2, 4 if not isinstance(prefix, bytes) and ":" in prefix else 2, body, at)


def update(peer_asn, peer, path=None, prefixes=(), withdrawn=(), at=JUNE, octets=4, more=b""):
    a = attrs(path, octets, more) if path else b""
    w = b"".join(map(nlri, withdrawn))
    body = struct.pack(">H", len(w)) + w + struct.pack(">H", len(a)) + a + b"".join(map(nlri, prefixes))
    bgp = b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 2) + body
    head = peer_asn.to_bytes(octets, "big") + (64999).to_bytes(octets, "big") + struct.pack(">HH", 0, 1) + peer_ip(peer) + peer_ip(9)
    return record(BGP4MP, 4 if octets == 4 else 1, head + bgp, at)

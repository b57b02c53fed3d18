"""Classic pcap files: read, decode down to the transport header, rewrite the clock, compact.

Reads Ethernet (1) and Linux cooked v2 (276) with IPv4, IPv6, TCP, UDP and ICMP echoes, which is all that the laboratory
writes. The ports of an echo are its identifier, at both ends.
"""

import ipaddress
import re
import socket
import struct
import subprocess
from collections import namedtuple

Packet = namedtuple("Packet", "proto src sport dst dport flags seq payload transport end")
ETHERNET, COOKED2 = 1, 276
PROTO = {6: "tcp", 17: "udp", 1: "icmp"}
ALLOWED = [ipaddress.ip_network(n) for n in
           ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32")]


def records(path):
    """Yields (file header, None) first, then (record header as a tuple, bytes) for each packet."""
    with open(path, "rb") as f:
        head = f.read(24)
        if len(head) < 24 or struct.unpack("<I", head[:4])[0] != 0xA1B2C3D4:
            raise ValueError(path + ": not a little-endian microsecond pcap")
        yield head, None
        while True:
            rec = f.read(16)
            if len(rec) < 16:
                return
            r = struct.unpack("<IIII", rec)
            yield r, f.read(r[2])


def link_type(head):
    return struct.unpack("<I", head[20:24])[0] & 0xFFFF


def decode(link, d):
    """The packet's 5-tuple, TCP flags, sequence number, payload length, offset of the transport header and its end."""
    off, kind = (14, d[12:14]) if link == ETHERNET else (20, d[0:2])
    if kind == b"\x08\x00":
        size, proto, total = (d[off] & 15) * 4, d[off + 9], struct.unpack_from("!H", d, off + 2)[0]
        src, dst = socket.inet_ntoa(d[off + 12:off + 16]), socket.inet_ntoa(d[off + 16:off + 20])
    elif kind == b"\x86\xdd":
        size, proto, total = 40, d[off + 6], struct.unpack_from("!H", d, off + 4)[0] + 40
        src = socket.inet_ntop(socket.AF_INET6, d[off + 8:off + 24])
        dst = socket.inet_ntop(socket.AF_INET6, d[off + 24:off + 40])
    else:
        return None
    at = off + size
    if proto == 6:
        sport, dport, seq, _, data, flags = struct.unpack_from("!HHIIBB", d, at)
        header = (data >> 4) * 4
    elif proto == 17:
        sport, dport = struct.unpack_from("!HH", d, at)
        seq, flags, header = 0, 0, 8
    elif proto == 1 and d[at] in (0, 8):
        sport = dport = struct.unpack_from("!H", d, at + 4)[0]
        seq, flags, header = 0, 0, 8
    else:
        return Packet(proto, src, 0, dst, 0, 0, 0, total - size, at, at)
    return Packet(proto, src, sport, dst, dport, flags, seq, total - size - header, at, at + header)


def side(address, port):
    return ("[%s]:%d" if ":" in address else "%s:%d") % (address, port)


def flow_text(src, sport, dst, dport, proto="tcp"):
    return "%s %s > %s" % (proto, side(src, sport), side(dst, dport))


def flow_sides(text):
    """(address, port, address, port) of a flow's notation."""
    a, ap, b, bp = re.fullmatch(r"(?:tcp|udp|icmp) \[?([0-9a-f.:]+?)\]?:(\d+) > \[?([0-9a-f.:]+?)\]?:(\d+)", text).groups()
    return a, int(ap), b, int(bp)


def flows(path):
    """All flows of a capture: text -> dict(first, last (µs), packets and payload of both ways, isn), and all addresses."""
    seen, addresses, link = {}, set(), None
    for r, d in records(path):
        if d is None:
            link = link_type(r)
            continue
        p = decode(link, d)
        if p is None:
            continue
        addresses.update((p.src, p.dst))
        if p.proto not in PROTO or p.dport == 0:
            continue
        when = r[0] * 1000000 + r[1]
        proto = PROTO[p.proto]
        there, back = (p.src, p.sport, p.dst, p.dport, proto), (p.dst, p.dport, p.src, p.sport, proto)
        f = seen.get(there)
        way = 0
        if f is None or (p.flags & 0x12 == 0x02 and f["isn"] not in (None, p.seq)):
            if f is None and back in seen:
                f, way = seen[back], 1
            else:
                f = seen[there] = {"first": when, "last": when, "packets": [0, 0], "payload": [0, 0], "isn": None}
        if p.flags & 0x12 == 0x02:
            f["isn"] = p.seq
        f["last"] = when
        f["packets"][way] += 1
        f["payload"][way] += p.payload
    return {flow_text(*k): v for k, v in seen.items()}, addresses


def rewrite_clock(path, offset_s, drift_ppm):
    """Gives the capture's point another clock: t' = t + offset + drift * (t - first packet)."""
    first = None
    with open(path, "r+b") as f:
        f.seek(24)
        while True:
            rec = f.read(16)
            if len(rec) < 16:
                return
            sec, usec, kept, _ = struct.unpack("<IIII", rec)
            t = sec * 1000000 + usec
            first = t if first is None else first
            t += round(offset_s * 1e6 + (t - first) * drift_ppm * 1e-6)
            f.seek(-16, 1)
            f.write(struct.pack("<II", t // 1000000, t % 1000000))
            f.seek(8 + kept, 1)


def bare(link, d):
    """The frame's bytes up to the end of the transport header, with what does not compress and tells nothing blanked:
    the TCP checksum (wrong anyway without the payload) is zero and TCP timestamps become no-operations."""
    p = decode(link, d)
    if p is None or p.end > len(d):
        return None
    b = bytearray(d[:p.end])
    if p.proto == 6:
        b[p.transport + 16:p.transport + 18] = b"\0\0"
        i = p.transport + 20
        while i < p.end and b[i] != 0:
            size = 1 if b[i] == 1 else max(2, b[i + 1]) if i + 1 < p.end else 1
            if b[i] == 8:
                b[i:i + size] = b"\1" * size
            i += size
    return bytes(b), p


def compact(source, target, keep, since_us, until_us):
    """Writes the packets of [since, until) for which keep(packet) holds, headers only, compressed. Returns their number."""
    count, link = 0, None
    zstd = subprocess.Popen(["zstd", "-q", "-f", "-19", "--long=24", "-o", target, "-"], stdin=subprocess.PIPE)
    for r, d in records(source):
        if d is None:
            link = link_type(r)
            zstd.stdin.write(r)
            continue
        if not since_us <= r[0] * 1000000 + r[1] < until_us:
            continue
        stripped = bare(link, d)
        if stripped is None or not keep(stripped[1]):
            continue
        zstd.stdin.write(struct.pack("<IIII", r[0], r[1], len(stripped[0]), r[3]) + stripped[0])
        count += 1
    zstd.stdin.close()
    if zstd.wait() != 0:
        raise OSError("zstd failed on " + target)
    return count


def payload_bytes(path):
    """Bytes stored beyond transport headers: must be 0 in a committed capture."""
    extra, link = 0, None
    for r, d in records(path):
        if d is None:
            link = link_type(r)
            continue
        p = decode(link, d)
        extra += len(d) if p is None else max(0, len(d) - p.end)
    return extra

#!/usr/bin/env python3
"""Writes recordings of weir from doc/record-format.md alone: no code is shared with weir, not even zstd (bodies are
stored as they are, or as zstd frames of raw blocks).

    write_format.py --example       the hexadecimal example of the document
    write_format.py DIR             a data directory with a few flows, as the test expects them
"""
import os
import struct
import sys

MARKER = bytes.fromhex("b1776569720d0ac7")


def crc(data):
    c = 0xFFFFFFFF
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
    return c ^ 0xFFFFFFFF


def varint(v):
    out = b""
    while True:
        out += bytes([v & 127 | (128 if v > 127 else 0)])
        v >>= 7
        if not v:
            return out


def svarint(v):
    return varint(v << 1 if v >= 0 else (-v << 1) - 1)


def u16(v):
    return struct.pack("<H", v)


def u32(v):
    return struct.pack("<I", v)


def i64(v):
    return struct.pack("<q", v)


def segment_header(writer):
    h = b"weirseg\n" + u32(1) + u32(0) + struct.pack("<Q", writer) + u32(0)
    return h + u32(crc(h))


def zstd_raw(data):
    """RFC 8878: a frame of raw blocks, single segment, four bytes of content size."""
    out = bytes.fromhex("28b52ffd") + b"\xa0" + u32(len(data))
    for at in range(0, len(data), 100000):
        part = data[at:at + 100000]
        last = at + len(part) == len(data)
        out += u32(len(part) << 3 | (1 if last else 0))[:3] + part
    return out


def block(kind, summary, raw, chunks, bursts, first, last, codec=0):
    body = zstd_raw(raw) if codec else raw
    h = MARKER + bytes([kind, codec]) + u16(0) + u32(len(summary)) + u32(len(body)) + u32(len(raw)) + u32(chunks)
    h += u32(bursts) + i64(first) + i64(last) + u32(crc(body)) + u32(crc(summary))
    return h + u32(crc(h)) + summary + body


def address(text):
    """(version, bytes)"""
    if ":" not in text:
        return 4, bytes(int(x) for x in text.split("."))
    head, _, tail = text.partition("::")
    a = [int(x, 16) for x in head.split(":") if x]
    b = [int(x, 16) for x in tail.split(":") if x]
    return 6, b"".join(struct.pack(">H", x) for x in a + [0] * (8 - len(a) - len(b)) + b)


def host_table(hosts):
    v4 = [h for h in hosts if h[0] == 4]
    v6 = [h for h in hosts if h[0] == 6]
    out, before = varint(len(v4)), 0
    for _, b in v4:
        n = int.from_bytes(b, "big")
        out += varint(n - before)
        before = n
    out += varint(len(v6))
    last = None
    for _, b in v6:
        same = 0
        while last and same < 15 and last[same] == b[same]:
            same += 1
        out += bytes([same]) + b[same:]
        last = b
    return out


def trains(chunks, coverage, codec=0):
    """A chunk is a dict: see FLOWS.  Returns a block and its times."""
    points = sorted({c["point"] for c in chunks} | {c[0] for c in coverage})
    hosts = sorted({address(e[0]) for c in chunks for e in c["ends"]})
    sources = sorted({c["source"] for c in chunks})
    times = [t for c in chunks for x in c["extent"] if x for t in x]
    times += [t for c in chunks for d in c["bursts"] for b in d for t in (b[0], b[0] + b[1])]
    times += [t for c in coverage for t in c[1:3]]
    base = min(times)

    summary = varint(len(points))
    for p in points:
        summary += varint(len(p.encode())) + p.encode()
    summary += host_table(hosts) + varint(len(coverage))
    for point, begin, end, blind, lost in coverage:
        summary += varint(points.index(point)) + bytes([blind]) + varint(begin - base) + varint(end - begin) + varint(lost)

    col = [b""] * 24
    col[0] = varint(len(sources)) + b"".join(varint(v) for s in sources for v in s)
    for c in chunks:
        col[1] += c["id"]
        col[2] += varint(sources.index(c["source"]))
        col[3] += varint(points.index(c["point"]))
        col[4] += varint(c["vlan"])
        col[5] += bytes([c["proto"]])
        col[6] += bytes([c["flags"]])
        for d in (0, 1):
            col[7 + d] += varint(hosts.index(address(c["ends"][d][0])))
            col[9 + d] += u16(c["ends"][d][1])
            if c["flags"] & (2 << d):
                col[11] += u32(c["isn"][d])
            col[12] += bytes([c["ttl"][d]])
            col[13] += u16(c["ip_id"][d])
            packets, frame, payload = c["count"][d]
            col[15] += varint(packets)
            col[16] += varint(frame)
            col[17] += varint(payload)
            x = c["extent"][d]
            col[18] += varint(x[1] - x[0] + 1) + varint(x[0] - base) if x else varint(0)
            col[19] += varint(len(c["bursts"][d]))
            before = base
            for start, duration, n, size in c["bursts"][d]:
                col[20] += varint(start - before)
                col[21] += varint(duration)
                col[22] += varint(n)
                col[23] += varint(size)
                before = start
        col[14] += svarint(c["first"] - base)
    raw = varint(24) + b"".join(varint(len(x)) for x in col) + b"".join(col)
    n = sum(len(d) for c in chunks for d in c["bursts"])
    return block(1, summary, raw, len(chunks), n, base, max(times), codec), len(summary), base, max(times)


def segment(writer, blocks, closed=True):
    """blocks: what trains() returned."""
    out, index, before = segment_header(writer), b"", 0
    for data, summary, _, _ in blocks:
        index += varint(len(out) - before) + data[:60 + summary]
        before = len(out)
        out += data
    if closed:
        first, last = min(b[2] for b in blocks), max(b[3] for b in blocks)
        at = len(out)
        out += block(2, b"", index, len(blocks), 0, first, last)
        tail = struct.pack("<Q", at) + i64(first) + i64(last)
        out += tail + u32(crc(tail)) + b"WEND"
    return out


T = 1416441600000000
SOURCE = (0, 1, 0, 1, 20000)


def chunk(number, first, bursts, **more):
    c = {"id": bytes([number] * 16), "source": SOURCE, "point": "p", "vlan": 0, "proto": 6, "flags": 2,
         "ends": [("192.0.2.1", 41234), ("198.51.100.7", 22)], "isn": [0x01020304, 0], "ttl": [64, 0],
         "ip_id": [0x1234, 0], "first": first, "bursts": bursts, "count": [], "extent": []}
    for d in bursts:
        c["count"].append((sum(b[2] for b in d), sum(b[3] + 66 * b[2] for b in d), sum(b[3] for b in d)))
        c["extent"].append((d[0][0], d[-1][0] + d[-1][1]) if d else None)
    c.update(more)
    return c


def example():
    c = chunk(0xAA, T, [[(T + 1000, 0, 1, 36), (T + 250000, 1500, 2, 1000)], []])
    return segment(0x1122334455667788, [trains([c], [("p", T, T + 1000000, 0, 0)])])


def directory(to):
    os.makedirs(os.path.join(to, "trains"))
    with open(os.path.join(to, "FORMAT"), "w", encoding="ascii") as f:
        f.write("weir trains 1\n")

    def put(name, data):
        with open(os.path.join(to, "trains", name), "wb") as f:
            f.write(data)

    put("example.seg", example())
    v6 = [("2001:db8::1", 50000), ("2001:db8::2", 443)]
    one = chunk(1, T + 5000000, [[(T + 5000000, 10, 1, 100)], [(T + 5200000, 0, 1, 7)]], ends=v6, flags=6,
                isn=[7, 4294967295], ttl=[60, 61], vlan=7, point="edge")
    two = chunk(1, T + 5000000, [[(T + 9000000, 0, 3, 300)], []], ends=v6, flags=14, isn=[7, 4294967295],
                ttl=[60, 61], vlan=7, point="edge")
    dns = chunk(2, T + 6000000, [[(T + 6000000, 0, 1, 40)], [(T + 6010000, 0, 1, 120)]], proto=17, flags=1,
                ends=[("192.0.2.9", 5353), ("192.0.2.53", 53)], isn=[0, 0], source=(0, 1000, 50, 10, 20000))
    silent = chunk(3, T + 6500000, [[], []], proto=47, flags=1, ends=[("192.0.2.9", 0), ("2001:db8::2", 0)],
                   count=[(0, 0, 0), (4, 400, 0)], extent=[None, (T + 6500000, T + 6600000)])
    put("closed.seg", segment(2, [trains([one, dns], [], codec=1),
                                  trains([two, silent], [("edge", T + 5000000, T + 9500000, 0, 0),
                                                         ("edge", T + 7000000, T + 8000000, 1, 12)])]))
    late = chunk(4, T + 60000000, [[(T + 60000000 + i * 150000, 0, 1, 48) for i in range(1000)], []],
                 ends=[("192.0.2.1", 41235), ("198.51.100.7", 22)])
    put("crashed.seg", segment(3, [trains([late], [])], closed=False) + MARKER[:5])


def main():
    if sys.argv[1:] == ["--example"]:
        data = example()
        for at in range(0, len(data), 16):
            print("%04x  %s" % (at, data[at:at + 16].hex(" ")))
    elif len(sys.argv) == 2:
        directory(sys.argv[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Seeds of the targets mrt, attr and bzip2, made by hand: usage make_map_seeds.py CORPUS"""
import bz2
import pathlib
import struct
import sys

CORPUS = pathlib.Path(sys.argv[1])
V4, V6 = bytes([192, 0, 2, 1]), bytes([0x20, 1, 0x0d, 0xb8] + [0] * 11 + [1])
NLRI4, NLRI6 = bytes([24, 198, 51, 100]), bytes([32, 0x20, 1, 0x0d, 0xb8])
SEQUENCE, SET, CONFED = 2, 1, 3


def put(target, name, data):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


def attr(kind, value):
    return struct.pack(">BBB", 0x40, kind, len(value)) + value


def path(octets, *segments):
    return b"".join(struct.pack(">BB", kind, len(a)) + b"".join(x.to_bytes(octets, "big") for x in a) for kind, a in segments)


def record(kind, subtype, body):
    return struct.pack(">IHHI", 1_400_000_000, kind, subtype, len(body)) + body


def entry(attrs, path_id=b""):
    return struct.pack(">HI", 0, 1_390_000_000) + path_id + struct.pack(">H", len(attrs)) + attrs


def message(octets, attrs, withdrawn, nlri):
    body = struct.pack(">H", len(withdrawn)) + withdrawn + struct.pack(">H", len(attrs)) + attrs + nlri
    bgp = b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 2) + body
    return (64500).to_bytes(octets, "big") + (64501).to_bytes(octets, "big") + struct.pack(">HH", 0, 1) + V4 + V4 + bgp


FOUR = attr(1, b"\0") + attr(2, path(4, (SEQUENCE, [64500, 131279]), (SET, [1, 2]))) + attr(3, V4)
TWO = attr(2, path(2, (SEQUENCE, [64500, 23456]))) + attr(17, path(4, (SEQUENCE, [131279]))) + attr(7, b"\x5b\xa0" + V4)
MP = attr(15, b"\0\2\1" + NLRI6) + attr(14, b"\0\2\1\x10" + V6 + b"\0" + NLRI6) + FOUR
INDEX = record(13, 1, V4 + b"\0\0\0\2\2" + V4 + V4 + struct.pack(">I", 64500) + b"\1" + V4 + V6 + struct.pack(">H", 64501))
ID = struct.pack(">I", 7)
put("mrt", "table", INDEX + record(13, 2, ID + NLRI4 + b"\0\2" + entry(FOUR) + entry(FOUR)) + record(13, 4, ID + NLRI6 + b"\0\1" + entry(FOUR)))
put("mrt", "add-path", INDEX + record(13, 8, ID + NLRI4 + b"\0\1" + entry(FOUR, ID)) + record(13, 10, ID + NLRI6 + b"\0\1" + entry(FOUR, ID)))
put("mrt", "generic", INDEX + record(13, 6, ID + b"\0\1\1" + NLRI4 + b"\0\1" + entry(FOUR)) + record(13, 12, ID + b"\0\2\1" + ID + NLRI6 + b"\0\1" + entry(FOUR))
    + record(13, 12, ID + b"\0\1\1" + NLRI4 + b"\0\1" + entry(FOUR, ID)))
put("mrt", "table-dump", record(12, 1, ID + V4 + b"\x18\1" + ID + V4 + b"\xfb\xf4" + struct.pack(">H", len(TWO)) + TWO))
put("mrt", "update", record(16, 4, message(4, FOUR, NLRI4, NLRI4)) + record(16, 1, message(2, TWO, b"", NLRI4)))
put("mrt", "update-mp", record(17, 4, ID + message(4, MP, b"", b"")))
put("mrt", "update-add-path", record(16, 9, message(4, FOUR, ID + NLRI4, ID + NLRI4)))
put("attr", "four", b"\0" + FOUR)
put("attr", "two", b"\1" + TWO)
put("attr", "confederation", b"\0" + attr(2, path(4, (CONFED, [65001]), (SEQUENCE, [64500, 64500, 131279]))))
put("attr", "long", b"\0" + struct.pack(">BBH", 0x50, 2, 602) + path(4, (SEQUENCE, list(range(1, 151)))))
# Without its first four bytes, which the target puts before; the bytes that occur in the second spell a magic number.
put("bzip2", "one", bz2.compress(b"abc" * 50, 1)[4:])
magic = 0x314159265359
put("bzip2", "magic-inside", bz2.compress(bytes(i for i in range(48) if magic >> (47 - i) & 1) * 3, 1)[4:])
put("bzip2", "two-streams", bz2.compress(b"one", 1)[4:] + bz2.compress(b"", 9) + bz2.compress(b"two", 9))

#!/usr/bin/env python3
"""Makes the seeds of fuzz_capture and fuzz_decode: a frame of every encapsulation that the decoder knows, and capture
files of every kind that the readers know.  Only documentation addresses.  Run it again after adding a kind; what is
made does not change from run to run."""
import gzip, os, struct, sys

here = os.path.dirname(os.path.abspath(__file__))
MAC = bytes.fromhex("02000000000102000000000a")
A4, B4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])
A6 = bytes.fromhex("20010db8000000000000000000000001")
B6 = bytes.fromhex("20010db8000000000000000000000002")


def ip4(proto, body, frag=0, ident=7, options=b"", total=None):
    ihl = 5 + len(options) // 4
    total = ihl * 4 + len(body) if total is None else total
    return struct.pack(">BBHHHBBH", 0x40 | ihl, 0, total, ident, frag, 64, proto, 0) + A4 + B4 + options + body


def ip6(nxt, body, length=None):
    return struct.pack(">IHBB", 6 << 28, len(body) if length is None else length, nxt, 64) + A6 + B6 + body


def tcp(data=b"hello", flags=0x18, options=b""):
    return struct.pack(">HHIIBBHHH", 40000, 22, 1000, 2000, (5 + len(options) // 4) << 4, flags, 512, 0, 0) + options + data


def udp(data=b"hello", sport=5000, dport=53):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def eth(kind, body):
    return MAC + struct.pack(">H", kind) + body


T = ip4(6, tcp())
E = eth(0x800, T)
ECHO = struct.pack(">BBHHH", 8, 0, 0, 77, 1) + b"ping"
TS = bytes([1, 1, 8, 10]) + bytes(8)
frames = [  # link type index of fuzz_decode.c, frame
    ("tcp", 0, E), ("tcp-options", 0, eth(0x800, ip4(6, tcp(options=TS)))), ("padded", 0, (eth(0x800, ip4(6, tcp(b"")))) + bytes(6)),
    ("udp", 0, eth(0x800, ip4(17, udp()))), ("echo", 0, eth(0x800, ip4(1, ECHO))),
    ("esp", 0, eth(0x800, ip4(50, bytes(16)))), ("ah", 0, eth(0x800, ip4(51, bytes([6, 4]) + bytes(22) + tcp()))),
    ("ip-options", 0, eth(0x800, ip4(6, tcp(), options=bytes([7, 7, 4, 0, 0, 0, 0, 0])))),
    ("tso", 0, eth(0x800, ip4(6, tcp(bytes(100)), total=0))),
    ("vlan", 0, eth(0x8100, b"\0\x64\x08\0" + T)), ("qinq", 0, eth(0x88a8, b"\0\x64\x81\0\0\x65\x08\0" + T)),
    ("mpls", 0, eth(0x8847, b"\0\x01\0\x40\0\x02\x01\x40" + T)), ("mpls-pw", 0, eth(0x8847, b"\0\x02\x01\x40" + bytes(4) + E)),
    ("pppoe", 0, eth(0x8864, struct.pack(">BBHHH", 0x11, 0, 1, len(T) + 2, 0x21) + T)),
    ("snap", 0, MAC + struct.pack(">H", len(T) + 8) + b"\xaa\xaa\x03\0\0\0\x08\0" + T),
    ("gre", 0, eth(0x800, ip4(47, b"\0\0\x08\0" + T))), ("gre-key-seq", 0, eth(0x800, ip4(47, b"\xb0\0\x65\x58" + bytes(12) + E))),
    ("erspan1", 0, eth(0x800, ip4(47, b"\0\0\x88\xbe" + E))), ("erspan2", 0, eth(0x800, ip4(47, b"\x10\0\x88\xbe" + bytes(4) + bytes([16, 0]) + bytes(6) + E))),
    ("erspan3", 0, eth(0x800, ip4(47, b"\x10\0\x22\xeb" + bytes(4) + bytes([32, 0]) + bytes(9) + b"\x01" + bytes(8) + E))),
    ("pptp", 0, eth(0x800, ip4(47, b"\x30\x01\x88\x0b" + bytes(20)))),
    ("vxlan", 0, eth(0x800, ip4(17, udp(b"\x08\0\0\0\0\0\x64\0" + E, dport=4789)))),
    ("ipip", 0, eth(0x800, ip4(4, T))), ("6in4", 0, eth(0x800, ip4(41, ip6(6, tcp())))),
    ("etherip", 0, eth(0x800, ip4(97, b"\x30\0" + E))), ("mpls-ip", 0, eth(0x800, ip4(137, b"\0\x01\x01\x40" + T))),
    ("deep", 0, eth(0x800, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, T)))))))))))  ,
    ("ip6", 0, eth(0x86dd, ip6(6, tcp()))), ("ip6-icmp", 0, eth(0x86dd, ip6(58, bytes([128]) + ECHO[1:]))),
    ("ip6-ext", 0, eth(0x86dd, ip6(0, bytes([43, 0, 1, 4, 0, 0, 0, 0, 60, 2, 0, 0]) + bytes(20) + bytes([51, 0]) + bytes(6) + bytes([6, 1]) + bytes(10) + tcp()))),
    ("ip6-jumbo", 0, eth(0x86dd, ip6(0, bytes([6, 0, 0xc2, 4, 0, 1, 0, 8]) + tcp(bytes(40)), 0))),
    ("cooked1", 1, struct.pack(">HHHQH", 0, 1, 6, 0, 0x800) + T), ("cooked2", 2, struct.pack(">HHIHBBQ", 0x86dd, 0, 1, 1, 0, 6, 0) + ip6(6, tcp())),
    ("raw4", 3, T), ("raw6", 3, ip6(6, tcp())), ("raw228", 6, T), ("raw229", 7, ip6(6, tcp())),
    ("null-le", 8, b"\x02\0\0\0" + T), ("null-be", 8, b"\0\0\0\x1e" + ip6(6, tcp())), ("loop", 9, b"\0\0\0\x02" + T),
    ("ppp", 10, b"\xff\x03\0\x21" + T), ("chdlc", 13, b"\x0f\0\x08\0" + T), ("arp", 0, eth(0x806, bytes(28))),
]
big = udp(bytes(40))
fragments = [(0, eth(0x800, ip4(17, big[:24], 0x2000))), (0, eth(0x800, ip4(17, big[24:], 3)))]
big6 = struct.pack(">BBHI", 17, 0, 1, 9) + big[:24], struct.pack(">BBHI", 17, 0, 24, 9) + big[24:]
fragments += [(0, eth(0x86dd, ip6(44, p))) for p in big6]


def decode_input(list_):
    return b"".join(struct.pack(">BHH", kind, 0, len(f)) + f for kind, f in list_)


def pcap(frames_, endian="<", magic=0xa1b2c3d4, linktype=1, extra=b"", snap=262144):
    out = struct.pack(endian + "IHHiIII", magic, 2, 4, 0, 0, snap, linktype)
    for i, f in enumerate(frames_):
        out += struct.pack(endian + "IIII", 1416441600 + i, 1000 * i, len(f), len(f)) + extra + f
    return out


def block(kind, body, endian="<"):
    body += bytes(-len(body) % 4)
    n = len(body) + 12
    return struct.pack(endian + "II", kind, n) + body + struct.pack(endian + "I", n)


def shb(endian="<"):
    return block(0x0a0d0d0a, struct.pack(endian + "IHHq", 0x1a2b3c4d, 1, 0, -1), endian)


def idb(linktype, options=b"", endian="<"):
    return block(1, struct.pack(endian + "HHI", linktype, 0, 0) + options, endian)


def epb(n, t, frame, options=b"", endian="<"):
    return block(6, struct.pack(endian + "IIIII", n, t >> 32, t & 0xffffffff, len(frame), len(frame)) + frame + bytes(-len(frame) % 4) + options, endian)


US = 1416441600 * 10**6
NANO = struct.pack("<HHBxxx", 9, 1, 9)
BIN = struct.pack("<HHBxxx", 9, 1, 0x80 | 20)
OFFSET = struct.pack("<HHq", 14, 8, 1416441600)
END = bytes(4)
names = [f for n, k, f in frames if k == 0][:6]
files = {
    "kinds.pcap": pcap([f for n, k, f in frames if k == 0] + [f for k, f in fragments]),
    "us.pcap": pcap(names), "ns-be.pcap": pcap(names, ">", 0xa1b23c4d), "kuznetzov.pcap": pcap(names, "<", 0xa1b2cd34, extra=bytes(8)),
    "cooked.pcap": pcap([frames[-12][2]], linktype=113), "cut.pcap": pcap(names)[:-9],
    "lie.pcap": pcap(names[:3]) + struct.pack("<IIII", 1416441603, 0, 60000, 60000) + names[3] + pcap(names)[24:],
    "mixed.pcapng": shb() + idb(1) + idb(113, NANO + END) + idb(101, BIN + OFFSET + END) + epb(0, US, E, struct.pack("<HHQ", 4, 8, 3) + END)
    + epb(1, US * 1000, frames[-12][2]) + epb(2, 1 << 20, T) + block(3, struct.pack("<I", len(E)) + E) + block(4, bytes(4))
    + block(2, struct.pack("<HHIIII", 0, 2, US >> 32, US & 0xffffffff, len(E), len(E)) + E) + block(0xbad, b"PEN!")
    + block(5, struct.pack("<IIIHHQ", 0, 0, 0, 5, 8, 9) + END) + shb(">") + idb(1, b"", ">") + epb(0, US, E, b"", ">"),
    "lie.pcapng": shb() + idb(1) + epb(0, US, E)[:-4] + b"\xff\0\0\0" + epb(0, US + 1, E) + epb(0, US + 2, E),
}
files["us.pcap.gz"] = gzip.compress(files["us.pcap"], mtime=0)
try:
    import subprocess
    files["mixed.pcapng.zst"] = subprocess.run(["zstd", "-q", "-c"], input=files["mixed.pcapng"], stdout=subprocess.PIPE, check=True).stdout
except OSError:
    pass


def write(folder, name, data):
    path = os.path.join(here, "corpus", folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as f:
        f.write(data)


for name, kind, frame in frames:
    write("decode", name, decode_input([(kind, frame)]))
write("decode", "fragments", decode_input(fragments))
for name, data in files.items():
    write("capture", name, data)
print(len(frames) + 1 + len(files), "seeds", file=sys.stderr)

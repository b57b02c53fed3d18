"""Small captures made by hand: Ethernet/IPv4/TCP sessions with the payload lengths and times that a test wants."""
import random
import struct

T0 = 1795000000.0


def ip(text):
    return bytes(int(x) for x in text.split("."))


def tcp(src, sport, dst, dport, seq, ack, flags, payload=0, ip_id=0):
    """payload: how many bytes, or the bytes."""
    data = payload if isinstance(payload, bytes) else bytes(payload)
    head = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, flags, 65535, 0, 0)
    total = 20 + len(head) + len(data)
    net = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, ip_id & 0xFFFF, 0x4000, 64, 6, 0, ip(src), ip(dst))
    return bytes(12) + b"\x08\x00" + net + head + data


def record(time, frame, wire=None, cap=None):
    us = round(time * 1e6)
    return struct.pack("<IIII", us // 1000000, us % 1000000, cap if cap is not None else len(frame),
                       wire if wire is not None else len(frame)) + frame


def header(linktype=1, snaplen=262144):
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, linktype)


def capture(frames, linktype=1):
    """[(time, frame)] as the bytes of a pcap file, in order of time."""
    return header(linktype) + b"".join(record(t, f) for t, f in sorted(frames, key=lambda x: x[0]))


def keys(rng, start, seconds):
    """Times of keystrokes of somebody who types, thinks and types."""
    t, out = start, []
    while t < start + seconds:
        t += 1 + 4 * rng.random() if rng.random() < 0.12 else 0.13 + 0.3 * rng.random() ** 2
        out.append(t)
    return out


def session(client, cport, server, sport, times, sizes, lag=0.0, echo=0.03, isn=None):
    """A TCP session: handshake, a key of 36 bytes at each time (plus lag), an answer of sizes[i] bytes echo later, FIN."""
    isn = isn if isn is not None else random.Random(f"{client}{cport}{server}{sport}").getrandbits(32)
    seq, ack, out, ident = isn + 1, isn + 77777, [], 1
    start = times[0] - 0.2 + lag
    out.append((start, tcp(client, cport, server, sport, isn, 0, 2, ip_id=1)))
    out.append((start + 0.001, tcp(server, sport, client, cport, ack - 1, isn + 1, 0x12, ip_id=2)))
    out.append((start + 0.002, tcp(client, cport, server, sport, seq, ack, 0x10, ip_id=3)))
    for i, t in enumerate(times):
        ident += 5
        out.append((t + lag, tcp(client, cport, server, sport, seq, ack, 0x18, 36, ident)))
        seq += 36
        # the server takes its time, which both legs of a relayed session show
        back = t + 2 * echo + i * 2654435761 % 9973 / 1e6 - lag
        out.append((back, tcp(server, sport, client, cport, ack, seq, 0x18, sizes[i], ident + 1)))
        ack += sizes[i]
        out.append((back + 0.0005, tcp(client, cport, server, sport, seq, ack, 0x10, 0, ident + 2)))
    end = times[-1] + 1 + lag
    out.append((end, tcp(client, cport, server, sport, seq, ack, 0x11, ip_id=ident + 10)))
    out.append((end + 0.001, tcp(server, sport, client, cport, ack, seq + 1, 0x11, ip_id=ident + 11)))
    out.append((end + 0.002, tcp(client, cport, server, sport, seq + 1, ack + 1, 0x10, ip_id=ident + 12)))
    return out


def relayed_attack(seed, bystanders=12, seconds=90, in_leg=True):
    """Frames of a relay 203.0.113.10 between 198.51.100.7:41000 and 192.0.2.10:22, and of others that use it."""
    rng = random.Random(seed)
    times = keys(rng, T0, seconds)
    sizes = [rng.choice((36, 36, 36, 52, 400, 1200)) for _ in times]
    frames = session("203.0.113.10", 42000, "192.0.2.10", 22, times, sizes, lag=0.006)
    if in_leg:
        frames += session("198.51.100.7", 41000, "203.0.113.10", 22, times, sizes)
    for i in range(bystanders):
        own = keys(rng, T0 + rng.random() * 3, seconds)
        sizes = [rng.choice((36, 36, 52, 300)) for _ in own]
        if i % 2:
            frames += session(f"198.18.10.{i + 1}", 50000 + i, "203.0.113.10", 22, own, sizes)
        else:
            frames += session("203.0.113.10", 43000 + i, f"198.18.20.{i + 1}", 22, own, sizes)
    return frames

"""The manner of OpenSSH from 9.5 on, which hides when keys are pressed, in front of an ssh that is older.

    ssh --127.0.0.1--> [client half] ====== wire: frames, ticks, chaff ======> [server half] --127.0.0.1--> sshd

From clientloop.c (obfuscate_keystroke_timing) we take: keystrokes leave at ticks of 20 ms only; after a keystroke, ticks
that have nothing to send carry chaff of a keystroke's size, until 1024 ms plus a random 0-2047 ms after the last one; the
server answers each chaff packet by one of the same size (SSH2_MSG_PING, SSH2_MSG_PONG); only this direction is hidden,
what the server sends goes at once. Larger writes (a paste, the key exchange) are not held back.
Here a frame is: length (2 bytes), type (1), bytes. A keystroke of 36 bytes and a chaff frame are both 39 bytes long.
"""

import asyncio
import contextlib
import random

import pcap

TICK, CHAFF_MIN, CHAFF_RANDOM, KEYSTROKE = 0.020, 1.024, 2.047, 36
DATA, PING, PONG = 0, 1, 2
CHAFF = bytes(KEYSTROKE)


def frame(kind, data):
    return len(data).to_bytes(2, "big") + bytes([kind]) + data


async def frames(reader):
    """Yields (type, bytes) until the other side closes."""
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        while True:
            head = await reader.readexactly(3)
            yield head[2], await reader.readexactly(int.from_bytes(head[:2], "big"))


class HiddenManner:
    """Both halves for one session of `job`, which goes to job.relays[0]."""

    def __init__(self, stage, job):
        self.stage, self.job, self.tasks = stage, job, []
        self.rng = random.Random(job.rng.random())
        self.pending, self.chaff_until, self.keys = [], 0.0, asyncio.Event()

    async def open(self, wire_port, local_port):
        self.wire_port, self.local_port = wire_port, local_port
        relay, client = self.job.relays[0], self.job.client
        await self.stage.serve(relay, wire_port, self.server_half)
        await self.stage.serve(client, local_port, self.client_half, "127.0.0.1")

    def close(self):
        for t in self.tasks:
            t.cancel()

    def together(self, *coroutines):
        tasks = [asyncio.ensure_future(c) for c in coroutines]
        self.tasks += tasks
        return asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    # ---- at the client

    async def client_half(self, reader, writer):
        relay = self.stage.world.address(self.job.relays[0])
        wire_in, wire_out = await self.stage.connect(self.job.client, relay, self.wire_port)
        self.own = wire_out.get_extra_info("sockname")[:2]
        await self.together(self.hide(reader, wire_out), self.tick(wire_out), self.show(wire_in, writer))
        self.close()
        wire_out.close()
        writer.close()

    async def hide(self, reader, wire):
        while data := await reader.read(32768):
            if len(data) > 2 * KEYSTROKE:
                self.flush(wire)
                wire.write(frame(DATA, data))
                continue
            self.pending.append(data)
            now = asyncio.get_running_loop().time()
            self.chaff_until = now + CHAFF_MIN + self.rng.random() * CHAFF_RANDOM
            self.keys.set()

    def flush(self, wire):
        if self.pending:
            wire.write(frame(DATA, b"".join(self.pending)))
            self.pending.clear()

    async def tick(self, wire):
        """Waits for the first keystroke, then sends keys or chaff at each tick until the chaff time is over."""
        loop = asyncio.get_running_loop()
        while True:
            await self.keys.wait()
            due = loop.time() + TICK
            while self.pending or loop.time() < self.chaff_until:
                await asyncio.sleep(max(0.0, due - loop.time()))
                if self.pending:
                    self.flush(wire)
                else:
                    wire.write(frame(PING, CHAFF))
                due = max(due + TICK, loop.time())
            self.keys.clear()

    async def show(self, wire, writer):
        async for kind, data in frames(wire):
            if kind == DATA:
                writer.write(data)

    # ---- at the relay

    async def server_half(self, wire_in, wire_out):
        relay = self.job.relays[0]
        reader, writer = await self.stage.connect(relay, "127.0.0.1", 22)
        inner = writer.get_extra_info("sockname")[:2]
        wire = pcap.flow_text(*wire_out.get_extra_info("peername")[:2], self.stage.world.address(relay), self.wire_port)
        self.stage.truth.alias[pcap.flow_text(*inner, "127.0.0.1", 22)] = wire
        self.stage.truth.job_of[wire] = self.job
        await self.together(self.unwrap(wire_in, wire_out, writer), self.answer(reader, wire_out))
        wire_out.close()
        writer.close()

    async def unwrap(self, wire_in, wire_out, writer):
        async for kind, data in frames(wire_in):
            if kind == PING:
                wire_out.write(frame(PONG, data))
            else:
                writer.write(data)

    async def answer(self, reader, wire):
        while data := await reader.read(32768):
            wire.write(frame(DATA, data))

"""Who begins when: one attack among bystanders, or for an hour everything at once; and how busy the machine was meanwhile."""

import asyncio

import runs
from sessions import end_tasks

ATTACK_AFTER = 4.0  # seconds after the last of the bystanders has begun


class Load:
    """How late the event loop is: where this grows, the machine is too slow and the run's timing is worth less."""

    def __init__(self):
        self.late = []

    async def watch(self):
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.05
            await asyncio.sleep(0.05)
            self.late.append(loop.time() - due)

    def figures(self):
        s = sorted(self.late) or [0.0]
        ms = lambda q: round(1000 * s[int(q * (len(s) - 1))], 2)
        return {"loop_late_ms_p50": ms(0.5), "loop_late_ms_p99": ms(0.99), "loop_late_ms_max": ms(1.0)}


async def later(stage, start, job):
    await asyncio.sleep(start)
    await stage.run(job)


async def play_one(stage, run, seed):
    """One attack among bystanders that started before it and end after it."""
    around = [asyncio.create_task(later(stage, at, job))
              for at, job in runs.bystander_jobs(run, stage.world, seed, run.seconds * 2 + 100 + run.settle)]
    await asyncio.sleep(run.settle + ATTACK_AFTER)
    await stage.run(runs.attack_job(run, seed, run.kind))
    await asyncio.sleep(2.0)
    await end_tasks(around)
    return len(around)


async def play_mixed(stage, run, seed):
    """Slots of bystanders and of attacks; when a session of a slot ends, its next one begins, until the time is over."""
    slots = [(relay, kind, n) for relay in run.relays for kind, count in runs.BYSTANDERS for n in range(max(1, round(count * 0.4)))]
    count = [0]

    async def bystanders(relay, kind, slot):
        rng = runs.draw(seed, "slot", relay, kind, slot)
        await asyncio.sleep(rng.uniform(0, 20))
        for turn in range(1000):
            count[0] += 1
            await stage.run(runs.bystander_job(stage.world, seed, kind, relay, slot + 100 * turn, rng.uniform(60, 600)))
            await asyncio.sleep(rng.uniform(1, 15))

    async def attackers(slot):
        rng = runs.draw(seed, "attacks", slot)
        await asyncio.sleep(20 + 40 * slot)
        for turn in range(1000):
            kind = runs.ATTACKS[(turn * 2 + slot) % len(runs.ATTACKS)]
            relays = rng.sample(run.relays, rng.choice([1, 2, 3])) if kind in ("nested", "jump") else [rng.choice(run.relays)]
            await stage.run(runs.attack_job(run, seed, kind, slot + 2 * turn, relays, rng.uniform(90, 300)))
            await asyncio.sleep(rng.uniform(10, 60))

    tasks = [asyncio.create_task(bystanders(*s)) for s in slots] + [asyncio.create_task(attackers(s)) for s in (0, 1)]
    await asyncio.sleep(run.seconds)
    await end_tasks(tasks)
    return count[0]

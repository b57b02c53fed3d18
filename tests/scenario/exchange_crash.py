#!/usr/bin/env python3
"""An answer or an import that is killed on its way, and commands that run at once in one directory.

Takes the path of weir and a folder of runs (lab/set).  Killed is at a system call that changes a file, by strace where there
is one, else after a random time.  Afterwards the ledger is whole, what was entered is entered wholly, and the same command
again does what the first was to do, or says that it was done, and then it was.
"""
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import bundle_kit  # noqa: E402
import exchange_kit as kit  # noqa: E402
import tap  # noqa: E402
from exchange_kit import truth  # noqa: E402

SEED = int.from_bytes(os.urandom(4), "big")
RNG = random.Random(SEED)
ROUNDS = 25
CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,ftruncate,mkdir,link"
HOP = truth("nested")["attacks"][0]["hops"][0]


class Copy:
    """A network whose directory is a copy of another's, to be spoilt."""

    def __init__(self, of):
        self.of, self.dir = of, kit.fresh(of.name)
        shutil.copytree(of.dir, self.dir)
        self.weir = lambda *args, **how: kit.weir("-C", self.dir, *args, **how)

    def kinds(self):
        entries = self.weir("ledger", "list", json_out=True)[0]
        return collections.Counter(e["entry"]["kind"] for e in entries)


def traced():
    """Can one process look at another here?  (The sanitizer's search for leaks is such a look itself.)"""
    if kit.SANITIZED or not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode == 0


def calls_of(command):
    """[(system call, how many-eth)] of one run of the command that change a file."""
    log = kit.fresh("calls")
    subprocess.run(["strace", "-f", "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", log, *command], capture_output=True,
                   check=True)
    seen, out = collections.Counter(), []
    for line in log.read_text().splitlines():
        who, call = re.match(r"(\d+) +(\w+)\(", line).groups()
        seen[who, call] += 1
        out.append((call, seen[who, call]))
    return sorted(set(out))


def killed_at(command, point):
    call, when = point
    run = subprocess.run(["strace", "-f", "-qq", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}", "-o",
                          "/dev/null", *command], capture_output=True, check=False, timeout=60)
    return run.returncode


def killed_after(command, share, whole):
    """Killed when so much of the time has gone by that a whole run takes; one that is quicker than any before tells how long that is."""
    start = time.monotonic()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        run.wait(share * whole[0])
        whole[0] = min(whole[0], time.monotonic() - start)
    except subprocess.TimeoutExpired:
        run.kill()
    return run.wait()


def killings(command_in):
    """(what, kill): ways to end a command on its way; command_in(Copy) is its argument list."""
    if traced():
        points = calls_of(command_in()[1])
        last = [p for p in points if p[0].startswith("rename")]
        for point in last + RNG.sample(points, min(len(points), ROUNDS - len(last))):
            yield f"{point[0]} number {point[1]}", lambda c, p=point: killed_at(c, p)
        return
    start = time.monotonic()
    subprocess.run(command_in()[1], capture_output=True, check=True)
    whole = [time.monotonic() - start]
    for _ in range(ROUNDS):
        share = RNG.random()
        yield f"{share:.6f} of {whole[0]:.6f} s", lambda c, s=share: killed_after(c, s, whole)


def check_killed(command_in, check):
    print(f"# seed {SEED}")
    died = 0
    for what, kill in killings(command_in):
        network, command = command_in()
        status = kill(command)
        died += status != 0
        try:
            network.weir("ledger", "check")
            check(network, command)
            network.weir("ledger", "check")
        except AssertionError as e:
            raise AssertionError(f"killed at {what} (exit {status}): {e}") from e
    assert died > ROUNDS / 3, f"{died} of the processes were killed"


def argument(command, option):
    return pathlib.Path(command[command.index(option) + 1])


def test_an_answer_that_is_killed():
    victim, relay, _, request = kit.asked()

    def command_in():
        network = Copy(relay)
        return network, [str(x) for x in (kit.WEIR, "-C", network.dir, "answer", request, "--accept", "--disclose", "address",
                                          *kit.keys([victim]), "-o", kit.fresh("answer.weir"))]

    def check(network, command):
        out = argument(command, "-o")
        there = out.exists()
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0 or run.returncode == 1 and "replay" in run.stderr, run.stderr
        if run.returncode and not there:
            # killed between the ledger and the file's name: where the answer is, is said
            out = network.dir / re.search(r"it has an answer \((blobs/\S+)\)", run.stderr)[1]
        doc = kit.weir("verify", out, *kit.keys([relay]), json_out=True)[0][0]
        assert doc["verified"] and len(doc["claims"]) == 2, doc
        (case,) = network.weir("case", "list", json_out=True)[0]
        network.weir("bundle", case["id"], "-o", kit.fresh())
        kinds = network.kinds()
        assert kinds["request-received"] and kinds["answer-sent"] and kinds["claim"] >= 2, kinds
    check_killed(command_in, check)


def test_an_import_that_is_killed():
    victim, relay, case, request = kit.asked.__wrapped__("nested")
    answer = relay.answer(request, "--accept", "--disclose", "address", known=[victim])

    def command_in():
        network = Copy(victim)
        return network, [str(x) for x in (kit.WEIR, "-C", network.dir, "case", "import", answer, *kit.keys([relay]))]

    def entered(network):
        shown = network.weir("case", "show", case)[0]
        return f"from {relay.name}" in shown, f"relayed {HOP['out']} from {HOP['in']}" in shown

    def check(network, command):
        exchange, link = entered(network)
        assert link or not exchange, "the answer is entered, and what it says is not"
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0 or run.returncode == 1 and "replay" in run.stderr and exchange, run.stderr
        assert entered(network) == (True, True)
        # what waits for the ledger gets there with the next that is entered
        network.weir("bundle", case, "--to", "up.example", "-o", kit.fresh())
        kinds = network.kinds()
        assert kinds["answer-received"] and kinds["claim-received"] >= 2, kinds
    check_killed(command_in, check)


# ---- at once ----


def test_commands_at_once_in_one_directory():
    victim, relay, case, request = kit.asked.__wrapped__("nested")
    relay_case = relay.json("case", "open", "--flow", HOP["out"])["id"]
    commands = [lambda n, c: n.weir("trace", c, status=(0, 1)), lambda n, c: n.bundle(c, "*"),
                lambda n, c: n.weir("ledger", "list"), lambda n, c: n.weir("ledger", "check"),
                lambda n, c: n.weir("case", "show", c), lambda n, c: n.weir("flows")]
    jobs = [(f, n, c) for f in commands for n, c in ((victim, case), (relay, relay_case)) for _ in range(4)]
    jobs += [(lambda n, c: n.verify(request, victim), relay, relay_case)] * 4
    RNG.shuffle(jobs)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(f, n, c) for f, n, c in jobs]:
            done.result()
    for network in (victim, relay):
        network.weir("ledger", "check")


def test_two_answers_at_once():
    """To one request: one is given, or both of one file's word; never two that the asker could hold against each other."""
    victim, relay, _, request = kit.asked.__wrapped__("nested")
    outs = [kit.fresh("answer.weir") for _ in range(4)]

    def answer(k):
        verdict = ["--accept"] if k % 2 else ["--refuse", "no"]
        return relay.weir("answer", request, *verdict, "-o", outs[k], *kit.keys([victim]), status=(0, 1))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        said = list(pool.map(answer, range(4)))
    given = [out for out, (text, _) in zip(outs, said) if text]
    assert [o for o in outs if o.exists()] == given, (outs, said)
    assert len(given) == 1, f"{len(given)} answers to one request"
    assert [e["kind"] for e in relay.ledger()].count("answer-sent") == 1
    assert bundle_kit.verifies(given[0], relay.key)


tap.run(sys.modules[__name__])

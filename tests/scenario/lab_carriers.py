#!/usr/bin/env python3
"""Real proxies and tunnels as relays, live: one short run of each carrier of the laboratory, recorded and traced.

Takes the path of weir.  Each run is half a minute of typing over the carrier in network namespaces of its own (lab/lab), with other
sessions over the same relay; what weir says is held against what the kernel knew.  The attack's pair is proven where the
design demands it (MUST); a pair that is no link is never proven, by scan or by trace.  Skips without root or namespaces; a
carrier that this machine cannot carry is skipped by name.
"""
import importlib.machinery
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / "tests" / "lib"))
import tap  # noqa: E402

WEIR = pathlib.Path(sys.argv[1]).resolve()
MUST = ["connect", "stunnel", "haproxy"]
GOALS = ["openvpn", "wireguard", "iodine", "ptunnel"]  # tunnels: half a minute often leaves it open whose answers they are
SECONDS, SHARE = 30, 0.15
TMP = pathlib.Path(tempfile.mkdtemp(prefix="weir-lab-carriers-"))


def loaded(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOP / "lab" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def namespaces():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "ip", "link"],
                                                capture_output=True, check=False).returncode == 0


def played():
    """Plays all carriers side by side (together half a processor); the program's words go to standard error.  Its exit status."""
    names = MUST + GOALS
    return subprocess.run([TOP / "lab" / "lab", "run", *names, "--seconds", str(SECONDS), "--bystanders", str(SHARE), "--jobs",
                           str(len(names)), "--out", TMP], check=False, timeout=560).returncode


def check_carrier(measure, name):
    folder = TMP / name
    if not folder.exists():
        raise tap.Skip("this machine cannot carry it (see the words of lab/lab)")
    row = measure.Row()
    measure.measure_run(str(WEIR), None, folder, row)
    print("# " + " | ".join(measure.cells(name, row)) + "".join("; " + u for u in row.unproven))
    assert not row.wrong, row.wrong
    assert row.hops, "no attack reached the victim"
    assert name in GOALS or all(h[1] for h in row.hops), row.unproven


def main():
    module = type(sys)("runs")
    if shutil.which("unshare") is None or not namespaces():
        print("1..1\nok 1 - carriers # SKIP needs root and network namespaces")
        return
    status = played()
    if status == 2:
        print("1..1\nok 1 - carriers # SKIP programs of the laboratory are missing (./setup lab)")
        return
    measure = loaded("measure")
    for name in MUST + GOALS:
        def test(name=name):
            check_carrier(measure, name)
        test.__name__ = f"test_{name}"
        setattr(module, test.__name__, test)
    try:
        tap.run(module)
    finally:
        shutil.rmtree(TMP)


main()

"""Private namespaces for a program of the laboratory: nothing of it reaches a real network, daemons find no socket and no pid
file of the machine's own, and when its first process ends, all is gone."""
import os
import shutil
import subprocess
import sys
import time

INSIDE = "WEIR_PRIVATE_LAB"


def missing(programs, paths=()):
    """What is lacking here, in words; None: nothing."""
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    for program in ["unshare", "ip", *programs]:
        if not shutil.which(program):
            return f"{program} is not installed"
    for path, what in paths:
        if not os.access(path, os.X_OK):
            return f"{what} is not installed"
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
        return "namespaces are not permitted here"
    return None


def enter():
    """Begins this program anew inside private mount, network and process namespaces with a /run of its own; returns there only."""
    if os.environ.get(INSIDE):
        subprocess.run(["mount", "-t", "tmpfs", "lab", "/run"], check=True)
        return
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc",
                          sys.executable, *sys.argv])


def ip(*args, lines=None):
    """With lines: many commands at once (-batch)."""
    subprocess.run(["ip", *args], check=True, input=None if lines is None else "\n".join(lines) + "\n", text=True)


def wait_for(what, seconds, why):
    """Until what() is true; the seconds it took.  Asks 20 times a second."""
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {why}")
        time.sleep(0.05)
    return time.monotonic() - began

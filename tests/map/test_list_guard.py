#!/usr/bin/env python3
"""weir map as root in somebody else's directory, in front of a planted link, a pipe or under a limit on file sizes: what is another's stays as it
was, what is written is the owner's, and nothing waits or is left behind.

Arguments: the weir binary."""
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import mrtmake as mrt  # noqa: E402
import tap  # noqa: E402

WEIR = pathlib.Path(sys.argv[1]).resolve()
NOBODY = 65534
PEERS = (64496, 64497, 64502, 64503)
SECRET = "only root writes this\n"
CUT, WHATIF = ("cut", "AS64510"), ("whatif", "--blocks", "AS64500")


def table(at=mrt.JUNE):
    rows = [mrt.index(*PEERS, at=at)]
    for prefix, carrier, target in (("198.51.100.0/24", 64500, 64510), ("203.0.113.0/24", 64501, 64510), ("192.0.2.0/24", 64500, 64511)):
        rows.append(mrt.rib(prefix, *((i, [p, 64496, carrier, target] if p != 64496 else [p, carrier, target]) for i, p in enumerate(PEERS)), at=at))
    return b"".join(rows)


class Place:
    """A directory of its own, DIR in it; the owner's where one is named."""

    def __init__(self, owner=None):
        self.owner = owner
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="weir-list-"))
        self.top.chmod(0o755)
        self.dir, self.map = self.top / "data", self.top / "data" / "map"
        self.dir.mkdir(mode=0o700)
        self.victim = self.top / "victim"
        self.victim.write_text(SECRET)
        self.victim.chmod(0o600)
        if owner is not None:
            os.chown(self.dir, owner, owner)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        shutil.rmtree(self.top, ignore_errors=True)

    def run(self, *words, user=None, limit=None, umask=-1, status=0):
        def prepare():
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        run = subprocess.run([WEIR, "-C", self.dir, "map", *words], capture_output=True, text=True, check=False, timeout=60, user=user,
                             group=user, extra_groups=None if user is None else [], umask=umask, preexec_fn=prepare, cwd=self.top)
        assert run.returncode == status, (words, run)
        return run

    def load(self, at=mrt.JUNE, name="rib", **more):
        path = self.top / name
        path.write_bytes(table(at))
        return self.run("load", path, **more)

    def ids(self):
        return sorted(p.stem for p in self.map.glob("*.sheet"))

    def is_the_owners(self):
        for path in (self.map, *self.map.iterdir()):
            assert path.lstat().st_uid == (self.owner or 0), path

    def unharmed(self):
        assert self.victim.read_text() == SECRET and self.victim.stat().st_uid == 0, self.victim
        assert not list(self.map.glob("*.part")), list(self.map.iterdir())


def as_root():
    if os.geteuid() != 0:
        raise tap.Skip("needs root")


def inferred(place):
    """Names of what a question keeps: asked once, taken away."""
    place.run(*CUT)
    names = [p.name for p in place.map.glob("*.inferred")]
    assert len(names) == 1, names
    (place.map / names[0]).unlink()
    return names[0]


def test_a_question_follows_no_link():
    as_root()
    for ask in (CUT, WHATIF):
        with Place(NOBODY) as p:
            p.load()
            link = p.map / (inferred(p) + ".part")
            link.symlink_to(p.victim)
            os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
            p.run(*ask)
            p.unharmed()
            p.is_the_owners()
            assert len(list(p.map.glob("*.inferred"))) == 1


def test_a_question_still_writes_where_root_may():
    as_root()
    with Place(NOBODY) as p:
        p.load()
        picture = p.top / "cut.svg"
        p.run(*CUT, "--svg", picture)
        assert picture.stat().st_uid == 0
        p.is_the_owners()


def test_load_and_forget_are_the_owners():
    as_root()
    with Place(NOBODY) as p:
        p.load(umask=0o077)
        p.is_the_owners()
        p.load(mrt.JUNE + 1, "later", umask=0o077)
        for part in ("tables.part", "new.sheet.part"):
            (p.map / part).symlink_to(p.victim)
        p.run("forget", p.ids()[0], umask=0o077)
        p.unharmed()
        p.is_the_owners()
        assert len(p.run("list", user=NOBODY).stdout.splitlines()) == 1
        assert len(p.ids()) == 1


def test_a_map_that_leads_elsewhere():
    """DIR/map is a link of DIR's owner to a directory of root's."""
    as_root()
    with Place(NOBODY) as p:
        roots = p.top / "roots"
        roots.mkdir(mode=0o755)
        (roots / "tables").write_text("")
        p.map.symlink_to(roots)
        os.chown(p.map, NOBODY, NOBODY, follow_symlinks=False)
        run = p.load(status=3)
        assert len(run.stderr.splitlines()) == 1, run.stderr
        assert [f.name for f in roots.iterdir()] == ["tables"]


def test_a_limit_on_file_sizes():
    for owner in (None, NOBODY) if os.geteuid() == 0 else (None,):
        with Place(owner) as p:
            p.load()
            whole = p.run(*CUT).stdout
            for kept in p.map.glob("*.inferred"):
                kept.unlink()
            for limit in (0, 100, 1024, 1100):
                assert p.run(*CUT, limit=limit).stdout == whole
                p.unharmed()
                assert not list(p.map.glob("*.inferred"))
            before = p.ids(), (p.map / "tables").read_bytes()
            for words in (("forget", p.ids()[0]), ("load", p.top / "more")):
                (p.top / "more").write_bytes(table(mrt.JUNE + 60))
                run = p.run(*words, limit=10, status=3)
                assert "File too large" in run.stderr and len(run.stderr.splitlines()) == 1, run.stderr
                p.unharmed()
                assert before == (p.ids(), (p.map / "tables").read_bytes())


def test_a_pipe_for_a_list():
    with Place() as p:
        p.load()
        (p.map / "tables").unlink()
        os.mkfifo(p.map / "tables")
        for words in (("list",), CUT, ("forget", p.ids()[0]), ("load", p.top / "rib")):
            run = p.run(*words, status=2)
            assert "tables: not a file" in run.stderr, run.stderr
        assert len(p.ids()) == 1


def test_a_flipped_newline():
    with Place() as p:
        p.load()
        p.load(mrt.JUNE + 1, "later")
        data = bytearray((p.map / "tables").read_bytes())
        at = data.index(b"\n", data.index(b"rib"))
        data[at] = 0x0e
        (p.map / "tables").write_bytes(data)
        (p.top / "more").write_bytes(table(mrt.JUNE + 2))
        for words in (("list",), CUT, ("load", p.top / "more")):
            run = p.run(*words, status=2)
            assert "weir map load FILE" in run.stderr and len(run.stderr.splitlines()) == 1, run.stderr
        assert len(p.ids()) == 2
        (p.map / "tables").unlink()  # as the line says
        p.load()
        p.load(mrt.JUNE + 1, "later")
        assert len(p.ids()) == 2 == len(p.run("list").stdout.splitlines())


tap.run(sys.modules[__name__])

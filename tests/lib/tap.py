"""TAP for test scripts: functions named test_*, run in order of definition; raise Skip to skip."""
import inspect
import sys
import traceback


class Skip(Exception):
    """This test cannot run here; the text says why."""


def run(module):
    tests = [f for name, f in vars(module).items() if name.startswith("test_") and inspect.isfunction(f)]
    tests.sort(key=lambda f: f.__code__.co_firstlineno)
    print(f"1..{len(tests)}")
    failed = 0
    for i, test in enumerate(tests, 1):
        name = test.__name__.removeprefix("test_")
        try:
            test()
            print(f"ok {i} - {name}")
        except Skip as why:
            print(f"ok {i} - {name} # SKIP {why}")
        except Exception:
            failed += 1
            print(f"not ok {i} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)

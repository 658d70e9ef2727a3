"""The one collector of `make check`.

Suites are unit test programs (BUILD/tests/*_test, cmocka), fuzz targets
replayed over their seeds (BUILD/tests/*_fuzz), and files test_*.py below
tests/ (pytest).  One line for each; details of failures only; one line
`skipped: name: reason` for each skip; last `<n> passed, <m> failed`.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
TAIL = 60                       # lines of output shown of a failed suite

PLAN = re.compile(r"1\.\.(\d+)\s*$")
RESULT = re.compile(r"(not ok|ok) \d+ - (.*)$")
SKIP = re.compile(r"(?:not ok|ok) \d+ # SKIP (.*)$")
REASON = re.compile(r"(?:# )?skipped: ([^:]+): (.*)$")


class Result:
    """What one suite came to."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failures = []      # of text
        self.skips = []         # of (name, reason)
        self.output = ""
        self.seconds = 0.0

    def fail(self, why):
        self.failures.append(why)


def text_of(data):
    return data.decode("utf-8", "backslashreplace")


def run(command, result, deadline, env):
    """Runs a suite in a process group of its own; its exit code or None."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, env=env,
                                 start_new_session=True)
        try:
            code = child.wait(deadline)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            # Whatever it left behind goes with it.
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
        out.seek(0)
        result.output = text_of(out.read())
    result.seconds = time.monotonic() - start
    if code is None:
        result.fail("did not end within %g s" % deadline)
    elif code < 0:
        result.fail("died by signal %d (%s)" % (
            -code, signal.Signals(-code).name))
    return code


def read_tap(result):
    """Counts the single tests of a cmocka program; how many were planned."""
    planned, seen, reasons = 0, 0, {}
    for line in result.output.splitlines():
        plan, one, skip = PLAN.match(line), RESULT.match(line), SKIP.match(line)
        reason = REASON.match(line)
        if plan:
            planned += int(plan.group(1))
        elif reason:
            reasons[reason.group(1)] = reason.group(2)
        elif skip:
            seen += 1
            name = skip.group(1)
            result.skips.append((name, reasons.get(name, "no reason given")))
        elif one:
            seen += 1
            if one.group(1) == "ok":
                result.passed += 1
            else:
                result.fail(one.group(2))
    return planned, seen


def run_unit(label, path, args):
    result = Result(label)
    env = dict(args.env, CMOCKA_MESSAGE_OUTPUT="TAP")
    code = run([path], result, args.deadline, env)
    planned, seen = read_tap(result)
    if planned == 0:
        result.fail("ran no test")
    elif seen != planned:
        result.fail("%d of %d tests were run" % (seen, planned))
    elif code not in (0, None) and not result.failures:
        result.fail("exit code %d" % code)
    return result


def run_fuzz(label, path, args):
    """All seeds of a target count as one test."""
    name = os.path.basename(path)
    result = Result(label)
    seeds = os.path.join(args.tests, "fuzz", "seeds", name[:-len("_fuzz")])
    if not os.path.isdir(seeds) or not os.listdir(seeds):
        result.fail("no seeds in " + os.path.relpath(seeds))
        return result
    code = run([path, seeds], result, args.deadline, args.env)
    if code == 0:
        result.passed = 1
    elif not result.failures:
        result.fail("exit code %d" % code)
    return result


def read_junit(path, result):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = case.find("failure")
        if bad is None:
            bad = case.find("error")
        skip = case.find("skipped")
        name = case.get("name")
        if bad is not None:
            result.fail(name)
        elif skip is not None:
            result.skips.append((name, skip.get("message") or
                                 "no reason given"))
        else:
            result.passed += 1


def run_pytest(label, path, args):
    result = Result(label)
    with tempfile.TemporaryDirectory() as tmp:
        report = os.path.join(tmp, "junit.xml")
        code = run([sys.executable, "-m", "pytest", "-q", "-rN", "--tb=short",
                    "-p", "no:cacheprovider", "--junitxml", report, path],
                   result, args.deadline,
                   dict(args.env, PYTHONDONTWRITEBYTECODE="1"))
        try:
            read_junit(report, result)
        except (OSError, xml.etree.ElementTree.ParseError):
            if not result.failures:
                result.fail("no report; exit code %s" % code)
    if code == 5 or not (result.passed or result.failures or result.skips):
        result.fail("ran no test")
    elif code not in (0, None) and not result.failures:
        result.fail("exit code %d" % code)
    return result


def programs(args, ending):
    folder = os.path.join(args.build, "tests")
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [os.path.join(folder, n) for n in names if n.endswith(ending)]


def python_files(args):
    found = []
    for folder, folders, files in os.walk(args.tests):
        folders[:] = sorted(d for d in folders
                            if d not in ("data", "seeds", "__pycache__"))
        found += [os.path.join(folder, f) for f in sorted(files)
                  if f.startswith("test_") and f.endswith(".py")]
    return found


def is_chosen(label, names):
    """unit/buf_test is also chosen as unit, buf_test and buf."""
    folder, base = os.path.split(label)
    stem = base[:-3] if base.endswith(".py") else base
    short = re.sub(r"^test_|_test$|_fuzz$", "", stem)
    return not names or any(n in (label, folder, base, stem, short)
                            for n in names)


def show(result):
    print("%-4s %-32s %5d passed %3d failed %3d skipped %7.1f s" % (
        "FAIL" if result.failures else "ok", result.name, result.passed,
        len(result.failures), len(result.skips), result.seconds), flush=True)
    for why in result.failures:
        print("     failed: %s: %s" % (result.name, why))
    if result.failures:
        for line in result.output.splitlines()[-TAIL:]:
            print("     | " + line)
    for name, reason in result.skips:
        print("skipped: %s: %s" % (name, " ".join(reason.split())))
    sys.stdout.flush()


def suites(args):
    """(function, label, path): those that run side by side; the others."""
    beside = [(run_unit, "unit/" + os.path.basename(p), p)
              for p in programs(args, "_test")]
    beside += [(run_fuzz, "fuzz/" + os.path.basename(p), p)
               for p in programs(args, "_fuzz")]
    alone = [(run_pytest, os.path.relpath(p, args.tests), p)
             for p in python_files(args)]
    return ([s for s in beside if is_chosen(s[1], args.names)],
            [s for s in alone if is_chosen(s[1], args.names)])


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default="build", help="where programs are")
    p.add_argument("--tests", default=HERE, help=argparse.SUPPRESS)
    p.add_argument("--jobs", type=int, default=2, help="suites at a time")
    p.add_argument("--deadline", type=float, default=600,
                   help="seconds that a suite may take")
    p.add_argument("names", nargs="*", help="only these suites")
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    args.tests = os.path.abspath(args.tests)
    args.env = dict(os.environ, POSTERN_BUILD=args.build)
    return args


def main():
    args = parse_args()
    beside, alone = suites(args)
    results = []
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        for r in pool.map(lambda s: s[0](s[1], s[2], args), beside):
            show(r)
            results.append(r)
    for suite in alone:
        r = suite[0](suite[1], suite[2], args)
        show(r)
        results.append(r)
    passed = sum(r.passed for r in results)
    failed = sum(len(r.failures) for r in results)
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

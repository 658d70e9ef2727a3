"""`make fuzz-smoke`: each libFuzzer target for some seconds over a copy of
its seeds.  Last line `<n> passed, <m> failed`, a target being one test.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GRACE = 60                      # seconds over the time it was given


def run(command, limit, cwd):
    """Output and exit code; None when it had to be killed."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, cwd=cwd,
                                 start_new_session=True)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            code = None
        out.seek(0)
        return out.read().decode("utf-8", "backslashreplace"), code


def smoke(path, seconds, keep):
    """Fuzzes one target; an error text or None, and the executions."""
    name = os.path.basename(path)
    seeds = os.path.join(HERE, "seeds", name[:-len("_fuzz")])
    if not os.path.isdir(seeds) or not os.listdir(seeds):
        return "no seeds", 0
    with tempfile.TemporaryDirectory() as tmp:
        corpus = os.path.join(tmp, "corpus")
        shutil.copytree(seeds, corpus)
        text, code = run([path, "-max_total_time=%d" % seconds, "-timeout=10",
                          "-rss_limit_mb=2048", "-print_final_stats=1",
                          corpus], seconds + GRACE, tmp)
        done = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
        executed = int(done.group(1)) if done else 0
        if code == 0 and executed > 0:
            return None, executed
        for f in os.listdir(tmp):
            if re.match(r"(crash|leak|timeout|oom|slow-unit)-", f):
                os.makedirs(keep, exist_ok=True)
                shutil.copy(os.path.join(tmp, f), os.path.join(
                    keep, name + "." + f))
    sys.stdout.write("\n".join(text.splitlines()[-40:]) + "\n")
    return "hung" if code is None else "exit code %d" % code, executed


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--seconds", type=int, default=20)
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    folder = os.path.join(os.path.abspath(args.build), "fuzz")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    passed = failed = 0
    for name in names:
        if not name.endswith("_fuzz") or (
                args.names and name not in args.names):
            continue
        why, executed = smoke(os.path.join(folder, name), args.seconds,
                              os.path.join(folder, "found"))
        print("%-4s %-24s %9d executions%s" % (
            "FAIL" if why else "ok", name, executed,
            ": " + why if why else ""), flush=True)
        passed += why is None
        failed += why is not None
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

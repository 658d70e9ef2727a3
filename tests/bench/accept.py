"""make bench-accept: messages per second through the whole suite, time to the
250, CPU per message of each daemon.  Not a test: prints what it measured.

Accept alone is measured with the delivery stopped (queue holds everything),
accept to mailbox until the queue is empty again."""

import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

import postern  # noqa: E402

LOAD = os.path.join(postern.BUILD, "bench", "smtp_load")
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pids):
    """Seconds of user and system time of each process, children not."""
    out = {}
    for name, pid in pids.items():
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            out[name] = (int(fields[11]) + int(fields[12])) / TICK
        except OSError:
            pass
    return out


def pids_of(inst):
    pids = {d: r["pid"] for d, r in inst.status().items()}
    for i, pid in enumerate(inst.owners()):
        pids[f"owner{i}"] = pid
    return pids


def run(inst, title, connections, messages, size, rcpts, deliver):
    local = inst.pid("local")
    if not deliver:
        os.kill(local, signal.SIGSTOP)
    before = cpu(pids_of(inst))
    start = time.monotonic()
    line = subprocess.run(
        [LOAD, str(inst.port("mx")), str(connections), str(messages),
         str(size), *rcpts], capture_output=True, text=True,
        check=True).stdout.strip()
    if deliver:
        inst.wait_queue_empty(600)
    took = time.monotonic() - start
    after = cpu(pids_of(inst))
    if not deliver:
        os.kill(local, signal.SIGCONT)
        inst.wait_queue_empty(600)
    spent = {n: (after[n] - before.get(n, 0)) * 1e6 / messages
             for n in after}
    total = sum(spent.values())
    parts = " ".join(f"{n}={v:.0f}" for n, v in spent.items() if v >= 1)
    rate = messages / took if deliver else \
        float(re.search(r"rate=(\d+)", line).group(1))
    print(f"{title:34} {rate:8.0f}/s  cpu_us={total:.0f} ({parts})  {line}",
          flush=True)


def main():
    with postern.Instance() as inst:
        inst.add_domain()
        users = [f"u{i}@example.org" for i in range(20)]
        for u in users:
            inst.add_user(u, "secret")
        for _ in range(int(os.environ.get("ROUNDS", "3"))):
            run(inst, "accept, 64 connections, 10 KB", 64, 20000, 10000,
                users, False)
            run(inst, "accept, 1 connection, 2 KB", 1, 2000, 2000, users,
                False)
            run(inst, "to mailbox, 64 connections, 10 KB", 64, 20000, 10000,
                users, True)
            run(inst, "to 1 mailbox, 16 connections, 2 KB", 16, 5000, 2000,
                users[:1], True)


main()

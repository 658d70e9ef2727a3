"""make bench-accept: messages per second through the whole suite, time to the
250, CPU per message of each daemon.  Not a test: prints what it measured.

Accept alone is measured with the delivery stopped (queue holds everything),
accept to mailbox until the queue is empty again."""

import os
import signal
import time

from measure import cpu, load, postern


def spent(pids):
    return {name: cpu(pid) for name, pid in pids.items()}


def pids_of(inst):
    pids = {d: r["pid"] for d, r in inst.status().items()}
    for i, pid in enumerate(inst.owners()):
        pids[f"owner{i}"] = pid
    return pids


def run(inst, title, connections, messages, size, rcpts, deliver):
    local = inst.pid("local")
    if not deliver:
        os.kill(local, signal.SIGSTOP)
    before = spent(pids_of(inst))
    start = time.monotonic()
    line, rate = load(inst.port("mx"), connections, messages, size, rcpts)
    if deliver:
        inst.wait_queue_empty(600)
    took = time.monotonic() - start
    after = spent(pids_of(inst))
    if not deliver:
        os.kill(local, signal.SIGCONT)
        inst.wait_queue_empty(600)
    used = {n: (after[n] - before.get(n, 0)) * 1e6 / messages
            for n in after}
    total = sum(used.values())
    parts = " ".join(f"{n}={v:.0f}" for n, v in used.items() if v >= 1)
    if deliver:
        rate = messages / took
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


if __name__ == "__main__":
    main()

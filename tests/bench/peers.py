"""make bench-peers: Postern beside Postfix on the same machine in the same
run.  The two take turns; what counts is the median of the ratios, and CPU
time per message.  Not a test."""

import os
import signal
import statistics
import sys
import time

from accept import pids_of, spent
from measure import load, postern
from postfix import Postfix, is_installed

PAIRS = int(os.environ.get("PAIRS", "7"))
USERS = [f"u{i}@example.org" for i in range(20)]


def ours(inst, scene):
    """Messages per second and microseconds of CPU per message."""
    title, connections, size, hold, messages, _ = scene
    local = inst.pid("local")
    if hold:
        os.kill(local, signal.SIGSTOP)
    before = spent(pids_of(inst))
    start = time.monotonic()
    _, rate = load(inst.port("mx"), connections, messages, size, USERS)
    if not hold:
        inst.wait_queue_empty(600)
        rate = messages / (time.monotonic() - start)
    after = spent(pids_of(inst))
    if hold:
        os.kill(local, signal.SIGCONT)
        inst.wait_queue_empty(600)
    used = sum(v - before.get(n, 0) for n, v in after.items())
    return rate, used * 1e6 / messages


def theirs(peer, scene):
    title, connections, size, hold, _, messages = scene
    before = peer.cpu()
    had = 0 if hold else peer.delivered()
    start = time.monotonic()
    _, rate = load(peer.port, connections, messages, size, USERS)
    if not hold:
        postern.wait_for(lambda: peer.delivered() - had >= messages,
                         "Postfix has delivered", 600)
        rate = messages / (time.monotonic() - start)
    return rate, (peer.cpu() - before) * 1e6 / messages


# Title, connections, size, held in the queue, messages for each of the two.
SCENES = (
    ("accept, 64 connections, 10 KB", 64, 10000, True, 20000, 3000),
    ("accept, 1 connection, 2 KB", 1, 2000, True, 2000, 1000),
    ("to 20 mailboxes, 64 connections, 10 KB", 64, 10000, False, 20000, 2000),
)


def run(inst, scene):
    ratios, rows = [], []
    with Postfix(USERS, scene[3]) as peer:
        theirs(peer, scene)             # its processes are there then
        for _ in range(PAIRS):
            a, b = ours(inst, scene), theirs(peer, scene)
            ratios.append(a[0] / b[0])
            rows.append(a + b)
    rate, used, peer_rate, peer_used = (
        statistics.median(r[i] for r in rows) for i in range(4))
    print(f"{scene[0]:40} {rate:7.0f}/s {used:5.0f} us   Postfix "
          f"{peer_rate:6.0f}/s {peer_used:5.0f} us   ratio "
          f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to "
          f"{max(ratios):.1f})", flush=True)


def main():
    if not is_installed():
        sys.exit("bench-peers wants root and the package postfix")
    with postern.Instance() as inst:
        inst.add_domain()
        for u in USERS:
            inst.add_user(u, "secret")
        for scene in SCENES:
            run(inst, scene)


main()

"""kill -9 of every process in turn while mail flows, and of the whole suite
at KILLS random moments: what was acknowledged is there exactly once."""

import contextlib
import os
import random
import re
import select
import shutil
import signal

import pytest

import inside
import load
import postern
from postern import wait_for

USERS = {"alice@example.org": "wonderland", "bob@example.org": "builder",
         "carol@example.org": "carols"}
ALIASES = {"team@example.org": ["alice@example.org", "carol@example.org"]}
LARGE = 72 * 16000          # 288 KB: a file of its own
KILLS = int(os.environ.get("KILLS", "12"))


@pytest.fixture
def inst():
    settings = {"mailbox.linger": "2", "queue.retry_min": "1",
                "queue.retry_max": "2", "mailbox.segment": "65536",
                "mailbox.undelete": "0"}
    with postern.Instance(settings=settings) as i:
        i.add_domain()
        for user, password in USERS.items():
            i.add_user(user, password)
        for alias, targets in ALIASES.items():
            i.ctl("alias", "add", alias, *targets)
        yield i


def verify(inst, ledger):
    inst.wait_queue_empty(120)
    load.check(ledger, {u: load.headers(inst, u, p)
                        for u, p in USERS.items()})


DAEMONS = ["smtpd", "queued", "route", "local", "mailboxd", "zygote",
           "authd", "imapd", "pop3d"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_kill_one_daemon_while_mail_flows(inst, daemon):
    with load.Load(inst, list(USERS), aliases=ALIASES) as flow, \
            load.Logins(inst, "bob@example.org", "builder") as logins:
        flow.wait_more(30)
        for _ in range(3):
            logins.wait_more()
            inst.wait_back(daemon, inst.kill_daemon(daemon))
            flow.wait_more(30)
        logins.wait_more()
    verify(inst, flow.ledger)


@pytest.mark.parametrize("daemon", ["authd", "queued"])
def test_kill_the_children_of_a_daemon(inst, daemon):
    """The nursery and the workers that check passwords; the helper that
    syncs large bodies: what they were at is done by others."""
    with load.Load(inst, list(USERS), aliases=ALIASES) as flow, \
            load.Load(inst, list(USERS), tag="l", size=LARGE,
                      senders=2) as big, \
            load.Logins(inst, "bob@example.org", "builder") as logins:
        for _ in range(3):
            flow.wait_more(30)
            big.wait_more(2)
            logins.wait_more()
            children = wait_for(lambda: inside.family(inst.pid(daemon))[1:],
                                "it has children")
            for pid in children:
                inst.kill(pid)
        flow.wait_more(30)
        big.wait_more(2)
        logins.wait_more()
    verify(inst, load.both(flow.ledger, big.ledger))


def test_kill_owners_while_mail_flows(inst):
    with load.Load(inst, list(USERS), aliases=ALIASES) as flow:
        flow.wait_more(30)
        for _ in range(5):
            for pid in inst.owners():
                inst.kill(pid)
            flow.wait_more(30)
    verify(inst, flow.ledger)


def test_kill_the_supervisor_while_mail_flows(inst):
    with load.Load(inst, list(USERS)) as flow:
        for _ in range(3):
            flow.wait_more(30)
            inst.kill_all()
            inst.wait_unlocked()
            inst.start()
        flow.wait_more(30)
    verify(inst, flow.ledger)


def test_an_owner_that_crashes_is_logged(inst):
    """By SIGSYS, as the filter does; sanitizers catch others."""
    with load.Load(inst, list(USERS)) as flow:
        flow.wait_more(10)
        pid = wait_for(inst.owners, "an owner")[0]
        inst.kill(pid, signal.SIGSYS)
        wait_for(lambda: inst.lines("owner died", f"pid={pid} ", "signal=31"),
                 "its death is in the log")
    verify(inst, flow.ledger)


def test_kill_everything_at_random_moments(inst):
    rng = random.Random(7)
    open_at_kill = 0
    restarts = 0
    with load.Load(inst, list(USERS), aliases=ALIASES) as flow:
        for _ in range(KILLS):
            flow.wait_more(5)
            select.select([], [], [], rng.random() * 0.2)
            victims = [r["pid"] for r in inst.status().values()] + \
                inst.owners() + [inst.proc.pid]
            open_at_kill += flow.ledger.open > 0
            for pid in victims:
                if pid:
                    inst.kill(pid)
            inst.kill_all()
            inst.wait_unlocked()
            inst.start()
            restarts += 1
    verify(inst, flow.ledger)
    assert restarts == KILLS
    assert open_at_kill * 2 >= KILLS, \
        f"only {open_at_kill} of {KILLS} kills hit open transactions"
    print(f"{KILLS} kills, {open_at_kill} with open transactions, "
          f"{flow.acked()} acknowledged")


def test_kill_everything_while_mailboxes_are_compacted(inst):
    """Small messages and large ones, read and expunged as they come."""
    rng = random.Random(11)
    users = list(USERS)
    with load.Load(inst, users, tag="l", size=LARGE, senders=2) as big, \
            load.Load(inst, users) as flow, \
            contextlib.ExitStack() as stack:
        reapers = [stack.enter_context(load.Reaper(inst, u, USERS[u]))
                   for u in users[:2]]
        for _ in range(KILLS):
            flow.wait_more(5)
            select.select([], [], [], rng.random() * 0.3)
            victims = inst.owners() + inst.helpers()
            if rng.random() < 0.5:
                victims += [r["pid"] for r in inst.status().values()]
                victims.append(inst.proc.pid)
            for pid in victims:
                if pid:
                    inst.kill(pid)
            if inst.proc.pid in victims:
                inst.kill_all()
                inst.wait_unlocked()
                inst.start()
        big.wait_more(10)
        flow.wait_more(100)
        inst.logged("segment retired")
    inst.wait_queue_empty(120)
    ledger = flow.ledger
    ledger.acked.update(big.ledger.acked)
    load.check_reaped(ledger, [load.headers(inst, u, p)
                               for u, p in USERS.items()], reapers)
    retired = len(inst.lines("segment retired"))
    print(f"{KILLS} kills, {len(ledger.acked)} acknowledged, "
          f"{sum(len(r.gone) for r in reapers)} expunged, "
          f"{retired} segments retired")


def test_index_deleted_while_messages_are_queued(inst):
    with load.Load(inst, list(USERS), aliases=ALIASES) as flow:
        flow.wait_more(50)
        local = inst.pid("local")
        os.kill(local, signal.SIGSTOP)
        flow.wait_more(50)
        inst.kill_all()
        inst.kill(local)
    inst.wait_unlocked()
    gone = 0
    for path, dirs, _ in os.walk(os.path.join(inst.dir, "store")):
        if "index" in dirs:
            shutil.rmtree(os.path.join(path, "index"))
            gone += 1
    assert gone > 0
    inst.start()
    assert [n for n in re.findall(r'"log read".* messages=(\d+)',
                                  inst.new_log()) if int(n) > 0], \
        "nothing was queued"
    verify(inst, flow.ledger)


def test_daemons_end_with_their_starter(inst):
    pids = [r["pid"] for r in inst.status().values()]
    inst.kill_all()
    inst.wait_unlocked()
    for pid in pids:
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"),
                 f"process {pid} is gone")
    inst.start()

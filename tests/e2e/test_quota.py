"""Quotas, with real clients: a full mailbox takes nothing at any door, and
takes mail again as soon as there is room, without a restart."""

import contextlib
import imaplib
import os
import re
import signal
import smtplib

import pytest

import postern
from postern import wait_for

BODY = "".join("line %04d of a message\r\n" % i for i in range(200))
TO = "alice@example.org"


def text(subject="x", body=BODY):
    return f"Subject: {subject}\r\nFrom: z@example.net\r\n\r\n{body}"


def send(suite, to=TO, message=None, size=True):
    """None, or the refusal (code, status) of RCPT."""
    with smtplib.SMTP("127.0.0.1", suite.port("mx")) as s:
        s.ehlo()
        message = message or text()
        s.mail("z@example.net", [f"size={len(message)}"] if size else [])
        code, reply = s.rcpt(to)
        if code != 250:
            return code, reply.decode().split()[0]
        assert s.data(message)[0] == 250
    return None


class Reader:
    def __init__(self, suite, user=TO, password="wonderland"):
        self.c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
        self.c.login(user, password)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.c.shutdown()

    def count(self):
        return int(self.c.select("INBOX")[1][0])

    def append(self, n=1, folder="INBOX"):
        r, d = self.c.append(folder, None, None,
                             text().encode()[:n] if n > 1 else b"x\r\n")
        return r, d[0].decode()

    def wait_limit(self, what, limit):
        """Until the owner was told: an append before that is let in."""
        limit = re.compile(rb"\b%s \d+ %d\)" % (what, limit))
        wait_for(lambda: limit.search(self.c.getquotaroot("INBOX")[1][1][0]),
                 "the owner knows the limit")

    def expunge(self, uids):
        self.c.select("INBOX")
        self.c.store(uids, "+FLAGS", r"(\Deleted)")
        assert self.c.expunge()[0] == "OK"


def show(suite, user=TO):
    return suite.json("user", "show", user)


def wait_used(suite, want, user=TO):
    return wait_for(lambda: want(show(suite, user)) and show(suite, user),
                    "authd knows the usage")


@contextlib.contextmanager
def small_instance():
    """alice may have 10K, about two messages of 4.6 K."""
    with postern.Instance(settings={"queue.retry_min": "1",
                                    "queue.retry_max": "1",
                                    "mailbox.linger": "60"}) as inst:
        inst.add_domain()
        inst.add_user(TO, "wonderland")
        inst.add_user("bob@example.org", "builder")
        inst.ctl("user", "quota", TO, "11K")
        yield inst


@pytest.fixture
def small():
    with small_instance() as inst:
        yield inst


def test_full_and_not(small):
    assert send(small) is None
    assert send(small) is None
    small.wait_queue_empty()
    used = wait_used(small, lambda u: u["used_messages"] == 2)
    assert used["quota"] == "11K" and used["limit"] == 11264
    assert used["used"] > 2 * len(text()) and used["state"] == "ok"
    # No room for a third of that size; one without a size is let in, and
    # then waits in the queue.
    assert send(small) == (452, "4.2.2")
    assert send(small, "alice+tag@example.org") == (452, "4.2.2")
    assert send(small, "bob@example.org") is None
    assert send(small, size=False) is None
    wait_for(lambda: small.lines("4.2.2 the mailbox is over its quota"),
             "the owner refuses")
    assert not small.queue_is_empty()
    with Reader(small) as r:
        assert r.count() == 2
        rv, answer = r.append(4000)
        assert (rv, answer.split()[0]) == ("NO", "[OVERQUOTA]")
        rv, answer = r.c.copy("1", "INBOX")
        assert (rv, answer[0].split()[0]) == ("NO", b"[OVERQUOTA]")
        # Room is made: the message in the queue comes by itself, and the
        # doors are open again.
        r.expunge("1:2")
        small.wait_queue_empty()
        wait_for(lambda: r.count() == 1, "the waiting message")
        wait_used(small, lambda u: u["used_messages"] == 1)
        assert send(small) is None
        small.wait_queue_empty()
        wait_for(lambda: r.count() == 2, "another message")
        assert r.append(1000)[0] == "OK"


def test_exactly_full(small):
    with Reader(small) as r:
        small.ctl("user", "quota", TO, "1000")
        assert b"QUOTA=RES-STORAGE" in r.c.capability()[1][0]
        r.wait_limit(b"STORAGE", 1)
        assert r.append(1001)[1].startswith("[OVERQUOTA]")
        assert r.append(999)[0] == "OK"
        assert wait_used(small, lambda u: u["used"] == 999)["state"] == "near"
        assert send(small, size=False) is None      # waits in the queue
        assert r.append(2)[0] == "NO"
        r.c.append("INBOX", None, None, b"x")
        assert wait_used(small, lambda u: u["used"] == 1000)["state"] == \
            "over"
        assert send(small, size=False) == (452, "4.2.2")
        assert r.c.getquotaroot("INBOX")[1] == [
            [b'"INBOX" ""'], [b'"" (STORAGE 1 1)']]
        # The operator gives more: known at once to owner and lookup.
        small.ctl("user", "quota", TO, "none")
        small.wait_queue_empty()
        assert send(small, size=False) is None
        small.wait_queue_empty()
        wait_for(lambda: r.count() == 4, "both messages")


def test_a_new_owner_knows_its_limit():
    """The first delivery to a full mailbox whose owner is not there.  An
    authd that had no processor for a moment is not waited for."""
    for _ in range(5):
        with small_instance() as small:
            if is_refused_by_a_new_owner(small):
                return
    assert False, "authd is always slow"


def is_refused_by_a_new_owner(small):
    assert send(small) is None and send(small) is None
    small.wait_queue_empty()
    wait_used(small, lambda u: u["used_messages"] == 2)
    for pid in small.owners():
        small.kill(pid)
    wait_for(lambda: not small.owners(), "no owner")
    assert send(small, size=False) is None
    wait_for(lambda: small.lines("4.2.2 the mailbox is over its quota") or
             small.lines("authd is slow"), "refused")
    if small.lines("authd is slow"):
        return False
    with Reader(small) as r:
        assert r.count() == 2
    return True


def test_reject(suite):
    suite.configure({"smtp.over_quota": "reject"})
    suite.stop()
    suite.start()
    suite.ctl("user", "quota", TO, "1K")
    assert send(suite) == (552, "5.2.2")
    # It is no matter of who the other targets are.
    suite.ctl("alias", "add", "one@example.org", TO)
    suite.ctl("alias", "add", "two@example.org", TO, "bob@example.org")
    assert send(suite, "one@example.org") == (552, "5.2.2")
    assert send(suite, "two@example.org") is None


def test_tenant(suite):
    suite.ctl("tenant", "quota", "default", "10K")
    # Of a mailbox with a limit 1 % of it is told at once.
    suite.ctl("user", "quota", TO, "100K")
    assert suite.json("tenant", "list")[0]["quota"] == "10K"
    with Reader(suite) as r:
        for _ in range(2):
            assert r.append(4500)[0] == "OK"
        wait_used(suite, lambda u: u["used_messages"] == 2)
    suite.stop()
    suite.start()
    assert suite.json("tenant", "show", "default")["used"] == 9000
    assert send(suite, "bob@example.org") == (452, "4.2.2")
    assert send(suite, "bob@example.org",
                text(body="short\r\n")) is None
    with Reader(suite) as r:
        r.expunge("1:2")
        wait_used(suite, lambda u: u["used_messages"] == 0)
    suite.stop()
    suite.start()
    assert send(suite, "bob@example.org") is None


def test_default(suite):
    suite.configure({"quota.default": "1K", "quota.messages": "2"})
    suite.stop()
    suite.start()
    assert show(suite)["limit"] == 1024
    assert send(suite) == (452, "4.2.2")
    suite.ctl("user", "quota", TO, "none", "default")
    assert send(suite) is None
    suite.ctl("user", "quota", TO, "none", "none")
    assert send(suite) is None and send(suite) is None
    suite.wait_queue_empty()


def test_monitor_and_authd_come_back(small):
    """Who restarts hears of usage and limits again; no mail waits for it."""
    assert send(small) is None
    small.wait_queue_empty()
    with Reader(small) as r:
        assert r.count() == 1
        for daemon in ("mailboxd", "authd"):
            small.wait_back(daemon, small.kill_daemon(daemon))
        wait_used(small, lambda u: u["used_messages"] == 1)
        small.ctl("user", "quota", TO, "none", "1")
        r.wait_limit(b"MESSAGE", 1)
        assert r.append(10)[0] == "NO"
        assert wait_used(small, lambda u: u["used_messages"] == 1)[
            "state"] == "over"
        assert send(small) == (452, "4.2.2")


def test_authd_stuck(small):
    """A new owner does not wait for authd for ever; without a limit it
    takes what comes, and keeps to the limit as soon as it is told."""
    assert send(small) is None and send(small) is None
    small.wait_queue_empty()
    wait_used(small, lambda u: u["used_messages"] == 2)
    assert send(small, size=False) is None
    wait_for(lambda: small.lines("4.2.2 the mailbox is over its quota"),
             "refused")
    authd = small.pid("authd")
    postern.freeze(authd)
    try:
        for pid in small.owners():
            small.kill(pid)
        small.wait_queue_empty()
        small.logged("authd is slow")
    finally:
        os.kill(authd, signal.SIGCONT)
    wait_used(small, lambda u: u["used_messages"] == 3)
    with Reader(small) as r:
        assert r.count() == 3
        r.wait_limit(b"STORAGE", 11)
        assert r.append(100)[1].startswith("[OVERQUOTA]")
    assert send(small, size=False) == (452, "4.2.2")

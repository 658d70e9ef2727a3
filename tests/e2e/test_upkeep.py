"""An owner's upkeep of its log: expunged messages leave the disk while the
mailbox is in use and before its process goes, and nothing else does."""

import contextlib
import imaplib
import os
import random

import pytest

import postern
from postern import wait_for

SETTINGS = {"mailbox.segment": "65536", "mailbox.undelete": "0",
            "mailbox.linger": "1"}


@pytest.fixture
def inst():
    with postern.Instance(settings=SETTINGS) as i:
        i.add_domain()
        i.add_user("bob@example.org", "builder")
        yield i


def login(inst):
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"),
                      timeout=postern.DEADLINE)
    c.login("bob@example.org", "builder")
    return c


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def message(i, size):
    rng = random.Random(i)
    lines = (rng.randbytes(35).hex() for _ in range(size // 72))
    return (f"Subject: {i}\r\n\r\n" + "\r\n".join(lines)).encode()


def log_bytes(inst):
    """Of the only mailbox: segments and large bodies, some of which may go
    meanwhile."""
    total = 0
    for path, _, files in os.walk(inst.dir):
        if os.path.basename(path) == "log" and "store" in path:
            for f in files:
                with contextlib.suppress(FileNotFoundError):
                    total += os.stat(os.path.join(path, f)).st_size
    return total


def fetch_all(inst):
    c = login(inst)
    n = int(ok(c.select())[0])
    found = {}
    for k in range(1, n + 1):
        line, body = ok(c.fetch(str(k), "(UID FLAGS BODY.PEEK[])"))[0]
        found[line.split(b" BODY")[0]] = body
    c.logout()
    return found


def remove_index(inst):
    for path, _, files in os.walk(inst.dir):
        if os.path.basename(path) == "index":
            for f in files:
                os.unlink(os.path.join(path, f))


def test_space_comes_back(inst):
    c = login(inst)
    for i in range(100):
        ok(c.append("INBOX", None, None,
                    message(i, 300000 if i % 25 == 0 else 8000)))
    ok(c.select())
    before = log_bytes(inst)
    assert before > 1900000
    ok(c.store("1:97", "+FLAGS", r"(\Deleted)"))
    ok(c.expunge())
    # The session stays; the log shrinks under it.
    wait_for(lambda: log_bytes(inst) < 400000, "the log is small")
    for i in (97, 98, 99):
        assert ok(c.fetch(str(i - 96), "(BODY.PEEK[])"))[0][1] == \
            message(i, 8000)
    c.logout()
    have = fetch_all(inst)
    assert len(have) == 3
    wait_for(lambda: inst.owners() == [], "the owner is gone")
    assert fetch_all(inst) == have
    wait_for(lambda: inst.owners() == [], "the owner is gone")
    remove_index(inst)
    assert fetch_all(inst) == have
    inst.logged("segment retired")


def test_an_owner_that_goes_leaves_nothing_to_do(inst):
    c = login(inst)
    for i in range(40):
        ok(c.append("INBOX", None, None, message(i, 8000)))
    ok(c.select())
    ok(c.store("1:40", "+FLAGS", r"(\Deleted)"))
    ok(c.expunge())
    c.logout()
    wait_for(lambda: inst.owners() == [], "the owner is gone")
    assert log_bytes(inst) < 200000

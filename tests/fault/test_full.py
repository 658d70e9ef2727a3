"""A full disk: 452, nothing acknowledged is lost, service resumes with
space.  The instance lies on a small tmpfs."""

import errno
import os
import smtplib

import pytest

import load
import postern
from fixtures import on_small_disk
from postern import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason="mounting needs root")


@pytest.fixture
def small(tmp_path):
    with on_small_disk(tmp_path, "size=48m", {
            "queue.segment": "1M", "mailbox.segment": "1M",
            "queue.reserve": "4M", "queue.reserve_percent": "10",
            "queue.retry_min": "1", "queue.retry_max": "1",
            "mailbox.linger": "1"}) as both:
        yield both


def fill(mount, leave):
    """Takes all space, while mail flows, then gives `leave` bytes back."""
    with open(mount / "ballast", "wb", buffering=0) as f:
        for size in (1 << 16, 4096, 1):
            try:
                while f.write(b"\0" * size):
                    pass
            except OSError as e:
                assert e.errno == errno.ENOSPC, e
        f.truncate(max(0, f.tell() - leave))


def try_one(inst, name="full"):
    with smtplib.SMTP("127.0.0.1", inst.port("mx"), timeout=60) as c:
        c.ehlo("full.example.net")
        code, text = c.mail("a@example.net")
        if code != 250:
            return code, text
        c.rcpt("bob@example.org")
        try:
            return c.data(b"X-Ledger: " + name.encode() +
                          b"\r\nSubject: x\r\n\r\n" + b"z" * 500 +
                          b"\r\n")
        except smtplib.SMTPDataError as e:      # full since MAIL
            return e.smtp_code, e.smtp_error


def test_disk_full_and_space_again(small):
    inst, mount = small
    with load.Load(inst, ["bob@example.org"], senders=2, size=20000) as flow:
        flow.wait_more(30)
        fill(mount, 1 << 20)
        wait_for(lambda: try_one(inst, "probe1")[0] == 452, "452 4.3.1")
        code, text = try_one(inst, "probe2")
        assert code == 452 and text.startswith(b"4.3.1"), text
        assert len(load.headers(inst, "bob@example.org", "builder")) >= 1
    # Nobody sends now: in a second or two they would fill the disk again.
    os.unlink(mount / "ballast")
    wait_for(lambda: try_one(inst, "probe3")[0] == 250,
             "mail is taken again")
    with load.Load(inst, ["bob@example.org"], senders=2, size=20000,
                   tag="again") as more:
        more.wait_more(10)
    both = load.both(flow.ledger, more.ledger)
    both.doubt("bob@example.org", "probe1", "probe2", "probe3")
    inst.wait_queue_empty(120)
    load.check(both, {"bob@example.org": load.headers(
        inst, "bob@example.org", "builder")})


def test_not_one_byte_left(small):
    inst, mount = small
    with load.Load(inst, ["bob@example.org"], senders=2, size=20000) as flow:
        flow.wait_more(30)
        fill(mount, 0)
        wait_for(lambda: try_one(inst, "probe1")[0] == 452, "452 4.3.1")
    os.unlink(mount / "ballast")
    wait_for(lambda: try_one(inst, "probe3")[0] == 250,
             "mail is taken again")
    flow.ledger.doubt("bob@example.org", "probe1", "probe3")
    inst.wait_queue_empty(120)
    load.check(flow.ledger, {"bob@example.org": load.headers(
        inst, "bob@example.org", "builder")})


def can_log_in(inst):
    """By submission, which needs authd and no disk."""
    with smtplib.SMTP("127.0.0.1", inst.port("submission"), timeout=60) as c:
        try:
            return c.login("bob@example.org", "builder")[0] == 235
        except smtplib.SMTPAuthenticationError as e:
            assert e.smtp_code == 454, e
            return False


def test_the_directory_on_a_full_disk(small):
    """Logins go on, also in an authd that has to start there; an operator's
    change is refused and spoils nothing."""
    inst, mount = small
    for i in range(3):
        assert try_one(inst, str(i))[0] == 250
    inst.wait_queue_empty()
    # What goes with the owner gives space back.
    wait_for(lambda: inst.owners() == [], "the owner is gone")
    fill(mount, 0)
    assert can_log_in(inst)
    inst.ctl("user", "quota", "bob@example.org", "10M", check=1)
    inst.ctl("user", "quota", "bob@example.org")
    for i in range(3):
        done = inst.ctl("user", "add", f"u{i}@example.org", stdin="x\n",
                        check=1)
        assert "disk" in done.stderr
        inst.ctl("domain", "add", f"d{i}.example.org", check=1)
        inst.ctl("user", "passwd", "bob@example.org", stdin="x\n", check=1)
    assert can_log_in(inst)
    for _ in range(3):
        inst.kill(inst.pid("authd"))
        wait_for(lambda: can_log_in(inst), "authd is back")
    fill(mount, 0)
    inst.ctl("domain", "add", "d.example.org", check=1)
    assert [r["domain"] for r in inst.json("domain", "list")] == \
        ["example.org"]
    os.unlink(mount / "ballast")
    inst.add_user("u@example.org", "x")
    inst.ctl("domain", "add", "d.example.org")
    assert can_log_in(inst)
    fill(mount, 0)
    inst.kill(inst.pid("authd"))
    wait_for(lambda: can_log_in(inst), "authd is back")
    assert not inst.lines(" authd ", "fatal")
    os.unlink(mount / "ballast")

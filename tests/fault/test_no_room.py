"""No inode left, or no space but the reserve, with a mailbox that is in use:
mail is refused with 452 and APPEND with NO, reading and expunging go on, and
all is taken again soon after there is room.  ATTACKS E-10.  Who else fills
the disk to its last byte leaves reading.  The instance lies on a small
tmpfs."""

import errno
import imaplib
import os
import smtplib

import pytest

import postern
from fixtures import on_small_disk
from postern import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason="mounting needs root")
SMALL = b"Subject: small\r\n\r\n" + b"s" * 500 + b"\r\n"
LARGE = b"Subject: large\r\n\r\n" + (b"l" * 76 + b"\r\n") * 8000
SOON = 5.0


@pytest.fixture
def small(tmp_path):
    with on_small_disk(tmp_path, "size=64m,nr_inodes=400", {
            "queue.segment": "1M", "mailbox.segment": "1M",
            "queue.reserve": "4M", "queue.recycle": "1",
            "mailbox.reserve": "2M", "queue.retry_min": "1",
            "queue.retry_max": "1"}) as both:
        yield both


def take_inodes(mount):
    (mount / "many").mkdir(exist_ok=True)
    names = []
    try:
        while True:
            path = mount / "many" / str(len(names))
            path.touch(exist_ok=False)
            names.append(path)
    except OSError as e:
        assert e.errno == errno.ENOSPC, e

    def give_back():
        for path in names:
            path.unlink()
    return give_back


def take_bytes(mount, leave=1 << 20):
    path = mount / "ballast"
    with open(path, "wb", buffering=0) as f:
        for size in (1 << 16, 4096, 1):
            try:
                while f.write(b"\0" * size):
                    pass
            except OSError as e:
                assert e.errno == errno.ENOSPC, e
        f.truncate(f.tell() - leave)
    return path.unlink


def take_all(mount):
    return take_bytes(mount, 0)


def send(inst, text):
    with smtplib.SMTP("127.0.0.1", inst.port("mx"), timeout=60) as c:
        c.ehlo("full.example.net")
        code, said = c.mail("a@example.net")
        if code == 250:
            code, said = c.rcpt("bob@example.org")
        if code == 250:
            code, said = c.data(text)
        return code, said


def log_in(inst):
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"), timeout=60)
    c.login("bob@example.org", "builder")
    c.select()
    return c


def subjects(c):
    c.noop()
    typ, parts = c.fetch("1:*", "(BODY.PEEK[])")
    assert typ == "OK"
    return [p[1].split(b"Subject: ")[1][:5].decode()
            for p in parts if isinstance(p, tuple)]


@pytest.mark.parametrize("take, large", [
    (take_inodes, True), (take_bytes, True), (take_bytes, False),
    (take_all, True), (take_all, False)])
def test_no_room(small, take, large):
    inst, mount = small
    text = LARGE if large else SMALL
    for octets in (SMALL, LARGE, SMALL):
        assert send(inst, octets)[0] == 250
        inst.wait_queue_empty()
    c = log_in(inst)
    assert subjects(c) == ["small", "large", "small"]
    give_back = take(mount)
    code, said = send(inst, text)
    assert code == 452 and said.startswith(b"4.3.1"), (code, said)
    typ, data = c.append("INBOX", None, None, text)
    assert typ == "NO" and data[0].startswith(
        (b"[OVERQUOTA]", b"[UNAVAILABLE]", b"[LIMIT]")), data
    # What is there is read, marked and expunged.
    assert subjects(c) == ["small", "large", "small"]
    rest = ["small", "large", "small"]
    done = c.store("2", "+FLAGS", r"(\Deleted)")
    if take is take_all:
        assert done[0] == "NO"
    else:
        assert done[0] == "OK"
        assert c.expunge() == ("OK", [b"2"])
        rest = ["small", "small"]
    assert subjects(c) == rest
    # So it is in a session that comes now.
    other = log_in(inst)
    assert subjects(other) == rest
    other.logout()
    give_back()
    wait_for(lambda: send(inst, text)[0] == 250, "mail is taken again", SOON)
    wait_for(lambda: c.append("INBOX", None, None, text)[0] == "OK",
             "APPEND is taken again", SOON)
    inst.wait_queue_empty()
    assert len(subjects(c)) == len(rest) + 2
    c.logout()
    assert not inst.lines(" fatal ")

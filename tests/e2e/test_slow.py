"""Clients that take their time.  What they do is bounded by the clock, not by
each byte anew; who is fast enough, or waits for us, is left alone.  ATTACKS
E-04; E-05: they leave room for others."""

import base64
import imaplib
import os
import select
import signal
import smtplib
import socket

import pytest

import postern
from postern import wait_for

SETTINGS = {"smtp.command_time": "1", "smtp.rate_time": "1",
            "smtp.rate_min": "2000", "smtp.size_max": "65536",
            "imap.login_time": "1", "pop3.login_time": "1"}
TO_BOB = (b"EHLO client.example.net\r\nMAIL FROM:<a@example.net>\r\n"
          b"RCPT TO:<bob@example.org>\r\nDATA\r\n")
PIECE = 0.15                    # s between two pieces of what is slow


@pytest.fixture(scope="module")
def hasty():
    with postern.Instance(settings=SETTINGS) as inst:
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        yield inst


def dial(inst, service):
    return socket.create_connection(("127.0.0.1", inst.port(service)),
                                    postern.DEADLINE)


def read(s, end):
    """All up to a line that begins with `end`."""
    got = b""
    while not any(l.startswith(end) for l in got.split(b"\r\n")[:-1]):
        piece = s.recv(4096)
        assert piece, got
        got += piece
    return got


def drip(s, pieces):
    """Sends one after the other, slowly; what is said before they end."""
    for piece in pieces:
        if select.select([s], [], [], PIECE)[0]:
            break
        s.sendall(piece)
    else:
        return b""
    got = b""
    try:
        while more := s.recv(4096):
            got += more
    except ConnectionResetError:
        pass
    return got


def bytes_of(text, n=40):
    """n pieces of a byte each: far longer than any clock here."""
    text += b"x" * n
    return [text[i:i + 1] for i in range(n)]


ROWS = [
    ("mx", b"", None, b"NOOP ", b"421 4.4.2 "),
    ("mx", b"EHLO x\r\n", b"250 ", b"MAIL FROM:<", b"421 4.4.2 "),
    ("submission", b"EHLO x\r\nAUTH PLAIN\r\n", b"334 ", b"",
     b"421 4.4.2 "),
    ("mx", TO_BOB, b"354 ", b"Subject: ", b"421 4.4.2 "),
    ("imap", b"", None, b"a LOGIN ", b"* BYE "),
    ("imap", b"a NOOP\r\nb LOGIN {300+}\r\n", b"a OK", b"", b"* BYE "),
    ("imap", b"a AUTHENTICATE PLAIN\r\n", b"+ ", b"", b"* BYE "),
    ("pop3", b"CAPA\r\n", b".", b"USER ", b"-ERR "),
    ("pop3", b"AUTH PLAIN\r\n", b"+ ", b"", b"-ERR "),
]


@pytest.mark.parametrize("service, before, answer, slow, end", ROWS, ids=[
    f"{r[0]} {r[1][-20:].decode()!r}" for r in ROWS])
def test_drip(hasty, service, before, answer, slow, end):
    with dial(hasty, service) as s:
        read(s, {"imap": b"* OK", "pop3": b"+OK"}.get(service, b"220 "))
        s.sendall(before)
        if answer:
            read(s, answer)
        assert drip(s, bytes_of(slow)).startswith(end)


def test_many_that_drip_and_one_that_does_not(hasty):
    held = [dial(hasty, ("mx", "submission", "imap", "pop3")[i % 4])
            for i in range(190)]
    for s in held:
        s.sendall(b"a")
    with smtplib.SMTP("127.0.0.1", hasty.port("mx")) as c:
        c.sendmail("a@example.net", "bob@example.org", "S: x\r\n\r\nx\r\n")
    c = imaplib.IMAP4("127.0.0.1", hasty.port("imap"))
    c.login("bob@example.org", "builder")
    c.logout()
    for s in held:
        assert select.select([s], [], [], postern.DEADLINE)[0]
        s.close()


def content(s, pieces):
    s.sendall(TO_BOB)
    read(s, b"354 ")
    s.sendall(b"Subject: x\r\n\r\n")
    assert drip(s, pieces) == b""
    s.sendall(b".\r\n")
    return read(s, b"").split(b"\r\n")[0]


def test_fast_enough(hasty):
    """Twice the least rate, for three times the time that it is taken
    over."""
    with dial(hasty, "mx") as s:
        assert content(s, [b"x" * 598 + b"\r\n"] * 20).startswith(b"250 ")


def test_refused_already(hasty):
    """The rest of what is too large is not idleness: it is told 552, to
    which nobody comes again, and not 421."""
    with dial(hasty, "mx") as s:
        pieces = [(b"x" * 78 + b"\r\n") * 900] + [b"x" * 598 + b"\r\n"] * 20
        assert content(s, pieces).startswith(b"552 5.3.4 ")


def test_our_own_slowness():
    """While queued takes nothing, the client is not the one who waits."""
    settings = {"smtp.rate_time": "1", "queue.retry_min": "1"}
    with postern.Instance(settings=settings) as inst:
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        with dial(inst, "mx") as s:
            s.sendall(TO_BOB)
            read(s, b"354 ")
            queued = inst.pid("queued")
            s.sendall(b"Subject: x\r\n\r\n")
            os.kill(queued, signal.SIGSTOP)
            try:
                s.setblocking(False)
                line = b"x" * 998 + b"\r\n"
                octets, sent = line * 20000, 0

                def is_stuck():
                    nonlocal sent
                    sent += s.send(octets[sent:])
                    return False
                with pytest.raises(BlockingIOError):
                    wait_for(is_stuck, "no more is taken")
                # Two windows of time; it hears nothing.
                assert not select.select([s], [], [], 2.5)[0]
            finally:
                os.kill(queued, signal.SIGCONT)
            s.setblocking(True)
            s.sendall(octets[sent:] + b".\r\n")
            assert read(s, b"250 ").startswith(b"250 2.0.0 ")


def test_auth_that_is_slow_leaves_no_trace(hasty):
    """Half a response is no login."""
    plain = base64.b64encode(b"\0bob@example.org\0builder")
    with dial(hasty, "submission") as s:
        read(s, b"220 ")
        s.sendall(b"EHLO x\r\nAUTH PLAIN\r\n")
        read(s, b"334 ")
        s.sendall(plain)
        assert drip(s, []) == b"" and read(s, b"421 ")
    with dial(hasty, "submission") as s:
        read(s, b"220 ")
        s.sendall(b"EHLO x\r\nMAIL FROM:<bob@example.org>\r\n")
        assert b"\r\n530 " in read(s, b"530 ")


def test_strangers_leave_room_for_users():
    """A flood by mx, from everywhere, does not keep users from sending."""
    with postern.Instance(settings={"smtp.sessions_max": "20"}) as inst:
        held = []
        for service, n in (("mx", 18), ("submission", 2)):
            for i in range(n + 1):
                s = dial(inst, service)
                held.append(s)
                read(s, b"220 " if i < n else b"421 4.7.0 ")
        for s in held:
            s.close()

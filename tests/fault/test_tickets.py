"""Tickets at the live sockets of mailboxd and queued: replayed, tampered
with, for another service or connection: refused, nobody exits.  For another
account there is none: a HELLO names no mailbox, it is the ticket's, and a
submission is its account's tenant's, whatever its sender says."""

import os
import signal
import socket
import struct
import time

import pytest

import postern
from test_hostile_peer import connect

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="the sockets are each client's own: needs root")

SUBMISSION, IMAP, POP3 = 1, 2, 3
HELLO, READY, UNAVAILABLE = 1, 2, 3
HELLO_S = 5     # that mailboxd waits for a key, while authd is away
SID = 77


def text(b):
    return struct.pack("<I", len(b)) + b


def packet(kind, *fields):
    body = b"".join(fields)
    return struct.pack("<HHI", kind, 0, len(body)) + body


def ticket(suite, role, service, user=b"bob@example.org",
           password=b"builder", sid=SID):
    """What authd gives to a front: (account, sealed ticket)."""
    s = connect(os.path.join(suite.dir, "run", role, "authd"),
                socket.SOCK_SEQPACKET)
    s.sendall(packet(3, struct.pack("<QQB", 1, sid, service),
                     text(b"127.0.0.1"), text(user), text(password)))
    got = s.recv(1 << 17)
    s.close()
    kind, _, _, number, verdict, account = struct.unpack_from("<HHIQBQ", got)
    assert (kind, number, verdict) == (4, 1, 0)
    at = 8 + 17
    for _ in range(2):
        n, = struct.unpack_from("<I", got, at)
        value = got[at + 4:at + 4 + n]
        at += 4 + n
    return account, value


def log_in(suite):
    """As ticket(); None while authd is not there."""
    try:
        return ticket(suite, "imapd", IMAP)
    except (OSError, struct.error):
        return None


def door(suite, role):
    return connect(os.path.join(suite.dir, "run", role, "mailboxd"),
                   socket.SOCK_STREAM)


def send_hello(s, service, sealed, sid=SID, resume=b""):
    body = struct.pack("<BQ", service, sid) + text(sealed) + \
        text(b"127.0.0.1") + text(resume)
    s.sendall(struct.pack("<I", len(body) << 8 | HELLO) + body)


def answer(s):
    """The type of the first frame that answers; None at the end."""
    try:
        got = s.recv(4)
    except ConnectionResetError:
        got = b""
    s.close()
    return got[0] if got else None


def hello(suite, role, service, sealed, **more):
    s = door(suite, role)
    send_hello(s, service, sealed, **more)
    return answer(s)


def answered_at_once(suite, sealed):
    start = time.monotonic()
    assert hello(suite, "imapd", IMAP, sealed) == UNAVAILABLE
    return time.monotonic() - start < HELLO_S


def test_a_ticket_lets_in_once(suite):
    _, t = ticket(suite, "imapd", IMAP)
    assert hello(suite, "imapd", IMAP, t) == READY
    assert hello(suite, "imapd", IMAP, t) != READY


def test_tickets_that_let_nobody_in(suite):
    before = {d: r["pid"] for d, r in suite.status().items()}

    def refused(role, service, sealed, **more):
        assert hello(suite, role, service, sealed, **more) != READY

    _, t = ticket(suite, "imapd", IMAP)
    forged = [t[:-1], t + b"\0", b"", os.urandom(len(t))]
    for i in (0, 3, 4, 20, 28, 40, len(t) - 1):
        forged.append(t[:i] + bytes([t[i] ^ 1]) + t[i + 1:])
    # None of them makes anybody wait for a key: that takes HELLO_S each time.
    for f in forged:
        assert any(answered_at_once(suite, f) for _ in range(5)), f
    # For another protocol, by whichever door.
    refused("imapd", POP3, t)
    refused("pop3d", POP3, t)
    refused("pop3d", IMAP, t)
    refused("imapd", SUBMISSION, t)
    # For another connection; with what is reserved.
    refused("imapd", IMAP, t, sid=SID + 1)
    refused("imapd", IMAP, ticket(suite, "imapd", IMAP)[1], resume=b"x")
    # Sealed for queued.
    _, t = ticket(suite, "smtpd", SUBMISSION)
    refused("imapd", IMAP, t)
    # authd seals for the front that asks, whatever it says it is.
    with pytest.raises(struct.error):
        ticket(suite, "smtpd", IMAP)
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    _, t = ticket(suite, "imapd", IMAP)
    assert hello(suite, "imapd", IMAP, t) == READY


def test_a_key_that_is_not_here_yet(suite):
    """While authd cannot say, a ticket of an unknown key waits for it."""
    s = door(suite, "imapd")
    _, t = ticket(suite, "imapd", IMAP)
    unknown = t[:1] + bytes(b ^ 0xff for b in t[1:5]) + t[5:]
    # Whoever came before was accepted before.
    assert hello(suite, "imapd", IMAP, unknown) == UNAVAILABLE
    old = suite.pid("authd")
    monitor = suite.pid("mailboxd")
    postern.freeze(monitor)
    try:
        suite.kill(old)
        postern.wait_for(lambda: suite.pid("authd") not in (0, old),
                         "another authd")
        _, t = postern.wait_for(lambda: log_in(suite), "it answers")
        send_hello(s, IMAP, t)
    finally:
        os.kill(monitor, signal.SIGCONT)
    # Its end, the new one's key and our HELLO were there in any order.
    assert answer(s) == READY
    assert hello(suite, "imapd", IMAP, unknown) == UNAVAILABLE


def test_a_ticket_of_yesterday(suite):
    """A key that authd forgot: its tickets are good no more."""
    _, t = ticket(suite, "imapd", IMAP)
    for _ in range(2):
        suite.wait_back("authd", suite.kill_daemon("authd"))
        postern.wait_for(
            lambda: hello(suite, "imapd", IMAP,
                          ticket(suite, "imapd", IMAP)[1]) == READY,
            "mailboxd has the new key")
    assert hello(suite, "imapd", IMAP, t) != READY


# -- queued --------------------------------------------------------------------

RIGHT_MX, RIGHT_TICKET = 0, 1
OK, DENIED = 0, 3
CONTENT = b"Subject: by hand\r\n\r\nx\r\n"


def submit(suite, right, sealed, sid=SID):
    """As smtpd does it; queued's verdict."""
    s = connect(os.path.join(suite.dir, "run", "smtpd", "queued"),
                socket.SOCK_SEQPACKET)
    s.sendall(packet(21, struct.pack("<I", 1)))
    got = s.recv(1 << 17)
    while got[0] != 20:
        got = s.recv(1 << 17)
    qid, = struct.unpack_from("<Q", got, 8)
    to = text(b"bob@example.org")
    which = struct.pack("<Q", qid)
    for p in (
            packet(23, struct.pack("<QQB", qid, sid, right), text(sealed),
                   text(b"alice@example.org"), struct.pack("<BI", 0, 1)),
            packet(24, which, struct.pack("<II", 1, len(to)), to),
            packet(25, which, text(CONTENT)),
            packet(26, which, struct.pack("<Q", len(CONTENT)))):
        s.sendall(p)
    while True:
        got = s.recv(1 << 17)
        assert got, "queued dropped the channel"
        if got[0] == 28:
            s.close()
            assert struct.unpack_from("<Q", got, 8)[0] == qid
            return got[16]


def test_tickets_that_submit_nothing(suite):
    before = suite.pid("queued")
    _, good = ticket(suite, "smtpd", SUBMISSION)
    for sealed in (b"", good[:-1], good + b"\0", os.urandom(len(good)),
                   good[:30] + bytes([good[30] ^ 1]) + good[31:],
                   ticket(suite, "imapd", IMAP)[1]):
        assert submit(suite, RIGHT_TICKET, sealed) == DENIED
    # The connection that it was given to, and no other.
    assert submit(suite, RIGHT_TICKET, good, sid=SID + 1) == DENIED
    assert suite.json("queue", "list") == []
    assert not suite.lines(" owner ", "delivered")
    # Good for as long as it is: it is bound, not used up.
    assert submit(suite, RIGHT_TICKET, good) == OK
    assert submit(suite, RIGHT_TICKET, good) == OK
    suite.wait_queue_empty()
    postern.wait_for(lambda: len(suite.lines(" owner ", "delivered")) == 2,
                     "both are delivered")
    assert suite.pid("queued") == before

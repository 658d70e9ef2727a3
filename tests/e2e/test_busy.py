"""One client's work and end are its own: long searches keep nobody waiting
(ATTACKS F-16), logins given up in the middle harm no other (C-05), and a
kill in the middle of QUIT leaves all or nothing (F-17)."""

import base64
import imaplib
import os
import poplib
import re
import select
import signal
import socket

import pytest

import inside
import postern
from postern import wait_for

BODY = b"Subject: x\r\n\r\n" + (b"word " * 15 + b"\r\n") * 100


def log_in(inst, user="bob@example.org", password="builder"):
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"),
                      timeout=postern.DEADLINE)
    c.login(user, password)
    c.select()
    return c


def append(c, n, text):
    one = b"a APPEND INBOX {%d+}\r\n" % len(text) + text + b"\r\n"
    for _ in range(n // 100):
        c.send(one * 100)
        done = 0
        while done < 100:
            done += c.readline().startswith(b"a OK")


def test_searches_keep_nobody_waiting(suite):
    c = log_in(suite)
    append(c, 1000, BODY)
    c.select()
    busy = [log_in(suite) for _ in range(16)]
    for b in busy:
        b.send(b"s SEARCH TEXT nothing BODY nowhere\r\n" * 40)
    served = 0
    for _ in range(5):
        assert c.noop()[0] == "OK"
        a = log_in(suite, "alice@example.org", "wonderland")
        assert a.append("INBOX", None, None, BODY)[0] == "OK"
        a.logout()
        served += 1
    # All that while they were at it: no last answer is there yet.
    for b in busy:
        b.sock.setblocking(False)
        got = b""
        while select.select([b.sock], [], [], 0)[0]:
            got += b.sock.recv(65536)
        assert got.count(b"s OK") < 40
        b.shutdown()
    c.logout()


def abandoned(inst, service, lines):
    with socket.create_connection(("127.0.0.1", inst.port(service)),
                                  postern.DEADLINE) as s:
        s.sendall(lines)


PLAIN = base64.b64encode(b"\0bob@example.org\0wrong")
GIVEN_UP = [
    ("submission", b"EHLO x\r\nAUTH PLAIN\r\n"),
    ("submission", b"EHLO x\r\nAUTH PLAIN " + PLAIN + b"\r\n"),
    ("submission", b"EHLO x\r\nAUTH LOGIN\r\nYm9i\r\n"),
    ("submission", b"EHLO x\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN !!\r\n"),
    ("imap", b"a AUTHENTICATE PLAIN\r\n" + PLAIN[:9]),
    ("imap", b"a LOGIN bob@example.org wrong\r\n"),
    ("imap", b"a AUTHENTICATE PLAIN =\r\nb LOGIN {5}\r\n"),
    ("pop3", b"USER bob@example.org\r\nPASS wrong\r\n"),
    ("pop3", b"AUTH PLAIN\r\n"),
]


def test_logins_given_up(suite):
    log_in(suite).logout()
    pids = {d: r["pid"] for d, r in suite.status().items()}
    talkers = ("authd", "smtpd", "imapd", "pop3d")

    def opened():
        return [len(inside.descriptors(pids[d])) for d in talkers]
    before = opened()
    for _ in range(60):
        for service, lines in GIVEN_UP:
            abandoned(suite, service, lines)
        log_in(suite).logout()
    wait_for(lambda: all(n <= m for n, m in zip(opened(), before)),
             "all is as it was")
    assert {d: r["pid"] for d, r in suite.status().items()} == pids
    assert not suite.lines("channel dropped")


@pytest.mark.parametrize("after", [None, 0, 1, 2, 4, 8])
def test_killed_in_quit(suite, after):
    c = log_in(suite)
    append(c, 200, b"S: x\r\n\r\nx\r\n")
    c.logout()
    p = poplib.POP3("127.0.0.1", suite.port("pop3"),
                    timeout=postern.DEADLINE)
    p.user("bob@example.org")
    p.pass_("builder")
    p.sock.sendall(b"".join(b"DELE %d\r\n" % (i + 1) for i in range(200)))
    for _ in range(200):
        assert p.file.readline().startswith(b"+OK")
    owner, = suite.owners()
    if after is None:
        os.kill(owner, signal.SIGSTOP)
    p.sock.sendall(b"QUIT\r\n")
    select.select([p.sock], [], [], (after or 0) / 4000)
    suite.kill(owner)
    try:
        said = p.file.readline()
    except OSError:
        said = b""
    p.close()
    wait_for(lambda: not suite.owners(), "it is gone")
    left = int(log_in(suite).select()[1][0])
    assert left in (0, 200)
    if said.startswith(b"+OK"):
        assert left == 0
    if after is None:
        assert left == 200
    assert not re.search("damage", suite.log())

"""A session of each protocol cut off after every one of its bytes: nobody
dies, nothing stays open, what was acknowledged is there once and nothing else
is.  ATTACKS C-06; E-06: nearly whole messages cost nothing afterwards."""

import base64
import imaplib
import os
import re
import socket
import struct

import pytest

import inside
import postern
from postern import wait_for

# Sanitized, each fifth byte takes as long as all of them else.
STEP = int(os.environ.get("CUT_STEP", "0")) or \
    (5 if postern.BUILD.endswith("san") else 1)
PLAIN = base64.b64encode(b"\0alice@example.org\0wonderland")

SMTP = (b"EHLO client.example.net\r\nMAIL FROM:<%s> SIZE=300\r\n"
        b"RCPT TO:<no@example.org>\r\nRCPT TO:<bob@example.org>\r\n"
        b"DATA\r\nSubject: smtp\r\nX-Cut: %d\r\n\r\n..stuffed\r\n")


def mx(n):
    """The session in three: before its commit, what commits, the rest."""
    return (SMTP % (b"a@example.net", n), b".\r\n",
            b"NOOP\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\n"
            b"DATA\r\nX-Cut: never\r\n\r\nx\r\n")


def submission(n):
    first, dot, rest = mx(n)
    first = SMTP % (b"alice@example.org", n)
    greeting, first = first.split(b"\r\n", 1)
    return (greeting + b"\r\nAUTH PLAIN\r\n" + PLAIN + b"\r\n" + first, dot,
            b"RSET\r\nQUIT\r\n")


def imap(n):
    text = b"X-Cut: %d\r\n\r\nby APPEND\r\n" % n
    return (b'a ID ("name" "x")\r\nb LOGIN "bob@example.org" {7+}\r\nbuilder'
            b"\r\nc CREATE Cut\r\nd SELECT INBOX\r\n"
            b"e APPEND Cut (\\Seen $Cut) {%d+}\r\n%s" % (len(text), text),
            b"\r\n",
            b"f FETCH 1 (FLAGS ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
            b"\r\ng UID SEARCH OR SUBJECT {1+}\r\nx NOT SEEN\r\n"
            b"h STORE 1 +FLAGS (\\Flagged)\r\ni STATUS Cut (MESSAGES)\r\n"
            b"j EXPUNGE\r\nk IDLE\r\nDONE\r\nl APPEND Cut {99+}\r\nnever\r\n")


def pop3(n):
    del n
    return (b"CAPA\r\nAUTH PLAIN\r\n" +
            base64.b64encode(b"\0bob@example.org\0builder") +
            b"\r\nSTAT\r\nLIST\r\nUIDL 1\r\nTOP 1 0\r\nRETR 1\r\nDELE 1\r\n"
            b"RSET\r\nNOOP\r\nDELE 1", b"", b"\r\n")


def play(port, octets, how):
    """Sends and leaves in one of three ways; what came back."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        try:
            s.sendall(octets)
            if how == "read":
                s.shutdown(socket.SHUT_WR)
                while piece := s.recv(65536):
                    got += piece
            elif how == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        except (BrokenPipeError, ConnectionResetError):
            pass
    return got


def descriptors(suite, daemons):
    return {d: len(inside.descriptors(suite.pid(d))) for d in daemons}


def owners(suite):
    return [len(inside.descriptors(p)) for p in suite.owners()]


def cuts_in(suite, folder):
    """The X-Cut of every message there."""
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"),
                      timeout=postern.DEADLINE)
    c.login("bob@example.org", "builder")
    n = int(c.select(folder)[1][0])
    parts = c.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (X-CUT)])")[1] \
        if n else []
    c.logout()
    return [p[1].split(b":")[1].strip().decode()
            for p in parts if isinstance(p, tuple)]


ROWS = [(mx, "mx", b"250 2.0.0 ", "INBOX"),
        (submission, "submission", b"250 2.0.0 ", "INBOX"),
        (imap, "imap", b"e OK ", "Cut"), (pop3, "pop3", None, None)]


@pytest.mark.parametrize("make, service, ok, folder", ROWS,
                         ids=[r[1] for r in ROWS])
def test_every_cut(suite, make, service, ok, folder):
    daemons = ("smtpd", "imapd", "pop3d", "queued", "authd", "local")
    # One message to read, and all that one whole session opens for good.
    play(suite.port("mx"), b"".join(mx(0)), "read")
    suite.wait_queue_empty()
    play(suite.port(service), b"".join(make(0)), "read")
    cuts_in(suite, "INBOX")
    suite.wait_queue_empty()
    pids = {d: r["pid"] for d, r in suite.status().items()}
    before = descriptors(suite, daemons), owners(suite)
    acked, may = set(), set()
    for i, n in enumerate(range(0, sum(map(len, make(1000))) + 1, STEP)):
        first, commit, rest = make(1000 + n)
        octets = (first + commit + rest)[:n]
        how = ("read", "close", "reset")[i % 3]
        got = play(suite.port(service), octets, how)
        if ok is None:
            continue
        if n >= len(first) + len(commit):
            may.add(str(1000 + n))
        if re.search(rb"^" + re.escape(ok), got, re.M):
            acked.add(str(1000 + n))
        elif how == "read":
            may.discard(str(1000 + n))
    suite.wait_queue_empty()
    wait_for(lambda: (descriptors(suite, daemons), owners(suite)) == before,
             f"as it was: {before}")
    assert {d: r["pid"] for d, r in suite.status().items()} == pids
    assert not suite.lines("channel dropped")
    assert not suite.lines("session dropped")
    if ok is None:
        assert cuts_in(suite, "INBOX") == ["0"]
        return
    found = [f for f in cuts_in(suite, folder) if f != "0"]
    assert acked
    assert len(found) == len(set(found)), "twice"
    assert acked <= set(found), "acknowledged and not there"
    assert set(found) <= may, "there and not acknowledged"


ROUNDS = 30
SIZE = 1 << 20
HEAP_SPARE = {"smtpd": 2048}    # KiB that a daemon keeps of what it freed


def nearly(n):
    """A message of SIZE octets but for its last one."""
    text = b"Subject: nearly\r\nX-Cut: %d\r\n\r\n" % n
    text += (b"x" * 76 + b"\r\n") * (SIZE // 78)
    return text[:SIZE - 1]


def tree(suite):
    """All files of the instance, and the space that they take."""
    found = {}
    for top, _, names in os.walk(suite.dir):
        for name in names:
            st = os.lstat(os.path.join(top, name))
            # A log grows by what it is told, but not by bodies.
            found[os.path.join(top, name)] = st.st_blocks // 512
    return found


def bodies(suite):
    """Files of large bodies, in the queue and in mailboxes."""
    return [f for f in tree(suite) if "/queue/bulk/" in f or "/body-" in f]


def resident(suite, daemons):
    found = {}
    for d in daemons:
        with open(f"/proc/{suite.pid(d)}/smaps_rollup") as f:
            found[d] = int(re.search(r"^Private_Dirty:\s+(\d+)", f.read(),
                                     re.M).group(1))
    return found


def play_nearly(suite, n, how):
    envelope = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\n"
    play(suite.port("mx"), envelope + b"DATA\r\n" + nearly(n), how)
    play(suite.port("imap"), b"b LOGIN bob@example.org builder\r\n"
         b"e APPEND INBOX {%d+}\r\n" % SIZE + nearly(n), how)


def test_nearly_whole():
    daemons = ("smtpd", "imapd", "queued", "authd", "local")
    with postern.Instance(settings={"smtp.size_max": str(SIZE)}) as suite:
        suite.add_domain()
        suite.add_user("bob@example.org", "builder")
        for how in ("read", "close", "reset"):
            play_nearly(suite, 0, how)
        assert cuts_in(suite, "INBOX") == []
        wait_for(lambda: bodies(suite) == [], "the files of those are gone")
        files, memory = tree(suite), resident(suite, daemons)
        opened = descriptors(suite, daemons), owners(suite)
        for n in range(ROUNDS):
            play_nearly(suite, n, ("read", "close", "reset")[n % 3])
        wait_for(lambda: tree(suite) == files, "no file more")
        wait_for(lambda: (descriptors(suite, daemons), owners(suite)) ==
                 opened, "as it was")
        assert cuts_in(suite, "INBOX") == []
        assert suite.queue_is_empty()
        if not postern.BUILD.endswith("san"):
            for d, kib in resident(suite, daemons).items():
                assert kib <= memory[d] * 1.1 + 256 + HEAP_SPARE.get(d, 0), \
                    (d, kib, memory[d])

"""What a stranger's connection costs in memory before any login: 64 KiB at
most, whatever was sent and whether or not the replies are read.  ATTACKS C-07,
E-05, F-02."""

import re
import socket

import pytest

import inside
import postern

CONNECTIONS = 90
MOST = 64                       # KiB
SANITIZED = postern.BUILD.endswith("san")

pytestmark = pytest.mark.skipif(SANITIZED, reason="sanitizers keep memory")

ROWS = [
    ("imapd", "imap", b""),
    ("imapd", "imap", b"a LOGIN {4000+}\r\n" + b"x" * 3900),
    ("imapd", "imap", b"a LOGIN " + b"x" * 7900),
    ("imapd", "imap", b"a NOOP\r\n" + b"b CAPABILITY\r\n" * 500),
    ("imapd", "imap", b"a NOOP\r\n" * 8000),
    ("pop3d", "pop3", b"CAPA\r\n" * 1300),
    ("pop3d", "pop3", b"CAPA\r\n" * 10000),
    ("pop3d", "pop3", b"USER " + b"x" * 8000),
    ("smtpd", "mx", b"EHLO " + b"x" * 4000),
    ("smtpd", "mx", b"EHLO x\r\n" + b"NOOP\r\n" * 10000),
    ("smtpd", "submission", b"EHLO x\r\nAUTH PLAIN " + b"A" * 8000),
]


def private(pid):
    """KiB that are this process's alone and written to."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return int(re.search(r"^Private_Dirty:\s+(\d+)", f.read(),
                             re.M).group(1))


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(")", 1)[1].split()[11:13]


def settled(pid):
    """What is its own when it has done nothing for some time."""
    return inside.rest(lambda: [pid], lambda: (cpu(pid), private(pid)), 0.02)[1]


def send(inst, service, octets):
    s = socket.create_connection(("127.0.0.1", inst.port(service)),
                                 postern.DEADLINE)
    s.setblocking(False)
    try:
        s.send(octets)
    except BlockingIOError:
        pass
    return s


@pytest.mark.parametrize("daemon, service, octets", ROWS, ids=[
    f"{s} {o[:12].decode()!r} {len(o)}" for _, s, o in ROWS])
def test_a_stranger(suite, daemon, service, octets):
    pid = suite.pid(daemon)
    # What one connection makes it allocate for good is no client's.
    send(suite, service, octets).close()
    before = settled(pid)
    held = [send(suite, service, octets) for _ in range(CONNECTIONS)]
    each = (settled(pid) - before) / CONNECTIONS
    for s in held:
        s.close()
    assert each <= MOST, f"{each:.0f} KiB"

"""A hostile process at either end of a channel that is up: what it says comes
out of its own descriptors, as if it had been taken over.  Its peer drops the
channel, does not exit, and the channel comes back.  ATTACKS M-01."""

import collections
import imaplib
import os
import poplib
import random
import select
import smtplib
import socket
import struct

import pytest

import inside
import postern
from postern import wait_for
from test_hostile_peer import (every_message, header, sockets, taken_from)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="another process's descriptors need root")

End = collections.namedtuple("End", "holder peer serves fd pid inode")


def links(suite):
    """(client, server) of every channel that is always up; smtpd has a pool
    of them to queued."""
    found = set()
    for path, kind in sockets(suite):
        client = os.path.basename(os.path.dirname(path))
        pair = client, os.path.basename(path)
        # Those to mailboxd are for one delivery, or one session.
        if kind == socket.SOCK_SEQPACKET and client != "ctl" and \
                pair != ("local", "mailboxd"):
            found.add(pair)
    assert len(found) == 10
    return found


def ends(suite):
    """Both ends of every channel between two daemons, by their holder."""
    pids = {row["pid"]: d for d, row in suite.status().items()}
    found = []
    for pid, holder in pids.items():
        for d in inside.descriptors(pid):
            if not d.link.startswith("socket:"):
                continue
            try:
                s = taken_from(pid, d.fd)
            except OSError:
                continue                # closed since
            with s:
                end = end_of(s, pids, holder, d, pid)
            if end is not None:
                found.append(end)
    return found


def is_hung_up(s):
    p = select.poll()
    p.register(s, select.POLLHUP)
    return bool(p.poll(0))


def end_of(s, pids, holder, d, pid):
    if s.family != socket.AF_UNIX or s.type != socket.SOCK_SEQPACKET or \
            s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or \
            is_hung_up(s):
        return None
    try:
        server = os.path.basename(s.getpeername() or "")
    except OSError:
        return None                     # it went down
    if server:
        return End(holder, server, False, d.fd, pid, d.link)
    # Who connected; of a pair who made it, the starter or the holder.
    who, = struct.unpack_from("i", s.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if who not in pids or who == pid:
        return None
    return End(holder, pids[who], True, d.fd, pid, d.link)


def pairs(found, serves):
    return collections.Counter(
        (e.peer, e.holder) if serves else (e.holder, e.peer)
        for e in found if e.serves == serves)


def all_up(suite):
    """The ends, once every link has both of its own; else nothing."""
    want = links(suite)
    found = [e for e in ends(suite)
             if ((e.peer, e.holder) if e.serves else
                 (e.holder, e.peer)) in want]
    up = pairs(found, True)
    return found if up == pairs(found, False) and set(up) == want else None


def bad_packets(rng, n):
    """n lists, of a packet for each of the links; each is a reason."""
    plain = [b"\0", header(9999, 0), header(1, 0xffffffff), header(1, 10),
             header(0, 0) * 1000, b"\xff" * 100000]
    kinds = every_message()
    forms = [header(k, 0) for k in kinds] + \
        [header(k, 400) + rng.randbytes(400) for k in kinds]
    rng.shuffle(forms)
    for packet in plain:
        yield lambda i, packet=packet: packet
    for at in range(n - len(plain)):
        yield lambda i, at=at: forms[(at * 40 + i) % len(forms)]


@pytest.mark.parametrize("serves", [True, False], ids=["server", "client"])
def test_garbage_out_of_every_channel(suite, serves):
    rng = random.Random(5)
    before = {d: r["pid"] for d, r in suite.status().items()}
    for packet_for in bad_packets(rng, 12):
        found = [e for e in wait_for(lambda: all_up(suite), "all are up")
                 if e.serves == serves]
        held = []
        for i, e in enumerate(found):
            s = taken_from(e.pid, e.fd)
            try:
                s.send(packet_for(i))
            except (BrokenPipeError, ConnectionResetError):
                pass                    # what was said first was enough
            held.append((s, e, packet_for(i)[:16]))
        for s, e, packet in held:
            wait_for(lambda: is_hung_up(s), (e, packet))
            s.close()
    wait_for(lambda: all_up(suite), "all are back")
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    for client, server in links(suite):
        bad, victim = (server, client) if serves else (client, server)
        # The zygote, which has no channels, has words of its own.
        words = ["malformed message"] if victim == "zygote" else \
            ["channel dropped", f"peer={bad}"]
        suite.logged(f" {victim} warn ", *words)
    suite.add_user("later@example.org")


def text(s):
    return struct.pack("<I", len(s)) + s


def fields(layout, *values):
    return struct.pack("<" + layout, *values)


BIG = 2 ** 64 - 1
MOST = 2 ** 32 - 1
NO_LIST = fields("II", 0, 0)
MAC = bytes(32)
VERDICTS = fields("II", 100, 500) + fields("BI", 255, MOST) * 100
# One target, of no address; and what it became: nothing that there is.
TARGET = fields("II", 1, 8) + fields("I", 0) + text(b"")
ROUTE_255 = fields("I", 1) + text(fields("IBQII", 0, 255, BIG, MOST, MOST) +
                                  text(b""))


def local_job(target=0, mac=MAC, size=10, digest=b""):
    return fields("QII", BIG, target, 1) + text(mac) + \
        fields("QIIQ", BIG, MOST, MOST, BIG) + text(b"") + text(b"") + \
        fields("Q", size) + text(digest)


# Well formed, of the right sender, and no answer to anything: what a server
# says to a client, and whether the channel ends for it.
LIES = [
    ("authd", "smtpd", 2, fields("Q", BIG) + NO_LIST, True),
    ("authd", "smtpd", 2, fields("Q", 1) + VERDICTS, True),
    ("authd", "smtpd", 4, fields("QBQ", BIG, 0, 1) + text(b"a@b") +
     text(b"t"), False),
    ("authd", "smtpd", 4, fields("QBQ", BIG, 255, 1) + text(b"") + text(b""),
     False),
    ("authd", "imapd", 4, fields("QBQ", BIG, 0, 1) + text(b"a@b") +
     text(b"t"), False),
    ("authd", "imapd", 4, fields("QBQ", BIG, 255, 1) + text(b"") + text(b""),
     True),
    ("authd", "pop3d", 4, fields("QBQ", BIG, 255, 1) + text(b"") + text(b""),
     True),
    ("authd", "route", 6, fields("QB", BIG, 1) + ROUTE_255, False),
    ("authd", "route", 6, fields("QB", BIG, 255) + NO_LIST, True),
    ("authd", "mailboxd", 7, fields("I", 1) + text(b"x" * 31), True),
    ("authd", "mailboxd", 7, fields("I", 1) + text(b""), True),
    ("authd", "mailboxd", 9, fields("QQQ", BIG, 1, 1), False),
    ("authd", "mailboxd", 15, fields("QBQII", BIG, 255, BIG, MOST, MOST) +
     text(b""), True),
    ("authd", "queued", 7, fields("I", 1) + text(b"x" * 31), True),
    ("authd", "queued", 9, fields("QQQ", BIG, 1, 1), True),
    ("queued", "smtpd", 20, fields("QI", BIG, 0), True),
    ("queued", "smtpd", 22, fields("B", 255), True),
    ("queued", "smtpd", 28, fields("QB", BIG, 255), False),
    ("queued", "route", 42, fields("QI", BIG, 1) + text(MAC) +
     fields("II", 0, 0) + NO_LIST, True),
    ("queued", "route", 42, fields("QI", BIG, 1) + text(MAC[1:]) +
     fields("II", 0, 0) + TARGET, True),
    ("queued", "route", 47, fields("QII", BIG, MOST, 1), False),
    ("queued", "local", 44, local_job(target=MOST, size=0), True),
    ("queued", "local", 44, local_job(mac=MAC[1:]), True),
    ("queued", "local", 44, local_job(size=BIG), True),
    ("queued", "local", 44, local_job(digest=MAC), True),
    ("queued", "local", 45, fields("QI", BIG, 1) + text(b"x"), False),
    ("queued", "local", 47, fields("QII", BIG, 0, 1), False),
    ("zygote", "mailboxd", 81, fields("QIIB", BIG, MOST, MOST, 255), True),
    ("zygote", "mailboxd", 81, fields("QIIB", BIG, MOST, MOST, 1), False),
    ("zygote", "mailboxd", 80, fields("QIIB", 1, 1, 0, 0), True),
]


def end_for(suite, server, client):
    found = wait_for(lambda: all_up(suite), "all are up")
    return next(e for e in found if e.serves and
                (e.holder, e.peer) == (server, client))


def works(suite, subject):
    """Every link is used: a login, a message in, and the message read."""
    with smtplib.SMTP("127.0.0.1", suite.port("submission")) as c:
        c.login("alice@example.org", "wonderland")
        c.sendmail("alice@example.org", ["bob@example.org"],
                   f"Subject: {subject}\r\n\r\nx\r\n")
    suite.wait_queue_empty()
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login("bob@example.org", "builder")
    n = c.select()[1][0].decode()
    assert subject.encode() in c.fetch(n, "(RFC822)")[1][0][1]
    c.logout()
    p = poplib.POP3("127.0.0.1", suite.port("pop3"))
    p.user("bob@example.org")
    p.pass_("builder")
    assert p.stat()[0] == int(n)
    p.quit()


@pytest.mark.parametrize("server", ["authd", "queued", "zygote"])
def test_a_server_that_lies(suite, server):
    """Each lie twice: the second meets what the first left behind."""
    before = {d: r["pid"] for d, r in suite.status().items()}
    lies = [lie for lie in LIES if lie[0] == server]
    for _, client, kind, body, dropped in lies * 2:
        if not dropped:
            continue
        e = end_for(suite, server, client)
        with taken_from(e.pid, e.fd) as s:
            s.send(header(kind, len(body)) + body)
            wait_for(lambda: is_hung_up(s), (client, kind))
    works(suite, "once all are back")
    heard = {e.inode for e in wait_for(lambda: all_up(suite), "all are up")}
    for _, client, kind, body, dropped in lies * 2:
        if dropped:
            continue
        e = end_for(suite, server, client)
        with taken_from(e.pid, e.fd) as s:
            s.send(header(kind, len(body)) + body)
    works(suite, "over the same channels")
    assert {e.inode for e in all_up(suite)} == heard
    assert {d: r["pid"] for d, r in suite.status().items()} == before


def sockets_of(pid, kind, peer):
    """Its sockets of that kind whose other end was connected by `peer`."""
    for d in inside.descriptors(pid):
        if not d.link.startswith("socket:"):
            continue
        with taken_from(pid, d.fd) as s:
            if s.family != socket.AF_UNIX or s.type != kind or \
                    is_hung_up(s):
                continue
            who, = struct.unpack_from("i", s.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if who == peer:
                yield d.fd


def frame(kind, length):
    return struct.pack("<I", kind | length << 8)


FRAMES = [b"\xff" * 1000, frame(255, 0), frame(5, (1 << 24) - 1), b"\0" * 4000,
          random.Random(9).randbytes(5000)]
PACKETS = [b"\0", header(9999, 0), header(63, 0), header(63, 400) +
           b"\xff" * 400, header(61, 64) + b"\0" * 64,
           header(63, 13) + fields("QB", 1, 255) + text(b"")]


def log_in(suite, user, password):
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login(user, password)
    return c


def test_a_hostile_owner_at_its_session(suite):
    """It has its own user's session, and ends that alone."""
    before = {d: r["pid"] for d, r in suite.status().items()}
    alice = log_in(suite, "alice@example.org", "wonderland")
    for garbage in FRAMES:
        bob = log_in(suite, "bob@example.org", "builder")
        owner, = [p for p in suite.owners() if inside.name(p) == "owner-2"]
        fd, = sockets_of(owner, socket.SOCK_STREAM, before["imapd"])
        with taken_from(owner, fd) as s:
            s.sendall(garbage)
            wait_for(lambda: is_hung_up(s), garbage[:8])
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            bob.noop()
            bob.noop()
        assert alice.noop()[0] == "OK"
    alice.logout()
    assert {d: r["pid"] for d, r in suite.status().items()} == before


def test_a_hostile_owner_at_a_delivery(suite):
    before = {d: r["pid"] for d, r in suite.status().items()}
    for i, garbage in enumerate(PACKETS):
        works(suite, f"number {i}")
        owner, = [p for p in suite.owners() if inside.name(p) == "owner-2"]
        fd, = sockets_of(owner, socket.SOCK_SEQPACKET, before["local"])
        with taken_from(owner, fd) as s:
            s.send(garbage)
            wait_for(lambda: is_hung_up(s), garbage[:16])
    works(suite, "the last")
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    suite.logged(" local warn ", "channel dropped")


def test_a_hostile_monitor_at_an_owner(suite):
    """Nobody else reaches an owner: it hangs up and ends in order, and the
    next login has another."""
    before = {d: r["pid"] for d, r in suite.status().items()}
    monitor = before["mailboxd"]
    for garbage in PACKETS:
        c = log_in(suite, "bob@example.org", "builder")
        owner, = suite.owners()
        # Of a pair that it made itself.
        fd, = sockets_of(monitor, socket.SOCK_SEQPACKET, monitor)
        with taken_from(monitor, fd) as s:
            s.send(garbage)
            wait_for(lambda: is_hung_up(s), garbage[:16])
        wait_for(lambda: owner not in suite.owners(), "it ends")
        c.shutdown()
    works(suite, "with another owner")
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    suite.logged(" owner warn ", "channel dropped", "peer=mailboxd")
    assert not suite.lines("owner died")

"""A hostile process on each internal socket: it is dropped, nobody exits,
and the suite goes on.  ATTACKS M-01."""

import array
import ctypes
import imaplib
import os
import random
import re
import signal
import socket
import struct

import pytest

import inside
import postern
from postern import wait_for

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="the sockets are each client's own: needs root")


def sockets(inst):
    """(path, type) of every internal socket."""
    run = os.path.join(inst.dir, "run")
    for client in sorted(os.listdir(run)):
        for server in sorted(os.listdir(os.path.join(run, client))):
            stream = client in ("imapd", "pop3d") and server == "mailboxd"
            yield (os.path.join(run, client, server),
                   socket.SOCK_STREAM if stream else socket.SOCK_SEQPACKET)


def header(kind, length):
    return struct.pack("<HHI", kind, 0, length)


def every_message():
    """The numbers of msg.def."""
    with open(os.path.join(postern.ROOT, "common/ipc/msg.def")) as f:
        kinds = re.findall(r"^MSG\(\w+, \w+, (\d+),", f.read(), re.M)
    assert len(kinds) > 45
    return [int(k) for k in kinds]


def packets(rng):
    """Bad packets: each alone is a reason to be dropped."""
    yield b"\0"
    yield header(9999, 0)
    yield header(1, 0xffffffff)
    yield header(1, 10)
    yield header(0, 0) * 1000
    yield b"\xff" * 100000
    for kind in every_message():
        yield header(kind, 0)
        yield header(kind, 400) + bytes(rng.randrange(256)
                                        for _ in range(400))
        yield header(kind, 64) + b"\0" * 64


def connect(path, kind):
    s = socket.socket(socket.AF_UNIX, kind)
    s.settimeout(postern.DEADLINE)
    here = os.open(os.path.dirname(path), os.O_PATH)
    try:
        s.connect(f"/proc/self/fd/{here}/{os.path.basename(path)}")
    finally:
        os.close(here)
    return s


def is_dropped(s):
    """Reads what the server pushes by itself, until the end."""
    try:
        while True:
            if not s.recv(1 << 18):
                return True
    except ConnectionResetError:
        return True


def test_garbage_on_every_socket(suite):
    rng = random.Random(3)
    before = {d: r["pid"] for d, r in suite.status().items()}
    tried = 0
    for path, kind in sockets(suite):
        for p in packets(rng):
            s = connect(path, kind)
            try:
                s.sendall(p)
                if kind == socket.SOCK_STREAM:
                    s.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert is_dropped(s), (path, p[:40])
            s.close()
            tried += 1
    assert tried > 500
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    suite.ctl("user", "list")


def test_descriptors_in_the_wrong_place(suite):
    before = {d: r["pid"] for d, r in suite.status().items()}

    def count():
        return {d: len(os.listdir(f"/proc/{p}/fd"))
                for d, p in before.items()}
    counts = inside.rest(before.values, count)
    fds = array.array("i", [0] * 253)
    for path, kind in sockets(suite):
        s = connect(path, kind)
        try:
            s.sendmsg([header(1, 0)], [(socket.SOL_SOCKET,
                                        socket.SCM_RIGHTS, fds)])
            if kind == socket.SOCK_STREAM:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert is_dropped(s), path
        s.close()
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    for d in before:
        wait_for(lambda: count()[d] <= counts[d],
                 f"{d} closed what it was sent")


def test_a_peer_that_says_nothing_holds_nobody_up(suite):
    held = [connect(path, kind) for path, kind in sockets(suite)
            for _ in range(20)]
    suite.ctl("user", "list")
    suite.add_user("later@example.org")
    for s in held:
        s.close()


PIDFD_GETFD = 438
HELPER_WANT = 94


def taken_from(pid, fd):
    """A copy of another process's descriptor."""
    p = os.pidfd_open(pid)
    try:
        got = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, p, fd, 0)
    finally:
        os.close(p)
    if got == -1:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return socket.socket(fileno=got)


def test_an_owner_that_collects_helpers_has_one(suite):
    """It asks again and again, and keeps its end of each: few are forked."""
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login("bob@example.org", "builder")
    owner, = suite.owners()
    mailbox = suite.json("user", "show", "bob@example.org")["mailbox"]
    postern.freeze(owner)
    try:
        # Its control channel; what the monitor sends stays in there.
        with taken_from(owner, 3) as ctl:
            ctl.send((header(HELPER_WANT, 8) + struct.pack("<Q", mailbox))
                     * 500)
        wait_for(lambda: suite.lines("too many helpers"), "it is too much")
        wait_for(lambda: len(suite.lines(" helper ", "pid=")) >= 10,
                 "some were made")
        wait_for(lambda: len(suite.helpers()) == 1, "one is left")
    finally:
        os.kill(owner, signal.SIGCONT)
    wait_for(lambda: suite.helpers() == [], "nobody had asked")
    assert suite.owners() == [owner]
    assert len(suite.lines(" helper ", "pid=")) < 50
    # Somebody else's is none of its business.
    with taken_from(owner, 3) as ctl:
        ctl.send(header(HELPER_WANT, 8) + struct.pack("<Q", mailbox + 1))
    wait_for(lambda: suite.owners() == [], "it is dropped, and ends")
    c.shutdown()


BIG = 2 ** 64 - 1

# What an owner may send, with what it may not say; OTHER is not its mailbox.
# (message, fields, their layout, whether it is dropped for it)
OWN, OTHER = object(), object()
LIES = [
    (84, "<QI", (OTHER, 1), True),              # OWNER_READY
    (84, "<QI", (OWN, 0), False),               # once more, another pid
    (85, "<Q", (BIG,), False),                  # OWNER_IDLE, much received
    (87, "<QQQ", (OTHER, 1, 1), True),          # OWNER_USAGE
    (87, "<QQQ", (OWN, 2 ** 50 + 1, 1), True),
    (87, "<QQQ", (OWN, 1, 2 ** 40 + 1), True),
    (87, "<QQQ", (OWN, BIG, BIG), True),
    (91, "<QBQQBQ", (1, 255, 1, 1, 1, 1), True),        # OWNER_DAMAGE
    (91, "<QBQQBQ", (BIG, 0, 1, 1, 1, 1), False),       # not asked for
    (92, "<QBQQQQQQ", (BIG, 1) + (BIG,) * 6, False),    # OWNER_SCRUBBED
    (95, "<Q", (OWN,), True),                   # HELPER_HERE: not its to say
    (9, "<QQQ", (OTHER, 1, 1), True),           # QUOTA, as if it were authd
    (8, "<QQQ", (OTHER, 1, 1), True),           # USAGE, as if the monitor
]


def test_an_owner_that_lies(suite):
    """It is believed nothing about others, and costs itself at most."""
    alice = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    alice.login("alice@example.org", "wonderland")
    other, = suite.owners()
    mailbox = {OTHER: suite.json("user", "show",
                                 "alice@example.org")["mailbox"],
               OWN: suite.json("user", "show", "bob@example.org")["mailbox"]}
    before = {d: r["pid"] for d, r in suite.status().items()}
    for kind, layout, fields, dropped in LIES:
        c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
        c.login("bob@example.org", "builder")
        owner, = set(suite.owners()) - {other}
        body = struct.pack(layout, *(mailbox.get(f, f) for f in fields))
        said = len(suite.lines("mailboxd", "channel dropped"))
        with taken_from(owner, 3) as ctl:
            ctl.send(header(kind, len(body)) + body)
        if dropped:
            wait_for(lambda: owner not in suite.owners(), (kind, fields))
            wait_for(lambda: len(suite.lines("mailboxd", "channel dropped"))
                     == said + 1, (kind, fields))
            c.shutdown()
        else:
            assert c.noop()[0] == "OK", (kind, fields)
            c.logout()
            assert len(suite.lines("mailboxd", "channel dropped")) == said
            suite.kill(owner)
            wait_for(lambda: owner not in suite.owners(), "a new one")
        assert alice.noop()[0] == "OK"
    assert {d: r["pid"] for d, r in suite.status().items()} == before
    assert suite.owners() == [other]
    # Nothing was booked on somebody else's account.
    assert suite.json("user", "show", "alice@example.org")["used"] == 0
    alice.logout()


def test_the_zygote_forks_two_kinds_only(suite):
    """OWNER_WANT: u64 mailbox, u32 tenant, u32 shard, u8 kind."""
    path = os.path.join(suite.dir, "run", "mailboxd", "zygote")

    def refused():
        return len(suite.lines("zygote", "malformed message"))

    def ask(kind, length):
        """The monitor may come back before the zygote has read it."""
        before = refused()
        body = (struct.pack("<QIIB", 1, 1, 0, kind) + b"\0")[:length]
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        with connect(path, socket.SOCK_SEQPACKET) as s, ours, theirs:
            s.sendmsg([header(80, length) + body],
                      [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                        array.array("i", [theirs.fileno()]))])
            assert is_dropped(s)
        return refused() > before

    for kind, length in ((2, 17), (255, 17), (0, 16), (0, 18)):
        wait_for(lambda: ask(kind, length), f"{kind} is refused")
    assert not suite.lines("mailboxd", " helper ")
    assert suite.owners() == [] and suite.helpers() == []

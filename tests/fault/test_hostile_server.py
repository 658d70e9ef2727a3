"""A hostile process at either end of a channel that is up: what it says comes
out of its own descriptors, as if it had been taken over.  Its peer drops the
channel, does not exit, and the channel comes back.  ATTACKS M-01."""

import collections
import os
import random
import select
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
AUTHD, QUEUED, ROUTE, LOCAL = "authd", "queued", "route", "local"


def links(suite):
    """(client, server) of every channel that is always up, as often as it
    is: smtpd has a pool of them to queued."""
    found = collections.Counter()
    for path, kind in sockets(suite):
        client = os.path.basename(os.path.dirname(path))
        pair = client, os.path.basename(path)
        # Those to mailboxd are for one delivery, or one session.
        if kind == socket.SOCK_SEQPACKET and client != "ctl" and \
                pair != ("local", "mailboxd"):
            found[pair] = 1
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


def end_of(s, pids, holder, d, pid):
    if s.family != socket.AF_UNIX or s.type != socket.SOCK_SEQPACKET or \
            s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
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
    found = ends(suite)
    up = pairs(found, True)
    return found if up == pairs(found, False) and \
        set(up) >= set(links(suite)) else None


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


def is_hung_up(s):
    p = select.poll()
    p.register(s, select.POLLHUP)
    return bool(p.poll(0))


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
        assert suite.lines(f" {victim} warn ", *words), (victim, bad)
    suite.add_user("later@example.org")

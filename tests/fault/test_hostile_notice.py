"""A hostile daemon on the starter's notify socket: the root process believes
it nothing twice, hangs up on it at the first bad notice, says so once, and
goes on.  ATTACKS M-01."""

import array
import os
import signal
import socket

import pytest

import inside
import postern
from postern import wait_for
from test_hostile_peer import taken_from

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="another user's descriptors need root")

NOTIFY = 3                      # the first that a daemon is passed
MANY = 500
# smtpd may not leave descriptors with the starter, mailboxd may.
FDS = {"none": 0, "one": 1, "two": 2, "many": 253}
BAD = {
    "too long": ("smtpd", b"STATUS=" + b"x" * 5000, "none"),
    "a NUL": ("smtpd", b"READY=1\nSTATUS=a\0b\n", "none"),
    "all NUL": ("smtpd", b"\0" * 4096, "none"),
    "a descriptor that nobody asked for": ("smtpd", b"READY=1\n", "one"),
    "a store that it has not": ("smtpd", b"FDSTORE=1\nFDNAME=x\n", "one"),
    "nothing to store": ("mailboxd", b"FDSTORE=1\nFDNAME=x\n", "none"),
    "two at once": ("mailboxd", b"FDSTORE=1\nFDNAME=x\n", "two"),
    "far too many": ("mailboxd", b"FDSTORE=1\nFDNAME=x\n", "many"),
    "no name": ("mailboxd", b"FDSTORE=1\n", "one"),
    "a long name": ("mailboxd", b"FDSTORE=1\nFDNAME=" + b"x" * 65, "one"),
    "two names": ("mailboxd", b"FDSTORE=1\nFDNAME=x:y\n", "one"),
    "a name with an escape": ("mailboxd", b"FDSTORE=1\nFDNAME=\x1b[2J\n",
                              "one"),
}


def send(channel, text, fds=0):
    """False if nobody is there any more."""
    more = [] if fds == 0 else [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                 array.array("i", [2] * fds))]
    try:
        channel.sendmsg([text], more)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def pids(suite):
    return {d: r["pid"] for d, r in suite.status().items()}


@pytest.mark.parametrize("why", BAD)
def test_a_bad_notice_ends_the_channel(suite, why):
    """The process stands still, as one that would not go by itself."""
    daemon, text, fds = BAD[why]
    before = pids(suite)
    opened = len(inside.descriptors(suite.proc.pid))
    os.kill(before[daemon], signal.SIGSTOP)
    try:
        with taken_from(before[daemon], NOTIFY) as channel:
            assert channel.type == socket.SOCK_SEQPACKET
            sent = 0
            while sent < MANY and send(channel, text, FDS[fds]):
                sent += 1
            wait_for(lambda: not send(channel, b"READY=1\n"), "it hangs up")
        assert len(suite.logged("malformed notice")) == 1
        assert pids(suite) == before
    finally:
        os.kill(before[daemon], signal.SIGCONT)

    def is_back():
        row = suite.status()[daemon]
        return row["state"] == "ready" and row["pid"] != before[daemon]
    wait_for(is_back, f"{daemon} ends and is started again")
    after = pids(suite)
    assert {d for d in after if after[d] != before[d]} == {daemon}
    assert len(suite.lines("malformed notice", "daemon=" + daemon)) == 1
    wait_for(lambda: len(inside.descriptors(suite.proc.pid)) <= opened,
             "the starter closed what it was sent")
    suite.add_user("later@example.org")


def test_ready_is_taken_once(suite):
    before = suite.status()["smtpd"]
    assert "seccomp" in before["sandbox"]
    said = len(suite.lines(" ready ", "daemon=smtpd"))
    with taken_from(before["pid"], NOTIFY) as channel:
        for text in (b"READY=1\n", b"READY=1\nSTATUS=everything\n"):
            for _ in range(MANY):
                assert send(channel, text)
        # The starter has read them all when what follows has its effect.
        assert send(channel, b"\0")
    wait_for(lambda: suite.lines("malformed notice", "daemon=smtpd"),
             "it has come to the last")
    assert len(suite.lines(" ready ", "daemon=smtpd")) <= said + 1
    wait_for(lambda: suite.status()["smtpd"]["state"] == "ready", "it is back")
    assert suite.status()["smtpd"]["sandbox"] == before["sandbox"]
    assert len(suite.logged(" ready ", "daemon=smtpd",
                            n=said + 1)) == said + 1


"""The log: one line per event with sid and qid, foreign text escaped, no
warning in a day without trouble."""

import fcntl
import imaplib
import json
import os
import re
import select
import smtplib
import socket
import tempfile
import time

import postern
from postern import wait_for

LINE = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z0-9-]+ '
                  r'(error|warn|info|debug) ("([^"\\]|\\.)*"|\S+)'
                  r'( [a-z_]+=("([^"\\]|\\.)*"|[^ "]*))*$')


BURST, RATE = 1000, 50          # of log_often


def test_a_quiet_day():
    """Two users, a message, a reader, a stop: nothing to warn of.  That authd
    had no processor for a moment is; then it is tried again."""
    for _ in range(5):
        troubles = a_day()
        if not all("authd is slow" in l for l in troubles) or not troubles:
            break
    assert troubles == []


def a_day():
    """What was warned of."""
    inst = postern.Instance()
    with inst:
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
            c.sendmail("a@example.net", ["bob@example.org"],
                       "Subject: x\r\n\r\nx\r\n")
        inst.wait_queue_empty()
        c = imaplib.IMAP4("127.0.0.1", inst.port("imap"))
        c.login("bob@example.org", "builder")
        assert c.select()[1] == [b"1"]
        c.logout()
        assert inst.stop() == 0
        assert inst.lines("postern info stopped")
        troubles = inst.lines(" warn ") + inst.lines(" error ")
        # An ordinary user is told once what is missing.
        if os.geteuid() != 0:
            assert len(inst.lines(" warn ", "not root: ")) == 1
            troubles = [l for l in troubles if "not root: " not in l]
        for line in inst.log().splitlines():
            assert LINE.match(line), line
    return troubles


def test_nobody_reads():
    """Standard error is a full pipe: nobody waits; later nothing is missing,
    and no line has another one's part in it."""
    with tempfile.TemporaryDirectory(prefix="postern-") as top:
        fifo = os.path.join(top, "fifo")
        os.mkfifo(fifo)
        pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        inst = Unread(
            wrap=["/bin/sh", "-c", 'exec "$@" 2>"$0"', fifo])
        with inst:
            use_it(inst)
            for row in inst.status().values():
                with open(f"/proc/{row['pid']}/fdinfo/2") as f:
                    flags = re.search(r"flags:\s+(\d+)", f.read())
                assert int(flags.group(1), 8) & os.O_NONBLOCK, row
            got = bytearray()

            def is_complete():
                got.extend(read_all(pipe))
                return got.count(b"recipient refused") == 100 and \
                    got.count(b" queued info finished ") == 20
            wait_for(is_complete, "every line")
        os.close(pipe)
        for line in got.decode().splitlines():
            assert LINE.match(line), line
            assert "log lines dropped" not in line


class Unread(postern.Instance):
    def is_ready(self):
        done = self.ctl("--json", "status", check=None)
        return done.returncode == 0 and all(
            r["state"] == "ready" for r in json.loads(done.stdout))


def use_it(inst):
    """A hundred lines and more, of which few fit the pipe."""
    inst.add_domain()
    inst.add_user("bob@example.org", "builder")
    for _ in range(20):
        with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
            c.ehlo("x")
            c.mail("a@example.net")
            for n in range(5):
                assert c.rcpt(f"{n}{'x' * 50}@example.org")[0] == 550
    for n in range(20):
        with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
            c.sendmail("a@example.net", ["bob@example.org"],
                       "Subject: x\r\n\r\nx\r\n")
    inst.wait_queue_empty()


def read_all(pipe):
    """What there is just now."""
    got = b""
    while select.select([pipe], [], [], 0)[0]:
        got += os.read(pipe, 1 << 16)
    return got


def test_hostile_text(suite):
    s = socket.create_connection(("127.0.0.1", suite.port("mx")),
                                 postern.DEADLINE)
    f = s.makefile("rb")
    for line, code in (
            (b"", b"220"), (b"EHLO a\x1b[31m", b"501"),
            (b"HELO x=\"y\"", b"250"),
            (b'MAIL FROM:<"a b\\" qid=evil"@x.example>', b"250"),
            (b'RCPT TO:<"no qid=evil"@example.org>', b"550"),
            (b"RCPT TO:<far@foreign.example>", b"550"),
            (b"RCPT TO:<bob@example.org>", b"250"), (b"DATA", b"354"),
            (b"Subject: x\r\n\r\nx\r\n.", b"250"), (b"QUIT", b"221")):
        if line:
            s.sendall(line + b"\r\n")
        assert f.readline().startswith(code), line
    s.close()
    wait_for(lambda: suite.lines("session ends"), "the session's end")
    suite.wait_queue_empty()
    for line in suite.lines():
        assert LINE.match(line), line
        assert " qid=evil" not in re.sub(r'"([^"\\]|\\.)*"', "", line)
    # A refusal has its line, which says who and why.
    for to, status in (("evil", "5.1.1"), ("far@foreign.example", "5.7.1")):
        lines = suite.lines(" smtpd ", "recipient refused", to, "sid=",
                            f"status={status}", "client=127.0.0.1")
        assert len(lines) == 1
    accepted, = suite.lines(" smtpd ", " accepted ")
    sid = re.search(r"sid=(\w+)", accepted).group(1)
    qid = re.search(r"qid=(\w+)", accepted).group(1)
    suite.logged(" queued ", f"sid={sid}", f"qid={qid}")
    for daemon in ("queued", "local", "owner"):
        suite.logged(f" {daemon} ", f"qid={qid}")


def recipients(suite, n):
    """Asks in one session n times for a mailbox that is full."""
    with socket.create_connection(("127.0.0.1", suite.port("mx")),
                                  postern.DEADLINE) as s:
        f = s.makefile("rb")
        s.sendall(b"HELO x\r\nMAIL FROM:<a@example.net> SIZE=9999\r\n")
        assert [f.readline()[:3] for _ in range(3)] == \
            [b"220", b"250", b"250"]
        for _ in range(n // 50):
            s.sendall(b"RCPT TO:<bob@example.org>\r\n" * 50)
            assert {f.readline()[:3] for _ in range(50)} == {b"452"}


def test_no_line_for_each_command(suite):
    """A client that is refused without end.  ATTACKS M-04."""
    suite.ctl("user", "quota", "bob@example.org", "1000")
    recipients(suite, 100)
    wait_for(lambda: suite.lines("session ends"), "the first one's end")
    assert len(suite.lines("recipient refused")) == 100
    assert suite.lines("recipients refused") == []
    recipients(suite, 5000)
    line, = wait_for(lambda: suite.lines("recipients refused"), "the count")
    assert "count=5000 client=127.0.0.1" in line
    assert len(suite.lines("recipient refused")) == 200


def test_no_line_for_each_client():
    """Clients without end: what is not logged is counted.  M-04."""
    with postern.Instance(
            settings={"pop3.sessions_per_address": "1",
                      "pop3.login_time": "3600"}) as inst:
        with socket.create_connection(("127.0.0.1", inst.port("pop3"))) as s:
            s.recv(100)
            start, sent = time.monotonic(), 0

            def most():
                """That may be logged: what log.h says."""
                return BURST + RATE * (time.monotonic() - start)
            # As many more as it takes, however slow we are.
            while sent < 3000 or sent < most() + 500:
                with socket.create_connection(
                        ("127.0.0.1", inst.port("pop3"))) as c:
                    assert c.recv(100).startswith(b"-ERR ")
                sent += 1
            may = most()

            def counted():
                left = inst.lines(" pop3d ", "lines left out",
                                  "event=refused")
                return sum(int(re.search(r"count=(\d+)", l).group(1))
                           for l in left)
            wait_for(lambda: len(inst.lines(" pop3d ", " refused ")) +
                     counted() == sent, "each is logged or counted")
            assert BURST <= len(inst.lines(" pop3d ", " refused ")) <= may

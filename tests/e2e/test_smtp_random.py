"""Random sessions against the daemon itself: what joins the engine to authd
and queued has no fuzz target of its own.  I1: nobody dies; what was
acknowledged is delivered; all is as it was when the sessions are over."""

import base64
import os
import random
import re
import smtplib
import socket
import struct

import pytest

import postern
from postern import wait_for

SESSIONS = int(os.environ.get("SMTP_SESSIONS", "400"))
SETTINGS = {"smtp.errors_max": "50", "smtp.size_max": "65536",
            "smtp.header_max": "8192", "smtp.field_max": "2048",
            "smtp.rcpt_max": "100"}
LABEL = b"d" * 63


class Script:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def octets(self):
        r = self.r
        return r.choice([
            b"", b" ", b"=", b"*", b"x",
            b"a" * r.choice([63, 64, 65, 255, 256, 1024, 4090]),
            bytes(r.randrange(256) for _ in range(r.randrange(40)))])

    def path(self):
        r = self.r
        return r.choice([
            b"<bob@example.org>", b"<alice@example.org>", b"<>",
            b"<team@example.org>", b"<postmaster>", b"<no@example.org>",
            b"<a@b.example>", b'<"a b"@example.org>', self.octets(),
            b"<bob+" + b"t" * r.randrange(70) + b"@example.org>",
            b"<" + b"l" * 64 + b"@" + b".".join([LABEL] * 2) + b"." +
            b"d" * r.randrange(64) + b">",
            b'<"' + b'\\"' * r.randrange(32) + b'"@' + LABEL + b">"])

    def auth(self):
        r = self.r
        user = r.choice([b"alice@example.org", b"a\0b", self.octets(),
                         b"u" * r.choice([319, 320, 321, 2000])])
        password = r.choice([b"wonderland", self.octets(),
                             b"x" * r.choice([1023, 1024, 1025, 2500])])
        plain = base64.b64encode(b"\0" + user + b"\0" + password)
        user, password = map(base64.b64encode, (user, password))
        return r.choice([
            b"AUTH PLAIN " + plain, b"AUTH PLAIN\r\n" + plain,
            b"AUTH LOGIN\r\n" + user + b"\r\n" + password,
            b"AUTH LOGIN " + user + b"\r\n" + password, b"AUTH LOGIN\r\n*",
            b"AUTH " + self.octets() + b" " + self.octets()])

    def data(self):
        r = self.r
        head = r.choice([
            b"S: x\r\n\r\n", b"", b"hello\r\n", b"word\r\n", b" a: b\r\n",
            b"From\r\n : a\r\n", b"A" * r.choice([997, 998, 999, 1000, 1001]) +
            r.choice([b":", b" :", b""]) + b"\r\n"])
        lines = [r.choice([b"x" * r.randrange(2000) + b"\r\n", b"..\r\n",
                           b"\xff\r\n", b" f\r\n", b"X: y\r\n", b"\r\n"])
                 for _ in range(r.randrange(12))]
        if r.random() < 0.05:
            lines.append(r.choice([b"a\nb", b"\0", b"\r.\r\n"]))
        return head + b"".join(lines) + b"."

    def command(self):
        r = self.r
        verbs = [b"NOOP ", b"VRFY ", b"HELP ", b"EXPN ", b"BDAT ", b"RSET",
                 b""]
        return r.choices([
            lambda: r.choice([b"EHLO ", b"HELO "]) + self.octets(),
            lambda: b"MAIL FROM:" + self.path() + r.choice(
                [b"", b" SIZE=%d" % r.randrange(10 ** 6), b" BODY=8BITMIME",
                 b" AUTH=<>", b" X=" + self.octets()]),
            lambda: b"RCPT TO:" + self.path(),
            lambda: b"DATA\r\n" + self.data(),
            self.auth,
            lambda: b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\n"
            b"RCPT TO:" + self.path() + b"\r\nDATA\r\n" + self.data(),
            lambda: r.choice(verbs) + self.octets()],
            weights=[2, 4, 6, 4, 4, 3, 2])[0]()

    def session(self):
        """Bytes, and how they are sent."""
        r = self.r
        lines = [b"EHLO x"]
        if r.random() < 0.4:
            lines.append(b"AUTH PLAIN " + base64.b64encode(
                b"\0alice@example.org\0wonderland"))
        lines += [self.command() for _ in range(r.randrange(1, 30))]
        if r.random() < 0.5:
            lines.append(b"QUIT")
        return b"".join(l + b"\r\n" for l in lines)


def play(script, port):
    """Whole, in pieces or cut off; read to the end, left, or reset."""
    octets, r = script.session(), script.r
    how = r.choice(["whole", "pieces", "cut", "left", "reset"])
    if how == "cut":
        octets = octets[:r.randrange(len(octets))]
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        try:
            while octets:
                n = r.choice([1, 2, 3, 100, 1000]) if how == "pieces" \
                    else len(octets)
                s.sendall(octets[:n])
                octets = octets[n:]
            if how == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            elif how != "left":
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
        except (BrokenPipeError, ConnectionResetError):
            pass


def qids(inst, *words):
    return {re.search(r" qid=(\w+)", l)[1] for l in inst.lines(*words)}


@pytest.mark.parametrize("seed", [1, 2])
def test_random_sessions(seed):
    inst = postern.Instance(settings=SETTINGS)
    with inst:
        inst.add_domain()
        inst.add_user("alice@example.org", "wonderland")
        inst.add_user("bob@example.org", "builder")
        inst.ctl("alias", "add", "team@example.org", "alice@example.org",
                 "bob@example.org")
        pids = {d: r["pid"] for d, r in inst.status().items()}
        script = Script(seed)
        for _ in range(SESSIONS):
            play(script, inst.port(script.r.choice(["mx", "submission"])))
        wait_for(lambda: len(inst.lines(" smtpd ", "session ends")) ==
                 SESSIONS, "all sessions end")
        assert {d: r["pid"] for d, r in inst.status().items()} == pids
        assert not inst.lines("channel dropped")
        inst.wait_queue_empty()
        accepted = qids(inst, " smtpd ", " accepted ")
        assert len(accepted) > SESSIONS // 20
        # More is finished: who has left is told nothing.
        wait_for(lambda: accepted <= qids(inst, " owner ", " delivered "),
                 "all are delivered")
        wait_for(lambda: accepted <= qids(inst, " queued ", " finished "),
                 "all are finished")
        with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
            c.sendmail("a@example.net", "bob@example.org", "S: x\r\n\r\n")
        inst.wait_queue_empty()

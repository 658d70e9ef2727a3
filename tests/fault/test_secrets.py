"""No process has a password in its memory once it was answered, right or
wrong, by whichever way it came.  ATTACKS K-06."""

import base64
import os
import secrets
import socket

import pytest

import inside
import postern

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0,
                       reason="other users' memory needs root"),
    pytest.mark.skipif(postern.BUILD.endswith("san"),
                       reason="sanitizers keep what was freed"),
]

SOON = 20.0                     # what a reply leaves is gone by then


class Canary:
    """A password that nothing else can look like, and its encodings."""

    def __init__(self, user):
        self.user = user
        self.password = secrets.token_hex(24)
        plain = f"\0{user}\0{self.password}".encode()
        self.plain = base64.b64encode(plain).decode()
        self.login = base64.b64encode(self.password.encode()).decode()
        self.needles = {
            "password, first half": self.password[:20].encode(),
            "password, second half": self.password[-20:].encode(),
            "PLAIN in base64, its end": self.plain[-24:].encode(),
            "LOGIN in base64": self.login[:24].encode(),
            "LOGIN in base64, its end": self.login[-24:].encode(),
        }


def talk(s, *lines, tail=False):
    """Sends each line when the one before was answered; the last answer."""
    f = s.makefile("rb")
    answer = f.readline()
    for i, line in enumerate(lines):
        # The beginning of a next command keeps the input's buffer in use.
        more = b"NO" if tail and i + 1 == len(lines) else b""
        s.sendall(line.encode() + b"\r\n" + more)
        answer = f.readline()
        while answer[3:4] == b"-" or answer.startswith(b"* "):
            answer = f.readline()
    return answer


def imap_login(c):
    return [f"a LOGIN {c.user} {c.password}"]


def imap_quoted(c):
    return [f'a LOGIN "{c.user}" "{c.password}"']


def imap_literal(c):
    return [f"a LOGIN {c.user} {{{len(c.password)}}}", c.password]


def imap_plain(c):
    return ["a AUTHENTICATE PLAIN", c.plain]


def imap_plain_ir(c):
    return [f"a AUTHENTICATE PLAIN {c.plain}"]


def pop3_user(c):
    return [f"USER {c.user}", f"PASS {c.password}"]


def pop3_plain(c):
    return ["AUTH PLAIN", c.plain]


def smtp_plain(c):
    return ["EHLO x", "AUTH PLAIN", c.plain]


def smtp_plain_ir(c):
    return ["EHLO x", f"AUTH PLAIN {c.plain}"]


def smtp_login(c):
    return ["EHLO x", "AUTH LOGIN",
            base64.b64encode(c.user.encode()).decode(), c.login]


def smtp_broken(c):
    return ["EHLO x", f"AUTH PLAIN {c.plain}!"]


def smtp_nowhere(c):
    return [f"AUTH PLAIN {c.plain}"]


def pop3_broken(c):
    return ["AUTH PLAIN", c.plain + "!"]


def imap_broken(c):
    return [f"a LOGIN {c.user} {c.password} more"]


# How a login is said, where, and what a right one is answered; None is
# never right.
WAYS = [
    (imap_login, "imap", b"a OK"),
    (imap_quoted, "imap", b"a OK"),
    (imap_literal, "imap", b"a OK"),
    (imap_plain, "imap", b"a OK"),
    (imap_plain_ir, "imap", b"a OK"),
    (pop3_user, "pop3", b"+OK"),
    (pop3_plain, "pop3", b"+OK"),
    (smtp_plain, "submission", b"235"),
    (smtp_plain_ir, "submission", b"235"),
    (smtp_login, "submission", b"235"),
    (smtp_broken, "submission", None),
    (smtp_nowhere, "submission", None),
    (pop3_broken, "pop3", None),
    (imap_broken, "imap", None),
]


@pytest.fixture(scope="module")
def running():
    with postern.Instance() as inst:
        inst.add_domain()
        yield inst


def assert_gone(inst, canary, when):
    def hits():
        return inside.holders(inside.family(inst.proc.pid), canary.needles)
    try:
        postern.wait_for(lambda: not hits(), "no process has the password",
                         deadline=SOON)
    except postern.Late:
        raise AssertionError(f"{when}: {'; '.join(hits())}") from None
    with open(inst.log_path, "rb") as f:
        log = f.read()
    assert not [n for n in canary.needles.values() if n in log], when


def test_scan_sees_what_is_there(running):
    """The supervisor knows the instance's directory: so must the scan."""
    seen = inside.holders([running.proc.pid],
                          {"directory": running.dir.encode()})
    assert seen


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("way", WAYS, ids=[w[0].__name__ for w in WAYS])
def test_password_is_gone(running, way, right):
    say, service, ok = way
    canary = Canary(f"{say.__name__}-{int(right)}@example.org")
    running.add_user(canary.user, canary.password if right else "another")
    assert_gone(running, canary, "after user add")
    with socket.create_connection(
            ("127.0.0.1", running.port(service)), postern.DEADLINE) as s:
        answer = talk(s, *say(canary), tail=True)
        assert (ok is not None and answer.startswith(ok)) == \
            (ok is not None and right), answer
        assert_gone(running, canary, "after the reply")
    assert_gone(running, canary, "after the session")


def test_new_password_is_gone(running):
    canary = Canary("passwd@example.org")
    running.add_user(canary.user, "another")
    running.ctl("user", "passwd", canary.user, stdin=canary.password + "\n")
    assert_gone(running, canary, "after user passwd")


@pytest.mark.parametrize("way", WAYS, ids=[w[0].__name__ for w in WAYS])
def test_client_that_goes(running, way):
    """Said but for its last octet, and then nobody is there any more."""
    say, service, _ = way
    canary = Canary(f"{say.__name__}-gone@example.org")
    lines = say(canary)
    with socket.create_connection(
            ("127.0.0.1", running.port(service)), postern.DEADLINE) as s:
        talk(s, *lines[:-1])
        s.sendall(lines[-1].encode())
    assert_gone(running, canary, "after the session")

"""The limits of smtpd with their exact replies, through the daemons: each at
its value, one below, one above; what is refused is not stored."""

import base64
import poplib
import smtplib
import socket

import pytest

import postern
from postern import wait_for

TO_BOB = (b"EHLO client.example.net", b"MAIL FROM:<a@example.net>",
          b"RCPT TO:<bob@example.org>")
HEADER = b"Subject: limits\r\n\r\n"
SMALL = {"smtp.size_max": "65536", "smtp.field_max": "2048",
         "smtp.header_max": "4096", "smtp.rcpt_max": "100"}


class Client:
    """SMTP by hand: bytes out, whole replies in."""

    def __init__(self, inst, service="mx", greeting="220"):
        self.s = socket.create_connection(
            ("127.0.0.1", inst.port(service)), postern.DEADLINE)
        self.f = self.s.makefile("rb")
        self.greeting = self.reply()
        assert self.greeting.startswith(greeting), self.greeting

    def reply(self):
        """The last line of a reply; "" at the end of the connection."""
        while True:
            try:
                line = self.f.readline().decode()
            except ConnectionResetError:
                return ""
            if line[3:4] != "-":
                return line.rstrip("\r\n")

    def send(self, octets):
        try:
            self.s.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def ask(self, line):
        self.send(line + b"\r\n")
        return self.reply()

    def script(self, *lines):
        for line in lines:
            reply = self.ask(line)
            assert reply[:1] == "2", (line, reply)

    def data(self, octets):
        """The reply to the content; octets end in CRLF."""
        assert self.ask(b"DATA").startswith("354 ")
        self.send(octets + b".\r\n")
        return self.reply()

    def is_closed(self):
        return self.reply() == ""

    def close(self):
        self.f.close()
        self.s.close()


@pytest.fixture
def mx(suite):
    c = Client(suite)
    yield c
    c.close()


def with_users(settings):
    inst = postern.Instance(settings=settings)
    inst.__enter__()
    inst.add_domain()
    inst.add_user("bob@example.org", "builder")
    return inst


@pytest.fixture
def small():
    inst = with_users(SMALL)
    yield inst
    inst.__exit__(None, None, None)


def deliveries(inst):
    return len(inst.lines(" owner ", "delivered"))


def nothing_stored(inst):
    assert inst.json("queue", "list") == []
    assert not inst.lines(" queued ", "qid=")


# -- octets ------------------------------------------------------------------

BARE = [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"a\n.\r\n", b"a\r.\r\n",
        b"\n.\r\n", b"a\r\n.\n", b"a\r\n.\r\r\n", b".\nMAIL FROM:<x@y>\r\n",
        b"\r\0\n"]


@pytest.mark.parametrize("bad", BARE)
@pytest.mark.parametrize("step", [0, 1])
def test_bare_octets_in_data(suite, bad, step):
    c = Client(suite)
    c.script(*TO_BOB)
    assert c.ask(b"DATA").startswith("354 ")
    octets = HEADER + bad
    for i in range(0, len(octets), step or len(octets)):
        c.send(octets[i:i + (step or len(octets))])
    c.send(b"more\r\n.\r\nQUIT\r\n")
    assert c.reply().startswith("521 5.5.2 ")
    assert c.is_closed()
    c.close()
    nothing_stored(suite)


def test_521_is_read_though_much_follows(suite):
    c = Client(suite)
    c.script(*TO_BOB)
    assert c.ask(b"DATA").startswith("354 ")
    c.send(HEADER + b"a\nb\r\n" + b"x" * 78 * 20000 + b"\r\n.\r\n")
    assert c.reply().startswith("521 5.5.2 ")
    c.close()


@pytest.mark.parametrize("bad", [b"NOOP\nNOOP", b"NOOP\rNOOP", b"NO\0OP"])
def test_bare_octets_in_a_command(mx, bad):
    mx.script(b"EHLO a")
    assert mx.ask(bad).startswith("500 5.5.2 ")
    assert mx.ask(b"NOOP").startswith("250 ")


def test_command_line(mx):
    mx.script(b"EHLO a")
    for n, code in ((4095, "250 "), (4096, "250 "), (4097, "500 5.5.2 ")):
        line = b"NOOP " + b"x" * (n - 7)
        assert len(line) + 2 == n
        assert mx.ask(line).startswith(code), n
    assert mx.ask(b"NOOP " + b"x" * 60000).startswith("500 5.5.2 ")
    assert mx.ask(b"NOOP").startswith("250 ")
    assert mx.ask(b"NOOP " + b"x" * 66000).startswith("500 5.5.2 ")
    assert mx.is_closed()


@pytest.mark.parametrize("last", [b".\r\n", b".\r", b".", b""])
def test_gone_at_the_end(suite, last):
    """C-08: whoever leaves before the reply finds his message stored once,
    or, before the end of it, not at all."""
    c = Client(suite)
    c.script(*TO_BOB)
    assert c.ask(b"DATA").startswith("354 ")
    c.send(HEADER + b"x\r\n" + last)
    c.close()
    wait_for(lambda: suite.lines("session ends"), "it ends")
    suite.wait_queue_empty()
    if last == b".\r\n":
        wait_for(lambda: deliveries(suite) <= 1, "at most once")
    else:
        nothing_stored(suite)


WHOLE = (b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.org>\r\n"
         b"RCPT TO:<no@example.org>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n")


@pytest.mark.parametrize("end,last", [
    (b"QUIT\r\n", "221 "), (b"", "250 2.0.0 "), (b"NOO", "250 2.0.0 "),
    (b"MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nS: y\r\n",
     "354 ")])
def test_all_at_once_and_no_more(suite, end, last):
    """A script that pipes a session into the socket and then reads."""
    c = Client(suite)
    c.send(WHOLE + end)
    c.s.shutdown(socket.SHUT_WR)
    replies = [c.reply()]
    while replies[-1] != "":
        replies.append(c.reply())
    assert [r[:3] for r in replies[:6]] == \
        ["250", "250", "250", "550", "354", "250"]
    assert replies[-2].startswith(last)
    c.close()
    wait_for(lambda: deliveries(suite) == 1, "it is delivered")
    suite.wait_queue_empty()
    assert deliveries(suite) == 1
    suite.logged("session ends")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_ipv6():
    inst = postern.Instance(settings={"smtp.sessions_per_address": "2"})
    try:
        inst.init()
        with open(inst.conf) as f:
            text = f.read().replace("127.0.0.1:", "[::1]:")
        with open(inst.conf, "w") as f:
            f.write(text)
        inst.start()
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        with smtplib.SMTP("::1", inst.port("submission")) as c:
            # Its password may pass: it is loopback too.
            c.login("bob@example.org", "builder")
            c.sendmail("bob@example.org", "bob@example.org", HEADER)
        wait_for(lambda: deliveries(inst) == 1, "it is delivered")
        p = poplib.POP3("::1", inst.port("pop3"), timeout=60)
        p.user("bob@example.org")
        p.pass_("builder")
        field = [l for l in p.retr(1)[1] if l.startswith(b"Received: ")]
        assert len(field) == 1 and field[0].endswith(b" ([IPv6:::1])"), field
        p.quit()
    finally:
        inst.__exit__(None, None, None)


# -- sizes -------------------------------------------------------------------

@pytest.mark.parametrize("n,reply", [
    (998, "250 2.0.0 "), (999, "250 2.0.0 "), (100000, "250 2.0.0 "),
    (100001, "550 5.6.0 ")])
def test_data_line(suite, mx, n, reply):
    mx.script(*TO_BOB)
    assert mx.data(HEADER + b"x" * n + b"\r\n").startswith(reply)
    assert mx.ask(b"NOOP").startswith("250 ")
    if not reply.startswith("250"):
        nothing_stored(suite)


def field(n):
    """A header field of n octets, CRLFs included, in short lines."""
    line = b" " + b"x" * 70 + b"\r\n"
    text = b"X-Long: start\r\n"
    while len(text) + 2 * len(line) < n:
        text += line
    rest = n - len(text)
    return text + b" " + b"x" * (rest - 3) + b"\r\n"


def header(n):
    """A header of n octets, the empty line included."""
    text = b""
    while n - len(text) > 2000:
        text += field(1000)
    return text + field(n - len(text) - 2) + b"\r\n"


SIZES = [
    (lambda d: field(2048 + d) + b"\r\nbody\r\n", "field"),
    (lambda d: header(4096 + d) + b"body\r\n", "header"),
    (lambda d: HEADER + (b"x" * 76 + b"\r\n") * 839 +
     b"y" * (65536 - 839 * 78 - len(HEADER) - 2 + d) + b"\r\n", "message"),
]


@pytest.mark.parametrize("make,what", SIZES, ids=[w for _, w in SIZES])
def test_size(small, make, what):
    c = Client(small)
    c.script(b"EHLO a")
    for d in (-1, 0, 1):
        c.script(*TO_BOB[1:])
        octets = make(d)
        want = "552 5.3.4 " if d > 0 else "250 2.0.0 "
        assert c.data(octets).startswith(want), (d, len(octets))
    c.close()
    wait_for(lambda: deliveries(small) == 2, "two are delivered")


def test_size_at_mail(small):
    c = Client(small)
    c.script(b"EHLO a")
    for size, reply in ((65535, "250 "), (65536, "250 "),
                        (65537, "552 5.3.4 "), (10 ** 19, "552 5.3.4 ")):
        line = b"MAIL FROM:<a@example.net> SIZE=%d" % size
        assert c.ask(line).startswith(reply), size
        c.script(b"RSET")
    c.close()


def test_defaults_are_announced(mx):
    mx.send(b"EHLO a\r\n")
    lines = [mx.f.readline() for _ in range(6)]
    assert b"250-SIZE 52428800\r\n" in lines
    for word in (b"PIPELINING", b"8BITMIME", b"ENHANCEDSTATUSCODES"):
        assert b"250-%b\r\n" % word in lines


def test_recipients(small):
    c = Client(small)
    c.script(*TO_BOB)
    for _ in range(98):
        c.script(b"RCPT TO:<bob+tag@example.org>")
    assert c.ask(b"RCPT TO:<bob@example.org>").startswith("250 ")
    assert c.ask(b"RCPT TO:<bob@example.org>").startswith("452 4.5.3 ")
    assert c.data(HEADER).startswith("250 ")
    c.close()


def test_a_thousand_recipients_by_default(mx):
    mx.script(*TO_BOB)
    one = b"RCPT TO:<bob@example.org>\r\n"
    mx.send(one * 1000)
    replies = [mx.reply() for _ in range(1000)]
    assert all(r.startswith("250 ") for r in replies[:999])
    assert replies[999].startswith("452 4.5.3 ")
    assert mx.data(HEADER).startswith("250 ")


# -- messages without a header, and those that only nearly have none --------

HEADLESS = [b"hello\r\n", b"Backup done\r\n\r\nTotal: 5\r\n", b"..\r\n",
            b": x\r\n", b"A" * 2000 + b": b\r\n", b"word\r\n"]


@pytest.mark.parametrize("body", HEADLESS)
@pytest.mark.parametrize("step", [0, 1])
def test_all_body(suite, body, step):
    c = Client(suite)
    c.script(*TO_BOB)
    assert c.ask(b"DATA").startswith("354 ")
    octets = body + b".\r\n"
    for i in range(0, len(octets), step or len(octets)):
        c.send(octets[i:i + (step or len(octets))])
    assert c.reply().startswith("250 ")
    c.close()
    wait_for(lambda: deliveries(suite) == 1, "it is delivered")
    p = poplib.POP3("127.0.0.1", suite.port("pop3"), timeout=60)
    p.user("bob@example.org")
    p.pass_("builder")
    lines = p.retr(1)[1]
    p.quit()
    at = lines.index(b"")
    assert all(l[:1] in b"\t" or b": " in l for l in lines[:at])
    assert b"\r\n".join(lines[at + 1:]) + b"\r\n" == \
        (b".\r\n" if body == b"..\r\n" else body)


@pytest.mark.parametrize("octets", [
    b" A: b\r\n\r\nx\r\n", b"A: b\r\nhello\r\n\r\nx\r\n",
    b"From\r\n : a@b\r\n\r\nx\r\n", b"From a@b Mon\r\nA: b\r\n\r\nx\r\n",
    b">From a@b Mon\r\nA: b\r\n\r\nx\r\n", b"From x\r\n" * 1000])
def test_where_the_header_ends_is_not_clear(suite, mx, octets):
    mx.script(*TO_BOB)
    assert mx.data(octets).startswith("550 5.6.0 ")
    assert mx.ask(b"NOOP").startswith("250 ")
    nothing_stored(suite)


# -- order, rights -----------------------------------------------------------

def test_verdicts(mx):
    mx.script(*TO_BOB[:2])
    assert mx.ask(b"RCPT TO:<no@example.org>").startswith("550 5.1.1 ")
    assert mx.ask(b"RCPT TO:<a@foreign.example>").startswith("550 5.7.1 ")


# L-05: to whom a host relays that can be talked into it.
RELAY = [b"a@foreign.example", b"<a%foreign.example@[127.0.0.1]>",
         b"<a@foreign.example@example.org>",
         b"<@example.org:a@foreign.example>",
         b"<@example.org,@foreign.example:a@foreign.example>",
         b"<a%foreign.example@example.org>",
         b"<foreign.example!a@example.org>",
         b"<foreign.example!a>", b"<a%foreign.example>", b"<a>",
         b'<"a@foreign.example">', b'<"a@foreign.example"@example.org>',
         b'<"a%foreign.example"@example.org>', b"<a@[192.0.2.1]>",
         b"<a@[IPv6:2001:db8::1]>", b"<a@example.org@foreign.example>",
         b"<a@foreign.example >", b"<a@foreign.example> ORCPT=rfc822;a",
         b"<a@foreign.example.example.org>", b"<a@mail.example.org>",
         b"<a@xexample.org>", b"<a@example.orgx>", b"<a@org>", b"<a@.>",
         b"<bob@example.org,a@foreign.example>", b"<bob@example.org>a@b.c",
         b"<a@localhost>", b"<a@127.0.0.1>", b"<a@0x7f000001>", b"<@>", b"<>"]


@pytest.mark.parametrize("service", ["mx", "submission"])
def test_no_open_relay(suite, service):
    c = Client(suite, service)
    c.script(b"EHLO a")
    if service == "submission":
        plain = base64.b64encode(b"\0alice@example.org\0wonderland")
        c.script(b"AUTH PLAIN " + plain)
    sender = b"alice@example.org" if service == "submission" else b""
    for i, form in enumerate(RELAY):
        if i % 4 == 3:
            c.close()
            c = Client(suite, service)
            c.script(b"EHLO a")
            if service == "submission":
                c.script(b"AUTH PLAIN " + plain)
        c.script(b"RSET", b"MAIL FROM:<" + sender + b">")
        reply = c.ask(b"RCPT TO:" + form)
        assert reply[:3] in ("550", "501", "553", "555"), (form, reply)
        assert c.ask(b"DATA").startswith("503 ")
    c.close()
    nothing_stored(suite)


def test_a_ticket_that_holds_no_more(suite):
    """Two authds later nobody has its key: the session ends, so that the
    client logs in again; it would be told to try later for ever."""
    c = Client(suite, "submission")
    plain = base64.b64encode(b"\0alice@example.org\0wonderland")
    lines = (b"MAIL FROM:<alice@example.org>", b"RCPT TO:<bob@example.org>")
    c.script(b"EHLO a", b"AUTH PLAIN " + plain, *lines)
    assert c.data(HEADER).startswith("250 ")
    for _ in range(2):
        suite.wait_back("authd", suite.kill_daemon("authd"))
        other = Client(suite, "submission")
        other.script(b"EHLO a", b"AUTH PLAIN " + plain, *lines)
        assert other.data(HEADER).startswith("250 ")
        other.close()
    c.script(*lines)
    assert c.data(HEADER).startswith("421 4.7.0 ")
    assert c.is_closed()
    c.close()


def test_senders_are_ones_own(suite):
    """I-10"""
    suite.ctl("alias", "add", "sales@example.org", "alice@example.org")
    suite.ctl("alias", "add", "team@example.org", "alice@example.org",
              "bob@example.org")
    c = Client(suite, "submission")
    c.script(b"EHLO a", b"AUTH PLAIN " +
             base64.b64encode(b"\0alice@example.org\0wonderland"))
    for sender, code in ((b"alice@example.org", "250 2.1.0 "),
                         (b"ALICE+tag@EXAMPLE.org", "250 2.1.0 "),
                         (b"sales@example.org", "250 2.1.0 "),
                         # Theirs as well.
                         (b"team@example.org", "553 5.7.1 "),
                         (b"", "250 2.1.0 "),
                         (b"bob@example.org", "553 5.7.1 "),
                         (b"nobody@example.org", "553 5.7.1 "),
                         (b"alice@foreign.example", "553 5.7.1 ")):
        assert c.ask(b"MAIL FROM:<" + sender + b">").startswith(code), sender
        c.script(b"RSET")
    c.close()


ORDER = [(b"MAIL FROM:<a@example.net>",), (b"EHLO a", b"RCPT TO:<b@c.d>"),
         (b"EHLO a", b"DATA"), TO_BOB[:2] + (b"DATA",),
         TO_BOB[:2] + (b"MAIL FROM:<a@example.net>",)]


@pytest.mark.parametrize("lines", ORDER)
def test_wrong_order(mx, lines):
    mx.script(*lines[:-1])
    assert mx.ask(lines[-1]).startswith("503 5.5.1 ")


def test_small_verbs(mx):
    mx.script(b"EHLO a")
    assert mx.ask(b"VRFY bob").startswith("252 ")
    assert mx.ask(b"HELP").startswith("214 ")
    assert mx.ask(b"EXPN team").startswith("502 ")
    assert mx.ask(b"RSET").startswith("250 ")
    assert mx.ask(b"QUIT").startswith("221 ")
    assert mx.is_closed()


def test_submission(suite):
    c = Client(suite, "submission")
    c.script(b"EHLO a")
    assert c.ask(b"MAIL FROM:<alice@example.org>").startswith("530 5.7.0 ")
    plain = base64.b64encode(b"\0alice@example.org\0wonderland")
    assert c.ask(b"AUTH PLAIN " + plain).startswith("235 ")
    c.script(b"MAIL FROM:<alice@example.org>")
    assert c.ask(b"RCPT TO:<x@foreign.example>").startswith("550 5.7.1 ")
    c.script(b"RCPT TO:<bob@example.org>", b"RSET")
    c.close()


def test_auth_login(suite):
    c = Client(suite, "submission")
    c.script(b"EHLO a")
    assert c.ask(b"AUTH LOGIN").startswith("334 ")
    assert c.ask(base64.b64encode(b"alice@example.org")).startswith("334 ")
    assert c.ask(base64.b64encode(b"wonderland")).startswith("235 ")
    c.close()


@pytest.mark.parametrize("user,password", [
    (b"alice@example.org", b"x" * 1024), (b"alice@example.org", b"x" * 1025),
    (b"u" * 321, b"x"), (b"u" * 2000, b"x"), (b"a\0b", b"x"),
    (b"alice\r\n@example.org", b"x"), (b"\xff\xfe", b"\0"),
    # D-09, D-10: close to somebody, or meant for another kind of directory.
    (b"alice@example.org ", b"wonderland"),
    (b" alice@example.org", b"wonderland"),
    (b"alice@example.org.", b"wonderland"), (b"alice", b"wonderland"),
    ("alice\u200b@example.org".encode(), b"wonderland"),
    ("\uff41lice@example.org".encode(), b"wonderland"),
    (b"*)(uid=*", b"x"), (b"' OR 1=1--", b"x"), (b"%u%{x}", b"x"),
    (b"alice@example.org", b"wonderlan"),
    (b"alice@example.org", b"wonderland\0"),
    (b"alice@example.org", b"Wonderland")])
def test_logins_that_nobody_has(suite, user, password):
    pid = suite.pid("smtpd")
    for first in (b"AUTH LOGIN ", b"AUTH LOGIN\r\n"):
        c = Client(suite, "submission")
        c.script(b"EHLO a")
        if b"\r" in first:
            assert c.ask(b"AUTH LOGIN").startswith("334 ")
            first = b""
        assert c.ask(first + base64.b64encode(user)).startswith("334 ")
        reply = c.ask(base64.b64encode(password))
        assert reply.startswith("535 5.7.8 "), reply
        assert c.ask(b"NOOP").startswith("250 ")
        c.close()
    assert suite.pid("smtpd") == pid
    assert not suite.lines("channel dropped")


# -- counts ------------------------------------------------------------------

def test_errors(mx):
    mx.script(b"EHLO a")
    for _ in range(10):
        assert mx.ask(b"WHAT").startswith("500 5.5.2 ")
    assert mx.ask(b"WHAT").startswith("421 4.7.0 ")
    assert mx.is_closed()


def test_sessions():
    inst = with_users({"smtp.sessions_max": "3",
                       "smtp.sessions_per_address": "2"})
    try:
        held = [Client(inst), Client(inst)]
        Client(inst, greeting="421 4.7.0 ").close()
        held.pop().close()
        wait_for(lambda: inst.lines("session ends"), "it ends")
        held.append(Client(inst))
        for c in held:
            c.close()
    finally:
        inst.__exit__(None, None, None)


def test_sessions_in_all():
    inst = with_users({"smtp.sessions_max": "2"})
    try:
        held = [Client(inst), Client(inst, "submission")]
        c = Client(inst, greeting="421 4.7.0 ")
        assert c.is_closed()
        for c in held + [c]:
            c.close()
    finally:
        inst.__exit__(None, None, None)


# -- time --------------------------------------------------------------------

@pytest.fixture
def hasty(request):
    inst = with_users(getattr(request, "param", {
        "smtp.command_time": "1", "smtp.rate_time": "1",
        "smtp.rate_min": "1000"}))
    yield inst
    inst.__exit__(None, None, None)


@pytest.mark.parametrize("hasty", [{"smtp.command_time": "1"}],
                         indirect=True, ids=["1 s"])
def test_time_for_a_command(hasty):
    c = Client(hasty)
    c.send(b"EHLO a\r\nNO")
    reply = c.reply()
    # Unless we ourselves had to wait for a processor.
    if reply.startswith("250 "):
        reply = c.reply()
    assert reply.startswith("421 4.4.2 ")
    assert c.is_closed()
    c.close()


@pytest.mark.parametrize("hasty", [{"smtp.rate_time": "1",
                                    "smtp.rate_min": "1000"}],
                         indirect=True, ids=["1000 a second"])
def test_least_rate_of_data(hasty):
    c = Client(hasty)
    c.script(*TO_BOB)
    assert c.ask(b"DATA").startswith("354 ")
    c.send(HEADER)
    assert c.reply().startswith("421 4.4.2 ")
    assert c.is_closed()
    c.close()
    nothing_stored(hasty)


# -- expansion ---------------------------------------------------------------

def add_alias(inst, name, targets):
    """All bob, by different ways; mailctl takes some at a time."""
    targets = [t if "@" in t else t + "@example.org" for t in targets]
    for i in range(0, len(targets), 40):
        inst.ctl("alias", "add", name + "@example.org", *targets[i:i + 40])


@pytest.fixture(scope="module")
def lists():
    inst = with_users({"queue.targets_max": "100"})
    for n in (97, 98, 99, 100):
        add_alias(inst, f"list{n}", [f"bob+{i}" for i in range(n)])
    add_alias(inst, "outer98", ["list98"])
    add_alias(inst, "outer99", ["list99"])
    add_alias(inst, "ring", ["ring2"])
    add_alias(inst, "ring2", ["ring"])
    add_alias(inst, "wide", ["wide+1", "wide+2"])
    yield inst
    inst.__exit__(None, None, None)


@pytest.mark.parametrize("names, last", [
    (["list98"], 250), (["list99"], 250), (["list100"], 550),
    (["outer98"], 250), (["outer99"], 550),
    (["list97", "bob"], 250), (["list98", "bob"], 250),
    (["list99", "bob"], 550), (["bob", "list99"], 550),
    (["ring"], 250), (["wide"], 550), (["nobody"], 550),
])
def test_targets_after_expansion(lists, names, last):
    """An alias counts itself and all behind it; the sum is the message's."""
    c = Client(lists)
    c.script(b"EHLO a", b"MAIL FROM:<a@example.net>")
    for i, name in enumerate(names, 1):
        reply = c.ask(b"RCPT TO:<%s@example.org>" % name.encode())
        want = last if i == len(names) else 250
        text = "5.1.1" if name == "nobody" else "5.4.6"
        assert reply.startswith("250 " if want == 250 else f"550 {text} ")
    c.close()


def test_expansion_counts_one_transaction(lists):
    """Who was refused does not count, nor what came before."""
    c = Client(lists)
    c.script(b"EHLO a")
    for end in (b"RSET", b"EHLO a", b"RSET"):
        c.script(b"MAIL FROM:<a@example.net>", b"RCPT TO:<list99@example.org>")
        assert c.ask(b"RCPT TO:<bob@example.org>").startswith("550 5.4.6 ")
        c.script(end)
    c.script(b"MAIL FROM:<a@example.net>", b"RCPT TO:<list97@example.org>")
    for _ in range(3):
        assert c.ask(b"RCPT TO:<list98@example.org>").startswith("550 5.4.6")
    c.script(b"RCPT TO:<bob@example.org>", b"RCPT TO:<bob+1@example.org>")
    assert c.ask(b"RCPT TO:<bob+2@example.org>").startswith("550 5.4.6 ")
    c.close()


def test_expansion_pipelined(lists):
    """Many verdicts in one batch: the sum is of those before."""
    c = Client(lists)
    c.script(b"EHLO a")
    c.send(b"MAIL FROM:<a@example.net>\r\n" +
           b"RCPT TO:<list97@example.org>\r\n" +
           b"RCPT TO:<bob@example.org>\r\n" * 3 + b"RSET\r\n" +
           b"MAIL FROM:<a@example.net>\r\n" +
           b"RCPT TO:<list99@example.org>\r\n")
    codes = [c.reply()[:3] for _ in range(8)]
    assert codes == ["250"] * 4 + ["550"] + ["250"] * 3
    c.close()


@pytest.mark.parametrize("names", [["list99"], ["outer98"],
                                   ["list98", "bob+x"]])
def test_what_rcpt_takes_the_queue_routes(lists, names):
    """At the limit itself nothing is held: both count alike."""
    before = deliveries(lists)
    c = Client(lists)
    c.script(b"EHLO a", b"MAIL FROM:<a@example.net>",
             *[b"RCPT TO:<%s@example.org>" % n.encode() for n in names])
    assert c.data(HEADER).startswith("250 ")
    c.close()
    lists.wait_queue_empty()
    wait_for(lambda: deliveries(lists) == before + 1, "one copy")


def test_a_group_is_answered_as_a_unit(mx):
    """RFC 2920 3.2: in one piece, though the recipient's answer comes from
    another process; but nothing waits for commands that have not come."""
    mx.script(TO_BOB[0])
    mx.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<bob@example.org>\r\n")
    assert [mx.reply()[:3] for _ in range(2)] == ["250", "250"]
    mx.script(b"RSET")
    for _ in range(20):
        mx.send(b"\r\n".join(TO_BOB[1:] + (b"DATA", b"")))
        got = mx.s.recv(4096)
        assert [l[:3] for l in got.splitlines()] == [b"250", b"250", b"354"]
        mx.send(HEADER + b".\r\n")
        assert mx.reply()[:3] == "250"

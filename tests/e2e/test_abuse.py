"""Strangers who would have others pay: mail to nobody, in the name of others,
to the full; names that they would log in as; passwords guessed while their
owner reads his mail.  ATTACKS I-03, I-08, I-11, L-02, L-03."""

import base64
import imaplib
import smtplib
import socket
import threading
import time

import pytest

import postern
from postern import wait_for

MAIL = b"Subject: x\r\n\r\n" + b"y" * 900 + b"\r\n"


@pytest.fixture
def inst():
    """bob has no room for another message."""
    with postern.Instance(settings={"smtp.errors_max": "1000",
                                    "auth.queue_max": "20"}) as i:
        i.add_domain()
        i.add_user("alice@example.org", "wonderland")
        i.add_user("bob@example.org", "builder")
        i.ctl("user", "quota", "bob@example.org", "100K", "1")
        submit(i, "a@example.net", "bob@example.org")
        i.wait_queue_empty()
        wait_for(lambda: i.json("user", "show", "bob@example.org")["state"]
                 != "ok", "bob has no room")
        yield i


def submit(inst, sender, *rcpts):
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.ehlo("client.example.net")
        c.mail(sender)
        for r in rcpts:
            assert c.rcpt(r)[0] == 250
        assert c.data(MAIL)[0] == 250


def accepted(inst):
    """What is in the queue, and how many were delivered."""
    return [r["qid"] for r in inst.json("queue", "list")], \
        len(inst.lines(" owner ", " delivered "))


@pytest.mark.parametrize("sender", ["", "victim@example.org",
                                    "victim@elsewhere.example"])
def test_nobody_is_told(inst, sender):
    """Refused before it is ours to tell anybody: no backscatter."""
    before = accepted(inst)
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.ehlo("client.example.net")
        for i in range(400):
            assert c.mail(sender, ["SIZE=1000"])[0] == 250
            code, text = c.rcpt("bob@example.org" if i % 2 == 0 else
                                f"nobody{i}@example.org")
            assert (code, text[:6]) == ((452, b"4.2.2 ") if i % 2 == 0 else
                                        (550, b"5.1.1 ")), text
            assert c.docmd("DATA")[0] == 503
            c.rset()
    assert accepted(inst) == before


@pytest.mark.parametrize("sender", ["", "victim@example.org",
                                    "alice@example.org"])
def test_what_cannot_go_on_begets_nothing(inst, sender):
    """Accepted, and then nobody's: it is held, and no mail comes of it."""
    inst.ctl("alias", "add", "gone@example.org", "nobody@example.org")
    inst.ctl("alias", "add", "away@example.org", "x@elsewhere.example")
    inst.ctl("alias", "add", "loop@example.org", "loop@example.org")
    for rcpt in ("gone", "away", "loop"):
        submit(inst, sender, rcpt + "@example.org")
    wait_for(lambda: [r["state"] for r in inst.json("queue", "list")] ==
             ["held"] * 3, "three are held")
    qids, delivered = accepted(inst)
    assert len(qids) == 3 and delivered == 1
    inst.ctl("queue", "remove", *qids)
    assert accepted(inst) == ([], 1)


@pytest.mark.parametrize("param", ["NOTIFY=SUCCESS,DELAY", "RET=FULL",
                                   "ENVID=x", "ORCPT=rfc822;a@b"])
def test_no_report_can_be_asked_for(inst, param):
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.ehlo("client.example.net")
        assert not c.has_extn("dsn")
        of_mail = param[:2] in ("RE", "EN")
        code = c.mail("victim@example.org", [param] if of_mail else [])[0]
        if not of_mail:
            code = c.rcpt("alice@example.org", [param])[0]
        assert code == 555


# -- who logs in as whom -------------------------------------------------------

# The line before a mechanism's name, what says that more is wanted, and what
# it is answered when that is good.
SASL = {"submission": (b"EHLO a\r\nAUTH ", b"334 ", b"235 "),
        "imap": (b"a AUTHENTICATE ", b"+ ", b"a OK"),
        "pop3": (b"AUTH ", b"+ ", b"+OK")}
ENDS = (b"235 ", b"535 ", b"501 ", b"504 ", b"a OK", b"a NO", b"a BAD",
        b"-ERR", b"334 ", b"+ ")
ALICE = b"alice@example.org\0wonderland"


def authenticate(inst, service, mechanism, response):
    """The line that ends it."""
    before, more, _ = SASL[service]
    with socket.create_connection(("127.0.0.1", inst.port(service)),
                                  postern.DEADLINE) as s:
        f = s.makefile("rb")
        f.readline()
        s.sendall(before + mechanism + b"\r\n")
        for line in f:
            if line.startswith(more):
                s.sendall(base64.b64encode(response) + b"\r\n")
            elif line.startswith(ENDS) or (service == "pop3" and
                                           line.startswith(b"+OK")):
                return line
    return b""


@pytest.mark.parametrize("service", SASL)
def test_nobody_acts_for_another(inst, service):
    good = SASL[service][2]
    for response, is_good in (
            (b"\0" + ALICE, True),
            (b"alice@example.org\0" + ALICE, True),
            (b"bob@example.org\0" + ALICE, False),
            (b"postmaster@example.org\0" + ALICE, False),
            (b"alice@example.or\0" + ALICE, False),
            (b"alice@example.orgg\0" + ALICE, False),
            (b"alice\0" + ALICE, False),
            (b" \0" + ALICE, False),
            (ALICE, False), (b"\0\0wonderland", False),
            (b"\0alice@example.org\0", False),
            (b"\0" + ALICE + b"\0", False),
            (b"\0" + ALICE + b"\0x", False),
            (b"\0" + ALICE + b"\n", False),
            (b"", False), (b"\0\0", False)):
        line = authenticate(inst, service, b"PLAIN", response)
        assert line and line.startswith(good) == is_good, (response, line)


@pytest.mark.parametrize("service", SASL)
def test_other_mechanisms(inst, service):
    """Not built: refused before there is anything to decode."""
    for name in (b"NTLM", b"EXTERNAL", b"CRAM-MD5", b"DIGEST-MD5", b"RPA",
                 b"ANONYMOUS", b"GSSAPI", b"SCRAM-SHA-256", b"XOAUTH2",
                 b"PLAIN-CLIENTTOKEN", b"PLAI", b"PLAINX", b"A" * 255):
        line = authenticate(inst, service, name, b"\0" + ALICE)
        assert line.startswith((b"504 ", b"a NO", b"a BAD", b"-ERR")), \
            (name, line)


# -- guessed passwords --------------------------------------------------------

def log_in(inst, user, password):
    """True, False, or None: ask again later.  And how long it took."""
    began = time.monotonic()
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"), timeout=30)
    try:
        c.login(user, password)
        answer = True
    except imaplib.IMAP4.error as e:
        answer = None if "UNAVAILABLE" in str(e) else False
    finally:
        c.shutdown()
    return answer, time.monotonic() - began


def test_guessing_keeps_nobody_out(inst):
    """More guesses than there is time for: who is known here comes in, and
    nobody is locked out of his own mailbox."""
    assert log_in(inst, "alice@example.org", "wonderland")[0] is True
    before = {d: r["pid"] for d, r in inst.status().items()}
    stop, seen = threading.Event(), []

    def guess(i):
        n = 0
        while not stop.is_set():
            n += 1
            seen.append(log_in(inst, "alice@example.org" if i % 2 == 0 else
                               f"no{i}@example.org", f"guess{i}-{n}")[0])

    threads = [threading.Thread(target=guess, args=(i,)) for i in range(40)]
    for t in threads:
        t.start()
    try:
        wait_for(lambda: None in seen, "authd has more than it takes")
        for _ in range(5):
            answer, took = log_in(inst, "alice@example.org", "wonderland")
            assert answer is True and took < 5, (answer, took)
        assert inst.json("user", "list")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert True not in seen and seen.count(False) > 5
    for user, password in (("alice", "wonderland"), ("bob", "builder")):
        assert log_in(inst, f"{user}@example.org", password)[0] is True
    assert {d: r["pid"] for d, r in inst.status().items()} == before

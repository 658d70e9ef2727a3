"""A message's whole way, by clients that nobody here wrote: Python's
smtplib, imaplib and poplib, curl, swaks."""

import email.message
import imaplib
import poplib
import re
import smtplib
import subprocess

import pytest

from postern import wait_for

TRACE = ("Return-Path:", "Delivered-To:", "Received:")


def message(subject="greetings", size=0):
    m = email.message.EmailMessage()
    m["From"] = "alice@example.org"
    m["To"] = "bob@example.org"
    m["Subject"] = subject
    m.set_content("hello\n" + "x" * 70 * (size // 70) + "\n")
    return m.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def submit(suite, data, rcpts=("bob@example.org",)):
    """Returns the qid that the 250 names."""
    with smtplib.SMTP("127.0.0.1", suite.port("submission")) as c:
        c.ehlo()
        c.login("alice@example.org", "wonderland")
        c.mail("alice@example.org")
        for r in rcpts:
            code, text = c.rcpt(r)
            assert code == 250, text
        code, text = c.data(data)
        assert code == 250, text
        return re.search(rb"[0-9a-z]{13}", text).group().decode()


def imap(suite, user="bob@example.org", password="builder"):
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login(user, password)
    return c


def strip_trace(octets):
    """The message without the trace fields that Postern puts in front."""
    while octets.startswith(tuple(t.encode() for t in TRACE)):
        field = re.match(rb"[^\r]*\r\n(?:[ \t][^\r]*\r\n)*", octets)
        octets = octets[field.end():]
    return octets


def fetch_all(c):
    c.select("INBOX")
    typ, data = c.search(None, "ALL")
    out = []
    for n in data[0].split():
        typ, parts = c.fetch(n.decode(), "(RFC822)")
        out.append(parts[0][1])
    return out


def test_submit_and_read_by_imap_and_pop3(suite):
    data = message()
    submit(suite, data)
    c = imap(suite)
    wait_for(lambda: int(c.select("INBOX")[1][0]) == 1, "the message")
    assert [strip_trace(m) for m in fetch_all(c)] == [data]
    c.logout()
    p = poplib.POP3("127.0.0.1", suite.port("pop3"))
    p.user("bob@example.org")
    p.pass_("builder")
    assert p.stat()[0] == 1
    lines = p.retr(1)[1]
    assert strip_trace(b"\r\n".join(lines) + b"\r\n") == data
    p.quit()


def test_mx_accepts_for_us_only(suite):
    with smtplib.SMTP("127.0.0.1", suite.port("mx")) as c:
        c.ehlo("client.example.net")
        assert c.mail("someone@example.net")[0] == 250
        assert c.rcpt("nobody@example.org") [0] == 550
        code, text = c.rcpt("someone@elsewhere.example")
        assert code == 550 and text.startswith(b"5.7.1")
        assert c.rcpt("bob@example.org")[0] == 250
        assert c.data(message())[0] == 250
    c = imap(suite)
    wait_for(lambda: int(c.select("INBOX")[1][0]) == 1, "the message")


def test_submission_wants_authentication(suite):
    with smtplib.SMTP("127.0.0.1", suite.port("submission")) as c:
        c.ehlo()
        code, text = c.mail("alice@example.org")
        assert code == 530 and text.startswith(b"5.7.0")
        with pytest.raises(smtplib.SMTPAuthenticationError) as e:
            c.login("alice@example.org", "wrong")
        assert e.value.smtp_code == 535


def test_alias_and_catch_all(suite):
    suite.ctl("alias", "add", "team@example.org", "alice@example.org",
              "bob@example.org")
    suite.ctl("alias", "add", "@example.org", "bob@example.org")
    submit(suite, message("to the team"),
           ["team@example.org", "whoever@example.org"])
    a = imap(suite, "alice@example.org", "wonderland")
    wait_for(lambda: int(a.select("INBOX")[1][0]) == 1, "alice's copy")
    b = imap(suite)
    wait_for(lambda: int(b.select("INBOX")[1][0]) == 1, "bob's copy")
    suite.wait_queue_empty()
    # Two ways to one mailbox are one copy.
    b.noop()
    assert len(fetch_all(b)) == 1


def test_plus_tag(suite):
    submit(suite, message("tagged"), ["bob+list@example.org"])
    c = imap(suite)
    wait_for(lambda: int(c.select("INBOX")[1][0]) == 1, "the message")


def test_curl_sends_and_reads(suite, tmp_path):
    path = tmp_path / "message"
    path.write_bytes(message("by curl"))
    auth = ["--user", "alice@example.org:wonderland"]
    subprocess.run(
        ["curl", "-sS", f"smtp://127.0.0.1:{suite.port('submission')}",
         "--mail-from", "alice@example.org", "--mail-rcpt",
         "bob@example.org", "--upload-file", str(path), *auth],
        check=True, timeout=60)
    suite.wait_queue_empty()
    auth = ["--user", "bob@example.org:builder"]
    got = subprocess.run(
        ["curl", "-sS",
         f"imap://127.0.0.1:{suite.port('imap')}/INBOX;MAILINDEX=1", *auth],
        check=True, timeout=60, capture_output=True).stdout
    assert b"Subject: by curl" in got
    got = subprocess.run(
        ["curl", "-sS", f"pop3://127.0.0.1:{suite.port('pop3')}/1", *auth],
        check=True, timeout=60, capture_output=True).stdout
    assert b"Subject: by curl" in got


def test_swaks(suite):
    subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{suite.port('submission')}",
         "--auth", "PLAIN", "--auth-user", "alice@example.org",
         "--auth-password", "wonderland", "--from", "alice@example.org",
         "--to", "bob@example.org", "--header", "Subject: by swaks"],
        check=True, timeout=60, capture_output=True)
    c = imap(suite)
    wait_for(lambda: int(c.select("INBOX")[1][0]) == 1, "the message")


def test_postmaster_is_somebody(suite):
    """RFC 5321 4.5.1: with and without a domain, in any case."""
    forms = ["postmaster", "Postmaster@example.org",
             "POSTMASTER@mail.example.org"]

    def answers():
        with smtplib.SMTP("127.0.0.1", suite.port("mx")) as c:
            c.ehlo("client.example.net")
            c.mail("someone@example.net")
            return [c.docmd("RCPT", f"TO:<{f}>")[0]
                    for f in forms + ["postmaster@elsewhere.example"]]
    assert answers() == [550, 550, 550, 550]
    suite.stop()
    suite.configure({"postmaster": "alice@example.org"})
    suite.start()
    assert answers() == [250, 250, 250, 550]
    with smtplib.SMTP("127.0.0.1", suite.port("mx")) as c:
        c.ehlo("client.example.net")
        c.mail("someone@example.net")
        c.docmd("RCPT", "TO:<postmaster>")
        assert c.data(message("to the postmaster"))[0] == 250
    a = imap(suite, "alice@example.org", "wonderland")
    wait_for(lambda: int(a.select("INBOX")[1][0]) == 1, "the message")
    a.logout()
    # An alias of the domain's own comes first.
    suite.ctl("alias", "add", "postmaster@example.org", "bob@example.org")
    submit(suite, message("to bob"), ["postmaster@example.org"])
    b = imap(suite)
    wait_for(lambda: int(b.select("INBOX")[1][0]) == 1, "bob's copy")
    b.logout()

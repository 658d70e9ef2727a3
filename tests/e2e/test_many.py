"""1,000 messages of mixed size: after the trace fields that Postern puts in
front, the stored octets equal those sent.  Then mbsync and fetchmail."""

import hashlib
import imaplib
import os
import random
import re
import smtplib
import subprocess

import pytest

from postern import wait_for
from test_clients import strip_trace, submit, message

COUNT = int(os.environ.get("MESSAGES", "1000"))


def body_of(rng, i):
    if i == 7:
        size = 20 * 1024 * 1024
    else:
        size = int(10 ** rng.uniform(1, 4.5))
    lines = []
    while size > 0:
        n = min(size, rng.randrange(1, 200))
        lines.append(bytes(rng.choice(b".abcdefghijklmnop ")
                           for _ in range(min(n, 40))) * (n // 40 + 1))
        size -= len(lines[-1])
    return b"\r\n".join(lines) + b"\r\n"


def make(rng, i):
    head = (f"From: many@example.net\r\nMessage-ID: <{i}@example.net>\r\n"
            f"X-Number: {i}\r\n").encode()
    if i == 11:
        head += b"".join(b"X-Filler-%d: %s\r\n" % (j, b"f" * 900)
                         for j in range(220))
    if i == 13:
        return head + b"\r\n" + bytes(b for b in range(1, 256)
                                      if b not in (10, 13)) + b"\r\n"
    return head + b"\r\n" + body_of(rng, i)


def test_octets_survive(suite):
    rng = random.Random(11)
    sums = {}
    with smtplib.SMTP("127.0.0.1", suite.port("mx"), timeout=120) as c:
        c.ehlo("many.example.net")
        for i in range(COUNT):
            data = make(rng, i)
            sums[i] = hashlib.sha256(data).hexdigest()
            c.mail("many@example.net",
                   ["BODY=8BITMIME", f"SIZE={len(data)}"])
            c.rcpt("bob@example.org")
            code, text = c.docmd("DATA")
            assert code == 354
            stuffed = re.sub(rb"(?m)^\.", b"..", data)
            c.send(stuffed + b".\r\n")
            code, text = c.getreply()
            assert code == 250, (i, text)
    suite.wait_queue_empty(120)
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login("bob@example.org", "builder")
    assert int(c.select("INBOX", readonly=True)[1][0]) == COUNT
    seen = set()
    for n in range(1, COUNT + 1):
        octets = c.fetch(str(n), "(BODY.PEEK[])")[1][0][1]
        octets = strip_trace(octets)
        i = int(re.search(rb"^X-Number: (\d+)\r", octets, re.M).group(1))
        assert hashlib.sha256(octets).hexdigest() == sums[i], i
        seen.add(i)
    assert len(seen) == COUNT
    c.logout()


def test_mbsync_both_ways(suite, tmp_path):
    for i in range(3):
        submit(suite, message(f"sync {i}"))
    suite.wait_queue_empty()
    (tmp_path / "mail").mkdir()
    rc = tmp_path / "mbsyncrc"
    rc.write_text(f"""
IMAPAccount p
Host 127.0.0.1
Port {suite.port('imap')}
User bob@example.org
Pass builder
SSLType None
AuthMechs LOGIN

IMAPStore far
Account p

MaildirStore near
Path {tmp_path}/mail/
Inbox {tmp_path}/mail/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")

    def sync():
        done = subprocess.run(["mbsync", "-c", str(rc), "-a"], timeout=120,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    sync()
    new = tmp_path / "mail" / "INBOX" / "new"
    assert len(list(new.iterdir())) == 3
    # A message made on this side, and a flag.
    (tmp_path / "mail" / "INBOX" / "cur" / "1.own:2,S").write_bytes(
        b"Subject: from mbsync\n\nhello\n")
    one = next(new.iterdir())
    one.rename(tmp_path / "mail" / "INBOX" / "cur" / (one.name + ":2,F")
               if ":2," not in one.name else
               tmp_path / "mail" / "INBOX" / "cur" / (one.name + "F"))
    sync()
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login("bob@example.org", "builder")
    assert int(c.select("INBOX")[1][0]) == 4
    assert len(c.search(None, "SUBJECT", '"from mbsync"')[1][0].split()) == 1
    assert len(c.search(None, "FLAGGED")[1][0].split()) == 1
    c.logout()


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_fetchmail(suite, tmp_path, protocol):
    for i in range(3):
        submit(suite, message(f"fetch {i}"))
    suite.wait_queue_empty()
    out = tmp_path / "mbox"
    rc = tmp_path / "fetchmailrc"
    rc.write_text(f"""set no bouncemail
poll 127.0.0.1 protocol {protocol} port {suite.port(protocol)}
  auth password user "bob@example.org" password "builder"
  sslproto "" mda "cat >> {out}" fetchall
""")
    rc.chmod(0o600)
    done = subprocess.run(
        ["fetchmail", "-f", str(rc), "--pidfile", str(tmp_path / "pid"),
         "--idfile", str(tmp_path / "ids"), "-v"], timeout=120,
        capture_output=True, text=True,
        env=dict(os.environ, HOME=str(tmp_path), FETCHMAILHOME=str(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert out.read_bytes().count(b"Subject: fetch") == 3
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login("bob@example.org", "builder")
    assert int(c.select("INBOX")[1][0]) == 0
    c.logout()

"""What readers do all day, by imaplib and poplib: folders, flags, parts of
messages, searches; the maildrop."""

import imaplib
import poplib

import pytest

import postern

MESSAGE = (b"From: Ann <ann@example.net>\r\nTo: bob@example.org\r\n"
           b"Subject: one caf\xc3\xa9\r\n"
           b"Date: Mon, 2 Feb 2026 10:00:00 +0000\r\n"
           b"Message-ID: <one@example.net>\r\n\r\n"
           b"Hello b\xc3\xb6dy\r\nsecond line\r\n")
HEADER, BODY = MESSAGE.split(b"\r\n\r\n")
WHEN = '"01-Jan-2020 10:11:12 +0100"'


@pytest.fixture
def c(suite):
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"),
                      timeout=postern.DEADLINE)
    c.login("bob@example.org", "builder")
    yield c
    c.logout()


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def literals(answer):
    return [p[1] for p in ok(answer) if isinstance(p, tuple)]


def names(answer):
    return {line.rsplit(b" ", 1)[1].strip(b'"').decode()
            for line in ok(answer) if line is not None}


def test_append_and_fetch_back(c):
    ok(c.append("INBOX", r"(\Seen $Mine)", WHEN, MESSAGE))
    ok(c.select())
    line, octets = ok(c.fetch("1", "(FLAGS UID INTERNALDATE RFC822.SIZE "
                              "BODY.PEEK[])"))[0]
    assert octets == MESSAGE
    for part in (b"\\Seen", b"$Mine", b"UID 1", b"RFC822.SIZE %d" %
                 len(MESSAGE), b'" 1-Jan-2020 10:11:12 +0100"'):
        assert part in line
    assert literals(c.fetch("1", "(BODY[HEADER.FIELDS (SUBJECT X-NO)])")) \
        == [b"Subject: one caf\xc3\xa9\r\n\r\n"]
    rest = literals(c.fetch("1", "(BODY[HEADER.FIELDS.NOT (SUBJECT)])"))[0]
    assert b"Subject" not in rest and b"Message-ID" in rest
    assert literals(c.fetch("1", "(RFC822 RFC822.HEADER RFC822.TEXT)")) == \
        [MESSAGE, HEADER + b"\r\n\r\n", BODY]
    for section, want in (("TEXT", BODY), ("1", BODY),
                          ("HEADER", HEADER + b"\r\n\r\n"), ("", MESSAGE)):
        for start, n in ((0, 5), (3, 7), (0, 100000), (len(want), 5),
                         (len(want) - 1, 5)):
            got = ok(c.fetch("1", f"(BODY.PEEK[{section}]<{start}.{n}>)"))
            text = got[0][1] if isinstance(got[0], tuple) else b""
            assert text == want[start:start + n], (section, start, n)


def test_flags_uids_copy_expunge(c):
    for _ in range(3):
        ok(c.append("INBOX", None, None, MESSAGE))
    ok(c.select())
    ok(c.store("1", "FLAGS", r"(\Answered $X)"))
    ok(c.uid("STORE", "2:3", "+FLAGS", r"(\Deleted)"))
    ok(c.store("3", "-FLAGS.SILENT", r"(\Deleted)"))
    assert ok(c.uid("SEARCH", None, "DELETED")) == [b"2"]
    ok(c.create("Copies"))
    ok(c.uid("COPY", "1:2", "Copies"))
    assert ok(c.expunge()) == [b"2"]
    assert ok(c.uid("SEARCH", None, "ALL")) == [b"1 3"]
    assert ok(c.search(None, "KEYWORD", "$X")) == [b"1"]
    assert c.copy("1", "Nowhere")[0] == "NO"
    ok(c.check())
    ok(c.store("1", "+FLAGS", r"(\Deleted)"))
    ok(c.close())
    assert ok(c.select()) == [b"1"]
    assert ok(c.select("Copies", readonly=True)) == [b"2"]
    flags = b"".join(ok(c.fetch("1:2", "FLAGS")))
    assert b"\\Answered" in flags and b"$X" in flags and \
        b"\\Deleted" in flags
    ok(c.select())
    assert b"MESSAGES 2" in ok(c.status("Copies", "(MESSAGES UIDNEXT)"))[0]


def test_trees(c):
    for name in ("a", "a/b", "a/b/c", "Entw&APw-rfe"):
        ok(c.create(name))
    ok(c.append("a/b", None, None, MESSAGE))
    assert names(c.list()) == {"INBOX", "a", "a/b", "a/b/c", "Entw&APw-rfe"}
    assert names(c.list('""', "%")) == {"INBOX", "a", "Entw&APw-rfe"}
    ok(c.subscribe("a/b"))
    ok(c.rename("a", "z"))
    assert names(c.list('""', "z*")) == {"z", "z/b", "z/b/c"}
    assert names(c.list('""', "a*")) == set()
    ok(c.subscribe("z/b"))
    assert "z/b" in names(c.lsub())
    ok(c.unsubscribe("z/b"))
    assert "z/b" not in names(c.lsub())
    assert ok(c.select("z/b")) == [b"1"]
    ok(c.unselect())
    # What has children leaves its name behind.
    ok(c.delete("z/b"))
    assert any(b"\\Noselect" in l for l in ok(c.list('""', "z/b")))
    assert c.select("z/b")[0] == "NO"
    ok(c.delete("z/b/c"))
    for refused in (c.delete("INBOX"), c.create("INBOX"), c.create("z"),
                    c.rename("none", "other"), c.rename("z", "INBOX"),
                    c.delete("none")):
        assert refused[0] == "NO", refused


SEARCHES = [
    ("ALL", b"1 2"), ("SEEN", b"1"), ("UNSEEN", b"2"), ("NOT SEEN", b"2"),
    ("SINCE 1-Jan-2020 BEFORE 2-Jan-2020", b"1"), ("ON 1-Jan-2020", b"1"),
    ("SENTON 2-Feb-2026", b"1"), ("SENTBEFORE 2-Feb-2026", b""),
    ("SENTSINCE 2-Feb-2026", b"1"), (f"LARGER {len(MESSAGE) - 1}", b"1"),
    (f"LARGER {len(MESSAGE)}", b""), (f"SMALLER {len(MESSAGE)}", b"2"),
    ("UID 2:*", b"2"), ("1", b"1"), ("SUBJECT ONE", b"1"),
    ("FROM ann", b"1"), ("TO bob CC x", b""), ("BODY HELLO", b"1"),
    ("BODY Subject", b""), ("TEXT Subject", b"1 2"),
    ("HEADER Message-ID one@", b"1"), ('HEADER Message-ID ""', b"1"),
    ("OR SEEN SUBJECT two", b"1 2"), ("(SEEN NOT DELETED) 1:2", b"1"),
]


def test_search(c):
    ok(c.append("INBOX", r"(\Seen)", WHEN, MESSAGE))
    ok(c.append("INBOX", None, None, b"Subject: two\r\n\r\nbye\r\n"))
    ok(c.select())
    for key, want in SEARCHES:
        assert ok(c.search(None, key)) == [want], key
    for key, text, want in (("SUBJECT", "café", b"1"), ("BODY", "böd", b"1"),
                            ("BODY", "bäd", b"")):
        c.literal = text.encode()
        assert ok(c.search("UTF-8", key)) == [want], text
    assert c.search("KOI8-R", "ALL")[0] == "NO"


ENCODED = (b"From: =?iso-8859-1?q?J=FCrgen?= <j@example.net>\r\n"
           b"Subject: =?shift_jis?b?k/qWew==?=\r\n"
           b"Content-Type: text/plain; charset=koi8-r\r\n"
           b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
           b"=F0=D2=C9=D7=C5=D4\r\n")


def test_search_decodes(c):
    """In the sandbox of an owner, where no file of ICU could be opened."""
    ok(c.append("INBOX", None, None, ENCODED))
    ok(c.append("INBOX", None, None, MESSAGE))
    ok(c.select())
    for key, text, want in (("FROM", "jÜRGEN", b"1"),
                            ("SUBJECT", "日本", b"1"),
                            ("BODY", "привет", b"1"),
                            ("TEXT", "ПРИВЕТ", b"1"),
                            ("TEXT", "CAFÉ", b"2"),
                            ("BODY", "D2=C9", b"")):
        c.literal = text.encode()
        assert ok(c.search("UTF-8", key)) == [want], text


def maildrop(suite):
    """A session alone with it, once one that lost its connection is gone."""
    def let_in():
        p = poplib.POP3("127.0.0.1", suite.port("pop3"),
                        timeout=postern.DEADLINE)
        p.user("bob@example.org")
        try:
            p.pass_("builder")
        except poplib.error_proto as e:
            p.close()
            assert b"[IN-USE]" in e.args[0], e
            return None
        return p
    return postern.wait_for(let_in, "the lock is gone")


def test_maildrop(suite, c):
    for i in range(3):
        ok(c.append("INBOX", None, None, MESSAGE + b".dot\r\n..\r\n" * i))
    p = maildrop(suite)
    assert {"UIDL", "TOP", "USER", "PIPELINING"} <= set(p.capa())
    assert p.stat()[0] == 3
    assert p.list()[1][0] == b"1 %d" % len(MESSAGE)
    uids = [l.split()[1] for l in p.uidl()[1]]
    assert len(set(uids)) == 3
    assert p.uidl(2).split()[-1] == uids[1]
    assert b"\r\n".join(p.retr(3)[1]) + b"\r\n" == \
        MESSAGE + b".dot\r\n..\r\n" * 2
    head = HEADER.split(b"\r\n") + [b""]
    assert p.top(1, 0)[1] == head
    assert p.top(1, 1)[1] == head + BODY.split(b"\r\n")[:1]
    p.noop()
    p.dele(1)
    for gone in (lambda: p.retr(1), lambda: p.dele(1), lambda: p.list(1),
                 lambda: p.retr(4), lambda: p.top(0, 1)):
        with pytest.raises(poplib.error_proto):
            gone()
    p.rset()
    assert p.stat()[0] == 3
    p.dele(1)
    p.close()
    # Without QUIT nothing is deleted.
    p = maildrop(suite)
    assert p.stat()[0] == 3
    p.dele(2)
    p.quit()
    p = maildrop(suite)
    assert [l.split()[1] for l in p.uidl()[1]] == [uids[0], uids[2]]
    p.quit()


def test_expunged_while_sent(suite, c):
    """A message that another session expunges while it is being sent, by
    IMAP and by POP3, comes whole."""
    line = b"x" * 78 + b"\r\n"
    large = b"Subject: large\r\n\r\n" + line * (20 * 2 ** 20 // len(line))
    ok(c.append("INBOX", None, None, large))
    ok(c.append("INBOX", None, None, large))
    ok(c.select())
    p = maildrop(suite)
    p._putcmd("RETR 1")
    c.send(b"x1 FETCH 2 (BODY.PEEK[] UID)\r\n")
    first = c.read(1000000)
    other = imaplib.IMAP4("127.0.0.1", suite.port("imap"),
                          timeout=postern.DEADLINE)
    other.login("bob@example.org", "builder")
    ok(other.select())
    ok(other.store("1:2", "+FLAGS.SILENT", r"(\Deleted)"))
    assert ok(other.expunge()) == [b"1", b"1"]
    other.logout()
    head, octets = first.split(b"\r\n", 1)
    assert head == b"* 2 FETCH (BODY[] {%d}" % len(large)
    octets += c.read(len(large) - len(octets))
    assert octets == large
    assert c.readline() == b" UID 2)\r\n"
    assert c.readline().startswith(b"x1 OK")
    assert b"\r\n".join(p._getlongresp()[1]) + b"\r\n" == large
    p.quit()

"""Nobody learns of another's folders, nor touches them: each command that
takes a name answers alike for what somebody else has and for what nobody
has.  The commands are read from the table in the source, so that a new one
cannot be forgotten.  ATTACKS F-08."""

import imaplib
import os
import re

import pytest

import postern

HERS, NOBODYS = b"Secret", b"Secres"        # lists have an order
FORMS = [b"%s", b"#user/alice@example.org/%s", b"user/alice@example.org/%s",
         b"user.alice.%s", b"~alice/%s", b"~alice@example.org/%s",
         b"Other Users/alice@example.org/%s", b"Shared/%s", b"/%s", b"../%s",
         b"../1/%s", b"../../1/1/%s", b"alice@example.org/%s",
         b"%s/alice@example.org", b"%s\\", b"%s&AC8-x"]
TEXT = b"A: b\r\n\r\nx\r\n"

# What is said with a name N, in a session that has INBOX selected.
NAMED = {
    "APPEND": [b"APPEND N {%d+}\r\n" % len(TEXT) + TEXT,
               b"APPEND N (\\Seen) {%d+}\r\n" % len(TEXT) + TEXT],
    "COPY": [b"COPY 1 N", b"UID COPY 1 N"],
    "CREATE": [b"CREATE N"],
    "DELETE": [b"DELETE N"],
    "EXAMINE": [b"EXAMINE N"],
    "GETQUOTA": [b"GETQUOTA N"],
    "GETQUOTAROOT": [b"GETQUOTAROOT N"],
    "LIST": [b'LIST "" N', b"LIST N *", b"LIST N %"],
    "LSUB": [b'LSUB "" N', b"LSUB N *"],
    "RENAME": [b"RENAME N Mine", b"RENAME INBOX N", b"RENAME N N"],
    "SELECT": [b"SELECT N"],
    "STATUS": [b"STATUS N (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"],
    "SUBSCRIBE": [b"SUBSCRIBE N"],
    "UNSUBSCRIBE": [b"UNSUBSCRIBE N"],
    # No name is theirs to take, but one may be given.
    "SEARCH": [b"SEARCH IN N ALL", b"SEARCH TEXT N"],
    "NAMESPACE": [b"NAMESPACE N"],
    "ID": [b'ID ("user" N)'],
}
NAMELESS = {"AUTHENTICATE", "CAPABILITY", "CHECK", "CLOSE", "EXPUNGE",
            "FETCH", "IDLE", "LOGIN", "LOGOUT", "NOOP", "STORE", "UNSELECT"}


def table():
    with open(os.path.join(postern.ROOT, "imapd", "command.c")) as f:
        return re.findall(r'STR_INIT\("([A-Z]+)"\)', f.read())


class Bob:
    """A session of somebody who has but INBOX with one message."""

    def __init__(self, inst):
        self.c = imaplib.IMAP4("127.0.0.1", inst.port("imap"),
                               timeout=postern.DEADLINE)
        self.c.login("bob@example.org", "builder")

    def say(self, line):
        """All that is answered, with the tag's own line."""
        self.c.send(b"t " + line + b"\r\n")
        got = b""
        while not got.endswith(b"\r\n") or \
                not re.search(rb"^t .*\r\n\Z", got, re.M):
            got += self.c.readline()
        return got

    def fresh(self):
        names = re.findall(rb'^\* LIST .* "/" "(.*)"\r$',
                           self.say(b'LIST "" *'), re.M)
        for name in sorted(names, reverse=True):
            if name != b"INBOX":
                assert b"t OK" in self.say(b'DELETE "' + name + b'"')
        for name in re.findall(rb'^\* LSUB .* "/" "(.*)"\r$',
                               self.say(b'LSUB "" *'), re.M):
            self.say(b'UNSUBSCRIBE "' + name + b'"')
        self.say(b"SELECT INBOX")
        self.say(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        self.say(b"EXPUNGE")
        self.say(b"APPEND INBOX {%d+}\r\n" % len(TEXT) + TEXT)
        self.say(b"NOOP")

    def close(self):
        self.c.shutdown()


def quoted(name):
    return b'"' + name.replace(b"\\", b"\\\\") + b'"'


def answer(bob, line, form, name):
    """What changes from time to time is taken out, and the name."""
    bob.fresh()
    got = bob.say(line.replace(b"N", quoted(form % name)))
    got += bob.say(b'LIST "" *') + bob.say(b'LSUB "" *')
    got = re.sub(rb"(UIDVALIDITY|UIDNEXT|APPENDUID|COPYUID) [\d :,]+",
                 rb"\1 x", got)
    return got.replace(name, b"NAME")


def all_of_hers(suite):
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"),
                      timeout=postern.DEADLINE)
    c.login("alice@example.org", "wonderland")
    found = [c.list()[1], c.lsub()[1]]
    for name in ("INBOX", HERS.decode()):
        c.select(name, readonly=True)
        found += [c.fetch("1:*", "(UID FLAGS BODY.PEEK[])"),
                  c.response("UIDVALIDITY")]
    c.logout()
    return found


def test_the_table_is_all_here():
    assert set(table()) == set(NAMED) | NAMELESS
    assert not set(NAMED) & NAMELESS


@pytest.fixture(scope="module")
def suite():
    with postern.Instance() as inst:
        inst.add_domain()
        inst.add_user("alice@example.org", "wonderland")
        inst.add_user("bob@example.org", "builder")
        c = imaplib.IMAP4("127.0.0.1", inst.port("imap"))
        c.login("alice@example.org", "wonderland")
        c.create(HERS.decode())
        c.subscribe(HERS.decode())
        for name in ("INBOX", HERS.decode()):
            assert c.append(name, None, None, TEXT)[0] == "OK"
        c.logout()
        yield inst


@pytest.mark.parametrize("command", sorted(NAMED))
def test_no_difference(suite, command):
    before = all_of_hers(suite)
    bob = Bob(suite)
    for line in NAMED[command]:
        for form in FORMS:
            hers = answer(bob, line, form, HERS)
            assert hers == answer(bob, line, form, NOBODYS), (line, form)
    bob.close()
    assert all_of_hers(suite) == before
    assert len(suite.lines(" owner ", "fatal")) == 0

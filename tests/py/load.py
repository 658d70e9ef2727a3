"""Mail in flight while things break: senders that keep a ledger of what was
sent and what was acknowledged, and the check of mailboxes against it."""

import imaplib
import poplib
import re
import smtplib
import socket
import threading

from postern import DEADLINE, wait_for

ID = re.compile(rb"^X-Ledger: (\S+)", re.M)
QID = re.compile(rb"[0-9a-z]{13}")


class Ledger:
    """Of one run: id -> qid for the acknowledged, ids of the uncertain."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acked = {}
        self.uncertain = set()
        self.boxes = {}     # id -> the mailboxes that are to have it
        self.refused = 0
        self.open = 0

    def begin(self):
        with self.lock:
            self.open += 1

    def end(self):
        with self.lock:
            self.open -= 1

    def doubt(self, user, *idents):
        """Others' messages, that may be there or not."""
        self.uncertain |= set(idents)
        self.boxes |= dict.fromkeys(idents, [user])


def both(a, b):
    """A ledger of two loads, whose ids differ."""
    out = Ledger()
    out.acked = a.acked | b.acked
    out.uncertain = a.uncertain | b.uncertain
    out.boxes = a.boxes | b.boxes
    return out


class Sender(threading.Thread):
    """Sends one message after the other to the mx port; never resends.
    Boxes: whose mailboxes the recipient leads to, if it is an alias."""

    def __init__(self, inst, ledger, name, rcpt, size=2000, boxes=None):
        super().__init__(daemon=True)
        self.boxes = boxes or [rcpt]
        self.inst, self.ledger, self.id = inst, ledger, name
        self.rcpt, self.size = rcpt, size
        self.halt = threading.Event()
        self.count = 0

    def message(self, ident):
        return (f"From: a@example.net\r\nX-Ledger: {ident}\r\n"
                f"Subject: {ident}\r\n\r\n").encode() + \
            b"0123456789abcdef\r\n" * (self.size // 18 // 4)

    def one(self, c):
        ident = f"{self.id}-{self.count}"
        self.count += 1
        sent = False
        self.ledger.boxes[ident] = self.boxes
        self.ledger.begin()
        try:
            code, _ = c.mail("a@example.net")
            if code == 250:
                code, _ = c.rcpt(self.rcpt)
            if code == 250:
                sent = True
                code, text = c.data(self.message(ident))
            with self.ledger.lock:
                if code == 250 and sent:
                    self.ledger.acked[ident] = QID.search(text).group()
                else:
                    # A 4xx to the dot says "not taken".  If the queue died
                    # before it could say so, it may hold it all the same.
                    if sent:
                        self.ledger.uncertain.add(ident)
                    self.ledger.refused += 1
            if code != 250:
                c.rset()
        except (OSError, smtplib.SMTPException, AttributeError):
            if sent:
                with self.ledger.lock:
                    self.ledger.uncertain.add(ident)
            raise
        finally:
            self.ledger.end()

    def run(self):
        while not self.halt.is_set():
            try:
                c = smtplib.SMTP("127.0.0.1", self.inst.port("mx"),
                                 timeout=DEADLINE)
                c.ehlo("load.example.net")
                while not self.halt.is_set():
                    self.one(c)
                c.close()
            except (OSError, smtplib.SMTPException, AttributeError):
                self.halt.wait(0.02)


class Load:
    """Aliases: name -> its mailboxes; each has a sender of its own."""

    def __init__(self, inst, rcpts, senders=4, size=2000, tag="",
                 aliases=None):
        self.ledger = Ledger()
        self.senders = [Sender(inst, self.ledger, f"{tag}s{i}",
                               rcpts[i % len(rcpts)], size)
                        for i in range(senders)]
        self.senders += [Sender(inst, self.ledger, f"{tag}a{i}", alias, size,
                                boxes)
                         for i, (alias, boxes) in
                         enumerate((aliases or {}).items())]

    def __enter__(self):
        for s in self.senders:
            s.start()
        return self

    def __exit__(self, *exc):
        for s in self.senders:
            s.halt.set()
        for s in self.senders:
            s.join(DEADLINE * 2)
            assert not s.is_alive(), "a sender hangs"

    def acked(self):
        return len(self.ledger.acked)

    def wait_more(self, n=20):
        """Until n more messages were acknowledged."""
        goal = self.acked() + n
        wait_for(lambda: self.acked() >= goal, f"{n} more accepted", 120)


class Reaper(threading.Thread):
    """Reads one mailbox by IMAP and expunges all that it has read, so that
    there is always something to compact.  `gone` was expunged and said so;
    of `maybe` the answer did not come; `again` came back."""

    def __init__(self, inst, user, password):
        super().__init__(daemon=True)
        self.inst, self.user, self.password = inst, user, password
        self.halt = threading.Event()
        self.gone, self.maybe, self.again = set(), set(), set()

    def one(self, c):
        c.noop()
        typ, data = c.uid("fetch", "1:*",
                          "(BODY.PEEK[HEADER.FIELDS (X-LEDGER)])")
        found = {re.search(rb"UID (\d+)", p[0] + data[i + 1]).group(1):
                 ID.search(p[1]).group(1).decode()
                 for i, p in enumerate(data) if isinstance(p, tuple)}
        if typ != "OK" or not found:
            return False
        batch = set(found.values())
        self.again |= batch & self.gone
        self.maybe |= batch
        uids = b",".join(found).decode()
        if c.uid("store", uids, "+FLAGS.SILENT", "(\\Deleted)")[0] == "OK" \
                and c.expunge()[0] == "OK":
            self.gone |= batch
        return True

    def run(self):
        while not self.halt.is_set():
            try:
                c = imaplib.IMAP4("127.0.0.1", self.inst.port("imap"),
                                  timeout=DEADLINE)
                c.login(self.user, self.password)
                c.select("INBOX")
                while not self.halt.is_set():
                    if not self.one(c):
                        self.halt.wait(0.05)
                c.shutdown()
            except (OSError, imaplib.IMAP4.error):
                self.halt.wait(0.02)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.halt.set()
        self.join(DEADLINE * 2)
        assert not self.is_alive(), "a reader hangs"


def check_reaped(ledger, boxes, reapers):
    """As check(), with mailboxes from which readers have expunged."""
    copies, gone, maybe = {}, set(), set()
    for r in reapers:
        assert not r.again, f"expunged and here again: {list(r.again)[:5]}"
        gone |= r.gone
        maybe |= r.maybe
    for box in boxes:
        for ident, fields in box.items():
            copies.setdefault(ident, []).extend(fields)
    lost = [i for i in ledger.acked if i not in copies and i not in maybe]
    twice = [i for i, f in copies.items() if len(f) > 1 or i in gone]
    assert not lost, f"acknowledged and lost: {lost[:5]} of {len(lost)}"
    assert not twice, f"twice, or back again: {twice[:5]} of {len(twice)}"


def headers(inst, user, password):
    """id -> list of the qids in the Received fields, for each copy."""
    def connect():
        try:
            c = imaplib.IMAP4("127.0.0.1", inst.port("imap"))
            c.login(user, password)
            return c
        except (OSError, imaplib.IMAP4.error):
            return None
    c = wait_for(connect, "a login by IMAP")
    c.select("INBOX", readonly=True)
    typ, data = c.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS "
                               "(X-LEDGER RECEIVED)])")
    assert typ == "OK"
    found = {}
    for part in data:
        if isinstance(part, tuple):
            ident = ID.search(part[1]).group(1).decode()
            found.setdefault(ident, []).append(part[1])
    c.logout()
    return found


def check(ledger, boxes):
    """boxes: user -> what headers() gave, of all mailboxes in use."""
    for user, box in boxes.items():
        twice = [i for i, f in box.items() if len(f) > 1]
        alien = [i for i in box if user not in ledger.boxes.get(i, ()) or
                 (i not in ledger.acked and i not in ledger.uncertain)]
        assert not twice, f"{user}: twice: {twice[:5]} of {len(twice)}"
        assert not alien, f"{user}: never sent: {alien[:5]}"
    copies = [(ident, boxes[user].get(ident))
              for ident in ledger.acked for user in ledger.boxes[ident]]
    lost = [ident for ident, fields in copies if fields is None]
    assert not lost, f"acknowledged and lost: {lost[:5]} of {len(lost)}"
    for ident, fields in copies:
        qid = ledger.acked[ident]
        assert qid in fields[0], \
            f"{ident}: not under the qid of its 250, {qid.decode()}"


class Logins(threading.Thread):
    """Logs in and reads, by turns by IMAP and POP3, whatever is away."""

    def __init__(self, inst, user, password):
        super().__init__(daemon=True)
        self.inst, self.user, self.password = inst, user, password
        self.halt = threading.Event()
        self.good = 0

    def imap(self):
        c = imaplib.IMAP4("127.0.0.1", self.inst.port("imap"),
                          timeout=DEADLINE)
        c.login(self.user, self.password)
        assert c.select("INBOX", readonly=True)[0] == "OK"
        c.logout()

    def pop3(self):
        c = poplib.POP3("127.0.0.1", self.inst.port("pop3"),
                        timeout=DEADLINE)
        c.user(self.user)
        c.pass_(self.password)
        c.stat()
        c.quit()

    def run(self):
        kinds = [self.imap, self.pop3]
        while not self.halt.is_set():
            try:
                kinds[self.good % 2]()
                self.good += 1
            except (OSError, imaplib.IMAP4.error, poplib.error_proto):
                self.halt.wait(0.02)

    def wait_more(self, n=2):
        goal = self.good + n
        wait_for(lambda: self.good >= goal, f"{n} more logins", 120)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.halt.set()
        self.join(DEADLINE * 2)
        assert not self.is_alive(), "a login hangs"

"""What every process has open after work: the documented kinds and no more,
closed on exec, of nobody else's, and no more after 200 rounds than after a
few.  ATTACKS K-05."""

import imaplib
import os
import poplib
import re
import smtplib
import stat

import pytest

import inside
import postern
from inside import kind_of, processes
from postern import wait_for

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="other users' descriptors need root")

USERS = ("alice@example.org", "wonderland"), ("bob@example.org", "builder")
FEW, MANY = 10, 200

SOCKET = r"socket:\[\d+\]"
# What all daemons have: their streams, a loop, what the starter passed.
COMMON = [r"/dev/null", r"LOG", SOCKET, r"pipe:\[\d+\]",
          r"anon_inode:\[eventpoll\]", r"DIR/lock", r"DIR/run/NAME"]
BASE = r"DIR/store/0/1/\d+"
KINDS = {
    "authd": COMMON + [r"DIR/directory", r"DIR/directory/log\.\d+",
                       r"DIR/directory/directory\.db"],
    "queued": COMMON + [r"DIR/queue", r"DIR/queue/(lock|log|bulk)",
                        r"DIR/queue/log/\d+\.seg"],
    "zygote": COMMON + [r"DIR/store"],
    "mailboxd": COMMON, "route": COMMON, "local": COMMON,
    "smtpd": COMMON, "imapd": COMMON, "pop3d": COMMON,
    "owner": [r"/dev/null", r"LOG", SOCKET, r"pipe:\[\d+\]",
              r"anon_inode:\[eventpoll\]", BASE,
              BASE + r"/(lock|log|index)", BASE + r"/log/\d+\.seg",
              BASE + r"/index/(log\.\d+|index\.db)"],
    # Forked before the rest is open: hash workers, queued's bulk helper.
    "authd's child": [r"/dev/null", r"LOG", SOCKET, r"DIR/run/authd"],
    "queued's child": [r"/dev/null", r"LOG", SOCKET, r"DIR/queue",
                       r"DIR/queue/bulk", r"DIR/run/queued"],
    # An owner's helper.
    "zygote's child": [r"/dev/null", r"LOG", SOCKET, BASE + r"/log"],
}


def pattern(suite, name, text):
    return (text.replace("DIR", re.escape(suite.dir))
            .replace("LOG", re.escape(suite.log_path))
            .replace("NAME", name))


def one_round(suite, i):
    """A login, and a message, of each kind; half of them just vanish."""
    (alice, secret), (bob, other) = USERS
    smtp = smtplib.SMTP("127.0.0.1", suite.port("submission"))
    smtp.login(alice, secret)
    smtp.sendmail(alice, [bob, alice],
                  f"Subject: {i}\r\n\r\n" +
                  "x" * 70 + "\r\n" * (150000 if i % 50 == 7 else 1))
    imap = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    imap.login(alice, secret)
    imap.select("INBOX")
    pop = poplib.POP3("127.0.0.1", suite.port("pop3"))
    pop.user(bob)
    pop.pass_(other)
    pop.stat()
    if i % 2:
        smtp.quit()
        imap.logout()
        pop.quit()
    else:
        smtp.close()
        imap.shutdown()
        pop.close()


def count(suite):
    return {name: len(inside.descriptors(pid))
            for name, pid in processes(suite).items()}


@pytest.fixture(scope="module")
def worked():
    """After MANY rounds; with what was open after a FEW."""
    with postern.Instance() as suite:
        suite.add_domain()
        for user, password in USERS:
            suite.add_user(user, password)
        held = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
        held.login(*USERS[0])
        other = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
        other.login(*USERS[1])
        for i in range(FEW):
            one_round(suite, i)
        suite.wait_queue_empty()
        few = settled(suite)
        for i in range(FEW, MANY):
            one_round(suite, i)
        suite.wait_queue_empty()
        yield suite, few
        held.shutdown()
        other.shutdown()


def settled(suite):
    """Counts when everybody has nothing to do and no session lingers."""
    return inside.rest(lambda: processes(suite).values(),
                       lambda: count(suite), step=0.1)


def test_no_growth(worked):
    suite, few = worked
    more = {}

    def none():
        now = count(suite)
        more.clear()
        more.update({n: (few.get(n), c) for n, c in now.items()
                     if c > few.get(n, 0)})
        return not more
    try:
        wait_for(none, "no more than after a few", step=0.1)
    except postern.Late:
        assert not more


def test_only_the_documented_kinds(worked):
    suite, _ = worked
    wrong = []
    for name, pid in processes(suite).items():
        kinds = [pattern(suite, name, k) for k in KINDS[kind_of(name)]]
        for d in inside.descriptors(pid):
            if not any(re.fullmatch(k, d.link) for k in kinds):
                wrong.append(f"{name} {d.fd}: {d.link}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_all_close_on_exec(worked):
    suite, _ = worked
    wrong = [f"{name} {d.fd}: {d.link}"
             for name, pid in processes(suite).items()
             for d in inside.descriptors(pid)
             if d.fd > 2 and not d.closes_on_exec()]
    assert not wrong, "\n" + "\n".join(wrong)


def test_owners_hold_their_own_mailbox_alone(worked):
    suite, _ = worked
    owners = {n: p for n, p in processes(suite).items()
              if n.startswith("owner-")}
    assert len(owners) == 2
    for name, pid in owners.items():
        own = os.path.join(suite.dir, "store/0/1", name[len("owner-"):])
        for d in inside.descriptors(pid):
            if d.link.startswith(suite.dir):
                assert d.link == own or d.link.startswith(own + "/"), \
                    (name, d.fd, d.link)


def test_nobody_can_write_what_is_passed_to_read(worked):
    """Directories, the lock and the configuration: for reading alone."""
    suite, _ = worked
    wrong = []
    for name, pid in processes(suite).items():
        for d in inside.descriptors(pid):
            passed = d.kind == stat.S_IFDIR or \
                d.link == os.path.join(suite.dir, "lock")
            if passed and d.is_writable():
                wrong.append(f"{name} {d.fd}: {d.link}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_each_daemon_has_a_lock_of_its_own(worked):
    """The next start waits for all of them, and none can end another's."""
    suite, _ = worked
    held = {}
    everybody = dict({d: r["pid"] for d, r in suite.status().items()},
                     starter=suite.proc.pid)
    for name, pid in everybody.items():
        for d in inside.descriptors(pid):
            if d.link == os.path.join(suite.dir, "lock"):
                held.setdefault(name, []).extend(d.locks)
    assert held.pop("starter") == ["WRITE 0 0"]
    assert held == {name: ["READ 1 EOF"] for name in everybody
                    if name != "starter"}

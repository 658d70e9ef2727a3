"""Sessions and their owners: they go on without monitor and zygote, are told
what others do, are silent when idle and end in time."""

import imaplib
import os
import poplib
import smtplib
import socket
import subprocess
import threading

import pytest

import inside
import postern
from postern import wait_for

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"


def log_in(inst, user="bob@example.org", password="builder"):
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"),
                      timeout=postern.DEADLINE)
    c.login(user, password)
    c.select()
    return c


def deliver(inst, to="bob@example.org"):
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.sendmail("a@example.net", [to], MESSAGE)


def goes_on(c):
    """The session does everything it did before, or this raises."""
    before = int(c.select()[1][0])
    assert c.append("INBOX", None, None, MESSAGE)[0] == "OK"
    assert c.noop()[0] == "OK"
    assert int(c.select()[1][0]) == before + 1
    parts = c.fetch(str(before + 1), "(BODY.PEEK[])")[1]
    assert parts[0][1] == MESSAGE


def test_sessions_go_on_without_monitor_and_zygote(suite):
    c = log_in(suite)
    owners = suite.owners()
    assert len(owners) == 1
    for daemon in ("mailboxd", "zygote", "mailboxd"):
        goes_on(c)
        old = suite.kill_daemon(daemon)
        goes_on(c)
        suite.wait_back(daemon, old)
        goes_on(c)
        os.kill(owners[0], 0)
    # The new monitor knows the old owner: a delivery and a second session
    # reach the same process.
    count = int(c.select()[1][0])
    deliver(suite)
    suite.wait_queue_empty()
    d = log_in(suite)
    assert int(d.select()[1][0]) == count + 1
    os.kill(owners[0], 0)
    assert not [p for p in suite.owners() if p != owners[0]]
    d.logout()
    c.logout()


def wait_line(c, want):
    line = c.readline()
    assert line == want, line


def idle(c):
    c.send(b"i1 IDLE\r\n")
    assert c.readline().startswith(b"+ ")


def no_more_idle(c):
    c.send(b"DONE\r\n")
    assert c.readline().startswith(b"i1 OK ")


def test_idle_is_told_what_others_do(suite):
    a, b = log_in(suite), log_in(suite)
    idle(a)
    deliver(suite)
    wait_line(a, b"* 1 EXISTS\r\n")
    wait_line(a, b"* 1 RECENT\r\n")
    b.noop()
    b.store("1", "+FLAGS", r"(\Flagged)")
    wait_line(a, b"* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))\r\n")
    b.append("INBOX", None, None, MESSAGE)
    wait_line(a, b"* 2 EXISTS\r\n")
    b.store("1", "+FLAGS.SILENT", r"(\Deleted)")
    wait_line(a, b"* 1 FETCH (UID 1 FLAGS (\\Flagged \\Deleted \\Recent))"
              b"\r\n")
    b.expunge()
    wait_line(a, b"* 1 EXPUNGE\r\n")
    wait_line(a, b"* 0 RECENT\r\n")
    no_more_idle(a)
    assert a.select()[1] == [b"1"]
    b.logout()
    a.logout()


traced = pytest.mark.skipif(
    os.geteuid() != 0,
    reason="to trace a process that is not dumpable needs root")
WITH_NOTHING_TO_DO = 2.5
# x86-64: epoll_wait, epoll_pwait.
EPOLL = (232, 281)


def calls_made(pid, trace):
    """The system calls of a process in some seconds."""
    p = subprocess.Popen(["strace", "-o", str(trace), "-p", str(pid)],
                         stderr=subprocess.PIPE)
    assert b"attached" in p.stderr.readline()
    try:
        p.wait(WITH_NOTHING_TO_DO)
    except subprocess.TimeoutExpired:
        p.terminate()
        p.wait()
    p.stderr.close()
    return [l for l in trace.read_text().splitlines() if "(" in l]


def next_timer(pid):
    """Seconds from the wait that it is in until its first timer; 0 while it
    is not in one, and for ever if it has none."""
    with open(f"/proc/{pid}/syscall") as f:
        words = f.read().split()
    if words[0] not in map(str, EPOLL):
        return 0
    ms = int(words[4], 16) & 0xffffffff
    return float("inf") if ms == 0xffffffff else ms / 1000


def assert_at_rest(owner, seconds, trace):
    """No timer but the one that is `seconds` away, and no system call."""
    assert not [d.link for d in inside.descriptors(owner)
                if "timerfd" in d.link]
    wait_for(lambda: next_timer(owner) > seconds - 100, "it comes to rest",
             deadline=20)
    calls = calls_made(owner, trace)
    # The one it sat in.
    assert len(calls) <= 1, calls
    wait_for(lambda: next_timer(owner) > seconds - 100, "it still rests",
             deadline=5)
    assert next_timer(owner) <= seconds


@traced
def test_an_idle_owner_makes_no_system_call(suite, tmp_path):
    a = log_in(suite)
    idle(a)
    owner, = suite.owners()
    # mailbox.imap_idle
    assert_at_rest(owner, 30 * 60, tmp_path / "trace")
    no_more_idle(a)
    a.logout()


@traced
@pytest.mark.parametrize("work", ["login", "append", "delivery"])
def test_a_lingering_owner_makes_no_system_call(tmp_path, work):
    """Nobody is logged in: the end of its linger is all that it waits for."""
    linger = 30 * 60
    # By so small a quota each message is news, and reported at once.
    with postern.Instance(settings={"mailbox.linger": str(linger),
                                    "quota.messages": "10"}) as inst:
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        if work == "delivery":
            deliver(inst)
            inst.wait_queue_empty()
        else:
            c = log_in(inst)
            if work == "append":
                assert c.append("INBOX", None, None, MESSAGE)[0] == "OK"
            c.logout()
        owner, = inst.owners()
        assert_at_rest(owner, linger, tmp_path / "trace")
        assert inst.owners() == [owner]


def test_an_owner_ends_when_nobody_needs_it():
    with postern.Instance(settings={"mailbox.linger": "1"}) as inst:
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        deliver(inst)
        inst.logged(" owner ", " delivered ")
        wait_for(lambda: not inst.owners(), "it ends")
        c = log_in(inst)
        assert int(c.select()[1][0]) == 1
        idle(c)
        owner, = inst.owners()
        deliver(inst)
        wait_line(c, b"* 2 EXISTS\r\n")
        os.kill(owner, 0)
        c.shutdown()
        wait_for(lambda: not inst.owners(), "it ends again")
        assert not [l for l in inst.lines(" mailboxd warn ")
                    if "authd is slow" not in l]
        assert not inst.lines(" owner warn ")


def test_a_stop_under_load_loses_nothing(suite):
    taken, stop = [], threading.Event()

    def send(no):
        count = 0
        while not stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", suite.port("mx")) as c:
                    c.ehlo("client.example.net")
                    while True:
                        count += 1
                        c.mail("a@example.net")
                        c.rcpt("bob@example.org")
                        code, _ = c.data(b"Subject: %d-%d\r\n\r\nx\r\n" %
                                         (no, count))
                        if code == 250:
                            taken.append(b"%d-%d" % (no, count))
            except (smtplib.SMTPException, OSError):
                stop.wait(0.01)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    wait_for(lambda: len(taken) > 200, "some mail")
    code = suite.stop()
    stop.set()
    for t in threads:
        t.join()
    assert code == 0
    assert not suite.lines("do not stop"), "it had to be killed"
    suite.start()
    suite.wait_queue_empty()
    c = log_in(suite)
    fields = c.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    got = [f[1].split()[1] for f in fields if isinstance(f, tuple)]
    c.logout()
    assert len(got) == len(set(got))
    assert set(taken) <= set(got)


def test_a_stop_is_told_to_who_dawdles(suite):
    """An envelope begun, content begun: both hear 421, nothing is killed."""
    clients = []
    for last in (b"MAIL FROM:<a@example.net>\r\n",
                 b"MAIL FROM:<a@example.net>\r\n"
                 b"RCPT TO:<bob@example.org>\r\nDATA\r\n"):
        s = socket.create_connection(("127.0.0.1", suite.port("mx")),
                                     postern.DEADLINE)
        f = s.makefile("rb")
        f.readline()
        s.sendall(b"HELO client.example.net\r\n" + last)
        for _ in range(1 + last.count(b"\r\n")):
            assert f.readline()[:1] in (b"2", b"3")
        clients.append((s, f))
    clients[1][0].sendall(b"Subject: half\r\n")
    assert suite.stop() == 0
    for s, f in clients:
        assert f.readline().startswith(b"421 4.3.2 ")
        assert f.readline() == b""
        f.close()
        s.close()
    assert not suite.lines("do not stop")


# -- POP3: the maildrop is locked ---------------------------------------------

def pop(inst):
    c = poplib.POP3("127.0.0.1", inst.port("pop3"), timeout=postern.DEADLINE)
    c.user("bob@example.org")
    return c


def test_maildrop_is_locked(suite):
    """RFC 1939 4: for other POP3 sessions only, and as long as it lives."""
    deliver(suite)
    suite.wait_queue_empty()
    first, second, reader = pop(suite), pop(suite), log_in(suite)
    first.pass_("builder")
    for _ in range(2):
        with pytest.raises(poplib.error_proto, match=r"-ERR \[IN-USE\] "):
            second.pass_("builder")
        second.user("bob@example.org")
    assert int(reader.select()[1][0]) == 1
    deliver(suite)
    wait_for(lambda: int(reader.select()[1][0]) == 2, "it comes in")
    # The first goes on, alone: what it marked is gone with its QUIT.
    first.dele(1)
    first.quit()
    second.pass_("builder")
    assert second.stat()[0] == 1
    # A connection that is lost ends it too.
    second.close()

    def others():
        third = pop(suite)
        try:
            third.pass_("builder")
        except poplib.error_proto:
            third.close()
            return None
        return third

    wait_for(others, "the lock is gone").quit()
    reader.logout()


# -- passwords in the clear ----------------------------------------------------

def first_lines(inst, service, *commands):
    """The greeting and the last line of each answer."""
    with socket.create_connection(("127.0.0.1", inst.port(service)),
                                  postern.DEADLINE) as s, \
            s.makefile("rb") as f:
        lines = [f.readline()]
        for command in commands:
            s.sendall(command + b"\r\n")
            reply = [f.readline()]
            while reply[-1][3:4] == b"-" or reply[-1].startswith(b"* "):
                reply.append(f.readline())
            lines.append(b"".join(reply))
        return lines


@pytest.mark.parametrize("setting, taken", [
    ("never", False), ("loopback", True), ("always", True)])
def test_where_a_password_is_taken(setting, taken):
    with postern.Instance(settings={"auth.plaintext": setting}) as inst:
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        plain = b"AGJvYkBleGFtcGxlLm9yZwBidWlsZGVy"
        _, ehlo, auth, mail = first_lines(
            inst, "submission", b"EHLO a", b"AUTH PLAIN " + plain,
            b"MAIL FROM:<bob@example.org>")
        assert (b"AUTH PLAIN" in ehlo) == taken
        assert auth.startswith(b"235 " if taken else b"5")
        assert mail.startswith(b"250 " if taken else b"530 5.7.0 ")
        _, caps, login = first_lines(inst, "imap", b"a CAPABILITY",
                                     b"b LOGIN bob@example.org builder")
        assert (b" LOGINDISABLED" in caps) != taken
        assert (b" AUTH=PLAIN" in caps) == taken
        assert b"b OK " in login if taken else \
            b"b NO [PRIVACYREQUIRED] " in login
        _, user, password = first_lines(
            inst, "pop3", b"USER bob@example.org", b"PASS builder")
        assert password.startswith(b"+OK" if taken else b"-ERR")

"""Large messages: whole, durable by way of a helper, and refused when their
files are damaged."""

import glob
import hashlib
import imaplib
import os
import poplib
import re
import select
import shutil
import signal
import smtplib
import subprocess

import pytest

import postern
from postern import wait_for

LINE = b"0123456789abcdef" * 4 + b"\r\n"
LARGE = b"Subject: large\r\n\r\n" + LINE * 160000		# 10 MB
HELPED = b"Subject: helped\r\n\r\n" + LINE * 5000		# 330 KB


def log_in(inst):
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"),
                      timeout=postern.DEADLINE)
    c.login("bob@example.org", "builder")
    c.select()
    return c


def deliver(inst, text):
    with smtplib.SMTP("127.0.0.1", inst.port("mx"), timeout=60) as c:
        c.sendmail("a@example.net", ["bob@example.org"], text)


def files(inst):
    return glob.glob(os.path.join(inst.dir, "**", "body-*"), recursive=True)


def bodies(inst):
    """Files of bodies, by their hash in hexadecimal."""
    found = {}
    for path in files(inst):
        with open(path, "rb") as f:
            found[hashlib.blake2b(f.read(), digest_size=32).hexdigest()] = \
                path
    return found


def flip(path, at=1000):
    with open(path, "r+b") as f:
        f.seek(at)
        c = f.read(1)
        f.seek(at)
        f.write(bytes([c[0] ^ 1]))


def test_whole_by_every_way(suite):
    deliver(suite, LARGE)
    suite.wait_queue_empty()
    assert len(suite.owners()) == 1 and len(suite.helpers()) == 1
    c = log_in(suite)
    assert c.append("INBOX", None, None, LARGE)[0] == "OK"
    assert len(suite.helpers()) == 1
    assert c.select()[1] == [b"2"]
    for n in ("1", "2"):
        text = c.fetch(n, "(BODY.PEEK[])")[1][0][1]
        assert text.endswith(LARGE)
    assert text == LARGE
    c.logout()


def test_a_helper_that_dies_costs_nothing(suite):
    c = log_in(suite)
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    helper, = suite.helpers()
    suite.kill(helper)
    wait_for(lambda: suite.helpers() == [], "it is gone")
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    assert len(suite.helpers()) == 1
    deliver(suite, HELPED)
    suite.wait_queue_empty()
    assert c.select()[1] == [b"3"]
    c.logout()


def test_a_helper_comes_without_monitor_and_zygote(suite):
    """The question waits until there is somebody to answer it."""
    c = log_in(suite)
    for daemon in ("mailboxd", "zygote"):
        for helper in suite.helpers():
            suite.kill(helper)
        old = suite.kill_daemon(daemon)
        assert c.append("INBOX", None, None, HELPED)[0] == "OK"
        suite.wait_back(daemon, old)
    assert c.select()[1] == [b"2"]
    c.logout()


# -- the order of things ----------------------------------------------------

def hexed(digest):
    """As strace -xx prints it."""
    return "".join(f"\\x{digest[i:i + 2]}" for i in range(0, 64, 2))


def calls_of(trace):
    """(when it began, when it ended, pid, call) in the order of their ends;
    strace cuts one in two when another process comes between."""
    calls, begun = [], {}
    with open(trace) as f:
        for n, line in enumerate(f):
            pid, call = line.rstrip("\n").split(None, 1)
            cut = re.match(r"<\.\.\. \w+ resumed>", call)
            if call.endswith(" <unfinished ...>"):
                begun[pid] = n, call[:-len(" <unfinished ...>")]
                continue
            start = n
            if cut and pid in begun:
                start, first = begun.pop(pid)
                call = first + call[cut.end():]
            calls.append((start, n, pid, call))
    return calls


def check_order(trace, digest, path):
    """The helper: open the file, sync it, sync the directory.  Only then the
    frame that names it: written, and synced."""
    name = "".join(f"\\x{b:02x}" for b in os.path.basename(path).encode())
    steps = [r"openat\(\S+ \"" + re.escape(name) + r"\", O_RDONLY\S* = (\d+)",
             r"fdatasync\((\d+)\) += 0", r"fsync\(\d+\) += 0",
             r"pwritev\(.*" + re.escape(hexed(digest)),
             r"fdatasync\(\d+\) += 0"]
    by, want, done = [], list(steps), -1
    for start, end, pid, call in calls_of(trace):
        if want and start > done and re.match(want[0], call) and \
                (len(want) in (5, 2) or pid == by[-1]):
            want.pop(0)
            by.append(pid)
            done = end
    assert not want, f"missing, or too early: {want[0]}"
    helper, owner = by[0], by[3]
    assert by == [helper] * 3 + [owner] * 2 and helper != owner


@pytest.mark.skipif(shutil.which("strace") is None or os.geteuid() != 0,
                    reason="needs strace and, for it, root")
def test_durable_before_it_is_named(suite, tmp_path):
    trace = tmp_path / "trace"
    tracer = subprocess.Popen(
        ["strace", "-f", "-q", "-xx", "-s", "100000", "-p",
         str(suite.pid("zygote")), "-e",
         "trace=openat,pwritev,fdatasync,fsync", "-o", str(trace)])
    wait_for(lambda: "TracerPid:\t0" not in
             open(f"/proc/{suite.pid('zygote')}/status").read(), "tracing")
    deliver(suite, HELPED)
    suite.wait_queue_empty()
    c = log_in(suite)
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    c.logout()
    found = bodies(suite)
    assert len(found) == 2
    tracer.terminate()
    tracer.wait()
    for digest, path in found.items():
        check_order(trace, digest, path)


# -- damage -----------------------------------------------------------------

def test_damaged_in_the_queue_is_held(suite):
    """What changed on the disk before it was handed out."""
    route = suite.pid("route")
    postern.freeze(route)
    try:
        deliver(suite, HELPED)
        row, = suite.json("queue", "list")
        path, = glob.glob(os.path.join(suite.dir, "**", "bulk", row["qid"]),
                          recursive=True)
        flip(path)
    finally:
        os.kill(route, signal.SIGCONT)
    wait_for(lambda: suite.json("queue", "list")[0]["state"] == "held",
             "it is held")
    row, = suite.json("queue", "list")
    assert row["error"].startswith("4.3.0")
    suite.logged("content not readable", row["qid"])
    c = log_in(suite)
    assert c.select()[1] == [b"0"]
    # Repaired, it is delivered.
    flip(path)
    suite.ctl("queue", "retry", row["qid"])
    suite.wait_queue_empty()
    assert c.select()[1] == [b"1"]
    c.logout()


def test_damaged_in_the_mailbox_is_no_mail(suite):
    c = log_in(suite)
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    owner, = suite.owners()
    (path,) = bodies(suite).values()
    flip(path, 200000)
    assert c.append("INBOX", None, None, b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
    c.select()
    assert c.fetch("1", "(BODY.PEEK[])")[0] == "NO"
    assert c.fetch("1", "(BODY.PEEK[]<0.10>)")[0] == "NO"
    assert c.fetch("2", "(BODY.PEEK[])")[0] == "OK"
    p = poplib.POP3("127.0.0.1", suite.port("pop3"),
                    timeout=postern.DEADLINE)
    p.user("bob@example.org")
    p.pass_("builder")
    with pytest.raises(poplib.error_proto):
        p.retr(1)
    assert p.retr(2)[0].startswith(b"+OK")
    p.quit()
    suite.logged("mailbox_read")
    assert suite.owners() == [owner]
    # What was damaged is asked again each time.
    flip(path, 200000)
    assert c.fetch("1", "(BODY.PEEK[])")[1][0][1] == HELPED
    c.logout()


# -- a disk that takes its time ---------------------------------------------

def test_only_who_must_waits(suite):
    """A delivery waits for its file alone, and so does an APPEND with its
    session."""
    c, d = log_in(suite), log_in(suite)
    other = imaplib.IMAP4("127.0.0.1", suite.port("imap"),
                          timeout=postern.DEADLINE)
    other.login("alice@example.org", "wonderland")
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    helper, = suite.helpers()
    postern.freeze(helper)
    try:
        deliver(suite, HELPED)
        wait_for(lambda: len(files(suite)) == 2, "it is copied")
        assert d.select()[1] == [b"1"]
        assert d.append("INBOX", None, None, b"Subject: x\r\n\r\nx\r\n")[0] \
            == "OK"
        assert d.select()[1] == [b"2"]
        c.send(b"x APPEND INBOX {%d+}\r\n" % len(HELPED) + HELPED + b"\r\n")
        wait_for(lambda: [os.path.getsize(f) for f in files(suite)].count(
            len(HELPED)) == 2, "it is written")
        c.send(b"y NOOP\r\n")
        assert d.append("INBOX", None, None, b"A: b\r\n\r\n")[0] == "OK"
        assert d.store("1", "+FLAGS", "\\Seen")[0] == "OK"
        assert d.select()[1] == [b"3"]
        assert other.select()[0] == "OK"
        assert select.select([c.sock], [], [], 0)[0] == []
    finally:
        os.kill(helper, signal.SIGCONT)
    suite.wait_queue_empty()
    said = b""
    while b"\r\ny OK" not in said:
        said += c.sock.recv(100000)
    assert b"\r\nx OK" in said
    assert log_in(suite).select()[1] == [b"5"]
    assert suite.helpers() == [helper]
    for s in (c, d, other):
        s.shutdown()


def test_a_helper_that_dies_at_work(suite):
    """Who asked for an APPEND is told, the delivery is tried again, and the
    owner goes on with another helper."""
    c, d = log_in(suite), log_in(suite)
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    owner, = suite.owners()
    helper, = suite.helpers()
    os.kill(helper, signal.SIGSTOP)
    deliver(suite, HELPED)
    wait_for(lambda: len(files(suite)) == 2, "it is copied")
    c.send(b"x APPEND INBOX {%d+}\r\n" % len(HELPED) + HELPED + b"\r\n")
    wait_for(lambda: [os.path.getsize(f) for f in files(suite)].count(
        len(HELPED)) == 2, "it is written")
    assert d.noop()[0] == "OK"
    assert select.select([c.sock], [], [], 0)[0] == []
    suite.kill(helper)
    said = b""
    while b"\r\n" not in said:
        said += c.sock.recv(100000)
    assert said.startswith(b"x NO [UNAVAILABLE]")
    wait_for(lambda: len(files(suite)) == 1, "what was refused is gone")
    assert d.select()[1] == [b"1"]
    assert c.append("INBOX", None, None, HELPED)[0] == "OK"
    wait_for(lambda: suite.lines("4.3.0 the mailbox has a problem"),
             "the delivery waits in the queue")
    assert suite.owners() == [owner]
    assert len(suite.helpers()) == 1 and suite.helpers() != [helper]
    for s in (c, d):
        s.logout()

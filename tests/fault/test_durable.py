"""250 means durable: in a trace of queued's system calls, the write of a
message, then fdatasync, then its answer; and few syncs for messages that
came together."""

import os
import re
import shutil
import signal
import smtplib
import subprocess
import threading

import pytest

import inside
import postern
from postern import wait_for

MESSAGES = int(os.environ.get("TRACED", "2000"))
CONNECTIONS = 64
BODY = (b"From: a@example.net\r\nSubject: durable\r\n\r\n" +
        b"x" * 70 + b"\r\n") + (b"y" * 78 + b"\r\n") * 126


def send(inst, count, qids, errors):
    try:
        with smtplib.SMTP("127.0.0.1", inst.port("mx"), timeout=120) as c:
            c.ehlo("trace.example.net")
            for _ in range(count):
                c.mail("a@example.net")
                c.rcpt("bob@example.org")
                code, text = c.data(BODY)
                assert code == 250, text
                qids.append(re.search(rb"[0-9a-z]{13}", text).group()
                            .decode())
    except Exception as e:
        errors.append(e)


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def number(qid):
    n = 0
    for ch in qid:
        n = n << 5 | ALPHABET.index(ch)
    return n


def hex_bytes(n):
    """As strace -xx prints a little-endian u64."""
    return "".join(f"\\x{b:02x}" for b in n.to_bytes(8, "little"))


needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None or os.geteuid() != 0,
    reason="needs strace and, for it, root")


def trace_of(pid, path, calls, *more):
    tracer = subprocess.Popen(["strace", "-q", *more, "-p", str(pid),
                               "-e", f"trace={calls}", "-o", str(path)])
    wait_for(lambda: "TracerPid:\t0" not in
             open(f"/proc/{pid}/status").read(), "tracing")
    return tracer


@needs_strace
def test_few_syncs_for_many(suite, tmp_path):
    """The ends of many messages are there when queued comes to look."""
    clients = []
    for _ in range(CONNECTIONS):
        c = smtplib.SMTP("127.0.0.1", suite.port("mx"), timeout=120)
        c.ehlo("trace.example.net")
        c.mail("a@example.net")
        c.rcpt("bob@example.org")
        assert c.docmd("DATA")[0] == 354
        c.send(b"Subject: x\r\n\r\nx\r\n")
        clients.append(c)
    queued, smtpd = suite.pid("queued"), suite.pid("smtpd")
    inside.rest(lambda: [queued, smtpd], lambda: None)
    # No deliveries meanwhile: their results are synced as well.
    postern.freeze(suite.pid("route"))
    trace = tmp_path / "trace"
    tracer = trace_of(queued, trace, "fdatasync")
    postern.freeze(queued)
    for c in clients:
        c.send(b".\r\n")
    inside.rest(lambda: [smtpd], lambda: None)
    os.kill(queued, signal.SIGCONT)
    for c in clients:
        assert c.getreply()[0] == 250
    tracer.terminate()
    tracer.wait()
    for c in clients:
        c.close()
    os.kill(suite.pid("route"), signal.SIGCONT)
    syncs = trace.read_text().count("fdatasync(")
    print(f"{CONNECTIONS} messages, {syncs} syncs")
    assert 0 < syncs <= CONNECTIONS // 4


@needs_strace
def test_write_sync_answer(suite, tmp_path):
    trace = tmp_path / "trace"
    # No deliveries meanwhile: their results are synced as well.
    postern.freeze(suite.pid("route"))
    tracer = trace_of(suite.pid("queued"), trace,
                      "pwritev,pwrite64,write,fdatasync,sendmsg",
                      "-xx", "-s", "1000000")
    qids, errors = [], []
    threads = [threading.Thread(
        target=send, args=(suite, MESSAGES // CONNECTIONS +
                           (i < MESSAGES % CONNECTIONS), qids, errors))
        for i in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tracer.terminate()
    tracer.wait()
    os.kill(suite.pid("route"), signal.SIGCONT)
    assert not errors, errors[:3]
    assert len(set(qids)) == MESSAGES
    check_trace(trace, qids)


def check_trace(trace, qids):
    """SUBMITTED is message 28: {u16 28, u16 0, u32 9, u64 qid, u8 0}."""
    submitted = "\\x1c\\x00\\x00\\x00\\x09\\x00\\x00\\x00"
    wanted = {hex_bytes(number(q)): q for q in qids}
    written, synced, answered = set(), set(), set()
    syncs = 0
    with open(trace) as f:
        for line in f:
            if line.startswith(("pwritev(", "pwrite64(", "write(")):
                # Each record's id, wherever it stands in the frame.
                written |= {i for i in wanted if i not in written and
                            i in line}
            elif line.rstrip().endswith("<detached ...>"):
                break   # the tracer left in the middle of this call
            elif line.startswith("fdatasync("):
                assert line.rstrip().endswith("= 0"), line
                syncs += 1
                synced |= written
            elif line.startswith("sendmsg("):
                for m in re.finditer(re.escape(submitted) +
                                     r"((?:\\x..){8})\\x00", line):
                    qid = wanted.get(m.group(1))
                    assert qid, "an answer for a message nobody sent"
                    assert m.group(1) in synced, \
                        f"{qid} was answered before it was synced"
                    answered.add(m.group(1))
    assert len(answered) == len(qids)
    ratio = syncs / len(qids)
    print(f"{len(qids)} messages, {syncs} syncs: {ratio:.3f} per message")
    assert ratio < 0.5

"""make demo and make run, as a newcomer sees them."""

import os
import poplib
import re
import signal
import smtplib
import socket
import subprocess
import sys

import postern
from postern import wait_for

DEMO = os.path.join(os.path.dirname(__file__), "demo.py")
SEES = ("smtpd", "queued", "route", "local", "owner")


def test_demo(tmp_path):
    """Each step, each daemon's line for that message; nothing stays."""
    done = subprocess.run([sys.executable, DEMO], capture_output=True,
                          text=True, timeout=5 * postern.DEADLINE,
                          env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    steps = re.findall(r"^(\d)\. ", done.stdout, re.M)
    assert steps == [str(n) for n in range(1, 8)]
    assert re.search(r"last daemon ready: \d+ ms$", done.stdout, re.M)
    qid = re.search(r"server says: 250 2\.0\.0 .*\b([0-9a-z]{13})\b",
                    done.stdout).group(1)
    lines = [l for l in done.stdout.splitlines() if "qid=" + qid in l]
    for daemon in SEES:
        assert any(f" {daemon} " in l for l in lines), (daemon, lines)
    assert "| Down the rabbit hole." in done.stdout
    assert "1 message," in done.stdout
    assert done.stdout.endswith("demo: done\n")
    assert os.listdir(tmp_path) == []


def run(directory, out):
    """make run, until it takes mail; the process, its ports and users."""
    with open(out, "wb") as f:
        proc = subprocess.Popen([sys.executable, DEMO, "--keep", directory],
                                stdout=f, stderr=subprocess.STDOUT)

    def text():
        with open(out, errors="replace") as f:
            return f.read()

    wait_for(lambda: "all daemons ready" in text() or
             proc.poll() is not None, "it runs")
    assert proc.poll() is None, text()
    ports = {name: int(port) for name, port in re.findall(
        r"^(mx|submission|imap|pop3) +127\.0\.0\.1:(\d+)$", text(), re.M)}
    users = dict(re.findall(r"^user (\S+) password (\S+)$", text(), re.M))
    manage = re.search(r"^manage it with: (.+)$", text(), re.M).group(1)
    return proc, ports, users, manage.split()


def stop(proc):
    proc.send_signal(signal.SIGTERM)
    assert proc.wait(postern.DEADLINE) == 0


def test_run_keeps_its_instance(tmp_path):
    """What it prints is true, and what came in is there the next time."""
    var = str(tmp_path / "var")
    for count in (1, 2):
        proc, ports, users, manage = run(var, str(tmp_path / f"out{count}"))
        try:
            assert len(users) == 2 and len(ports) == 4
            (alice, secret), (bob, other) = users.items()
            with smtplib.SMTP("127.0.0.1", ports["submission"]) as c:
                c.login(alice, secret)
                c.sendmail(alice, [bob], b"Subject: kept\r\n\r\nx\r\n")
            wait_for(lambda: subprocess.run(
                manage[:-1] + ["--json", "queue", "list"],
                capture_output=True, check=True).stdout.strip() == b"[]",
                "it is delivered")
            p = poplib.POP3("127.0.0.1", ports["pop3"])
            p.user(bob)
            p.pass_(other)
            assert p.stat()[0] == count
            p.quit()
            socket.create_connection(("127.0.0.1", ports["imap"])).close()
        finally:
            stop(proc)

"""make bench-idle: memory (PSS) of an idle SMTP connection, of the process of
an active mailbox, and of its front per session."""

import imaplib
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

import postern  # noqa: E402

SMTP, IMAP = 1000, 50


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith("Pss:"))


def smtp(inst):
    pid = inst.pid("smtpd")
    before = pss(pid)
    held = []
    for _ in range(SMTP):
        s = socket.create_connection(("127.0.0.1", inst.port("mx")))
        s.recv(1000)
        s.send(b"EHLO idle.example.net\r\n")
        s.recv(1000)
        held.append(s)
    print(f"SMTP connection: {(pss(pid) - before) / SMTP:.1f} KiB")
    return held


def imap(inst):
    pid = inst.pid("imapd")
    before = pss(pid)
    held = []
    for i in range(IMAP):
        c = imaplib.IMAP4("127.0.0.1", inst.port("imap"))
        c.login(f"u{i}@example.org", "secret")
        c.select()
        held.append(c)
    owners = inst.owners()
    print(f"process of a mailbox: "
          f"{sum(map(pss, owners)) / len(owners):.0f} KiB")
    print(f"its front, per session: {(pss(pid) - before) / IMAP:.1f} KiB")
    for c in held:
        c.logout()


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    settings = {"smtp.sessions_per_address": str(SMTP + 10)}
    with postern.Instance(settings=settings) as inst:
        inst.add_domain()
        for i in range(IMAP):
            inst.add_user(f"u{i}@example.org", "secret")
        held = smtp(inst)
        imap(inst)
        for s in held:
            s.close()


main()

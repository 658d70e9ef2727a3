"""make demo: a message's whole way, step by step.  make run: the same
instance kept in var/, in the foreground (--keep DIR)."""

import argparse
import email.message
import email.policy
import imaplib
import os
import poplib
import re
import smtplib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

import inside  # noqa: E402
import postern  # noqa: E402

USERS = {"alice@example.org": "wonderland", "bob@example.org": "builder"}

# Who has a message in hand; mailboxd and authd never learn its queue id.
SEES = ("smtpd", "queued", "route", "local", "owner")


def say(text):
    print(text, flush=True)


def make_users(inst):
    inst.add_domain("example.org")
    say("  mailctl domain add example.org")
    for user, password in USERS.items():
        inst.add_user(user, password)
        say(f"  mailctl user add {user}")


def submit(inst):
    m = email.message.EmailMessage()
    m["From"], m["To"] = USERS
    m["Subject"] = "The way of a message"
    m.set_content("Down the rabbit hole.\n")
    with smtplib.SMTP("127.0.0.1", inst.port("submission")) as c:
        c.login("alice@example.org", USERS["alice@example.org"])
        c.mail("alice@example.org")
        c.rcpt("bob@example.org")
        code, text = c.data(m.as_bytes(policy=email.policy.SMTP))
    text = text.decode()
    say(f"  the server says: {code} {text}")
    assert code == 250
    return re.search("[0-9a-z]{13}", text).group()


def read_imap(inst):
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"))
    c.login("bob@example.org", USERS["bob@example.org"])
    postern.wait_for(lambda: int(c.select("INBOX")[1][0]) == 1,
                     "the message in bob's INBOX")
    octets = c.fetch("1", "(RFC822)")[1][0][1].decode()
    c.logout()
    for line in octets.splitlines():
        say("  | " + line)


def read_pop3(inst):
    c = poplib.POP3("127.0.0.1", inst.port("pop3"))
    c.user("bob@example.org")
    c.pass_(USERS["bob@example.org"])
    count, size = c.stat()
    c.quit()
    say(f"  {count} message, {size} octets")
    assert count == 1


def demo():
    inst = postern.Instance()
    say(f"1. an instance in a temporary directory, all daemons started")
    with inst:
        took = re.search(r"all daemons ready ms=(\d+)",
                         inst.log().replace('"', ""))
        say(f"  exec to the last daemon ready: {took.group(1)} ms")
        say("2. a domain and two users")
        make_users(inst)
        say("3. alice submits to bob, with authentication")
        qid = submit(inst)
        say("4. bob reads it by IMAP")
        read_imap(inst)
        say("5. and by POP3")
        read_pop3(inst)
        inst.wait_queue_empty()
        say(f"6. what the daemons logged about {qid}")
        postern.wait_for(lambda: all(inst.lines(f" {d} ", "qid=" + qid)
                                     for d in SEES), "log lines")
        for line in inst.lines("qid=" + qid):
            say("  " + line)
        family = inside.family(inst.proc.pid)
    assert not os.path.exists(inst.top), "something was left behind"
    postern.wait_for(lambda: not any(map(inside.lives, family)),
                     "the last process is gone")
    say("7. everything stopped, nothing left behind")
    say("demo: done")


def keep(directory):
    inst = postern.Instance(directory)
    inst.log_path = os.path.join(directory, "first-start.log")
    if not os.path.exists(inst.conf):
        inst.init(base=10000).start()
        make_users(inst)
        inst.stop()
    conf = open(inst.conf).read()
    for key, value in re.findall(r"^(listen\.\w+)\s*=\s*(\S+)", conf, re.M):
        say(f"{key[7:]:12} {value}")
    for user, password in USERS.items():
        say(f"user {user} password {password}")
    say(f"manage it with: {postern.MAILCTL} -c {inst.conf} status")
    os.execv(postern.MAILCTL, [postern.MAILCTL, "-c", inst.conf, "run"])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--keep", metavar="DIR")
    args = p.parse_args()
    if args.keep:
        keep(args.keep)
    try:
        demo()
    except (postern.Late, AssertionError, smtplib.SMTPException,
            subprocess.SubprocessError) as e:
        sys.exit(f"demo: failed: {e}")


if __name__ == "__main__":
    main()

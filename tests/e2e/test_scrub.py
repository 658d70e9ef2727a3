"""Damage on the disk, found by mailctl and named: in the queue's log and in a
user's; nothing where nothing is damaged, and nothing for who is no operator.
"""

import json
import os
import signal
import smtplib
import subprocess

import postern
import pytest
from postern import wait_for

BODY = b"Subject: scrub\r\n\r\n" + b"The quick brown fox.\r\n" * 40
HELD = b"Subject: held\r\n\r\nNobody reads this one.\r\n"


def send(inst, rcpt, body=BODY):
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.sendmail("a@example.net", rcpt, body)


@pytest.fixture
def inst():
    with postern.Instance() as i:
        i.add_domain()
        i.add_user("alice@example.org", "wonderland")
        i.add_user("bob@example.org", "builder")
        i.ctl("alias", "add", "gone@example.org", "nobody@example.org")
        yield i


def flip(directory, what):
    """Flips one bit where a file of the directory has those bytes."""
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "r+b") as f:
            at = f.read().find(what)
            if at == -1:
                continue
            f.seek(at)
            f.write(bytes([what[0] ^ 1]))
            return
    raise AssertionError(f"{what!r} is nowhere in {directory}")


def only_held(inst):
    """The queue id of the one that is left."""
    wait_for(lambda: [r["state"] for r in inst.json("queue", "list")] ==
             ["held"], "the others are delivered")
    return inst.json("queue", "list")[0]["qid"]


def deliver(inst):
    send(inst, "alice@example.org")
    send(inst, "bob@example.org")
    send(inst, "gone@example.org", HELD)
    return only_held(inst)


def mailbox_log(inst, address):
    row = inst.json("user", "show", address)
    return os.path.join(inst.dir, "store", str(row["shard"]),
                        str(row["tenant"]), str(row["mailbox"]), "log")


def scrub(inst, *words, check=0):
    done = inst.ctl("--json", *words, check=check)
    return json.loads(done.stdout)


def test_clean(inst):
    deliver(inst)
    rows = scrub(inst, "queue", "scrub")
    assert [(r["log"], r["result"]) for r in rows] == [("queue", "sound")]
    assert rows[0]["records"] > 5 and rows[0]["bytes"] > 2 * len(BODY)
    rows = scrub(inst, "mailbox", "scrub", "alice@example.org")
    assert [(r["log"], r["result"]) for r in rows] == \
        [("alice@example.org", "sound")]
    assert rows[0]["bytes"] > len(BODY)
    rows = scrub(inst, "mailbox", "scrub", "--all")
    assert [(r["log"], r["result"]) for r in rows] == \
        [("alice@example.org", "sound"), ("bob@example.org", "sound")]
    assert "LOG" in inst.ctl("queue", "scrub").stdout
    inst.ctl("mailbox", "scrub", "nobody@example.org", check=3)
    inst.ctl("mailbox", "scrub", check=2)
    inst.logged("queued", "scrub done", "damaged=0")
    inst.logged("mailboxd", "scrub done", "mailboxes=2", "damaged=0")


def test_damage_is_named(inst):
    qid = deliver(inst)
    store = mailbox_log(inst, "bob@example.org")
    inst.stop()
    flip(os.path.join(inst.dir, "queue", "log"), b"Nobody reads")
    flip(store, b"brown fox")
    inst.start()
    rows = scrub(inst, "queue", "scrub", check=1)
    assert [r["result"] for r in rows] == ["damage", "damaged"]
    assert (rows[0]["part"], rows[0]["record"], rows[0]["id"]) == \
        ("payload", "message", qid)
    assert rows[0]["segment"] > 0 and rows[0]["offset"] > 0
    inst.logged("queued", "log damaged", "part=payload", qid)
    rows = scrub(inst, "mailbox", "scrub", "bob@example.org", check=1)
    assert [(r["log"], r["result"]) for r in rows] == \
        [("bob@example.org", "damage"), ("bob@example.org", "damaged")]
    assert (rows[0]["part"], rows[0]["record"]) == ("payload", "message")
    inst.logged("owner", "log damaged", "part=payload")
    # With the others: which it is.
    rows = scrub(inst, "mailbox", "scrub", "--all", check=1)
    assert [(r["log"], r["result"]) for r in rows] == [
        ("alice@example.org", "sound"), ("bob@example.org", "damage"),
        ("bob@example.org", "damaged")]
    # Nothing was changed by it.
    assert [r["qid"] for r in inst.json("queue", "list")] == [qid]
    assert "1 damaged" in inst.ctl("queue", "scrub", check=1).stderr


def test_by_itself():
    with postern.Instance(settings={"queue.scrub": "1"}) as inst:
        inst.add_domain()
        inst.ctl("alias", "add", "gone@example.org", "nobody@example.org")
        send(inst, "gone@example.org", HELD)
        qid = only_held(inst)
        wait_for(lambda: inst.lines("queued", "scrub done", "damaged=0"),
                 "a scrub that nobody asked for")
        assert inst.lines("queued", "scrub begins", "asked=0")
        flip(os.path.join(inst.dir, "queue", "log"), b"Nobody reads")
        wait_for(lambda: inst.lines("queued", "scrub done", "damaged=1"),
                 "it finds what is damaged")
        inst.logged("queued", "log damaged", qid, "queued=1")


def test_large_files(inst):
    """Contents that are files of their own, in the queue and in a mailbox."""
    body = b"Subject: large\r\n\r\n" + (b"y" * 70 + b"\r\n") * 9000
    send(inst, "gone@example.org", body)
    send(inst, "alice@example.org", body)
    only_held(inst)
    rows = scrub(inst, "queue", "scrub")
    assert rows[-1]["files"] == 1 and rows[-1]["bytes"] > len(body)
    rows = scrub(inst, "mailbox", "scrub", "alice@example.org")
    assert rows[-1]["files"] == 1
    flip(os.path.join(inst.dir, "queue", "bulk"), b"Subject: large")
    rows = scrub(inst, "queue", "scrub", check=1)
    assert [r["part"] for r in rows] == ["file", ""]
    log = mailbox_log(inst, "alice@example.org")
    name, = [n for n in os.listdir(log) if not n.endswith(".seg")]
    flip(log, b"Subject: large")
    rows = scrub(inst, "mailbox", "scrub", "alice@example.org", check=1)
    assert [r["part"] for r in rows] == ["file", ""]
    os.truncate(os.path.join(log, name), len(body) // 2)
    rows = scrub(inst, "mailbox", "scrub", "alice@example.org", check=1)
    assert [r["part"] for r in rows] == ["file", ""]


def test_all_leaves_no_owners(inst):
    """A process for each mailbox, but none that stays for mailbox.linger."""
    for i in range(30):
        inst.add_user(f"u{i:02}@example.org")
    rows = scrub(inst, "mailbox", "scrub", "--all")
    assert len(rows) == 32 and {r["result"] for r in rows} == {"sound"}
    wait_for(lambda: inst.owners() == [], "the owners are gone")
    inst.logged("mailboxd", "scrub done", "mailboxes=32")


def ask(inst, *words):
    return subprocess.Popen([inst.mailctl, "-c", inst.conf, *words],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def test_two_operators(inst):
    send(inst, "alice@example.org")
    inst.wait_queue_empty()
    owner, = inst.owners()
    postern.freeze(owner)
    words = ("mailbox", "scrub", "alice@example.org")
    first = ask(inst, *words)
    wait_for(lambda: inst.lines("scrub begins", "of=alice"), "it was asked")
    assert "somebody else" in inst.ctl(*words, check=4).stderr
    # One who leaves makes room; what was asked for him is not the next's.
    first.kill()
    first.communicate()

    def again():
        """None while mailboxd does not know yet that he has left."""
        p = ask(inst, *words)
        wait_for(lambda: p.poll() is not None or
                 len(inst.lines("scrub begins", "of=alice")) == 2,
                 "asked again")
        if p.poll() is None:
            return p
        assert "somebody else" in p.communicate()[1]
        return None
    second = wait_for(again, "room for another")
    os.kill(owner, signal.SIGCONT)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0 and "sound" in out, err


def test_others_go_away(inst):
    """An owner and authd that hang and die: mailctl is told."""
    send(inst, "alice@example.org")
    inst.wait_queue_empty()
    owner, = inst.owners()
    postern.freeze(owner)
    asked = ask(inst, "mailbox", "scrub", "alice@example.org")
    wait_for(lambda: inst.lines("scrub begins", "of=alice"), "it was asked")
    inst.kill(owner)
    out, err = asked.communicate(timeout=60)
    assert asked.returncode == 1 and "its process ended" in err, err
    # And again, with the next process.
    assert scrub(inst, "mailbox", "scrub", "alice@example.org")
    authd = inst.pid("authd")
    postern.freeze(authd)
    asked = ask(inst, "mailbox", "scrub", "--all")
    wait_for(lambda: inst.lines("scrub begins", "of=--all"), "it was asked")
    inst.kill(authd)
    out, err = asked.communicate(timeout=60)
    assert asked.returncode == 1 and "authd" in err, err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs other users")
def test_only_operators(inst):
    with postern.Instance(settings={"operators": "4711"}) as other:
        other.add_domain()
        other.add_user("alice@example.org", "wonderland")
        os.chmod(other.top, 0o755)
        for uid, code in ((4711, 0), (4712, 4)):
            for words in (["queue", "scrub"],
                          ["mailbox", "scrub", "--all"]):
                done = subprocess.run(
                    [other.mailctl, "-c", other.conf, *words], user=uid,
                    group=uid, extra_groups=[], capture_output=True)
                assert done.returncode == code, (uid, words, done)

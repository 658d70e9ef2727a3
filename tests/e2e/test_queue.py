"""The queue as an operator sees it: what is held and why, what waits, what
to try again, what to remove; the same after a restart."""

import os
import signal
import smtplib

import postern
import pytest
from postern import wait_for


def send(inst, *rcpts):
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.ehlo("client.example.net")
        c.mail("a@example.net")
        for r in rcpts:
            code, text = c.rcpt(r)
            assert code == 250, text
        assert c.data(b"Subject: x\r\n\r\nx\r\n")[0] == 250


def alias(inst, address, *targets):
    for i in range(0, len(targets), 40):
        inst.ctl("alias", "add", address, *targets[i:i + 40])


@pytest.fixture
def inst():
    with postern.Instance(settings={
            "queue.targets_max": "100", "queue.depth_max": "3",
            "queue.retry_min": "1h", "queue.retry_max": "1h"}) as i:
        i.add_domain()
        i.add_user("alice@example.org", "wonderland")
        i.add_user("bob@example.org", "builder")
        yield i


def routed(inst):
    """Every recipient got somewhere: nothing is under way any more."""
    def settled():
        rows = inst.json("queue", "list")
        return all(r["state"] in ("held", "deferred") for r in rows)
    wait_for(settled, "the queue rests")
    return inst.json("queue", "list")


def delivered(inst, n):
    """So many copies, and no more by the time that the queue rests."""
    if n > 0:
        inst.logged(" owner ", " delivered ", n=n)
    assert len(inst.lines(" owner ", " delivered ")) == n


HELD = [
    ("loop", {"loop": ["back"], "back": ["loop"]}, "5.4.6", 0),
    ("self", {"self": ["self", "bob"]}, "5.4.6", 1),
    ("deep 4", {"d1": ["d2"], "d2": ["d3"], "d3": ["d4"], "d4": ["bob"]},
     "5.4.6", 0),
    ("deep 3", {"d2": ["d3"], "d3": ["d4"], "d4": ["bob"]}, None, 1),
    # The recipient and its targets are 99 and 100 together.
    ("98", {"many": [f"bob+{i}" for i in range(98)]}, None, 1),
    ("99", {"many": [f"bob+{i}" for i in range(99)]}, None, 1),
    ("nobody", {"gone": ["nobody", "bob"]}, "5.1.1", 1),
]


@pytest.mark.parametrize("aliases,error,copies", [h[1:] for h in HELD],
                         ids=[h[0] for h in HELD])
def test_aliases(inst, aliases, error, copies):
    for name, targets in aliases.items():
        alias(inst, name + "@example.org",
              *[t + "@example.org" for t in targets])
    send(inst, next(iter(aliases)) + "@example.org")
    rows = routed(inst)
    if error is None:
        assert rows == []
    else:
        assert [(r["state"], r["error"][:5]) for r in rows] == \
            [("held", error)]
        shown = inst.ctl("queue", "show", rows[0]["qid"]).stdout
        assert error in shown
    delivered(inst, copies)


def send_then_grow(inst, name, targets, *rcpts):
    """More targets than RCPT would take, added before it is routed."""
    address = name + "@example.org"
    alias(inst, address, *targets[:40])
    route = inst.pid("route")
    postern.freeze(route)
    try:
        send(inst, address, *rcpts)
        alias(inst, address, *targets[40:])
    finally:
        os.kill(route, signal.SIGCONT)


def test_an_alias_that_has_grown(inst):
    """To 101, with itself."""
    send_then_grow(inst, "many", [f"bob+{i}@example.org" for i in range(100)])
    row, = routed(inst)
    assert (row["state"], row["error"][:5]) == ("held", "5.4.6")
    delivered(inst, 0)


def test_a_foreign_target_is_held_until_it_can_go(inst):
    alias(inst, "team@example.org", "x@later.example", "bob@example.org")
    send(inst, "team@example.org")
    row, = routed(inst)
    assert row["state"] == "held" and row["error"].startswith("5.7.1")
    # What stood in the way is gone: all that is held is taken up again.
    inst.add_domain("later.example")
    inst.add_user("x@later.example")
    inst.ctl("queue", "retry", "--all")
    inst.wait_queue_empty()
    delivered(inst, 2)


def test_remove(inst):
    alias(inst, "gone@example.org", "nobody@example.org")
    send(inst, "gone@example.org")
    row, = routed(inst)
    inst.ctl("queue", "remove", row["qid"])
    inst.ctl("queue", "remove", row["qid"], check=3)
    inst.ctl("queue", "retry", row["qid"], check=3)
    assert inst.queue_is_empty()


def test_retry_times_survive(inst):
    # Bob's mailbox cannot be opened: a file is where it should be.
    send(inst, "alice@example.org")
    inst.wait_queue_empty()
    bob = inst.json("user", "show", "bob@example.org")
    place = os.path.join(inst.dir, "store", str(bob["shard"]),
                         str(bob["tenant"]), str(bob["mailbox"]))
    with open(place, "w"):
        pass
    send(inst, "bob@example.org")
    wait_for(lambda: [r for r in inst.json("queue", "list")
                      if r["state"] == "deferred"], "it is put off")
    before, = inst.json("queue", "list")
    assert before["error"].startswith("4.") and before["next"]
    for restart in ("kill", "stop"):
        if restart == "kill":
            inst.wait_back("queued", inst.kill_daemon("queued"))
        else:
            inst.stop()
            inst.start()
        after, = inst.json("queue", "list")
        assert after["state"] == "deferred" and after["next"], after
        assert abs(int(after["next"]) - int(before["next"])) < 60, after
        assert len(inst.logged(" local ", "job done", before["qid"])) == 1
    os.unlink(place)
    inst.ctl("queue", "retry", before["qid"])
    inst.wait_queue_empty()
    delivered(inst, 2)


def answer_to_one(inst):
    """The code of the first refusal, or that of the end of data."""
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        c.ehlo("client.example.net")
        code, text = c.mail("a@example.net")
        if code == 250:
            c.rcpt("gone@example.org")
            try:
                code, text = c.data(b"Subject: x\r\n\r\nx\r\n")
            except smtplib.SMTPDataError as e:
                code, text = e.smtp_code, e.smtp_error
        return code, text[:5]


def test_a_full_queue():
    with postern.Instance(settings={"queue.messages_max": "2"}) as inst:
        inst.add_domain()
        alias(inst, "gone@example.org", "nobody@example.org")
        for _ in range(2):
            assert answer_to_one(inst)[0] == 250
        for _ in range(3):
            assert answer_to_one(inst) == (452, b"4.3.1")
        rows = routed(inst)
        assert len(rows) == 2
        inst.ctl("queue", "remove", rows[0]["qid"])
        wait_for(lambda: answer_to_one(inst)[0] == 250, "room again")
        assert answer_to_one(inst) == (452, b"4.3.1")


def test_only_the_guilty_is_held(inst):
    """An alias that leads to too many, in a message to others as well."""
    send_then_grow(inst, "many",
                   [f"bob+{i}@example.org" for i in range(101)],
                   "alice@example.org", "bob@example.org")
    row, = routed(inst)
    assert row["state"] == "held" and row["recipients"] == 1
    assert "5.4.6" in row["error"]
    shown = inst.ctl("queue", "show", row["qid"]).stdout
    assert "many@example.org" in shown
    wait_for(lambda: len(inst.lines("queued", "delivered")) == 2,
             "the two others are told")

"""As an ordinary user: one user for all, which the start says in one line,
and every wall that needs no root."""

import imaplib
import os
import smtplib
import tempfile

import pytest

import inside
import postern
from postern import wait_for

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root to become the ordinary user")


@pytest.fixture
def ordinary():
    """Programs from a copy, for ours may lie where that user may not go."""
    with tempfile.TemporaryDirectory(prefix="postern-programs-") as top:
        os.chmod(top, 0o755)
        programs = postern.copy_programs(os.path.join(top, "programs"))
        with postern.Instance(programs=programs,
                              user=postern.NOBODY) as inst:
            yield inst


def fields(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def test_the_whole_suite_under_one_user(ordinary):
    inst = ordinary
    inst.add_domain()
    inst.add_user("alice@example.org", "wonderland")
    inst.add_user("bob@example.org", "builder")
    with smtplib.SMTP("127.0.0.1", inst.port("submission")) as c:
        c.login("alice@example.org", "wonderland")
        c.sendmail("alice@example.org", ["bob@example.org"],
                   "Subject: one user for all\r\n\r\nx\r\n")
    inst.wait_queue_empty()
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"))
    c.login("bob@example.org", "builder")
    assert c.select()[1] == [b"1"]
    assert b"Subject: one user for all" in c.fetch("1", "(RFC822)")[1][0][1]
    assert c.append("INBOX", None, None,
                    b"Subject: large\r\n\r\n" + b"x\r\n" * 200000)[0] == "OK"

    warned = inst.lines("not root")
    assert len(warned) == 1
    assert " postern warn " in warned[0]
    assert f"user={postern.NOBODY}" in warned[0]
    wait_for(inst.owners, "an owner")
    processes = inside.processes(inst)
    assert {"authd's child 2", "queued's child 0", "zygote's child 0"} < \
        set(processes)
    for name, pid in dict(processes, starter=inst.proc.pid).items():
        s = fields(pid)
        ids = set(s["Uid"].split() + s["Gid"].split())
        assert ids == {str(postern.NOBODY)}, name
        assert s["Groups"].strip() == "", name
        for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            assert int(s[kind], 16) == 0, (name, kind)
        if name != "starter":
            assert s["Seccomp"] == "2" and s["NoNewPrivs"] == "1", name
    for name, row in inst.status().items():
        assert row["user"] == postern.NOBODY, name
        assert (row["state"], row["restarts"]) == ("ready", 0), name
        steps = row["sandbox"].split()
        assert "-chroot" in steps, name
        assert any(s.startswith("seccomp") for s in steps), name
        assert any(s.lstrip("-").startswith("landlock") for s in steps), name
    c.logout()
    assert not [l for l in inst.lines(" warn ") if "not root" not in l]
    assert not inst.lines(" error ")
    assert inst.stop() == 0

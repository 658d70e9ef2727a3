"""What the starter does for a daemon before it executes it: when a step fails,
or what is wanted is not there, nothing starts, and a line says why."""

import os
import re
import shutil
import subprocess
import tempfile

import pytest

import postern
from postern import wait_for
from test_walls import DAEMONS, said

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root takes these steps")

# The call, what is made of it, and what each daemon's process then says.
STEPS = {
    "the namespace": ("unshare", "error=EPERM",
                      "network namespace for {daemon}.*not permitted"),
    "the groups": ("setgroups", "error=EPERM", "drop groups.*not permitted"),
    "the group": ("setresgid", "error=EPERM",
                  r"become group \d+.*not permitted"),
    "the user": ("setresuid", "error=EPERM",
                 r"become user \d+.*not permitted"),
    "a user that only seems to change": ("setresuid", "retval=0",
                                         "identity: it did not change"),
    "a group that only seems to change": ("setresgid", "retval=0",
                                          "identity: it did not change"),
    "the capabilities": ("capset", "error=EPERM", "capset.*not permitted"),
    "closing what is not passed": ("close_range", "error=EPERM",
                                   "descriptors.*not permitted"),
    "the program": ("execveat", "error=EACCES",
                    "execute {program}.*Permission denied"),
}
PROGRAM = {"route": "deliverd", "local": "deliverd", "zygote": "mailboxd"}


def refusals(inst, text):
    """The daemons that said it, in a line of their own."""
    return {d for d in DAEMONS if any(
        re.search(text.format(daemon=d, program=PROGRAM.get(d, d)), line)
        for line in inst.lines(f" {d} error fatal "))}


def never_ready(inst):
    assert not inst.is_ready()
    assert not inst.lines(" ready ")
    rows = inst.status()
    assert set(rows) == set(DAEMONS)
    assert not [d for d in rows if rows[d]["state"] == "ready"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_no_start(step):
    call, result, text = STEPS[step]
    inst = postern.Instance(wrap=[
        "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e",
        f"trace={call}", "-e", f"inject={call}:{result}"])
    try:
        inst.init().launch()
        wait_for(lambda: refusals(inst, text) == set(DAEMONS),
                 "each daemon's process refuses")
        never_ready(inst)
    finally:
        inst.__exit__(None, None, None)


@pytest.fixture
def programs():
    with tempfile.TemporaryDirectory(prefix="postern-programs-") as top:
        os.chmod(top, 0o755)
        yield postern.copy_programs(os.path.join(top, "programs"))


def test_required_is_refused_where_a_part_is_lacking(programs):
    """An ordinary user has no chroot."""
    inst = postern.Instance(settings={"sandbox": "required"},
                            programs=programs, user=postern.NOBODY)
    try:
        inst.init().launch()
        wait_for(lambda: said(inst, "sandbox: no chroot here and sandbox = "
                              "required") == set(DAEMONS),
                 "each daemon refuses")
        never_ready(inst)
    finally:
        inst.__exit__(None, None, None)


def test_required_is_a_start_where_nothing_is_lacking():
    with postern.Instance() as inst:
        if any("-" in r["sandbox"] for r in inst.status().values()):
            pytest.skip("this kernel lacks a part of the sandbox")
        inst.stop()
        inst.configure({"sandbox": "required"})
        inst.start()
        assert {r["state"] for r in inst.status().values()} == {"ready"}


IN_A_NAMESPACE = ["unshare", "-U", "--map-root-user"]


def test_a_user_namespace_without_the_mailboxes_users():
    """Root there, but of one user: no mailbox could get its own."""
    if subprocess.run(IN_A_NAMESPACE + ["true"],
                      capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")
    inst = postern.Instance(wrap=IN_A_NAMESPACE)
    try:
        inst.init().launch()
        assert inst.proc.wait(postern.DEADLINE) == 1
        line, = inst.log().splitlines()
        assert " postern error fatal " in line
        assert "user ids 1879048192 to 1895825407 (mailbox.uid_base, " \
            "mailbox.uid_count) do not exist here" in line
        assert not os.path.exists(os.path.join(inst.dir, "lock"))
    finally:
        inst.__exit__(None, None, None)

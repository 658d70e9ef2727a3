"""The walls, from inside: copies of the programs with tests/evil linked in
try, in every process and after it is locked down, what somebody would try who
took it over.  A refusal by errno or death by SIGSYS is right; a success that
is not in ALLOWED is a hole.  FAULTS: compromised daemons."""

import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

import postern
from postern import wait_for
from test_walls import LARGE, log_in

EVIL = os.path.join(postern.BUILD, "evil")
LOOPS = {"smtpd", "queued", "deliverd-route", "deliverd-local", "imapd",
         "pop3d", "mailboxd-monitor", "authd", "owner-1", "owner-2"}
PROGRAMS = ("smtpd", "queued", "deliverd", "imapd", "pop3d", "mailboxd",
            "authd", "mailctl")
LINE = re.compile(r"evil at=(\w+) who=(\S+) uid=(\d+) probe=(\w+) "
                  r"result=(.+)$")
SANITIZED = postern.BUILD.endswith("san")

needs = [
    pytest.mark.skipif(os.geteuid() != 0, reason="the walls need root"),
    pytest.mark.skipif(SANITIZED, reason="sanitizers need a wide filter"),
]

# What a process may do by its part, and why.
ALLOWED = {
    # Forks the owners and makes them who they are; its is the store's root.
    "mailboxd-zygote/53": {"do_fork", "become_other", "open_store"},
    # Forks the workers.
    "authd/144": {"do_fork"},
}

# What a daemon forks and is no owner; the numbers are of sandbox.h.
FORKED = {
    "the nursery of the hash workers": "authd/144",     # SB_FORK | SB_LOCK
    "a hash worker": "authd/0",
    "the queue's bulk helper": "queued/4",              # SB_FILES
}


@pytest.fixture(scope="module")
def field():
    """A directory for an instance, and beside it one open to everybody."""
    with tempfile.TemporaryDirectory(prefix="postern-evil-") as top:
        os.chmod(top, 0o755)
        os.mkdir(os.path.join(top, "open"))
        os.chmod(os.path.join(top, "open"), 0o777)
        for name in ("victim", "spare"):
            path = os.path.join(top, "open", name)
            with open(path, "w") as f:
                f.write("untouched\n")
            os.chmod(path, 0o666)
        yield top


@pytest.fixture(scope="module")
def listener():
    """Somebody on the loopback and in the abstract name space."""
    with socket.socket() as s, socket.socket(socket.AF_UNIX) as a:
        s.bind(("127.0.0.1", 0))
        s.listen(100)
        a.bind("\0postern-evil-%d" % s.getsockname()[1])
        a.listen(100)
        yield s.getsockname()[1]


def parse(text):
    return [m.groups() for m in map(LINE.search, text.splitlines()) if m]


@pytest.fixture(scope="module")
def tried(field, listener):
    """Every line that the processes of one evil instance said."""
    where = os.path.join(field, "instance")
    inst = postern.Instance(
        where, env={"POSTERN_EVIL": f"{where}:{listener}"}, programs=EVIL)
    inst.log_path = os.path.join(field, "log")
    try:
        inst.init().start()
        inst.add_domain()
        inst.add_user("alice@example.org", "wonderland")
        inst.add_user("bob@example.org", "builder")
        sessions = [log_in(inst, "alice@example.org", "wonderland"),
                    log_in(inst, "bob@example.org", "builder")]
        for who in LOOPS:
            wait_for(lambda: [l for l in inst.lines("at=loop", "probe=all")
                              if f" who={who}/" in l or f" who={who} " in l],
                     f"{who} tried all")
        sessions[0].append("INBOX", None, None, LARGE)
        wait_for(lambda: inst.lines("at=lock who=helper-1 ", "probe=all"),
                 "a helper tried all")
        for c in sessions:
            c.logout()
        yield parse(inst.log())
    finally:
        inst.__exit__(None, None, None)


@needs[1]
def test_release_has_no_trace():
    for program in PROGRAMS:
        path = os.path.join(postern.BUILD, program)
        for tool in (["nm", "-a"], ["strings", "-a"]):
            out = subprocess.run(tool + [path], capture_output=True,
                                 text=True, check=True).stdout
            assert out, program
            assert not re.search(r"evil|__wrap_|__real_", out, re.I), program
        evil = subprocess.run(["nm", os.path.join(EVIL, program)],
                              capture_output=True, text=True,
                              check=True).stdout
        assert "evil_probes" in evil, program


@needs[0]
@needs[1]
def test_every_process_was_tried(tried):
    ended = {(at, who.split("/")[0]) for at, who, _, probe, _ in tried
             if probe == "all"}
    assert {("lock", who) for who in
            LOOPS | {"mailboxd-zygote", "helper-1"}} <= ended
    # Those that a daemon forks have its name: they are told by their part.
    parts = {who for at, who, _, probe, _ in tried
             if (at, probe) == ("lock", "all")}
    assert set(FORKED.values()) <= parts, (FORKED, parts)
    assert {("loop", who) for who in LOOPS} <= ended
    mailboxes = {uid for _, who, uid, _, _ in tried
                 if who.startswith(("owner", "helper"))}
    assert len(mailboxes) == 2 and "0" not in mailboxes


@needs[0]
@needs[1]
def test_nothing_forbidden_succeeds(tried):
    holes = []
    for at, who, _, probe, result in tried:
        if probe == "all" or probe in ALLOWED.get(who, ()):
            continue
        if result != "SIGSYS" and not re.fullmatch(r"E[A-Z0-9]+", result):
            holes.append(f"{who} {at} {probe}: {result}")
    assert not holes, "\n" + "\n".join(sorted(set(holes)))


@needs[0]
@needs[1]
def test_what_lies_beside_is_untouched(tried, field):
    where = os.path.join(field, "open")
    assert sorted(os.listdir(where)) == ["spare", "victim"]
    for name in ("victim", "spare"):
        with open(os.path.join(where, name)) as f:
            assert f.read() == "untouched\n"


def plant(where):
    """What an instance has, as far as the probes look for it."""
    for path in ("postern.conf", "snapshots/1/authd",
                 "store/0/1/1/log/0000000000000001.seg",
                 "store/0/1/2/log/0000000000000001.seg", "run/ctl/x"):
        os.makedirs(os.path.dirname(os.path.join(where, path)),
                    exist_ok=True)
        with open(os.path.join(where, path), "w"):
            pass


# What not every kernel has.
BARE_MAY_FAIL = {
    "sock_vsock", "do_bpf", "do_uring", "do_userfault", "do_perf",
    "do_keyctl", "do_setxattr", "do_clone_user", "unshare_user",
    "call_x32", "call_i386", "do_pidfd",
}


@needs[0]
@needs[1]
def test_probes_succeed_where_there_is_no_wall(field, listener):
    """A probe that cannot succeed proves nothing."""
    where = os.path.join(field, "bare")
    plant(where)
    with tempfile.TemporaryDirectory(dir=field) as top, \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(os.path.join(where, "run/ctl/authd"))
        s.listen(100)
        shutil.copytree(os.path.join(field, "open"),
                        os.path.join(top, "open"))
        where = shutil.move(where, os.path.join(top, "instance"))
        done = subprocess.run(
            [os.path.join(EVIL, "mailctl")], capture_output=True, text=True,
            env={"POSTERN_EVIL": f"{where}:{listener}",
                 "POSTERN_EVIL_BARE": "1"}, timeout=60)
        results = {probe: result for _, _, _, probe, result
                   in parse(done.stderr)}
    assert results.pop("all") == "tried"
    assert len(results) > 60
    failed = {p: r for p, r in results.items() if r != "ok"}
    assert set(failed) <= BARE_MAY_FAIL, failed

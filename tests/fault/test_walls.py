"""Who a process is and what it can reach.  FAULTS: compromised daemons."""

import collections
import imaplib
import os
import re
import subprocess

import pytest

import inside
import postern
from postern import wait_for

root_only = pytest.mark.skipif(os.geteuid() != 0,
                               reason="distinct users need root")


LARGE = b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 5000


def proc_status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def log_in(suite, user, password):
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    c.login(user, password)
    c.select("INBOX")
    return c


@pytest.fixture
def active(suite):
    sessions = [log_in(suite, "alice@example.org", "wonderland"),
                log_in(suite, "bob@example.org", "builder")]
    wait_for(lambda: len(suite.owners()) == 2, "two owners")
    assert sessions[0].append("INBOX", None, None, LARGE)[0] == "OK"
    wait_for(lambda: len(suite.helpers()) == 1, "a helper")
    yield suite
    for c in sessions:
        c.shutdown()


# Every process there is: the walk over the family must come to these.
DAEMONS = {"smtpd": 1, "queued": 1, "route": 1, "local": 1, "imapd": 1,
           "pop3d": 1, "mailboxd": 1, "zygote": 1, "authd": 1}
OTHERS = {"owner": 2,
          "authd's child": 3,           # the nursery and two hash workers
          "queued's child": 1,          # its bulk helper
          "zygote's child": 1}          # an owner's helper
# As whom those run that a daemon or an owner forked.
PARENT = {"authd's child": "authd", "queued's child": "queued",
          "zygote's child": "owner-1"}


def processes(suite):
    found = inside.processes(suite)
    # Those that no name of a daemon or an owner led to would be missing.
    assert set(found.values()) == set(inside.family(suite.proc.pid)[1:])
    kinds = collections.Counter(map(inside.kind_of, found))
    assert kinds == {**DAEMONS, **OTHERS}
    return found


@root_only
def test_each_process_has_a_user_of_its_own(active):
    uids = {}
    for name, pid in processes(active).items():
        s = proc_status(pid)
        ids = s["Uid"].split() + s["Gid"].split()
        assert len(set(s["Uid"].split())) == 1, name
        assert len(set(s["Gid"].split())) == 1, name
        assert "0" not in ids, name
        assert s["Groups"].strip() == "", name
        uids[name] = ids[0]
    # A child is the same user as its parent, and shares with nobody else.
    for name in [n for n in uids if "child" in n]:
        uid = uids.pop(name)
        assert uid == uids[PARENT[inside.kind_of(name)]], name
    assert len(set(uids.values())) == len(uids), uids
    for name, uid in uids.items():
        if name.startswith("owner"):
            assert 1879048192 <= int(uid) < 1879048192 + 16777216


@root_only
def test_no_capability_but_the_zygotes(active):
    for name, pid in processes(active).items():
        s = proc_status(pid)
        caps = int(s["CapPrm"], 16) | int(s["CapEff"], 16)
        # CAP_CHOWN, CAP_SETGID, CAP_SETUID
        want = 1 << 0 | 1 << 6 | 1 << 7 if name == "zygote" else 0
        assert caps == want, (name, hex(caps))


def test_every_process_is_filtered(active):
    for name, pid in processes(active).items():
        s = proc_status(pid)
        assert s["Seccomp"] == "2", name
        assert s["NoNewPrivs"] == "1", name
        assert int(s["CapInh"], 16) == int(s["CapAmb"], 16) == 0, name


def test_nothing_is_writable_and_executable(active):
    for name, pid in processes(active).items():
        with open(f"/proc/{pid}/maps") as f:
            modes = {line.split()[1][:3] for line in f}
        assert "r-x" in modes and "rw-" in modes, name
        assert not any("w" in m and "x" in m for m in modes), (name, modes)


@root_only
def test_no_process_can_be_dumped(active):
    """What belongs to a process that is not dumpable belongs to root."""
    for name, pid in processes(active).items():
        assert os.stat(f"/proc/{pid}/maps").st_uid == 0, name
        with open(f"/proc/{pid}/limits") as f:
            limits = f.read()
        assert re.search(r"Max core file size\s+0\s+0\s", limits), name
        # The nursery forks workers, a worker nothing.
        if name not in ("zygote", "authd's child 0") and os.path.basename(postern.BUILD) != "san":
            assert re.search(r"Max processes\s+0\s+0\s", limits), name


def test_the_environment_says_what_is_inherited_and_no_more(active):
    for name, pid in processes(active).items():
        with open(f"/proc/{pid}/environ") as f:
            words = {w.split("=")[0] for w in f.read().split("\0") if w}
        words -= {"ASAN_OPTIONS", "UBSAN_OPTIONS"}
        assert words == {"LISTEN_FDS", "LISTEN_FDNAMES"}, (name, words)


def test_nobody_else_reads_what_is_kept(active):
    """K-07: the sockets of mailctl ask who calls; all else is closed."""
    may = {".": 0o755, "postern.conf": 0o644, "run": 0o711, "run/ctl": 0o711,
           "run/ctl/authd": 0o666, "run/ctl/queued": 0o666,
           "run/ctl/mailboxd": 0o666, "run/ctl/postern": 0o666}
    seen = 0
    for top, dirs, files in os.walk(active.dir):
        for path in [top] + [os.path.join(top, f) for f in files]:
            name = os.path.relpath(path, active.dir)
            try:
                mode = os.lstat(path).st_mode & 0o7777
            except FileNotFoundError:
                continue
            least = may.get(name, 0o710 if re.match(r"run/\w+$", name)
                            else 0o700)
            assert mode & ~least == 0, (name, oct(mode))
            seen += 1
    assert seen > 60


@root_only
def test_only_the_starter_is_root(active):
    starter = active.proc.pid
    out = subprocess.run(["ps", "-eo", "pid,ppid,uid"], text=True,
                         capture_output=True, check=True).stdout
    rows = [tuple(map(int, l.split())) for l in out.splitlines()[1:]]
    family = {starter}
    for _ in range(4):
        family |= {pid for pid, ppid, _ in rows if ppid in family}
    roots = {pid for pid, _, uid in rows if pid in family and uid == 0}
    assert roots == {starter}


@root_only
def test_network_namespaces_are_empty_and_apart(active):
    ours = os.readlink("/proc/self/ns/net")
    for name, pid in processes(active).items():
        assert os.readlink(f"/proc/{pid}/ns/net") != ours, name
        with open(f"/proc/{pid}/net/dev") as f:
            devices = re.findall(r"^\s*(\S+):", f.read(), re.M)
        assert devices in ([], ["lo"]), (name, devices)


@root_only
def test_root_directory_shows_only_sockets(active):
    may = {"smtpd": {"authd", "queued"}, "imapd": {"authd", "mailboxd"},
           "pop3d": {"authd", "mailboxd"}, "route": {"authd", "queued"},
           "local": {"queued", "mailboxd"}, "queued": {"authd"},
           "mailboxd": {"authd", "zygote"}, "authd": set(),
           "zygote": set()}
    for name, pid in processes(active).items():
        # A child has its parent's view; an owner's helper the zygote's.
        parent = "zygote" if name.startswith("owner") else \
            name.split("'")[0]
        assert set(os.listdir(f"/proc/{pid}/root/")) == may[parent], name


def test_a_helper_has_three_descriptors(active):
    """Its log, what asks it, and the directory with the large bodies."""
    pid, = active.helpers()
    fds = {fd: os.readlink(f"/proc/{pid}/fd/{fd}")
           for fd in os.listdir(f"/proc/{pid}/fd")}
    sockets = [t for t in fds.values() if t.startswith("socket:")]
    directories = [t for t in fds.values() if t.startswith(active.dir)]
    assert len(sockets) == 1, fds
    assert len(directories) == 1 and directories[0].endswith("/log"), fds
    assert set(fds) - {"0", "1", "2"} == {
        fd for fd, t in fds.items() if t in sockets + directories}, fds


def test_fronts_do_not_link_the_index():
    for program in ("imapd", "pop3d", "smtpd", "queued", "deliverd"):
        out = subprocess.run(["ldd", os.path.join(postern.BUILD, program)],
                             capture_output=True, text=True,
                             check=True).stdout
        assert "libdb" not in out, program


@pytest.mark.skipif(os.path.basename(postern.BUILD) == "san",
                    reason="the sanitized build is not the hardened one")
def test_binaries_are_hardened():
    for program in ("smtpd", "queued", "deliverd", "imapd", "pop3d",
                    "mailboxd", "authd", "mailctl"):
        out = subprocess.run(
            ["readelf", "-lhdW", os.path.join(postern.BUILD, program)],
            capture_output=True, text=True, check=True).stdout
        assert "DYN (Position-Independent" in out, program
        assert "GNU_RELRO" in out and "BIND_NOW" in out, program
        assert re.search(r"GNU_STACK.*RW ", out), program
        assert "RPATH" not in out and "RUNPATH" not in out, program
        assert "RWE" not in out, program
        out = subprocess.run(
            ["readelf", "-W", "--dyn-syms",
             os.path.join(postern.BUILD, program)],
            capture_output=True, text=True, check=True).stdout
        assert "__stack_chk_fail" in out, program
        assert re.search(r"__\w+_chk@GLIBC", out), program


STEPS = ["view", "chroot", "chdir", "capabilities", "no_new_privs",
         "landlock", "limits", "dumpable", "seccomp"]


def said(inst, *words):
    """Which daemons; one that is started again says it again."""
    return {line.split()[1] for line in inst.lines(*words)}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_no_start(step):
    if step in ("chroot", "chdir") and os.geteuid() != 0:
        pytest.skip("needs root")
    inst = postern.Instance(env={"POSTERN_SANDBOX_FAIL": step})
    try:
        inst.init().launch()
        wait_for(lambda: said(inst, "sandbox: " + step) == set(DAEMONS),
                 "each daemon refuses")
        assert not inst.is_ready()
        assert not inst.lines(" ready ")
        rows = inst.status()
        assert set(rows) == set(DAEMONS)
        assert not [d for d in rows if rows[d]["state"] == "ready"]
    finally:
        inst.__exit__(None, None, None)

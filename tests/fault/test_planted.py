"""What somebody who has a mailbox's user could leave in its directory for the
next who opens it: links, fifos, devices, configuration of Berkeley DB.  It is
refused or made again, nobody waits for it, and nothing of another mailbox is
read or changed.  ATTACKS K-01, K-02, K-03."""

import ctypes
import hashlib
import imaplib
import os
import shutil
import smtplib
import stat
import signal
import subprocess
import threading

import pytest

import postern
from postern import wait_for

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="mailboxes of other users need root")

LARGE = b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 5000
MAIL = [b"Subject: %s\r\n\r\n%s\r\n" % (s, s) for s in (b"one", b"two")]
USERS = {"alice@example.org": "wonderland", "bob@example.org": "builder"}


def place(inst, user):
    u = inst.json("user", "show", user)
    return os.path.join(inst.dir, "store", str(u["shard"]),
                        str(u["tenant"]), str(u["mailbox"]))


def send(inst, user, *messages):
    with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
        for m in messages:
            c.sendmail("a@example.net", [user], m)
    inst.wait_queue_empty()


def rest(inst):
    wait_for(lambda: inst.owners() == [], "all mailboxes are closed")


@pytest.fixture(scope="module")
def inst():
    with postern.Instance(settings={"mailbox.linger": "0"}) as i:
        i.add_domain()
        for user, password in USERS.items():
            i.add_user(user, password)
            send(i, user, *MAIL, LARGE)
        rest(i)
        yield i


def tree(top):
    """Every file with all that there is to say about it."""
    found = {}
    for where, dirs, files in os.walk(top):
        for name in dirs + files + ["."]:
            path = os.path.join(where, name)
            s = os.lstat(path)
            found[path] = (s.st_mode, s.st_uid, s.st_gid, s.st_ino, s.st_size,
                           s.st_mtime_ns)
            if stat.S_ISREG(s.st_mode):
                with open(path, "rb") as f:
                    found[path] += (hashlib.sha256(f.read()).digest(),)
    return found


def read(inst, user):
    """All messages; or what the server says instead."""
    c = imaplib.IMAP4("127.0.0.1", inst.port("imap"), timeout=30)
    try:
        c.login(user, USERS[user])
        n = int(c.select("INBOX", readonly=True)[1][0])
        texts = []
        for i in range(n):
            answer = c.fetch(str(i + 1), "(BODY.PEEK[])")
            if answer[0] != "OK" or not isinstance(answer[1][0], tuple):
                texts.append(None)
            else:
                texts.append(answer[1][0][1].split(b"Subject: ", 1)[-1])
        return texts
    except imaplib.IMAP4.error as e:
        return str(e)
    finally:
        c.shutdown()


ALL = [m.split(b"Subject: ", 1)[1] for m in MAIL + [LARGE]]

# Where, what instead, and what bob then has: everything, nothing, or all but
# one message.  In a name, SEGMENT and BODY stand for the only one there is.
LINKED = ("symlink", "hardlink")
ROWS = [(name, how, "nothing") for name, kinds in (
            (".", ("symlink", "file", "fifo")),
            ("log", ("symlink", "file", "fifo")),
            ("index", ("symlink", "file", "fifo")),
            ("lock", LINKED + ("dir",)),
            ("log/SEGMENT", LINKED + ("fifo", "dir", "zero")),
            ("log/0000000000000009.seg", ("symlink", "fifo", "dir")),
        ) for how in kinds] + \
       [("log/BODY", how, "all but one")
        for how in LINKED + ("fifo", "dir", "zero", "file")] + \
       [(name, how, "all") for name, kinds in (
            ("lock", ("fifo", "zero")),     # as good as a file
            ("index/index.db", LINKED + ("fifo", "dir", "zero", "file")),
            ("index/DB_CONFIG", LINKED + ("fifo", "dir", "config")),
            ("index/__db.001", LINKED + ("fifo", "dir", "zero", "file")),
            ("index/log.0000000001", LINKED + ("fifo", "dir", "file")),
            ("index/log.0000000009", LINKED + ("fifo", "dir", "file")),
            ("log/body-0000000000009", LINKED + ("fifo", "dir")),
        ) for how in kinds]


def name_in(top, name):
    """The path of a row's name in that mailbox."""
    for word, is_it in (("SEGMENT", lambda n: n.endswith("1.seg")),
                        ("BODY", lambda n: n.startswith("body-"))):
        if word in name:
            found, = [n for n in os.listdir(os.path.join(top, "log"))
                      if is_it(n)]
            name = name.replace(word, found)
    return os.path.normpath(os.path.join(top, name))


def plant(path, how, other, uid):
    if how == "symlink":
        os.symlink(other, path)
    elif how == "hardlink":
        os.link(other, path)
    elif how == "fifo":
        os.mkfifo(path, 0o600)
    elif how == "dir":
        os.mkdir(path, 0o700)
        with open(os.path.join(path, "x"), "w"):
            pass
    elif how == "zero":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    elif how == "config":
        with open(path, "w") as f:
            f.write("set_data_dir ../../2/index\nset_lg_dir /tmp\n"
                    "set_open_flags DB_INIT_LOCK on\nset_flags nonsense\n")
    else:
        with open(path, "wb") as f:
            f.write(b"\xff" * 8192)
    if how != "hardlink":
        os.lchown(path, uid, uid)


@pytest.mark.parametrize("name,how,want", ROWS,
                         ids=[f"{r[0]} {r[1]}" for r in ROWS])
def test_plant(inst, name, how, want):
    rest(inst)
    bob, alice = place(inst, "bob@example.org"), \
        place(inst, "alice@example.org")
    uid = os.lstat(bob).st_uid
    path = name_in(bob, name)
    other = name_in(alice, name)
    if not os.path.exists(other):
        other = name_in(alice, "index/index.db")
    aside = os.path.join(inst.top, "aside")
    subprocess.run(["cp", "-a", bob, aside], check=True)
    before = tree(alice)
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)
    plant(path, how, other, uid)
    try:
        got = read(inst, "bob@example.org")
        if want == "nothing":
            assert isinstance(got, str) and "UNAVAILABLE" in got, got
        elif want == "all":
            assert got == ALL
        else:
            assert got == ALL[:2] + [None]
        rest(inst)
        assert tree(alice) == before
    finally:
        put_back(inst, bob, aside)
    assert read(inst, "bob@example.org") == ALL
    assert read(inst, "alice@example.org") == ALL


def put_back(inst, top, aside):
    rest(inst)
    if os.path.isdir(top) and not os.path.islink(top):
        shutil.rmtree(top)
    else:
        os.unlink(top)
    os.rename(aside, top)


# -- K-02 -----------------------------------------------------------------

RENAMEAT2, EXCHANGE, AT_FDCWD = 316, 2, -100


class Exchange:
    """Two names change places, again and again, until the block ends."""

    def __init__(self, *pairs):
        self.pairs = [(a.encode(), b.encode()) for a, b in pairs]
        self.times = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def once(self):
        for a, b in self.pairs:
            assert ctypes.CDLL(None, use_errno=True).syscall(
                RENAMEAT2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE) == 0, \
                (a, os.strerror(ctypes.get_errno()))
        self.times += 1

    def run(self):
        while not self.stop.is_set():
            self.once()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()
        if self.times % 2 == 1:
            self.once()


def test_exchange(inst):
    """What is a directory at one moment is a link to alice's at the next."""
    rest(inst)
    bob, alice = place(inst, "bob@example.org"), \
        place(inst, "alice@example.org")
    before = tree(alice)
    links = [(bob, bob + ".x", alice)] + [
        (os.path.join(bob, n), os.path.join(bob, n + ".x"),
         os.path.join(alice, n)) for n in ("log", "index", "lock")]
    refused = opened = 0
    for path, link, target in links:
        os.symlink(target, link)
        with Exchange((path, link)) as x:
            while x.times < 2000 or refused == 0 or opened == 0:
                got = read(inst, "bob@example.org")
                if isinstance(got, str):
                    refused += 1
                else:
                    assert got == ALL
                    opened += 1
        rest(inst)
        assert tree(alice) == before
        os.unlink(link)
        refused = opened = 0
    # Nothing that was accepted meanwhile is lost or goes elsewhere.
    os.symlink(alice, bob + ".x")
    with Exchange((bob, bob + ".x")):
        with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
            for i in range(50):
                c.sendmail("a@example.net", ["bob@example.org"],
                           b"Subject: %d\r\n\r\n" % i)
    os.unlink(bob + ".x")

    def is_empty():
        # The last of them may have been put off a moment ago.
        inst.ctl("queue", "retry", "--all")
        return inst.queue_is_empty()
    wait_for(is_empty, "all is delivered")
    rest(inst)
    assert tree(alice) == before
    got = read(inst, "bob@example.org")
    assert got[:3] == ALL
    assert sorted(int(t) for t in got[3:]) == list(range(50))


# -- K-03 -----------------------------------------------------------------

IN_OPEN, IN_NONBLOCK = 0x20, 0x800


def test_mailctl_opens_nothing_of_a_mailbox(inst):
    """Root's own tool: what there is to be read, the owner reads."""
    rest(inst)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(IN_NONBLOCK)
    bob = place(inst, "bob@example.org")
    for where, _, _ in os.walk(bob):
        assert libc.inotify_add_watch(watch, where.encode(), IN_OPEN) != -1

    def opened():
        try:
            return os.read(watch, 1 << 16) != b""
        except BlockingIOError:
            return False
    try:
        # os.walk of the next directory came behind the watch of the first.
        opened()
        for words in (["config", "check"], ["status"], ["user", "list"],
                      ["user", "show", "bob@example.org"], ["queue", "list"],
                      ["queue", "scrub"], ["alias", "list"],
                      ["domain", "list"]):
            inst.ctl(*words)
            assert not opened(), words
        zygote = inst.pid("zygote")
        os.kill(zygote, signal.SIGSTOP)
        try:
            asked = subprocess.Popen(
                [inst.mailctl, "-c", inst.conf, "mailbox", "scrub",
                 "bob@example.org"], stdout=subprocess.PIPE, text=True)
            # Twice asked whether there is news: it has done what it does.
            with pytest.raises(subprocess.TimeoutExpired):
                asked.communicate(timeout=3)
            assert not opened()
        finally:
            os.kill(zygote, signal.SIGCONT)
        out, _ = asked.communicate(timeout=60)
        assert "sound" in out and opened()
    finally:
        os.close(watch)

"""An instance of Postern for tests, the demo and benchmarks: made in a
directory of its own on free ports, started, asked, killed in parts, stopped.

Never sleeps to wait: wait_for() polls a condition against a deadline."""

import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("POSTERN_BUILD", "build"))
MAILCTL = os.path.join(BUILD, "mailctl")
DEADLINE = 60.0

# Of sanitized programs.  Leaks: what a process holds when it exits is not
# lost, and the leak checker cannot trace a process that is not dumpable.
# Abort: so that the supervisor sees a death and not an end.
for _name, _value in (
        ("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0"),
        ("UBSAN_OPTIONS", "abort_on_error=1:print_stacktrace=1")):
    os.environ.setdefault(_name, _value)
# What smtplib asks a resolver for, which may take its time to say no.
socket.getfqdn = lambda name="": name or "client.example.net"
REPORTS = ("ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer",
           "AddressSanitizer:", "Assertion `")
PROGRAMS = ("mailctl", "authd", "queued", "deliverd", "smtpd", "imapd",
            "pop3d", "mailboxd")
NOBODY = 65534                  # an ordinary user, who is nobody else's
DEATH = re.compile(r"daemon died|hash worker died|owner died")
SERVICES = {"mx": 25, "submission": 587, "pop3": 110, "imap": 143}


def command(pid):
    """What a process calls itself; "" when it is gone."""
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def copy_programs(where):
    """Into a directory that everybody reads, whatever ours is."""
    os.makedirs(where)
    os.chmod(where, 0o755)
    for name in PROGRAMS:
        shutil.copy(os.path.join(BUILD, name), where)
        os.chmod(os.path.join(where, name), 0o755)
    return where


class Late(AssertionError):
    """A condition did not come true before its deadline."""


def wait_for(condition, what, deadline=DEADLINE, step=0.01):
    """Returns the first true value of condition(); raises Late."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"not within {deadline} s: {what}")
        select.select([], [], [], step)


def freeze(pid):
    """Stops a process, and returns when it has stopped: a signal is only on
    its way when kill() returns.  SIGCONT lets it go on."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(pid) in "Tt", f"process {pid} stands still")


def state_of(pid):
    """One letter of proc(5); X when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# Port bases of which no two have a port in common, all below the ports that
# the kernel gives to clients; those from 10000 on are what make run keeps.
BASES = [10000 + 600 * k + i for k in range(1, 35) for i in range(25)]
reserved = {}


def reserve(base):
    """True if its ports are free and now ours against every other test on
    this host: whoever holds the socket of that name, until he ends.  Another
    program may still take one."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind(f"\0postern-ports-{base}")
    except OSError:
        s.close()
        return False
    if not all(is_free(base + off) for off in SERVICES.values()):
        s.close()
        return False
    reserved[base] = s
    return True


def release(base):
    if base in reserved:
        reserved.pop(base).close()


def free_base():
    """A port base whose four services are free; release() gives it back."""
    for base in random.sample(BASES, len(BASES)):
        if reserve(base):
            return base
    raise AssertionError("no free ports")


class Instance:
    """One instance; use it as a context manager."""

    def __init__(self, directory=None, settings=None, env=None, wrap=None,
                 programs=BUILD, user=None):
        """`user` runs it, and mailctl: a number, with no other groups."""
        self.mailctl = os.path.join(programs, "mailctl")
        self.own = directory is None
        self.top = tempfile.mkdtemp(prefix="postern-") if self.own else None
        self.dir = directory or os.path.join(self.top, "instance")
        self.conf = os.path.join(self.dir, "postern.conf")
        self.log_path = os.path.join(self.top or self.dir, "log")
        self.env = dict(os.environ, **(env or {}))
        self.wrap = wrap or []
        self.become = [] if user is None else [
            "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        if user is not None and self.own:
            os.chown(self.top, user, user)
        self.proc = None
        self.settings = settings or {}
        self.base = None
        self.killed = set()

    # -- making and starting -------------------------------------------

    def init(self, base=None):
        """Ports from `base` on if they are free, else from another."""
        self.base = base if base is not None and reserve(base) \
            else free_base()
        done = subprocess.run(
            self.become +
            [self.mailctl, "init", self.dir, "--port-base", str(self.base),
             "--hostname", "mail.example.org"],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.configure(self.settings)
        return self

    def configure(self, settings):
        with open(self.conf, "a") as f:
            for key, value in settings.items():
                f.write(f'{key} = "{value}"\n')

    def port(self, service):
        return self.base + SERVICES[service]

    def launch(self):
        """Starts the supervisor; returns without waiting."""
        self.log_at = os.path.getsize(self.log_path) \
            if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.proc = subprocess.Popen(
                self.become + self.wrap + [self.mailctl, "-c", self.conf, "run"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env)
        return self

    def start(self):
        """On other ports if somebody else has taken one of ours by now."""
        for _ in range(20):
            self.launch()
            wait_for(lambda: self.proc.poll() is not None or self.is_ready(),
                     "all daemons ready")
            if self.proc.poll() is None or \
                    "Address already in use" not in self.new_log():
                break
            self.move()
        assert self.proc.poll() is None, self.log()[-3000:]
        return self

    def new_log(self):
        with open(self.log_path, "rb") as f:
            f.seek(self.log_at)
            return f.read().decode(errors="backslashreplace")

    def move(self):
        with open(self.conf) as f:
            text = f.read()
        base = free_base()
        release(self.base)
        ports = {f":{self.base + off}": f":{base + off}"
                 for off in SERVICES.values()}
        text = re.sub(r":\d+\b", lambda m: ports.get(m[0], m[0]), text)
        with open(self.conf, "w") as f:
            f.write(text)
        self.base = base

    def is_ready(self):
        return "all daemons ready" in self.new_log()

    def log(self):
        with open(self.log_path, "r", errors="backslashreplace") as f:
            return f.read()

    def lines(self, *words):
        """Whole lines: the last may be in the middle of its write."""
        return [l[:-1] for l in self.log().splitlines(keepends=True)
                if l.endswith("\n") and all(w in l for w in words)]

    def logged(self, *words, n=1):
        """These lines when there are n: a daemon's lines leave at the end of
        its turn, behind its answers."""
        return wait_for(lambda: len(self.lines(*words)) >= n and
                        self.lines(*words), f"{n} lines: {' '.join(words)}")

    def stop(self):
        if self.proc is None:
            return 0
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        try:
            code = self.proc.wait(60)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise
        self.proc = None
        self.check_log()
        return code

    def kill(self, pid, signo=signal.SIGKILL):
        """Kills one process; its death is then no complaint."""
        assert pid > 0
        self.killed.add(pid)
        try:
            os.kill(pid, signo)
        except ProcessLookupError:
            pass

    def kill_daemon(self, daemon):
        """Its pid; the starter may not know of its end when this returns."""
        pid = self.pid(daemon)
        self.kill(pid)
        return pid

    def wait_back(self, daemon, old):
        """Until another process than `old` is ready in its place."""
        def is_back():
            row = self.status()[daemon]
            return row["pid"] not in (0, old) and row["state"] == "ready"
        wait_for(is_back, f"{daemon} is back")

    def complaints(self):
        """Lines of the log that no test may cause: reports of sanitizers,
        and deaths by a signal other than those that kill() sent."""
        if not os.path.exists(self.log_path):
            return []
        found = []
        for line in self.log().splitlines():
            if DEATH.search(line):
                pid = int(re.search(r"\bpid=(\d+)", line).group(1))
                if pid not in self.killed:
                    found.append(line)
            elif any(r in line for r in REPORTS):
                found.append(line)
        return found

    def check_log(self):
        found = self.complaints()
        if found:
            at = self.log().index(found[0])
            raise AssertionError("in the log: " + found[0] + "\n" +
                                 self.log()[at:at + 4000])

    def kill_all(self):
        """kill -9 of the supervisor; the rest follows by itself."""
        if self.proc is not None:
            self.proc.kill()
            self.proc.wait()
            self.proc = None

    def __enter__(self):
        try:
            return self.init().start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, *exc):
        try:
            self.stop()
            self.check_log()
        finally:
            self.kill_all()
            if self.own:
                self.wait_unlocked()
                shutil.rmtree(self.top, ignore_errors=True)
            release(self.base)

    def wait_unlocked(self):
        """Until no process of the instance holds its lock any more."""
        path = os.path.join(self.dir, "lock")
        if not os.path.exists(path):
            return
        inode = f":{os.stat(path).st_ino} "

        def unlocked():
            with open("/proc/locks") as f:
                return inode not in f.read()
        wait_for(unlocked, "the instance's lock")

    # -- asking ----------------------------------------------------------

    def ctl(self, *words, stdin=None, check=0):
        done = subprocess.run(self.become +
                              [self.mailctl, "-c", self.conf, *words],
                              capture_output=True, text=True,
                              input=stdin, timeout=DEADLINE)
        if check is not None:
            assert done.returncode == check, \
                (words, done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *words, check=0):
        return json.loads(self.ctl("--json", *words, check=check).stdout)

    def add_domain(self, name="example.org"):
        self.ctl("domain", "add", name)

    def add_user(self, address, password="secret"):
        self.ctl("user", "add", address, stdin=password + "\n")

    def status(self):
        return {row["daemon"]: row for row in self.json("status")}

    def pid(self, daemon):
        return self.status()[daemon]["pid"]

    def owners(self):
        """Pids of the processes of active mailboxes: the zygote's
        children that are no helpers."""
        return self.zygotes_children("owner-")

    def helpers(self):
        """Pids of the helpers of owners."""
        return self.zygotes_children("helper-")

    def zygotes_children(self, kind):
        def listed():
            zygote = self.pid("zygote")
            path = f"/proc/{zygote}/task/{zygote}/children"
            try:
                with open(path) as f:
                    return [[int(p) for p in f.read().split()]]
            except (FileNotFoundError, ProcessLookupError):
                return None
        pids, = wait_for(listed, "a zygote")
        return [p for p in pids if command(p).startswith(kind)]

    def queue_is_empty(self):
        return self.json("queue", "list") == []

    def wait_queue_empty(self, deadline=DEADLINE):
        wait_for(self.queue_is_empty, "the queue is empty", deadline,
                 step=0.05)

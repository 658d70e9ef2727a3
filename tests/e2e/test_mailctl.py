"""What the operator types: answers, exit codes, JSON."""

import datetime
import imaplib
import os
import pty
import shutil
import signal
import smtplib
import socket
import subprocess
import termios

import pytest

import inside
import postern
from postern import wait_for


def test_status_names_every_daemon(suite):
    rows = suite.status()
    assert set(rows) == {"authd", "queued", "zygote", "mailboxd", "route",
                         "local", "smtpd", "imapd", "pop3d"}
    for row in rows.values():
        assert row["state"] == "ready" and row["pid"] > 0
        assert "seccomp" in row["sandbox"], row
        assert row["generation"] == 1 and row["uptime"] >= 0
        assert row["user"] == os.stat(f"/proc/{row['pid']}").st_uid
    assert "DAEMON" in suite.ctl("status").stdout


def test_exit_codes(suite):
    suite.ctl("domain", "add", "example.org", check=4)
    suite.ctl("domain", "show", "missing.example", check=3)
    suite.ctl("domain", "remove", "example.org", check=4)
    suite.ctl("user", "show", "nobody@example.org", check=3)
    suite.ctl("user", "add", "alice@example.org", stdin="x\n", check=4)
    suite.ctl("user", "add", "bad address", stdin="x\n", check=2)
    suite.ctl("queue", "show", "0000000000000", check=3)
    suite.ctl("nonsense", check=2)
    suite.ctl("domain", check=2)
    suite.ctl("domain", "add", check=2)
    suite.ctl("queue", "show", "a", "b", check=2)
    many = [f"t{i}@example.org" for i in range(50)]
    assert "at most 50 words" in suite.ctl(
        "alias", "add", "many@example.org", *many, check=2).stderr
    suite.ctl("alias", "add", "many@example.org", *many[1:])


def test_help():
    for word in ("help", "--help"):
        done = subprocess.run([postern.MAILCTL, word], capture_output=True,
                              text=True)
        assert done.returncode == 0 and "queue retry" in done.stdout


def test_long_words(suite):
    done = suite.ctl("domain", "show", "d" * 1024, check=None)
    assert done.returncode in (2, 3) and "too long" not in done.stderr
    done = suite.ctl("domain", "show", "d" * 1025, check=2)
    assert "too long" in done.stderr
    suite.ctl("alias", "add", *["a@example.org"] * 52, check=2)


def test_a_port_lost_to_another_program():
    """The rig itself: between choosing ports and using them."""
    inst = postern.Instance()
    try:
        inst.init()
        base = inst.base
        with socket.socket() as thief:
            thief.bind(("127.0.0.1", inst.port("imap")))
            thief.listen()
            inst.start()
            assert inst.base != base
            inst.add_domain()
            with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
                assert c.noop()[0] == 250
    finally:
        inst.__exit__(None, None, None)


def test_unreachable():
    inst = postern.Instance()
    try:
        inst.init()
        assert "run" in inst.ctl("status", check=5).stderr
    finally:
        inst.__exit__(None, None, None)


def test_the_line_after_run_needs_no_wait():
    """It waits a second; on a busy machine a start may take longer."""
    for _ in range(10):
        inst = postern.Instance()
        try:
            inst.init().launch()
            done = inst.ctl("domain", "add", "example.org", check=None)
            if done.returncode == 0:
                assert inst.json("domain", "show", "example.org")
                return
            assert done.returncode == 5, done.stderr
        finally:
            inst.__exit__(None, None, None)
    assert False, "it does not wait"


def test_lists(suite):
    suite.ctl("alias", "add", "team@example.org", "alice@example.org",
              "bob@example.org")
    assert [r["domain"] for r in suite.json("domain", "list")] == \
        ["example.org"]
    assert [r["address"] for r in suite.json("user", "list")] == \
        ["alice@example.org", "bob@example.org"]
    rows = suite.json("alias", "list")
    assert len(rows) == 1 and "bob@example.org" in rows[0]["targets"]
    suite.ctl("alias", "remove", "team@example.org")
    assert suite.json("alias", "list") == []


def test_domain_remove(suite):
    suite.ctl("domain", "add", "new.example")
    suite.ctl("user", "add", "eve@new.example", stdin="x\n")
    suite.ctl("domain", "remove", "new.example", check=4)
    suite.ctl("user", "remove", "eve@new.example")
    suite.ctl("domain", "remove", "new.example")
    suite.ctl("domain", "show", "new.example", check=3)
    suite.ctl("domain", "remove", "new.example", check=3)
    suite.ctl("user", "add", "eve@new.example", stdin="x\n", check=3)


def test_long_lists_go_on_by_cursor(suite):
    for i in range(205):
        suite.ctl("domain", "add", f"d{i}.example")
    assert len(suite.json("domain", "list")) == 206


def login(suite, password):
    c = imaplib.IMAP4("127.0.0.1", suite.port("imap"))
    try:
        return c.login("bob@example.org", password)[0] == "OK"
    except imaplib.IMAP4.error:
        return False
    finally:
        c.shutdown()


def test_passwd_takes_effect_at_once(suite):
    assert login(suite, "builder")
    suite.ctl("user", "passwd", "bob@example.org", stdin="other\n")
    assert not login(suite, "builder")
    assert login(suite, "other")
    suite.ctl("user", "remove", "bob@example.org")
    assert not login(suite, "other")


@pytest.mark.parametrize("typed,word", [
    ("", "no password came"), ("\n", "empty"), ("\r\n", "empty"),
    ("x" * 1025 + "\n", "1024"), ("x" * 100000 + "\n", "1024"),
    ("a\0b\n", "NUL")])
def test_what_is_no_password(suite, typed, word):
    for verb in ("add", "passwd"):
        done = suite.ctl("user", verb, "eve@example.org", stdin=typed,
                         check=2)
        assert word in done.stderr and done.stderr.count("\n") == 1
    suite.ctl("user", "show", "eve@example.org", check=3)


def test_the_longest_password(suite):
    suite.ctl("user", "add", "eve@example.org", stdin="x" * 1024 + "\n")
    suite.ctl("user", "passwd", "eve@example.org", stdin="no newline")


def test_json_is_one_value(suite):
    targets = [f"t{i:02}@" + "d" * 60 + ".example.org" for i in range(49)]
    targets.append('"a b"@example.org')
    suite.ctl("alias", "add", "team@example.org", *targets[:49])
    suite.ctl("alias", "add", "team@example.org", targets[49])
    shown = suite.json("alias", "show", "team@example.org")
    assert shown["address"] == "team@example.org"
    assert sorted(shown["targets"]) == sorted(targets)
    rows = suite.json("alias", "list")
    assert sorted(sum((r["targets"] for r in rows), [])) == sorted(targets)
    assert suite.json("domain", "show", "example.org")["created"][10] == "T"
    suite.ctl("alias", "add", "loop@example.org", "loop@example.org")
    with smtplib.SMTP("127.0.0.1", suite.port("mx")) as c:
        c.sendmail("a@example.net", "loop@example.org", "S: x\r\n\r\n")
    row = wait_for(lambda: [r for r in suite.json("queue", "list")
                            if r["state"] == "held"], "it is held")[0]
    shown = suite.json("queue", "show", row["qid"])
    assert shown["qid"] == row["qid"] and "5.4.6" in shown["error"]
    assert [t["target"] for t in shown["targets"]] == \
        list(range(len(shown["targets"])))
    assert suite.json("queue", "retry", "--all") == \
        {"retried": 1}
    assert suite.json("queue", "remove", row["qid"]) == \
        {"removed": 1}
    assert suite.json("alias", "remove", "team@example.org") == {}


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT,
                                   signal.SIGHUP])
def test_a_signal_is_an_end_in_order(suite, signo):
    suite.proc.send_signal(signo)
    assert suite.proc.wait(60) == 0
    assert suite.lines("postern", "stopped")
    assert not suite.lines("the starter is gone")


def test_password_is_not_an_argument(suite):
    suite.ctl("user", "add", "eve@example.org", "secret", stdin="", check=2)


def test_password_from_a_terminal(suite):
    main, side = pty.openpty()
    p = subprocess.Popen(
        [postern.MAILCTL, "-c", suite.conf, "user", "add",
         "tty@example.org"], stdin=side, stdout=side, stderr=side)
    os.close(side)
    seen = b""
    for prompt in (b"Password: ", b"Again: "):
        while prompt not in seen:
            seen += os.read(main, 100)
        os.write(main, b"unseen\n")
    assert p.wait(60) == 0
    try:
        seen += os.read(main, 1000)
    except OSError:
        pass
    os.close(main)
    assert b"unseen" not in seen
    suite.ctl("user", "show", "tty@example.org")


def test_interrupted_at_the_prompt(suite):
    main, side = pty.openpty()
    p = subprocess.Popen(
        [postern.MAILCTL, "-c", suite.conf, "user", "add",
         "int@example.org"], stdin=side, stdout=side, stderr=side)
    seen = b""
    while b"Password: " not in seen:
        seen += os.read(main, 100)
    assert not termios.tcgetattr(side)[3] & termios.ECHO
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == -signal.SIGINT
    assert termios.tcgetattr(side)[3] & termios.ECHO
    os.close(side)
    os.close(main)
    suite.ctl("user", "show", "int@example.org", check=3)


def test_a_fork_that_fails_is_tried_again():
    """Of the starter alone: its tenth, which is the first of a restart."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    inst = postern.Instance(wrap=[
        "strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=clone,fork,vfork,clone3",
        "-e", "inject=clone,fork,vfork,clone3:error=EAGAIN:when=10..12"])
    try:
        inst.init().start()
        inst.kill(inst.pid("smtpd"))
        wait_for(lambda: inst.lines("cannot start", "smtpd"), "it fails")
        wait_for(lambda: inst.status()["smtpd"]["state"] == "ready",
                 "smtpd is back")
        assert inst.status()["smtpd"]["restarts"] >= 2
        inst.add_domain()
    finally:
        inst.__exit__(None, None, None)


def test_a_stop_right_after_the_start():
    """Daemons that have done nothing yet since they were forked: each is
    traced into its first call, and held there."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    inst = postern.Instance(wrap=[
        "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e",
        "trace=rt_sigaction", "-e",
        "inject=rt_sigaction:delay_enter=500000:when=1"])
    try:
        inst.init().launch()
        wait_for(lambda: len(inside.family(inst.proc.pid)) >= 10, "forks")
        assert inst.stop() == 0
        assert not inst.lines("do not stop"), "it had to be killed"
    finally:
        inst.__exit__(None, None, None)


def test_a_daemon_that_dies_again_and_again(suite):
    """Its restarts get slower; the rest of the suite goes on."""
    for n in range(6):
        old = suite.kill_daemon("pop3d")
        if n == 5:
            assert login(suite, "builder")
        suite.wait_back("pop3d", old)
    assert suite.status()["pop3d"]["restarts"] == 6
    died = [stamp(l) for l in suite.logged("daemon died", "pop3d", n=6)]
    back = [stamp(l) for l in suite.logged(" info ready ", "daemon=pop3d", n=7)][1:]
    waits = [b - d for d, b in zip(died, back)]
    assert len(waits) == 6
    # 50, 100, 200, 400 and 800 ms, after the first; stamps are those of the
    # turns, a little before or after.
    assert all(w >= 0.04 * 2 ** i for i, w in enumerate(waits[1:])), waits


def stamp(line):
    return datetime.datetime.fromisoformat(
        line.split()[0].rstrip("Z")).timestamp()


def test_second_run_waits_for_the_lock_then_fails(suite):
    other = postern.Instance(suite.dir)
    other.log_path = os.path.join(suite.top, "second")
    other.base = suite.base
    other.launch()
    wait_for(lambda: "waiting" in other.log(), "it waits")
    assert other.proc.wait(60) == 1
    assert "another instance runs" in other.log()
    other.proc = None


def as_stranger(suite, *words):
    """mailctl as user 65534; a copy, for it may lie where he may not go."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    os.chmod(suite.top, 0o755)

    def become():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    copy = os.path.join(suite.top, "mailctl")
    subprocess.run(["cp", postern.MAILCTL, copy], check=True)
    os.chmod(copy, 0o755)
    return subprocess.run([copy, "-c", suite.conf, *words],
                          preexec_fn=become, capture_output=True, text=True)


# One command for each control socket, by the name of the socket.
DOORS = {"postern": ["status"], "queued": ["queue", "list"],
         "authd": ["domain", "list"], "mailboxd": ["mailbox", "scrub", "--all"]}


def test_strangers_are_turned_away(suite):
    assert set(os.listdir(os.path.join(suite.dir, "run/ctl"))) == set(DOORS)
    for door, words in DOORS.items():
        done = as_stranger(suite, *words)
        assert done.returncode == 4, (door, done.stderr)
        assert "operators" in done.stderr, door
        assert done.stdout == "", door
    assert not suite.lines(" control ", "uid=65534")


@pytest.mark.parametrize("how", ["owner", "operator"])
def test_owner_and_operators_are_let_in(suite, how):
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    suite.stop()
    if how == "owner":
        os.chown(suite.dir, 65534, -1)
    else:
        suite.configure({"operators": "4711 65534"})
    suite.start()
    for door, words in DOORS.items():
        done = as_stranger(suite, *words)
        assert done.returncode == 0, (door, done.stderr)


# ATTACKS D-03, D-08: what ends a field or a line, what is not ASCII, what has
# more than one form.
NO_NAMES = ["", "\n", "a\nb@example.org", "a@example.org\nb@example.org",
            "a@exa\nmple.org", "a@example.org\r", '"a\nb"@example.org',
            "a\tb@example.org", "a\x01@example.org", "a\x7f@example.org",
            '"a\x1b[2Jb"@example.org', "é@example.org", "a@bücher.example",
            "a\u200b@example.org", "a\u202eb@example.org", "a@example.org.",
            "a@xn--.example", "a@b@example.org", "a@",
            "<a@example.org>", "a@[127.0.0.1", "a@example.org ",
            "a" * 65 + "@example.org", "a@" + "b" * 64 + ".example"]


def directory(suite):
    return [suite.ctl(what, "list").stdout
            for what in ("domain", "user", "alias")]


def test_names_that_cannot_be(suite):
    suite.ctl("alias", "add", "sales@example.org", "bob@example.org")
    before = directory(suite)
    for name in NO_NAMES:
        for words in (["domain", "add", name], ["user", "add", name],
                      ["domain", "add", name.split("@")[-1] + "\n"],
                      ["alias", "add", name, "bob@example.org"],
                      ["alias", "add", "other@example.org", name],
                      ["alias", "add", "other@example.org",
                       "bob@example.org", name]):
            suite.ctl(*words, stdin="x\n", check=2)
        for words in (["user", "passwd", name], ["user", "quota", name, "1M"],
                      ["user", "remove", name], ["alias", "remove", name]):
            done = suite.ctl(*words, stdin="x\n", check=None)
            assert done.returncode in (2, 3), (words, done)
    assert directory(suite) == before


def test_one_name_in_all_its_cases(suite):
    suite.ctl("domain", "add", "XN--Bcher-Kva.Example")
    suite.ctl("user", "add", "Eve@xn--bcher-kva.EXAMPLE", stdin="x\n")
    suite.ctl("domain", "add", "xn--bcher-kva.example", check=4)
    suite.ctl("user", "add", "eVE@XN--bcher-kva.example", stdin="x\n",
              check=4)
    with smtplib.SMTP("127.0.0.1", suite.port("submission")) as c:
        c.login("EVE@xn--Bcher-kva.example", "x")
        c.sendmail("eve@XN--BCHER-KVA.example",
                   ["eve@xn--bcher-KVA.example"], "S: x\r\n\r\n")
    suite.wait_queue_empty()
    suite.logged(" owner ", "delivered")

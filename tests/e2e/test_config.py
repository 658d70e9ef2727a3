"""Bad configuration: each mistake gives file, line and remedy, exit 78, and
nothing starts."""

import os
import subprocess

import pytest

import postern

MISTAKES = [
    ("hostname = bad_name!", "not a host name", "mail.example.org"),
    ("smtp.size_maxx = 5", "there is no such setting", "smtp.size_max"),
    ("smtp.size_max = many", "not a number", "K, M and G"),
    ("smtp.size_max = 99G", "too large", "65536"),
    ("smtp.rcpt_max = 1", "too small", "100"),
    ("queue.life = 3w", "not a number", "m, h and d"),
    ("listen.mx = 10025", "not an address", "127.0.0.1:25"),
    ("sandbox = maybe", "not one of the words", "best required"),
    ("log.level", "no \"=\"", "name = value"),
    ("operators = 1 2", "blanks", "quotes"),
    ('operators = "1 2', "not closed", "end the value"),
    ("hostname = a.example\nhostname = b.example", "set twice", "keep one"),
    ("uid.smtpd = 1912602626", "another daemon", "of its own"),
    ("uid.smtpd = 1879048193", "range of mailboxes", "outside"),
    ("mailbox.uid_count = 5000", "power of two", "65536"),
    ("mailbox.uid_base = 1879048200", "not a multiple", "multiple"),
]


@pytest.fixture
def fresh():
    inst = postern.Instance()
    yield inst.init()
    inst.__exit__(None, None, None)


def write(inst, text):
    with open(inst.conf, "w") as f:
        f.write(text)


@pytest.mark.parametrize("text,what,remedy", MISTAKES)
def test_mistake(fresh, text, what, remedy):
    write(fresh, text + "\n")
    line = text.count("\n") + 1
    for command in (["config", "check"], ["run"]):
        done = fresh.ctl(*command, check=78)
        assert f"{fresh.conf}:{line}: " in done.stderr
        assert what in done.stderr and remedy in done.stderr
    assert not os.path.exists(os.path.join(fresh.dir, "run", "ctl"))


def test_all_mistakes_at_once(fresh):
    texts = [t for t, _, _ in MISTAKES if "\n" not in t and "uid" not in t
             and not t.startswith("operators = \"")]
    write(fresh, "\n".join(texts) + "\n")
    done = fresh.ctl("config", "check", check=78)
    for line in range(1, len(texts) + 1):
        assert f"{fresh.conf}:{line}: " in done.stderr, texts[line - 1]


def test_no_file(fresh):
    os.unlink(fresh.conf)
    assert "mailctl init" in fresh.ctl("run", check=78).stderr


def test_a_good_one(fresh):
    assert "no mistakes" in fresh.ctl("config", "check").stdout


def test_init_leaves_what_is_there(fresh):
    before = open(fresh.conf).read()
    done = subprocess.run([postern.MAILCTL, "init", fresh.dir],
                          capture_output=True, text=True)
    assert done.returncode == 4
    assert open(fresh.conf).read() == before

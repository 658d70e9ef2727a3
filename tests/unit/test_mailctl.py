"""mailctl without daemons: init and config check, their words and codes."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

from postern import MAILCTL  # noqa: E402


def mailctl(*args):
    done = subprocess.run([MAILCTL, *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_init_and_check(tmp_path):
    code, out, err = mailctl("init", tmp_path / "x", "--port-base", "20000",
                             "--hostname", "mx.example.org")
    assert (code, err) == (0, "")
    conf = tmp_path / "x" / "postern.conf"
    assert "listen.mx          = 127.0.0.1:20025\n" in conf.read_text()
    assert mailctl("-c", conf, "config", "check") == (
        0, "%s: no mistakes\n" % conf, "")
    assert mailctl("-c", conf, "--json", "config", "check") == (
        0, '{"mistakes": 0}\n', "")
    assert sorted(os.listdir(tmp_path / "x")) == sorted(
        ["directory", "postern.conf", "queue", "run", "snapshots", "store"])


def test_init_in_json(tmp_path):
    code, out, err = mailctl("--json", "init", tmp_path / "x")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "config": "%s/x/postern.conf" % tmp_path, "address": "127.0.0.1",
        "mx": 10025, "submission": 10587, "pop3": 10110, "imap": 10143}


def test_mistakes_in_json(tmp_path):
    (tmp_path / "c").write_text("a = 1\n\nb\n")
    code, out, err = mailctl("-c", tmp_path / "c", "config", "check",
                             "--json")
    assert code == 78
    assert json.loads(out) == {"mistakes": 2, "errors": err.splitlines()}
    assert err.startswith("%s/c:1: a: " % tmp_path)


def test_init_leaves_what_is_there(tmp_path):
    (tmp_path / "postern.conf").write_text("mine")
    code, _, err = mailctl("init", tmp_path)
    assert (code, err) == (4, "%s/postern.conf: File exists\n" % tmp_path)
    assert (tmp_path / "postern.conf").read_text() == "mine"
    assert os.listdir(tmp_path) == ["postern.conf"]


@pytest.mark.parametrize("args", [
    (), ("a", "b"), ("x", "--port-base", "64001"), ("x", "--port-base", "-1"),
    ("x", "--hostname", "a b"), ("x", "--hostname", "a\nb"),
    ("x", "--listen", "localhost"), ("x", "--listen", "1.2.3.4:25"),
    ("x", "--nothing"), ("x", "--listen")])
def test_init_usage(tmp_path, args):
    args = [str(tmp_path / a) if a in "abx" else a for a in args]
    code, out, err = mailctl("init", *args)
    assert (code, out) == (2, "")
    assert err.startswith("mailctl init: ")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text, want", [
    (b"a\0b = 1\nhostname = x\0\nfoo\n",
     ['1: "a\\x00b": not text in UTF-8; is this the right file, and saved as '
      'UTF-8?',
      "2: hostname: not text in UTF-8; is this the right file, and saved as "
      "UTF-8?",
      '3: foo: this line has no "="; write name = value, or # for a comment']),
    (b"\n" * (1024 * 1024 + 1),
     ["1: the file is over 1 MiB; is it the right one?"]),
], ids=["nul", "over 1 MiB"])
def test_mistakes(tmp_path, text, want):
    conf = tmp_path / "postern.conf"
    conf.write_bytes(text)
    code, out, err = mailctl("-c", conf, "config", "check")
    assert (code, out) == (78, "")
    assert err.splitlines() == ["%s:%s" % (conf, w) for w in want]


def test_a_file_of_just_the_limit(tmp_path):
    conf = tmp_path / "postern.conf"
    conf.write_bytes(b"\n" * (1024 * 1024))
    assert mailctl("-c", conf, "config", "check")[0] == 0


@pytest.mark.parametrize("path", ["nothing", "."])
def test_no_file(tmp_path, path):
    code, out, err = mailctl("-c", tmp_path / path, "config", "check")
    assert (code, out) == (78, "")
    assert err.startswith(str(tmp_path))


@pytest.mark.skipif(os.path.exists("/etc/postern"), reason="one is installed")
def test_the_configuration_of_the_host():
    """Without -c; the file of an instance that is there is not read."""
    code, out, err = mailctl("config", "check")
    assert (code, out) == (78, "")
    assert err.startswith("/etc/postern/postern.conf")

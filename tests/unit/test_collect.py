"""The collector itself: what it counts, and that it cannot be fooled by a
suite that dies, hangs, or runs nothing."""
import os
import subprocess
import sys

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Tree:
    """A build folder and a tests folder made of scripts."""

    def __init__(self, top):
        self.build = top / "build"
        self.tests = top / "tests"
        (self.build / "tests").mkdir(parents=True)
        self.tests.mkdir()

    def program(self, name, script):
        path = self.build / "tests" / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def python(self, name, text):
        path = self.tests / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def seed(self, name):
        path = self.tests / "fuzz" / "seeds" / name
        path.mkdir(parents=True)
        (path / "one").write_text("x")

    def collect(self, *args):
        done = subprocess.run(
            [sys.executable, os.path.join(TESTS, "collect.py"), "--build",
             str(self.build), "--tests", str(self.tests), *args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=120)
        return done.stdout.splitlines(), done.returncode


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


TWO = 'echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"\n'

SCENES = [
    # name, script, passed, failed, a line that must be in the output
    ("all pass", TWO, 2, 0, None),
    ("two groups", TWO + TWO, 4, 0, None),
    ("one fails", 'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; exit 1\n',
     1, 1, "     failed: unit/x_test: b"),
    ("dies by signal", 'echo 1..2; echo "ok 1 - a"; kill -SEGV $$\n', 1, 2,
     "     failed: unit/x_test: died by signal 11 (SIGSEGV)"),
    ("dies at the end", TWO + "kill -ABRT $$\n", 2, 1,
     "     failed: unit/x_test: died by signal 6 (SIGABRT)"),
    ("ends early", 'echo 1..2; echo "ok 1 - a"\n', 1, 1,
     "     failed: unit/x_test: 1 of 2 tests were run"),
    ("prints no plan", "exit 0\n", 0, 1,
     "     failed: unit/x_test: ran no test"),
    ("an empty plan", "echo 1..0\n", 0, 1,
     "     failed: unit/x_test: ran no test"),
    ("a bad exit code alone", TWO + "exit 23\n", 2, 1,
     "     failed: unit/x_test: exit code 23"),
    ("skips", 'echo 1..2; echo "ok 1 - a"; echo "skipped: b: needs root"; '
     'echo "not ok 2 # SKIP b"\n', 1, 0, "skipped: b: needs root"),
    ("skips without a word", 'echo 1..2; echo "ok 1 - a"; '
     'echo "not ok 2 # SKIP b"\n', 1, 0, "skipped: b: no reason given"),
    ("the output of a failure is shown",
     'echo 1..1; echo "# 1 != 2"; echo "not ok 1 - a"; exit 1\n', 0, 1,
     "     | # 1 != 2"),
    ("bytes that are no text",
     "printf '\\377\\n'; " + TWO, 2, 0, None),
]


@pytest.mark.parametrize("scene", SCENES, ids=[s[0] for s in SCENES])
def test_unit(tree, scene):
    _, script, passed, failed, line = scene
    tree.program("x_test", script)
    out, code = tree.collect()
    assert out[-1] == "%d passed, %d failed" % (passed, failed)
    assert code == (0 if failed == 0 else 1)
    if line is not None:
        assert line in out


def test_nothing_at_all_is_a_failure(tree):
    assert tree.collect() == (["0 passed, 0 failed"], 1)


def test_only_skips_is_a_failure(tree):
    tree.program("x_test", 'echo 1..1; echo "not ok 1 # SKIP a"\n')
    out, code = tree.collect()
    assert (out[-1], code) == ("0 passed, 0 failed", 1)


def test_deadline_kills_the_group(tree, tmp_path):
    """A child of the suite holds a pipe open: it must be gone too."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    tree.program("x_test", "echo 1..1\nexec 3>%s\ntail -f /dev/null & wait\n"
                 % fifo)
    out, code = tree.collect("--deadline", "1")
    assert "     failed: unit/x_test: did not end within 1 s" in out
    assert (out[-1], code) == ("0 passed, 2 failed", 1)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_what_a_suite_leaves_behind_is_killed(tree, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    tree.program("x_test", TWO + "exec 3>%s\ntail -f /dev/null &\n" % fifo)
    out, code = tree.collect()
    assert (out[-1], code) == ("2 passed, 0 failed", 0)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_fuzz(tree):
    tree.program("a_fuzz", "exit 0\n")
    tree.program("b_fuzz", "exit 1\n")
    tree.program("c_fuzz", "exit 0\n")
    tree.program("d_fuzz", "kill -ABRT $$\n")
    for name in "abd":
        tree.seed(name)
    out, code = tree.collect()
    assert (out[-1], code) == ("1 passed, 3 failed", 1)
    assert any("c_fuzz: no seeds in" in line for line in out)


PYTHON = """
import os
import pytest
def test_a():
    assert os.environ["POSTERN_BUILD"].endswith("build")
def test_b():
    assert 1 == 2
@pytest.mark.skip(reason="needs a moon")
def test_c():
    pass
@pytest.fixture
def broken():
    raise OSError("no")
def test_d(broken):
    pass
"""


def test_pytest(tree):
    tree.python("e2e/test_x.py", PYTHON)
    out, code = tree.collect()
    assert (out[-1], code) == ("1 passed, 2 failed", 1)
    assert "skipped: test_c: needs a moon" in out
    assert "     failed: e2e/test_x.py: test_b" in out


@pytest.mark.parametrize("text", ["", "import nothing_of_that_name\n",
                                  "import os; os._exit(0)\n"])
def test_pytest_that_runs_nothing(tree, text):
    tree.python("fault/test_x.py", text)
    out, code = tree.collect()
    assert out[-1].startswith("0 passed, ")
    assert not out[-1].endswith(" 0 failed")
    assert code == 1


@pytest.mark.parametrize("name", ["x", "x_test", "unit/x_test"])
def test_choice(tree, name):
    tree.program("x_test", TWO)
    tree.program("xx_test", "exit 1\n")
    tree.python("e2e/test_z.py", PYTHON)
    out, code = tree.collect(name)
    assert (out[-1], code) == ("2 passed, 0 failed", 0)

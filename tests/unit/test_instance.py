"""What tests/py/postern.py finds in an instance's log."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

import postern  # noqa: E402

DIED = "2026-01-01T00:00:00Z mailctl[9] warn daemon died daemon=smtpd " \
    "pid=77 signal=%d"


@pytest.fixture
def inst(tmp_path):
    i = postern.Instance(str(tmp_path))
    i.log_path = str(tmp_path / "log")
    return i


def says(inst, text):
    with open(inst.log_path, "w") as f:
        f.write("first\n" + text + "\nlast\n")


@pytest.mark.parametrize("line", [
    "==12==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1",
    "common/core/str.c:9:2: runtime error: shift exponent 64 is too large",
    "==12==ERROR: LeakSanitizer: detected memory leaks",
    "smtpd: smtpd/smtp.c:1: f: Assertion `x' failed.",
    DIED % 6, DIED % 11, DIED % 31, DIED % 9,
    "zygote[8] warn owner died pid=77 signal=11",
    "authd[8] warn hash worker died pid=77 status=11",
])
def test_complaint(inst, line):
    says(inst, line)
    assert inst.complaints() == [line]
    with pytest.raises(AssertionError, match="in the log"):
        inst.stop()
        inst.check_log()
    with pytest.raises(AssertionError, match="in the log"):
        inst.__exit__(None, None, None)


@pytest.mark.parametrize("line", [
    "smtpd[3] info ready", "mailctl[9] warn daemon ended pid=77 status=1"])
def test_no_complaint(inst, line):
    says(inst, line)
    assert inst.complaints() == []
    inst.__exit__(None, None, None)


def test_own_kill(inst):
    says(inst, DIED % 9)
    inst.killed.add(77)
    inst.check_log()
    inst.killed = {7}
    with pytest.raises(AssertionError):
        inst.check_log()


def test_no_log_yet(inst):
    inst.check_log()

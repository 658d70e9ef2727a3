"""make install, and the use of what was installed: by the words of INSTALL."""

import os
import re
import smtplib
import subprocess

import pytest

import postern

PREFIX = "/opt/mail"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    dest = tmp_path_factory.mktemp("dest")
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    san = ["SAN=1"] if os.path.basename(postern.BUILD) == "san" else []
    subprocess.run(["make", "-s", "install", f"DESTDIR={dest}",
                    f"PREFIX={PREFIX}", *san], cwd=postern.ROOT, env=env,
                   check=True, stdout=subprocess.DEVNULL)
    return str(dest) + PREFIX


def test_what_was_installed(installed):
    found = sorted(os.path.relpath(os.path.join(top, f), installed)
                   for top, _, files in os.walk(installed) for f in files)
    daemons = ["authd", "deliverd", "imapd", "mailboxd", "pop3d", "queued",
               "smtpd"]
    assert [f for f in found if "/man" not in f] == \
        [f"libexec/postern/{d}" for d in daemons] + ["sbin/mailctl"]
    pages = {os.path.basename(f) for f in found if "/man" in f}
    assert pages == set(os.listdir(os.path.join(postern.ROOT, "man")))
    assert {d + ".8" for d in daemons + ["mailctl"]} <= pages


def test_it_runs(installed):
    with postern.Instance(programs=os.path.join(installed, "sbin")) as inst:
        inst.add_domain()
        inst.add_user("bob@example.org")
        with smtplib.SMTP("127.0.0.1", inst.port("mx")) as c:
            c.sendmail("a@example.net", "bob@example.org",
                       "Subject: x\r\n\r\nx\r\n")
        inst.wait_queue_empty()
        for row in inst.status().values():
            exe = f"/proc/{row['pid']}/exe"
            assert os.readlink(exe).startswith(installed + "/libexec/"), row


def test_the_unit():
    with open(os.path.join(postern.ROOT, "etc", "postern.service")) as f:
        unit = dict(re.findall(r"^(\w+)=(.*)$", f.read(), re.M))
    assert unit["ExecStart"].split() == [
        "/usr/local/sbin/mailctl", "-c", "/var/lib/postern/postern.conf",
        "run"]
    # What the operator has to mend does not mend itself by starting again.
    assert "78" in unit["RestartPreventExitStatus"].split()
    assert int(unit["TimeoutStopSec"]) >= 60

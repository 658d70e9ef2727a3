"""What the tests of e2e/ and fault/ share; their conftest.py imports it."""

import contextlib
import subprocess

import pytest

import postern
from postern import wait_for


@pytest.fixture
def suite():
    """A running instance with one domain and two users."""
    with postern.Instance() as inst:
        inst.add_domain()
        inst.add_user("alice@example.org", "wonderland")
        inst.add_user("bob@example.org", "builder")
        yield inst


@contextlib.contextmanager
def on_small_disk(tmp_path, options, settings):
    """An instance with one user on a tmpfs of its own, and where that is."""
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs",
                    str(mount)], check=True)
    inst = postern.Instance(str(mount / "i"), settings=settings)
    inst.log_path = str(tmp_path / "log")
    inst.top = str(tmp_path)
    try:
        inst.init().start()
        inst.add_domain()
        inst.add_user("bob@example.org", "builder")
        yield inst, mount
    finally:
        inst.stop()
        inst.wait_unlocked()
        # An owner or a helper may be the last to go.
        wait_for(lambda: subprocess.run(["umount", str(mount)],
                                        stderr=subprocess.DEVNULL
                                        ).returncode == 0, "umount")
        postern.release(inst.base)

"""A host whose epoch is behind may not write: not the queue, not a mailbox.
The EPOCH file of a shard is where a cluster's hand-over is decided."""

import os

import postern
from postern import wait_for
from test_walls import log_in


def write_epoch(directory, number):
    with open(os.path.join(directory, "EPOCH"), "w") as f:
        f.write(f"{number}\n")


def test_queue_of_a_lower_epoch_is_refused(suite):
    queue = os.path.join(suite.dir, "queue")
    suite.stop()
    write_epoch(queue, 5)
    suite.start()
    suite.stop()
    write_epoch(queue, 4)
    suite.launch()
    wait_for(lambda: suite.lines("queued", "fatal"), "queued refuses")
    assert suite.status()["queued"]["state"] != "ready"
    suite.stop()
    write_epoch(queue, 6)
    suite.start()


def test_mailbox_of_a_lower_epoch_is_refused(suite):
    shard = os.path.join(suite.dir, "store", "0")
    os.makedirs(shard, exist_ok=True)
    if os.geteuid() == 0:
        st = os.stat(os.path.join(suite.dir, "store"))
        os.chown(shard, st.st_uid, st.st_gid)
    os.chmod(shard, 0o711)
    write_epoch(shard, 9)
    os.chmod(os.path.join(shard, "EPOCH"), 0o644)
    log_in(suite, "bob@example.org", "builder").shutdown()
    suite.stop()
    write_epoch(shard, 8)
    suite.start()
    try:
        log_in(suite, "bob@example.org", "builder")
        assert False, "it was opened"
    except Exception as e:
        assert "UNAVAILABLE" in str(e)

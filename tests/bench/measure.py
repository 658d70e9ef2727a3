"""What the benchmarks of whole servers share: a load of smtp_load's, CPU time
of processes."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

import postern  # noqa: E402

LOAD = os.path.join(postern.BUILD, "bench", "smtp_load")
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid, children=False):
    """Seconds of user and system time; with those of its dead children if
    asked.  0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(v) for v in fields[11:15 if children else 13]) / TICK


def load(port, connections, messages, size, rcpts):
    """Sends; returns smtp_load's line and the rate in it."""
    line = subprocess.run(
        [LOAD, str(port), str(connections), str(messages), str(size), *rcpts],
        capture_output=True, text=True, check=True).stdout.strip()
    return line, float(re.search(r"rate=(\d+)", line).group(1))

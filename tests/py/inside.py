"""What is inside the processes of an instance, as root sees it: the family of
processes, their memory, their descriptors."""

import os
import re
import stat

from postern import command, state_of, wait_for


def family(pid):
    """Pid and all its descendants."""
    pids = [pid]
    for p in pids:
        try:
            with open(f"/proc/{p}/task/{p}/children") as f:
                pids += [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return pids


def lives(pid):
    """Not if it has ended and only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def name(pid):
    with open(f"/proc/{pid}/comm") as f:
        return f.read().strip()


def processes(suite):
    """Each process of the suite by a name; the starter is not among them.
    What it forked beside daemons and owners is X's child 0, and so on."""
    owners = suite.owners()
    found = {}
    for daemon, row in suite.status().items():
        found[daemon] = row["pid"]
        children = [p for p in family(row["pid"])[1:] if p not in owners]
        for i, pid in enumerate(children):
            found[f"{daemon}'s child {i}"] = pid
    for pid in owners:
        found[command(pid).strip()] = pid
    return found


def kind_of(process):
    """Of its name: the daemon, its children, or owner for every owner."""
    if process.startswith("owner-"):
        return "owner"
    return re.sub(r" \d+$", "", process)


def writable(pid):
    """The content of each writable mapping of a process."""
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, mode, rest = line.split(None, 2)
            if not mode.startswith("rw"):
                continue
            low, high = (int(x, 16) for x in span.split("-"))
            mem.seek(low)
            data = b""
            try:
                while len(data) < high - low:
                    piece = mem.read(high - low - len(data))
                    if not piece:
                        break
                    data += piece
            except OSError:
                pass
            yield rest.split()[-1] if "[" in rest or "/" in rest else \
                "anonymous", data


def holders(pids, needles):
    """Where in the memory of these processes one of these strings is."""
    found = []
    for pid in pids:
        try:
            for where, data in writable(pid):
                for what, needle in needles.items():
                    if needle in data:
                        found.append(f"{name(pid)} {where}: {what}")
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class Descriptor:
    """One open descriptor: its number, what it is, and how it is open."""

    def __init__(self, pid, fd):
        base = f"/proc/{pid}"
        self.fd = fd
        self.link = os.readlink(f"{base}/fd/{fd}")
        self.kind = stat.S_IFMT(os.stat(f"{base}/fd/{fd}").st_mode)
        with open(f"{base}/fdinfo/{fd}") as f:
            lines = [l.split(":", 1) for l in f if ":" in l]
        self.flags = int(dict(lines)["flags"], 8)
        # Of "1: OFDLCK ADVISORY READ -1 08:01:42 1 EOF" the kind and range.
        locks = [rest.split() for key, rest in lines if key == "lock"]
        self.locks = [" ".join([w[3], *w[-2:]]) for w in locks]

    def closes_on_exec(self):
        return bool(self.flags & os.O_CLOEXEC)

    def is_writable(self):
        return self.flags & os.O_ACCMODE != os.O_RDONLY


def descriptors(pid):
    """Of a process that may end, and may close one, meanwhile."""
    out = []
    try:
        for fd in sorted(int(f) for f in os.listdir(f"/proc/{pid}/fd")):
            try:
                out.append(Descriptor(pid, fd))
            except FileNotFoundError:
                pass
    except (FileNotFoundError, ProcessLookupError):
        pass
    return out


def rest(pids, look, step=0.05):
    """What look() says once the pids() sleep, one look after the other,
    and it says the same; one that waits for a processor, or was stopped, has
    not done its work."""
    seen = []

    def still():
        seen.append((all(state_of(p) == "S" for p in pids()), look()))
        return len(seen) >= 10 and all(s == (True, seen[-1][1])
                                       for s in seen[-10:])
    wait_for(still, "they have dealt with all", step=step)
    return seen[-1][1]

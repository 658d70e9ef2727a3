"""A Postfix of its own directory, for benchmarks: an SMTP listener on a free
port of loopback, mail held in the queue or delivered into Maildirs.  Wants
Debian's package postfix and root; the machine's own Postfix is not touched.
"""

import os
import pwd
import shutil
import subprocess
import tempfile

from measure import cpu, postern

DAEMONS = "/usr/lib/postfix/sbin"
QUEUES = ("active bounce corrupt defer deferred flush hold incoming maildrop "
          "pid private public saved trace").split()

MAIN = """\
compatibility_level = 3.6
queue_directory = {top}/spool
data_directory = {top}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {top}/log
maillog_file_prefixes = {top}
myhostname = peer.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {top}/mail
virtual_mailbox_maps = texthash:{top}/users
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 100
smtpd_data_restrictions = {hold}
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
local unix - n n - - local
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def is_installed():
    return os.geteuid() == 0 and os.path.exists(f"{DAEMONS}/master")


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


class Postfix:
    """Holds everything, or delivers to the users given."""

    def __init__(self, users, hold):
        self.users, self.hold = users, hold

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="postern-peer-")
        os.chmod(self.top, 0o755)
        owner = pwd.getpwnam("postfix")
        self.port = postern.free_base() + 25
        for d in ["spool", "data", "mail", "etc"]:
            os.mkdir(f"{self.top}/{d}")
        for q in QUEUES:
            os.mkdir(f"{self.top}/spool/{q}")
            if q != "pid":
                os.chown(f"{self.top}/spool/{q}", owner.pw_uid, -1)
        os.chown(f"{self.top}/data", owner.pw_uid, owner.pw_gid)
        os.chown(f"{self.top}/mail", owner.pw_uid, owner.pw_gid)
        write(f"{self.top}/users", "".join(
            f"{u} {u.split('@')[0]}/\n" for u in self.users))
        write(f"{self.top}/etc/main.cf", MAIN.format(
            top=self.top, daemons=DAEMONS, uid=owner.pw_uid,
            gid=owner.pw_gid, hold="check_client_access static:HOLD"
            if self.hold else ""))
        write(f"{self.top}/etc/master.cf", MASTER.format(port=self.port))
        self.proc = subprocess.Popen(
            [f"{DAEMONS}/master", "-c", f"{self.top}/etc", "-d"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        postern.wait_for(lambda: not postern.is_free(self.port),
                         "Postfix listens")
        return self

    def __exit__(self, *_):
        self.proc.terminate()
        self.proc.wait()
        shutil.rmtree(self.top, ignore_errors=True)

    def cpu(self):
        """Of the master, its children, and its dead children."""
        pids = subprocess.run(["pgrep", "-P", str(self.proc.pid)],
                              capture_output=True, text=True).stdout.split()
        return cpu(self.proc.pid, children=True) + sum(map(cpu, pids))

    def delivered(self):
        return sum(len(os.listdir(f"{self.top}/mail/{u}/new"))
                   for u in os.listdir(f"{self.top}/mail"))

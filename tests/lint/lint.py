"""`make lint`: what can be told about the sources without running them.

One line for each check, its findings below it, and as the last line
`<n> passed, <m> failed`.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent import futures

import format as layout

COMMON = ("core", "ipc", "net", "mail", "disk")
# Whose headers another daemon's folder may include.
LENDERS = {"mailboxd": ("imapd", "pop3d")}
DB_USERS = ("mailboxd/index.c", "authd/directory.c")
BANNED = ("system", "popen", "strcpy", "strcat", "sprintf", "vsprintf",
          "strtok", "atoi", "atol", "alloca", "strncpy", "gets")
FUNCTION_MAX = 60
# Engines and grammars, with the files that call themselves Pure in their
# first lines: nothing here may reach a descriptor, clock or log.
PURE = ("common/core/str.c", "common/core/buf.c", "common/core/pack.c",
        "common/core/conf_value.c", "common/core/base64.c",
        "common/ipc/msg.c", "common/mail/*.c", "smtpd/smtp*.c",
        "queued/sched.c", "imapd/login.c", "imapd/imap.c", "imapd/parse.c",
        "imapd/cmd_*.c", "pop3d/login.c", "pop3d/pop3.c")
IMPURE_HEADERS = ("sys/socket.h", "unistd.h", "fcntl.h", "poll.h", "time.h",
                  "sys/random.h", "common/core/loop.h", "common/core/log.h",
                  "common/core/clock.h", "common/net/stream.h",
                  "common/ipc/chan.h")


def sources(*patterns):
    found = []
    for p in patterns or ("*/*.[ch]", "common/*/*.[ch]", "tests/*/*.[ch]"):
        found += glob.glob(p)
    return sorted(set(found))


def code():
    """The programs' own files, without tests."""
    return [f for f in sources() if not f.startswith("tests/")]


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def bare(path):
    """The code of a file: comments and literals blanked, lines kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text(path), flags=re.S)


def lines_matching(files, pattern, what, reader=bare):
    for path in files:
        for n, line in enumerate(reader(path).split("\n"), 1):
            m = re.search(pattern, line)
            if m:
                yield "%s:%d: %s" % (path, n, what % m.groups())


def check_style():
    for path in sources() + sources("*/*.def", "common/*/*.def"):
        body = text(path)
        if not body.endswith("\n") or body.endswith("\n\n"):
            yield "%s: end the file with one newline" % path
        for n, line in enumerate(body.split("\n"), 1):
            wide = len(line.expandtabs(8))
            if wide > 80:
                yield "%s:%d: %d columns" % (path, n, wide)
            if line != line.rstrip():
                yield "%s:%d: trailing blanks" % (path, n)
            if re.match(r"\t* {8}", line) and not re.match(r"\t* +\*", line):
                yield "%s:%d: blanks where a tab belongs" % (path, n)


def each(look, files):
    """What `look` finds in each file, as many at a time as there are cores.
    It is a tool's time: threads do."""
    with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda path: list(look(path)), files):
            yield from found


def check_format():
    return each(layout.findings, sources())


def check_names():
    """A definition starts its line with the name of the function."""
    return lines_matching(
        [f for f in sources() if f.endswith(".c")],
        r"^(?:static |const |unsigned |struct \w+ |bool |int |void |size_t "
        r")+\*?(\w+)\([^;]*\)$", "return type of %s on its own line")


def check_banned():
    return lines_matching(sources(), r"(?<![\w.>])(%s)\s*\("
                          % "|".join(BANNED), "%s is banned")


def check_unfinished():
    return lines_matching(sources(), r"\b(TODO|FIXME|XXX)\b", "%s", text)


def check_folders():
    for path in code():
        folder = path.split("/")[0]
        for header in re.findall(r'^#include "([^"]+)"', text(path), re.M):
            other = header.split("/")[0]
            if not os.path.exists(header):
                yield "%s: includes %s by no full path" % (path, header)
            elif other not in (folder, "common") and \
                    other not in LENDERS.get(folder, ()):
                yield "%s: includes %s" % (path, header)


def check_pure():
    for pattern in PURE:
        if not glob.glob(pattern):
            yield "%s: is to be pure and is not there" % pattern
    claims = [f for f in code()
              if re.search(r"\bPure\b", text(f).split("*/")[0])]
    for path in sorted(set(sources(*PURE) + claims)):
        for header in re.findall(r'^#include [<"]([^>"]+)[>"]', text(path),
                                 re.M):
            if header in IMPURE_HEADERS:
                yield "%s: is pure and includes %s" % (path, header)


def check_libdb():
    for path in code():
        if re.search(r"^#include <db\.h>", text(path), re.M) and \
                path not in DB_USERS:
            yield "%s: only %s use Berkeley DB" % (path, ", ".join(DB_USERS))


def check_lengths():
    out = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f",
         "-f", "-", *[f for f in sources() if f.endswith(".c")]],
        stdout=subprocess.PIPE, check=True, text=True).stdout
    for line in out.splitlines():
        tag = json.loads(line)
        if "end" in tag and tag["end"] - tag["line"] >= FUNCTION_MAX:
            yield "%s:%d: %s has %d lines" % (
                tag["path"], tag["line"], tag["name"],
                tag["end"] - tag["line"] + 1)
    for path in sources():
        n = text(path).count("\n")
        if n > 600 and not path.startswith("tests/"):
            yield "%s: %d lines" % (path, n)


def run(*command, cwd=None):
    """The exit code of a tool and the lines it has to say."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, cwd=cwd,
                              stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        return 127, ["%s is not installed" % command[0]]
    noise = r"^\d+ warnings? |Suppressed|Use -header-filter|^\s*$"
    return done.returncode, [line for line in done.stdout.splitlines()
                             if not re.search(noise, line)]


def tool(*command):
    # A tool may grumble without failing, and fail without a word.
    code, found = run(*command)
    if code != 0:
        told = [line for line in found
                if re.search(r"\b(error|warning|style):", line)]
        yield from told or found or ["exit code %d" % code]


def tidy(path):
    return tool("clang-tidy", "--quiet", path,
                "--", "-std=c17", "-D_GNU_SOURCE", "-I.", "-w")


def check_tidy():
    # What is off, and why: .clang-tidy and tests/.clang-tidy.  Headers are
    # looked at where they are included.
    return each(tidy, [f for f in sources() if f.endswith(".c")])


def queue_h():
    """Where the compiler finds sys/queue.h, whose macros are syntax."""
    out = subprocess.run(
        [os.environ.get("CC", "cc"), "-M", "-x", "c", "-"], check=True,
        input="#include <sys/queue.h>\n", stdout=subprocess.PIPE,
        text=True).stdout
    return next(p for p in out.split() if p.endswith("/sys/queue.h"))


# Stands at the end of every file that cppcheck is given: it is to be found,
# or the file was not read to its end, whatever cppcheck says or hides.
PLANTED = """
void lint_planted(void);
void
lint_planted(void)
{
	char lint_planted[1];

	lint_planted[1] = 0;
}
"""


def planted_tree(files, tree):
    """A copy of all sources, with PLANTED in `files`."""
    for path in sources() + sources("*/*.def", "common/*/*.def"):
        copy = os.path.join(tree, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text(path) + (PLANTED if path in files else ""))


def check_cppcheck():
    # Off, and why:
    # - ctuuninitvar: it takes every out parameter for a use.
    # - unknownEvaluationOrder in tests: in `.qid = ++qid` it takes the member
    #   for the variable.
    # - other headers of the system are not read: it knows their functions
    #   by itself (its library), and their macros are not syntax.
    # - style: it wants variables where they are used (variableScope), not
    #   where the house style has them.
    # - unusedFunction: it would have to see the programs with their tests.
    files = [f for f in sources() if f.endswith(".c")]
    rules = os.path.abspath("tests/lint/cppcheck.cfg")
    with tempfile.TemporaryDirectory() as tree:
        planted_tree(files, tree)
        _, out = run("cppcheck", "--quiet", "--std=c11", "--language=c",
                     "-I.", "-D_GNU_SOURCE", "-D__cppcheck__",
                     "--include=" + queue_h(), "--max-configs=1",
                     "--library=" + rules, "--inline-suppr",
                     "--enable=warning,portability,performance",
                     "--suppress=ctuuninitvar",
                     "--suppress=unknownEvaluationOrder:tests/*",
                     "--template={file}:{line}: {severity}: {message} [{id}]",
                     *files, cwd=tree)
    unread = set(files)
    for line in out:
        if re.search(r"'lint_planted\[1\]'.* \[arrayIndexOutOfBounds\]$", line):
            unread.discard(line.split(":")[0])
        else:
            yield line
    for path in sorted(unread):
        yield "%s: cppcheck has not read it to its end" % path


def check_man():
    """All that mandoc says, but for pages of ours that it does not find, as
    they are not installed: whether man/ has them is looked up here."""
    pages = sorted(glob.glob("man/*.[1-9]"))
    _, out = run("mandoc", "-Tlint", "-Wstyle", *pages)
    for line in out:
        m = re.search(r"referenced manual not found: Xr (\S+) (\d)", line)
        if m:
            if not os.path.exists("man/%s.%s" % m.groups()):
                yield line
        elif not re.search(r"outdated mandoc\.db lacks", line):
            yield line


CHECKS = {
    "style": check_style,
    "format": check_format, "names": check_names, "banned": check_banned,
    "unfinished": check_unfinished, "folders": check_folders,
    "pure": check_pure, "libdb": check_libdb, "lengths": check_lengths,
    "mandoc": check_man, "cppcheck": check_cppcheck, "clang-tidy": check_tidy,
}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("names", nargs="*", help=" ".join(CHECKS))
    args = p.parse_args()
    passed = failed = 0
    for name in args.names or CHECKS:
        found = list(CHECKS[name]())
        print("%-4s %s" % ("FAIL" if found else "ok", name), flush=True)
        for line in found:
            print("     " + line)
        passed += not found
        failed += bool(found)
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

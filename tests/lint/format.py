"""clang-format over the sources, with what it cannot know taken out.

The house style leaves the breaks inside a statement to the author (four
columns of indent) and sets declarations in columns.  So each statement is
joined to one line first; clang-format then says where lines begin, how deep,
where braces and blanks go; and both are compared with runs of blanks folded.
Bodies of macros are passed over: what stands in them need not be C."""

import difflib
import re
import subprocess


LITERALS = re.compile(r'"(?:\\.|[^"\\])*"(?: "(?:\\.|[^"\\])*")*')


def one_literal(match):
    """Adjacent literals as one: where they meet is a matter of columns."""
    return re.sub(r'(?<!\\)" "(?=.)', "", match.group(0)) \
        if match.group(0) != '" "' else match.group(0)


def split(line):
    m = re.match(r"[ \t]*", line)
    return len(m.group().expandtabs(8)), line[m.end():].rstrip()


def without_macros(lines):
    """Of each macro only that there is one."""
    out, inside = [], False
    for line in lines:
        if not inside:
            out.append(re.sub(r"^#define (\w+).*", r"#define \1", line))
        inside = line.endswith("\\")
    return out


def joined(lines):
    """Continuation lines (four columns deeper than a tab stop) joined."""
    out, comment = [], False
    for line in without_macros(lines):
        indent, body = split(line)
        last = out[-1] if out else ""
        if indent % 8 == 4 and not comment and last.strip() and \
                not body.startswith(("*", "/*")) and \
                not last.endswith("*/") and not last.startswith("#"):
            if last.endswith('"') and body.startswith('"'):
                out[-1] = last[:-1] + body[1:]
            else:
                gap = "" if last.endswith(("(", "!")) else " "
                out[-1] = last + gap + body
        else:
            out.append(line.rstrip())
        out[-1] = LITERALS.sub(one_literal, out[-1])
        if "/*" in body and "*/" not in body[body.rfind("/*"):]:
            comment = True
        elif "*/" in body:
            comment = False
    return out


def folded(lines):
    """(indent, text) of each line; lists in braces are one line each."""
    rows = []
    for line in lines:
        indent, body = split(line)
        body = re.sub(r"[ \t]+", " ", body)
        body = re.sub(r" ?(\*+) ?", r"\1", body)
        body = re.sub(r" (\[)|(\)) (?=\")", r"\1\2", body)
        if body.startswith("."):
            indent = -1
        last = rows[-1][1] if rows else ""
        goes_on = (last.endswith((",", "?", ":")) and
                   not last.startswith(("case ", "default:"))) or \
            last.startswith("__attribute__") or \
            body.startswith((": ", "? ")) or \
            (body.startswith('"') and not last.endswith("{")) or \
            (last.endswith(('"', "(")) and not last.startswith("#")) or \
            (body.startswith(".") and last.endswith("{")) or \
            (re.match(r"\}( \})*[;,)]", body) and
             re.search(r"\{ ?\.\w", last))
        if goes_on and rows:
            gap = "" if last.endswith("(") else " "
            both = last + gap + body
            rows[-1] = (rows[-1][0], LITERALS.sub(one_literal, both))
        else:
            rows.append((indent, body))
    return rows


def findings(path):
    with open(path, encoding="utf-8") as f:
        ours = joined(f.read().splitlines())
    theirs = subprocess.run(
        ["clang-format", "--style=file", "--assume-filename=" + path],
        input="\n".join(ours) + "\n", capture_output=True, text=True,
        check=True).stdout.splitlines()
    a, b = folded(ours), folded(theirs)
    if a == b:
        return
    for what, i1, i2, j1, j2 in difflib.SequenceMatcher(
            None, a, b, autojunk=False).get_opcodes():
        if what != "equal":
            yield (f"{path}: {[t for _, t in a[i1:i2]]} should be "
                   f"{[t for _, t in b[j1:j2]]}")[:300]

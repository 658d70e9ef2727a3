"""postern.conf(5) and the table of settings say the same, both ways.

From each row of the table the entry is built that the page has to have:
its text, and the line of type, range or words, and default.
"""

import os
import re

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")

ROW = re.compile(
    r'^SET\(\w+,\s*"([^"]+)",\s*CONF_(\w+),\s*"([^"]*)",\s*(\d+),\s*(\d+),'
    r'\s*"([^"]*)",\s*[\w\s|]+,\s*((?:"[^"\\]*"\s*)+)\)$', re.M)
KIND = {
    "NUM": "number, {low} to {high}",
    "SIZE": "size, {low} to {high}",
    "TIME": "time, {low} to {high}",
    "BOOL": "yes or no",
    "TEXT": "text, at most {high} characters",
    "WORD": "one of {words}",
    "ADDR": "address",
    "HOST": "host name",
}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def table():
    """{name: (text, line of facts)} as the page has to have them."""
    source = read("common/core/settings.def")
    rows = ROW.findall(source)
    assert len(rows) == len(re.findall(r"^SET\(", source, re.M)) > 0
    entries = {}
    for name, kind, default, low, high, words, text in rows:
        facts = KIND[kind].format(low=low, high=high,
                                  words=", ".join(words.split()))
        assert kind != "TEXT" or low == "0", name
        assert name not in entries, name
        entries[name] = (
            "".join(re.findall(r'"([^"]*)"', text)),
            ".Pq %s; default %s" % (facts, default or "empty"))
    return entries


def page():
    """{name: (text, last line)} of the entries that the page has."""
    settings = re.search(r"^\.Sh SETTINGS\n(.*?)(?=^\.Sh )",
                         read("man/postern.conf.5"), re.M | re.S).group(1)
    entries = {}
    for name, body in re.findall(
            r"^\.It Cm (.+)\n((?:(?!\.It |\.El).*\n)*)", settings, re.M):
        assert name not in entries, name
        *text, facts = body.splitlines()
        entries[name] = (" ".join(text), facts)
    return entries


def test_same_settings():
    assert sorted(page()) == sorted(table())


def test_same_facts():
    have, want = page(), table()
    for name in sorted(have.keys() & want.keys()):
        assert have[name][1] == want[name][1], name


def test_same_text():
    have, want = page(), table()
    for name in sorted(have.keys() & want.keys()):
        assert have[name][0] == want[name][0], name

"""postern.conf(5) and the table of settings say the same, both ways."""

import os
import re

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


def table():
    text = open(os.path.join(ROOT, "common/core/settings.def")).read()
    rows = re.findall(r'^SET\(\w+, "([^"]+)", CONF_(\w+), "([^"]*)"', text,
                      re.M)
    assert rows
    return {name: (kind, default) for name, kind, default in rows}


def page():
    text = open(os.path.join(ROOT, "man/postern.conf.5")).read()
    entries = re.findall(r"^\.It Cm (\S+)\n(.*?)(?=^\.It |^\.El)", text,
                         re.M | re.S)
    return dict(entries)


def test_every_setting_has_an_entry():
    assert sorted(table()) == sorted(page())


def test_every_entry_names_the_default():
    entries = page()
    for name, (_, default) in table().items():
        assert re.search(rf"default {re.escape(default or 'empty')}\n",
                         entries[name]), name

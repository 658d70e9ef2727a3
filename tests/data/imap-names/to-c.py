#!/usr/bin/python3
"""Writes mutf7.json as the rows of a C table: to-c.py > mutf7.inc"""

import json
import os

here = os.path.dirname(os.path.abspath(__file__))


def octets(text):
    if text is None:
        return "NULL"
    return '"' + "".join("\\%03o" % b for b in text.encode()) + '"'


print("/* Made from mutf7.json by to-c.py: UTF-8 or NULL, wire name. */")
with open(os.path.join(here, "mutf7.json"), encoding="utf-8") as f:
    for row in json.load(f):
        print("{ %s,\n    %s }," % (
            octets(row["utf8"] if row["valid"] else None),
            octets(row["mutf7"])))

#!/usr/bin/env python3
"""Is this log one that nobody but the daemon has written to?

usage: logcheck.py fmt|json FILE [KEY...]

Every line is one record; there is no byte that moves a terminal or turns text
around, no record that does not begin as ours do, and no field of the name KEY.
Prints what is wrong, a line each.
"""
import json
import re
import sys
import unicodedata

PAIR = re.compile(r'([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$)')


def fields(line, form):
    if form == "json":
        record = json.loads(line)
        return list(record)
    keys, at = [], 0
    while at < len(line):
        m = PAIR.match(line, at)
        if not m:
            raise ValueError("not logfmt at " + repr(line[at:at + 40]))
        keys.append(m.group(1))
        at = m.end()
    return keys


def faults(line, form, forged):
    for ch in line:
        if unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            yield f"has U+{ord(ch):04X}"
    try:
        keys = fields(line, form)
    except ValueError as e:
        yield str(e)
        return
    if keys[:2] != ["ts", "caller"] and form == "fmt":
        yield f"begins with {keys[:2]}"
    if form == "json" and not {"ts", "caller"} <= set(keys):
        yield f"has no ts, caller: {keys}"
    for key in set(keys) & set(forged):
        yield f"has the field {key}"


def main():
    form, path, *forged = sys.argv[1:]
    with open(path, "rb") as f:
        data = f.read()
    lines = data.split(b"\n")
    if lines.pop() != b"":
        print("the last line has no end")
    for n, raw in enumerate(lines, 1):
        try:
            line = raw.decode()
        except UnicodeDecodeError as e:
            print(f"line {n}: {e}")
            continue
        for fault in faults(line, form, forged):
            print(f"line {n} {fault}: {line[:200]!r}")


main()

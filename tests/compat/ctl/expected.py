# SPDX-License-Identifier: Apache-2.0
"""What the cases of cases_commands.py print: expected.txt, taken from the
unmodified client with `exchanges.sh --record` where a case is not about what
ours does otherwise.  A line is

    out|text of the line$

with `$` where the line ends, so that spaces at its end can be seen, and
U+241B for an escape character."""

import os

PATH = os.path.join(os.path.dirname(__file__), "expected.txt")
ESC = "\u241b"
HEAD = "# What fluxctl prints; see expected.py.\n"


class Printed:
    def __init__(self, out="", err="", code=0, made=None):
        self.out, self.err, self.code = out, err, code
        self.made = made if made is not None else {}


def lines(lead, text):
    parts = text.replace("\x1b", ESC).split("\n")
    for line in parts[:-1]:
        yield lead + "|" + line + "$\n"
    if parts[-1]:
        yield lead + "|" + parts[-1] + "\n"


def write(seen):
    with open(PATH, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(HEAD)
        for name, printed in seen.items():
            f.write("\n=== %s\n" % name)
            f.writelines(lines("out", printed.out))
            f.writelines(lines("err", printed.err))
            for path, text in sorted(printed.made.items()):
                f.writelines(lines("file " + path, text))
            if printed.code:
                f.write("exit %d\n" % printed.code)


def read():
    found, now = {}, None
    with open(PATH, encoding="utf-8", errors="surrogateescape") as f:
        for line in f.read().split("\n"):
            lead, bar, rest = line.replace(ESC, "\x1b").partition("|")
            text = rest[:-1] + "\n" if rest.endswith("$") else rest
            if line.startswith("=== "):
                now = found[line[4:]] = Printed()
            elif bar and lead == "out":
                now.out += text
            elif bar and lead == "err":
                now.err += text
            elif bar and lead.startswith("file "):
                now.made[lead[5:]] = now.made.get(lead[5:], "") + text
            elif line.startswith("exit "):
                now.code = int(line[5:])
    return found


def fill(case, found):
    printed = found.get(case.name)
    if printed is None:
        raise KeyError("expected.txt lacks " + case.name)
    case.out, case.err = printed.out, printed.err
    case.code, case.made = printed.code, printed.made

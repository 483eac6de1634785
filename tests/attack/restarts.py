#!/usr/bin/env python3
"""How long workers were away, by the daemon's log.

usage: restarts.py LOG

Counts, in each life of a daemon, the first end of each worker: later ones are
followed by a pause on purpose.  From "worker ended" to "worker confined".
"""
import datetime
import re
import statistics
import sys

RECORD = re.compile(r'^ts=(\S+)Z caller=\S+ (.*)')
ENDED = re.compile(r'warning="worker ended" worker=(\S+) ')
CONFINED = re.compile(r'="worker confined" worker=(\S+) ')


def main():
    away, seen, took = {}, set(), []
    with open(sys.argv[1], errors="replace") as f:
        for line in f:
            m = RECORD.match(line)
            if not m:
                continue
            at = datetime.datetime.fromisoformat((m.group(1) + "000000")[:26] if "." in m.group(1) else m.group(1))
            if m.group(2).startswith("version="):
                away, seen = {}, set()
            ended, confined = ENDED.search(line), CONFINED.search(line)
            if ended and ended.group(1) not in seen:
                seen.add(ended.group(1))
                away[ended.group(1)] = at
            elif confined and confined.group(1) in away:
                took.append((at - away.pop(confined.group(1))).total_seconds() * 1000)
    if took:
        print(f"{len(took)} of them, median {statistics.median(took):.0f} ms, max {max(took):.0f} ms")
    else:
        print("none")


main()

#!/usr/bin/env python3
"""How long workers were away, by the daemon's log.

usage: restarts.py LOG
       restarts.py --each WORKER LOG

Counts, in each life of a daemon, the first end of each worker, since later
ones are followed by a pause on purpose: from "worker ended" to "worker
confined".  With --each, the milliseconds of each time that this worker was
away, a line each, until it said its next word or was ended again.
"""
import datetime
import re
import statistics
import sys

RECORD = re.compile(r'^ts=(\S+)Z caller=\S+ (.*)')
ENDED = re.compile(r'warning="worker ended" worker=(\S+) pid=(\d+)')
CONFINED = re.compile(r'="worker confined" worker=(\S+) ')
BROKE = re.compile(r'component=supervisor (?:err|warning)=.* worker=(\S+) pid=(\d+)')


def records(path):
    with open(path, errors="replace") as f:
        for line in f:
            m = RECORD.match(line)
            if m:
                at, _, fraction = m.group(1).partition(".")
                yield (datetime.datetime.fromisoformat(at + "." + (fraction + "000000")[:6]),
                       m.group(2))


def first_ones(path):
    away, seen, took = {}, set(), []
    for at, text in records(path):
        if text.startswith("version="):
            away, seen = {}, set()
        ended, confined = ENDED.search(text), CONFINED.search(text)
        if ended and ended.group(1) not in seen:
            seen.add(ended.group(1))
            away[ended.group(1)] = at
        elif confined and confined.group(1) in away:
            took.append((at - away.pop(confined.group(1))).total_seconds() * 1000)
    if took:
        print(f"{len(took)} of them, median {statistics.median(took):.0f} ms, max {max(took):.0f} ms")
    else:
        print("none")


def each(worker, path):
    since = pid = None
    for at, text in records(path):
        ended = ENDED.search(text)
        other = CONFINED.search(text) or BROKE.search(text)
        if since and other and other.group(1) == worker and (other.lastindex < 2 or other.group(2) != pid):
            print(round((at - since).total_seconds() * 1000))
            since = None
        if ended and ended.group(1) == worker:
            since, pid = at, ended.group(2)


if sys.argv[1] == "--each":
    each(*sys.argv[2:])
else:
    first_ones(sys.argv[1])

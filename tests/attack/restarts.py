#!/usr/bin/env python3
"""How long workers were away, by the daemon's log.

usage: restarts.py LOG LAG
       restarts.py --each WORKER LOG LAG

Counts, in each life of a daemon, the first end of each worker, since later
ones are followed by a pause on purpose: from "worker ended" to "worker
confined", less the time in which the machine was late by itself (LAG, of
lag.py).  With --each, the milliseconds of each time that this worker was
away, until it said its next word or was ended again: a line each, with all of
them and then without the machine's.
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


def read_lag(path):
    """From when to when it was late, as the records have the time."""
    with open(path) as f:
        for line in f:
            if not line.endswith("\n"):
                break
            when, late = (int(x) for x in line.split())
            until = datetime.datetime.fromtimestamp(when / 1e6, datetime.timezone.utc).replace(tzinfo=None)
            yield until - datetime.timedelta(milliseconds=late), until


def own_ms(since, until, lag):
    late = sum((min(b, until) - max(a, since)).total_seconds() for a, b in lag if a < until and b > since)
    return ((until - since).total_seconds() - late) * 1000


def first_ones(path, lag_path):
    lag = list(read_lag(lag_path))
    away, seen, took = {}, set(), []
    for at, text in records(path):
        if text.startswith("version="):
            away, seen = {}, set()
        ended, confined = ENDED.search(text), CONFINED.search(text)
        if ended and ended.group(1) not in seen:
            seen.add(ended.group(1))
            away[ended.group(1)] = at
        elif confined and confined.group(1) in away:
            took.append(own_ms(away.pop(confined.group(1)), at, lag))
    if took:
        print(f"{len(took)} of them, median {statistics.median(took):.0f} ms, max {max(took):.0f} ms")
    else:
        print("none")


def each(worker, path, lag_path):
    lag = list(read_lag(lag_path))
    since = pid = None
    for at, text in records(path):
        ended = ENDED.search(text)
        other = CONFINED.search(text) or BROKE.search(text)
        if since and other and other.group(1) == worker and (other.lastindex < 2 or other.group(2) != pid):
            print(round((at - since).total_seconds() * 1000), round(own_ms(since, at, lag)))
            since = None
        if ended and ended.group(1) == worker:
            since, pid = at, ended.group(2)


if sys.argv[1] == "--each":
    each(*sys.argv[2:])
else:
    first_ones(*sys.argv[1:])

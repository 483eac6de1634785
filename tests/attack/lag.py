#!/usr/bin/env python3
"""How much later than asked for this machine wakes a process up.

usage: lag.py

Sleeps a hundredth of a second over and over and prints "WHEN_US LATE_MS" each
time it was 5 ms late or more; WHEN is since 1970.
"""
import time

SLEEP = 0.01
LATE = 0.005

while True:
    began = time.monotonic()
    time.sleep(SLEEP)
    late = time.monotonic() - began - SLEEP
    if late >= LATE:
        print(int(time.time() * 1e6), int(late * 1000), flush=True)

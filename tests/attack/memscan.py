#!/usr/bin/env python3
"""Look for secrets in the memory of processes, as root.

usage: memscan.py PID NAME=HEX...

Reads every mapping that can be read, freed memory included, and prints
"NAME COUNT" for each pattern; the environment and the command line of the
process are part of its memory.  HEX is the pattern in hexadecimal.
"""
import sys

CHUNK = 1 << 20


def mappings(pid):
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            fields = line.split()
            if "r" not in fields[1] or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            start, end = (int(x, 16) for x in fields[0].split("-"))
            yield start, end


def count(mem, start, end, patterns, counts):
    keep = max(len(p) for p in patterns.values()) - 1
    tail = b""
    for at in range(start, end, CHUNK):
        try:
            mem.seek(at)
            data = tail + mem.read(min(CHUNK, end - at))
        except (OSError, ValueError):
            tail = b""
            continue
        for name, pattern in patterns.items():
            counts[name] += data.count(pattern)
        tail = data[-keep:] if keep else b""


def main():
    pid = int(sys.argv[1])
    patterns = {}
    for arg in sys.argv[2:]:
        name, _, text = arg.partition("=")
        patterns[name] = bytes.fromhex(text)
        assert len(patterns[name]) >= 8, "too short to mean anything"
    counts = dict.fromkeys(patterns, 0)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end in mappings(pid):
            count(mem, start, end, patterns, counts)
    for name, n in counts.items():
        print(name, n)


main()

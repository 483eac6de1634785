#!/usr/bin/env python3
"""Clients that do not behave, for the attack scripts.

usage: clients.py KIND ARGUMENT...

  slow PORT N SECONDS   hold N connections that send a header's byte a second;
                        prints "held N" when all are there and in the end how
                        many the server has closed
  leave PATH N          N requests at the Unix socket PATH of which each is cut
                        off at another byte, or not waited for
"""
import socket
import sys
import time

REQUEST = b"GET /api/flux/v6/sync?ref=HEAD HTTP/1.1\r\nHost: x\r\nX-Pad: y\r\n\r\n"


def slow(port, n, seconds):
    held = []
    for _ in range(n):
        s = socket.socket()
        s.settimeout(60)
        try:
            s.connect(("127.0.0.1", port))
        except OSError:
            continue
        held.append(s)
    print("held", len(held), flush=True)
    began, at, closed = time.monotonic(), 0, set()
    while time.monotonic() - began < seconds and len(closed) < len(held):
        for i, s in enumerate(held):
            if i in closed:
                continue
            try:
                s.setblocking(False)
                s.send(REQUEST[at:at + 1])
                if s.recv(4096) == b"":
                    closed.add(i)
            except BlockingIOError:
                pass
            except OSError:
                closed.add(i)
        at = min(at + 1, len(REQUEST) - 2)
        time.sleep(1)
    print("closed", len(closed), "of", len(held), f"after {time.monotonic() - began:.1f} s")


def leave(path, n):
    for i in range(n):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)  # waits when the queue is full
        try:
            s.sendall(REQUEST[:1 + i % len(REQUEST)])
        except OSError:
            pass  # there was no place for one more
        s.close()


kind, *args = sys.argv[1:]
if kind == "slow":
    slow(int(args[0]), int(args[1]), float(args[2]))
else:
    leave(args[0], int(args[1]))

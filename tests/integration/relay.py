#!/usr/bin/env python3
"""A wire between a client and a server that can be cut.

usage: relay.py HOST PORT PORT-FILE

SIGUSR1: cut: what is connected is reset, new connections are refused.
SIGUSR2: silence: connections stay and are made, and nothing goes through.
SIGHUP:  whole again.
SIGALRM: cut once, after as many bytes more, of both directions, as the file
         PORT-FILE.after says, which goes when they are being counted; what is
         connected then is reset.  With a second word in it, "cut" or "silent",
         it stays so.
"""
import os
import selectors
import signal
import socket
import struct
import sys

HOST, PORT = sys.argv[1], int(sys.argv[2])
LINGER = struct.pack("ii", 1, 0)  # close with a reset

poll = selectors.DefaultSelector()
peers = {}
state = "whole"
left = None  # bytes until the cut; None: none is to come
then = "whole"  # what it is after it
wake_r, wake_w = socket.socketpair()
wake_w.setblocking(False)
signal.set_wakeup_fd(wake_w.fileno())


def listen(port):
    s = socket.create_server(("127.0.0.1", port), backlog=64)
    poll.register(s, selectors.EVENT_READ)
    return s


def drop(s):
    for end in (s, peers.pop(s, None)):
        if end is not None:
            peers.pop(end, None)
            poll.unregister(end)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            end.close()


def accept(listener):
    near, _ = listener.accept()
    try:
        far = socket.create_connection((HOST, PORT))
    except OSError:
        near.close()
        return
    peers[near], peers[far] = far, near
    for s in (near, far):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(s, selectors.EVENT_READ)


def drop_all():
    for s in list(peers):
        if s in peers:
            drop(s)


def forward(s):
    global left
    try:
        data = s.recv(65536 if left is None else min(65536, left))
        if data:
            peers[s].sendall(data)
            if left is not None:
                left -= len(data)
                if left <= 0:
                    left = None
                    if then != "silent":
                        drop_all()
                    become(then)
                    print("cut", flush=True)
            return
    except OSError:
        pass
    drop(s)


def become(what):
    global state, listener
    state = what
    if what == "cut":
        drop_all()
        if listener is not None:
            poll.unregister(listener)
            listener.close()
            listener = None
    elif listener is None:
        listener = listen(port)


def arm(*_):
    global left, then
    after = sys.argv[3] + ".after"
    with open(after, encoding="ascii") as f:
        count, _, then = f.read().strip().partition(" ")
    left, then = int(count), then or "whole"
    os.unlink(after)


signal.signal(signal.SIGALRM, arm)
for number, name in ((signal.SIGUSR1, "cut"), (signal.SIGUSR2, "silent"), (signal.SIGHUP, "whole")):
    signal.signal(number, lambda *_, name=name: become(name))
listener = listen(0)
port = listener.getsockname()[1]
poll.register(wake_r, selectors.EVENT_READ)
with open(sys.argv[3], "w", encoding="ascii") as f:
    f.write(str(port))
while True:
    for key, _ in poll.select():
        s = key.fileobj
        if s is wake_r:
            wake_r.recv(64)
        elif s is listener:
            accept(s)
        elif s in peers and state != "silent":
            forward(s)
    if state == "silent":
        # what is readable stays so: look at the signals only
        wake_r.recv(64)

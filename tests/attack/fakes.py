#!/usr/bin/env python3
"""Servers that do not behave, for the attack scripts.

usage: fakes.py PORTFILE KIND ARGUMENT...

Each listens on a port of its own on loopback, writes the port to PORTFILE and
prints a line "SECONDS WHAT" for everything that happens.

  proxy PORT BYTES      pass on to 127.0.0.1:PORT.  From SIGUSR1 on every
                        connection lets BYTES more pass to the client and then
                        nothing more, for ever; connections made after SIGUSR2
                        are whole again.
  trickle TEXT SECONDS  send TEXT, a byte each SECONDS, and never end a line
  dns ADDRESS NAME IP   on port 53 of ADDRESS: silent until SIGUSR2, then NAME
                        is IP
"""
import os
import selectors
import signal
import socket
import sys
import threading
import time


def say(*what):
    print(f"{time.time():.6f}", *what, flush=True)


def listener():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    return s


def ready(port_file, port):
    with open(port_file + ".new", "w") as f:
        f.write(f"{port}\n")
    os.rename(port_file + ".new", port_file)


def each(s, fn, *args):
    while True:
        c, _ = s.accept()
        say("accepted")
        threading.Thread(target=fn, args=(c, *args), daemon=True).start()


class Fault:
    """Counts the faults that began; a connection remembers what it was in."""

    def __init__(self):
        self.on = False
        signal.signal(signal.SIGUSR1, lambda *_: self.set(True))
        signal.signal(signal.SIGUSR2, lambda *_: self.set(False))

    def set(self, on):
        self.on = on
        say("fault" if on else "healthy")


def pass_on(client, port, allowance, fault):
    server = socket.create_connection(("127.0.0.1", port))
    sel = selectors.DefaultSelector()
    sel.register(client, selectors.EVENT_READ, server)
    sel.register(server, selectors.EVENT_READ, client)
    left = None
    while True:
        events = sel.select(0.02)
        if fault.on and left is None:
            left = allowance
        for key, _ in events:
            if left == 0 and key.fileobj is server:
                say("stalled")
                sel.unregister(server)
                continue
            try:
                data = key.fileobj.recv(65536 if left is None or key.fileobj is client else min(left, 65536))
                if not data:
                    raise OSError("end")
                key.data.sendall(data)
            except OSError:
                client.close()
                server.close()
                return
            if left is not None and key.fileobj is server:
                left -= len(data)


def trickle(c, text, seconds):
    try:
        for ch in text.encode():
            c.sendall(bytes([ch]))
            time.sleep(seconds)
        while c.recv(4096):
            pass
    except OSError:
        pass
    say("closed")


def dns(address, name, ip, fault):
    """One question in, one A record out, as RFC 1035 has it."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 53))
    want = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"
    while True:
        query, client = s.recvfrom(4096)
        question = query[12:12 + len(want) + 4]
        say("asked", question[:len(want)])
        if fault.on:
            continue
        is_it = question[:len(want)].lower() == want and question[len(want):] == b"\0\1\0\1"
        head = query[:2] + bytes([0x85, 0x80]) + b"\0\1" + (b"\0\1" if is_it else b"\0\0") + b"\0\0\0\0"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(ip) if is_it else b""
        s.sendto(head + question + answer, client)


def main():
    port_file, kind, *args = sys.argv[1:]
    fault = Fault()
    if kind == "dns":
        fault.on = True
        ready(port_file, 53)
        dns(*args, fault)
    s = listener()
    ready(port_file, s.getsockname()[1])
    if kind == "proxy":
        each(s, pass_on, int(args[0]), int(args[1]), fault)
    elif kind == "trickle":
        each(s, trickle, args[0], float(args[1]))
    sys.exit(f"unknown kind {kind}")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service for --connect that misbehaves: service.py PORT DIR [CERT KEY].

DIR/mode says how requests for events are answered, one word, read anew for
each: a status; "hang", "close", "garbage", "endless", "redirect" (to
DIR/elsewhere's port).  DIR/events gets the body of each that was answered 2xx,
DIR/tries a line for each of them, DIR/heads the last one's head.  With a
certificate it speaks TLS; a CONNECT is taken as by a proxy (DIR/proxied has
its head), and what follows is for the service.
"""
import os
import socket
import ssl
import sys
import threading
import time

port, where = int(sys.argv[1]), sys.argv[2]
tls = None
if len(sys.argv) > 3:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(sys.argv[3], sys.argv[4])


def mode():
    try:
        with open(where + "/mode", encoding="ascii") as f:
            return f.read().strip()
    except FileNotFoundError:
        return "200"


def note(name, data):
    with open(f"{where}/{name}", "ab") as f:
        f.write(data)


def note_last(name, data):
    # Another connection may write it while a test reads it.
    new = f"{where}/{name}.{threading.get_ident()}"
    with open(new, "wb") as f:
        f.write(data)
    os.replace(new, f"{where}/{name}")


def request(c):
    data = b""
    while b"\r\n\r\n" not in data:
        part = c.recv(65536)
        if not part:
            return None
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        part = c.recv(65536)
        if not part:
            return None
        body += part
    return head, body


def answer(c, status, more=b"", body=b""):
    c.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s"
              % (status, len(body), more, body))


def serve(c):
    got = request(c)
    if got is None:
        return
    head, body = got
    if not head.startswith(b"POST "):  # for a WebSocket, which is not here
        answer(c, 404)
        return
    how = mode()
    note_last("heads", head + b"\n")
    note("tries", f"{time.monotonic():.3f} {how}\n".encode())
    if how == "hang":
        time.sleep(60)
    elif how == "garbage":
        c.sendall(b"\x00\x01SSH-2.0-\r\n" * 1000)
    elif how == "endless":
        c.sendall(b"HTTP/1.1 200 X\r\n\r\n")
        while True:
            c.sendall(b"x" * 65536)
    elif how == "redirect":
        with open(where + "/elsewhere", encoding="ascii") as f:
            answer(c, 307, b"Location: http://127.0.0.1:%d/\r\n" % int(f.read()))
    elif how != "close":
        if how.startswith("2"):
            note("events", body + b"\n")
        answer(c, int(how), body=b"" if how == "204" else b"because \x1b[2J")


def guarded(c):
    with c:
        try:
            if c.recv(7, socket.MSG_PEEK) == b"CONNECT":
                note_last("proxied", request(c)[0] + b"\n")
                c.sendall(b"HTTP/1.1 200 X\r\n\r\n")
            if tls is None:
                serve(c)
            else:
                with tls.wrap_socket(c, server_side=True) as inner:
                    serve(inner)
        except OSError:
            pass


with socket.create_server(("127.0.0.1", port)) as s:
    while True:
        threading.Thread(target=guarded, args=(s.accept()[0],), daemon=True).start()

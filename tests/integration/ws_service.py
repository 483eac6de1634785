#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other end of --connect's WebSocket, for what a good service never does:
ws_service.py PORT DIR.

DIR/steps names what each WebSocket is for, a word a line; the last one stays.
DIR/said gets a line of what came of it.  Events are taken.
"""
import base64
import hashlib
import json
import os
import socket
import struct
import sys
import threading
import time

port, where = int(sys.argv[1]), sys.argv[2]
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def note(text):
    with open(where + "/said", "a", encoding="utf-8") as f:
        f.write(text + "\n")


def head_of(c):
    data = b""
    while b"\r\n\r\n" not in data:
        part = c.recv(65536)
        if not part:
            return None
        data += part
    return data.split(b"\r\n\r\n")[0].decode()


def upgrade(c, head):
    key = next(l.split(": ")[1] for l in head.split("\r\n") if l.startswith("Sec-WebSocket-Key"))
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    c.sendall(("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\n\r\n" % accept).encode())


def frame(payload, opcode=2, fin=True):
    b = bytes([(0x80 if fin else 0) | opcode])
    n = len(payload)
    if n < 126:
        b += bytes([n])
    elif n < 65536:
        b += struct.pack(">BH", 126, n)
    else:
        b += struct.pack(">BQ", 127, n)
    return b + payload


class Reader:
    """Unmasked payloads of binary messages, a line each."""

    def __init__(self, c):
        self.c, self.raw, self.text = c, b"", b""

    def need(self, n):
        while len(self.raw) < n:
            part = self.c.recv(65536)
            if not part:
                raise EOFError
            self.raw += part
        out, self.raw = self.raw[:n], self.raw[n:]
        return out

    def read_frame(self):
        b0, b1 = self.need(2)
        n = b1 & 127
        if n == 126:
            n = struct.unpack(">H", self.need(2))[0]
        mask = self.need(4)
        data = bytearray(self.need(n))
        for i in range(n):
            data[i] ^= mask[i % 4]
        return b0 & 15, bytes(data)

    def line(self):
        while b"\n" not in self.text:
            opcode, data = self.read_frame()
            if opcode in (0, 2):
                self.text += data
            elif opcode == 8:
                raise EOFError
        out, self.text = self.text.split(b"\n", 1)
        return json.loads(out)


def call(method, arg, n):
    return json.dumps({"method": "RPCServer." + method, "params": [arg], "id": n}).encode()


def good(c):
    """In pieces, with text and pings between, several in a message."""
    r = Reader(c)
    a = call("Version", {}, "v")
    c.sendall(frame(a[:5], fin=False) + frame(b"ping", 9) + frame(a[5:], 0))
    note("version %s" % r.line()["id"])
    c.sendall(frame(call("NotifyChange", {}, 1), 1))  # text: ignored
    c.sendall(frame(call("NotifyChange", {"Kind": "zz", "Source": {}}, 2) + b"\n" +
                    call("Nope", {}, 3)))
    for answer in sorted((r.line() for _ in range(2)), key=lambda x: x["id"]):
        note(json.dumps(answer, sort_keys=True))
    while True:  # the repository may not be cloned yet
        c.sendall(frame(call("JobStatus", "nope", 4)))
        answer = r.line()
        if "not ready" not in (answer["error"] or ""):
            break
        time.sleep(0.2)
    note(json.dumps(answer, sort_keys=True))


def flood(c):
    """Calls as fast as they are taken, answers unread."""
    sent = 0
    c.settimeout(3)
    one = frame(call("ListServices", "", 1) * 100)
    try:
        while sent < 64 << 20:
            sent += c.send(one)
    except (TimeoutError, OSError):
        pass
    note("flood stopped %s" % (sent < 64 << 20))


def serve(c, how, head):
    if how == "status":
        c.sendall(b"HTTP/1.1 503 X\r\n\r\n")
    elif how == "garbage":
        c.sendall(b"\x00" * 65536)
    else:
        upgrade(c, head)
    if how == "good":
        good(c)
        return
    if how == "flood":
        flood(c)
        return
    if how == "json":
        c.sendall(frame(b"nonsense"))
    elif how == "huge":
        c.sendall(b"\x82\x7f" + struct.pack(">Q", 1 << 60) + b'{"a":"' + b"x" * (1 << 20))
    elif how == "last":
        r = Reader(c)
        c.sendall(frame(call("Ping", {}, 9)))
        note("last %s" % json.dumps(r.line(), sort_keys=True))
        time.sleep(3600)
    try:
        while c.recv(65536):
            pass
    except OSError:
        pass


with open(where + "/steps", encoding="ascii") as f:
    steps = f.read().split()


def guarded(c):
    step = None
    with c:
        try:
            head = head_of(c)
            if head is None:
                return
            if head.startswith("POST"):
                c.sendall(b"HTTP/1.1 204 X\r\n\r\n")
                return
            step = steps.pop(0) if len(steps) > 1 else steps[0]
            serve(c, step, head)
        except (EOFError, OSError):
            pass
        finally:
            if step is not None:
                note("done " + step)


with socket.create_server(("127.0.0.1", port)) as s:
    while True:
        threading.Thread(target=guarded, args=(s.accept()[0],), daemon=True).start()

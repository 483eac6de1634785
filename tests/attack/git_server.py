#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A git server that means harm: http, one trick per path.

	git_server.py PORTFILE RECORD [REPOSITORY TRICKFILE]

writes its port to PORTFILE and, for every request, a line "METHOD PATH
authorization=yes|no" to RECORD.  What it does below /live is the trick that
TRICKFILE names at the moment, "good" serving the REPOSITORY as git does.
"""
import hashlib
import http.server
import os
import socketserver
import struct
import subprocess
import sys
import threading
import time
import zlib

HEAD = hashlib.sha1(b"nothing").hexdigest()


def pkt(data):
    return b"%04x" % (len(data) + 4) + data


def refs(service, tips):
    out = pkt(b"# service=" + service + b"\n") + b"0000"
    for i, (oid, name) in enumerate(tips):
        caps = b"\0side-band-64k ofs-delta" if i == 0 else b""
        out += pkt(oid.encode() + b" " + name + caps + b"\n")
    return out + b"0000"


def entry(kind, size):
    byte, size = kind << 4 | size & 15, size >> 4
    out = b""
    while size:
        out += bytes([byte | 0x80])
        byte, size = size & 0x7F, size >> 7
    return out + bytes([byte])


def offset(n):
    out = [n & 0x7F]
    n >>= 7
    while n:
        n -= 1
        out.insert(0, 0x80 | n & 0x7F)
        n >>= 7
    return bytes(out)


def number(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def pack(count, body):
    data = b"PACK" + struct.pack(">II", 2, count) + body
    return data + hashlib.sha1(data).digest()


def blob(data):
    return entry(3, len(data)) + zlib.compress(data)


def bomb():
    """64 KiB that a delta of 16 KiB makes 256 MiB of, in kilobytes."""
    base = bytes(65536)
    size = 65536 * 4096
    copy = b"\x80"  # offset 0, size 0: 64 KiB
    delta = number(len(base)) + number(size) + copy * 4096
    first = blob(base)
    second = entry(6, len(delta)) + offset(len(first)) + zlib.compress(delta)
    return pack(2, first + second)


def cycle():
    """Two deltas on each other, by name."""
    delta = number(4) + number(4) + b"\x04aaaa"
    body = b""
    for name in (b"\x11" * 20, b"\x22" * 20):
        body += entry(7, len(delta)) + name + zlib.compress(delta)
    return pack(2, body)


def before_start():
    delta = number(4) + number(4) + b"\x04aaaa"
    return pack(1, entry(6, len(delta)) + offset(10000) + zlib.compress(delta))


def chain(depth):
    """Deltas on deltas, each of them the whole of what is before it."""
    first = blob(b"aaaa")
    body, last = first, len(first)
    delta = number(4) + number(4) + b"\x90\x04"  # copy 4 bytes from 0
    for _ in range(depth):
        entry_ = entry(6, len(delta)) + offset(last) + zlib.compress(delta)
        body += entry_
        last = len(entry_)
    return pack(depth + 1, body)


def truncated():
    data = pack(1, entry(3, 100000) + zlib.compress(os.urandom(100000))[:5000])
    return data


PACKS = {
    "count": b"PACK" + struct.pack(">II", 2, 0xFFFFFFFF),
    "bomb": bomb(),
    "chain": chain(10000),
    "cycle": cycle(),
    "before": before_start(),
    "truncated": truncated(),
    "other": pack(1, blob(b"not what was promised")),
    "checksum": pack(1, blob(b"x"))[:-1] + b"\0",
    "none": b"",
}

LINES = {
    "length-1": b"0001",
    "length-3": b"0003",
    "length-max": b"fff1",
    "no-hex": b"00\x1b[",
    "err": pkt(b"ERR go\x1b[2J away\nts=1 forged=yes\n"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def record(self):
        has = "yes" if self.headers.get("Authorization") else "no"
        with open(sys.argv[2], "a") as f:
            f.write(f"{self.command} {self.path} authorization={has}\n")

    def trick(self):
        """Its name, its argument and the rest of the path."""
        trick, _, tail = self.path[1:].partition("/")
        if trick == "live":
            with open(sys.argv[4]) as f:
                trick = f.read().strip()
        name, _, arg = trick.partition(":")
        return name, arg, tail

    def git(self, service, *options, data=b""):
        return subprocess.run(
            ["git", service.removeprefix("git-"), "--stateless-rpc", *options, sys.argv[3]],
            input=data, stdout=subprocess.PIPE, check=False).stdout

    def start(self, kind, length=None):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-" + kind)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def whole(self, kind, data):
        self.start(kind, len(data))
        self.wfile.write(data)

    def redirect(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.record()
        name, arg, tail = self.trick()
        service = b"git-receive-pack" if b"receive" in tail.encode() else b"git-upload-pack"
        kind = service.decode()[4:] + "-advertisement"
        if name == "good":
            self.whole(kind, pkt(b"# service=" + service + b"\n") + b"0000" +
                       self.git(service.decode(), "--advertise-refs"))
        elif name == "endless":
            self.start(kind)
            line = pkt(HEAD.encode() + b" refs/heads/" + b"x" * 1000 + b"\n") * 64
            self.wfile.write(pkt(b"# service=" + service + b"\n") + b"0000")
            while True:
                self.wfile.write(line)
        elif name == "many":
            self.start(kind)
            self.wfile.write(pkt(b"# service=" + service + b"\n") + b"0000")
            for i in range(0, 1000000, 1000):
                self.wfile.write(b"".join(pkt(b"%s r/%06x\n" % (HEAD.encode(), n))
                                          for n in range(i, i + 1000)))
            self.wfile.write(b"0000")
        elif name == "line":
            self.whole(kind, pkt(b"# service=" + service + b"\n") + b"0000" + LINES[arg])
        elif name == "redirect":
            host = self.headers["Host"]
            self.redirect({
                "host": "http://localhost:" + host.split(":")[1] + "/elsewhere/" + tail,
                "port": "http://127.0.0.1:1/x/" + tail,
                "file": "file:///etc/passwd",
                "ssh": "ssh://root@127.0.0.1/x/" + tail,
                "loop": self.path,
                "path": "/pack:none/" + tail,
                "other": "/pack:none/info/refs?service=git-receive-pack",
                "ext": "ext::sh -c touch% pwned",
            }.get(arg, "http://127.0.0.1:" + arg + "/x/" + tail))
        elif name == "silent":
            time.sleep(30)
        elif name == "drip":
            self.start(kind)
            for byte in refs(service, [(HEAD, b"refs/heads/main")]):
                self.wfile.write(bytes([byte]))
                time.sleep(0.4)
        elif name == "status":
            self.send_response(int(arg))
            body = b"\x1b[2J" * 1000
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif name == "page":
            body = b"<html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif name == "stall" or name == "pack":
            self.whole(kind, refs(service, [(HEAD, b"refs/heads/main")]))
        else:
            self.whole(kind, refs(service, []))

    def do_POST(self):
        self.record()
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        name, arg, tail = self.trick()
        if name == "good":
            service = tail.rpartition("/")[2]
            self.whole(service[4:] + "-result", self.git(service, data=data))
            return
        self.start("upload-pack-result")
        self.wfile.write(pkt(b"NAK\n"))
        data = PACKS[arg] if name == "pack" else PACKS["truncated"][:3000]
        for i in range(0, len(data), 60000):
            self.wfile.write(pkt(b"\1" + data[i:i + 60000]))
        if name == "stall":
            time.sleep(30)
        self.wfile.write(b"0000")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
threading.Thread(target=server.serve_forever).start()

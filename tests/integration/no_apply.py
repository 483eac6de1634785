#!/usr/bin/env python3
"""A proxy in front of an API server that makes it one without server-side apply.

usage: no_apply.py URL CA TOKEN-FILE PORT-FILE

Plain HTTP on loopback, for one client; the port is written to PORT-FILE.
"""
import http.client
import http.server
import ssl
import sys
import urllib.parse

UPSTREAM = urllib.parse.urlsplit(sys.argv[1])
CONTEXT = ssl.create_default_context(cafile=sys.argv[2])
TOKEN = open(sys.argv[3], encoding="ascii").read().strip()
# as a server of 1.15 says it
REFUSAL = (b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
           b'"message":"the body of the request was in an unknown format - accepted '
           b'media types include: application/json-patch+json, application/merge-patch+json, '
           b'application/strategic-merge-patch+json","reason":"UnsupportedMediaType","code":415}')


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Type", "").startswith("application/apply-patch"):
            self.answer(415, {"Content-Type": "application/json"}, REFUSAL)
            return
        upstream = http.client.HTTPSConnection(UPSTREAM.hostname, UPSTREAM.port, context=CONTEXT)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        headers["Authorization"] = "Bearer " + TOKEN
        upstream.request(self.command, self.path, body or None, headers)
        got = upstream.getresponse()
        kept = {k: v for k, v in got.getheaders() if k in ("Content-Type", "Retry-After", "Etag")}
        if "watch=true" in self.path:
            self.stream(got, kept)
        else:
            self.answer(got.status, kept, got.read())

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, got, headers):
        self.send_response(got.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            piece = got.read1(65536)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not piece:
                return

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # the client goes when it likes


server = Server(("127.0.0.1", 0), Proxy)
with open(sys.argv[4], "w", encoding="ascii") as f:
    f.write(str(server.server_address[1]))
server.serve_forever()

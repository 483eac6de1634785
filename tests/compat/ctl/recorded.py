# SPDX-License-Identifier: Apache-2.0
"""A server that knows one conversation: what it must be asked, in which
order, and what it answers."""

import http.server
import json
import os
import socketserver
import threading


# Routes that the original has not, and what it says of them: a case that is
# not about one need not list it.
NEW = "/api/flux/v12/"
UNKNOWN = ('{"type":"missing","help":"The API endpoint requested is not '
           'supported by this server.\\n","error":"API endpoint not found"}')


class Exchange:
    """One request and its answer.  `repeat`: may come any number of times,
    until the next one comes."""

    def __init__(self, method, target, answer="", *, body=None, status=200,
                 reason=None, type="application/json; charset=utf-8",
                 headers=(), repeat=False, how=None):
        self.method, self.target, self.body = method, target, body
        self.status, self.reason, self.type = status, reason, type
        self.headers, self.repeat, self.how = headers, repeat, how
        self.answer = answer if isinstance(answer, (str, bytes)) \
            else json.dumps(answer, separators=(",", ":"))

    def fits(self, method, target, body):
        return (method == self.method and target == self.target and
                (self.body is None or body == self.body.encode()))


class Conversation:
    def __init__(self, exchanges):
        self.left = list(exchanges)
        self.seen = []          # (method, target, headers, body)
        self.unexpected = []
        self.lock = threading.Lock()
        self.over = threading.Event()   # releases answers that never come
        self.repeated = None

    def next(self, method, target, headers, body):
        with self.lock:
            self.seen.append((method, target, dict(headers), body))
            if self.left and self.left[0].fits(method, target, body):
                found = self.left.pop(0)
                self.repeated = found if found.repeat else None
                return found
            if target.startswith(NEW):
                return Exchange(method, target, UNKNOWN, status=404)
            if self.repeated and self.repeated.fits(method, target, body):
                return self.repeated
            self.unexpected.append("%s %s %r" % (method, target, body))
            return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        talk = self.server.conversation
        found = talk.next(self.command, self.path, self.headers, body)
        if found is None:
            self.send_response(599, "Not In The Conversation")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if found.how == "hang":
            talk.over.wait(30)
        if found.how in ("hang", "close"):
            self.close_connection = True
            return
        data = found.answer.encode() if isinstance(found.answer, str) \
            else found.answer
        self.send_response(found.status, found.reason)
        if found.type:
            self.send_header("Content-Type", found.type)
        for name, value in found.headers:
            self.send_header(name, value)
        if found.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = serve

    def log_message(self, *args):
        pass


class TCP(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("local", 0)    # what BaseHTTPRequestHandler wants


class Recorded:
    """with Recorded(exchanges, folder) as server: server.tcp, server.unix"""

    def __init__(self, exchanges, folder):
        self.conversation = Conversation(exchanges)
        self.path = os.path.join(folder, "api.sock")
        self.servers = [TCP(("127.0.0.1", 0), Handler),
                        Unix(self.path, Handler)]
        self.port = self.servers[0].server_address[1]
        self.tcp = "http://127.0.0.1:%d/api/flux" % self.port
        self.unix = "unix://" + self.path

    def __enter__(self):
        for server in self.servers:
            server.conversation = self.conversation
            threading.Thread(target=server.serve_forever,
                             kwargs={"poll_interval": 0.02},
                             daemon=True).start()
        return self

    def __exit__(self, *args):
        self.conversation.over.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        os.unlink(self.path)

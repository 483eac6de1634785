#!/usr/bin/env python3
"""What may stand between a client and an API server.

usage: gateway.py MODE HOST PORT TOKEN-FILE CA-FILE PORT-FILE LOG

Takes HTTP without TLS, says who asks by the token, and passes it on; the first
line of each request goes to LOG.

websocket: upgrades to SPDY are refused, as by a proxy that does not know them.
none:      so are all others.
proxy:     no gateway but a proxy, for CONNECT.
"""
import os
import socket
import ssl
import sys
import threading

MODE, HOST, PORT, TOKEN, CA, PORT_FILE, LOG = sys.argv[1:8]
REFUSAL = (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\n\r\n"
           b"Upgrade refused.\n")
context = ssl.create_default_context(cafile=CA)
token = open(TOKEN).read().strip()


def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(4096)
        if not more:
            return data, b""
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def both(a, b):
    threading.Thread(target=pump, args=(a, b), daemon=True).start()
    pump(b, a)


def server():
    return socket.create_connection((HOST, int(PORT)))


def serve(client):
    head, rest = read_head(client)
    with open(LOG, "a") as log:
        log.write(head.split(b"\r\n")[0].decode() + "\n")
    lower = head.lower()
    if MODE == "proxy":
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        both(client, server())
    elif b"\r\nauthorization:" in lower:
        client.sendall(REFUSAL)     # nobody may say who he is in the open
    elif b"upgrade: spdy" in lower or (MODE == "none" and
                                       b"\r\nupgrade:" in lower):
        client.sendall(REFUSAL)
    else:
        tls = context.wrap_socket(server(), server_hostname=HOST)
        tls.sendall(head + b"\r\nAuthorization: Bearer " + token.encode() +
                    b"\r\n\r\n" + rest)
        both(client, tls)
    client.close()


listener = socket.create_server(("127.0.0.1", 0))
with open(PORT_FILE + ".new", "w") as f:
    f.write(str(listener.getsockname()[1]))
os.rename(PORT_FILE + ".new", PORT_FILE)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],),
                     daemon=True).start()

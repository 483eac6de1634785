#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The first words of an SSH server that means harm.

	ssh_server.py PORTFILE TRICK [PORT]

serves connections until it is killed.
"""
import os
import socket
import struct
import sys
import threading
import time

TRICKS = {
    "silent": [],
    "banner-only": [b"SSH-2.0-x\r\n"],
    "length-max": [b"SSH-2.0-x\r\n", b"\xff\xff\xff\xff" + bytes(1000)],
    "length-0": [b"SSH-2.0-x\r\n", bytes(1000)],
    "padding": [b"SSH-2.0-x\r\n", struct.pack(">IB", 12, 255) + bytes(11)],
    # KEXINIT whose first list claims 2^32-1 bytes
    "list-length": [b"SSH-2.0-x\r\n",
                    struct.pack(">IB", 44, 4) + b"\x14" + bytes(16) + b"\xff" * 4 + bytes(22)],
    "old": [b"SSH-1.0-x\r\n"],
    "text": [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "endless-banner": [b"x" * 100 + b"\r\n"] * 20000,
}


def serve(c):
    try:
        while sys.argv[2] == "endless":
            c.sendall(b"x" * 100 + b"\r\n")
        for part in TRICKS[sys.argv[2]]:
            c.sendall(part)
        if sys.argv[2] not in ("silent", "banner-only"):
            c.shutdown(socket.SHUT_WR)
        while c.recv(65536):
            pass
        time.sleep(30)
    except OSError:
        pass


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0))
s.listen(16)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(s.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()

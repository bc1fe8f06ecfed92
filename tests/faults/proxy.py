#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes the place of libvirt's socket on a host and loses exactly one reply.

    proxy.py PROCEDURE lost|closed

Frames are what libvirt sends: a length that counts itself, program, version, procedure, kind (0 a
call, 1 a reply), serial number, status, and then what is said. `lost` drops the first reply of that
procedure and leaves the connection as it is; `closed` ends the connection in its place. Procedure 0
loses nothing. Each procedure that is called is printed. Ends at SIGTERM, and puts the socket back.
"""

import os
import selectors
import signal
import socket
import struct
import sys

SOCKET = "/run/libvirt/libvirt-sock"
REAL = SOCKET + "-behind"
REMOTE_PROGRAM = 0x20008086
REPLY = 1


class Side:
    """One direction of a connection."""

    def __init__(self, source, target):
        self.source, self.target, self.held = source, target, b""

    def frames(self):
        """Whole frames that have come in; None at the end."""
        data = self.source.recv(1 << 16)
        if not data:
            return None
        self.held += data
        found = []
        while len(self.held) >= 4:
            length = struct.unpack(">I", self.held[:4])[0]
            if len(self.held) < length:
                break
            found.append(self.held[:length])
            self.held = self.held[length:]
        return found


class Proxy:
    def __init__(self, procedure, way):
        self.procedure, self.way, self.lost = procedure, way, procedure == 0
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)

    def listen(self):
        os.rename(SOCKET, REAL)
        self.listener.bind(SOCKET)
        os.chmod(SOCKET, 0o777)
        self.listener.listen(20)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def put_back(self):
        os.unlink(SOCKET)
        os.rename(REAL, SOCKET)

    def accept(self):
        client = self.listener.accept()[0]
        server = socket.socket(socket.AF_UNIX)
        server.connect(REAL)
        there, back = Side(client, server), Side(server, client)
        self.selector.register(client, selectors.EVENT_READ, (there, back))
        self.selector.register(server, selectors.EVENT_READ, (back, there))

    def end(self, side):
        for end in (side.source, side.target):
            try:
                self.selector.unregister(end)
            except (KeyError, ValueError):
                pass
            end.close()

    def is_the_one(self, frame):
        program, _version, procedure, kind = struct.unpack(">IIII", frame[4:20])
        if program == REMOTE_PROGRAM and kind == 0:
            print("call", procedure, flush=True)
        return (not self.lost and program == REMOTE_PROGRAM and kind == REPLY
                and procedure == self.procedure)

    def carry(self, side):
        try:
            frames = side.frames()
            for frame in frames or ():
                if self.is_the_one(frame):
                    self.lost = True
                    print("lost", self.procedure, flush=True)
                    if self.way == "closed":
                        frames = None
                        break
                else:
                    side.target.sendall(frame)
        except OSError:
            frames = None
        if frames is None:
            self.end(side)

    def run(self):
        while True:
            for key, _events in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fd in self.selector.get_map():
                    self.carry(key.data[0])


def main():
    proxy = Proxy(int(sys.argv[1]), sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    proxy.listen()
    try:
        print("ready", flush=True)
        proxy.run()
    finally:
        proxy.put_back()


if __name__ == "__main__":
    main()

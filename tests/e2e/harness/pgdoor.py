# SPDX-License-Identifier: Apache-2.0
"""A door in front of a PostgreSQL server, that sees each COMMIT before the server does, and decides
what becomes of it and of its answer."""

import contextlib
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading

NAME = '.s.PGSQL.5432'
CANCEL = struct.pack('>I', 80877102)


def take(sock, n):
    data = b''
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class Pair:
    """A client's connection and the one to the server that stands for it."""

    def __init__(self, door, client):
        self.door = door
        self.client = client
        self.server = socket.socket(socket.AF_UNIX)

    def close(self):
        for one in (self.client, self.server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def answers(self):
        """What the server says goes to the client as it is."""
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                self.client.sendall(data)
        self.close()

    def message(self, first):
        head = b'' if first else take(self.client, 1)
        size = take(self.client, 4)
        return head + size + take(self.client, struct.unpack('>I', size)[0] - 4)

    def run(self):
        """The client's messages go to the server, but a COMMIT goes to the door's owner first."""
        try:
            first = self.message(first=True)
            if first[4:8] == CANCEL:
                self.door.cancelled.append(first)
            self.server.connect(self.door.server)
            self.server.sendall(first)
            back = threading.Thread(target=self.answers, daemon=True)
            back.start()
            while True:
                message = self.message(first=False)
                if message[:1] == b'Q' and message[5:] == b'COMMIT\0' and self.door.on_commit:
                    self.door.on_commit(self, message)
                else:
                    self.server.sendall(message)
        except (OSError, EOFError):
            pass
        self.close()


class Door:
    """Its url leads through it to the database that url names."""

    def __init__(self, server):
        self.folder = tempfile.mkdtemp(prefix='hf-pgdoor-')
        self.server = os.path.join(server.folder, NAME)
        self.url = server.url.replace(server.folder, self.folder)
        self.on_commit = None
        self.cancelled = []  # requests to cancel a query, each a connection of its own
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(pathlib.Path(self.folder, NAME)))
        self.listening.listen(32)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                pair = Pair(self, self.listening.accept()[0])
                threading.Thread(target=pair.run, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        shutil.rmtree(self.folder, ignore_errors=True)

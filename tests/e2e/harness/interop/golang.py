# SPDX-License-Identifier: Apache-2.0
"""crypto/tls of Go. The program is built here, without the network."""

import os
import shutil
import subprocess

from harness import daemon, waiting
from harness.interop import Peer, process
from harness.interop.node import Node, line
from harness.node import PROGRAMS

GO = shutil.which('go') or '/usr/lib/go-1.19/bin/go'


class Go(Peer):
    name = 'go'
    cannot = {'rsa-pss': 'crypto/x509 of Go does not read RSA-PSS keys'}

    def missing(self):
        return None if os.path.exists(GO) else 'golang-1.19-go is not installed'

    @staticmethod
    def program(folder):
        made = folder / 'tls_peer'
        if not made.exists():
            env = {**os.environ, 'GO111MODULE': 'off', 'CGO_ENABLED': '0', 'GOFLAGS': '',
                   'GOCACHE': os.path.abspath(os.path.join(daemon.BUILD, 'go-cache'))}
            subprocess.run([GO, 'build', '-o', made, PROGRAMS / 'tls_peer.go'], env=env, check=True,
                           timeout=6 * waiting.SECONDS)
        return made

    def visit(self, doors, folder):
        return process.visits([self.program(folder), 'client'], doors,
                              [line(door, door.root) for door in doors])

    def serve(self, rooms, folder):
        return process.one_server([self.program(folder), 'server'],
                                  [line(room, room.roots) for room in rooms],
                                  [room.port for room in rooms], folder)

    saw = staticmethod(Node.saw)

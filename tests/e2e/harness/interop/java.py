# SPDX-License-Identifier: Apache-2.0
"""The JSSE of Java."""

import shutil

from harness import certs
from harness.interop import Peer, process
from harness.node import PROGRAMS

WORDS = ['java', '-XX:TieredStopAtLevel=1', str(PROGRAMS / 'TlsPeer.java')]


class Java(Peer):
    name = 'java'
    cannot = {'ed25519': 'the JSSE of Java 17 has no EdDSA signatures in TLS'}
    chooses_group = False  # not for one socket

    def missing(self):
        return None if shutil.which('javac') else 'openjdk-17-jdk-headless is not installed'

    @staticmethod
    def bundle(folder, place):
        made = folder / f'{place.combo.key}.p12'
        return made if made.exists() else place.leaf.pkcs12('x', made)

    def visit(self, doors, folder):
        return process.visits([*WORDS, 'client'], doors,
                              [f'{door.port} {self.bundle(folder, door)} {door.root}' for door in doors])

    def serve(self, rooms, folder):
        return process.one_server(
            [*WORDS, 'server'], [f'{room.port} {self.bundle(folder, room)} {room.roots}' for room in rooms],
            [room.port for room in rooms], folder)

    @staticmethod
    def saw(answer, combo, who):
        del combo
        name, _, resumed = answer.strip().rpartition(' ')
        assert name == f'CN={who},O=Handfast tests', answer
        return resumed == 'true'

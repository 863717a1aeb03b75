# SPDX-License-Identifier: Apache-2.0
"""Node's tls module."""

from harness import node
from harness.interop import Peer, process


def line(place, roots):
    return f'{place.port} {place.leaf.chain} {place.leaf.key} {roots} {place.combo.group}'


class Node(Peer):
    name = 'node'

    def missing(self):
        return node.missing()

    def visit(self, doors, folder):
        del folder
        return process.visits(node.command('tls_peer.js', 'client'), doors,
                              [line(door, door.root) for door in doors])

    def serve(self, rooms, folder):
        return process.one_server(node.command('tls_peer.js', 'server'),
                                  [line(room, room.roots) for room in rooms],
                                  [room.port for room in rooms], folder)

    @staticmethod
    def saw(answer, combo, who):
        del combo
        name, _, resumed = answer.strip().rpartition(' ')
        assert name == who, answer
        return resumed == 'true'

# SPDX-License-Identifier: Apache-2.0
"""TCP ports that are ours alone.

The daemon binds with SO_REUSEPORT, so two test processes on one machine could share a port without
noticing. Each therefore holds a block of ports, below the ephemeral range. What holds it is an
abstract unix socket: its names are as wide as the ports are, and it goes with the process.
"""

import errno
import os
import socket

FIRST, BLOCK, N_BLOCKS = 12000, 250, 64


class Ports:
    def __init__(self):
        self._lock, self._block = self._take_block()
        self._next = 0

    @staticmethod
    def _take_block():
        start = os.getpid() % N_BLOCKS
        for block in [*range(start, N_BLOCKS), *range(start)]:
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                lock.bind(f'\0handfast-test-ports-{block}')
                return lock, block
            except OSError as error:
                lock.close()
                if error.errno != errno.EADDRINUSE:
                    raise
        raise RuntimeError(f'all {N_BLOCKS} blocks of test ports are taken')

    def take(self):
        """A port that nothing listens on; not given out again until the block has gone round."""
        for _ in range(BLOCK):
            port = FIRST + self._block * BLOCK + self._next
            self._next = (self._next + 1) % BLOCK
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(('127.0.0.1', port))
                    return port
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        raise
        raise RuntimeError('every port of this block is in use')

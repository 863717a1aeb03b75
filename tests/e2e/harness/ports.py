# SPDX-License-Identifier: Apache-2.0
"""TCP ports that are ours alone.

The daemon binds with SO_REUSEPORT, so two test processes on one machine could share a port without
noticing. Each therefore holds a block of ports, below the ephemeral range, through a file lock
that goes with the process.
"""

import fcntl
import os
import socket
import tempfile

FIRST, BLOCK, N_BLOCKS = 12000, 250, 64


class Ports:
    def __init__(self):
        self._lock, self._block = self._take_block()
        self._next = 0

    @staticmethod
    def _take_block():
        folder = os.path.join(tempfile.gettempdir(), f'handfast-test-ports-{os.getuid()}')
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for block in range(N_BLOCKS):
            lock = open(os.path.join(folder, str(block)), 'w', encoding='ascii')
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock, block
            except BlockingIOError:
                lock.close()
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
                except OSError:
                    continue
        raise RuntimeError('every port of this block is in use')

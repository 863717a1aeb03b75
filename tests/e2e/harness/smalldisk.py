# SPDX-License-Identifier: Apache-2.0
"""A disk that can be full: a small tmpfs in a mount namespace, which a process of its own keeps."""

import pathlib
import subprocess
import tempfile

import pytest


class SmallDisk:
    """None of the machine's other processes sees what is mounted; those run by `within` do."""

    def __init__(self, size):
        self.path = tempfile.mkdtemp(prefix='hf-disk-')
        mount = f'mount -t tmpfs -o size={size},mode=0777 none {self.path} && echo there && exec cat'
        self.keeper = subprocess.Popen(['unshare', '-m', 'sh', '-c', mount], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.there = self.keeper.stdout.readline() == 'there\n'

    @property
    def seen_from_here(self):
        return pathlib.Path(f'/proc/{self.keeper.pid}/root{self.path}')

    def within(self, user=None):
        """What to put in front of a command."""
        words = ['nsenter', '-t', str(self.keeper.pid), '-m']
        if user:
            words += ['-S', str(user['user']), '-G', str(user['group'])]
        return words

    def fill(self, left=0):
        """Takes all room but so many bytes."""
        ballast = self.seen_from_here / 'ballast'
        with ballast.open('wb', buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError:
                pass
            size = file.tell()
        with ballast.open('r+b') as file:
            file.truncate(max(0, size - left))

    def make_room(self):
        (self.seen_from_here / 'ballast').unlink()

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(60)
        self.keeper.stdout.close()
        pathlib.Path(self.path).rmdir()


def fixture(size):
    """A disk of so many bytes for each test; those that may not mount one are skipped."""
    @pytest.fixture
    def disk():
        one = SmallDisk(size)
        if not one.there:
            one.close()
            pytest.skip('mounting is not allowed here')
        yield one
        one.close()

    return disk

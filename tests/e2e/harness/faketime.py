# SPDX-License-Identifier: Apache-2.0
"""A clock of a program's own, by libfaketime, that can be set while the program runs."""

import glob
import subprocess

from harness import daemon

LIBRARY = glob.glob('/usr/lib/*/faketime/libfaketime.so.1')
DAY = 86400


def preload():
    """The sanitizer's runtime must come first, where there is one."""
    linked = subprocess.run(['ldd', daemon.BINARY], capture_output=True, text=True, check=True).stdout
    asan = [line.split()[2] for line in linked.splitlines() if 'libasan' in line]
    return ':'.join([*asan, *LIBRARY])


class Clock:
    def __init__(self, path):
        assert LIBRARY, 'libfaketime is not installed: script/setup'
        self.path = path
        self.set(0)

    def set(self, seconds):
        beside = self.path.with_suffix('.new')
        beside.write_text(f'{seconds:+d}s\n')
        beside.rename(self.path)

    def env(self):
        return {'LD_PRELOAD': preload(), 'FAKETIME_TIMESTAMP_FILE': str(self.path), 'FAKETIME_NO_CACHE': '1',
                'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'DONT_FAKE_MONOTONIC': '1'}

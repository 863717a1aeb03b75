# SPDX-License-Identifier: Apache-2.0
"""The clock is set a year forward or back under a running daemon: whoever is then not good any more
is cut at once, nobody is let in by a date of the wrong year, and all is well when it is right again."""

import glob
import os
import ssl
import subprocess

import pytest

from harness import clients, configs, daemon as daemons, revocation

FAKETIME = glob.glob('/usr/lib/*/faketime/libfaketime.so.1')
YEAR = 366 * 86400


def preload():
    """The sanitizer's runtime must come first, where there is one."""
    linked = subprocess.run(['ldd', daemons.BINARY], capture_output=True, text=True, check=True).stdout
    asan = [line.split()[2] for line in linked.splitlines() if 'libasan' in line]
    return ':'.join([*asan, *FAKETIME])


class Clock:
    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, seconds):
        beside = self.path.with_suffix('.new')
        beside.write_text(f'{seconds:+d}s\n')
        beside.rename(self.path)

    def env(self):
        return {'LD_PRELOAD': preload(), 'FAKETIME_TIMESTAMP_FILE': str(self.path), 'FAKETIME_NO_CACHE': '1',
                'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'DONT_FAKE_MONOTONIC': '1'}


@pytest.fixture
def clock(tmp_path):
    assert FAKETIME, 'libfaketime is not installed: script/setup'
    return Clock(tmp_path / 'clock')


def alert(connection):
    try:
        while connection.recv(100):
            pass
    except ssl.SSLError as error:
        return error.reason.lower().replace('_', ' ').split('alert ')[-1]
    return 'in order'


@pytest.mark.parametrize('step, reason', [(YEAR, 'expired'), (-YEAR, 'not-yet-valid')])
def test_the_clock_goes_a_year_wrong_and_right_again(handfast, pki, echo, port, clock, tmp_path, step, reason):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config, env=clock.env())
    roots = pki.servers.root.cert
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clock.set(step)
        line = daemon.log.wait(event='no-longer-admitted')
        assert line['reason'] == reason and alert(alice) == 'certificate expired'
    said = daemon.log.wait(event='clock')['text']
    assert ('forward' if step > 0 else 'back') in said
    assert clients.refusal(port, roots, pki.alice) == 'certificate expired'
    clock.set(0)
    daemon.log.wait(count=2, event='clock')
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clients.finish(alice)


def test_a_list_of_the_wrong_year_lets_nobody_in(handfast, pki, echo, port, clock, tmp_path):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config, env=clock.env())
    roots = pki.servers.root.cert
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clock.set(3 * 86400)
        assert daemon.log.wait(event='no-longer-admitted', reason='crl-stale')
        assert alert(alice) == 'certificate unknown'
    assert clients.refusal(port, roots, pki.alice) == 'certificate unknown'
    assert daemon.log.wait(event='crl-stale')
    clock.set(0)
    daemon.log.wait(count=2, event='clock')
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clients.finish(alice)

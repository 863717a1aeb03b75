# SPDX-License-Identifier: Apache-2.0
"""Servers that fail again and again rest for a while; servers that are drained get nothing new."""

import collections
import subprocess

import pytest

from harness import backends, clients, configs, daemon as daemons, waiting


def ask(port, pki):
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        return clients.read_exactly(client, 2)


@pytest.fixture
def two(backend):
    return [backend(backends.greeting(name)) for name in 'ab']


def servers(daemon):
    return daemon.admin('GET', '/upstreams?upstream=app')[1]['upstreams'][0]['servers']


def states(daemon):
    return [server['state'] for server in servers(daemon)]


def test_a_failing_server_rests(handfast, pki, two, ports, port):
    down = ports.take()
    daemon = handfast(configs.server_side(pki, port, [f'127.0.0.1:{down}', two[0].address], upstream={
        'slow-start': 0, 'eject': {'after': 3, 'within': '1h', 'time': '1h', 'max-time': '1h'}}))
    for _ in range(6):
        assert ask(port, pki) == b'a\n'  # each that meets the dead one first goes on to the other
    line = daemon.log.wait(event='ejected')
    assert (line['server'], line['failures'], line['last']) == (f'127.0.0.1:{down}', 3, 'connect')
    assert states(daemon) == ['ejected', 'up']
    before = servers(daemon)[0]['failures']
    for _ in range(6):
        assert ask(port, pki) == b'a\n'
    assert servers(daemon)[0]['failures'] == before == 3


def test_a_failing_server_comes_back(handfast, pki, two, ports, port, backend):
    down = ports.take()
    daemon = handfast(configs.server_side(pki, port, [f'127.0.0.1:{down}', two[0].address], upstream={
        'slow-start': 0, 'eject': {'after': 1, 'within': '1h', 'time': '1s', 'max-time': '1s'}}))
    for _ in range(2):
        assert ask(port, pki) == b'a\n'
    daemon.log.wait(event='ejected')
    backend(backends.greeting('z'), port=down)
    waiting.until(lambda: states(daemon) == ['up', 'up'])
    assert collections.Counter(ask(port, pki) for _ in range(4)) == {b'z\n': 2, b'a\n': 2}


def test_one_server_alone_is_never_ejected(handfast, pki, ports, port, backend):
    down = ports.take()
    daemon = handfast(configs.server_side(pki, port, f'127.0.0.1:{down}',
                                          upstream={'eject': {'after': 1}}))
    for _ in range(3):
        assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert states(daemon) == ['up']
    backend(backends.greeting('a'), port=down)
    assert ask(port, pki) == b'a\n'


def upstream(daemon, *words):
    return subprocess.run([daemons.BINARY, 'upstream', *words, '--admin', str(daemon.admin_path)],
                          capture_output=True, text=True, timeout=60)


def test_a_drained_server_finishes_what_it_has(handfast, pki, two, port):
    config = configs.server_side(pki, port, [one.address for one in two],
                                 upstream={'slow-start': 0})
    daemon = handfast(config)
    held = {}
    while len(held) < 2:
        client = clients.connect(port, pki.servers.root.cert, pki.alice)
        held[clients.read_exactly(client, 2)] = client
    drained = upstream(daemon, 'drain', 'app', two[0].address)
    assert (drained.returncode, drained.stdout) == \
        (0, f'{two[0].address} is drained; 1 connections are open\n')
    assert {ask(port, pki) for _ in range(6)} == {b'b\n'}
    assert clients.exchange(held[b'a\n']) == b'hello over there'
    daemon.reload(config)
    assert {ask(port, pki) for _ in range(4)} == {b'b\n'}
    shown = upstream(daemon, 'status', 'app')
    assert [line.split()[1:3] for line in shown.stdout.splitlines()[1:]] == \
        [[two[0].address, 'drained'], [two[1].address, 'up']]
    enabled = upstream(daemon, 'enable', 'app', two[0].address)
    assert enabled.stdout == f'{two[0].address} is up; 1 connections are open\n'
    assert collections.Counter(ask(port, pki) for _ in range(4)) == {b'a\n': 2, b'b\n': 2}
    for client in held.values():
        client.close()


def test_all_drained_is_said(handfast, pki, two, port):
    daemon = handfast(configs.server_side(pki, port, [one.address for one in two]))
    for one in two:
        assert upstream(daemon, 'drain', 'app', one.address).returncode == 0
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert daemon.log.wait(event='upstream')['detail'] == \
        f'{two[0].address} is drained; {two[1].address} is drained'


def test_wrong_names_are_told(handfast, pki, two, port):
    daemon = handfast(configs.server_side(pki, port, [one.address for one in two]))
    wrong = upstream(daemon, 'drain', 'application', two[0].address)
    assert wrong.returncode == 1
    assert 'there is no upstream "application"' in wrong.stderr
    wrong = upstream(daemon, 'drain', 'app', '127.0.0.1:1')
    assert 'upstream "app" has no server 127.0.0.1:1; write it as the config does' in wrong.stderr

# SPDX-License-Identifier: Apache-2.0
"""Several servers behind one upstream: turns, fewest connections, and the next when one is down."""

import collections
import socket

import pytest

from harness import backends, clients, configs, waiting


def ask(port, pki):
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        return clients.read_exactly(client, 2)


@pytest.fixture
def three(backend):
    return [backend(backends.greeting(name)) for name in 'abc']


def test_round_robin(handfast, pki, three, port):
    handfast(configs.server_side(pki, port, [one.address for one in three], workers=1))
    answers = [ask(port, pki) for _ in range(9)]
    assert collections.Counter(answers) == {b'a\n': 3, b'b\n': 3, b'c\n': 3}


def test_least_connections(handfast, pki, three, port):
    handfast(configs.server_side(pki, port, [one.address for one in three],
                                 upstream={'balance': 'least-connections'}))
    held = [clients.connect(port, pki.servers.root.cert, pki.alice) for _ in range(6)]
    first = [clients.read_exactly(client, 2) for client in held]
    assert collections.Counter(first) == {b'a\n': 2, b'b\n': 2, b'c\n': 2}
    freed = first.index(b'b\n')
    held[freed].close()
    three[1].records[0].ended.wait(waiting.SECONDS)
    three[1].records[1].ended.wait(0.2)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert clients.read_exactly(client, 2) == b'b\n'
    for client in held:
        client.close()


def test_next_server_when_one_refuses(handfast, pki, three, ports, port):
    down = f'127.0.0.1:{ports.take()}'
    daemon = handfast(configs.server_side(pki, port, [down, three[0].address]))
    for _ in range(4):
        assert ask(port, pki) == b'a\n'
    ends = daemon.log.wait(count=4, event='connection')
    assert {end['upstream'] for end in ends} == {three[0].address}


def test_all_servers_down(handfast, pki, ports, port):
    down = [f'127.0.0.1:{ports.take()}' for _ in range(2)]
    daemon = handfast(configs.server_side(pki, port, down))
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    why = daemon.log.wait(event='upstream', result='failed')['detail']
    for server in down:
        assert f'{server}: connect: Connection refused' in why
    end = daemon.log.wait(event='connection', cause='upstream-unreachable')
    assert end['bytes_out'] == 0


class BlackHole:
    """A port whose queue is full: connecting to it takes for ever."""

    def __init__(self, port):
        self.address = f'127.0.0.1:{port}'
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(('127.0.0.1', port))
        self.listener.listen(0)
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(('127.0.0.1', port))
            self.fillers.append(filler)

    def close(self):
        for one in [*self.fillers, self.listener]:
            one.close()


@pytest.fixture
def black_hole(ports):
    hole = BlackHole(ports.take())
    yield hole
    hole.close()


def test_next_server_when_one_does_not_answer(handfast, pki, three, black_hole, port):
    daemon = handfast(configs.server_side(pki, port, [black_hole.address, three[0].address],
                                          upstream={'connect-timeout': '300ms'}, workers=1))
    for _ in range(2):
        assert ask(port, pki) == b'a\n'
    daemon.log.wait(count=2, event='connection')


def test_connect_timeout_ends_the_connection(handfast, pki, black_hole, port):
    daemon = handfast(configs.server_side(pki, port, black_hole,
                                          upstream={'connect-timeout': '300ms'}))
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    end = daemon.log.wait(event='connection')
    assert end['duration_ms'] >= 290
    assert 'timed out' in daemon.log.wait(event='upstream', result='failed')['detail']

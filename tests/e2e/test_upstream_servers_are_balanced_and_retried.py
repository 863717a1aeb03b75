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
    daemon = handfast(configs.server_side(pki, port, [one.address for one in three],
                                          upstream={'balance': 'least-connections'}))
    held = [clients.connect(port, pki.servers.root.cert, pki.alice) for _ in range(6)]
    first = [clients.read_exactly(client, 2) for client in held]
    assert collections.Counter(first) == {b'a\n': 2, b'b\n': 2, b'c\n': 2}
    freed = first.index(b'b\n')
    held[freed].close()
    waiting.until(lambda: [server['open'] for server in daemon.admin('GET', '/upstreams?upstream=app')[1][
        'upstreams'][0]['servers']] == [2, 1, 2], 'the end of one connection')
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert clients.read_exactly(client, 2) == b'b\n'
    for client in held:
        client.close()


def test_weights_hold_over_all_workers(handfast, pki, three, port):
    servers = [{'address': one.address, 'weight': weight}
               for one, weight in zip(three, (5, 1, 2))]
    handfast(configs.server_side(pki, port, '', upstream={'servers': servers}, workers=4))
    answers = [ask(port, pki) for _ in range(24)]
    assert collections.Counter(answers) == {b'a\n': 15, b'b\n': 3, b'c\n': 6}


def test_hash_by_identity_keeps_a_client_at_its_server(handfast, pki, three, port):
    addresses = [one.address for one in three]
    config = configs.server_side(pki, port, addresses,
                                 upstream={'balance': 'hash', 'hash-by': 'identity'})
    daemon = handfast(config)
    first = ask(port, pki)
    assert {ask(port, pki) for _ in range(8)} == {first}
    daemon.reload(configs.server_side(pki, port, addresses[::-1],
                                      upstream={'balance': 'hash', 'hash-by': 'identity'}))
    assert {ask(port, pki) for _ in range(4)} == {first}
    lost = 'abc'.index(first.decode()[0])
    three[lost].close()
    others = {ask(port, pki) for _ in range(4)}
    assert len(others) == 1 and others != {first}


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

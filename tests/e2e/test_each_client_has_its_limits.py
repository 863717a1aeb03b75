# SPDX-License-Identifier: Apache-2.0
"""Requests and connections of each client, by the name in its certificate and by its address."""

import json
import socket
import ssl

import pytest

from harness import clients, configs, recorder, waiting


@pytest.fixture
def door(pki, port, handfast, backend):
    def start(limits, **listener):
        return handfast(configs.http_side(pki, port, backend(recorder.Recorder().serve),
                                          listener={'limits': limits, **listener}))

    return start


class Client:
    def __init__(self, pki, port, leaf, **more):
        self.connection = clients.connect(port, pki.servers.root.cert, leaf, alpn=['http/1.1'], **more)
        self.reader = clients.HttpReader(self.connection)

    def ask(self):
        self.connection.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
        return self.reader.answer()

    def close(self):
        self.connection.shutdown(socket.SHUT_RDWR)  # the reader holds the socket, too
        self.connection.close()


def test_requests_are_limited_for_each_identity(pki, port, door):
    door({'per-identity': '1/h burst 5'})
    alice, again, bob = (Client(pki, port, leaf) for leaf in (pki.alice, pki.alice, pki.bob))
    for client in (alice, again, alice, again, alice):  # one bucket, over all connections and workers
        assert client.ask().status == 200
    for client in (alice, again):
        answer = client.ask()
        assert (answer.status, json.loads(answer.body)['code']) == (429, 'rate-limited')
        assert 3000 < int(answer.fields['retry-after']) <= 3600
    assert bob.ask().status == 200


def test_requests_are_limited_for_each_address(pki, port, door):
    door({'per-address': '1/h burst 3'})
    alice, bob = (Client(pki, port, leaf) for leaf in (pki.alice, pki.bob))
    assert [client.ask().status for client in (alice, bob, alice, bob)] == [200, 200, 200, 429]


def test_a_reload_forgives_nothing(pki, port, door):
    daemon = door({'per-address': '1/h burst 2'})
    assert [Client(pki, port, pki.alice).ask().status for _ in range(3)] == [200, 200, 429]
    daemon.reload()
    assert Client(pki, port, pki.alice).ask().status == 429


def test_connections_are_counted_for_each_identity(pki, port, door):
    daemon = door({'connections-per-identity': 2})
    one, two = Client(pki, port, pki.alice), Client(pki, port, pki.alice)
    assert one.ask().status == two.ask().status == 200
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert daemon.log.wait(reason='connection-limit')
    assert Client(pki, port, pki.bob).ask().status == 200
    one.close()
    waiting.until(lambda: let_in(pki, port, pki.alice))


def let_in(pki, port, leaf):
    try:
        client = Client(pki, port, leaf)
        answer = client.ask()
        client.close()
        return answer is not None and answer.status == 200
    except (ssl.SSLError, OSError):
        return False


def test_connections_are_counted_for_each_address_before_the_handshake(pki, port, door):
    daemon = door({'connections-per-address': 2})
    one, two = Client(pki, port, pki.alice), Client(pki, port, pki.bob)
    assert one.ask().status == two.ask().status == 200
    with pytest.raises((ssl.SSLError, OSError)):
        Client(pki, port, pki.alice)
    assert daemon.log.wait(reason='connection-limit')
    two.close()
    waiting.until(lambda: let_in(pki, port, pki.alice))


def test_connections_are_limited_in_tcp_mode_too(pki, port, handfast, echo):
    handfast(configs.server_side(pki, port, echo, listener={'limits': {'connections-per-identity': 1}}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as first:
        assert clients.exchange(first) == b'hello over there'
        assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'

# SPDX-License-Identifier: Apache-2.0
"""Backpressure: whoever reads slowly holds up its sender, not our memory."""

import socket
import threading

import pytest

from harness import clients, configs, waiting

pytestmark = pytest.mark.engines

BLOCK = b'x' * 65536
LIMIT_KIB = 12 << 10  # beyond what a thousand socket buffers could excuse; a leak of 64 MiB shows


def push_until_stuck(connection, total):
    """Sends until the other side takes no more for a second; how much went."""
    connection.settimeout(1)
    sent = 0
    try:
        while sent < total:
            sent += connection.send(BLOCK)
    except (socket.timeout, TimeoutError):
        pass
    return sent


def test_backend_that_does_not_read(handfast, pki, backend, port):
    done = threading.Event()
    received = []

    def stubborn(connection, record):
        done.wait(waiting.SECONDS * 4)
        total = 0
        while True:
            data = connection.recv(1 << 20)
            if not data:
                break
            total += len(data)
        received.append(total)

    server = backend(stubborn)
    daemon = handfast(configs.server_side(pki, port, server))
    many = [clients.connect(port, pki.servers.root.cert, pki.alice) for _ in range(4)]
    server.wait(4)
    before = daemon.memory_kib()
    sent = push_until_stuck(many[0], 256 << 20)
    assert sent < 64 << 20, 'somebody swallowed it all'
    assert daemon.memory_kib() - before < LIMIT_KIB
    done.set()
    for client in many:
        client.close()
    assert server.records[0].ended.wait(waiting.SECONDS)
    daemon.log.wait(count=4, event='connection')


def test_client_that_does_not_read(handfast, pki, backend, port):
    stuck, sizes = threading.Event(), []

    def flood(connection, record):
        sizes.append(push_until_stuck(connection, 256 << 20))
        stuck.set()

    daemon = handfast(configs.server_side(pki, port, backend(flood)))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.read_exactly(client, 1)
        before = daemon.memory_kib()
        assert stuck.wait(waiting.SECONDS)
        assert daemon.memory_kib() - before < LIMIT_KIB
        assert sizes[0] < 64 << 20
        # Nothing was lost meanwhile: what was taken comes.
        assert clients.read_exactly(client, sizes[0] - 1) == b'x' * (sizes[0] - 1)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_reading_goes_on_after_a_pause(handfast, pki, backend, port, version):
    total = 32 << 20

    def flood(connection, record):
        connection.sendall(b'y' * total)

    handfast(configs.server_side(pki, port, backend(flood)))
    with clients.connect(port, pki.servers.root.cert, pki.alice, versions=(version,)) as client:
        got = len(clients.read_exactly(client, 1000))
        threading.Event().wait(0.3)
        got += len(clients.read_exactly(client, total - 1000))
        assert got == total
        assert client.recv(1) == b''

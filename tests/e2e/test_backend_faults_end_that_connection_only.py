# SPDX-License-Identifier: Apache-2.0
"""Upstreams that are slow, close early, reset or are killed mid-transfer."""

import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading

import pytest

from harness import backends, clients, configs, waiting


def test_backend_that_closes_at_once(handfast, pki, backend, port):
    daemon = handfast(configs.server_side(pki, port, backend(lambda connection, record: None)))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert client.recv(1) == b'', 'close_notify'
    assert daemon.log.wait(event='connection')['bytes_out'] == 0


def test_backend_that_closes_in_the_middle(handfast, pki, backend, port):
    def half(connection, record):
        connection.sendall(b'x' * 100_000)

    daemon = handfast(configs.server_side(pki, port, backend(half)))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert clients.read_to_end(client) == b'x' * 100_000
    assert daemon.log.wait(event='connection')['bytes_out'] == 100_000


def test_reset_by_the_backend_is_no_clean_end(handfast, pki, backend, port):
    """The client must not take a reset for the end of the data: no close_notify then."""
    def reset(connection, record):
        connection.sendall(b'only half of i')
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    daemon = handfast(configs.server_side(pki, port, backend(reset)))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.read_exactly(client, 14)
        client.sendall(b'go')
        with pytest.raises((ssl.SSLError, ConnectionError)):
            while client.recv(100):
                pass
    assert daemon.log.wait(event='connection')['cause'] == 'upstream-reset'


def test_answer_to_an_upload_that_is_turned_down_arrives(handfast, pki, backend, port):
    """A server that answers early and closes with the rest of the upload unread: its kernel sends a
    reset behind the answer, and the client must have the answer all the same."""
    answer = b'HTTP/1.1 413 Content Too Large\r\n\r\n' + b'r' * 1000

    def turn_down(connection, record):
        connection.recv(100)
        connection.sendall(answer)

    daemon = handfast(configs.server_side(pki, port, backend(turn_down)))
    for _ in range(20):
        with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
            client.sendall(b'u' * 200_000)
            assert clients.read_exactly(client, len(answer)) == answer
    assert daemon.log.wait(count=20, event='connection')


def test_slow_backend(handfast, pki, backend, port):
    go = threading.Event()

    def slow(connection, record):
        connection.recv(1)
        go.wait(waiting.SECONDS)
        connection.sendall(b'at last')

    handfast(configs.server_side(pki, port, backend(slow)))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as slow_one:
        slow_one.sendall(b'x')
        with clients.connect(port, pki.servers.root.cert, pki.bob) as other:
            other.sendall(b'x')
            go.set()
            assert clients.read_exactly(other, 7) == b'at last'
        assert clients.read_exactly(slow_one, 7) == b'at last'


FLOOD = '''
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(10)
print("ready", flush=True)
connection, _ = listener.accept()
while True:
    connection.sendall(b"z" * 65536)
'''


@pytest.fixture
def flood(ports):
    """A backend in a process of its own, that never stops sending: (process, port)."""
    port = ports.take()
    with subprocess.Popen([sys.executable, '-c', FLOOD, str(port)],
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b'ready\n'
        yield process, port
        process.kill()


def test_backend_killed_in_the_middle_of_a_transfer(handfast, pki, echo, ports, flood):
    victim, flood_port = flood
    front, other_front = ports.take(), ports.take()
    config = configs.server_side(pki, front, f'127.0.0.1:{flood_port}', workers=1)
    config['upstreams']['echo'] = {'servers': [echo.address]}
    config['listeners']['other'] = {**config['listeners']['in'], 'to': 'echo',
                                    'listen': [f'127.0.0.1:{other_front}']}
    daemon = handfast(config)
    with clients.connect(other_front, pki.servers.root.cert, pki.bob) as bystander, \
            clients.connect(front, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(bystander)
        clients.read_exactly(client, 1 << 20)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            while client.recv(1 << 20):
                pass
            raise EOFError  # a clean end is fine too when the kernel sent FIN
        client.close()
        end = daemon.log.wait(event='connection', listener='in')
        assert end['cause'] in ('upstream-reset', 'finished', 'client-truncated')
        assert not daemon.log.all(event='connection', listener='other')
        assert clients.exchange(bystander, b'y' * 100_000) == b'y' * 100_000


def test_backend_comes_back(handfast, pki, backend, ports, port):
    address = ports.take()
    daemon = handfast(configs.server_side(pki, port, f'127.0.0.1:{address}'))
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    daemon.log.wait(event='connection', cause='upstream-unreachable')
    backend(backends.echo, port=address)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)

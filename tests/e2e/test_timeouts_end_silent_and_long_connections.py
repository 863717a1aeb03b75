# SPDX-License-Identifier: Apache-2.0
"""Handshake, idle and total timeouts: each ends what it is about, says so, and nothing else."""

import ssl
import time

import pytest

from harness import backends, clients, configs, waiting


def test_silent_client(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, listener={'handshake-timeout': '300ms'}))
    start = time.monotonic()
    with clients.plain(port) as silent:
        silent.recv(100)
        assert clients.read_to_end(silent) == b''
    assert time.monotonic() - start >= 0.29
    line = daemon.log.wait(event='handshake', result='refused')
    assert line['reason'] == 'handshake-timeout'
    assert line['took_us'] >= 290_000
    assert not echo.records


def test_client_that_stops_half_way(handfast, pki, echo, port):
    """A first record that never ends: one byte at a time does not renew the deadline."""
    daemon = handfast(configs.server_side(pki, port, echo, listener={'handshake-timeout': '400ms'}))
    with clients.plain(port, b'\x16\x03\x01\x02\x00\x01') as client:
        client.settimeout(0.05)

        def is_over():
            try:
                client.sendall(b'\0')
                return client.recv(100) == b''
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        waiting.until(is_over, 'the end of the connection')
    assert daemon.log.wait(event='handshake', result='refused')['reason'] == 'handshake-timeout'


def test_idle(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, listener={'idle-timeout': '3s'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        start = time.monotonic()
        while time.monotonic() - start < 4:  # busy for longer than the timeout: it stays
            clients.exchange(client)
        with pytest.raises(ssl.SSLError, match='internal error'):
            client.recv(1)
    end = daemon.log.wait(event='connection')
    assert 'idle' in end['cause']
    assert end['duration_ms'] >= 6900


def test_total(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, listener={'total-timeout': '3s'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        with pytest.raises((AssertionError, OSError)):
            while not daemon.log.all(event='connection'):
                clients.exchange(client)
            client.recv(1)
    end = daemon.log.wait(event='connection')
    assert end['cause'] == 'total-timeout'
    assert end['duration_ms'] >= 2990


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_total_in_a_transfer_is_no_clean_end(handfast, pki, backend, port, version):
    """close_notify would make the part that came look like the whole."""
    handfast(configs.server_side(pki, port, backend(backends.endless),
                                 listener={'total-timeout': '3s'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice, versions=(version,)) as client:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            clients.read_to_end(client)

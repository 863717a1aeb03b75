# SPDX-License-Identifier: Apache-2.0
"""A second daemon on an address that another listens on ends with words, and the first goes on:
SO_REUSEPORT would let both share a port unnoticed, each with its own idea of whom to let in."""

import socket

import pytest

from harness import clients, configs


def test_port(handfast, pki, echo, port):
    config = configs.server_side(pki, port, echo)
    handfast(config)
    with pytest.raises(AssertionError, match='Address already in use'):
        handfast(config)
    for _ in range(20):
        with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
            clients.exchange(client)


def test_port_that_a_reload_wants(handfast, pki, echo, ports):
    mine, taken = ports.take(), ports.take()
    handfast(configs.server_side(pki, taken, echo))
    config = configs.server_side(pki, mine, echo)
    daemon = handfast(config)
    config['listeners']['in']['listen'].append(f'127.0.0.1:{taken}')
    assert daemon.reload(config)['level'] == 'error'
    with clients.connect(mine, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)


def test_unix_socket_stays(handfast, echo, tmp_path):
    path = str(tmp_path / 'in.sock')
    config = {'listeners': {'in': {'listen': [f'unix:{path}'], 'plain': True, 'to': 'app'}},
              'upstreams': {'app': {'servers': [echo.address]}}}
    handfast(config)
    with pytest.raises(AssertionError, match='in use by another program'):
        handfast(config)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        clients.exchange(client)

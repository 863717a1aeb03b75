# SPDX-License-Identifier: Apache-2.0
"""A draining daemon turns away who connects to a unix socket of its own, and takes its file along."""

import signal
import socket

import pytest

from harness import clients, configs


def test_unix_listener_refuses_while_a_connection_finishes(handfast, pki, echo, port, tmp_path):
    path = tmp_path / 'in.sock'
    config = configs.server_side(pki, port, echo)
    listener = next(iter(config['listeners'].values()))
    listener['listen'] = [*listener['listen'], f'unix:{path}']
    config['drain-timeout'] = '20s'
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.log.wait(event='drain')
        late = socket.socket(socket.AF_UNIX)
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            late.connect(str(path))
        clients.exchange(client)
    assert daemon.wait_exit() == 0
    assert not path.exists()

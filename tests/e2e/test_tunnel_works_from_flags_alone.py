# SPDX-License-Identifier: Apache-2.0
"""handfast tunnel, as the client side and as the server side, and one through the other."""

import pytest

from harness import clients, daemon as daemons


@pytest.fixture
def tunnel(tmp_path):
    running = []

    def start(*words):
        running.append(daemons.Daemon(tmp_path / f'tunnel{len(running)}', None, command='tunnel',
                                      words=[*map(str, words), '--log-format', 'json']))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def test_client_side(tunnel, pki, nginx, port):
    upstream = nginx(pki.server, pki.clients.root.cert)
    tunnel('--listen', f'127.0.0.1:{port}', '--to', f'localhost:{upstream.port}',
           '--cert', pki.bob.chain, '--key', pki.bob.key, '--roots', pki.servers.root.cert)
    with clients.plain(port, b'GET / HTTP/1.0\r\n\r\n') as connection:
        assert b'hello CN=bob' in clients.read_to_end(connection)


def test_server_side(tunnel, pki, echo, port):
    tunnel('--server', '--listen', f'127.0.0.1:{port}', '--to', echo.address,
           '--cert', pki.server.chain, '--key', pki.server.key, '--roots', pki.clients.root.cert)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert clients.exchange(client) == b'hello over there'
    assert clients.refusal(port, pki.servers.root.cert, pki.stranger) == 'unknown ca'


def test_one_through_the_other(tunnel, pki, echo, ports):
    door, front = ports.take(), ports.take()
    tunnel('--server', '--listen', f'127.0.0.1:{door}', '--to', echo.address,
           '--cert', pki.server.chain, '--key', pki.server.key, '--roots', pki.clients.root.cert)
    tunnel('--listen', f'127.0.0.1:{front}', '--to', f'localhost:{door}',
           '--cert', pki.bob.chain, '--key', pki.bob.key, '--roots', pki.servers.root.cert)
    with clients.plain(front) as connection:
        assert clients.exchange(connection, b'x' * 100_000) == b'x' * 100_000


def test_wrong_words_are_refused(pki):
    ended = daemons.run('tunnel', '--listen', '127.0.0.1:1', '--nonsense')
    assert ended.returncode == 2
    assert '--nonsense' in ended.stderr

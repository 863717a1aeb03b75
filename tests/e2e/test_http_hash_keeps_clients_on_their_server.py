# SPDX-License-Identifier: Apache-2.0
"""`balance: hash` in HTTP mode: the same header, cookie or identity, the same server."""

import pytest

from harness import clients, configs, recorder


@pytest.mark.parametrize('by, text', [
    ('header:x-user', 'X-User: %s'), ('cookie:sid', 'Cookie: a=b; sid=%s; c=d'),
    ('identity', 'X-Other: %s')])
def test_the_same_key_goes_to_the_same_server(handfast, pki, backend, port, by, text):
    def named(name):
        return recorder.Recorder(b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n' + name).serve

    behind = [backend(named(name)).address for name in (b'a', b'b', b'c')]
    handfast(configs.http_side(pki, port, behind, upstream={'balance': 'hash', 'hash-by': by}))
    with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        reader = clients.HttpReader(connection)

        def server_of(key):
            connection.sendall(f'GET / HTTP/1.1\r\nHost: server.example\r\n{text % key}\r\n\r\n'.encode())
            return reader.answer().body

        first = [server_of(f'k{number}') for number in range(20)]
        assert [server_of(f'k{number}') for number in range(20)] == first
        assert len(set(first)) == (1 if by == 'identity' else 3)

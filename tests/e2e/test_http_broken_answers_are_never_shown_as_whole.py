# SPDX-License-Identifier: Apache-2.0
"""A backend that breaks off: before its answer, within it, and on a kept connection."""

import socket
import struct

import pytest

from harness import clients, configs, h2raw, recorder

GET = b'GET %s HTTP/1.1\r\nHost: server.example\r\n\r\n'
PLAIN = [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example')]

pytestmark = pytest.mark.engines


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


def faulty(connection, _):
    """Answers by the path that is asked for, then ends."""
    reader = recorder._Reader(connection)
    target = recorder.read_request(reader).target
    answers = {
        '/short': b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it',
        '/chunks': b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
        '/close': b'HTTP/1.1 200 OK\r\n\r\nall of it',
        '/nothing': b'',
        '/garbage': b'220 mail.example ESMTP\r\n',
        '/head': b'HTTP/1.1 200 OK\r\nContent-Le',
        '/two': b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    }
    connection.sendall(answers.get(target, b''))
    if target == '/reset':
        reset(connection)
    else:
        connection.shutdown(socket.SHUT_WR)


@pytest.fixture
def door(handfast, pki, backend, port):
    handfast(configs.http_side(pki, port, backend(faulty)))
    return port


@pytest.mark.parametrize('path, code', [
    ('/nothing', 'upstream-closed'), ('/reset', 'upstream-reset'), ('/garbage', 'upstream-protocol'),
    ('/head', 'upstream-truncated'), ('/two', 'upstream-protocol')])
def test_before_an_answer_it_is_502(pki, door, path, code):
    with clients.connect(door, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        connection.sendall(GET % path.encode())
        answer = clients.HttpReader(connection).answer()
        assert answer.status == 502 and f'"code":"{code}"'.encode() in answer.body
    with h2raw.Connection(door, pki.servers.root.cert, pki.alice) as connection:
        stream = connection.wait(connection.request([*PLAIN, (':path', path)]))
        assert stream.status == 502 and f'"code":"{code}"'.encode() in stream.body and not stream.reset


@pytest.mark.parametrize('path', ['/short', '/chunks'])
def test_a_part_is_not_the_whole(pki, door, path):
    with clients.connect(door, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        connection.sendall(GET % path.encode())
        data = b''
        with pytest.raises(OSError):  # an alert, not an end in order
            while piece := connection.recv(65536):
                data += piece
        assert b'half' in data and not data.endswith(b'0\r\n\r\n')
    with h2raw.Connection(door, pki.servers.root.cert, pki.alice) as connection:
        stream = connection.wait(connection.request([*PLAIN, (':path', path)]))
        assert (stream.status, stream.reset) == (200, 'INTERNAL_ERROR')
        following = connection.wait(connection.request([*PLAIN, (':path', '/close')]))
        assert (following.status, following.body, following.reset) == (200, b'all of it', None)


def test_an_answer_that_ends_with_its_connection_is_whole(pki, door):
    with clients.connect(door, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        reader = clients.HttpReader(connection)
        for _ in range(2):
            connection.sendall(GET % b'/close')
            answer = reader.answer()
            assert (answer.status, answer.body) == (200, b'all of it')


class OnceEach:
    """Serves one request a connection, says that it keeps it, and closes it when told."""

    def __init__(self):
        self.methods = []

    def serve(self, connection, _):
        reader = recorder._Reader(connection)
        self.methods.append(recorder.read_request(reader).method)
        connection.sendall(recorder.ANSWER)
        try:
            self.methods.append(recorder.read_request(reader).method + ' again')
        except EOFError:
            return
        reset(connection)


def test_a_kept_connection_that_dies_costs_no_request_that_can_be_repeated(handfast, pki, backend,
                                                                           port):
    served = OnceEach()
    handfast(configs.http_side(pki, port, backend(served.serve), workers=1))
    with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        reader = clients.HttpReader(connection)
        connection.sendall(GET % b'/1')
        assert reader.answer().status == 200
        connection.sendall(GET % b'/2')
        assert reader.answer().status == 200
        assert served.methods == ['GET', 'GET again', 'GET']
        connection.sendall(b'POST /3 HTTP/1.1\r\nHost: server.example\r\nContent-Length: 2\r\n\r\nhi')
        answer = reader.answer()
        assert answer.status == 502 and b'"code":"upstream-' in answer.body
        assert served.methods == ['GET', 'GET again', 'GET', 'POST again']

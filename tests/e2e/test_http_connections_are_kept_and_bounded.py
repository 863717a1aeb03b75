# SPDX-License-Identifier: Apache-2.0
"""Connections on both sides: kept between requests, bounded in what they may ask and how slowly."""

import time

import pytest

from harness import clients, configs, h2raw, recorder

GET = b'GET %s HTTP/1.1\r\nHost: server.example\r\n\r\n'
PLAIN = [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example'), (':path', '/')]


@pytest.fixture
def recording():
    return recorder.Recorder()


def connect(port, pki, leaf=None):
    return clients.connect(port, pki.servers.root.cert, leaf or pki.alice, alpn=['http/1.1'])


def test_requests_share_a_connection_to_the_backend(handfast, pki, backend, port, recording):
    behind = backend(recording.serve)
    handfast(configs.http_side(pki, port, behind, workers=1))
    for leaf in (pki.alice, pki.bob):
        with connect(port, pki, leaf) as connection:
            reader = clients.HttpReader(connection)
            for number in range(3):
                connection.sendall(GET % b'/%d' % number)
                assert reader.answer().status == 200
    assert len(recording.take()) == 6 and len(behind.records) == 1


def test_pipelined_requests_are_answered_in_order(handfast, pki, backend, port):
    behind = recorder.Recorder(lambda request: b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s'
                               % (len(request.target), request.target.encode()))
    handfast(configs.http_side(pki, port, backend(behind.serve)))
    with connect(port, pki) as connection:
        connection.sendall(b''.join(GET % b'/%d' % number for number in range(50)))
        reader = clients.HttpReader(connection)
        assert [reader.answer().body for _ in range(50)] == [b'/%d' % n for n in range(50)]


def test_a_connection_ends_after_its_number_of_requests(handfast, pki, backend, port, recording):
    handfast(configs.http_side(pki, port, backend(recording.serve),
                               listener={'http': {'keep-alive-requests': 2}}))
    with connect(port, pki) as connection:
        reader = clients.HttpReader(connection)
        connection.sendall(GET % b'/1' + GET % b'/2' + GET % b'/3')
        first, second = reader.answer(), reader.answer()
        assert 'connection' not in first.fields and second.fields['connection'] == 'close'
        assert reader.answer() is None


def test_slow_heads_and_bodies_are_timed_out(handfast, pki, backend, port, recording):
    handfast(configs.http_side(pki, port, backend(recording.serve), listener={
        'http': {'header-timeout': '200ms', 'body-timeout': '300ms'}}))
    for text in (b'GET / HTT', b'POST / HTTP/1.1\r\nHost: server.example\r\nContent-Length: 9\r\n\r\nabc'):
        with connect(port, pki) as connection:
            connection.sendall(text)
            answer = clients.HttpReader(connection).answer()
            assert answer.status == 408 and b'"code":"request-timeout"' in answer.body
            assert answer.fields['connection'] == 'close'
    assert recording.take() == []


def test_idle_connections_are_closed_in_order(handfast, pki, backend, port, recording):
    handfast(configs.http_side(pki, port, backend(recording.serve), listener={
        'http': {'keep-alive-timeout': '3s'}}))
    with connect(port, pki) as connection:
        connection.sendall(GET % b'/')
        reader = clients.HttpReader(connection)
        assert reader.answer().status == 200
        assert reader.answer() is None
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as connection:
        assert connection.wait(connection.request(PLAIN)).status == 200
        while connection.step():
            pass
        assert connection.goaway == 'NO_ERROR'


@pytest.mark.parametrize('body', [b'Content-Length: 11\r\n\r\n', b'Transfer-Encoding: chunked\r\n\r\n'
                                  b'b\r\nhello world\r\n0\r\n\r\n'])
def test_large_bodies_are_refused(handfast, pki, backend, port, recording, body):
    handfast(configs.http_side(pki, port, backend(recording.serve),
                               listener={'http': {'max-body': 10}}))
    with connect(port, pki) as connection:
        connection.sendall(b'POST / HTTP/1.1\r\nHost: server.example\r\n' + body)
        answer = clients.HttpReader(connection).answer()
        assert answer.status == 413 and b'"code":"request-too-large"' in answer.body


def test_a_backend_that_says_nothing_is_timed_out_by_the_route(handfast, pki, backend, port):
    def silent(connection, _):
        connection.recv(65536)
        connection.recv(1)

    handfast(configs.http_side(pki, port, backend(silent), routes=[
        {'to': 'app', 'timeout': '300ms', 'allow': ['anyone']}]))
    with connect(port, pki) as connection:
        start = time.monotonic()
        connection.sendall(GET % b'/')
        answer = clients.HttpReader(connection).answer()
        assert answer.status == 504 and time.monotonic() - start > 0.25


def test_expect_continue_goes_through(handfast, pki, backend, port):
    seen = []

    def serve(connection, _):
        head = b''
        while b'\r\n\r\n' not in head:
            head += connection.recv(65536)
        seen.append(head)
        connection.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        seen.append(connection.recv(65536))
        connection.sendall(b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' + recorder.ANSWER)
        connection.recv(1)

    handfast(configs.http_side(pki, port, backend(serve)))
    with connect(port, pki) as connection:
        connection.sendall(b'POST / HTTP/1.1\r\nHost: server.example\r\nContent-Length: 5\r\n'
                           b'Expect: 100-continue\r\n\r\n')
        reader = clients.HttpReader(connection)
        assert reader.answer().status == 100
        connection.sendall(b'hello')
        hints = reader.answer()
        assert hints.status == 103 and hints.fields['link'] == '</a>'
        assert reader.answer().body == b'ok'
    assert b'expect: 100-continue' in seen[0].lower() and seen[1] == b'hello'


def test_trailers_go_through(handfast, pki, backend, port):
    behind = recorder.Recorder(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
                               b'2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n')
    handfast(configs.http_side(pki, port, backend(behind.serve)))
    with connect(port, pki) as connection:
        connection.sendall(b'POST / HTTP/1.1\r\nHost: server.example\r\nTE: trailers\r\n'
                           b'Connection: TE\r\nTransfer-Encoding: chunked\r\n\r\n'
                           b'2\r\nhi\r\n0\r\nX-More: 1\r\n\r\n')
        answer = clients.HttpReader(connection).answer()
        assert (answer.body, answer.trailers) == (b'ok', {'x-sum': '7'})
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as connection:
        stream = connection.wait(connection.request([(':method', 'POST'), *PLAIN[1:]], b'hi',
                                                    [('x-more', '1')]))
        assert stream.body == b'ok' and dict(stream.trailers) == {'x-sum': '7'}
    assert [request.trailers for request in behind.take()] == [{'x-more': '1'}] * 2


def test_head_has_no_body(handfast, pki, backend, port, recording):
    handfast(configs.http_side(pki, port, backend(recording.serve)))
    with connect(port, pki) as connection:
        reader = clients.HttpReader(connection)
        connection.sendall(b'HEAD / HTTP/1.1\r\nHost: server.example\r\n\r\n' + GET % b'/')
        assert reader.answer('HEAD').fields['content-length'] == '2'
        assert reader.answer().body == b'ok'


def test_connect_is_refused(handfast, pki, backend, port, recording):
    handfast(configs.http_side(pki, port, backend(recording.serve)))
    with connect(port, pki) as connection:
        connection.sendall(b'CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n')
        answer = clients.HttpReader(connection).answer()
        assert answer.status == 405 and b'"code":"connect-refused"' in answer.body
    assert recording.take() == []

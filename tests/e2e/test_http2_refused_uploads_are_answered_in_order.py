# SPDX-License-Identifier: Apache-2.0
"""HTTP/2: an upload that is answered before its end. The client reads the whole answer; it is told
to stop only when it neither ends nor gives up, and it can't make the proxy read for ever."""

import struct

import pytest

from harness import clients, configs, h2raw
from harness.recorder import Recorder

ASK = [(':method', 'POST'), (':scheme', 'https'), (':authority', 'server.example'), (':path', '/up')]
REFUSING = [{'match': {'path': '/up'}, 'allow': ['cn:nobody'], 'to': 'app'}, {'allow': ['verified'], 'to': 'app'}]


@pytest.fixture
def door(pki, port, backend, handfast):
    def start(serve=None, routes=REFUSING, **more):
        return handfast(configs.http_side(pki, port, backend(serve or Recorder().serve), routes, **more))
    return start


@pytest.mark.engines
@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
@pytest.mark.parametrize('size', [1, 16384, 16385, 65536, 300_000, 5_000_000])
def test_curl_reads_the_refusal(door, pki, port, tmp_path, size, version):
    daemon = door()
    (tmp_path / 'body').write_bytes(b'u' * size)
    ended = clients.curl(port, version, '-s', '-w', '\n%{http_code}', '--data-binary', f'@{tmp_path}/body',
                         roots=pki.servers.root.cert, leaf=pki.alice, path='/up')
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, '403'), ended.stderr
    assert 'not-allowed' in ended.stdout
    assert daemon.log.wait(event='request')['cause'] == 'not-allowed'


@pytest.mark.parametrize('size', [20_000, 5_000_000])
def test_curl_reads_the_early_answer_of_a_server(door, pki, port, tmp_path, size):
    def serve(connection, _):
        connection.recv(1000)
        connection.sendall(b'HTTP/1.1 413 No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch')
        connection.recv(1 << 20)
    door(serve, [{'to': 'app'}])
    (tmp_path / 'body').write_bytes(b'u' * size)
    ended = clients.curl(port, '--http2', '-s', '-w', ' %{http_code}', '--data-binary', f'@{tmp_path}/body',
                         roots=pki.servers.root.cert, leaf=pki.alice, path='/up')
    assert (ended.returncode, ended.stdout) == (0, 'much 413'), ended.stderr


def upload(client, number, size):
    """Sends as much of a body as the windows let it, until the stream is over."""
    stream, sent, window = client.streams[number], 0, 65535
    while not stream.reset and sent < size:
        while window <= 0 and not stream.reset:
            kind, _, of, payload = client.read_frame()
            if kind == h2raw.WINDOW_UPDATE and of == number:
                window += struct.unpack('!I', payload)[0]
            elif kind == h2raw.RST_STREAM:
                stream.reset = h2raw.CODES[struct.unpack('!I', payload)[0]]
            elif kind == h2raw.HEADERS:
                client._headers(stream, h2raw.END_HEADERS, payload)
            elif kind == h2raw.DATA:
                stream.body += payload
        piece = min(window, 16384, size - sent)
        if piece > 0:
            client.send(h2raw.frame(h2raw.DATA, 0, number, b'u' * piece))
            sent, window = sent + piece, window - piece
    return sent


def test_who_never_stops_is_stopped(door, pki, port):
    """...within a bound, with the code that says that nothing is wrong, and the connection lives."""
    door()
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as client:
        number = client.begin(ASK)
        sent = upload(client, number, 10 << 20)
        stream = client.streams[number]
        assert (stream.status, stream.reset) == (403, 'NO_ERROR')
        assert b'not-allowed' in stream.body and sent < 1 << 20
        assert client.ping()
        following = client.wait(client.request([*ASK[1:3], (':method', 'GET'), (':path', '/next')]))
        assert following.status == 200


def test_who_says_nothing_more_is_stopped_after_the_body_timeout(door, pki, port):
    door(listener={'http': {'body-timeout': '100ms'}})
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as client:
        number = client.begin(ASK)
        stream = client.wait(number)
        while not stream.reset and client.step():
            pass
        assert (stream.status, stream.ended, stream.reset) == (403, True, 'NO_ERROR')


def test_who_ends_in_time_is_not_reset(door, pki, port):
    door()
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as client:
        number = client.begin(ASK)
        stream = client.wait(number)
        client.send(h2raw.frame(h2raw.DATA, h2raw.END_STREAM, number, b'u' * 16_000))
        assert client.ping()
        assert (stream.status, stream.ended, stream.reset) == (403, True, None)


def early(body):
    """A server of HTTP/2 without TLS that answers the first request before its end."""
    def serve(connection, _):
        file = connection.makefile('rb')
        file.read(len(h2raw.PREFACE))
        connection.sendall(h2raw.settings())
        while (head := file.read(9)):
            size, kind, flags = int.from_bytes(head[:3], 'big'), head[3], head[4]
            file.read(size)
            if kind == h2raw.SETTINGS and not flags & h2raw.ACK:
                connection.sendall(h2raw.frame(h2raw.SETTINGS, h2raw.ACK))
            elif kind == h2raw.HEADERS:
                pieces = [body[at:at + 16384] for at in range(0, len(body), 16384)]
                connection.sendall(h2raw.frame(h2raw.HEADERS, h2raw.END_HEADERS, 1, b'\x88') + b''.join(
                    h2raw.frame(h2raw.DATA, h2raw.END_STREAM * (piece is pieces[-1]), 1, piece)
                    for piece in pieces))
    return serve


def test_an_answer_that_waits_for_its_reader_outlives_the_upload(door, pki, port):
    """The request ends after the answer has come whole, while the client's window is shut."""
    body = b'0123456789' * 10_000  # more than a stream holds
    daemon = door(early(body), [{'to': 'app'}], upstream={'protocol': 'h2c'})
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as client:
        client.send(h2raw.settings(initial_window_size=0))
        number = client.begin(ASK)
        stream = client.streams[number]
        while stream.status is None:
            assert client.step()
        client.send(h2raw.frame(h2raw.DATA, h2raw.END_STREAM, number, b'u'))
        assert client.ping()
        client.send(h2raw.frame(h2raw.WINDOW_UPDATE, 0, number, struct.pack('!I', 1 << 20)) +
                    h2raw.frame(h2raw.WINDOW_UPDATE, 0, 0, struct.pack('!I', 1 << 20)))
        client.wait(number)
        assert stream.ended and stream.body == body
    assert daemon.log.wait(event='request')['status'] == 200

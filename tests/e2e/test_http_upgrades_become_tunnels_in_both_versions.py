# SPDX-License-Identifier: Apache-2.0
"""An upgrade (WebSocket and the like): asked for in HTTP/1.1 or HTTP/2, granted by HTTP/1.1."""

import base64
import hashlib

import pytest

from harness import clients, configs, h2raw, recorder

pytestmark = pytest.mark.engines

ASK = (b'GET /chat HTTP/1.1\r\nHost: server.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
       b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')


def grants(connection, record):
    """Switches, greets, then echoes until the client's end, and says goodbye."""
    request = recorder.read_request(recorder._Reader(connection))
    record.request = request
    if request.target == '/no':
        connection.sendall(recorder.ANSWER)
        return
    key = request.fields['sec-websocket-key'].encode()
    proof = base64.b64encode(hashlib.sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest())
    connection.sendall(b'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
                       b'Upgrade: websocket\r\nSec-WebSocket-Accept: ' + proof + b'\r\n\r\nwelcome')
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.sendall(b'bye')


@pytest.fixture
def behind(backend):
    return backend(grants)


@pytest.fixture
def door(handfast, pki, behind, port):
    handfast(configs.http_side(pki, port, behind))
    return port


def read_until(connection, wanted):
    data = b''
    while not data.endswith(wanted):
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    return data


def test_over_http1(pki, door, behind):
    with clients.connect(door, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        connection.sendall(ASK + b'early')  # some clients don't wait
        head = read_until(connection, b'early')
        assert head.startswith(b'HTTP/1.1 101 ') and b'welcomeearly' in head
        assert b'\r\nupgrade: websocket\r\n' in head.lower()
        for size in (1, 70000):
            connection.sendall(b'x' * size)
            assert clients.read_exactly(connection, size) == b'x' * size
    request = behind.wait()[0].request
    assert request.fields['upgrade'] == 'websocket' and request.fields['connection'].lower() == 'upgrade'


def test_over_http2(pki, door, behind):
    with h2raw.Connection(door, pki.servers.root.cert, pki.alice) as connection:
        number = connection.begin([
            (':method', 'CONNECT'), (':protocol', 'websocket'), (':scheme', 'https'),
            (':authority', 'server.example'), (':path', '/chat'), ('sec-websocket-version', '13')])
        stream = connection.streams[number]
        while stream.body != b'welcome':
            assert connection.step()
        assert stream.status == 200 and 'upgrade' not in stream.fields
        connection.send(h2raw.frame(h2raw.DATA, 0, number, b'hello'))
        while stream.body != b'welcomehello':
            assert connection.step()
        connection.send(h2raw.frame(h2raw.DATA, h2raw.END_STREAM, number, b''))
        assert connection.wait(number).body == b'welcomehellobye' and stream.ended
        assert not stream.reset
    request = behind.wait()[0].request
    assert (request.method, request.target) == ('GET', '/chat')
    assert request.fields['upgrade'] == 'websocket' and request.fields['connection'].lower() == 'upgrade'


def test_what_is_not_granted_is_an_answer(pki, door):
    with clients.connect(door, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        reader = clients.HttpReader(connection)
        for _ in range(2):
            connection.sendall(ASK.replace(b'/chat', b'/no'))
            assert reader.answer().body == b'ok'

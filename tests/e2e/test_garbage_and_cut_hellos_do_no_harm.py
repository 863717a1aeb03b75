# SPDX-License-Identifier: Apache-2.0
"""What is not TLS, or stops being TLS half-way: one clear log line each, and an unharmed daemon."""

import os
import random
import socket
import ssl
import struct

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines


@pytest.fixture
def daemon(handfast, pki, echo, port):
    running = handfast(configs.server_side(pki, port, echo))
    yield running
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
    assert running.alive()


def hello(sni='server.example', versions=None):
    """A ClientHello as OpenSSL makes it."""
    context = clients.context(None, versions=versions)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=sni)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def record(kind, body, version=b'\x03\x01'):
    return bytes([kind]) + version + struct.pack('!H', len(body)) + body


def send(port, data, end=True):
    """Sends, ends, and reads what the server has to say."""
    with clients.plain(port, data) as connection:
        if end:
            connection.shutdown(socket.SHUT_WR)
        try:
            return clients.read_to_end(connection)
        except ConnectionError:
            return None


GARBAGE = {
    'text': (b'hello, is this the bank?\r\n' * 10, 'not-tls'),
    'HTTP': (b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n', 'plain-http'),
    'HTTP post': (b'POST /x HTTP/1.1\r\nHost: server.example\r\n\r\n', 'plain-http'),
    'zeros': (b'\0' * 4096, 'not-tls'),
    'SSH': (b'SSH-2.0-OpenSSH_9.2\r\n', 'not-tls'),
    'SSLv2 hello': (b'\x80\x2e\x01\x00\x02' + b'\0' * 43, None),
    'record of length 0': (record(22, b''), None),
    'oversized record': (b'\x16\x03\x01\xff\xff' + b'\x01' * 70000, 'protocol'),
    'oversized handshake message':
        (b''.join(record(22, part) for part in [b'\x01\xff\xff\xff' + b'\0' * 16000] + [b'\0' * 16000] * 8),
         None),
    'application data first': (record(23, b'x' * 100), 'protocol'),
    'alert first': (record(21, b'\x02\x28'), None),
    'change_cipher_spec first': (record(20, b'\x01'), None),
    'unknown record type': (record(99, b'x' * 100), None),
    'server hello from a client': (record(22, b'\x02\x00\x00\x26' + b'\x03' * 38), None),
    'hello of random bytes': (record(22, b'\x01\x00\x01\x00' + bytes(range(256))), None),
}


@pytest.mark.quick
@pytest.mark.parametrize('what', GARBAGE)
def test_garbage(daemon, port, echo, what):
    data, reason = GARBAGE[what]
    send(port, data)
    line = daemon.log.wait(event='handshake', result='refused')
    assert line['detail']
    if reason:
        assert line['reason'] == reason, line
    assert not echo.records


def test_random_bytes(daemon, port):
    chance = random.Random(1)
    for _ in range(100):
        send(port, chance.randbytes(chance.randrange(1, 3000)))
    daemon.log.wait(count=100, event='handshake', result='refused')


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_hello_cut_at_every_byte(daemon, port, echo, version):
    whole = hello(versions=(version,))
    for size in range(len(whole)):
        send(port, whole[:size])
    lines = daemon.log.wait(count=len(whole) - 1, event='handshake', result='refused')
    assert {line['reason'] for line in lines} <= {'peer-closed', 'protocol'}
    assert not echo.records


def test_hello_with_every_byte_flipped(daemon, port, echo):
    """Whatever comes of it - most flips are refused, some only change a random value - nothing
    reaches the backend without a certificate."""
    whole = hello(versions=('1.3',))
    for at in range(0, len(whole)):
        send(port, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1:])
    daemon.log.wait(count=len(whole), event='handshake', result='refused')
    assert not echo.records


def test_hello_in_pieces_of_one_byte_is_fine(daemon, pki, port):
    context = clients.context(pki.servers.root.cert, pki.alice)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname='server.example')
    with clients.plain(port) as connection:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    connection.send(bytes([byte]))
                incoming.write(connection.recv(7))
        tls.write(b'x')
        connection.sendall(outgoing.read())
    daemon.log.wait(event='handshake', result='accepted')


def test_hello_in_many_records(daemon, port):
    """A ClientHello may be spread over records (RFC 8446 5.1); it's answered all the same."""
    body = hello(versions=('1.3',))[5:]
    answer = None
    with clients.plain(port, b''.join(record(22, body[at:at + 20])
                                      for at in range(0, len(body), 20))) as connection:
        answer = connection.recv(100)
    assert answer[0] == 22, 'a ServerHello'


def test_nothing_but_a_connection(daemon, port):
    for _ in range(50):
        clients.plain(port).close()
    lines = daemon.log.wait(count=50, event='connection')
    assert all(line['bytes_out'] == 0 for line in lines)


def test_garbage_after_the_handshake(daemon, pki, port, echo):
    """Bytes that are no record of this connection end it, and only it."""
    context = clients.context(pki.servers.root.cert, pki.alice)
    connection = clients.plain(port)
    with context.wrap_socket(connection, server_hostname='server.example') as client:
        clients.exchange(client)
        os.write(client.fileno(), record(23, os.urandom(200), b'\x03\x03'))
        try:
            client.recv(10)
        except (ssl.SSLError, ConnectionError):
            pass
    assert daemon.log.wait(event='connection')['cause'] == 'client-tls-error'


def test_connection_cut_without_close_notify_is_said(daemon, pki, port):
    """A truncation attack looks like this, so it's not called a finished connection."""
    context = clients.context(pki.servers.root.cert, pki.alice)
    connection = clients.plain(port)
    client = context.wrap_socket(connection, server_hostname='server.example')
    clients.exchange(client)
    os.close(client.detach())
    assert daemon.log.wait(event='connection')['cause'] in ('client-truncated', 'client-reset')

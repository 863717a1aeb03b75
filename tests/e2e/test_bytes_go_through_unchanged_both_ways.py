# SPDX-License-Identifier: Apache-2.0
"""The relay: large transfers, half-close in each direction, tiny pieces, unix sockets."""

import contextlib
import hashlib
import os
import select
import socket
import ssl

import pytest

from harness import backends, clients, configs, waiting

pytestmark = pytest.mark.engines

LARGE = 8 << 20


def send_and_read(client, data):
    """Sends data and reads as much, in one thread: two must not use one SSL object at a time."""
    sent, got = 0, bytearray()
    client.setblocking(False)
    while len(got) < len(data):
        readable, writable, _ = select.select([client], [client] if sent < len(data) else [], [], 20)
        assert readable or writable, f'stalled after {sent} bytes out and {len(got)} in'
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if sent < len(data):
                sent += client.send(data[sent:sent + 65536])
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while more := client.recv(65536):
                got += more
    client.setblocking(True)
    return bytes(got)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_large_both_ways(handfast, pki, echo, port, version):
    daemon = handfast(configs.server_side(pki, port, echo))
    data = os.urandom(LARGE)
    with clients.connect(port, pki.servers.root.cert, pki.alice, versions=(version,)) as client:
        assert send_and_read(client, data) == data
    end = daemon.log.wait(event='connection')
    assert end['bytes_in'] == end['bytes_out'] == LARGE


@pytest.mark.quick
def test_one_byte_at_a_time(handfast, pki, echo, port):
    handfast(configs.server_side(pki, port, echo))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        for byte in range(64):
            client.sendall(bytes([byte]))
            assert client.recv(1) == bytes([byte])


def test_client_ends_first_and_still_gets_the_answer(handfast, pki, backend, port):
    """close_notify from the client becomes FIN for the backend, which then answers at length."""
    def digest(connection, record):
        backends.sink(connection, record)
        answer = hashlib.sha256(record.received).hexdigest().encode() * 10000
        connection.sendall(answer)

    handfast(configs.server_side(pki, port, backend(digest)))
    data = os.urandom(1 << 20)
    context = clients.context(pki.servers.root.cert, pki.alice)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname='server.example')
    with clients.plain(port) as connection:
        half = HalfClosing(tls, incoming, outgoing, connection)
        half.drive(tls.do_handshake)
        half.drive(lambda: tls.write(data))
        half.end()
        assert half.read_to_end() == hashlib.sha256(data).hexdigest().encode() * 10000


class HalfClosing:
    """Python's SSLSocket can't send close_notify and go on reading; its memory form can."""

    def __init__(self, tls, incoming, outgoing, connection):
        self.tls, self.incoming, self.outgoing = tls, incoming, outgoing
        self.connection = connection

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.connection.sendall(data)

    def fill(self):
        data = self.connection.recv(65536)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def drive(self, step):
        while True:
            try:
                done = step()
                self.flush()
                return done
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()

    def end(self):
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()
        self.connection.shutdown(socket.SHUT_WR)

    def read_to_end(self):
        data = bytearray()
        while True:
            try:
                more = self.drive(lambda: self.tls.read(65536))
            except ssl.SSLZeroReturnError:
                return bytes(data)
            if not more:
                return bytes(data)
            data += more


def test_backend_ends_first_and_still_gets_the_rest(handfast, pki, backend, port):
    """FIN from the backend becomes close_notify for the client, which goes on sending."""
    def greet_and_listen(connection, record):
        connection.sendall(b'that was all from me')
        connection.shutdown(socket.SHUT_WR)
        backends.sink(connection, record)

    server = backend(greet_and_listen)
    daemon = handfast(configs.server_side(pki, port, server))
    data = os.urandom(1 << 20)
    context = clients.context(pki.servers.root.cert, pki.alice)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname='server.example')
    with clients.plain(port) as connection:
        half = HalfClosing(tls, incoming, outgoing, connection)
        half.drive(tls.do_handshake)
        assert half.read_to_end() == b'that was all from me'
        half.drive(lambda: tls.write(data))
        half.end()
        record = server.wait()[0]
        assert record.ended.wait(waiting.SECONDS)
    assert bytes(record.received) == data
    assert daemon.log.wait(event='connection')['bytes_in'] == len(data)


def test_unix_sockets_on_both_sides(handfast, pki, backend, tmp_path):
    server = backend(path=tmp_path / 'backend.sock')
    config = configs.server_side(pki, 0, server)
    config['listeners']['in']['listen'] = [f'unix:{tmp_path}/front.sock']
    daemon = handfast(config)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f'{tmp_path}/front.sock')
        context = clients.context(pki.servers.root.cert, pki.alice)
        with context.wrap_socket(connection, server_hostname='server.example') as client:
            assert clients.exchange(client) == b'hello over there'
    assert daemon.log.wait(event='connection')['upstream'] == server.address


def test_a_name_is_looked_up(handfast, pki, echo, port):
    name = echo.address.replace('127.0.0.1', 'localhost')
    daemon = handfast(configs.server_side(pki, port, name))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
    assert daemon.log.wait(event='connection')['cause']

# SPDX-License-Identifier: Apache-2.0
"""WebSocket by other people's clients and servers: HTTP/1.1 and HTTP/2 (RFC 8441) on either side."""

import asyncio
import shutil
import socket
import subprocess
import threading

import pytest
import websockets

from harness import clients, configs, node, recorder, waiting

needs_node = pytest.mark.skipif(not shutil.which('node'), reason='node is not installed: script/setup')


class Server:
    """The websockets package's, in a thread of its own: echoes, and remembers how each ended."""

    def __init__(self, port):
        self.ended, self.paths = [], []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._port = port
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(waiting.SECONDS)

    async def _echo(self, connection):
        self.paths.append(connection.path)
        try:
            async for message in connection:
                await connection.send(message)
        finally:
            self.ended.append(connection.close_code)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            websockets.serve(self._echo, '127.0.0.1', self._port, max_size=None, ping_interval=None))
        self._started.set()
        self._loop.run_forever()
        self._server.close()
        self._loop.run_until_complete(self._server.wait_closed())
        self._loop.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture
def chat(ports):
    server = Server(ports.take())
    server.address = f'127.0.0.1:{server._port}'
    yield server
    server.close()


@pytest.fixture
def node_server(ports):
    """Node's HTTP/2 server, which grants extended CONNECT."""
    port = ports.take()
    process = subprocess.Popen(node.command('websocket_h2.js', 'server', port))

    def listens():
        try:
            socket.create_connection(('127.0.0.1', port)).close()
        except ConnectionError:
            return False
        return True
    waiting.until(listens)
    yield f'127.0.0.1:{port}'
    process.kill()
    process.wait()


def talk(pki, port, sizes):
    """What comes back of text and bytes of these sizes, by the websockets package's client."""
    async def run():
        tls = clients.context(pki.servers.root.cert, pki.alice)
        async with websockets.connect(f'wss://127.0.0.1:{port}/chat', ssl=tls, server_hostname='server.example',
                                      max_size=None, ping_interval=None) as connection:
            for size in sizes:
                for message in ('ä' * size, b'\0' * size):
                    await connection.send(message)
                    assert await connection.recv() == message
            await (await connection.ping())
            await connection.close(code=1001, reason='done')
            return connection.close_code
    return asyncio.run(asyncio.wait_for(run(), waiting.SECONDS))


@pytest.mark.engines
def test_over_http1_to_http1(handfast, pki, chat, port):
    daemon = handfast(configs.http_side(pki, port, chat))
    assert talk(pki, port, [0, 1, 125, 126, 65535, 65536, 1_000_000]) == 1001
    waiting.until(lambda: chat.ended)
    assert (chat.paths, chat.ended) == (['/chat'], [1001])
    assert daemon.log.wait(event='request')['status'] == 101


@needs_node
@pytest.mark.engines
def test_over_http2_to_http1(handfast, pki, chat, port):
    """Node's client has no key to send, and the server asks for one."""
    handfast(configs.http_side(pki, port, chat))
    shown = subprocess.run(node.command('websocket_h2.js', 'client', port, pki.servers.root.cert,
                                        pki.alice.chain, pki.alice.key),
                           capture_output=True, text=True, timeout=waiting.SECONDS, check=False)
    assert shown.stdout.splitlines() == ['true 200 ', 'text hello', 'close 1000', 'over 0'], shown
    waiting.until(lambda: chat.ended)
    assert (chat.paths, chat.ended) == (['/chat'], [1000])


@needs_node
def test_over_http1_to_http2(handfast, pki, node_server, port):
    """The client wants its key answered, and the server has seen none."""
    handfast(configs.http_side(pki, port, node_server, upstream={'protocol': 'h2c'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        connection.sendall(b'GET /chat HTTP/1.1\r\nHost: server.example\r\nConnection: Upgrade\r\n'
                           b'Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
                           b'Sec-WebSocket-Version: 13\r\n\r\n')
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            head += connection.recv(1)
        assert head.startswith(b'HTTP/1.1 101 ')
        assert b'\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n' in head  # RFC 6455 1.3
        for size in (1, 100_000):
            assert clients.exchange(connection, b'x' * size) == b'x' * size


@needs_node
def test_over_http2_to_http2(handfast, pki, node_server, port):
    handfast(configs.http_side(pki, port, node_server, upstream={'protocol': 'h2c'}))
    shown = subprocess.run(node.command('websocket_h2.js', 'client', port, pki.servers.root.cert,
                                        pki.alice.chain, pki.alice.key),
                           capture_output=True, text=True, timeout=waiting.SECONDS, check=False)
    assert shown.stdout.splitlines() == ['true 200 ', 'text hello', 'close 1000', 'over 0'], shown


@needs_node
def test_a_server_that_does_not_offer_it(handfast, pki, ports, node_server, port):
    """Its SETTINGS say nothing of extended CONNECT, so nothing is sent to it."""
    number = ports.take()
    plain = subprocess.Popen(['node', '-e', "require('http2').createServer((q, s) => s.end('x'))"
                              f".listen({number}, '127.0.0.1', () => console.log('up'))"], stdout=subprocess.PIPE)
    try:
        plain.stdout.readline()
        daemon = handfast(configs.http_side(pki, port, f'127.0.0.1:{number}', upstream={'protocol': 'h2c'}))
        shown = subprocess.run(node.command('websocket_h2.js', 'client', port, pki.servers.root.cert,
                                            pki.alice.chain, pki.alice.key),
                               capture_output=True, text=True, timeout=waiting.SECONDS, check=False)
        assert shown.stdout.startswith('true 502 '), shown
        assert daemon.log.wait(event='request')['cause'] == 'upstream-protocol'
    finally:
        plain.kill()
        plain.wait()


@needs_node
def test_a_server_that_did_not_read_the_key_is_not_believed(handfast, pki, backend, port):
    def serve(connection, _):
        request = recorder.read_request(recorder._Reader(connection))
        assert len(request.fields['sec-websocket-key']) == 24
        connection.sendall(b'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
                           b'Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n')
        connection.recv(1)
    daemon = handfast(configs.http_side(pki, port, backend(serve)))
    shown = subprocess.run(node.command('websocket_h2.js', 'client', port, pki.servers.root.cert,
                                        pki.alice.chain, pki.alice.key),
                           capture_output=True, text=True, timeout=waiting.SECONDS, check=False)
    assert shown.stdout.startswith('true 502 '), shown
    assert daemon.log.wait(event='request')['cause'] == 'upstream-protocol'

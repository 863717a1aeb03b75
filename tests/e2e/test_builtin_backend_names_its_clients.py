# SPDX-License-Identifier: Apache-2.0
"""`handfast backend`: whom it names, behind the proxy, with TLS of its own, and on its own."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess

import pytest

from harness import clients, configs, daemon as daemons, waiting

PATTERN = b'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+\n'


class Running:
    """A backend on a free port, ready when made."""

    def __init__(self, folder, *words):
        folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [daemons.BINARY, 'backend', '--listen', '127.0.0.1:0', *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **daemons.sanitizer_env(folder)})
        line = self.process.stdout.readline()
        found = re.fullmatch(r'listening on (https?)://127\.0\.0\.1:(\d+)/\n', line)
        assert found, (line, self.process.stderr.read())
        self.scheme, self.port = found.group(1), int(found.group(2))
        self.address = f'127.0.0.1:{self.port}'
        self.words = ''

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.words += self.process.communicate(timeout=waiting.SECONDS)[1]
        return self.process.returncode


@pytest.fixture
def serve(tmp_path):
    running = []

    def start(*words):
        running.append(Running(tmp_path / f'backend{len(running)}', *words))
        return running[-1]

    yield start
    for one in running:
        assert one.stop() == 0, one.words


def ask(port, path='/', method='GET', context=None, name='127.0.0.1', **more):
    """(status, body) over a connection of its own; context: with TLS."""
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind('127.0.0.1', port, timeout=waiting.SECONDS)
    if context:
        connection.sock = context.wrap_socket(clients.plain(port), server_hostname=name)
    connection.request(method, path, **more)
    answer = connection.getresponse()
    return answer.status, answer.read()


def context_of(pki, leaf, **more):
    return clients.context(pki.servers.root.cert, leaf, **more)


JSON = {'headers': {'Accept': 'application/json'}}


@pytest.mark.quick
@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_client_is_named_behind_the_proxy(handfast, serve, pki, port, version):
    backend = serve('--proxy-protocol')
    handfast(configs.server_side(pki, port, backend, upstream={'proxy-protocol': 'v2-tls'}))
    context = context_of(pki, pki.alice, versions=(version,))
    status, text = ask(port, context=context, name='server.example')
    assert status == 200
    assert re.match(rf'hello alice \(.*CN=alice.*, serial [0-9a-f]+, TLSv{version}, TLS_',
                    text.decode())
    seen = json.loads(ask(port, '/some/path', context=context, name='server.example', **JSON)[1])
    assert seen['name'] == 'alice'
    assert seen['known_by'] == 'proxy-protocol'
    assert seen['verified'] is True
    assert seen['spiffe'] == 'spiffe://example.org/alice'
    assert seen['path'] == '/some/path'
    assert seen['client'].startswith('127.0.0.1:')
    assert seen['client'] != seen['peer']
    assert int(seen['serial'], 16) == int(pki.alice.field('-serial'), 16)


def test_stranger_is_a_stranger(handfast, serve, pki, port):
    backend = serve('--proxy-protocol')
    handfast(configs.server_side(pki, port, backend, upstream={'proxy-protocol': 'v2-tls'},
                                 listener={'client': 'request'}))
    text = ask(port, context=context_of(pki, None), name='server.example')[1].decode()
    assert text.startswith('hello stranger (no client certificate, TLSv1.3')


def test_proxys_own_certificate_is_seen(handfast, serve, pki, port):
    """The proxy in client mode, with a certificate of its own toward a TLS backend."""
    backend = serve('--cert', pki.server.chain, '--key', pki.server.key, '--roots',
                    pki.clients.root.cert)
    assert backend.scheme == 'https'
    handfast(configs.client_side(pki, port, backend, pki.bob, tls={'name': 'server.example'}))
    assert re.match(r'hello bob \(.*CN=bob.*TLSv1.3', ask(port)[1].decode())
    seen = json.loads(ask(port, **JSON)[1])
    assert (seen['name'], seen['known_by'], seen['verified']) == ('bob', 'tls', True)


def test_tls_backend_refuses_who_has_no_certificate(serve, pki):
    backend = serve('--cert', pki.server.chain, '--key', pki.server.key, '--roots',
                    pki.clients.root.cert)
    assert clients.refusal(backend.port, pki.servers.root.cert) == 'certificate required'
    assert clients.refusal(backend.port, pki.servers.root.cert, pki.stranger) == 'unknown ca'
    backend.stop()
    assert backend.words.count('TLS refused') == 2


def test_long_bodies_arrive_whole(serve, pki):
    plain = serve()
    tls = serve('--cert', pki.server.chain, '--key', pki.server.key)
    secure = {'context': context_of(pki, None), 'name': 'server.example'}
    for size in (0, 1, 63, 64, 65, 100_000, 5_000_001):
        wanted = (PATTERN * (size // len(PATTERN) + 1))[:size]
        assert ask(plain.port, f'/bytes/{size}') == (200, wanted)
        assert ask(tls.port, f'/bytes/{size}', **secure) == (200, wanted)
    body = os.urandom(1 << 20)
    assert ask(plain.port, '/echo', 'POST', body=body) == (200, body)
    assert ask(tls.port, '/echo', 'POST', body=body, **secure) == (200, body)
    assert ask(plain.port, '/echo', 'POST', body=body + b'x')[0] == 413


def test_bad_requests_are_refused(serve):
    port = serve().port
    assert ask(port, '/bytes/many')[0] == 400
    assert ask(port, '/slow?ms=60001')[0] == 400
    assert ask(port, '/', 'DELETE')[0] == 405
    assert ask(port, '/slow?ms=10') == (200, b'that took 10 ms\n')


def test_header_is_required_where_it_is_expected(serve):
    backend = serve('--proxy-protocol')
    with clients.plain(backend.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n') as connection:
        assert connection.recv(100) == b''
    asked = (b'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'
             b'GET / HTTP/1.0\r\nAccept: application/json\r\n\r\n')
    with clients.plain(backend.port, asked) as connection:
        answer = b''
        while more := connection.recv(65536):
            answer += more
    assert json.loads(answer.partition(b'\r\n\r\n')[2])['client'] == '192.0.2.1:1'


def test_names_are_printed_safely(serve):
    """A header that claims a name full of escapes."""
    backend = serve('--proxy-protocol')
    name = b'\x1b[31mroot\r\nX: y'
    sub = bytes([0x22]) + len(name).to_bytes(2, 'big') + name
    tls = bytes([3]) + (1).to_bytes(4, 'big') + sub
    tlv = bytes([0x20]) + len(tls).to_bytes(2, 'big') + tls
    rest = socket.inet_aton('192.0.2.1') + socket.inet_aton('192.0.2.2') + bytes(4) + tlv
    header = b'\r\n\r\n\0\r\nQUIT\n\x21\x11' + len(rest).to_bytes(2, 'big') + rest
    with clients.plain(backend.port, header + b'GET / HTTP/1.0\r\n\r\n') as connection:
        answer = b''
        while more := connection.recv(65536):
            answer += more
    body = answer.partition(b'\r\n\r\n')[2].decode()
    assert body == 'hello \\x1b[31mroot\\x0d\\x0aX: y (by name only, not verified)\n'


@pytest.mark.parametrize('words, said', [
    (['--key', 'x'], 'give --cert too'),
    (['--cert', '/nowhere.pem'], '--cert'),
])
def test_wrong_flags_are_refused(words, said):
    ended = daemons.run('backend', '--listen', '127.0.0.1:0', *words)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr


def test_wrong_address_is_refused():
    ended = daemons.run('backend', '--listen', 'nonsense')
    assert ended.returncode == 2
    assert 'nonsense' in ended.stderr

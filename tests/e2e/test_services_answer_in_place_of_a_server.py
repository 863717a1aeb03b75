# SPDX-License-Identifier: Apache-2.0
"""Routes may lead to a service of this process: asked whole, answered from any thread, whatever the
client, the listener and the configuration do meanwhile. The service is that of tools/services.c."""

import hashlib
import pathlib
import socket

import pytest

from harness import clients, configs, daemon, h2raw, waiting

TOOL = pathlib.Path(daemon.BUILD) / 'tests/e2e/tools/services'
PERIOD = bytes(range(251))
HOST = ('Host', 'server.example')


@pytest.fixture
def served(handfast, pki, port, echo, tmp_path):
    """Starts the daemon of the tool: the service is beneath /svc, and the rest is an upstream's."""
    def start(listener=None, plain=False, **more):
        routes = [{'match': {'path': '/svc/'}, 'service': 'main/public'}]
        hasty = [] if plain else [{'match': {'path': '/hasty/'}, 'service': 'main/feed'}]
        made = configs.http_side(pki, port, echo, routes=routes + hasty, listener=listener,
                                 ca={'main': {'store': str(tmp_path)}}, **more)
        if plain:
            made['listeners']['in'] = {'listen': [f'127.0.0.1:{port}'], 'plain': True,
                                       'mode': 'http', 'routes': routes}
        return handfast(made, wrap=[str(TOOL)])
    return start


def connect(port, pki):
    return clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1'])


def request(target, method='GET', body=b'', fields=()):
    lines = [f'{method} {target} HTTP/1.1', 'Host: server.example', *fields]
    if body or method == 'POST':
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def ask(connection, *args, **more):
    connection.sendall(request(*args, **more))
    return clients.HttpReader(connection).answer(more.get('method', 'GET'))


def shown(answer):
    head, _, body = answer.body.partition(b'\n\n')
    return dict(line.split(': ', 1) for line in head.decode().splitlines()), body


@pytest.mark.parametrize('path', ['/echo', '/later'])
def test_it_is_shown_the_request_and_who_asks(served, pki, port, path):
    served()
    with connect(port, pki) as connection:
        answer = ask(connection, f'/svc{path}?a=%20b', method='POST', body=b'the body',
                     fields=['X-Test: one', 'x-test: two'])
        told, body = shown(answer)
        assert answer.status == 200 and answer.fields['x-answered'] == 'yes' and body == b'the body'
        assert told == {'method': 'POST', 'host': 'server.example', 'path': path,
                        'full-path': f'/svc{path}', 'raw-path': f'/svc{path}', 'query': 'a=%20b',
                        'x-test': 'two', 'listener': 'in', 'plain': '0', 'client': '127.0.0.1',
                        'verified': '1', 'peer': 'spiffe://example.org/alice', 'chain': told['chain']}
        assert int(told['chain']) >= 1
        assert shown(ask(connection, '/svc/echo'))[0]['method'] == 'GET'  # the connection goes on


def test_http2_is_served_alike(served, pki, port):
    served()
    with h2raw.Connection(port, pki.servers.root.cert, pki.alice) as connection:
        def fields(path, method='GET'):
            return [(':method', method), (':scheme', 'https'), (':authority', 'server.example'),
                    (':path', path)]
        later = connection.request(fields('/svc/later', 'POST'), body=b'abc')
        large = connection.request(fields('/svc/big/3000000'))
        stream = connection.wait(later)
        assert stream.status == 200 and bytes(stream.body).endswith(b'\n\nabc')
        stream = connection.wait(large)
        assert stream.status == 200 and len(stream.body) == 3000000
        assert hashlib.sha256(stream.body).digest() == hashlib.sha256(
            (PERIOD * (3000000 // 251 + 1))[:3000000]).digest()


def test_head_tells_the_length_and_gives_no_body(served, pki, port):
    served()
    with connect(port, pki) as connection:
        answer = ask(connection, '/svc/big/12345', method='HEAD')
        assert answer.status == 200 and answer.fields['content-length'] == '12345'
        assert ask(connection, '/svc/echo').status == 200


def test_bodies_are_bounded(served, pki, port):
    served()
    with connect(port, pki) as connection:
        assert ask(connection, '/svc/echo', method='POST', body=bytes(1000)).status == 200
        assert ask(connection, '/svc/echo', method='POST', body=bytes(1001)).status == 413
    with connect(port, pki) as connection:
        connection.sendall(b'POST /svc/echo HTTP/1.1\r\nHost: server.example\r\n'
                           b'Transfer-Encoding: chunked\r\n\r\n' + 3 * (b'190\r\n' + bytes(400) + b'\r\n'))
        assert clients.HttpReader(connection).answer().status == 413


def test_who_expects_to_be_told_to_go_on_is_told(served, pki, port):
    served()
    with connect(port, pki) as connection:
        connection.sendall(b'POST /svc/echo HTTP/1.1\r\nHost: server.example\r\n'
                           b'Content-Length: 2\r\nExpect: 100-continue\r\n\r\n')
        assert clients.read_exactly(connection, 25) == b'HTTP/1.1 100 Continue\r\n\r\n'
        connection.sendall(b'ok')
        assert clients.HttpReader(connection).answer().body.endswith(b'\n\nok')


def test_slow_readers_get_all_and_cost_little(served, pki, port):
    size = 64 << 20
    served(workers=1)
    with connect(port, pki) as slow:
        slow.sendall(request(f'/svc/big/{size}'))
        with connect(port, pki) as quick:  # the worker isn't held up by who doesn't read
            assert ask(quick, '/svc/echo').status == 200
        answer = clients.HttpReader(slow).answer()
        assert len(answer.body) == size
        assert answer.body[:500] == (PERIOD * 2)[:500] and answer.body[-1] == (size - 1) % 251


def test_the_client_may_go_before_the_answer(served, pki, port):
    running = served()
    gone = connect(port, pki)
    gone.sendall(request('/svc/hold'))
    with connect(port, pki) as stays:
        stays.sendall(request('/svc/hold'))
        with connect(port, pki) as other:
            while ask(other, '/svc/echo').status != 200:
                pass
            gone.close()
            running.log.wait(event='request', target='/svc/hold')
            # Its session has ended, and its exchange with it; the call is still there.
            counted = ask(other, '/svc/release').body.split()
            assert counted[0] == b'2' and counted[2] == b'1'
        assert clients.HttpReader(stays).answer().body == b'released\n'


def test_an_answer_that_does_not_come_is_given_up(served, pki, port):
    served()
    with connect(port, pki) as connection:
        assert ask(connection, '/hasty/hold').status == 504
        assert ask(connection, '/hasty/release').body == b'1 held, 1 gone\n'


def test_a_reload_leaves_calls_under_way_alone(served, pki, port):
    running = served()
    with connect(port, pki) as connection, connect(port, pki) as other:
        connection.sendall(request('/svc/hold'))
        assert ask(other, '/svc/echo').status == 200
        running.reload()
        assert ask(other, '/svc/release').status == 200
        assert clients.HttpReader(connection).answer().body == b'released\n'
        assert ask(connection, '/svc/echo').status == 200


def test_a_drain_has_what_is_held_answered(served, pki, port):
    running = served(**{'drain-timeout': '60s'})
    with connect(port, pki) as connection:
        connection.sendall(request('/svc/hold'))
        with connect(port, pki) as other:
            assert ask(other, '/svc/echo').status == 200
        running.stop()
        assert clients.HttpReader(connection).answer().body == b'released\n'


def test_a_plain_listener_serves_the_public_part(served, port):
    served(plain=True)
    with socket.create_connection(('127.0.0.1', port), timeout=waiting.SECONDS) as connection:
        told, _ = shown(ask(connection, '/svc/echo'))
        assert told['plain'] == '1' and told['verified'] == '0' and told['peer'] == '-'
        assert told['chain'] == '0'

# SPDX-License-Identifier: Apache-2.0
"""Active checks: a server that doesn't answer as it should is taken out, and comes back."""

import collections
from concurrent import futures

import grpc
import pytest

from harness import backends, clients, configs, revocation, waiting

SOON = {'interval': '50ms', 'timeout': '1m', 'rise': 2, 'fall': 2}


def ask(port, pki):
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        client.sendall(b'?')  # who speaks first to a `Web` is known by what it says
        return clients.read_exactly(client, 2)


def servers(daemon):
    return daemon.admin('GET', '/upstreams?upstream=app')[1]['upstreams'][0]['servers']


def states(daemon):
    return [server['state'] for server in servers(daemon)]


class Web:
    """Greets like `backends.greeting` who speaks first, unless that is a check, which gets an answer."""

    def __init__(self, name):
        self.name, self.status, self.asked = name, 200, []

    def __call__(self, connection, record):
        first = connection.recv(65536)
        if first.startswith(b'GET '):
            self.asked.append(first)
            if self.status:
                connection.sendall(b'HTTP/1.1 %d Whatever\r\nContent-Length: 3\r\n\r\nok\n'
                                   % self.status)
            connection.recv(1)
            return
        connection.sendall(self.name.encode() + b'\n' + first)
        backends.echo(connection, record)


def checked(pki, port, addresses, check, **upstream):
    return configs.server_side(pki, port, addresses, upstream={
        'slow-start': 0, 'check': {**SOON, **check}, **upstream})


def test_http(handfast, pki, backend, port):
    webs = [Web(name) for name in 'ab']
    two = [backend(web) for web in webs]
    daemon = handfast(checked(pki, port, [one.address for one in two], {
        'type': 'http', 'path': '/healthz', 'host': 'app.example', 'expect': ['200-299', 401]}))
    waiting.until(lambda: all(web.asked for web in webs))
    assert webs[0].asked[0].split(b'\r\n')[:2] == [b'GET /healthz HTTP/1.1', b'Host: app.example']
    webs[1].status = 401
    webs[0].status = 503
    down = daemon.log.wait(event='server-down')
    assert (down['server'], down['detail']) == (two[0].address, 'GET /healthz answered 503')
    assert states(daemon) == ['down', 'up']
    assert servers(daemon)[0]['check']['why'] == 'GET /healthz answered 503'
    assert {ask(port, pki) for _ in range(4)} == {b'b\n'}
    webs[0].status = 200
    daemon.log.wait(event='server-up', server=two[0].address)
    assert collections.Counter(ask(port, pki) for _ in range(4)) == {b'a\n': 2, b'b\n': 2}


def test_the_first_check_decides_alone(handfast, pki, ports, backend, port):
    alive = backend(backends.greeting('a'))
    dead = f'127.0.0.1:{ports.take()}'
    daemon = handfast(checked(pki, port, [dead, alive.address], {
        'type': 'tcp', 'interval': '1h', 'fall': 1000}))
    down = daemon.log.wait(event='server-down')
    assert (down['server'], down['detail']) == (dead, 'connect: Connection refused')
    assert {ask(port, pki) for _ in range(4)} == {b'a\n'}


def test_all_down_is_said_and_ends_with_the_first_good_checks(handfast, pki, ports, backend, port):
    down = ports.take()
    daemon = handfast(checked(pki, port, f'127.0.0.1:{down}', {'type': 'tcp'}))
    daemon.log.wait(event='server-down')
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert daemon.log.wait(event='upstream')['detail'] == f'127.0.0.1:{down} is down by its checks'
    backend(backends.greeting('a'), port=down)
    daemon.log.wait(event='server-up')
    assert ask(port, pki) == b'a\n'


def test_a_server_that_answers_too_late(handfast, pki, backend, port):
    web = Web('a')
    web.status = 0  # takes the question and says nothing
    one = backend(web)
    daemon = handfast(checked(pki, port, one, {'type': 'http', 'timeout': '100ms'}))
    assert daemon.log.wait(event='server-down')['detail'] == 'the answer timed out'


def test_what_is_not_http(handfast, pki, backend, port):
    daemon = handfast(checked(pki, port, backend(backends.greeting('SSH-2.0-x\r')), {'type': 'http'}))
    assert daemon.log.wait(event='server-down')['detail'].startswith('the answer isn\'t HTTP/1.1: ')


def test_a_standing_survives_reloads(handfast, pki, ports, backend, port):
    alive = backend(backends.greeting('a'))
    dead = f'127.0.0.1:{ports.take()}'
    config = checked(pki, port, [dead, alive.address], {'type': 'tcp', 'interval': '1h'})
    daemon = handfast(config)
    daemon.log.wait(event='server-down')
    daemon.reload(config)
    assert states(daemon) == ['down', 'up']
    config['upstreams']['app'].pop('check')
    daemon.reload(config)  # nobody asks any more, so nobody could say that it is back
    assert states(daemon) == ['up', 'up']


def test_another_port(handfast, pki, backend, port):
    app, health = backend(backends.greeting('a')), backend(Web('h'))
    daemon = handfast(checked(pki, port, app, {
        'type': 'http', 'port': int(health.address.split(':')[1])}))
    waiting.until(lambda: servers(daemon)[0].get('check', {}).get('good'))
    assert not app.records
    health.close()
    daemon.log.wait(event='server-down')


def test_a_proxy_header_says_that_it_is_our_own(handfast, pki, backend, port):
    app = backend(Web('a'), proxy=True)
    handfast(checked(pki, port, app, {'type': 'http'}, **{'proxy-protocol': 'v2'}))
    record = app.wait()[0]
    waiting.until(lambda: record.proxy)
    assert record.proxy['command'] == 'LOCAL'


# --- TLS, as in real traffic ---


@pytest.mark.engines
def test_tls_shows_our_certificate_and_checks_theirs(handfast, pki, nginx, port):
    good = nginx(pki.server, pki.clients.root.cert)
    config = configs.client_side(pki, port, good, pki.alice, tls={'name': 'server.example'})
    config['upstreams']['app']['check'] = {**SOON, 'type': 'http', 'expect': 200}
    daemon = handfast(config)
    waiting.until(lambda: servers(daemon)[0].get('check', {}).get('good'))
    config['upstreams']['app']['tls']['name'] = 'other.example'
    daemon.reload(config)
    down = daemon.log.wait(event='server-down')
    assert 'other.example' in down['detail']
    config['upstreams']['app']['tls']['name'] = 'server.example'
    config['upstreams']['app']['tls'].pop('identity')
    config.pop('identities')
    config['upstreams']['app']['check']['type'] = 'http'
    daemon.reload(config)
    waiting.until(lambda: '400' in servers(daemon)[0]['check']['why'])  # nginx misses our certificate


@pytest.mark.engines
def test_a_revoked_server_is_taken_out_at_its_next_check(handfast, pki, nginx, port, tmp_path):
    leaf = pki.servers.server('upstream.example', san=['DNS:upstream.example'])
    lists = revocation.Lists(tmp_path / 'servers.crl', pki.servers)
    good = nginx(leaf, pki.clients.root.cert)
    config = configs.client_side(pki, port, good, pki.alice, tls={'name': 'upstream.example'})
    config['upstreams']['app']['check'] = {**SOON, 'type': 'tls'}
    config['trust']['backends']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config)
    waiting.until(lambda: servers(daemon)[0].get('check', {}).get('good'))
    lists.write([leaf])
    assert 'revoked' in daemon.log.wait(event='server-down')['detail']


@pytest.mark.engines
def test_tls_handshake_alone(handfast, pki, nginx, ports, backend, port):
    good = nginx(pki.server, pki.clients.root.cert)
    config = configs.client_side(pki, port, good, pki.alice, tls={'name': 'server.example'})
    config['upstreams']['app']['check'] = {**SOON, 'type': 'tls'}
    daemon = handfast(config)
    waiting.until(lambda: servers(daemon)[0].get('check', {}).get('good'))
    good.close()
    daemon.log.wait(event='server-down')


# --- gRPC ---


class Health:
    """grpc.health.v1, by Google's server, with its messages written by hand."""

    def __init__(self, port, credentials=None):
        self.answers, self.asked = {b'': 1}, []
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
            'grpc.health.v1.Health', {'Check': grpc.unary_unary_rpc_method_handler(self.check)})])
        self.address = f'127.0.0.1:{port}'
        if credentials:
            self.server.add_secure_port(self.address, credentials)
        else:
            self.server.add_insecure_port(self.address)
        self.server.start()

    def check(self, request, context):
        service = request[3 if len(request) > 129 else 2:]
        self.asked.append(service)
        if service not in self.answers:
            context.abort(grpc.StatusCode.NOT_FOUND, 'no such service')
        status = self.answers[service]
        return bytes([8, status]) if status else b''

    def close(self):
        self.server.stop(None)


@pytest.fixture
def health(ports):
    running = []

    def start(*more):
        running.append(Health(ports.take(), *more))
        return running[-1]
    yield start
    for one in running:
        one.close()


@pytest.mark.parametrize('service', ['', 'shop.v1.Orders', 's' * 200])
def test_grpc(handfast, pki, health, port, service):
    one = health()
    one.answers[service.encode()] = 1
    daemon = handfast(checked(pki, port, one, {
        'type': 'grpc', **({'service': service} if service else {})}))
    waiting.until(lambda: servers(daemon)[0].get('check', {}).get('good'))
    if service:
        assert one.asked[0] == service.encode()
    key = one.asked[0]
    one.answers[key] = 2
    down = daemon.log.wait(event='server-down')
    assert down['detail'] == 'the health check answered NOT_SERVING'
    del one.answers[key]
    waiting.until(lambda: 'grpc-status 5' in servers(daemon)[0]['check']['why'])
    one.answers[key] = 1
    daemon.log.wait(event='server-up')


@pytest.mark.engines
def test_grpc_over_mutual_tls(handfast, pki, health, port):
    credentials = grpc.ssl_server_credentials(
        [(pki.server.key.read_bytes(), pki.server.chain.read_bytes())],
        pki.clients.root.cert.read_bytes(), require_client_auth=True)
    one = health(credentials)
    config = configs.client_side(pki, port, one, pki.alice,
                                 tls={'name': 'server.example', 'alpn': 'h2'})
    config['upstreams']['app']['check'] = {**SOON, 'type': 'grpc'}
    daemon = handfast(config)
    waiting.until(lambda: servers(daemon)[0].get('check', {}).get('good'))
    one.answers[b''] = 0
    down = daemon.log.wait(event='server-down')
    assert down['detail'] == 'the health check answered UNKNOWN'

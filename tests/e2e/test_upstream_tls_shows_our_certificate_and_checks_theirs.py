# SPDX-License-Identifier: Apache-2.0
"""Mutual TLS toward nginx: our client certificate, their name and roots, what we ask for."""

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines

REQUEST = b'GET / HTTP/1.0\r\nHost: x\r\n\r\n'


@pytest.fixture
def upstream(nginx, pki):
    return nginx(pki.server, pki.clients.root.cert)


def fetch(port):
    with clients.plain(port, REQUEST) as connection:
        try:
            return clients.read_to_end(connection).decode()
        except ConnectionError:
            return ''


@pytest.fixture
def serve(handfast, pki, upstream, port):
    def start(leaf=None, **tls):
        tls.setdefault('name', 'server.example')
        return handfast(configs.client_side(pki, port, upstream, leaf or pki.bob, tls))
    return start


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_nginx_sees_our_certificate(serve, port, version):
    serve(versions=[version])
    answer = fetch(port)
    assert f'hello CN=bob,O=Handfast tests over TLSv{version} for server.example' in answer


def test_name_defaults_to_the_server_host(handfast, pki, upstream, port):
    address = upstream.address.replace('127.0.0.1', 'localhost')
    handfast(configs.client_side(pki, port, address, pki.bob))
    assert 'for localhost' in fetch(port)


def test_address_is_checked_when_there_is_no_name(handfast, pki, upstream, port):
    handfast(configs.client_side(pki, port, upstream, pki.bob))
    assert 'hello CN=bob' in fetch(port), 'the certificate carries IP:127.0.0.1'


def test_sni_of_its_own(serve, port):
    serve(sni='other.example')
    assert 'for other.example' in fetch(port)


def refused(daemon, port, reason):
    assert fetch(port) == ''
    line = daemon.log.wait(event='upstream', reason=reason)
    assert line['level'] == 'warn'
    return line


def test_wrong_name(serve, port):
    daemon = serve(name='elsewhere.example')
    assert 'elsewhere.example' in refused(daemon, port, 'wrong-name')['detail']


def test_wrong_roots(handfast, pki, upstream, port):
    config = configs.client_side(pki, port, upstream, pki.bob, {'name': 'server.example'})
    config['trust']['backends'] = configs.trust(pki.strangers)
    refused(handfast(config), port, 'unknown-ca')


def test_a_client_certificate_is_no_server(handfast, pki, nginx, port):
    wrong = pki.servers.client('server.example', san=['DNS:server.example'])
    upstream = nginx(wrong, pki.clients.root.cert)
    daemon = handfast(configs.client_side(pki, port, upstream, pki.bob, {'name': 'server.example'}))
    assert 'clients only' in refused(daemon, port, 'wrong-usage')['detail']


def test_expired_backend(handfast, pki, nginx, port):
    old = pki.servers.expired('server.example', usage='serverAuth', san=['DNS:server.example'])
    daemon = handfast(configs.client_side(pki, port, nginx(old, pki.clients.root.cert), pki.bob,
                                          {'name': 'server.example'}))
    refused(daemon, port, 'expired')


def test_skipping_verification_must_be_spelled_out(handfast, pki, upstream, port):
    config = configs.client_side(pki, port, upstream, pki.bob)
    config['upstreams']['app']['tls'] = {'identity': 'us', 'unsafe-skip-verify': True}
    del config['trust']
    daemon = handfast(config)
    assert 'hello CN=bob' in fetch(port)
    assert 'unsafe-skip-verify' in str(daemon.log.wait(level='warn', id='unsafe'))


def test_backend_that_refuses_our_certificate(serve, pki, port):
    daemon = serve(leaf=pki.stranger)
    answer = fetch(port)
    assert 'hello' not in answer
    daemon.log.wait(event='connection')


def test_tls_on_both_sides(handfast, pki, upstream, port):
    """A client of ours at the front, nginx behind, each judged by its own roots."""
    config = configs.server_side(pki, port, upstream, upstream={
        'tls': {'identity': 'us', 'trust': 'backends', 'name': 'server.example'}})
    config['identities']['us'] = configs.identity(pki.bob)
    config['trust']['backends'] = configs.trust(pki.servers)
    handfast(config)
    shown = clients.curl(port, roots=pki.servers.root.cert, leaf=pki.alice)
    assert 'hello CN=bob' in shown.stdout, shown.stderr

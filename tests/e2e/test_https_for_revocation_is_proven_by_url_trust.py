# SPDX-License-Identifier: Apache-2.0
"""OCSP responders and places of lists at https URLs are proven by the roots of url-trust; a private CA's
aren't among the system's, and nobody is asked over a connection that isn't proven."""

import pytest

from harness import clients, configs, ocsp, publisher, revocation


@pytest.fixture
def responder(ports, pki):
    made = ocsp.Responder(ports.take(), pki.clients, tls=local(pki)).know(pki.alice, pki.bob)
    yield made
    made.close()


@pytest.fixture
def site(ports, pki):
    made = publisher.Publisher(ports.take(), tls=local(pki))
    yield made
    made.close()


def local(pki):
    return pki.servers.server('responder', san=['IP:127.0.0.1'])


@pytest.fixture
def config(pki, echo, port):
    made = configs.server_side(pki, port, echo)
    made['trust']['responders'] = {'roots': str(pki.servers.root.cert)}
    return made


def let_in(port, pki, leaf):
    with clients.connect(port, pki.servers.root.cert, leaf) as client:
        clients.exchange(client)


def refused(daemon, port, pki, leaf, reason):
    clients.refusal(port, pki.servers.root.cert, leaf)
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


def test_a_responder_at_https_answers(handfast, config, responder, port, pki):
    responder.revoke(pki.bob)
    config['trust']['clients']['ocsp'] = {'responder': responder.url, 'leaf-only': True,
                                          'url-trust': 'responders'}
    daemon = handfast(config)
    let_in(port, pki, pki.alice)
    assert responder.url in refused(daemon, port, pki, pki.bob, 'revoked')['detail']


@pytest.mark.parametrize('proven_by', [None, 'clients'])
def test_one_that_is_not_proven_is_not_asked(handfast, config, responder, port, pki, proven_by):
    config['trust']['clients']['ocsp'] = {'responder': responder.url, 'leaf-only': True}
    if proven_by:
        config['trust']['clients']['ocsp']['url-trust'] = proven_by
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.alice, 'ocsp-unreachable')
    assert responder.url in line['detail']
    assert responder.requests == []


def test_who_proves_it_wrongly_harms_nobody_else(handfast, config, responder, port, ports, pki):
    """Two trusts ask the same URL; for the one it fails, and is left alone, for the other it answers."""
    other = ports.take()
    asking = {'responder': responder.url, 'leaf-only': True}
    config['trust']['clients']['ocsp'] = {**asking, 'url-trust': 'responders'}
    config['trust']['others'] = {**config['trust']['clients'], 'ocsp': {**asking, 'url-trust': 'others'}}
    config['listeners']['other'] = {**config['listeners']['in'], 'listen': [f'127.0.0.1:{other}'], 'trust': 'others'}
    daemon = handfast(config)
    refused(daemon, other, pki, pki.alice, 'ocsp-unreachable')
    let_in(port, pki, pki.bob)


def test_a_reload_that_names_the_roots_makes_it_answer(handfast, config, responder, port, pki):
    config['trust']['clients']['ocsp'] = {'responder': responder.url, 'leaf-only': True}
    daemon = handfast(config)
    refused(daemon, port, pki, pki.alice, 'ocsp-unreachable')
    config['trust']['clients']['ocsp']['url-trust'] = 'responders'
    daemon.reload(config)
    let_in(port, pki, pki.bob)


def test_a_place_of_lists_at_https_is_read(handfast, config, site, port, pki, tmp_path):
    site.files['/all.crl'] = revocation.Lists(tmp_path / 'all.crl', pki.clients).text([pki.bob])
    (tmp_path / 'state').mkdir(mode=0o700)
    config['state'] = str(tmp_path / 'state')
    config['trust']['clients']['crl'] = {'urls': [site.url('/all.crl')], 'url-trust': 'responders'}
    daemon = handfast(config)
    let_in(port, pki, pki.alice)
    refused(daemon, port, pki, pki.bob, 'revoked')

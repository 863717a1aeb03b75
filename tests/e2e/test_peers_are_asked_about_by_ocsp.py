# SPDX-License-Identifier: Apache-2.0
"""OCSP: a handshake waits for the responder's answer, in either engine and version; whoever it calls
revoked is refused, on a ticket too, and cut when a later answer says so. Silence is not guessed."""

import ssl

import pytest

from harness import clients, configs, ocsp, revocation

pytestmark = [pytest.mark.engines, pytest.mark.workers]


@pytest.fixture
def responder(ports, pki):
    made = ocsp.Responder(ports.take(), pki.clients).know(pki.alice, pki.bob)
    yield made
    made.close()


@pytest.fixture
def config(pki, echo, port, responder):
    made = configs.server_side(pki, port, echo)
    made['trust']['clients']['ocsp'] = {'responder': responder.url, 'timeout': '1m'}
    return made


def join(port, pki, leaf=None, **more):
    return clients.connect(port, pki.servers.root.cert, leaf or pki.alice, **more)


def how_it_ends(client):
    try:
        data = client.recv(100)
    except ssl.SSLError as error:
        return error.reason.lower().replace('_', ' ').split('alert ')[-1]
    return f'{data!r}'


def refused(daemon, port, pki, leaf, alert, reason, **more):
    assert clients.refusal(port, pki.servers.root.cert, leaf, **more) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_the_answer_decides_and_is_remembered(handfast, config, responder, port, pki, version):
    responder.revoke(pki.bob)
    daemon = handfast(config)
    for _ in range(3):
        with join(port, pki, versions=(version,)) as client:
            clients.exchange(client)
    assert sum(responder.requests) == 2  # alice, and the CA above her: once each
    line = refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked', versions=(version,))
    assert 'keyCompromise' in line['detail'] and responder.url in line['detail']
    assert sum(responder.requests) == 3


def test_a_revoked_issuing_ca_takes_all_its_clients_with_it(handfast, config, responder, port, pki):
    responder.revoke(pki.clients.intermediates[0])
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.alice, 'certificate revoked', 'revoked')
    assert 'the CA certificate was revoked' in line['detail']
    config['trust']['clients']['ocsp']['leaf-only'] = True
    daemon.reload(config)
    with join(port, pki) as client:
        clients.exchange(client)


def test_a_hold_and_an_unknown_certificate_are_refused(handfast, config, responder, port, pki):
    responder.revoke(pki.bob, 'certificateHold')
    responder.forget(pki.alice)
    daemon = handfast(config)
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'on-hold')
    line = refused(daemon, port, pki, pki.alice, 'certificate unknown', 'ocsp-unknown')
    assert "doesn't know the certificate" in line['detail']


def test_openssls_own_responder_is_understood(handfast, config, responder, ports, port, pki, tmp_path):
    responder.revoke(pki.bob)
    theirs = ocsp.OpensslResponder(ports.take(), pki.clients, responder.write_index(tmp_path / 'index.txt'))
    try:
        config['trust']['clients']['ocsp'].update({'responder': theirs.url, 'leaf-only': True,
                                                   'nonce': 'require'})
        daemon = handfast(config)
        with join(port, pki) as client:
            clients.exchange(client)
        refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    finally:
        theirs.close()


def test_a_delegated_signer_is_believed(handfast, config, responder, port, pki):
    responder.signer = ocsp.signer(pki.clients)
    responder.revoke(pki.bob)
    daemon = handfast(config)
    with join(port, pki) as client:
        clients.exchange(client)
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')


def test_certificates_name_responders_of_listed_places_only(handfast, config, responder, port, pki):
    named = pki.clients.client('erin', extensions=f'authorityInfoAccess = OCSP;URI:{responder.url}\n')
    astray = pki.clients.client('frank', extensions='authorityInfoAccess = OCSP;URI:http://127.0.0.1:1/\n')
    responder.know(named, astray)
    trust = config['trust']['clients']
    trust['ocsp'] = {'from-certificates': [responder.origin], 'leaf-only': True}
    daemon = handfast(config)
    with join(port, pki, named) as client:
        clients.exchange(client)
    line = refused(daemon, port, pki, astray, 'certificate unknown', 'ocsp-missing')
    assert 'http://127.0.0.1:1/, which is not among from-certificates' in line['detail']
    refused(daemon, port, pki, pki.alice, 'certificate unknown', 'ocsp-missing')
    assert len(responder.requests) == 1


def test_a_live_session_is_cut_when_a_later_answer_says_revoked(handfast, config, responder, port, pki):
    config['trust']['clients']['ocsp'].update({'refresh': '1s', 'leaf-only': True})
    daemon = handfast(config)
    with join(port, pki, pki.bob) as bob, join(port, pki) as alice:
        clients.exchange(bob)
        clients.exchange(alice)
        responder.revoke(pki.bob)
        assert how_it_ends(bob) == 'certificate revoked'
        line = daemon.log.wait(event='no-longer-admitted')
        assert line['reason'] == 'revoked' and line['serial'] == pki.bob.serial
        clients.exchange(alice, b'undisturbed')
        clients.finish(alice)
    assert '1 sessions were closed' in daemon.log.wait(event='revocation')['text']


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_a_ticket_does_not_outlive_revocation(handfast, config, responder, port, pki, version):
    config['trust']['clients']['ocsp'].update({'refresh': '1s', 'leaf-only': True})
    daemon = handfast(config)
    context = clients.context(pki.servers.root.cert, pki.bob, versions=(version,))
    with clients.connect(port, None, context=context) as client:
        clients.exchange(client)
        session = client.session
        with clients.connect(port, None, context=context, session=session) as again:
            clients.exchange(again)
            assert again.session_reused
            session = again.session
            responder.revoke(pki.bob)
            daemon.log.wait(event='no-longer-admitted')
    assert clients.refusal(port, None, context=context, session=session) == 'certificate revoked'


def test_a_session_ends_with_its_answer(handfast, config, responder, port, pki):
    trust = config['trust']['clients']
    trust['ocsp'].update({'leaf-only': True, 'clock-skew': '0s', 'max-age': '10s', 'timeout': '8s'})
    responder.minutes = 0
    daemon = handfast(config)
    with join(port, pki) as client:
        clients.exchange(client)
        responder.close()
        assert how_it_ends(client) == 'certificate unknown'
    line = daemon.log.wait(event='no-longer-admitted')
    assert line['reason'] == 'ocsp-stale'


def test_a_reload_that_begins_to_ask_leaves_good_sessions_alone(handfast, config, responder, port, pki):
    ocsp_config = config['trust']['clients'].pop('ocsp')
    responder.revoke(pki.bob)
    daemon = handfast(config)
    with join(port, pki, pki.bob) as bob, join(port, pki) as alice:
        clients.exchange(bob)
        clients.exchange(alice)
        config['trust']['clients']['ocsp'] = ocsp_config
        daemon.reload(config)
        assert how_it_ends(bob) == 'certificate revoked'
        clients.exchange(alice, b'undisturbed')
        clients.finish(alice)


def test_lists_come_before_ocsp(handfast, config, responder, port, pki, tmp_path):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config)
    responder.revoke(pki.alice)
    with join(port, pki) as client:
        clients.exchange(client)
    assert not responder.requests
    lists.write(since=revocation.now(hours=-3), until=revocation.now(hours=-2))  # no answer any more
    daemon.log.wait(event='revocation')
    refused(daemon, port, pki, pki.alice, 'certificate revoked', 'revoked')
    with join(port, pki, pki.bob) as client:
        clients.exchange(client)


def test_upstream_servers_are_asked_about(handfast, backend, ports, port, pki, nginx):
    responder = ocsp.Responder(ports.take(), pki.servers).know(pki.server)
    try:
        server = nginx(pki.server, pki.clients.root.cert)
        config = configs.client_side(pki, port, server, pki.alice,
                                     tls={'name': 'server.example'})
        config['trust']['backends']['ocsp'] = {'responder': responder.url, 'timeout': '1m'}
        daemon = handfast(config)
        with clients.plain(port, b'GET / HTTP/1.0\r\nHost: server.example\r\n\r\n') as client:
            assert client.recv(100).startswith(b'HTTP/1.1 200')
        responder.revoke(pki.server)
        daemon.stop()
        daemon = handfast(config)
        with clients.plain(port, b'GET / HTTP/1.0\r\nHost: server.example\r\n\r\n') as client:
            line = daemon.log.wait(event='upstream', reason='revoked')
            assert responder.url in line['detail']
    finally:
        responder.close()

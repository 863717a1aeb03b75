# SPDX-License-Identifier: Apache-2.0
"""Who may not come in is told so by the alert of RFC 8446, and the log says why in words."""

import dataclasses

import pytest

from harness import certs, clients, configs

pytestmark = [pytest.mark.engines, pytest.mark.quick]


def refused(daemon, **wanted):
    line = daemon.log.wait(event='handshake', result='refused', **wanted)
    assert line['level'] == 'warn'
    assert line['detail']
    return line


@pytest.fixture
def daemon(handfast, pki, echo, port):
    running = handfast(configs.server_side(pki, port, echo))
    yield running
    assert not echo.records, 'a refused client reached the backend'


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_without_a_certificate(daemon, pki, port, version):
    alert = clients.refusal(port, pki.servers.root.cert, versions=(version,))
    assert alert == {'1.2': 'handshake failure', '1.3': 'certificate required'}[version]
    line = refused(daemon, reason='no-certificate')
    assert line['step'] == 'certificate'


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_of_a_stranger_ca(daemon, pki, port, version):
    assert clients.refusal(port, pki.servers.root.cert, pki.stranger,
                           versions=(version,)) == 'unknown ca'
    line = refused(daemon, reason='unknown-ca')
    assert line['step'] == 'chain'
    assert line['alert_sent'] == 'unknown_ca'
    assert line['subject'] == 'CN=stranger,O=Strangers'
    assert 'strangers' in line['concerns'] + line['detail']


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_expired(daemon, pki, port, version):
    assert clients.refusal(port, pki.servers.root.cert, pki.expired,
                           versions=(version,)) == 'certificate expired'
    line = refused(daemon, reason='expired')
    assert line['step'] == 'dates'
    assert line['concerns'] == 'CN=carol,O=Handfast tests'
    assert '3 d' in line['detail'], line['detail']


def test_not_yet_valid(daemon, pki, port):
    early = pki.clients.not_yet_valid('early')
    assert clients.refusal(port, pki.servers.root.cert, early) == 'certificate expired'
    assert refused(daemon, reason='not-yet-valid')['concerns'] == 'CN=early,O=Handfast tests'


def test_certificate_for_servers_only(daemon, pki, port):
    wrong = pki.clients.issue('a server', usage='serverAuth')
    assert clients.refusal(port, pki.servers.root.cert, wrong) == 'unsupported certificate'
    assert 'servers only' in refused(daemon, reason='wrong-usage')['detail']


def test_self_signed(daemon, pki, port):
    own = pki.strangers.root
    assert clients.refusal(port, pki.servers.root.cert, own) == 'unknown ca'
    refused(daemon, reason='self-signed')


def test_without_its_intermediate(daemon, pki, port):
    class Alone:
        chain, key = pki.alice.cert, pki.alice.key

    assert clients.refusal(port, pki.servers.root.cert, Alone) == 'unknown ca'
    assert refused(daemon, reason='missing-intermediate')['step'] == 'chain'


def test_weak_key(daemon, pki, port, tmp_path):
    weak = pki.clients.client('weak', key='rsa1024')
    context = clients.context(pki.servers.root.cert, ciphers='DEFAULT@SECLEVEL=0')
    context.load_cert_chain(weak.chain, weak.key)
    assert clients.refusal(port, None, context=context) != 'closed'
    refused(daemon, reason='weak-key')


def test_intermediate_that_may_not_sign(daemon, pki, port, tmp_path):
    """A leaf that signs another leaf: the classic basicConstraints hole."""
    bob = pki.bob
    key = certs.make_key(tmp_path / 'm.key')
    request = certs.openssl('req', '-new', '-key', key, '-subj', '/CN=mallory')
    cert = tmp_path / 'm.pem'
    certs.openssl('x509', '-req', '-CA', bob.cert, '-CAkey', bob.key, '-days', 5, '-out', cert,
                  stdin=request)
    chain = tmp_path / 'chain.pem'
    chain.write_bytes(cert.read_bytes() + bob.chain.read_bytes())
    mallory = dataclasses.replace(bob, cert=cert, chain=chain, key=key)
    assert clients.refusal(port, pki.servers.root.cert, mallory) != 'closed'
    line = daemon.log.wait(event='handshake', result='refused')
    assert line['reason'] in ('not-a-ca', 'invalid-chain', 'unknown-ca')


def test_names_that_cannot_be_printed_do_not_reach_the_log(handfast, pki, echo, port):
    leaf = pki.clients.client('x', subject='/O=Handfast tests/CN=evil\x1b[2J\r\nroot')
    daemon = handfast(configs.server_side(pki, port, echo))
    with clients.connect(port, pki.servers.root.cert, leaf) as client:
        clients.exchange(client)
    line = daemon.log.wait(event='handshake', result='accepted')
    for value in line.values():
        assert not isinstance(value, str) or value.isprintable(), value

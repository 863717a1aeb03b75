# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 lets each certificate of a chain come with an OCSP answer of its own: those above the leaf
are read and counted too, so that a client can show all that is needed and nobody has to be asked."""

import pytest

from harness import clients, configs, ocsp, stapling

pytestmark = [pytest.mark.workers]


@pytest.fixture
def config(pki, echo, port):
    made = configs.server_side(pki, port, echo, listener={'tls': {'engine': 'native'}})
    made['trust']['clients']['ocsp'] = {'staple': 'use'}
    return made


@pytest.fixture
def alice(pki):
    """A client with answers about herself and her CA."""
    issuing = pki.clients.intermediates[0]
    context = stapling.Context(pki.servers.root.cert, pki.alice, ('1.3',))
    context.good = [ocsp.answer(pki.alice, issuing), ocsp.answer(issuing, pki.clients.root)]
    context.staple = context.good
    return context


def refused(daemon, port, context, alert, reason):
    assert clients.refusal(port, None, context=context) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


def test_all_that_is_needed_may_be_stapled(handfast, config, port, alice):
    handfast(config)
    with clients.connect(port, None, context=alice) as client:
        clients.exchange(client)


def test_a_staple_about_the_leaf_alone_is_not_enough(handfast, config, port, alice):
    daemon = handfast(config)
    alice.staple = alice.good[:1]
    line = refused(daemon, port, alice, 'certificate unknown', 'ocsp-missing')
    assert 'about the CA certificate' in line['detail']


def test_a_ca_that_its_own_staple_calls_revoked_is_refused(handfast, config, port, pki, alice):
    daemon = handfast(config)
    alice.staple = [alice.good[0], ocsp.answer(pki.clients.intermediates[0], pki.clients.root, status='revoked')]
    line = refused(daemon, port, alice, 'certificate revoked', 'revoked')
    assert line['detail'].startswith('the CA certificate was revoked')


@pytest.mark.parametrize('bad', [b'no answer', b'\0' * 3000], ids=['words', 'zeros'])
def test_what_is_no_answer_helps_nobody(handfast, config, port, alice, bad):
    daemon = handfast(config)
    alice.staple = [alice.good[0], bad]
    refused(daemon, port, alice, 'certificate unknown', 'ocsp-untrusted')
    alice.staple = [alice.good[1], alice.good[0]]  # about each other
    refused(daemon, port, alice, 'certificate unknown', 'ocsp-untrusted')


def test_leaf_only_looks_at_the_leafs_alone(handfast, config, port, pki, alice):
    config['trust']['clients']['ocsp']['leaf-only'] = True
    handfast(config)
    alice.staple = [alice.good[0], b'never looked at']
    with clients.connect(port, None, context=alice) as client:
        clients.exchange(client)

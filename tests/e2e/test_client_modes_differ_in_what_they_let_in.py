# SPDX-License-Identifier: Apache-2.0
"""client: require | request | request-unverified | none, each with a good, bad and no certificate."""

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines

LET_IN = 'let in'
TABLE = [
    # mode, certificate, outcome
    ('require', 'alice', LET_IN),
    ('require', None, 'certificate required'),
    ('require', 'stranger', 'unknown ca'),
    ('request', 'alice', LET_IN),
    ('request', None, LET_IN),
    ('request', 'stranger', 'unknown ca'),
    ('request', 'expired', 'certificate expired'),
    ('request-unverified', 'alice', LET_IN),
    ('request-unverified', None, LET_IN),
    ('request-unverified', 'stranger', LET_IN),
    ('request-unverified', 'expired', LET_IN),
    ('none', 'alice', LET_IN),
    ('none', None, LET_IN),
]


@pytest.mark.parametrize('mode,who,outcome', TABLE)
def test_mode(handfast, pki, echo, port, mode, who, outcome):
    config = configs.server_side(pki, port, echo, listener={'client': mode})
    if mode == 'none':
        del config['listeners']['in']['trust'], config['trust']
    daemon = handfast(config)
    leaf = getattr(pki, who) if who else None
    if outcome != LET_IN:
        assert clients.refusal(port, pki.servers.root.cert, leaf) == outcome
        daemon.log.wait(event='handshake', result='refused')
        assert not echo.records
        return
    with clients.connect(port, pki.servers.root.cert, leaf) as client:
        clients.exchange(client)
    line = daemon.log.wait(event='handshake', result='accepted')
    if mode == 'none':
        assert 'subject' not in line, 'a client that is not asked shows nothing'
    elif mode == 'request-unverified' and who in ('stranger', 'expired'):
        assert line['reason'] == {'stranger': 'unknown-ca', 'expired': 'expired'}[who]
    elif who:
        assert line['identity'] == 'spiffe://example.org/alice'


def test_a_client_that_is_not_asked_sends_no_certificate(handfast, pki, echo, port):
    config = configs.server_side(pki, port, echo, listener={'client': 'none', 'trust': None})
    config['listeners']['in'].pop('trust')
    handfast(config)
    shown = clients.s_client(port, leaf=pki.alice, roots=pki.servers.root.cert).stdout.decode()
    assert 'No client certificate CA names sent' in shown
    assert 'Requested Signature Algorithms' not in shown

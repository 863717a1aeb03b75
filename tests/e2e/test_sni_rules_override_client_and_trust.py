# SPDX-License-Identifier: Apache-2.0
"""A listener's sni rules: another client mode and other roots for some names, and no way around."""

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines

TABLE = [
    # name asked for, who, outcome
    ('server.example', 'alice', 'let in'),
    ('server.example', 'stranger', 'unknown ca'),
    ('partner.example', 'stranger', 'let in'),
    ('partner.example', 'alice', 'unknown ca'),
    ('partner.example', None, 'certificate required'),
    ('public.example', None, 'let in'),
    ('a.open.example', None, 'let in'),
    ('a.open.example', 'stranger', 'unknown ca'),
    ('a.b.open.example', None, 'certificate required'),
    ('exact.open.example', None, 'certificate required'),
]


@pytest.fixture
def daemon(handfast, pki, echo, port):
    config = configs.server_side(pki, port, echo, listener={'sni': [
        {'name': 'partner.example', 'trust': 'partners'},
        {'name': 'public.example', 'client': 'none'},
        {'name': '*.open.example', 'client': 'request'},
        {'name': 'exact.open.example', 'client': 'require'},
    ]})
    config['trust']['partners'] = configs.trust(pki.strangers)
    return handfast(config)


def test_table(daemon, pki, port):
    for sni, who, outcome in TABLE:
        leaf = getattr(pki, who) if who else None
        if outcome == 'let in':
            with clients.connect(port, None, leaf, sni=sni) as client:
                clients.exchange(client)
        else:
            assert clients.refusal(port, None, leaf, sni=sni) == outcome, (sni, who)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_a_session_of_one_name_does_not_open_another(daemon, pki, port, version):
    """A ticket from the name that asks for nothing must not resume at the one that does."""
    context = clients.context(None, versions=(version,))
    with clients.connect(port, None, context=context, sni='public.example') as client:
        clients.exchange(client)
        session = client.session
    assert session.has_ticket
    expected = {'1.2': 'handshake failure', '1.3': 'certificate required'}[version]
    assert clients.refusal(port, None, context=context, sni='server.example',
                           session=session) == expected

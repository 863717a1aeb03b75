# SPDX-License-Identifier: Apache-2.0
"""Several identities on one listener: exact name, then one-label wildcard, then the first."""

import ssl

import pytest

from harness import certs, clients, configs

pytestmark = pytest.mark.engines

TABLE = [
    # name asked for, who answers
    ('api.example', 'api'),
    ('API.example', 'api'),
    ('one.wild.example', 'wild'),
    ('special.wild.example', 'special'),
    ('two.labels.wild.example', 'first'),
    ('wild.example', 'first'),
    ('elsewhere.example', 'first'),
    (None, 'first'),
]


@pytest.fixture
def serve(handfast, pki, echo, port):
    def start(**listener):
        names = {'first': 'first.example', 'api': 'api.example', 'wild': '*.wild.example',
                 'special': 'special.wild.example'}
        config = configs.server_side(pki, port, echo, listener={
            'identities': list(names), 'client': 'none', **listener})
        del config['listeners']['in']['trust'], config['trust']
        config['identities'] = {
            name: configs.identity(pki.servers.issue(name, usage='serverAuth', san=[f'DNS:{san}']))
            for name, san in names.items()}
        return handfast(config)
    return start


def who_answers(port, sni):
    with clients.connect(port, None, sni=sni) as client:
        clients.exchange(client)
        der = client.getpeercert(binary_form=True)
    text = certs.openssl('x509', '-noout', '-subject', '-nameopt', 'RFC2253',
                         stdin=ssl.DER_cert_to_PEM_cert(der).encode()).decode()
    return text.split('CN=')[1].split(',')[0].strip()


def test_table(serve, port):
    serve()
    for sni, answer in TABLE:
        assert who_answers(port, sni) == answer, sni


@pytest.mark.parametrize('sni', ['elsewhere.example', 'two.labels.wild.example', None])
def test_strict_sni_refuses_what_no_identity_has(serve, port, sni):
    daemon = serve(**{'strict-sni': True})
    assert clients.refusal(port, None, sni=sni) in ('unrecognized name', 'closed')
    line = daemon.log.wait(event='handshake', result='refused', reason='unknown-sni')
    assert line['alert_sent'] == 'unrecognized_name'
    assert line.get('sni') == sni
    assert who_answers(port, 'one.wild.example') == 'wild'

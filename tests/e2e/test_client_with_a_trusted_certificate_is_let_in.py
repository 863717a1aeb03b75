# SPDX-License-Identifier: Apache-2.0
"""A good client reaches the backend, and the log says who it was and how it came in."""

import pytest

from harness import clients, configs

pytestmark = [pytest.mark.engines, pytest.mark.quick]


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_let_in_and_logged(handfast, pki, echo, port, version):
    daemon = handfast(configs.server_side(pki, port, echo))
    with clients.connect(port, pki.servers.root.cert, pki.alice, versions=(version,)) as client:
        assert clients.exchange(client) == b'hello over there'
        local_port = client.getsockname()[1]
        cipher = client.cipher()[0]

    line = daemon.log.wait(event='handshake', result='accepted')
    assert line['level'] == 'info'
    assert line['listener'] == 'in'
    assert line['peer'] == f'127.0.0.1:{local_port}'
    assert line['sni'] == 'server.example'
    assert line['version'] == f'TLSv{version}'
    assert line['resumed'] is False
    assert line['identity'] == 'spiffe://example.org/alice'
    assert line['subject'] == 'CN=alice,O=Handfast tests'
    assert line['serial'] == pki.alice.serial
    assert line['issuer'] == 'CN=clients issuing,O=Handfast tests'
    assert 0 < line['took_us'] < 20_000_000
    assert line['group'].lower() in ('x25519', 'secp256r1')
    if version == '1.3':
        assert line['suite'] == cipher

    end = daemon.log.wait(event='connection', id=line['id'])
    assert end['bytes_in'] == end['bytes_out'] == len(b'hello over there')
    assert end['cause']
    assert end['upstream'] == echo.address
    assert end['duration_ms'] >= 0


def test_each_connection_has_its_own_id(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo))
    for _ in range(5):
        with clients.connect(port, pki.servers.root.cert, pki.bob) as client:
            clients.exchange(client)
    lines = daemon.log.wait(count=5, event='handshake', result='accepted')
    assert len({line['id'] for line in lines}) == 5
    assert {line['identity'] for line in lines} == {'bob'}


@pytest.mark.parametrize('kind', ['rsa', 'p384', 'ed25519'])
def test_every_common_kind_of_client_key(handfast, pki, echo, port, kind):
    leaf = pki.clients.client(f'{kind} client', key=kind)
    daemon = handfast(configs.server_side(pki, port, echo))
    with clients.connect(port, pki.servers.root.cert, leaf) as client:
        clients.exchange(client)
    assert daemon.log.wait(event='handshake', result='accepted')['identity'] == f'{kind} client'

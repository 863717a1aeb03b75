# SPDX-License-Identifier: Apache-2.0
"""proxy-protocol v1, v2, v2-tls toward the backend, decoded by a reader of our own here."""

import ssl

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines

PP2_TYPE_ALPN, PP2_TYPE_AUTHORITY, PP2_TYPE_CRC32C, PP2_TYPE_SSL = 1, 2, 3, 0x20
SSL_VERSION, SSL_CN, SSL_CIPHER, SSL_CLIENT_CERT = 0x21, 0x22, 0x23, 0x28
CLIENT_SSL, CLIENT_CERT_CONN, CLIENT_CERT_SESS = 1, 2, 4


@pytest.fixture
def meet(handfast, pki, backend, port):
    """Connects through a daemon that sends this kind of header; (client's address, header)."""
    def go(kind, leaf=pki.bob, version='1.3', **listener):
        server = backend(proxy=True)
        handfast(configs.server_side(pki, port, server, upstream={'proxy-protocol': kind},
                                     listener=listener))
        with clients.connect(port, pki.servers.root.cert, leaf, versions=(version,)) as client:
            clients.exchange(client)
            return client.getsockname(), client.cipher()[0], server.wait()[0].proxy
    return go


@pytest.mark.parametrize('kind', ['v1', 'v2', 'v2-tls'])
def test_addresses(meet, port, kind):
    address, _, header = meet(kind)
    assert header['version'] == int(kind[1])
    assert header['source'] == address
    assert header['destination'] == ('127.0.0.1', port)
    if kind != 'v2-tls':
        assert PP2_TYPE_SSL not in header['tlvs']


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_client_certificate_in_tlvs(meet, pki, version):
    _, cipher, header = meet('v2-tls', version=version, leaf=pki.alice)
    tls = header['ssl']
    assert tls['client'] == CLIENT_SSL | CLIENT_CERT_CONN | CLIENT_CERT_SESS
    assert tls['verify'] == 0
    assert tls[SSL_VERSION].decode() == f'TLSv{version}'
    assert tls[SSL_CN] == b'alice'
    assert tls[SSL_CLIENT_CERT] == ssl.PEM_cert_to_DER_cert(pki.alice.cert.read_text())
    assert tls[SSL_CIPHER]
    if version == '1.3':
        assert tls[SSL_CIPHER].decode() == cipher
    assert PP2_TYPE_CRC32C in header['tlvs'], 'no checksum'
    assert header['tlvs'].get(PP2_TYPE_AUTHORITY, b'server.example') == b'server.example'


def test_a_client_without_certificate_is_not_said_to_have_one(meet):
    _, _, header = meet('v2-tls', leaf=None, client='request')
    assert header['ssl']['client'] == CLIENT_SSL
    assert header['ssl']['verify'] != 0
    assert SSL_CN not in header['ssl'] and SSL_CLIENT_CERT not in header['ssl']


def test_an_unverified_client_is_said_to_be_unverified(meet, pki):
    _, _, header = meet('v2-tls', leaf=pki.stranger, client='request-unverified')
    assert header['ssl']['verify'] != 0


def test_the_address_of_an_incoming_header_is_passed_on(handfast, pki, backend, port):
    server = backend(proxy=True)
    handfast(configs.server_side(pki, port, server, upstream={'proxy-protocol': 'v2'},
                                 listener={'proxy-protocol-from': ['127.0.0.1/32']}))
    with clients.connect(port, pki.servers.root.cert, pki.bob,
                         before=b'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n') as client:
        clients.exchange(client)
    header = server.wait()[0].proxy
    assert header['source'] == ('192.0.2.7', 4711)
    assert header['destination'] == ('198.51.100.1', 443)

# SPDX-License-Identifier: Apache-2.0
"""proxy-protocol-from: the header is required and believed from there, refused from elsewhere."""

import pytest

from harness import backends, clients, configs

V1 = b'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n'
V1_V6 = b'PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n'
V2 = backends.encode_proxy_v2(('192.0.2.7', 4711), ('198.51.100.1', 443))


@pytest.fixture
def serve(handfast, pki, echo, port):
    return lambda sources=('127.0.0.0/8',), **more: handfast(configs.server_side(
        pki, port, echo, listener={'proxy-protocol-from': list(sources), **more}))


@pytest.mark.parametrize('header,peer', [
    (V1, '192.0.2.7:4711'), (V1_V6, '[2001:db8::7]:4711'), (V2, '192.0.2.7:4711')])
def test_believed_from_a_listed_source(serve, pki, port, header, peer):
    daemon = serve()
    with clients.connect(port, pki.servers.root.cert, pki.alice, before=header) as client:
        clients.exchange(client)
    assert daemon.log.wait(event='handshake', result='accepted')['peer'] == peer


@pytest.mark.parametrize('header', [b'PROXY UNKNOWN\r\n',
                                    backends.PROXY_V2_SIGNATURE + b'\x20\x00\x00\x00'])
def test_unknown_and_local_keep_the_address_of_the_connection(serve, pki, port, header):
    daemon = serve()
    with clients.connect(port, pki.servers.root.cert, pki.alice, before=header) as client:
        clients.exchange(client)
    assert daemon.log.wait(event='handshake', result='accepted')['peer'].startswith('127.0.0.1:')


def test_header_in_one_byte_pieces(serve, pki, port):
    daemon = serve()
    connection = clients.plain(port)
    for byte in V2:
        connection.sendall(bytes([byte]))
    context = clients.context(pki.servers.root.cert, pki.alice)
    with context.wrap_socket(connection, server_hostname='server.example') as client:
        clients.exchange(client)
    assert daemon.log.wait(event='handshake', result='accepted')['peer'] == '192.0.2.7:4711'


def test_required_from_a_listed_source(serve, pki, port):
    daemon = serve()
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'closed'
    assert daemon.log.wait(event='handshake', result='refused')['reason'] == 'proxy-header'


def test_refused_from_anywhere_else(serve, pki, port, echo):
    daemon = serve(sources=['192.0.2.0/24'])
    clients.refusal(port, pki.servers.root.cert, pki.alice, before=V1)
    line = daemon.log.wait(event='handshake', result='refused')
    assert line['peer'].startswith('127.0.0.1:'), 'an address from an unlisted source was believed'
    assert not echo.records
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)


@pytest.mark.parametrize('header', [
    b'PROXY TCP4 192.0.2.7\r\n', b'PROXY TCP4 999.0.2.7 1.2.3.4 1 2\r\n',
    b'PROXY ' + b'x' * 200, V2[:13] + b'\x31' + V2[14:], V2[:12] + b'\x31' + V2[13:],
    b'GET / HTTP/1.1\r\n\r\n'])
def test_broken_header(serve, pki, port, header):
    daemon = serve()
    with clients.plain(port, header) as connection:
        try:
            assert connection.recv(100) == b''
        except ConnectionError:
            pass
    assert daemon.log.wait(event='handshake', result='refused')['reason'] == 'proxy-header'

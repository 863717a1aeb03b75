# SPDX-License-Identifier: Apache-2.0
"""listener.tls: what is offered is spoken, what is not offered is refused with the right alert."""

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines


@pytest.fixture
def serve(handfast, pki, echo, port):
    return lambda **tls: handfast(configs.server_side(pki, port, echo, listener={'tls': tls}))


def test_only_tls_1_3(serve, pki, port):
    daemon = serve(versions=['1.3'])
    assert clients.refusal(port, pki.servers.root.cert, pki.alice,
                           versions=('1.2',)) == 'protocol version'
    daemon.log.wait(event='handshake', result='refused', reason='no-common-version')
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert client.version() == 'TLSv1.3'


def test_only_tls_1_2(serve, pki, port):
    serve(versions=['1.2'])
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert client.version() == 'TLSv1.2'
    assert clients.refusal(port, pki.servers.root.cert, pki.alice,
                           versions=('1.3',)) == 'protocol version'


def test_tls_1_1_is_never_spoken(serve, pki, port):
    daemon = serve()
    shown = clients.s_client(port, '-tls1_1', '-cipher', 'ALL@SECLEVEL=0', leaf=pki.alice)
    assert b'protocol version' in shown.stderr
    daemon.log.wait(event='handshake', result='refused', reason='no-common-version')


def test_suites(serve, pki, port):
    serve(suites=['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'])
    with clients.connect(port, pki.servers.root.cert, pki.alice, versions=('1.3',)) as client:
        assert client.cipher()[0] == 'TLS_CHACHA20_POLY1305_SHA256'
    shown = clients.s_client(port, '-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384',
                             leaf=pki.alice)
    assert b'handshake failure' in shown.stderr


def test_tls_1_2_ciphers(serve, pki, port):
    daemon = serve(ciphers=['ECDHE-ECDSA-CHACHA20-POLY1305'])
    with clients.connect(port, pki.servers.root.cert, pki.alice, versions=('1.2',)) as client:
        assert client.cipher()[0] == 'ECDHE-ECDSA-CHACHA20-POLY1305'
    assert clients.refusal(port, pki.servers.root.cert, pki.alice, versions=('1.2',),
                           ciphers='ECDHE-ECDSA-AES128-GCM-SHA256') == 'handshake failure'
    daemon.log.wait(event='handshake', result='refused', reason='no-common-suite')


def test_no_cbc_and_no_plain_rsa_by_default(serve, pki, port):
    serve()
    for cipher in ('ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256'):
        assert clients.refusal(port, pki.servers.root.cert, pki.alice, versions=('1.2',),
                               ciphers=cipher) == 'handshake failure', cipher


@pytest.mark.parametrize('group', ['X25519', 'P-256', 'P-384'])
def test_groups(serve, pki, port, group):
    daemon = serve(groups=[group])
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
    logged = daemon.log.wait(event='handshake', result='accepted')['group'].lower()
    assert logged == {'X25519': 'x25519', 'P-256': 'secp256r1', 'P-384': 'secp384r1'}[group]


def test_group_that_is_not_offered(serve, pki, port):
    daemon = serve(groups=['P-384'])
    shown = clients.s_client(port, '-tls1_3', '-groups', 'X25519', leaf=pki.alice)
    assert b'handshake failure' in shown.stderr
    daemon.log.wait(event='handshake', result='refused', reason='no-common-group')


def test_alpn_in_our_order(serve, pki, port):
    daemon = serve(alpn=['one', 'two'])
    with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['two', 'one']) as client:
        assert client.selected_alpn_protocol() == 'one'
    assert daemon.log.wait(event='handshake', result='accepted')['alpn'] == 'one'
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        assert client.selected_alpn_protocol() is None
        clients.exchange(client)


def test_alpn_with_nothing_in_common(serve, pki, port):
    daemon = serve(alpn=['one'])
    assert clients.refusal(port, pki.servers.root.cert, pki.alice,
                           alpn=['three']) == 'no application protocol'
    daemon.log.wait(event='handshake', result='refused', reason='no-common-alpn')


def test_no_renegotiation(serve, pki, port):
    """s_client sends a new ClientHello on the letter R; it must not get a second handshake."""
    daemon = serve(versions=['1.2'])
    shown = clients.s_client(port, '-tls1_2', leaf=pki.alice, roots=pki.servers.root.cert,
                             stdin=b'R\n')
    assert b'no renegotiation' in shown.stderr or b'RENEGOTIATING' in shown.stdout + shown.stderr
    daemon.log.wait(event='connection')
    assert len(daemon.log.all(event='handshake', result='accepted')) == 1


def test_no_compression_and_no_early_data(serve, pki, port):
    serve()
    shown = clients.s_client(port, '-tls1_3', leaf=pki.alice, roots=pki.servers.root.cert,
                             stdin=b'x\n').stdout.decode()
    assert 'Compression: NONE' in shown
    assert 'Max Early Data: 0' in shown or 'Early data was not sent' in shown


def test_early_data_is_not_taken(serve, pki, port, tmp_path, echo):
    serve()
    session, early = tmp_path / 'session', tmp_path / 'early'
    early.write_bytes(b'EARLY')
    clients.s_client(port, '-tls1_3', '-sess_out', str(session), '-ign_eof', '-no_ign_eof',
                     leaf=pki.alice, stdin=b'x\n')
    if session.exists():
        shown = clients.s_client(port, '-tls1_3', '-sess_in', str(session), '-early_data',
                                 str(early), leaf=pki.alice).stdout.decode()
        assert 'Early data was accepted' not in shown
    assert not any(b'EARLY' in record.received for record in echo.records)

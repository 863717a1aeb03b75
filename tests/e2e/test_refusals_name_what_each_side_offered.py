# SPDX-License-Identifier: Apache-2.0
"""A handshake that found nothing in common is told with both sides' lists; a client that ended it
is told in words. The code is the same in both engines, and for TLS 1.2 and 1.3."""

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines


@pytest.fixture
def serve(handfast, pki, echo, port):
    return lambda **tls: handfast(configs.server_side(pki, port, echo, listener={'tls': tls} if tls else {}))


def why(daemon, code):
    return daemon.log.wait(event='handshake', result='refused', reason=code)['detail']


def test_version(serve, pki, port):
    daemon = serve()
    clients.s_client(port, '-tls1_1', '-cipher', 'ALL@SECLEVEL=0', leaf=pki.alice)
    assert 'the client offers TLS 1.1; the listener takes TLS 1.2, TLS 1.3' in \
        why(daemon, 'no-common-version')


def test_version_of_a_listener_with_tls_1_3_alone(serve, pki, port):
    daemon = serve(versions=['1.3'])
    clients.s_client(port, '-tls1_2', leaf=pki.alice)
    detail = why(daemon, 'no-common-version')
    assert 'the client offers TLS 1.2' in detail and 'TLS 1.3' in detail


def test_suite_of_tls_1_3(serve, pki, port):
    daemon = serve(suites=['TLS_CHACHA20_POLY1305_SHA256'])
    clients.s_client(port, '-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384', leaf=pki.alice)
    detail = why(daemon, 'no-common-suite')
    assert 'the client offers TLS_AES_256_GCM_SHA384' in detail
    assert 'the listener takes TLS_CHACHA20_POLY1305_SHA256' in detail


def test_suite_of_tls_1_2_with_gnutls(serve, pki, port):
    daemon = serve(ciphers=['ECDHE-ECDSA-CHACHA20-POLY1305'])
    clients.gnutls_cli(port, '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM',
                       roots=pki.servers.root.cert, leaf=pki.alice)
    detail = why(daemon, 'no-common-suite')
    assert 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' in detail
    assert 'the listener takes' in detail
    assert 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256' in detail


@pytest.mark.parametrize('version', ['-tls1_2', '-tls1_3'])
def test_group(serve, pki, port, version):
    daemon = serve(groups=['P-384'])
    clients.s_client(port, version, '-groups', 'X25519', leaf=pki.alice)
    detail = why(daemon, 'no-common-group')
    assert 'the client offers x25519' in detail
    assert '384' in detail.partition('the listener takes')[2]


def test_signature_algorithm(serve, pki, port):
    daemon = serve()
    clients.s_client(port, '-tls1_3', '-sigalgs', 'rsa_pss_rsae_sha256')
    detail = why(daemon, 'no-common-signature')
    assert 'the client offers rsa_pss_rsae_sha256' in detail
    assert 'keys of type EC P-256' in detail


def test_application_protocol(handfast, pki, port, echo):
    daemon = handfast(configs.server_side(pki, port, echo, listener={
        'tls': {'alpn': ['postgresql']}}))
    clients.s_client(port, '-alpn', 'h2,http/1.1', leaf=pki.alice)
    detail = why(daemon, 'no-common-alpn')
    assert 'the client offers h2, http/1.1; the listener takes postgresql' in detail


def test_server_name(handfast, pki, port, echo):
    daemon = handfast(configs.server_side(pki, port, echo, listener={'strict-sni': True}))
    clients.s_client(port, leaf=pki.alice, sni='other.example')
    assert 'no identity for the server name "other.example"' in why(daemon, 'unknown-sni')


@pytest.mark.parametrize('version', ['-tls1_2', '-tls1_3'])
def test_our_certificate_is_rejected(serve, pki, port, version):
    daemon = serve()
    clients.s_client(port, version, '-verify_return_error', leaf=pki.alice,
                     roots=pki.clients.root.cert)
    detail = why(daemon, 'certificate-rejected')
    assert detail.startswith('the client rejected our certificate: it does not know the CA')


def test_our_certificate_is_rejected_by_curl(serve, pki, port):
    daemon = serve()
    assert clients.curl(port, roots=pki.clients.root.cert, leaf=pki.alice).returncode == 60
    assert 'the client rejected our certificate' in why(daemon, 'certificate-rejected')


def test_unknown_ca_names_the_nearest_root(serve, pki, port):
    daemon = serve()
    clients.s_client(port, leaf=pki.stranger)
    detail = why(daemon, 'unknown-ca')
    assert 'the nearest root there is "CN=clients' in detail, detail
    assert 'key id ' in detail and ' is asked for' in detail

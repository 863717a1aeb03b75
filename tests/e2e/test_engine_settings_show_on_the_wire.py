# SPDX-License-Identifier: Apache-2.0
"""What only our own engine does, set in the config and seen by OpenSSL, GnuTLS and Python."""

import re
import socket
import ssl
import subprocess
import threading

import pytest
import yaml

from harness import clients, configs, daemon


def check(folder, config):
    path = folder / 'handfast.yaml'
    path.write_text(yaml.safe_dump(config))
    return daemon.run('check', '-c', path)


@pytest.fixture
def serve(handfast, pki, echo, port):
    return lambda **tls: handfast(configs.server_side(pki, port, echo, listener={'tls': tls}))


def records_received(shown):
    """Lengths of the application data records that s_client -msg has seen come."""
    heads = re.findall(rb'<<< TLS 1\.\d, RecordHeader \[length 0005\]\n\s+17 03 03 (..) (..)', shown)
    return [int(high + low, 16) for high, low in heads]


def test_record_padding_hides_lengths(serve, pki, port):
    serve(**{'record-padding': 512})
    shown = clients.s_client(port, '-tls1_3', '-msg', leaf=pki.alice)
    lengths = records_received(shown.stdout)
    assert lengths and all((length - 16) % 512 == 0 for length in lengths), lengths


def test_record_size_limit_is_kept_by_gnutls(serve, pki, port):
    serve(**{'record-size-limit': 1024})
    shown = clients.gnutls_cli(port, '-d', '5', '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3',
                               roots=pki.servers.root.cert, leaf=pki.alice, stdin=b'x' * 4000)
    sent = [int(n) for n in re.findall(rb'Sent Packet\[\d+\] Application Data\(23\)[^\n]*length: (\d+)',
                                       shown.stderr)]
    assert shown.returncode == 0, shown.stderr[-500:]
    assert max(sent) == 5 + 1024 + 16, 'header, limit, tag'


@pytest.mark.parametrize('asked', [False, True])
def test_cookie_comes_with_a_retry_when_asked_for(serve, pki, port, asked):
    serve(cookie=asked, groups=['P-256'])
    shown = clients.s_client(port, '-tls1_3', '-groups', 'X25519:P-256', '-tlsextdebug',
                             roots=pki.servers.root.cert, leaf=pki.alice)
    assert shown.returncode == 0
    assert (b'(id=44), len=' in shown.stdout) == asked


def tap(port, seen):
    """A backend that passes bytes to our listener and counts what comes back."""
    def pump(come, go, count):
        while data := come.recv(65536):
            if count:
                seen.append(len(data))
            go.sendall(data)
        go.shutdown(socket.SHUT_WR)

    def serve(connection, record):
        with socket.create_connection(('127.0.0.1', port)) as onward:
            up = threading.Thread(target=pump, args=(connection, onward, False))
            up.start()
            pump(onward, connection, True)
            up.join()
    return serve


def bytes_of_a_connection(handfast, pki, backend, echo, ports, mine, theirs):
    """What a listener sends to an upstream of ours, each with these settings."""
    listen, front, seen = ports.take(), ports.take(), []
    handfast(configs.server_side(pki, listen, echo,
                                 listener={'tls': {'versions': ['1.3'], **theirs}}))
    handfast(configs.client_side(pki, front, backend(tap(listen, seen)), pki.alice,
                                 {'name': 'server.example', 'versions': ['1.3'], **mine}))
    with clients.plain(front, b'hello') as connection:
        assert clients.read_exactly(connection, 5) == b'hello'
        connection.shutdown(socket.SHUT_WR)
        assert clients.read_to_end(connection) == b''
    return sum(seen)


# Neither OpenSSL 3.0 nor Debian's GnuTLS has it; the shim of script/conformance bogo meets
# BoringSSL's.
@pytest.mark.parametrize('algorithm', ['zlib', 'brotli', 'zstd'])
def test_certificates_are_compressed_where_both_want_it(handfast, pki, backend, echo, ports,
                                                        algorithm):
    on, off = {'cert-compression': [algorithm]}, {}
    plain = bytes_of_a_connection(handfast, pki, backend, echo, ports, off, off)
    half = bytes_of_a_connection(handfast, pki, backend, echo, ports, on, off)
    both = bytes_of_a_connection(handfast, pki, backend, echo, ports, on, on)
    assert abs(half - plain) < 8 and both < plain - 60, (plain, half, both)


def test_signatures_limit_what_clients_prove_with(serve, pki, port):
    log = serve(signatures=['ed25519']).log
    clients.s_client(port, '-tls1_3', leaf=pki.alice)
    log.wait(event='handshake', result='refused', reason='no-certificate')


def test_own_signatures_choose_the_hash(handfast, pki, echo, port):
    leaf = pki.servers.server('server.example', key='rsa')
    config = configs.server_side(pki, port, echo, listener={
        'tls': {'own-signatures': ['rsa_pss_rsae_sha512'], 'versions': ['1.3']}})
    config['identities']['server'] = configs.identity(leaf)
    handfast(config)
    shown = clients.s_client(port, roots=pki.servers.root.cert, leaf=pki.alice)
    assert b'Peer signing digest: SHA512' in shown.stdout
    assert b'Peer signature type: RSA-PSS' in shown.stdout


def ocsp_response(pki, leaf, path, *options):
    """From the CA's own index, as a responder would."""
    issuer = pki.servers.issuer
    subprocess.run(['openssl', 'ocsp', '-index', pki.servers.folder / 'index.txt', '-CA', issuer.cert,
                    '-rsigner', issuer.cert, '-rkey', issuer.key, '-issuer', issuer.cert,
                    '-cert', leaf.cert, '-respout', path, *options], check=True, capture_output=True)
    return path


def test_staple_is_sent_to_clients_that_ask(handfast, pki, echo, port, tmp_path):
    config = configs.server_side(pki, port, echo)
    config['identities']['server']['staple'] = str(
        ocsp_response(pki, pki.server, tmp_path / 'server.ocsp', '-ndays', '2'))
    handfast(config)
    shown = clients.s_client(port, '-tls1_3', '-status', roots=pki.servers.root.cert, leaf=pki.alice)
    assert b'OCSP Response Status: successful (0x0)' in shown.stdout
    assert b'Cert Status: good' in shown.stdout
    shown = clients.s_client(port, '-tls1_3', roots=pki.servers.root.cert, leaf=pki.alice)
    assert b'OCSP Response Status' not in shown.stdout


def test_staple_of_another_certificate_is_refused(pki, echo, port, tmp_path):
    config = configs.server_side(pki, port, echo)
    other = pki.servers.server('other.example')
    config['identities']['server']['staple'] = str(
        ocsp_response(pki, other, tmp_path / 'other.ocsp', '-ndays', '2'))
    found = check(tmp_path, config)
    assert found.returncode == 1
    assert 'other.ocsp: the OCSP response is about other certificates' in found.stdout + found.stderr


def late_asker(connection, record):
    """TLS; asks for the client's certificate after the first line."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.post_handshake_auth = True
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_cert_chain(record.server.chain, record.server.key)
    context.load_verify_locations(record.roots)
    with context.wrap_socket(connection, server_side=True) as tls:
        before = tls.getpeercert()
        tls.recv(100)
        tls.verify_client_post_handshake()
        tls.sendall(b'asked\n')
        tls.recv(100)
        names = [value for part in tls.getpeercert()['subject'] for key, value in part
                 if key == 'commonName']
        tls.sendall(f'before {before or "nobody"}, after {names[0]}\n'.encode())
        tls.unwrap()


def test_backend_may_ask_for_our_certificate_later(handfast, pki, backend, port):
    def serve(connection, record):
        record.server, record.roots = pki.server, pki.clients.root.cert
        late_asker(connection, record)

    handfast(configs.client_side(pki, port, backend(serve), pki.bob, {
        'name': 'server.example', 'versions': ['1.3'], 'post-handshake-auth': True}))
    with clients.plain(port, b'first\n') as connection:
        assert clients.read_exactly(connection, 6) == b'asked\n'
        connection.sendall(b'second\n')
        assert clients.read_to_end(connection) == b'before nobody, after bob\n'


@pytest.fixture
def two_faces(handfast, pki, echo, ports):
    """A listener with two certificates for one name, of two CAs: its port."""
    port = ports.take()
    other = pki.strangers.server('server.example', key='rsa')
    config = configs.server_side(pki, port, echo, listener={
        'identities': ['server', 'other'], 'tls': {'versions': ['1.3']}})
    config['identities']['other'] = configs.identity(other)
    handfast(config)
    return port


def test_server_shows_a_certificate_of_the_ca_that_the_client_names(two_faces, pki):
    for authority in (pki.servers, pki.strangers):
        shown = clients.s_client(two_faces, '-requestCAfile', str(authority.root.cert),
                                 roots=authority.root.cert, leaf=pki.alice)
        assert shown.returncode == 0 and b'Verify return code: 0 (ok)' in shown.stdout
    nobody = clients.s_client(two_faces, '-requestCAfile', str(pki.clients.root.cert),
                              roots=pki.servers.root.cert, leaf=pki.alice)
    assert nobody.returncode == 0, 'when none fits, the first'


@pytest.mark.parametrize('told', [False, True])
def test_upstream_tells_the_names_of_its_trust(handfast, two_faces, pki, port, told):
    config = configs.client_side(pki, port, f'127.0.0.1:{two_faces}', pki.alice, {
        'name': 'server.example', 'versions': ['1.3'], 'send-names': told})
    config['trust']['backends'] = configs.trust(pki.strangers)
    log = handfast(config).log
    with clients.plain(port, b'hello') as connection:
        if told:
            assert clients.read_exactly(connection, 5) == b'hello'
        else:
            log.wait(event='upstream', reason='unknown-ca')


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_upstream_picks_among_its_certificates_by_the_names_asked_for(handfast, nginx, pki, port,
                                                                       version):
    backend = nginx(pki.server, pki.clients.root.cert)
    config = configs.client_side(pki, port, backend, pki.stranger, {
        'name': 'server.example', 'versions': [version], 'identity': ['us', 'bob']})
    config['identities']['bob'] = configs.identity(pki.bob)
    handfast(config)
    with clients.plain(port, b'GET / HTTP/1.0\r\nHost: x\r\n\r\n') as connection:
        assert b'hello CN=bob' in clients.read_to_end(connection)


@pytest.mark.parametrize('key, value', [
    ('record-padding', 64), ('record-size-limit', 512), ('cookie', True),
    ('cert-compression', ['zlib']), ('signatures', ['ed25519']), ('own-signatures', ['ed25519'])])
def test_settings_without_effect_are_refused(pki, echo, port, tmp_path, key, value):
    config = configs.server_side(pki, port, echo,
                                 listener={'tls': {'engine': 'libssl', key: value}})
    found = check(tmp_path, config)
    assert found.returncode == 1
    assert f'{key} has no effect: engine: libssl does it all' in found.stdout + found.stderr


def test_unknown_names_are_refused(pki, echo, port, tmp_path):
    for key in ('signatures', 'own-signatures', 'cert-compression'):
        config = configs.server_side(pki, port, echo, listener={'tls': {key: ['nonsense']}})
        found = check(tmp_path, config)
        assert found.returncode == 1
        assert 'nonsense' in found.stdout + found.stderr

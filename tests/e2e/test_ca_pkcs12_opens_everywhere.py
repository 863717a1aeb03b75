# SPDX-License-Identifier: Apache-2.0
"""The PKCS#12 files and the keys of handfast ca in the hands of OpenSSL, GnuTLS, NSS and curl."""

import subprocess

import pytest

from harness import certs, configs, daemon as daemons

KINDS = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072']


def answer_http(connection, record):
    connection.recv(65536)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello')


def issue(ca, stem, *words, kind='--client', name='alice'):
    ended = daemons.run('ca', 'issue', '--dir', ca, kind, name, '--out', stem, *words)
    assert ended.returncode == 0, ended.stderr
    return stem


@pytest.fixture
def ca(tmp_path):
    folder = tmp_path / 'ca'
    assert daemons.run('ca', 'init', '--dir', folder, '--name', 'Example').returncode == 0
    return folder


def tool(*words, **more):
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)
    assert made.returncode == 0, f'{words}: {made.stderr}'
    return made.stdout


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('form', [(), ('--p12-legacy',)], ids=['modern', 'legacy'])
def test_openssl_opens_it(ca, tmp_path, kind, form):
    stem = issue(ca, tmp_path / 'a', '--key-type', kind, *form)
    p12, secret = f'{stem}.p12', f'file:{stem}.p12.pass'
    text = certs.openssl('pkcs12', '-in', p12, '-passin', secret, '-nodes').decode()
    assert text.count('BEGIN CERTIFICATE') == 3
    assert 'friendlyName: alice' in text
    key = tmp_path / 'key.pem'
    key.write_text(text)
    assert (certs.openssl('pkey', '-in', key, '-pubout') ==
            certs.openssl('x509', '-in', f'{stem}.pem', '-noout', '-pubkey'))
    info = subprocess.run(['openssl', 'pkcs12', '-in', p12, '-passin', secret, '-noout', '-info'],
                          capture_output=True, text=True, check=True).stderr
    assert ('TripleDES' in info) == bool(form)
    assert ('sha256' in info) != bool(form)


@pytest.mark.parametrize('form', [(), ('--p12-legacy',)], ids=['modern', 'legacy'])
def test_gnutls_and_nss_open_it(ca, tmp_path, form):
    stem = issue(ca, tmp_path / 'a', *form)
    secret = (tmp_path / 'a.p12.pass').read_text().strip()
    info = tool('certtool', '--p12-info', '--inder', '--infile', f'{stem}.p12', '--password', secret)
    assert info.count('BEGIN CERTIFICATE') == 3
    database = tmp_path / 'nss'
    database.mkdir()
    tool('certutil', '-N', '-d', f'sql:{database}', '--empty-password')
    (tmp_path / 'empty').write_text('\n')
    tool('pk12util', '-i', f'{stem}.p12', '-d', f'sql:{database}', '-W', secret, '-k',
         tmp_path / 'empty')
    assert 'alice' in tool('certutil', '-L', '-d', f'sql:{database}')
    assert 'alice' in tool('certutil', '-K', '-d', f'sql:{database}', '-f', tmp_path / 'empty')


@pytest.mark.parametrize('kind', KINDS)
def test_gnutls_verifies_the_chain(ca, tmp_path, kind):
    stem = issue(ca, tmp_path / 's', '--key-type', kind, kind='--server', name='www.example')
    tool('certtool', '--verify', '--load-ca-certificate', ca / 'root.pem', '--verify-hostname',
         'www.example', '--verify-purpose', '1.3.6.1.5.5.7.3.1', '--infile', f'{stem}.pem')
    tool('certtool', '--key-info', '--infile', f'{stem}.key')


def test_passphrase_may_be_given(ca, tmp_path):
    secret = tmp_path / 'secret'
    secret.write_text('open sesame\nsecond line\n')
    secret.chmod(0o600)
    stem = issue(ca, tmp_path / 'a', '--p12-passphrase-file', secret)
    certs.openssl('pkcs12', '-in', f'{stem}.p12', '-passin', 'pass:open sesame', '-noout')
    assert not (tmp_path / 'a.p12.pass').exists()
    ended = daemons.run('ca', 'issue', '--dir', ca, '--client', 'b', '--out', tmp_path / 'b',
                        '--p12-passphrase-env', 'SECRET', env={'SECRET': 'äöü'})
    assert ended.returncode == 0
    certs.openssl('pkcs12', '-in', tmp_path / 'b.p12', '-passin', 'pass:äöü', '-noout')


def test_generated_passphrases_differ_and_are_private(ca, tmp_path):
    seen = set()
    for number in range(3):
        issue(ca, tmp_path / str(number))
        path = tmp_path / f'{number}.p12.pass'
        assert path.stat().st_mode & 0o777 == 0o600
        seen.add(path.read_text())
    assert len(seen) == 3
    assert all(len(one.strip()) == 29 for one in seen)


def test_curl_comes_with_it(ca, pki, handfast, backend, port, tmp_path):
    stem = issue(ca, tmp_path / 'a')
    config = configs.server_side(pki, port, backend(answer_http))
    config['trust']['clients'] = {'roots': str(ca / 'root.pem')}
    daemon = handfast(config)
    secret = (tmp_path / 'a.p12.pass').read_text().strip()
    answer = tool('curl', '--silent', '--show-error', '--noproxy', '*', '--cacert',
                  pki.servers.root.cert, '--cert-type', 'P12', '--cert', f'{stem}.p12:{secret}',
                  '--connect-to', f'server.example:{port}:127.0.0.1:{port}',
                  f'https://server.example:{port}/')
    assert answer == 'hello'
    assert daemon.log.wait(event='handshake', result='accepted')['identity'] == 'alice'


def test_requests_of_others_are_certified(ca, tmp_path):
    """Keys that we never see: requests by openssl and by certtool."""
    key = certs.make_key(tmp_path / 'o.key', 'ed25519')
    by_openssl = tmp_path / 'o.csr'
    by_openssl.write_bytes(certs.openssl('req', '-new', '-key', key, '-subj', '/CN=root', '-addext',
                                         'subjectAltName=DNS:evil.example'))
    tool('certtool', '--generate-privkey', '--key-type', 'rsa', '--outfile', tmp_path / 'g.key')
    (tmp_path / 'g.cfg').write_text('cn = "root"\n')
    tool('certtool', '--generate-request', '--load-privkey', tmp_path / 'g.key', '--template',
         tmp_path / 'g.cfg', '--outfile', tmp_path / 'g.csr')
    for stem in ('o', 'g'):
        ended = daemons.run('ca', 'issue', '--dir', ca, '--client', 'bob', '--csr',
                            tmp_path / f'{stem}.csr', '--out', tmp_path / f'{stem}-cert')
        assert ended.returncode == 0, ended.stderr
        assert 'were not copied' in ended.stderr
        cert = tmp_path / f'{stem}-cert.pem'
        assert certs.openssl('x509', '-noout', '-subject', '-in', cert).decode() == 'subject=CN = bob\n'
        assert 'evil' not in certs.openssl('x509', '-noout', '-text', '-in', cert).decode()
        assert (certs.openssl('x509', '-noout', '-pubkey', '-in', cert) ==
                certs.openssl('pkey', '-pubout', '-in', tmp_path / f'{stem}.key'))
        assert not (tmp_path / f'{stem}-cert.key').exists()
        assert not (tmp_path / f'{stem}-cert.p12').exists()

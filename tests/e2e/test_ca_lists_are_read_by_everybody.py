# SPDX-License-Identifier: Apache-2.0
"""Delta and sharded lists, requests and files of a CA in programs of others: OpenSSL, GnuTLS, Java, nginx
and HAProxy. NSS takes full lists alone, which test_ca_revocations_reach_everybody has."""

import subprocess

import pytest

from harness import backends, cas, certs, clients, waiting

from test_ca_revocations_reach_everybody import Served, openssl, serial_of



def tool(*words, **more):
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=120, **more)
    assert made.returncode == 0, f'{words}: {made.stdout}{made.stderr}'
    return made.stdout + made.stderr


@pytest.fixture
def served(handfast, ports, tmp_path):
    return lambda init=(), **ca: Served(handfast, ports, tmp_path, init, **ca)


def save(ca, name, folder):
    """A list as it is served, in DER and PEM."""
    path = folder / 'lists' / f'{name}.crl'
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(ca.crl(name))
    openssl('crl', '-inform', 'DER', '-in', path, '-out', path.with_suffix('.pem'))
    return path


def java_reads(path):
    """keytool is Java's own parser of lists."""
    return tool('keytool', '-printcrl', '-file', path)


def test_a_delta(served, tmp_path):
    ca = served(**{'delta-lifetime': '10m'})
    waiting.until(lambda: ca.get('/crl/issuing-delta.crl').status == 200)
    full = save(ca, 'issuing', tmp_path)
    ca.revoke(ca.bob, '--reason', 'keyCompromise')
    ca.wait_crl(serial_of(ca.bob), 'issuing-delta')
    delta, serial = save(ca, 'issuing-delta', tmp_path), serial_of(ca.bob)
    assert serial not in openssl('crl', '-inform', 'DER', '-in', full, '-noout', '-text')
    # OpenSSL: the full list alone knows nothing, both together do.
    lists = tmp_path / 'lists.pem'
    check = ['verify', '-crl_check', '-CAfile', ca.roots, '-untrusted', ca.issuing, '-CRLfile', lists]
    lists.write_text(full.with_suffix('.pem').read_text())
    assert 'OK' in openssl(*check, ca.bob.cert)
    lists.write_text(full.with_suffix('.pem').read_text() + delta.with_suffix('.pem').read_text())
    with_deltas = [*check[:1], '-extended_crl', '-use_deltas', *check[1:]]
    assert 'certificate revoked' in openssl(*with_deltas, ca.bob.cert, good=False)
    assert 'OK' in openssl(*with_deltas, ca.alice.cert)
    # GnuTLS, Java
    shown = tool('certtool', '--crl-info', '--inder', '--infile', delta)
    assert serial.lower() in shown.replace(':', '').lower()
    tool('certtool', '--verify-crl', '--load-ca-certificate', ca.issuing, '--infile', delta.with_suffix('.pem'))
    assert '2.5.29.27' in java_reads(delta)


def test_shards(served, ports, tmp_path):
    ca = served(init=['--shards', '3'])
    ca.revoke(ca.bob)
    place = openssl('x509', '-in', ca.bob.cert, '-noout', '-ext', 'crlDistributionPoints')
    shard = place.split('/crl/')[1].split('.crl')[0]
    ca.wait_crl(serial_of(ca.bob), shard)
    names = [f'issuing-{number}' for number in range(3)]
    for name in names:
        waiting.until(lambda name=name: ca.get(f'/crl/{name}.crl').status == 200)
    files = [save(ca, name, tmp_path) for name in names]
    # OpenSSL picks the list by the distribution point of each certificate.
    lists = tmp_path / 'lists.pem'
    lists.write_text(''.join(path.with_suffix('.pem').read_text() for path in files))
    check = ['verify', '-crl_check', '-extended_crl', '-CAfile', ca.roots, '-untrusted', ca.issuing,
             '-CRLfile', lists]
    assert 'OK' in openssl(*check, ca.alice.cert)
    assert 'certificate revoked' in openssl(*check, ca.bob.cert, good=False)
    for path in files:
        tool('certtool', '--verify-crl', '--load-ca-certificate', ca.issuing, '--infile',
             path.with_suffix('.pem'))
        assert '2.5.29.28' in java_reads(path)
        shown = java_reads(path).replace(':', '').lower()
        assert (serial_of(ca.bob).lower() in shown) == (path.stem == shard)
    # nginx and HAProxy
    whole = tmp_path / 'ca-chain.pem'
    whole.write_text(ca.roots.read_text() + ca.issuing.read_text())
    for number in range(3):  # the root's own are divided too
        waiting.until(lambda number=number: ca.get(f'/crl/root-{number}.crl').status == 200)
        root = save(ca, f'root-{number}', tmp_path).with_suffix('.pem')
        lists.write_text(lists.read_text() + root.read_text())
    port, both = ports.take(), tmp_path / 'both.pem'
    both.write_text(ca.server.chain.read_text() + ca.server.key.read_text())
    (tmp_path / 'haproxy.cfg').write_text(f'''
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend in
  bind 127.0.0.1:{port} ssl crt {both} ca-file {whole} verify required crl-file {lists}
  http-request return status 200
''')
    process = subprocess.Popen(['haproxy', '-db', '-f', tmp_path / 'haproxy.cfg'], stderr=subprocess.DEVNULL)
    try:
        backends.wait_listening(port, process)
        assert clients.refusal(port, ca.roots, ca.bob) == 'certificate revoked'
    finally:
        process.terminate()
        process.wait(waiting.SECONDS)
    nginx = backends.Nginx(tmp_path / 'nginx', ports.take(), ca.server, whole, f'ssl_crl {lists};')
    try:
        with clients.connect(nginx.port, ca.roots, ca.bob) as connection:
            connection.sendall(b'GET / HTTP/1.0\r\nHost: server.example\r\n\r\n')
            assert clients.read_to_end(connection).split(b' ')[1] == b'400'
    finally:
        nginx.close()


@pytest.mark.parametrize('form', [(), ('--p12-legacy',)], ids=['modern', 'legacy'])
def test_pkcs12_in_java(tmp_path, form):
    ca = cas.Ca(tmp_path / 'ca')
    ca.good('issue', '--client', 'alice', '--out', tmp_path / 'alice', *form)
    secret = (tmp_path / 'alice.p12.pass').read_text().strip()
    shown = tool('keytool', '-list', '-v', '-keystore', tmp_path / 'alice.p12', '-storepass', secret)
    assert 'PrivateKeyEntry' in shown and 'Certificate chain length: 3' in shown
    made = tool('keytool', '-certreq', '-alias', 'alice', '-keystore', tmp_path / 'alice.p12', '-storepass',
                secret)
    assert 'BEGIN NEW CERTIFICATE REQUEST' in made  # signed with the key in it


def test_requests_of_cas(tmp_path):
    ca = cas.Ca(tmp_path / 'ca', init=['--issuing-only'])
    path = ca.folder / 'issuing.csr'
    assert 'verify OK' in openssl('req', '-in', path, '-noout', '-verify', '-text')
    assert 'CN=Example Issuing CA' in tool('certtool', '--crq-info', '--infile', path)
    assert 'Example Issuing CA' in tool('keytool', '-printcertreq', '-file', path)


def test_pkcs7_in_pem(tmp_path):
    ca = cas.Ca(tmp_path / 'ca')
    ca.good('issue', '--client', 'alice', '--out', tmp_path / 'alice', '--format', 'pkcs7-pem')
    found = [path for path in tmp_path.iterdir() if path.is_file()
             and b'BEGIN PKCS7' in path.read_bytes()]
    assert len(found) == 1
    text = certs.openssl('pkcs7', '-in', found[0], '-print_certs').decode()
    assert text.count('BEGIN CERTIFICATE') == 3
    assert 'Number of certificates: 3' in tool('certtool', '--p7-info', '--infile', found[0])

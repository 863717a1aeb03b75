# SPDX-License-Identifier: Apache-2.0
"""handfast ca: what it makes verifies with openssl, loads in gnutls and curl, and serves."""

import subprocess

import pytest

from harness import certs, clients, configs, daemon as daemons

pytestmark = pytest.mark.quick


def handfast_ca(*words):
    ended = daemons.run('ca', *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def ca(tmp_path):
    folder = tmp_path / 'ca'
    handfast_ca('init', '--dir', folder, '--name', 'Example')
    return folder


@pytest.fixture
def issue(ca, tmp_path):
    def make(kind, name, *more):
        stem = tmp_path / name.replace('.', '-')
        handfast_ca('issue', '--dir', ca, f'--{kind}', name, '--out', stem, *more)
        return certs.Leaf(name, stem.with_suffix('.pem'), stem.with_suffix('.pem'),
                          stem.with_suffix('.key'))
    return make


def test_openssl_verifies_the_chain(ca, issue):
    server = issue('server', 'www.example', '--san', 'DNS:other.example', '--san', 'IP:127.0.0.1')
    client = issue('client', 'alice')
    root = ca / 'root.pem'
    for leaf, purpose in ((server, 'sslserver'), (client, 'sslclient')):
        certs.openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', root,
                      '-untrusted', leaf.cert, leaf.cert)
    text = server.field('-ext', 'subjectAltName')
    for name in ('DNS:www.example', 'DNS:other.example', 'IP Address:127.0.0.1'):
        assert name in text
    wrong = subprocess.run(['openssl', 'verify', '-purpose', 'sslserver', '-CAfile', root,
                            '-untrusted', client.cert, client.cert], capture_output=True, check=False)
    assert wrong.returncode != 0, 'a client certificate is good for a server'


def test_days(issue):
    leaf = issue('client', 'brief', '--days', '2')
    certs.openssl('x509', '-checkend', str(86400), '-noout', '-in', leaf.cert)
    short = subprocess.run(['openssl', 'x509', '-checkend', str(3 * 86400), '-noout', '-in',
                            leaf.cert], capture_output=True, check=False)
    assert short.returncode == 1


def test_pkcs12_opens_with_openssl_and_curl(issue, handfast, echo, ca, port):
    server, client = issue('server', 'server.example'), issue('client', 'alice')
    bundle = client.cert.with_suffix('.p12')
    passphrase = bundle.with_suffix('.p12.pass')
    listed = certs.openssl('pkcs12', '-in', bundle, '-passin', f'file:{passphrase}', '-nodes')
    assert listed.count(b'BEGIN CERTIFICATE') >= 2 and b'PRIVATE KEY' in listed
    daemon = handfast(config_of(ca, server, echo, port))
    clients.curl(port, '--cert-type', 'P12', '--cert',
                 f'{bundle}:{passphrase.read_text().strip()}', '--http0.9', '--max-time', 1,
                 roots=ca / 'root.pem')
    assert daemon.log.wait(event='handshake', result='accepted')['identity'] == 'alice'


def test_private_keys_are_ours_alone(ca, issue, tmp_path):
    issue('server', 'www.example')
    for path in [*ca.rglob('*'), *tmp_path.iterdir()]:
        if path.name == 'ca.db' or (path.is_file() and b'PRIVATE KEY' in path.read_bytes()):
            assert path.stat().st_mode & 0o077 == 0, path


def test_init_does_not_overwrite(ca):
    before = (ca / 'root.pem').read_bytes()
    ended = daemons.run('ca', 'init', '--dir', ca, '--name', 'Another')
    assert ended.returncode == 1
    assert str(ca) in ended.stderr
    assert (ca / 'root.pem').read_bytes() == before


def config_of(ca, server, backend, port):
    return {
        'identities': {'server': configs.identity(server)},
        'trust': {'clients': {'roots': str(ca / 'root.pem')}},
        'listeners': {'in': {'listen': [f'127.0.0.1:{port}'], 'identities': ['server'],
                             'trust': 'clients', 'to': 'app'}},
        'upstreams': {'app': {'servers': [backend.address]}},
    }


def test_serves_a_proxy(ca, issue, handfast, echo, port):
    server, alice = issue('server', 'server.example'), issue('client', 'alice')
    daemon = handfast(config_of(ca, server, echo, port))
    with clients.connect(port, ca / 'root.pem', alice) as client:
        clients.exchange(client)
    assert daemon.log.wait(event='handshake', result='accepted')['identity'] == 'alice'
    assert clients.gnutls_cli(port, roots=ca / 'root.pem', leaf=alice, stdin=b'').returncode == 0


def test_expired_on_purpose_is_refused(ca, issue, handfast, echo, port):
    server = issue('server', 'server.example')
    old = issue('client', 'old', '--not-before', '2024-01-01', '--not-after', '2024-03-31')
    handfast(config_of(ca, server, echo, port))
    assert clients.refusal(port, ca / 'root.pem', old) == 'certificate expired'

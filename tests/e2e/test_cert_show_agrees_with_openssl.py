# SPDX-License-Identifier: Apache-2.0
"""handfast cert show: any certificate, chain, key, request, CRL or PKCS#12, held against openssl."""

import json

import pytest

from harness import certs, daemon as daemons

pytestmark = pytest.mark.quick


def show(path, *words, env=None):
    ended = daemons.run('cert', 'show', path, '--json', *words, env=env)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)['objects']


def test_certificate(pki):
    leaf, = show(pki.alice.cert)
    assert leaf['kind'] == 'certificate'
    assert leaf['subject'] == pki.alice.field('-subject', '-nameopt', 'RFC2253')
    assert leaf['issuer'] == pki.alice.field('-issuer', '-nameopt', 'RFC2253')
    assert leaf['serial'] == pki.alice.serial
    print_ = pki.alice.field('-fingerprint', '-sha256').replace(':', '').lower()
    assert leaf['sha256'] == print_
    assert 'spiffe://example.org/alice' in json.dumps(leaf['names'])


def test_der_is_recognised(pki, tmp_path):
    der = tmp_path / 'leaf.bin'
    certs.openssl('x509', '-in', pki.alice.cert, '-outform', 'DER', '-out', der)
    assert show(der)[0]['serial'] == pki.alice.serial


def test_chain(pki):
    leaf, ca = show(pki.alice.chain)
    assert leaf['issuer'] == ca['subject']
    assert ca['ca'] is True


def test_keys(pki, tmp_path):
    plain, = show(pki.alice.key)
    assert 'key' in plain['kind']
    leaf, = show(pki.alice.cert)
    assert plain['key_sha256'] == leaf['key_sha256']
    encrypted = pki.clients.client('locked').encrypted_key('secret')
    assert 'key_sha256' not in json.dumps(show(encrypted)), 'no passphrase was given'
    opened, = show(encrypted, '--passphrase-env', 'PASS', env={'PASS': 'secret'})
    assert opened['key_sha256']
    assert pki.alice.key.read_text().splitlines()[1] not in json.dumps(plain), 'the key itself'


def test_request(pki, tmp_path):
    request = tmp_path / 'r.csr'
    certs.openssl('req', '-new', '-key', pki.alice.key, '-subj', '/O=Example/CN=dora', '-addext',
                  'subjectAltName=DNS:dora.example', '-out', request)
    made, = show(request)
    assert made['subject'] == 'CN=dora,O=Example'
    assert 'dora.example' in json.dumps(made)


def test_crl(pki, tmp_path):
    folder = tmp_path / 'ca'
    folder.mkdir()
    (folder / 'index.txt').touch()
    (folder / 'crlnumber').write_text('01\n')
    config = folder / 'ca.cnf'
    config.write_text(certs.CA_CONFIG.format(folder=folder, cert=pki.clients.root.cert,
                                             key=pki.clients.root.key, extensions=''))
    crl = tmp_path / 'list.crl'
    common = ['ca', '-config', config, '-crldays', '30']
    certs.openssl(*common, '-revoke', pki.alice.cert)
    certs.openssl(*common, '-gencrl', '-out', crl)
    made, = show(crl)
    assert made['kind'] == 'CRL'
    assert made['issuer'] == 'CN=clients root,O=Handfast tests'
    assert made['entries'] == 1


def test_pkcs12(pki, tmp_path):
    bundle = pki.alice.pkcs12('secret', tmp_path / 'alice.p12')
    shown = show(bundle, '--passphrase-env', 'PASS', env={'PASS': 'secret'})
    assert pki.alice.serial in json.dumps(shown)
    wrong = daemons.run('cert', 'show', bundle, '--passphrase-env', 'PASS', env={'PASS': 'wrong'})
    assert wrong.returncode == 1
    assert 'passphrase' in wrong.stdout + wrong.stderr


@pytest.mark.parametrize('contents', [b'', b'hello', b'\0' * 100, b'-----BEGIN CERTIFICATE-----\n'])
def test_what_is_nothing(tmp_path, contents):
    path = tmp_path / 'nothing'
    path.write_bytes(contents)
    ended = daemons.run('cert', 'show', path)
    assert ended.returncode == 1
    assert str(path) in ended.stdout + ended.stderr


def test_every_prefix_of_a_certificate(pki, tmp_path):
    """Nothing but a complaint may come of a file that was cut."""
    der = certs.openssl('x509', '-in', pki.alice.cert, '-outform', 'DER')
    path = tmp_path / 'cut'
    for size in range(1, len(der), 23):
        path.write_bytes(der[:size])
        assert daemons.run('cert', 'show', path).returncode == 1, size

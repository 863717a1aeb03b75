# SPDX-License-Identifier: Apache-2.0
"""handfast cert convert: each format in the hands of a program that isn't ours."""

import base64
import subprocess

import pytest
import yaml

from harness import certs, daemon as daemons

pytestmark = pytest.mark.quick

KINDS = ['p256', 'p384', 'ed25519', 'rsa2048']
PASS = {'PASS': 'changeit'}


def convert(*words, env=None):
    return daemons.run('cert', 'convert', *words, env=env)


def tool(*words, **more):
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)
    assert made.returncode == 0, f'{words}: {made.stderr}{made.stdout}'
    return made.stdout


@pytest.fixture(params=KINDS)
def made(request, tmp_path):
    """PREFIX of a certificate with its issuer, and a key: PREFIX.pem and PREFIX.key."""
    return certificate(tmp_path, request.param)


def certificate(folder, kind='p256'):
    algorithm = {'p256': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
                 'p384': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
                 'ed25519': ['ED25519'], 'rsa2048': ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048']}
    stem = folder / 'alice'
    for name in ('root', 'alice'):
        certs.openssl('genpkey', '-algorithm', *algorithm[kind], '-out', folder / f'{name}.key')
    certs.openssl('req', '-x509', '-key', folder / 'root.key', '-subj', '/CN=Root', '-days', '30',
                  '-out', folder / 'root.pem')
    certs.openssl('req', '-new', '-key', f'{stem}.key', '-subj', '/CN=alice', '-out', f'{stem}.csr')
    certs.openssl('x509', '-req', '-in', f'{stem}.csr', '-CA', folder / 'root.pem', '-CAkey',
                  folder / 'root.key', '-days', '20', '-out', f'{stem}.leaf')
    (folder / 'alice.pem').write_text((folder / 'alice.leaf').read_text() +
                                      (folder / 'root.pem').read_text())
    return stem


def public(path, *words):
    return certs.openssl('pkey', '-in', path, '-pubout', *words)


def test_pkcs12_by_openssl_gnutls_nss_and_java(made, tmp_path):
    for form in ('pkcs12', 'pkcs12-legacy'):
        out = tmp_path / f'{form}.p12'
        ended = convert(f'{made}.pem', f'{made}.key', '--to', form, '--name', 'alice', '--out', out,
                        '--out-passphrase-env', 'PASS', env=PASS)
        assert ended.returncode == 0, ended.stderr
        assert out.stat().st_mode & 0o777 == 0o600
        text = certs.openssl('pkcs12', '-in', out, '-passin', 'pass:changeit', '-nodes').decode()
        assert text.count('BEGIN CERTIFICATE') == 2
        (tmp_path / 'back.key').write_text(text)
        assert public(tmp_path / 'back.key') == public(f'{made}.key')
        assert tool('certtool', '--p12-info', '--inder', '--infile', out, '--password',
                    'changeit').count('BEGIN CERTIFICATE') == 2
        listed = tool('keytool', '-list', '-keystore', out, '-storepass', 'changeit')
        assert 'PrivateKeyEntry' in listed
        assert 'alice' in listed


def test_pkcs7_by_openssl_and_gnutls(made, tmp_path):
    for form, inform in (('pkcs7', 'DER'), ('pkcs7-pem', 'PEM')):
        out = tmp_path / f'{form}.p7b'
        assert convert(f'{made}.pem', '--to', form, '--out', out).returncode == 0
        text = certs.openssl('pkcs7', '-inform', inform, '-in', out, '-print_certs').decode()
        assert text.count('BEGIN CERTIFICATE') == 2
        shown = tool('certtool', '--p7-info', '--infile', out,
                     *(['--inder'] if inform == 'DER' else []))
        assert 'Number of certificates: 2' in shown


def test_java_trusts_what_is_in_a_truststore(made, tmp_path):
    out = tmp_path / 'trust.p12'
    ended = convert(tmp_path / 'root.pem', '--to', 'truststore', '--name', 'example', '--out', out,
                    '--out-passphrase-env', 'PASS', env=PASS)
    assert ended.returncode == 0, ended.stderr
    listed = tool('keytool', '-list', '-keystore', out, '-storepass', 'changeit')
    assert 'example, ' in listed
    assert 'trustedCertEntry' in listed
    # and -importcert believes a certificate that chains up to it, without asking
    store = tmp_path / 'mine.p12'
    tool('keytool', '-importkeystore', '-srckeystore', out, '-srcstorepass', 'changeit',
         '-destkeystore', store, '-deststorepass', 'changeit')
    tool('keytool', '-importcert', '-alias', 'alice', '-file', f'{made}.leaf', '-keystore', store,
         '-storepass', 'changeit')


def test_ssh_keygen_reads_private_and_public_keys(made, tmp_path):
    key = tmp_path / 'id'
    ended = convert(f'{made}.pem', f'{made}.key', '--to', 'openssh', '--name', 'alice@host', '--out',
                    key)
    assert ended.returncode == 0, ended.stderr
    line = tool('ssh-keygen', '-y', '-f', key).split()
    out = convert(f'{made}.leaf', '--to', 'openssh', '--name', 'alice@host').stdout.split()
    assert out[:2] == line[:2]
    assert out[2] == 'alice@host'
    # what ssh-keygen makes of it in PEM is the key that it was
    key.chmod(0o600)
    if line[0] != 'ssh-ed25519':  # ssh-keygen has no other format for it
        tool('ssh-keygen', '-p', '-N', '', '-m', 'PKCS8', '-f', key)
        assert public(key) == public(f'{made}.key')


def test_kubernetes_secret(made, tmp_path):
    ended = convert(f'{made}.key', f'{made}.leaf', '--root', tmp_path / 'root.pem', '--to',
                    'kubernetes', '--name', 'web.tls')
    assert ended.returncode == 0, ended.stderr
    secret = yaml.safe_load(ended.stdout)
    assert (secret['kind'], secret['type'], secret['apiVersion']) == ('Secret', 'kubernetes.io/tls',
                                                                      'v1')
    assert secret['metadata'] == {'name': 'web.tls'}
    data = {name: base64.b64decode(value, validate=True).decode()
            for name, value in secret['data'].items()}
    assert data['tls.crt'] == (tmp_path / 'alice.leaf').read_text()
    assert data['ca.crt'] == (tmp_path / 'root.pem').read_text()
    (tmp_path / 'tls.key').write_text(data['tls.key'])
    assert public(tmp_path / 'tls.key') == public(f'{made}.key')


def test_pem_and_der_round(made, tmp_path):
    # from PKCS#12 back to PEM, encrypted, and a DER of the leaf
    p12 = tmp_path / 'a.p12'
    certs.openssl('pkcs12', '-export', '-in', f'{made}.pem', '-inkey', f'{made}.key', '-passout',
                  'pass:other', '-out', p12)
    out = tmp_path / 'out.pem'
    ended = convert(p12, '--to', 'pem', '--out', out, '--passphrase-env', 'IN',
                    '--out-passphrase-env', 'PASS', env=PASS | {'IN': 'other'})
    assert ended.returncode == 0, ended.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    assert 'ENCRYPTED PRIVATE KEY' in out.read_text()
    assert public(out, '-passin', 'pass:changeit') == public(f'{made}.key')
    der = tmp_path / 'leaf.cer'
    assert convert(f'{made}.pem', '--to', 'der', '--out', der).returncode == 0
    assert certs.openssl('x509', '-inform', 'DER', '-in', der) == (tmp_path / 'alice.leaf').read_bytes()


def test_the_leaf_of_the_key_comes_first(tmp_path):
    stem = certificate(tmp_path)
    ended = convert(tmp_path / 'root.pem', f'{stem}.key', f'{stem}.leaf', '--to', 'pkcs7-pem')
    text = subprocess.run(['openssl', 'pkcs7', '-print_certs', '-noout'], input=ended.stdout,
                          capture_output=True, text=True, check=True).stdout
    assert text.index('subject=CN = alice') < text.index('subject=CN = Root')


@pytest.mark.parametrize('words, says', [
    (['alice.pem', '--to', 'pkcs12'], 'private key'),
    (['alice.pem', 'alice.key', '--to', 'pkcs12'], 'a passphrase'),
    (['root.pem', '--to', 'truststore'], 'passphrase'),
    (['alice.pem', '--to', 'kubernetes'], 'private key'),
    (['alice.pem', 'alice.key', '--to', 'kubernetes', '--name', 'Web_1'], 'name of a Secret'),
    (['alice.leaf', 'root.key', '--to', 'pem'], 'belongs to none'),
    (['alice.key', 'root.key', 'alice.pem', '--to', 'pem'], 'two private keys'),
    (['alice.csr', '--to', 'pem'], 'no certificate and no private key'),
    (['alice.pem', '--to', 'jks'], 'none of pem'),
    (['alice.pem', '--to', 'pem', '--out', 'root.pem'], '--replace'),
])
def test_what_cannot_be_is_said(tmp_path, words, says):
    certificate(tmp_path)
    at = [tmp_path / word if (tmp_path / word).exists() else word for word in words]
    ended = convert(*at)
    assert ended.returncode in (1, 2)
    assert says in ended.stderr
    assert ended.stdout == ''

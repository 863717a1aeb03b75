# SPDX-License-Identifier: Apache-2.0
"""handfast ca issue --format: what Java, NSS, GnuTLS, OpenSSL, OpenSSH and Kubernetes read."""

import base64
import subprocess

import pytest
import yaml

from harness import cas, certs


def tool(*words, **more):
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)
    assert made.returncode == 0, f'{words}: {made.stdout}{made.stderr}'
    return made.stdout


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp('formats')
    ca = cas.Ca(folder / 'ca')
    words = []
    for one in ('der', 'pkcs7', 'truststore', 'openssh', 'kubernetes'):
        words += ['--format', one]
    ca.good('issue', '--server', 'www.example', '--out', folder / 'www', *words)
    return folder / 'www', ca


def test_der(made):
    stem, _ = made
    assert b'www.example' in certs.openssl('x509', '-inform', 'DER', '-in', f'{stem}.cer', '-noout',
                                           '-subject')
    assert 'www.example' in tool('keytool', '-printcert', '-file', f'{stem}.cer')


def test_pkcs7(made):
    stem, _ = made
    text = certs.openssl('pkcs7', '-inform', 'DER', '-in', f'{stem}.p7b', '-print_certs').decode()
    assert text.count('BEGIN CERTIFICATE') == 3
    assert 'Number of certificates: 3' in tool('certtool', '--p7-info', '--inder', '--infile',
                                               f'{stem}.p7b')
    assert 'www.example' in tool('keytool', '-printcert', '-file', f'{stem}.p7b')


def test_truststore_of_java(made):
    stem, ca = made
    secret = stem.with_suffix('.p12.pass').read_text().strip()
    listed = tool('keytool', '-list', '-v', '-keystore', f'{stem}.truststore.p12', '-storepass', secret)
    assert listed.count('Entry type: trustedCertEntry') == 1
    assert 'CN=Example Root CA, O=Example' in listed
    assert b'PRIVATE' not in stem.with_suffix('.truststore.p12').read_bytes()
    pem = tool('keytool', '-exportcert', '-rfc', '-alias', 'www.example', '-keystore',
               f'{stem}.truststore.p12', '-storepass', secret)
    assert pem.split() == ca.roots.read_text().split()


def test_keystore_of_java(made):
    stem, _ = made
    secret = stem.with_suffix('.p12.pass').read_text().strip()
    listed = tool('keytool', '-list', '-v', '-keystore', f'{stem}.p12', '-storepass', secret)
    assert 'Entry type: PrivateKeyEntry' in listed
    assert 'Certificate chain length: 3' in listed


def test_nss_verifies_the_chain(made, tmp_path):
    stem, ca = made
    database = f'sql:{tmp_path}'
    tool('certutil', '-N', '-d', database, '--empty-password')
    tool('certutil', '-A', '-d', database, '-n', 'root', '-t', 'CT,C,C', '-a', '-i', ca.roots)
    blocks = stem.with_suffix('.pem').read_text().split('-----BEGIN CERTIFICATE-----')[1:]
    for number, block in enumerate(blocks):
        path = tmp_path / f'{number}.pem'
        path.write_text('-----BEGIN CERTIFICATE-----' + block)
        tool('certutil', '-A', '-d', database, '-n', f'c{number}', '-t', ',,', '-a', '-i', path)
    assert 'certificate is valid' in tool('certutil', '-V', '-d', database, '-n', 'c0', '-u', 'V')


def test_openssh(made):
    stem, _ = made
    path = stem.with_suffix('.ssh')
    assert path.stat().st_mode & 0o777 == 0o600
    assert tool('ssh-keygen', '-y', '-f', path).startswith('ecdsa-sha2-nistp256 ')


def test_kubernetes(made):
    stem, ca = made
    path = stem.with_suffix('.yaml')
    assert path.stat().st_mode & 0o777 == 0o600
    secret = yaml.safe_load(path.read_text())
    assert (secret['kind'], secret['type'], secret['metadata']['name']) == (
        'Secret', 'kubernetes.io/tls', 'www.example')
    data = {key: base64.b64decode(value) for key, value in secret['data'].items()}
    assert data['tls.crt'] == stem.with_suffix('.pem').read_bytes()
    assert data['ca.crt'] == ca.roots.read_bytes()
    assert b'PRIVATE KEY' in data['tls.key']


def test_formats_that_are_none(tmp_path):
    ca = cas.Ca(tmp_path / 'ca')
    assert 'is none of' in ca.bad('issue', '--client', 'x', '--format', 'jks')
    said = ca.bad('issue', '--client', 'Not A Name', '--format', 'kubernetes', '--out', tmp_path / 'x')
    assert 'name of a Secret' in said
    assert ca.list() == [] and sorted(path.name for path in tmp_path.iterdir()) == ['ca']

# SPDX-License-Identifier: Apache-2.0
"""handfast cert lint: certificates of other programs, with faults and without."""

import json

import pytest

from harness import certs, daemon as daemons

pytestmark = pytest.mark.quick


def lint(*words):
    ended = daemons.run('cert', 'lint', *words, '--json')
    assert ended.returncode in (0, 1), ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def names(result):
    return {finding['name'] for finding in result['findings']}


def selfsigned(folder, *more, key=('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'),
               subject='/CN=a.example.org'):
    path = folder / 'cert.pem'
    certs.openssl('req', '-x509', *key, '-nodes', '-keyout', folder / 'key.pem', '-subj', subject,
                  '-out', path, '-days', '30', *more)
    return path


def test_a_good_certificate_of_openssl_passes(tmp_path):
    path = selfsigned(tmp_path, '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
    status, [result] = lint(path)
    assert status == 0
    assert result['findings'] == []
    assert result['checks'] > 35
    assert result['subject'] == 'CN=a.example.org'


@pytest.mark.parametrize('more, key, subject, check', [
    (['-addext', 'keyUsage=digitalSignature'], None, None, 'key-usage-of-ca'),
    (['-addext', 'nameConstraints=permitted;DNS:a.b', '-addext',
      'keyUsage=critical,keyCertSign'], None, None, 'criticality'),
    (['-addext', 'subjectAltName=DNS:a b', '-addext', 'keyUsage=critical,keyCertSign'], None, None,
     'names-dns'),
    (['-set_serial', '0'], None, None, 'serial-positive'),
    (['-set_serial', '-5'], None, None, 'serial-positive'),
    (['-sha1'], None, None, 'signature-strong'),
    ([], ['-newkey', 'rsa:1024'], None, 'rsa-size'),
    (['-addext', '1.2.3.4=critical,DER:0500'], None, None, 'critical-known'),
    ([], None, '/C=de/CN=x', 'subject-country'),
    (['-addext', 'extendedKeyUsage=serverAuth', '-addext', 'basicConstraints=critical,CA:FALSE',
      '-addext', 'subjectAltName=DNS:*.org'], None, None, 'names-dns'),
])
def test_faults_are_found(tmp_path, more, key, subject, check):
    given = {name: value for name, value in (('key', key), ('subject', subject)) if value}
    status, [result] = lint(selfsigned(tmp_path, *more, **given))
    assert check in names(result)
    assert status == 1


def test_issuers_are_found_in_the_file_or_given(pki, tmp_path):
    alone, (first, *_) = lint(pki.alice.cert)
    assert first['issuer_known'] is False
    _, results = lint(pki.alice.chain)
    assert results[0]['issuer_known'] is True
    _, (leaf, *_) = lint(pki.alice.cert, '--issuer', pki.alice.chain)
    assert leaf['issuer_known'] is True
    assert leaf['checks'] > first['checks']
    other = selfsigned(tmp_path)
    _, (leaf, *_) = lint(pki.alice.cert, '--issuer', other)
    assert leaf['issuer_known'] is False


def test_profiles_are_held_against(tmp_path):
    path = selfsigned(tmp_path)
    status, [result] = lint(path, '--profile', 'user')
    assert status == 1
    assert {'profile-kind', 'profile-extended-key-usage'} <= names(result)
    own = tmp_path / 'own.yaml'
    own.write_text('extends: root\nkeys: [p256]\nkey-usage: [cert-sign]\n')
    status, [result] = lint(path, '--profile', own)
    assert 'profile-key-usage' in names(result)
    own.write_text('extends: root\nkeyz: [p256]\n')
    ended = daemons.run('cert', 'lint', path, '--profile', own)
    assert ended.returncode == 1
    assert f'{own}:2:1: error: unknown key "keyz"' in ended.stderr


def test_all_checks_are_listed():
    ended = daemons.run('cert', 'lint', '--list', '--json')
    checks = json.loads(ended.stdout)
    assert len(checks) >= 40
    assert len({check['name'] for check in checks}) == len(checks)
    assert all(check['source'] and check['says'] for check in checks)

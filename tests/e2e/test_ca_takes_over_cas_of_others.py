# SPDX-License-Identifier: Apache-2.0
"""handfast ca import: what Debian's easy-rsa and `openssl ca` left behind, and what `step-ca export`
writes; afterwards the CA goes on issuing and revoking as the one that it was."""

import base64
import json
import os
import pathlib
import subprocess

import pytest

from harness import cas, certs

EASYRSA = pathlib.Path('/usr/share/easy-rsa/easyrsa')
CONFIG = '''[ca]
default_ca = d
[d]
dir = {dir}
database = $dir/index.txt
new_certs_dir = $dir/newcerts
serial = $dir/serial
crlnumber = $dir/crlnumber
certificate = $dir/cacert.pem
private_key = $dir/private/cakey.pem
default_md = sha256
default_days = 30
default_crl_days = 30
policy = p
unique_subject = no
[p]
commonName = optional
organizationName = optional
organizationalUnitName = optional
emailAddress = optional
'''


def run(*words, **more):
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)
    assert made.returncode == 0, f'{words}: {made.stdout}{made.stderr}'
    return made.stdout


class OpensslCa:
    """The folder that people have had for twenty years."""

    def __init__(self, folder):
        self.folder = folder
        for name in ('newcerts', 'private', 'given'):
            (folder / name).mkdir(parents=True)
        (folder / 'index.txt').touch()
        (folder / 'serial').write_text('1000\n')
        (folder / 'crlnumber').write_text('2A\n')
        (folder / 'ca.cnf').write_text(CONFIG.format(dir=folder))
        run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', folder / 'private/cakey.pem', '-out', folder / 'cacert.pem', '-subj',
            '/O=Old/CN=Old CA', '-days', '900')

    def ca(self, *words):
        return run('openssl', 'ca', '-config', self.folder / 'ca.cnf', '-batch', '-utf8',
                   '-multivalue-rdn', *words)

    def issue(self, name, subject, *words):
        stem = self.folder / 'given' / name
        run('openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', f'{stem}.key', '-out', f'{stem}.csr', '-utf8', '-multivalue-rdn', '-subj', subject)
        self.ca('-notext', '-in', f'{stem}.csr', '-out', f'{stem}.pem', *words)
        return stem.with_suffix('.pem')


def statuses(ca):
    return {row['name']: row['status'] for row in ca.list()}


def test_openssl_ca(tmp_path):
    old = OpensslCa(tmp_path / 'old')
    subjects = {
        'plain': '/CN=plain', 'held': '/CN=held', 'bad': '/CN=bad/O=Räuber & Söhne',
        'odd': '/CN=a\\/b, "c" <d>;e=f/OU=#x', 'multi': '/CN=multi+OU=two/O=x', 'nameless': '/O=no CN',
    }
    files = {name: old.issue(name, subject) for name, subject in subjects.items()}
    old.issue('gone', '/CN=gone', '-startdate', '20200101000000Z', '-enddate', '20200201000000Z')
    old.ca('-revoke', files['bad'], '-crl_reason', 'keyCompromise')
    old.ca('-revoke', files['held'], '-crl_hold', 'holdInstructionReject')
    old.ca('-updatedb')
    old.ca('-gencrl', '-out', old.folder / 'crl.pem')
    lines = (old.folder / 'index.txt').read_text().splitlines()
    assert sorted(line[0] for line in lines) == ['E', 'R', 'R', 'V', 'V', 'V', 'V']
    # A line without its certificate, with what is meant for terminals.
    with (old.folder / 'index.txt').open('a') as index:
        index.write('V\t491221094301Z\t\t2000\tunknown\t/CN=ev\x1b[31mil\n')

    ca = cas.Ca(tmp_path / 'ca', name=None)
    said = ca.good('import', '--from', old.folder)
    assert '1 CAs, 1 keys, 8 certificates, 2 revocations' in said
    assert 'of 1 more only the serial number is known' in said
    found = statuses(ca)
    assert found.pop('/CN=ev\\x1b[31mil') == 'good'
    assert found == {'plain': 'good', 'held': 'held', 'bad': 'revoked', 'a/b, "c" <d>;e=f': 'good',
                     'multi': 'good', 'O=no CN': 'good', 'gone': 'good'}
    assert '\x1b' not in ca.good('list') + ca.good('audit list')
    again = ca.good('import', '--from', old.folder)
    assert '0 CAs, 0 keys, 0 certificates, 0 revocations' in again
    ca.good('audit verify')

    # It goes on: lists with higher numbers and the old entries, certificates below the old root.
    lists = tmp_path / 'lists'
    lists.mkdir()
    ca.good('crl', '--out', lists, '--pem')
    shown = certs.openssl('crl', '-in', lists / 'old-ca.crl', '-noout', '-text').decode()
    assert {'1001', '1002'} == {line.split()[-1] for line in shown.splitlines() if 'Serial Number' in line}
    assert 'Key Compromise' in shown and 'Certificate Hold' in shown
    number = certs.openssl('crl', '-in', lists / 'old-ca.crl', '-noout', '-crlnumber').decode()
    assert int(number.split('=')[1], 16) > 0x2a
    said = ca.bad('issue', '--client', 'zoe', '--out', tmp_path / 'zoe')
    assert 'make one (handfast ca authority make), or name a root' in said
    zoe = ca.issue('client', 'zoe', '--authority', 'old-ca')
    certs.openssl('verify', '-CAfile', old.folder / 'cacert.pem', zoe.cert)
    ca.good('revoke', '--cert', files['plain'], '--reason', 'superseded')
    ca.good('release', '--cert', files['held'])
    assert 'revoked' in ca.bad('revoke', '--cert', files['bad'], '--reason', 'superseded')
    ca.good('authority make', 'issuing', '--parent', 'old-ca', '--subject', 'CN=New Issuing CA,O=Old')
    amy = ca.issue('client', 'amy')
    certs.openssl('verify', '-CAfile', old.folder / 'cacert.pem', '-untrusted', amy.cert, amy.cert)


def test_easy_rsa(tmp_path):
    if not EASYRSA.exists():
        pytest.skip('there is no easy-rsa here')
    pki = tmp_path / 'pki'
    env = {**os.environ, 'EASYRSA_BATCH': '1', 'EASYRSA_PKI': str(pki), 'EASYRSA': str(EASYRSA.parent),
           'EASYRSA_PASSIN': 'pass:old secret', 'EASYRSA_PASSOUT': 'pass:old secret',
           'EASYRSA_REQ_CN': 'Easy CA'}
    run(EASYRSA, 'init-pki', env=env)
    run(EASYRSA, 'build-ca', env=env)
    env.pop('EASYRSA_REQ_CN')
    for kind, name in (('client', 'alice'), ('client', 'bob'), ('server', 'vpn.example.org')):
        run(EASYRSA, f'build-{kind}-full', name, 'nopass', env=env)
    run(EASYRSA, 'revoke', 'bob', 'keyCompromise', env=env)
    run(EASYRSA, 'gen-crl', env=env)
    passphrase = tmp_path / 'old.pass'
    passphrase.write_text('old secret\n')
    passphrase.chmod(0o600)

    ca = cas.Ca(tmp_path / 'ca', name=None)
    said = ca.bad('import', '--from', pki)
    assert 'passphrase' in said
    assert not (tmp_path / 'ca' / 'root.pem').exists()
    ca.good('import', '--from', pki, '--from-passphrase-file', passphrase, '--passphrase-file', passphrase)
    assert statuses(ca) == {'alice': 'good', 'bob': 'revoked', 'vpn.example.org': 'good'}
    dora = ca.issue('client', 'dora', '--authority', 'easy-ca', '--passphrase-file', passphrase)
    certs.openssl('verify', '-CAfile', pki / 'ca.crt', dora.cert)


def self_made(folder, name, subject, issuer=None):
    """A CA by openssl: (certificate, key)."""
    key, cert = folder / f'{name}.key', folder / f'{name}.pem'
    run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key)
    request = run('openssl', 'req', '-new', '-key', key, '-subj', subject)
    extensions = folder / f'{name}.ext'
    extensions.write_text('basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n'
                          'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n')
    by = ['-CA', issuer[0], '-CAkey', issuer[1], '-CAcreateserial'] if issuer else ['-signkey', key]
    run('openssl', 'x509', '-req', '-days', '900', '-extfile', extensions, '-out', cert, *by, input=request)
    return cert, key


def test_step_ca_export(tmp_path):
    """As its documentation describes it: the configuration, and the files that it names, in base64."""
    root = self_made(tmp_path, 'root_ca', '/O=Step/CN=Step Root CA')
    intermediate = self_made(tmp_path, 'intermediate_ca', '/O=Step/CN=Step Intermediate CA', root)
    secret = tmp_path / 'secret'
    run('openssl', 'ec', '-in', intermediate[1], '-out', secret, '-aes256', '-passout', 'pass:step')
    path, files = tmp_path / 'export.json', {'certs/root_ca.crt': root[0], 'secrets/key': secret,
                                            'certs/intermediate_ca.crt': intermediate[0]}
    path.write_text(json.dumps({
        'root': ['certs/root_ca.crt'], 'crt': 'certs/intermediate_ca.crt', 'key': 'secrets/key',
        'intermediate': 'certs/intermediate_ca.crt', 'intermediateKey': 'secrets/key',
        'address': ':443', 'dnsNames': ['ca.example'], 'authority': {'provisioners': []},
        'files': {name: base64.b64encode(file.read_bytes()).decode() for name, file in files.items()}}))
    passphrase = tmp_path / 'pass'
    passphrase.write_text('step\n')
    passphrase.chmod(0o600)
    ca = cas.Ca(tmp_path / 'ca', name=None)
    assert 'passphrase' in ca.bad('import', '--from', path)
    ca.good('import', '--from', path, '--from-passphrase-file', passphrase)
    zoe = ca.issue('client', 'zoe')
    certs.openssl('verify', '-CAfile', root[0], '-untrusted', zoe.cert, zoe.cert)


@pytest.mark.parametrize('harm', ['cut', 'not-json', 'empty', 'missing'])
def test_what_is_none_of_these_is_refused_and_nothing_is_made(tmp_path, harm):
    path = tmp_path / 'export.json'
    if harm != 'missing':
        path.write_text({'cut': '{"root": "a", "files": {', 'not-json': 'hello', 'empty': ''}[harm])
    ca = cas.Ca(tmp_path / 'ca', name=None)
    said = ca.bad('import', '--from', path)
    assert str(path) in said
    assert not (tmp_path / 'ca').exists() or not any((tmp_path / 'ca').iterdir()) or ca.list() == []

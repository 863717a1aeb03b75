# SPDX-License-Identifier: Apache-2.0
"""handfast cert show on files that openssl and certtool made, whatever they are called."""

import json
import subprocess

import pytest

from harness import certs, daemon as daemons, der

pytestmark = pytest.mark.quick


def show(path, *words, status=0):
    ended = daemons.run('cert', 'show', path, *words)
    assert ended.returncode == status, ended
    return ended.stdout if status == 0 else ended.stderr


def tree(path, *words, status=0):
    ended = daemons.run('cert', 'show', path, '--json', *words)
    assert ended.returncode == status, ended
    return json.loads(ended.stdout)


def test_chain_in_words(pki):
    text = show(pki.server.chain)
    assert text.startswith(f'{pki.server.chain}: 2 certificates in PEM\n')
    assert 'a server certificate for server.example and 1 more' in text
    assert 'an intermediate CA certificate' in text
    assert 'IP:127.0.0.1' in text
    assert 'chain: leads to "CN=servers root,O=Handfast tests", which is not in the file' in text
    assert 'problem' not in text


def test_fingerprints_are_those_of_openssl(pki):
    shown = tree(pki.alice.cert)['objects'][0]
    assert shown['sha256'] == pki.alice.field('-fingerprint', '-sha256').replace(':', '').lower()
    assert shown['serial'] == pki.alice.serial
    assert shown['spiffe_id'] == 'spiffe://example.org/alice'


def test_expired(pki):
    shown = tree(pki.expired.cert)
    assert shown['objects'][0]['state'] == 'expired'
    assert [problem['id'] for problem in shown['problems']] == ['expired']
    assert 'expired 3 d' in show(pki.expired.cert)


def test_every_form_of_a_key(pki, tmp_path):
    key = pki.alice.key
    hashes = set()
    forms = {
        'pkcs8.pem': ['pkey'], 'pkcs8.der': ['pkey', '-outform', 'DER'],
        'sec1.pem': ['ec'], 'sec1.der': ['ec', '-outform', 'DER'],
        'public.pem': ['pkey', '-pubout'], 'public.der': ['pkey', '-pubout', '-outform', 'DER'],
    }
    for name, words in forms.items():
        path = tmp_path / name
        path.write_bytes(certs.openssl(*words, '-in', key))
        shown = tree(path)['objects'][0]
        assert shown['key_type'] == 'EC P-256', name
        hashes.add(shown['key_sha256'])
    hashes.add(tree(pki.alice.cert)['objects'][0]['key_sha256'])
    assert len(hashes) == 1
    private = certs.openssl('pkey', '-in', key, '-noout', '-text').decode()
    secret = ''.join(private.split('priv:')[1].split('pub:')[0].split()).replace(':', '')
    assert secret not in show(tmp_path / 'pkcs8.pem') + json.dumps(tree(tmp_path / 'pkcs8.pem'))


def test_encrypted_key_needs_its_passphrase(pki, tmp_path):
    sealed = pki.alice.encrypted_key('open sesame')
    assert 'an encrypted private key' in show(sealed)
    secret = tmp_path / 'secret'
    secret.write_text('open sesame\n')
    secret.chmod(0o600)
    assert tree(sealed, '--passphrase-file', secret)['objects'][0]['key_type'] == 'EC P-256'


def test_pkcs12_new_and_old(pki, tmp_path):
    secret = tmp_path / 'secret'
    secret.write_text('open sesame')
    secret.chmod(0o600)
    for form in ([], ['-legacy']):
        path = tmp_path / 'a.pfx'
        certs.openssl('pkcs12', '-export', *form, '-in', pki.alice.chain, '-inkey', pki.alice.key,
                      '-out', path, '-passout', 'pass:open sesame')
        shown = tree(path, '--passphrase-file', secret)
        assert shown['what'] == '2 certificates, 1 private key'
        ids = [problem['id'] for problem in shown['problems']]
        assert ids == (['old-cipher'] if form else [])
        assert 'no passphrase was given' in show(path, status=1)


@pytest.fixture
def crl(pki, tmp_path):
    """Makes CRLs of the clients' root with so many entries."""
    def made(count):
        folder = tmp_path / f'crl{count}'
        folder.mkdir()
        root = pki.clients.root
        (folder / 'index.txt').write_text(''.join(
            f'R\t300101000000Z\t250101000000Z\t{number + 1:032X}\tunknown\t/CN=x\n'
            for number in range(count)))
        (folder / 'number').write_text('2A\n')
        config = folder / 'ca.cnf'
        config.write_text(f'[ca]\ndefault_ca = here\n[here]\ndatabase = {folder}/index.txt\n'
                          f'crlnumber = {folder}/number\ndefault_md = sha256\ndefault_crl_days = 7\n')
        path = folder / 'list.crl'
        certs.openssl('ca', '-gencrl', '-config', config, '-cert', root.cert, '-keyfile', root.key,
                      '-out', path)
        return path
    return made


def test_crl(crl, tmp_path):
    path = crl(3)
    shown = tree(path)['objects'][0]
    assert shown['kind'] == 'CRL'
    assert shown['issuer'] == 'CN=clients root,O=Handfast tests'
    assert (shown['entries'], shown['number'], shown['delta']) == (3, '42', False)
    raw = tmp_path / 'raw'
    raw.write_bytes(certs.openssl('crl', '-in', path, '-outform', 'DER'))
    again = tree(raw)['objects'][0]
    assert again | {'seconds_left': 0} == shown | {'seconds_left': 0}
    assert '(due in ' in show(path)


def test_long_crl_takes_little_memory(crl):
    path = crl(30000)
    ended = subprocess.run(['/usr/bin/env', 'python3', '-c', (
        'import resource, subprocess, sys\n'
        'subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n'
        'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n'),
        daemons.BINARY, 'cert', 'show', path], capture_output=True, text=True, check=True)
    assert tree(path)['objects'][0]['entries'] == 30000
    size_kib = path.stat().st_size // 1024
    if 'asan' not in daemons.BINARY:
        assert int(ended.stdout) < 16 * 1024 + 4 * size_kib


def test_bundle_of_gnutls_and_pkcs7(pki, tmp_path):
    bundle = tmp_path / 'bundle.p7b'
    bundle.write_bytes(certs.openssl('crl2pkcs7', '-nocrl', '-certfile', pki.alice.chain, '-outform',
                                     'DER'))
    assert tree(bundle)['what'] == '2 certificates'
    subprocess.run(['certtool', '--generate-request', '--load-privkey', pki.alice.key, '--template',
                    '/dev/null', '--outfile', tmp_path / 'g.csr'], check=True, capture_output=True)
    request = tree(tmp_path / 'g.csr')['objects'][0]
    assert request['kind'] == 'certificate request' and request['signature_good']


def test_wrong_order_and_wrong_key(pki, tmp_path):
    mixed = tmp_path / 'mixed.pem'
    intermediate = pki.clients.intermediates[0].cert
    mixed.write_bytes(pki.alice.cert.read_bytes() + pki.clients.root.cert.read_bytes() +
                      intermediate.read_bytes() + pki.bob.key.read_bytes())
    ids = {problem['id'] for problem in tree(mixed)['problems']}
    assert ids == {'chain-order', 'key-mismatch'}


def test_names_that_are_meant_to_fool(pki, tmp_path):
    leaf = der.make(tmp_path, pki.clients.issuer, der.name('a\x1b[2J\nproblem: none'),
                    (der.NOT_A_CA, der.dns_names(b'good\0evil')))
    text = show(leaf.cert)
    assert '\x1b' not in text and '\nproblem: none' not in text
    assert 'mangled-name' in {problem['id'] for problem in tree(leaf.cert)['problems']}


@pytest.mark.parametrize('content, said', [
    (b'', 'the file is empty'),
    (b'hello', 'neither PEM nor'),
    (b'\xfe\xed\xfe\xed\0\0\0\2', 'a Java keystore'),
    (b'-----BEGIN CERTIFICATE-----\n', 'is cut'),
    (b'-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', 'ssh-keygen'),
])
def test_what_is_nothing_of_the_kind(tmp_path, content, said):
    path = tmp_path / 'file'
    path.write_bytes(content)
    text = show(path, status=1)
    assert said in text and str(path) in text


def test_missing_file_and_wrong_usage(tmp_path):
    assert 'No such file' in show(tmp_path / 'none', status=1)
    assert daemons.run('cert', 'show').returncode == 2
    assert daemons.run('cert').returncode == 2

# SPDX-License-Identifier: Apache-2.0
"""handfast ca with its root elsewhere: another folder, or a file with its key."""

import subprocess

import pytest

from harness import cas, certs


@pytest.fixture
def offline(tmp_path, store_url):
    """The root in a folder of its own, and the CA that issues."""
    root = cas.Ca(tmp_path / 'offline', init=['--root-only', '--key-type', 'p384'])
    issuing = cas.Ca(tmp_path / 'ca', store_url, name=None)
    said = issuing.good('init', '--name', 'Example', '--issuing-only')
    csr = tmp_path / 'issuing.csr'
    if store_url:
        csr.write_text(said[said.index('-----BEGIN'):])
    else:
        csr.write_bytes((issuing.folder / 'issuing.csr').read_bytes())
    return root, issuing, csr


def test_a_root_signs_by_request(offline, tmp_path):
    root, ca, csr = offline
    assert 'no authority that issues' in ca.bad('issue', '--client', 'x', '--out', tmp_path / 'x')
    cert = tmp_path / 'issuing.pem'
    root.good('authority sign', '--csr', csr, '--out', cert, '--permit', 'DNS:example.org',
              '--permit', 'URI:example.org')
    stranger = cas.Ca(tmp_path / 'stranger')
    stranger.good('authority sign', '--csr', csr, '--out', tmp_path / 'other.pem')
    ca.good('authority install', 'issuing', '--cert', cert)
    assert 'has its certificate already' in ca.bad('authority install', 'issuing', '--cert', cert)
    leaf = ca.issue('server', 'a.example.org')
    certs.openssl('verify', '-x509_strict', '-CAfile', root.roots, '-untrusted', leaf.cert, leaf.cert)
    assert ca.roots.read_bytes() == root.roots.read_bytes()
    said = ca.bad('issue', '--server', 'a.example.com', '--out', tmp_path / 'x')
    assert 'a.example.com' in said
    assert [row['name'] for row in root.json('list')] == ['Example Issuing CA']
    assert 'isn\'t here' in ca.bad('rotate start')


def test_wrong_certificates_are_not_installed(offline, tmp_path):
    root, ca, csr = offline
    key = certs.make_key(tmp_path / 'k.key')
    (tmp_path / 'k.csr').write_bytes(certs.openssl('req', '-new', '-key', key, '-subj', '/CN=Other CA'))
    root.good('authority sign', '--csr', tmp_path / 'k.csr', '--out', tmp_path / 'other.pem')
    assert 'none of the' in ca.bad('authority install', 'issuing', '--cert', tmp_path / 'other.pem')
    root.good('authority sign', '--csr', csr, '--out', tmp_path / 'good.pem')
    alone = tmp_path / 'alone.pem'
    alone.write_bytes(certs.openssl('x509', '-in', tmp_path / 'good.pem'))
    assert 'root that signed it' in ca.bad('authority install', 'issuing', '--cert', alone)
    ca.good('authority install', 'issuing', '--cert', tmp_path / 'good.pem')


def test_a_key_is_taken_out_and_put_back(ca, tmp_path):
    key, secret = tmp_path / 'root.key', tmp_path / 'secret'
    secret.write_text('open sesame\n')
    secret.chmod(0o600)
    ca.good('authority take-key', 'root', '--out', key, '--key-passphrase-file', secret)
    assert key.stat().st_mode & 0o777 == 0o600
    certs.openssl('pkey', '-in', key, '-passin', f'file:{secret}', '-noout')
    rows = {row['name']: row for row in ca.json('authority list')}
    assert not rows['root']['key_stored'] and rows['issuing']['key_stored']
    ca.issue('client', 'alice')
    assert 'add-key' in ca.bad('rotate start')
    other = certs.make_key(tmp_path / 'other.key')
    other.chmod(0o600)
    assert 'not the key of "root"' in ca.bad('authority add-key', 'root', '--key', other)
    ca.good('authority add-key', 'root', '--key', key, '--key-passphrase-file', secret)
    ca.good('rotate start')


def test_roots_of_others_are_cross_signed(ca, tmp_path):
    partner = cas.Ca(tmp_path / 'partner', name='Partner')
    leaf = partner.issue('server', 'www.partner.example')
    cross = tmp_path / 'cross.pem'
    ca.good('cross-sign', '--by', 'root', '--cert', partner.roots, '--out', cross, '--permit',
            'DNS:partner.example')
    chain = tmp_path / 'chain.pem'
    chain.write_bytes(leaf.cert.read_bytes() + cross.read_bytes())
    certs.openssl('verify', '-CAfile', ca.roots, '-untrusted', chain, leaf.cert)
    outside = partner.issue('server', 'www.other.example')
    made = subprocess.run(['openssl', 'verify', '-CAfile', ca.roots, '-untrusted', chain, outside.cert],
                          capture_output=True, text=True, check=False)
    assert made.returncode != 0 and 'permitted subtree violation' in made.stderr
    partner.good('authority add-cert', '--cert', cross)
    later = partner.issue('server', 'later.partner.example')
    certs.openssl('verify', '-CAfile', ca.roots, '-untrusted', later.cert, later.cert)


def test_further_cas_have_limits_of_their_own(ca, tmp_path):
    ca.good('authority make', 'branch', '--parent', 'root', '--subject', 'CN=Branch CA,O=Example',
            '--permit', 'DNS:branch.example.org', '--key-type', 'ed25519', '--lifetime', '400d')
    leaf = ca.issue('server', 'a.branch.example.org', '--authority', 'branch')
    assert leaf.field('-issuer') == 'O = Example, CN = Branch CA'
    certs.openssl('verify', '-x509_strict', '-CAfile', ca.roots, '-untrusted', leaf.cert, leaf.cert)
    assert 'a.example.org' in ca.bad('issue', '--server', 'a.example.org', '--authority', 'branch',
                                     '--out', tmp_path / 'x')
    ca.good('authority retire', 'branch')
    assert 'issues nothing' in ca.bad('issue', '--server', 'b.branch.example.org', '--authority',
                                      'branch', '--out', tmp_path / 'x')
    assert 'there is no authority "nobody"' in ca.bad('authority show', 'nobody')


def test_what_has_no_room_for_its_file_is_not_signed(ca, tmp_path):
    """Neither recorded: who asks again would have two."""
    there = tmp_path / 'there.pem'
    there.write_text('mine')
    csr = tmp_path / 'branch.csr'
    ca.good('authority request', 'branch', '--subject', 'CN=Branch CA', '--out', csr)
    before = ca.json('list')
    for words in (('authority sign', '--csr', csr, '--by', 'root'),
                  ('cross-sign', 'issuing', '--by', 'root')):
        assert 'there.pem' in ca.bad(*words, '--out', there)
        assert ca.json('list') == before, words
        assert there.read_text() == 'mine'
    ca.good('cross-sign', 'issuing', '--by', 'root', '--out', there, '--force')
    assert 'BEGIN CERTIFICATE' in there.read_text()

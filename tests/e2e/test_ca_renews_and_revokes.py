# SPDX-License-Identifier: Apache-2.0
"""handfast ca: what becomes of a certificate after it was issued, over both kinds of store."""

import hashlib
import json
import subprocess

import pytest

from harness import cas, certs


def key_of(path):
    return certs.openssl('x509', '-noout', '-pubkey', '-in', path)


def status(ca, cert):
    return ca.json('show', '--cert', cert)['status']


# --- Renew and rekey -------------------------------------------------------------------------------


def test_renewing_keeps_names_and_key(ca, tmp_path):
    old = ca.issue('server', 'a.example', '--san', 'IP:192.0.2.1', '--days', '2')
    ca.good('renew', '--cert', old.cert, '--out', tmp_path / 'new')
    new = tmp_path / 'new.pem'
    assert key_of(new) == key_of(old.cert)
    assert cas.serial(new) != old.serial
    certs.openssl('verify', '-x509_strict', '-CAfile', ca.roots, '-untrusted', new, new)
    text = certs.openssl('x509', '-noout', '-ext', 'subjectAltName', '-in', new).decode()
    assert 'DNS:a.example' in text and 'IP Address:192.0.2.1' in text
    certs.openssl('x509', '-checkend', 80 * 86400, '-noout', '-in', new)
    assert ca.json('show', '--cert', old.cert)['renewed']
    assert status(ca, old.cert) == 'good'
    assert not (tmp_path / 'new.key').exists()


def test_renewing_by_serial_number(ca, tmp_path):
    old = ca.issue('client', 'alice')
    spelled = ':'.join(old.serial.zfill(32)[i:i + 2] for i in range(0, 32, 2)).upper()
    ca.good('renew', spelled, '--out', tmp_path / 'new')
    assert key_of(tmp_path / 'new.pem') == key_of(old.cert)
    assert 'there is no certificate' in ca.bad('renew', 'abcdef', '--out', tmp_path / 'x')


def test_rekeying_makes_another_key_and_revokes_when_told(ca, tmp_path):
    old = ca.issue('client', 'alice', '--san', 'email:alice@example.org')
    ca.good('rekey', '--cert', old.cert, '--out', tmp_path / 'one', '--no-p12')
    assert key_of(tmp_path / 'one.pem') != key_of(old.cert)
    assert certs.openssl('pkey', '-pubout', '-in', tmp_path / 'one.key') == key_of(tmp_path / 'one.pem')
    assert status(ca, old.cert) == 'good'
    key = certs.make_key(tmp_path / 'k.key', 'p384')
    (tmp_path / 'k.csr').write_bytes(certs.openssl('req', '-new', '-key', key, '-subj', '/CN=mallory'))
    ca.good('rekey', '--cert', old.cert, '--csr', tmp_path / 'k.csr', '--revoke-old', '--out',
            tmp_path / 'two')
    subject = certs.openssl('x509', '-noout', '-subject', '-in', tmp_path / 'two.pem').decode()
    assert subject == 'subject=CN = alice\n', 'the name is the old one, whatever the request says'
    shown = ca.json('show', '--cert', old.cert)
    assert (shown['status'], shown['reason']) == ('revoked', 'superseded')
    same = ca.bad('rekey', '--cert', tmp_path / 'two.pem', '--csr', tmp_path / 'k.csr', '--out',
                  tmp_path / 'three')
    assert 'the old key' in same


def test_what_is_revoked_or_held_is_not_renewed(ca, tmp_path):
    revoked, held = ca.issue('client', 'revoked'), ca.issue('client', 'held')
    ca.good('revoke', '--cert', revoked.cert)
    ca.good('hold', '--cert', held.cert)
    assert 'is revoked' in ca.bad('renew', '--cert', revoked.cert, '--out', tmp_path / 'x')
    assert 'on hold' in ca.bad('renew', '--cert', held.cert, '--out', tmp_path / 'x')


# --- Sign ------------------------------------------------------------------------------------------


def make_csr(folder, subject, *names, kind='ec'):
    key = certs.make_key(folder / 'csr.key', kind)
    more = ['-addext', f'subjectAltName={",".join(names)}'] if names else []
    (folder / 'a.csr').write_bytes(certs.openssl('req', '-new', '-key', key, '-subj', subject, *more))
    return folder / 'a.csr'


def test_signing_takes_the_names_that_the_profile_allows(ca, tmp_path):
    csr = make_csr(tmp_path, '/CN=a.example', 'DNS:a.example', 'DNS:b.example')
    ca.good('sign', '--profile', 'server', '--csr', csr, '--out', tmp_path / 'a')
    text = certs.openssl('x509', '-noout', '-text', '-in', tmp_path / 'a.pem').decode()
    assert 'DNS:a.example, DNS:b.example' in text and 'TLS Web Server Authentication' in text


def test_signing_refuses_other_names(ca, tmp_path):
    csr = make_csr(tmp_path, '/CN=alice', 'DNS:a.example')
    said = ca.bad('sign', '--profile', 'user', '--csr', csr, '--out', tmp_path / 'a')
    assert 'DNS' in said
    assert ca.list() == []
    garbage = tmp_path / 'garbage.csr'
    garbage.write_text('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n')
    assert 'garbage.csr' in ca.bad('sign', '--profile', 'user', '--csr', garbage, '--out', tmp_path / 'a')


def test_a_key_that_others_have_gets_no_second_certificate(ca, tmp_path):
    csr = make_csr(tmp_path, '/CN=alice')
    ca.good('sign', '--profile', 'user', '--csr', csr, '--out', tmp_path / 'a')
    ca.good('revoke', '--cert', tmp_path / 'a.pem', '--reason', 'keyCompromise')
    said = ca.bad('sign', '--profile', 'user', '--csr', csr, '--out', tmp_path / 'b')
    assert 'others have the key' in said


def test_keys_on_a_list_are_refused(tmp_path):
    ca = cas.Ca(tmp_path / 'ca')
    csr = make_csr(tmp_path, '/CN=alice')
    der = certs.openssl('pkey', '-in', tmp_path / 'csr.key', '-pubout', '-outform', 'DER')
    listed = tmp_path / 'known'
    listed.write_text('# ours\n' + hashlib.sha256(der).hexdigest() + '\n')
    sign = ['sign', '--profile', 'user', '--csr', csr, '--out', tmp_path / 'a']
    assert 'known' in ca.bad(*sign, '--known-keys', listed)
    assert ca.list() == []
    listed.write_text('not a key\n')
    assert f'{listed}:1' in ca.bad(*sign, '--known-keys', listed)
    ca.good(*sign)


# --- Revoke ----------------------------------------------------------------------------------------


def test_revoking_is_for_good(ca):
    leaf = ca.issue('client', 'alice')
    ca.good('revoke', '--cert', leaf.cert, '--reason', 'key-compromise', '--note', 'stolen')
    shown = ca.json('show', '--cert', leaf.cert)
    assert (shown['status'], shown['reason']) == ('revoked', 'keyCompromise')
    assert 'already' in ca.bad('revoke', leaf.serial)
    assert ca.run('release', leaf.serial).returncode == 1
    assert 'stolen' in json.dumps(ca.json('audit list'))


def test_holding_can_be_taken_back(ca):
    leaf = ca.issue('client', 'alice')
    ca.good('hold', '--cert', leaf.cert)
    assert status(ca, leaf.cert) == 'held'
    ca.good('release', '--cert', leaf.cert)
    assert status(ca, leaf.cert) == 'good'
    assert ca.run('release', '--cert', leaf.cert).returncode == 1
    ca.good('hold', '--cert', leaf.cert)
    ca.good('revoke', '--cert', leaf.cert)
    assert status(ca, leaf.cert) == 'revoked'


def test_many_are_revoked_by_filter_after_a_look(ca, tmp_path):
    for number in range(7):
        ca.issue('client', f'u{number}', '--san', 'URI:spiffe://example.org/team')
    ca.issue('server', 'a.example')
    by_profile = ['--profile', 'user']
    assert ca.json('revoke', *by_profile, '--dry-run')['matched'] == 7
    assert ca.list('--revoked') == []
    assert 'would revoke 7' in ca.bad('revoke', *by_profile)
    assert ca.list('--revoked') == []
    told = ca.json('revoke', *by_profile, '--all', '--reason', 'cessationOfOperation')
    assert (told['matched'], told['changed']) == (7, 7)
    assert {row['reason'] for row in ca.list('--revoked')} == {'cessationOfOperation'}
    assert [row['name'] for row in ca.list('--valid')] == ['a.example']
    assert ca.json('revoke', *by_profile, '--all')['changed'] == 0
    assert 'say which' in ca.bad('revoke')


@pytest.mark.parametrize('words, said', [
    (['12', '--reason', 'removeFromCRL'], 'is no reason'),
    (['12', '--reason', 'certificateHold'], 'handfast ca hold'),
    (['12', '--identity', 'x'], 'say which'),
    (['zz'], 'is not a serial number'),
    (['1' * 41], 'is not a serial number'),
])
def test_wrong_revocations_are_told(tmp_path, words, said):
    assert said in cas.Ca(tmp_path / 'ca').bad('revoke', *words)


# --- List ------------------------------------------------------------------------------------------


def test_lists_are_searched_and_paged(ca):
    for number in range(5):
        ca.issue('client', f'u{number}')
    ca.issue('server', 'billing.example.org', '--days', '5')
    ca.issue('server', 'mail.example.org', '--days', '50')
    assert [row['name'] for row in ca.list('--text', 'billing')] == ['billing.example.org']
    assert [row['name'] for row in ca.list('--identity', 'u3')] == ['u3']
    assert [row['name'] for row in ca.list('--expiring', '60d')] == [
        'billing.example.org', 'mail.example.org']
    assert len(ca.list('--never-seen')) == 7
    assert ca.list('--authority', 'root') == []
    seen, cursor = [], []
    while cursor is not None:
        page = ca.json('list', '--profile', 'user', '--limit', 2, *cursor)
        assert len(page['certificates']) <= 2
        seen += [row['name'] for row in page['certificates']]
        cursor = ['--cursor', page['next']] if page['next'] else None
    assert seen == ['u4', 'u3', 'u2', 'u1', 'u0']


# --- Profiles and tokens ---------------------------------------------------------------------------


def test_profiles_of_ones_own(ca, tmp_path):
    path = tmp_path / 'laptop.yaml'
    path.write_text('name: laptop\nextends: device\nlifetime: 10d\nkeys: [ed25519]\n')
    ca.good('profile put', path)
    rows = {row['name']: row['from'] for row in ca.json('profile list')}
    assert rows['laptop'] == 'store' and rows['server'] == 'built in'
    leaf = ca.issue('laptop', 'l1')
    assert 'ED25519' in certs.openssl('x509', '-noout', '-text', '-in', leaf.cert).decode()
    certs.openssl('x509', '-checkend', 9 * 86400, '-noout', '-in', leaf.cert)
    assert ca.list()[0]['profile'] == 'laptop'
    ca.good('profile remove', 'laptop')
    assert 'no profile "laptop"' in ca.bad('issue', '--profile', 'laptop', '--name', 'l2')
    path.write_text('name: laptop\nlifetme: 10d\n')
    assert 'laptop.yaml:2' in ca.bad('profile put', path)


def test_tokens_are_shown_once_and_kept_as_a_hash(ca):
    made = ca.json('token new', '--profile', 'device', '--name', 'sensor-1', '--uses', 3)
    assert made['token'].startswith('hft-') and len(made['token']) == 44
    (row,) = ca.json('token list')
    assert (row['profile'], row['name'], row['uses_left']) == ('device', 'sensor-1', 3)
    assert made['token'] not in json.dumps(ca.json('audit list'))
    if not ca.url:
        assert made['token'].encode() not in (ca.folder / 'ca.db').read_bytes()
    ca.good('token cancel', made['id'])
    assert ca.json('token list') == []


def test_the_record_is_whole_and_its_head_holds(ca):
    ca.issue('client', 'alice')
    first = ca.json('audit verify')
    assert first['whole'] and first['lines'] >= 6
    ca.issue('client', 'bob')
    head = f'{first["lines"]}:{first["head"]}'
    assert ca.json('audit verify', '--head', head)['whole']
    wrong = head[:-1] + ('0' if head[-1] != '0' else '1')
    assert ca.run('audit verify', '--head', wrong).returncode == 1


# --- Lists -----------------------------------------------------------------------------------------


def revoked_by(roots, crls, leaf):
    """What openssl says of the chain when it must ask the lists."""
    together = crls / 'all.pem'
    together.write_bytes(b''.join(path.read_bytes() for path in sorted(crls.glob('*.crl'))))
    made = subprocess.run(['openssl', 'verify', '-CAfile', roots, '-untrusted', leaf.cert,
                           '-crl_check_all', '-extended_crl', '-CRLfile', together, leaf.cert],
                          capture_output=True, text=True, check=False)
    return 'certificate revoked' in made.stderr, made.returncode == 0


def test_lists_as_files_know_who_is_revoked(ca, tmp_path):
    good, bad = ca.issue('client', 'good'), ca.issue('client', 'bad')
    crls = tmp_path / 'crls'
    crls.mkdir()
    ca.good('crl', '--out', crls, '--pem')
    assert revoked_by(ca.roots, crls, bad) == (False, True)
    ca.good('hold', '--cert', bad.cert)
    first, second = ca.json('crl', '--out', crls, '--pem', '--lifetime', '3d')
    assert [one['number'] for one in (first, second)] == [2, 2]
    assert (first['entries'], second['entries']) == (0, 1)
    assert revoked_by(ca.roots, crls, bad) == (True, False)
    assert revoked_by(ca.roots, crls, good) == (False, True)
    text = certs.openssl('crl', '-in', crls / 'issuing.crl', '-noout', '-text').decode()
    assert 'Certificate Hold' in text
    ca.good('release', '--cert', bad.cert)
    ca.good('crl', '--out', crls, '--authority', 'issuing')
    told = subprocess.run(['certtool', '--crl-info', '--inder', '--infile', crls / 'issuing.crl'],
                          capture_output=True, text=True, check=True).stdout
    assert 'No revoked' in told or 'Revoked certificates (0)' in told
    assert 'there is no authority' in ca.bad('crl', '--out', crls, '--authority', 'nobody')

# SPDX-License-Identifier: Apache-2.0
"""Whoever may ask for some names gets no others by writing them oddly. Everything that is sent is
signed well, and asked for by somebody who may use the profile; all that is refused is in the record,
and nothing of it in the store."""

import pytest

from harness import certs, der, waiting
from harness.ca_api import Api, csr, odd_csr

TEAM = '''name: team
extends: service
ask: ["cn:*"]
names:
  dns: {allow: ["*.team.example"], deny: ["secret.team.example"], max: 4}
  uri: {allow: ["https://team.example/*", "spiffe://example.org/team/*"],
        deny: ["https://team.example/admin"]}
  ip: {allow: ["10.0.0.0/8", "::/0"], deny: ["10.1.0.0/16"]}
  email: {allow: ["*@team.example"], deny: ["boss@team.example"]}
'''
MALFORMED, INVALID, NOT_ALLOWED = (400, 'malformed'), (422, 'invalid'), (422, 'not-allowed')
GOOD = None


def names(*pairs):
    return der.extension(der.SAN, der.sequence(*(der.element(tag, value) for tag, value in pairs)))


def dns(text):
    return names((0x82, text))


def email(text):
    return names((0x81, text))


def uri(text):
    return names((0x86, text))


def ip(data):
    return names((0x87, data))


MAPPED = bytes(10) + b'\xff\xff'
PLAIN = dns(b'a.team.example')
CASES = {
    'allowed': ([PLAIN], GOOD),
    'nul-in-dns': ([dns(b'a.team.example\0.evil.example')], INVALID),
    'dns-not-ascii': ([dns('ä.team.example'.encode())], INVALID),
    'wildcard': ([dns(b'*.team.example')], NOT_ALLOWED),
    'wildcard-within': ([dns(b'a*.team.example')], INVALID),
    'denied-in-capitals': ([dns(b'SECRET.Team.Example')], NOT_ALLOWED),
    'dot-behind': ([dns(b'secret.team.example.')], INVALID),
    'two-labels-for-a-star': ([dns(b'a.b.team.example')], NOT_ALLOWED),
    'dns-with-blank': ([dns(b'a.team.example ')], INVALID),
    'dns-that-is-an-address': ([dns(b'10.0.0.1')], INVALID),
    'other-name': ([names((0xa0, der.oid('1.2.3.4') + der.element(0xa0, der.utf8('x'))))], MALFORMED),
    'directory-name': ([names((0xa4, der.name('x')))], MALFORMED),
    'registered-id': ([names((0x88, b'\x2a\x03'))], MALFORMED),
    'no-names': ([names()], MALFORMED),
    'uri-going-up': ([uri(b'https://team.example/..')], INVALID),
    'uri-percent': ([uri(b'https://team.example/%61dmin')], INVALID),
    'uri-percent-small': ([uri(b'https://team.example/a%2fb')], INVALID),
    'uri-percent-broken': ([uri(b'https://team.example/%zz')], INVALID),
    'uri-nul': ([uri(b'https://team.example/%00')], INVALID),
    'uri-capitals': ([uri(b'HTTPS://TEAM.example/admin')], INVALID),
    'uri-with-user': ([uri(b'https://team.example@evil.example/x')], INVALID),
    'uri-with-port': ([uri(b'https://team.example:443/admin')], NOT_ALLOWED),
    'uri-with-fragment': ([uri(b'https://team.example/admin#x')], NOT_ALLOWED),
    'uri-with-query': ([uri(b'https://team.example/admin?x')], NOT_ALLOWED),
    'uri-denied': ([uri(b'https://team.example/admin')], NOT_ALLOWED),
    'spiffe-of-others': ([uri(b'spiffe://example.org/ops/alice')], NOT_ALLOWED),
    'spiffe-capitals': ([uri(b'SPIFFE://example.org/team/a')], INVALID),
    'spiffe-going-up': ([uri(b'spiffe://example.org/team/..')], INVALID),
    'spiffe-percent': ([uri(b'spiffe://example.org/team/%2e%2e')], INVALID),
    'two-spiffe': ([names((0x86, b'spiffe://example.org/team/a'),
                          (0x86, b'spiffe://example.org/team/b'))], INVALID),
    'ip-denied': ([ip(bytes([10, 1, 2, 3]))], NOT_ALLOWED),
    'ip-mapped': ([ip(MAPPED + bytes([10, 1, 2, 3]))], INVALID),
    'ip-with-mask': ([ip(bytes([10, 0, 0, 0, 255, 0, 0, 0]))], INVALID),
    'email-denied-in-capitals': ([email(b'Boss@team.example')], NOT_ALLOWED),
    'email-domain-in-capitals': ([email(b'boss@TEAM.example')], NOT_ALLOWED),
    'email-quoted': ([email(b'"boss"@team.example')], INVALID),
    'email-two-at': ([email(b'boss@evil.example@team.example')], INVALID),
    'names-two-times': ([PLAIN, dns(b'evil.example')], MALFORMED),
    'critical-unknown': ([PLAIN, der.extension('1.2.3.4', b'\5\0', critical=True)], MALFORMED),
}
SUBJECTS = {
    'host-of-others': (der.name('evil.example'), NOT_ALLOWED),
    'host-denied': (der.name('secret.team.example'), NOT_ALLOWED),
    'host-with-dot-behind': (der.name('evil.example.'), NOT_ALLOWED),
    'wildcard': (der.name('*.evil.example'), NOT_ALLOWED),
    'address': (der.name('192.0.2.1'), NOT_ALLOWED),
    'spiffe': (der.name('spiffe://example.org/ops/alice'), NOT_ALLOWED),
    'nul': (der.name('alice\0x'), NOT_ALLOWED),
    'newline': (der.name('alice\nx'), NOT_ALLOWED),
    'right-to-left': (der.name('ecila\u202e'), NOT_ALLOWED),
    'zero-width': (der.name('ali\u200bce'), NOT_ALLOWED),
    'blanks-around': (der.name(' alice '), NOT_ALLOWED),
    'broken-utf8': (der.name(b'\x0c\x02\xff\xff'), NOT_ALLOWED),
    'bmp-string': (der.name(der.element(0x1e, 'alice'.encode('utf-16-be'))), NOT_ALLOWED),
    'too-long': (der.name('x' * 65), NOT_ALLOWED),
    'two-in-one': (der.sequence(der.element(0x31, *(
        der.sequence(der.oid('2.5.4.3'), der.utf8(one)) for one in 'ab'))), NOT_ALLOWED),
}


@pytest.fixture(scope='module')
def api(module_handfast, ports, tmp_path_factory):
    return Api(module_handfast, ports, tmp_path_factory.mktemp('api'), profiles={'team': TEAM})


def n_issued(api):
    return len(api.good(api.alice, 'GET', '/v1/certificates?profile=team&limit=1000')['certificates'])


def n_refused(api):
    audit = api.ca.json('audit list')
    return sum(one['action'] == 'sign refused' and one['actor'] == 'dn:CN=bob' for one in audit)


def sign(api, request, expected):
    issued, refused = n_issued(api), n_refused(api)
    if expected is GOOD:
        made = api.good(api.bob, 'POST', '/v1/sign', {'profile': 'team', 'csr': request}, 201)
        assert n_issued(api) == issued + 1
        return made
    said = api.refused(api.bob, 'POST', '/v1/sign', {'profile': 'team', 'csr': request})
    assert said[:2] == expected, said
    assert said[2], 'a sentence'
    assert (n_issued(api), n_refused(api)) == (issued, refused + 1)
    return None


@pytest.mark.parametrize('case', CASES)
def test_alternative_names(api, tmp_path, case):
    extensions, expected = CASES[case]
    sign(api, odd_csr(tmp_path, der.name('x'), *extensions), expected)


@pytest.mark.parametrize('case', SUBJECTS)
def test_subjects(api, tmp_path, case):
    subject, expected = SUBJECTS[case]
    sign(api, odd_csr(tmp_path, subject, PLAIN), expected)


def test_wishes_beyond_names_are_the_profiles_to_grant(api, tmp_path):
    """A CA, OCSP signing, another subject: the certificate has none of it."""
    made = sign(api, odd_csr(
        tmp_path, der.name('x'), PLAIN, der.A_CA, der.SIGNS_CERTIFICATES,
        der.extension(der.EXTENDED_KEY_USAGE, der.sequence(der.oid('1.3.6.1.5.5.7.3.9'))),
        der.extension('1.3.6.1.5.5.7.48.1.5', b'\5\0')), GOOD)
    path = tmp_path / 'made.pem'
    path.write_text(made['certificate'])
    text = certs.openssl('x509', '-in', path, '-noout', '-text').decode()
    assert 'CA:FALSE' in text and 'Certificate Sign' not in text
    assert 'OCSP' not in text.split('X509v3 extensions')[1]
    assert 'Client Authentication' in text and 'Server Authentication' in text


def test_extensions_in_two_attributes_are_refused(api, tmp_path):
    one = der.sequence(der.oid('1.2.840.113549.1.9.14'), der.element(0x31, der.sequence(PLAIN)))
    both = der.sequence(der.oid('1.2.840.113549.1.9.14'), der.element(
        0x31, der.sequence(PLAIN), der.sequence(dns(b'evil.example'))))
    for attributes in ([one, one], [both]):
        sign(api, odd_csr(tmp_path, der.name('x'), attributes=attributes), MALFORMED)


def test_a_key_that_was_not_signed_with_is_refused(api, tmp_path):
    """Somebody else's public key in a request that one signs oneself."""
    text, _ = csr(tmp_path, 'mine')
    lines = text.splitlines()
    other, _ = csr(tmp_path, 'other')
    middle = other.splitlines()
    mixed = '\n'.join([lines[0], middle[1], *lines[2:]])
    issued = n_issued(api)
    said = api.refused(api.bob, 'POST', '/v1/sign', {'profile': 'team', 'csr': mixed})
    assert said[:2] == MALFORMED
    assert n_issued(api) == issued


def test_only_the_ca_that_issues_signs_for_those_afar(api):
    """Not the root, beside the constraints of the CA below it; not one for other purposes."""
    api.put_profile('branches', 'name: branches\nextends: user\nask: ["cn:*"]\nauthorities: [branch]\n')
    api.ca.good('authority make', 'branch', '--parent', 'root', '--subject', 'CN=Branch CA')
    waiting.until(lambda: 'branch' in [one['name'] for one in api.good(
        None, 'GET', '/v1/authorities')['authorities']])
    plain = api.good(api.bob, 'POST', '/v1/certificates', {'profile': 'plain', 'name': 'x'}, 201)
    assert api.good(api.alice, 'GET', f'/v1/certificates/{plain["serial"]}')['authority'] == 'issuing'
    for name, kind in (('root', NOT_ALLOWED), ('branch', NOT_ALLOWED), ('nosuch', (404, 'not-found'))):
        said = api.refused(api.bob, 'POST', '/v1/certificates', {
            'profile': 'plain', 'name': 'x', 'authority': name})
        assert said[:2] == kind, said
    for more in ({}, {'authority': 'branch'}):
        made = api.good(api.bob, 'POST', '/v1/certificates', {
            'profile': 'branches', 'name': 'x', **more}, 201)
        shown = api.good(api.alice, 'GET', f'/v1/certificates/{made["serial"]}')
        assert shown['authority'] == 'branch'
    said = api.refused(api.bob, 'POST', '/v1/certificates', {
        'profile': 'branches', 'name': 'x', 'authority': 'issuing'})
    assert said[:2] == NOT_ALLOWED


def bobs(api):
    return [one for one in api.ca.json('audit list') if one['actor'] == 'dn:CN=bob']


def test_the_record_takes_what_is_cut_and_shows_no_controls(api):
    """A name that ends in the middle of a character where the record cuts it; one for terminals."""
    for name in ('a' + 'é' * 150, 'x\n  9  root (uid 0)  issue\x1b[31m'):
        before = len(bobs(api))
        assert api.refused(api.bob, 'POST', '/v1/certificates', {'profile': 'plain', 'name': name})[
            :2] == NOT_ALLOWED
        lines = bobs(api)
        assert (len(lines), lines[-1]['action']) == (before + 1, 'issue refused')
        assert 'request ' in lines[-1]['detail'] and 'from 127.0.0.1' in lines[-1]['detail']
    said = api.refused(api.bob, 'POST', '/v1/certificates', {
        'profile': 'plain', 'name': 'x', 'authority': 'a' + 'é' * 60})
    assert said[:2] == (404, 'not-found')
    assert bobs(api)[-1]['detail'].startswith('not-found: there is no authority "aéé')
    shown = api.ca.good('audit list')
    assert '\x1b' not in shown and '\\x1b[31m' in shown
    assert all(line.split()[0].isdigit() and line.split()[1].endswith('Z')
               for line in shown.splitlines())
    assert api.good(api.alice, 'GET', '/v1/audit?limit=1000')['audit']

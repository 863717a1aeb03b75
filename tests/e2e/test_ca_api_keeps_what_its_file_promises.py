# SPDX-License-Identifier: Apache-2.0
"""The CA's API, through the daemon, over mutual TLS: every operation of docs/ca-openapi.yaml is used,
and each answer is held against that file; who may do what is the configuration's to say."""

import ssl
import subprocess
import urllib.parse

import pytest

from harness import cas, clients, daemon
from harness.ca_api import Api, csr, leaf


@pytest.fixture
def api(handfast, ports, tmp_path):
    return Api(handfast, ports, tmp_path)


def test_every_operation_answers_as_the_file_says(api, tmp_path):
    alice, bob = api.alice, api.bob
    # Who one is.
    assert api.good(alice, 'GET', '/v1')['rights'] == ['read', 'revoke', 'approve', 'token']
    assert api.good(None, 'GET', '/v1')['you'] == 'anonymous'
    assert api.good(None, 'GET', '/v1/roots').decode().count('BEGIN CERTIFICATE') == 1
    assert [one['name'] for one in api.good(bob, 'GET', '/v1/authorities')['authorities']] == [
        'root', 'issuing']
    assert 'laptop' in [one['name'] for one in api.good(alice, 'GET', '/v1/profiles')['profiles']]

    # Issue, sign, show, list.
    made = api.good(alice, 'POST', '/v1/certificates', {
        'profile': 'laptop', 'name': 'lap-1', 'names': ['DNS:lap-1.example'], 'lifetime': '2d'}, 201)
    lap = leaf(tmp_path, 'lap-1', made)
    with clients.connect(api.door, api.ca.roots, lap):
        pass
    text, key = csr(tmp_path, 'lap-2', '-addext', 'subjectAltName=DNS:lap-2.example')
    signed = api.good(alice, 'POST', '/v1/sign', {'profile': 'laptop', 'csr': text}, 201)
    assert signed['names'] == ['DNS:lap-2.example'] and 'private_key' not in signed
    lap2 = leaf(tmp_path, 'lap-2', signed, key)
    with clients.connect(api.door, api.ca.roots, lap2):
        pass
    shown = api.good(alice, 'GET', f'/v1/certificates/{made["serial"]}')
    assert shown['certificate'] == made['certificate'] and shown['requester'] == 'dn:CN=alice'
    pem = api.good(alice, 'GET', f'/v1/certificates/{made["serial"]}?format=pem').decode()
    assert pem == made['certificate']
    der = api.good(alice, 'GET', f'/v1/certificates/{made["serial"]}?format=der')
    assert der == ssl.PEM_cert_to_DER_cert(pem)
    listed = api.good(alice, 'GET', '/v1/certificates?profile=laptop&limit=1')
    rest = api.good(alice, 'GET', '/v1/certificates?profile=laptop&limit=1&cursor='
                    + urllib.parse.quote(listed['next'], safe=''))
    assert [one['certificates'][0]['subject'] for one in (listed, rest)] == ['CN=lap-2', 'CN=lap-1']

    # Renew and rekey with the certificate of the connection.
    plain = leaf(tmp_path, 'plain', api.good(
        bob, 'POST', '/v1/certificates', {
            'profile': 'plain', 'name': 'carol', 'lifetime': '20d'}, 201))
    renewed = api.good(plain, 'POST', '/v1/certificates/self/renew', status=201)
    assert renewed['identity'] == 'carol' and renewed['certificate'] != plain.cert.read_text()
    rekeyed = api.good(plain, 'POST', '/v1/certificates/self/rekey', {'revoke_old': True}, 201)
    assert rekeyed['private_key']
    assert clients.refusal(api.door, api.ca.roots, plain) == 'certificate revoked'

    # Hold, release, revoke: one, and by filter.
    one = f'/v1/certificates/{made["serial"]}'
    api.good(alice, 'POST', one + '/hold')
    assert clients.refusal(api.door, api.ca.roots, lap) == 'certificate revoked'
    api.good(alice, 'POST', one + '/release', {'note': 'found'})
    with clients.connect(api.door, api.ca.roots, lap) as session:
        api.good(alice, 'POST', one + '/revoke', {'reason': 'keyCompromise'})
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            while session.recv(100):
                pass
    many = {'identity': 'carol', 'reason': 'cessationOfOperation'}
    assert api.good(alice, 'POST', '/v1/revocations', {**many, 'dry_run': True})['matched'] == 2
    assert api.good(alice, 'POST', '/v1/revocations', many)['revoked'] == 2
    acts = [one['act'] for one in api.good(alice, 'GET', '/v1/revocations')['revocations']]
    assert acts == ['revoke', 'hold', 'release', 'revoke', 'revoke', 'revoke']

    # Requests.
    text, _ = csr(tmp_path, 'badge')
    wish = {'profile': 'badge', 'csr': text}
    pending = api.ask(alice, 'POST', '/v1/sign', wish)
    assert pending.status == 202 and pending.headers['location'].startswith('/ca/v1/requests/')
    place = pending.headers['location'][len('/ca'):]
    api.good(None, 'GET', place, status=202)
    request = place.split('.')[0]
    api.good(bob, 'POST', request + '/approve', {'note': 'known to me'}, 201)
    assert api.good(None, 'GET', place, status=201)['subject'] == 'CN=badge'
    second = api.ask(alice, 'POST', '/v1/sign', wish).headers['location'][len('/ca'):]
    api.good(bob, 'POST', second.split('.')[0] + '/deny', {'note': 'who?'})
    assert api.refused(None, 'GET', second)[0] in (403, 409)
    states = [one['state'] for one in api.good(alice, 'GET', '/v1/requests')['requests']]
    assert states == ['issued', 'denied']

    # Tokens.
    token = api.good(alice, 'POST', '/v1/tokens', {'profile': 'laptop', 'lifetime': '1h'}, 201)
    enrol = {'profile': 'laptop', 'name': 'lap-3', 'token': token['token']}
    api.good(None, 'POST', '/v1/certificates', enrol, 201)
    assert api.refused(None, 'POST', '/v1/certificates', enrol)[:2] == (403, 'bad-token')
    other = api.good(alice, 'POST', '/v1/tokens', {'profile': 'laptop'}, 201)
    assert len(api.good(alice, 'GET', '/v1/tokens')['tokens']) >= 1
    api.good(alice, 'DELETE', f'/v1/tokens/{other["id"]}')

    # The audit log has it all, refusals too, with who asked.
    audit = api.good(alice, 'GET', '/v1/audit?limit=1000')['audit']
    assert {'dn:CN=alice', 'dn:CN=bob', 'anonymous'} <= {one['actor'] for one in audit}
    assert any('refused' in one['action'] for one in audit)

    asked = {operation['operationId'] for operation in api.spec.operations().values()}
    assert api.spec.used == asked


def test_the_file_and_the_program_have_the_same_methods(api):
    for path in {path for _, path in api.spec.operations()}:
        answer = api.ask(api.alice, 'PATCH', path.replace('{serial}', '1').replace('{id}', '1'))
        methods = {method for method, its in api.spec.operations() if its == path}
        assert answer.status == 405, path
        assert set(answer.headers['allow'].split(', ')) == methods, path


def test_who_may_not_is_told_so_and_nothing_changes(api, tmp_path):
    text, _ = csr(tmp_path, 'mallory')
    for who in (api.bob, None):
        for target in ('/v1/certificates', '/v1/requests', '/v1/tokens', '/v1/audit',
                       '/v1/revocations', '/v1/profiles'):
            assert api.refused(who, 'GET', target)[:2] == (403, 'forbidden'), target
        assert api.refused(who, 'POST', '/v1/tokens', {'profile': 'laptop'})[:2] == (403, 'forbidden')
        assert api.refused(who, 'POST', '/v1/sign', {'profile': 'laptop', 'csr': text})[:2] == (
            403, 'forbidden')
        assert api.refused(who, 'POST', '/v1/revocations', {
            'profile': 'user', 'reason': 'superseded'})[:2] == (403, 'forbidden')
    assert api.good(api.alice, 'GET', '/v1/revocations')['revocations'] == []
    assert api.good(api.alice, 'GET', '/v1/certificates?profile=laptop')['certificates'] == []


def test_what_is_wrong_is_said_and_not_passed_over(api, tmp_path):
    text, _ = csr(tmp_path, 'x')
    weak = tmp_path / 'weak.csr'
    subprocess.run(['openssl', 'req', '-new', '-newkey', 'rsa:1024', '-nodes', '-keyout',
                    tmp_path / 'weak.key', '-out', weak, '-subj', '/CN=weak'], check=True,
                   capture_output=True)
    body = text.splitlines()
    body[3] = body[3][::-1]
    cases = [
        ({'profile': 'laptop', 'csr': text, 'dryrun': True}, 400, 'malformed'),
        ({'profile': 'laptop'}, 400, 'malformed'),
        ({'profile': 'nosuch', 'csr': text}, 404, 'not-found'),
        ({'profile': 'laptop', 'csr': '\n'.join(body)}, 400, 'malformed'),
        ({'profile': 'laptop', 'csr': weak.read_text()}, 422, None),
        ({'profile': 'laptop', 'csr': text, 'lifetime': '900d'}, 422, 'not-allowed'),
    ]
    for wish, status, kind in cases:
        said = api.refused(api.alice, 'POST', '/v1/sign', wish, check=False)
        assert said[0] == status and (kind is None or said[1] == kind), (wish.keys(), said)
        assert said[2], 'a sentence'
    assert api.good(api.alice, 'GET', '/v1/certificates?profile=laptop')['certificates'] == []


def test_a_body_that_is_too_large_is_refused_before_it_came(api):
    with clients.connect(api.port, api.ca.roots, api.alice) as session:
        session.sendall(b'POST /ca/v1/sign HTTP/1.1\r\nHost: server.example\r\n'
                        b'Content-Type: application/json\r\nContent-Length: 300000\r\n\r\n')
        assert session.recv(4096).split()[1] == b'413'


def test_rights_change_with_a_reload(api):
    assert api.refused(api.bob, 'GET', '/v1/audit')[:2] == (403, 'forbidden')
    config = api.config()
    config['ca']['main']['rights']['read'] = ['verified']
    api.daemon.reload(config)
    assert api.good(api.bob, 'GET', '/v1/audit')['audit']
    assert api.refused(None, 'GET', '/v1/audit')[:2] == (403, 'forbidden')


def test_a_right_can_not_be_everybodys(api):
    config = api.config()
    config['ca']['main']['rights']['revoke'] = ['anyone']
    api.daemon.write_config(config)
    checked = daemon.run('check', '-c', api.daemon.config_path)
    assert checked.returncode == 1
    assert "a right over a CA can't be anyone's" in checked.stdout + checked.stderr


def test_who_may_not_learns_nothing_of_what_there_is(api, tmp_path):
    """The same answer for what is there and for what isn't, so that nobody can look by trial."""
    alice, bob = api.alice, api.bob
    known = cas.serial(alice.cert)
    unknown = known[:-1] + ('0' if known[-1] != '0' else '1')
    request = api.good(bob, 'POST', '/v1/sign', {
        'profile': 'badge', 'csr': csr(tmp_path, 'badge-1')[0]}, 202)
    number = request['request'].split('.')[0]
    token = api.good(alice, 'POST', '/v1/tokens', {'profile': 'plain'}, 201)

    def told(who, method, target, body=None):
        status, kind, detail = api.refused(who, method, target, body)
        return status, kind, detail.replace(known, 'X').replace(unknown, 'X')

    def same(who, method, target, one, other, body=None):
        first, second = (told(who, method, target.format(which), body) for which in (one, other))
        assert first[:2] == second[:2] == (403, 'forbidden'), (first, second)
        assert first[2].replace(one, 'X') == second[2].replace(other, 'X')

    for who in (bob, None):
        same(who, 'POST', '/v1/certificates/{}/revoke', known, unknown, {'reason': 'keyCompromise'})
        same(who, 'POST', '/v1/certificates/{}/hold', known, unknown, {})
        same(who, 'POST', '/v1/certificates/{}/release', known, unknown, {})
        same(who, 'POST', '/v1/certificates/{}/renew', known, unknown, {})
        same(who, 'POST', '/v1/certificates/{}/rekey', known, unknown, {})
        same(who, 'GET', '/v1/certificates/{}', known, unknown)
        same(who, 'DELETE', '/v1/tokens/{}', token['id'], '4711')
    same(None, 'GET', '/v1/requests/{}', number, '4711')
    same(None, 'POST', '/v1/requests/{}/approve', number, '4711', {})
    for profile in ('laptop', 'nothing-like-it'):
        status, kind, detail = api.refused(bob, 'POST', '/v1/certificates',
                                           {'profile': profile, 'name': 'x'})
        assert (status, kind) == (403, 'forbidden')
        assert f'the profile "{profile}" is not for ' in detail
    # Who may look is told.
    assert api.refused(alice, 'POST', f'/v1/certificates/{unknown}/revoke',
                       {'reason': 'keyCompromise'})[:2] == (404, 'not-found')
    assert api.refused(alice, 'GET', f'/v1/certificates/{unknown}')[:2] == (404, 'not-found')
    assert api.refused(alice, 'POST', f'/v1/certificates/{unknown}/renew', {})[:2] == (404, 'not-found')
    assert api.refused(alice, 'GET', '/v1/requests/4711')[:2] == (404, 'not-found')
    assert api.refused(alice, 'POST', '/v1/certificates',
                       {'profile': 'nothing-like-it', 'name': 'x'})[:2] == (404, 'not-found')
    # One's own certificate is one's own.
    api.good(bob, 'GET', f'/v1/certificates/{cas.serial(bob.cert)}')
    api.good(bob, 'POST', f'/v1/certificates/{cas.serial(bob.cert)}/revoke', {'reason': 'keyCompromise'})

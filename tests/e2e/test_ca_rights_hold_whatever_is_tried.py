# SPDX-License-Identifier: Apache-2.0
"""With few rights or none one gets no further by the certificate of another, a token that was for
something else, an approval of one's own, or by being quick: each attempt ends with its problem, and
with nothing stored."""

import concurrent.futures
import json

import pytest

from harness import cas, certs, clients, waiting
from harness.ca_api import Api, csr, leaf

FORBIDDEN, BAD_TOKEN, CONFLICT = (403, 'forbidden'), (403, 'bad-token'), (409, 'conflict')
NOT_ALLOWED, WINDOW, INVALID = (422, 'not-allowed'), (409, 'window'), (422, 'invalid')
MALFORMED, NOT_FOUND, WEAK = (400, 'malformed'), (404, 'not-found'), (422, 'weak-key')
LATE = '''name: late
extends: device
ask: ["cn:*"]
lifetime: 30d
renew-before: 29d
renew-after-expiry: 10d
approval: none
'''


@pytest.fixture
def api(handfast, ports, tmp_path):
    return Api(handfast, ports, tmp_path, profiles={'late': LATE})


@pytest.fixture
def either(handfast, ports, tmp_path, store_url):
    """Over each kind of store."""
    return Api(handfast, ports, tmp_path, profiles={'late': LATE}, url=store_url)


def no(api, who, method, target, body=None, **more):
    return api.refused(who, method, target, body, **more)[:2]


def at_once(*calls):
    """Their results, of calls that begin together; exceptions too."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]


def issue_late(api, name, *words):
    """By the profile `late`, with a CSR, so that its key can prove itself. (request, serial)"""
    request, key = csr(api.folder, name)
    path = api.folder / f'{name}.csr'
    api.ca.good('issue', '--profile', 'late', '--name', name, '--csr', path, '--out', api.folder / name,
                *(words or ('--days', '20')))
    cert = api.folder / f'{name}.pem'
    return request, cas.serial(cert), certs.Leaf(name, cert, cert, key)


# --- Renewing -----------------------------------------------------------------------------------


def test_nobody_renews_anothers(api, tmp_path):
    before = api.n_issued()
    serial = cas.serial(api.alice.cert)
    request, _ = csr(tmp_path, 'alice')
    for who in (api.bob, None):
        for verb in ('renew', 'rekey'):
            assert no(api, who, 'POST', f'/v1/certificates/{serial}/{verb}') == FORBIDDEN
        assert no(api, who, 'POST', f'/v1/certificates/{serial}/renew', {'csr': request}) == FORBIDDEN
        assert no(api, who, 'POST', f'/v1/certificates/{serial}/rekey', {'csr': request}) == FORBIDDEN
    assert no(api, None, 'POST', '/v1/certificates/self/renew') == FORBIDDEN
    assert no(api, None, 'POST', '/v1/certificates/1234/renew') == FORBIDDEN
    assert api.n_issued() == before


def test_renewing_keeps_the_profile(api):
    assert no(api, api.bob, 'POST', '/v1/certificates/self/renew', {'profile': 'laptop'},
              check=False) == MALFORMED
    for authority in ('root', 'nosuch'):  # it says who issued the certificate, and not who shall
        assert no(api, api.bob, 'POST', '/v1/certificates/self/renew', {
            'authority': authority}) == NOT_FOUND
    assert no(api, api.bob, 'POST', '/v1/certificates/self/renew', {'authority': 'issuing'}) == WINDOW


def test_what_is_revoked_or_held_is_not_renewed_by_a_request_either(api):
    for act in ('hold', 'revoke'):
        request, serial, _ = issue_late(api, act)
        reason = {'reason': 'superseded'} if act == 'revoke' else None
        api.good(api.alice, 'POST', f'/v1/certificates/{serial}/{act}', reason)
        before = api.n_issued()
        assert no(api, None, 'POST', f'/v1/certificates/{serial}/renew', {'csr': request}) == CONFLICT
        assert api.n_issued() == before


def test_a_request_that_is_sent_again_renews_nothing_more(api):
    """A CSR is no secret: who saw it may send it again."""
    request, serial, _ = issue_late(api, 'thing')
    target = f'/v1/certificates/{serial}/renew'
    made = api.good(None, 'POST', target, {'csr': request}, 201)
    before = api.n_issued()
    for _ in range(3):
        assert no(api, None, 'POST', target, {'csr': request}) == CONFLICT
    assert api.n_issued() == before
    assert made['identity'] == 'thing' and 'private_key' not in made


def test_after_the_end_there_is_a_window_and_a_person(api):
    request, serial, _ = issue_late(api, 'gone', '--not-before', '2024-01-01', '--not-after', '2024-02-01')
    assert no(api, None, 'POST', f'/v1/certificates/{serial}/renew', {'csr': request}) == WINDOW
    assert no(api, None, 'POST', f'/v1/certificates/{serial}/renew') == FORBIDDEN
    states = api.good(api.alice, 'GET', '/v1/requests')['requests']
    assert states == []


def test_a_key_that_others_have_is_not_renewed(api, tmp_path):
    """The first certificate of a key is revoked as compromised; the second, of the same key, is not."""
    _, serial, thing = issue_late(api, 'thing')
    made = api.good(thing, 'POST', '/v1/certificates/self/renew', {'lifetime': '20d'}, 201)
    second = leaf(tmp_path, 'second', made, thing.key)
    api.good(api.alice, 'POST', f'/v1/certificates/{serial}/revoke', {'reason': 'keyCompromise'})
    before = api.n_issued()
    assert no(api, second, 'POST', '/v1/certificates/self/renew') == WEAK
    assert api.n_issued() == before
    api.good(second, 'POST', '/v1/certificates/self/rekey', status=201)


def test_a_renewal_never_comes_after_the_revocation(either):
    """Both at once, over and over; then the record tells in which order they were."""
    api = either
    outcomes = set()
    for number in range(8):
        request, serial, _ = issue_late(api, f't{number}')
        renewed, revoked = at_once(
            lambda: api.ask(None, 'POST', f'/v1/certificates/{serial}/renew', {'csr': request}).status,
            lambda: api.ask(api.alice, 'POST', f'/v1/certificates/{serial}/revoke',
                            {'reason': 'superseded'}).status)
        assert revoked == 200 and renewed in (201, 409)
        outcomes.add(renewed)
    lines = api.ca.json('audit list')
    revoked = {line['target']: line['seq'] for line in lines if line['action'] == 'revoke'}
    for first in [line for line in lines if line['action'] == 'issue' and line['target'] in revoked]:
        identity = json.loads(first['detail'])['identity']
        second = [line['seq'] for line in lines if line['action'] == 'issue' and line != first
                  and json.loads(line['detail'])['identity'] == identity]
        assert all(seq < revoked[first['target']] for seq in second)
    assert len(revoked) == 8 and outcomes
    api.ca.good('audit verify')


# --- Tokens -------------------------------------------------------------------------------------


def test_a_token_is_good_for_what_it_was_made_for(api, tmp_path):
    request, _ = csr(tmp_path, 'x')
    plain = {'profile': 'plain', 'csr': request}
    make = lambda **more: api.good(api.alice, 'POST', '/v1/tokens', {**more}, 201)
    before = api.n_issued()
    token = make(profile='laptop')['token']
    assert no(api, None, 'POST', '/v1/sign', {**plain, 'token': token}) == BAD_TOKEN
    named = make(profile='laptop', name='lap-9')['token']
    for wish in ({'name': 'lap-8'}, {'name': 'lap-9', 'names': ['DNS:lap-8.example']},
                 {'name': 'LAP-9'}, {'name': 'lap-9 '}):
        assert no(api, None, 'POST', '/v1/certificates', {
            'profile': 'laptop', 'token': named, **wish}) == BAD_TOKEN
    assert no(api, None, 'POST', '/v1/sign', {
        'profile': 'laptop', 'csr': request, 'token': named}) == BAD_TOKEN
    for wrong in ('', 'hft-', token[:-1], token + '0', token.upper(), "' OR 1=1 --", 'hft-' + '0' * 40):
        assert no(api, None, 'POST', '/v1/sign', {**plain, 'token': wrong})[0] == 403, wrong
    gone = make(profile='laptop')
    api.good(api.alice, 'DELETE', f'/v1/tokens/{gone["id"]}')
    assert no(api, None, 'POST', '/v1/certificates', {
        'profile': 'laptop', 'name': 'x', 'token': gone['token']}) == BAD_TOKEN
    assert no(api, None, 'POST', '/v1/certificates', {
        'profile': 'laptop', 'name': 'x', 'token': token, 'authority': 'root'}) == NOT_ALLOWED
    assert api.n_issued() == before
    assert [one['uses_left'] for one in api.good(api.alice, 'GET', '/v1/tokens')['tokens']] == [1, 1]


def test_tokens_are_for_nothing_that_signs(api):
    for profile in ('ca', 'root', 'ocsp-signer'):
        assert no(api, api.alice, 'POST', '/v1/tokens', {'profile': profile}) == NOT_ALLOWED
        for who in (api.alice, api.bob, None):
            assert no(api, who, 'POST', '/v1/certificates', {
                'profile': profile, 'name': 'x'}) == NOT_ALLOWED
    assert api.good(api.alice, 'GET', '/v1/tokens')['tokens'] == []


def test_of_many_with_one_token_one_is_served(either):
    api = either
    token = api.good(api.alice, 'POST', '/v1/tokens', {'profile': 'laptop'}, 201)['token']
    before = api.n_issued()
    body = {'profile': 'laptop', 'name': 'lap', 'token': token}
    got = at_once(*[lambda: api.ask(None, 'POST', '/v1/certificates', body).status] * 8)
    assert sorted(got) == [201] + [403] * 7
    assert api.n_issued() == before + 1


# --- Approving ----------------------------------------------------------------------------------


def ask_badge(api, who, name='badge', **more):
    request, _ = csr(api.folder, name)
    answer = api.ask(who, 'POST', '/v1/sign', {'profile': 'badge', 'csr': request, **more})
    assert answer.status == 202, answer.body
    place = answer.headers['location'][len('/ca'):]
    return place, place.split('.')[0]


def test_nobody_approves_their_own(api):
    before = api.n_issued()
    _, mine = ask_badge(api, api.alice)
    assert no(api, api.alice, 'POST', mine + '/approve') == FORBIDDEN
    token = api.good(api.alice, 'POST', '/v1/tokens', {'profile': 'badge'}, 201)['token']
    _, anonymous = ask_badge(api, None, token=token)
    assert no(api, api.alice, 'POST', anonymous + '/approve') == FORBIDDEN
    for who in (None,):
        assert no(api, who, 'POST', mine + '/approve') == FORBIDDEN
        assert no(api, who, 'POST', mine + '/deny') == FORBIDDEN
    assert api.n_issued() == before
    for request in (mine, anonymous):
        api.good(api.bob, 'POST', request + '/approve', status=201)
    assert api.n_issued() == before + 2


def test_a_request_is_decided_once(either):
    api = either
    api_config = api.config()
    api_config['ca']['main']['rights']['approve'] = ['verified']
    api.daemon.reload(api_config)
    carol = api.ca.issue('client', 'carol')
    before = api.n_issued()
    _, request = ask_badge(api, carol)
    decide = [lambda: api.ask(api.bob, 'POST', request + '/approve').status,
              lambda: api.ask(api.alice, 'POST', request + '/approve').status,
              lambda: api.ask(api.alice, 'POST', request + '/deny').status]
    got = sorted(at_once(*decide))
    assert got in ([201, 409, 409], [200, 409, 409])
    assert api.n_issued() == before + (got[0] == 201)
    assert no(api, api.bob, 'POST', request + '/deny') == CONFLICT


def test_what_is_approved_must_still_be_allowed(api):
    _, request = ask_badge(api, api.alice)
    before = api.n_issued()
    api.put_profile('badge', 'name: badge\nextends: user\nask: ["cn:*"]\napproval: always\nkeys: [rsa3072]\n')
    waiting.until(lambda: 'rsa3072' in next(
        one['yaml'] for one in api.good(api.alice, 'GET', '/v1/profiles')['profiles']
        if one['name'] == 'badge'))
    assert no(api, api.bob, 'POST', request + '/approve') == NOT_ALLOWED
    assert api.n_issued() == before
    assert api.good(api.alice, 'GET', '/v1/requests?state=pending')['requests']
    api.put_profile('badge', 'name: badge\nextends: user\nask: ["cn:*"]\napproval: always\n')
    waiting.until(lambda: api.ask(api.bob, 'POST', request + '/approve').status == 201)
    assert api.n_issued() == before + 1


def test_picking_up_wants_the_whole_id(api):
    place, request = ask_badge(api, api.alice)
    for target in (request, request + '.', request + '.0' * 16, place[:-1], place + '0',
                   place.replace('.', '..')):
        for who in (None, api.bob):
            assert no(api, who, 'GET', target)[0] == 403, target
    assert no(api, None, 'GET', '/v1/requests/99.' + place.split('.')[1]) == FORBIDDEN
    api.good(api.alice, 'GET', request, status=202)
    api.good(None, 'GET', place, status=202)
    api.good(api.bob, 'POST', request + '/deny', {'note': 'no'})
    assert no(api, None, 'GET', place) == CONFLICT


# --- Roles --------------------------------------------------------------------------------------


def test_revoking_is_for_those_with_the_right_and_for_ones_own(api):
    serial = cas.serial(api.alice.cert)
    own = cas.serial(api.bob.cert)
    for who in (api.bob, None):
        for verb in ('hold', 'release'):
            assert no(api, who, 'POST', f'/v1/certificates/{serial}/{verb}') == FORBIDDEN
        assert no(api, who, 'POST', f'/v1/certificates/{serial}/revoke', {
            'reason': 'keyCompromise'}) == FORBIDDEN
        assert no(api, who, 'GET', f'/v1/certificates/{serial}') == FORBIDDEN
        assert no(api, who, 'POST', '/v1/revocations', {
            'identity': 'alice', 'reason': 'superseded', 'dry_run': True}) == FORBIDDEN
    for verb in ('hold', 'release'):
        assert no(api, api.bob, 'POST', f'/v1/certificates/{own}/{verb}') == FORBIDDEN
    assert api.good(api.alice, 'GET', '/v1/revocations')['revocations'] == []
    with clients.connect(api.door, api.ca.roots, api.alice):
        pass
    api.good(api.bob, 'POST', '/v1/certificates/self/revoke', {'reason': 'superseded'})
    assert clients.refusal(api.door, api.ca.roots, api.bob) == 'certificate revoked'


def test_who_one_is_comes_from_the_connection_alone(api):
    pem = api.alice.cert.read_text().replace('\n', ' ')
    fields = {
        'X_Client_Cert': pem, 'Client_Cert': ':AAAA:', 'X_Forwarded_Client_Cert':
        'By=x;Subject="CN=alice";URI=spiffe://example.org/ops/alice', 'X_SSL_Client_S_DN': 'CN=alice',
        'X_SSL_Client_Verify': 'SUCCESS', 'X_Forwarded_For': '127.0.0.1', 'Forwarded': 'for=127.0.0.1',
        'X_Remote_User': 'alice', 'Authorization': 'Basic YWxpY2U6', 'X_Original_URL': '/v1/audit',
        'X_HTTP_Method_Override': 'DELETE',
    }
    told = api.good(None, 'GET', '/v1', **fields)
    assert (told['you'], told['rights']) == ('anonymous', [])
    told = api.good(api.bob, 'GET', '/v1', **fields)
    assert (told['you'], told['rights']) == ('dn:CN=bob', ['approve'])
    assert no(api, api.bob, 'GET', '/v1/audit', **fields) == FORBIDDEN

# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens against a key set that is fetched: claims, rotation, dead issuers, and tokens that
are bound to the client's certificate."""

import base64
import json
import subprocess

import pytest

from harness import clients, configs, idp, recorder, waiting


@pytest.fixture
def recording():
    return recorder.Recorder()


@pytest.fixture
def issuer(pki, ports):
    """Starts issuers: issuer(keys) -> idp.Idp."""
    running = []

    def start(*keys, leaf=None, port=None):
        running.append(idp.Idp(port or ports.take(), leaf or pki.servers.server('localhost'), keys))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def door(pki, port, handfast, backend, recording):
    """Starts a proxy whose /api/ asks for a token: door(jwks, jwt={...}, auth=...)."""

    def start(jwks, auth='idp', more_auth=None, listener=None, **jwt):
        config = configs.http_side(
            pki, port, backend(recording.serve), listener=listener,
            routes=[{'match': {'path': '/api/'}, 'auth': auth, 'to': 'app'}, {'allow': ['anyone'], 'to': 'app'}],
            auth={'idp': {'jwt': {'jwks': str(jwks), 'jwks-trust': 'backends', 'issuer': idp.ISSUER,
                                  'audience': idp.AUDIENCE, **jwt}}, **(more_auth or {})})
        if '://' not in str(jwks):
            del config['auth']['idp']['jwt']['jwks-trust']
        else:
            config['trust']['backends'] = configs.trust(pki.servers)
        return handfast(config)

    return start


def ask(pki, port, *fields, path='/api/x', leaf='alice', accept='application/json'):
    leaf = getattr(pki, leaf)
    with clients.connect(port, pki.servers.root.cert, leaf, alpn=['http/1.1']) as connection:
        lines = [f'GET {path} HTTP/1.1', 'Host: server.example', f'Accept: {accept}', 'Connection: close', *fields]
        connection.sendall('\r\n'.join([*lines, '', '']).encode())
        return clients.HttpReader(connection).answer()


def bearer(token):
    return f'Authorization: Bearer {token}'


def code(answer):
    return json.loads(answer.body)['code']


def test_good_tokens_pass_and_others_are_told_why(pki, port, door, issuer, recording):
    key = idp.Key('one')
    other = idp.Key('one')
    daemon = door(issuer(key).url, scopes=['read'])
    good = key.token(scope='write read')
    answer = ask(pki, port, bearer(good))
    assert (answer.status, answer.body) == (200, b'ok')
    assert recording.take()[-1].fields['authorization'] == f'Bearer {good}'
    assert ask(pki, port, path='/free').status == 200

    answer = ask(pki, port)
    assert (answer.status, code(answer)) == (401, 'auth-required')
    assert answer.fields['www-authenticate'] == 'Bearer'
    assert ask(pki, port, bearer(good), bearer(good)).status == 400
    unsigned = '.'.join([base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip('='), good.split('.')[1], ''])
    for token, status, reason in [
            (key.token(scope='read', lifetime=-40), 401, 'token-expired'),
            (key.token(scope='read', nbf=4102444800), 401, 'token-not-yet-valid'),
            (key.token(scope='read', exp=None), 401, 'token-dates'),
            (key.token(scope='read', iss='https://evil.example/'), 401, 'token-issuer'),
            (key.token(scope='read', aud='https://other.example'), 401, 'token-audience'),
            (other.token(scope='read'), 401, 'token-signature'),
            (key.token(scope='read', headers={'crit': ['x']}), 401, 'token-critical'),
            (unsigned, 401, 'token-malformed'),
            ('rubbish', 401, 'token-malformed'),
            (key.token(scope='write'), 403, 'token-scope')]:
        answer = ask(pki, port, bearer(token))
        assert (answer.status, code(answer)) == (status, reason)
        error = 'insufficient_scope' if status == 403 else 'invalid_token'
        assert f'error="{error}"' in answer.fields['www-authenticate']
    assert 'scope="read"' in answer.fields['www-authenticate']
    seen = [request.target for request in recording.take()]
    assert seen == ['/free']  # nothing that was refused went further
    assert daemon.log.all(event='jwks')


def test_rotated_keys_are_fetched_when_they_are_met(pki, port, door, issuer):
    old, new = idp.Key('old'), idp.Key('new', 'RS256')
    server = issuer(old)
    door(server.url)
    assert ask(pki, port, bearer(old.token())).status == 200
    server.keys = [new]
    assert ask(pki, port, bearer(new.token())).status == 200  # waits for the fetch that it caused
    answer = ask(pki, port, bearer(old.token()))  # the memory of good signatures went with the keys
    assert (answer.status, code(answer)) == (401, 'token-unknown-key')


def test_unknown_keys_do_not_make_a_flood_of_fetches(pki, port, door, issuer):
    server = issuer(idp.Key('one'))
    door(server.url)
    assert ask(pki, port, bearer(server.keys[0].token())).status == 200
    for number in range(20):
        assert ask(pki, port, bearer(idp.Key(f'made-up-{number}').token())).status == 401
    assert server.asked <= 1 + 3
    assert server.unchanged >= 1  # and what has not changed was not sent again


def test_the_last_good_keys_outlive_their_issuer(pki, port, door, issuer):
    key = idp.Key('one')
    server = issuer(key)
    daemon = door(server.url)
    assert ask(pki, port, bearer(key.token())).status == 200
    server.close()
    assert ask(pki, port, bearer(idp.Key('two').token())).status == 401
    daemon.log.wait(event='jwks', level='warn')
    assert ask(pki, port, bearer(key.token())).status == 200


def test_without_any_keys_the_answer_is_503_until_they_come(pki, port, ports, door, issuer):
    key = idp.Key('one')
    server = issuer(key, port=ports.take())
    server.close()
    daemon = door(server.url)
    answer = ask(pki, port, bearer(key.token()))
    assert (answer.status, code(answer), answer.fields['retry-after']) == (503, 'keys-unavailable', '5')
    assert 'no key is known' in daemon.log.wait(event='jwks')['text']
    assert ask(pki, port, path='/free').status == 200
    server.open()
    waiting.until(lambda: ask(pki, port, bearer(key.token())).status == 200)


def test_an_issuer_whose_certificate_is_not_trusted_gives_no_keys(pki, port, door, issuer):
    key = idp.Key('one')
    daemon = door(issuer(key, leaf=pki.strangers.server('localhost')).url)
    assert ask(pki, port, bearer(key.token())).status == 503
    assert 'certificate' in daemon.log.wait(event='jwks')['text']


def test_bound_tokens_are_for_one_certificate(pki, port, door, issuer):
    key = idp.Key('one')
    door(issuer(key).url, bound='require')
    bound = key.token(cnf={'x5t#S256': idp.thumbprint(pki.alice)})
    assert ask(pki, port, bearer(bound)).status == 200
    answer = ask(pki, port, bearer(bound), leaf='bob')
    assert (answer.status, code(answer)) == (401, 'token-binding')
    answer = ask(pki, port, bearer(key.token()))
    assert (answer.status, code(answer)) == (401, 'token-unbound')


def test_binding_holds_on_resumed_connections(pki, port, door, issuer):
    key = idp.Key('one')
    door(issuer(key).url, bound='require')
    token = key.token(cnf={'x5t#S256': idp.thumbprint(pki.alice)})
    context = clients.context(pki.servers.root.cert, pki.alice, alpn=['http/1.1'])
    session, reused = None, []
    for _ in range(2):
        with clients.connect(port, None, context=context, session=session) as connection:
            lines = ['GET /api/x HTTP/1.1', 'Host: server.example', 'Connection: close', bearer(token), '', '']
            connection.sendall('\r\n'.join(lines).encode())
            assert clients.HttpReader(connection).answer().status == 200
            reused.append(connection.session_reused)
            session = connection.session
    assert reused == [False, True]


def test_http2_requests_are_asked_the_same(pki, port, door, issuer, tmp_path):
    key = idp.Key('one')
    door(issuer(key).url)

    def status(*words):
        ended = subprocess.run(
            ['curl', '-sS', '--http2', '-o', str(tmp_path / 'body'), '-w', '%{http_version} %{http_code}',
             '--cacert', pki.servers.root.cert, '--cert', pki.alice.chain, '--key', pki.alice.key,
             '--resolve', f'server.example:{port}:127.0.0.1', f'https://server.example:{port}/api/x', *words],
            capture_output=True, text=True, timeout=waiting.SECONDS)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert status('-H', bearer(key.token())) == '2 200'
    assert status() == '2 401'
    assert json.loads((tmp_path / 'body').read_text())['code'] == 'auth-required'
    assert status('-H', bearer(idp.Key('new').token()), '-d', 'x') == '2 401'


def test_keys_of_a_file_change_with_a_reload(pki, port, door, tmp_path):
    old, new = idp.Key('old'), idp.Key('new')
    file = tmp_path / 'keys.json'
    file.write_text(json.dumps({'keys': [old.public]}))
    daemon = door(file, forward=False)
    assert ask(pki, port, bearer(old.token())).status == 200
    assert ask(pki, port, bearer(new.token())).status == 401
    file.write_text(json.dumps({'keys': [new.public]}))
    daemon.reload()
    assert ask(pki, port, bearer(new.token())).status == 200
    assert ask(pki, port, bearer(old.token())).status == 401


def test_routes_ask_for_more_of_a_token(pki, port, door, issuer, recording):
    key = idp.Key('one')
    door(issuer(key).url, forward=False,
         auth={'use': 'idp', 'users': ['service-7'], 'claims': {'tenant': 'acme', '/realm/roles': ['admin', 'root']}})
    good = {'tenant': 'acme', 'realm': {'roles': ['user', 'root']}}
    assert ask(pki, port, bearer(key.token(**good))).status == 200
    assert 'authorization' not in recording.take()[-1].fields
    for claims, reason in [({**good, 'tenant': 'umbrella'}, 'token-claim'),
                           ({**good, 'realm': {'roles': ['user']}}, 'token-claim'),
                           ({**good, 'sub': 'service-8'}, 'wrong-user')]:
        answer = ask(pki, port, bearer(key.token(**claims)))
        assert (answer.status, code(answer)) == (403, reason)


def test_refusals_are_in_the_form_that_the_client_accepts(pki, port, door, issuer):
    key = idp.Key('one')
    door(issuer(key).url)
    answer = ask(pki, port, accept='text/html,*/*;q=0.8')
    assert answer.status == 401 and answer.fields['content-type'] == 'text/html; charset=utf-8'
    assert b'<code>auth-required</code>' in answer.body
    answer = ask(pki, port, 'Content-Type: application/grpc+proto')
    assert (answer.status, answer.fields['grpc-status'], answer.body) == (200, '16', b'')

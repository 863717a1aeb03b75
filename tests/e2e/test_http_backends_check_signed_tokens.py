# SPDX-License-Identifier: Apache-2.0
"""mode: http: a token says who the client is, and whoever has the published keys can check it: by
PyJWT, which others wrote."""

import base64
import hashlib
import json
import ssl

import pytest

from harness import certs, clients, configs
from harness.recorder import Recorder

jwt = pytest.importorskip('jwt')

ISSUER = 'https://edge.example.org'


@pytest.fixture
def site(pki, port, backend, handfast):
    class Site:
        def __init__(self, forward=None, signing=None, listener=None, **more):
            self.recorder = Recorder()
            self.config = configs.http_side(
                pki, port, backend(self.recorder.serve), None,
                {'jwks-path': '/.well-known/jwks.json', **(listener or {})},
                {'forward': {'identity': 'token', **(forward or {})}},
                **{'token-signing': {'issuer': ISSUER, **(signing or {})}}, **more)
            self.daemon = handfast(self.config)

        def get(self, path='/', leaf=pki.alice, *options):
            ended = clients.curl(port, '--fail', *options, roots=pki.servers.root.cert, leaf=leaf,
                                 path=path)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        def keys(self):
            return json.loads(self.get('/.well-known/jwks.json'))

        def token(self, *words):
            self.get(*words)
            return self.recorder.take()[-1].fields['x-handfast-token']

        def claims(self, token, keys=None, audience='app'):
            kid = jwt.get_unverified_header(token)['kid']
            key = next(key for key in (keys or self.keys())['keys'] if key['kid'] == kid)
            return jwt.decode(token, jwt.PyJWK(key).key, algorithms=['ES256'], audience=audience,
                              issuer=ISSUER, options={'require': ['exp', 'iat', 'sub', 'jti']})
    return Site


def digest(leaf):
    der = ssl.PEM_cert_to_DER_cert(leaf.cert.read_text())
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b'=').decode()


@pytest.mark.quick
def test_tokens_hold(site, pki):
    here = site()
    token = here.token()
    claims = here.claims(token)
    assert claims.pop('exp') - claims.pop('iat') == 60 and len(claims.pop('jti')) == 22
    assert claims == {
        'iss': ISSUER, 'aud': 'app', 'sub': 'spiffe://example.org/alice', 'listener': 'in',
        'cnf': {'x5t#S256': digest(pki.alice)}, 'serial': pki.alice.serial,
        'spiffe': 'spiffe://example.org/alice', 'cn': 'alice',
        'dn': pki.alice.field('-subject', '-nameopt', 'RFC2253'),
        'issuer': pki.alice.field('-issuer', '-nameopt', 'RFC2253'),
        'uri': ['spiffe://example.org/alice'], 'email': ['alice@example.org'],
    }
    with pytest.raises(jwt.InvalidAudienceError):
        here.claims(token, audience='other')
    body = token.split('.')[1]
    forged = token.replace(body, body[:-4] + ('AAAA' if body[-4:] != 'AAAA' else 'BBBB'))
    with pytest.raises(jwt.InvalidTokenError):
        here.claims(forged)


def test_a_connection_is_told_the_same_token_for_a_while(site, pki, port):
    here = site()
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        for _ in range(3):
            client.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
            while not client.recv(65536).endswith(b'ok'):
                pass
    tokens = {request.fields['x-handfast-token'] for request in here.recorder.take()}
    assert len(tokens) == 1
    assert here.token() not in tokens


def test_nobody_gets_no_token(site):
    here = site(listener={'client': 'request'})
    here.get('/', None, '-H', 'X-Handfast-Token: eyJ.eyJ.x')
    assert 'x-handfast-token' not in here.recorder.take()[-1].fields


def test_tokens_can_be_bearer_tokens(site, pki):
    here = site({'token': {'header': 'Authorization', 'audience': 'orders'}}, {'lifetime': '10s'})
    assert here.get('/', pki.alice, '-H', 'Authorization: Bearer mine') == 'ok'
    scheme, token = here.recorder.take()[-1].fields['authorization'].split(' ')
    claims = here.claims(token, audience='orders')
    assert scheme == 'Bearer' and claims['exp'] - claims['iat'] == 10


def test_keys_come_from_files_and_can_be_changed(site, tmp_path):
    old, new = tmp_path / 'old.key', tmp_path / 'new.key'
    certs.make_key(old)
    certs.make_key(new)
    here = site(signing={'keys': [str(old)]})
    before = here.token()
    here.config['token-signing']['keys'] = [str(new), str(old)]
    here.daemon.reload(here.config)
    after = here.token()
    assert len(here.keys()['keys']) == 2
    assert here.claims(before)['cn'] == here.claims(after)['cn'] == 'alice'
    assert jwt.get_unverified_header(before)['kid'] != jwt.get_unverified_header(after)['kid']


def test_a_key_of_our_own_outlives_a_reload(site):
    here = site()
    keys = here.keys()
    here.config['upstreams']['app']['forward']['request-id'] = False
    here.daemon.reload(here.config)
    assert here.keys() == keys and here.claims(here.token(), keys)


def test_keys_are_served_to_readers_alone(site, pki, port):
    here = site()
    ended = clients.curl(port, '--include', roots=pki.servers.root.cert, leaf=pki.alice,
                         path='/.well-known/jwks.json')
    assert 'content-type: application/jwk-set+json' in ended.stdout.lower()
    here.get('/.well-known/jwks.json', pki.alice, '--head')
    assert not here.recorder.take()
    here.get('/.well-known/jwks.json', pki.alice, '--data', 'x')
    assert here.recorder.take()[0].method == 'POST'  # not ours: it goes its route

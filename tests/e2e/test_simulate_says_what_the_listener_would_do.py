# SPDX-License-Identifier: Apache-2.0
"""handfast simulate: the listener's verdict on a certificate and a request, without a connection."""

import datetime
import json

import pytest
import yaml

from harness import configs, daemon as daemons, revocation

pytestmark = pytest.mark.quick


@pytest.fixture(scope='module')
def people(pki):
    return {'ops': pki.clients.client('ops1', san=['URI:spiffe://example.org/ops/one']),
            'web': pki.clients.client('web1', san=['URI:spiffe://example.org/web'])}


@pytest.fixture
def simulate(pki, tmp_path):
    config = configs.server_side(pki, 18443, '127.0.0.1:18080', {
        'mode': 'http', 'client': 'request',
        'sni': [{'name': 'strict.example.org', 'client': 'require'}],
        'routes': [
            {'name': 'admin', 'match': {'path': '/admin/'}, 'allow': ['admins'],
             'deny': ['cn:ops2'], 'to': 'app'},
            {'name': 'v2', 'match': {'header': {'X-Version': '2*'}, 'query': {'q': 'a b'},
                                     'method': ['PUT']}, 'allow': ['anyone'], 'to': 'app'},
            {'name': 'trial', 'match': {'path': '/trial'}, 'report': ['ops'], 'to': 'app'},
            {'name': 'bare', 'match': {'path': '/bare'}, 'to': 'app'},
            {'name': 'rest', 'allow': ['verified'], 'to': 'app'},
        ]},
        roles={'ops': ['spiffe://example.org/ops/*'], 'admins': {'all': ['ops', {'not': 'cn:x'}]},
               'nobody': 'cn:nobody'})
    del config['listeners']['in']['to']
    config['listeners']['raw'] = {'listen': ['127.0.0.1:18444'], 'identities': ['server'],
                                  'trust': 'clients', 'to': 'app'}
    path = tmp_path / 'handfast.yaml'
    path.write_text(yaml.safe_dump(config))

    def run(*words, leaf=None, listener='in', status=None):
        given = ['simulate', '-c', path, '--listener', listener, *words]
        ended = daemons.run(*given, *(['--cert', leaf.chain] if leaf else []))
        if status is not None:
            assert ended.returncode == status, ended.stdout + ended.stderr
        return ended
    return run


def judged(simulate, *words, leaf=None, **more):
    ended = simulate('--json', *words, leaf=leaf, **more)
    told = json.loads(ended.stdout)
    assert ended.returncode == (0 if told['allow'] else 1), ended.stderr
    return told


@pytest.mark.parametrize('who, words, code, route, rule, status', [
    ('ops', ['--path', '/admin/users'], 'ok', 'admin', 'admin/allow', 0),
    ('ops', ['--path', '/x/../admin'], 'ok', 'admin', 'admin/allow', 0),
    ('web', ['--path', '/%61dmin'], 'not-allowed', 'admin', 'admin/allow', 403),
    (None, ['--path', '/admin'], 'not-verified', 'admin', 'admin/allow', 403),
    ('web', ['--path', '/'], 'ok', 'rest', 'rest/allow', 0),
    (None, ['--path', '/'], 'not-verified', 'rest', 'rest/allow', 403),
    (None, ['--path', '/?q=a+b', '--method', 'PUT', '--header', 'x-version: 2.1'],
     'ok', 'v2', 'v2/allow', 0),
    ('web', ['--path', '/?q=a+b', '--method', 'PUT', '--header', 'x-version: 1'],
     'ok', 'rest', 'rest/allow', 0),
    ('web', ['--path', '/bare'], 'no-rule', 'bare', 'bare', 403),
    ('web', ['--path', '/a%2Fb'], 'bad-path', None, None, 400),
    ('web', ['--path', '/', '--host', 'strict.example.org', '--sni', 'other.example.org'],
     'misdirected', None, None, 421),
    ('web', ['--path', '/', '--host', 'other.example.org:8443', '--sni', 'strict.example.org'],
     'misdirected', None, None, 421),
    ('web', ['--path', '/', '--host', 'STRICT.example.org:8443'], 'ok', 'rest', 'rest/allow', 0),
])
def test_requests(simulate, people, who, words, code, route, rule, status):
    told = judged(simulate, *words, leaf=people.get(who))
    assert told['handshake']['allow'] is True
    assert told['handshake']['verified'] is (who is not None)
    request = told['request']
    assert (request['code'], request['route'], request['rule'], request['status']) == \
        (code, route, rule, status)
    assert request['allow'] is told['allow'] is (code == 'ok')


def test_a_rule_on_trial_is_told_and_lets_through(simulate, people):
    told = judged(simulate, '--path', '/trial', leaf=people['web'])
    assert told['allow'] is True
    assert told['request']['would_refuse'] is True
    assert told['request']['code'] == 'not-allowed'
    assert told['request']['rule'] == 'trial/report'


def test_roles_that_the_client_has(simulate, people):
    assert judged(simulate, leaf=people['ops'])['roles'] == ['admins', 'ops']
    assert judged(simulate, leaf=people['web'])['roles'] == []
    assert judged(simulate)['roles'] == []


def test_the_handshake_comes_first(simulate, people, pki):
    told = judged(simulate, '--path', '/', '--host', 'strict.example.org')
    assert told['allow'] is False and 'request' not in told
    assert told['handshake']['code'] == 'no-certificate'
    assert told['handshake']['sni_rule'] == 'strict.example.org'
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20000))
    told = judged(simulate, '--path', '/', '--at', later.strftime('%Y-%m-%d'), leaf=people['ops'])
    assert told['handshake']['code'] == 'expired' and 'request' not in told
    assert told['roles'] == []
    told = judged(simulate, leaf=pki.server)
    assert told['allow'] is False
    assert told['handshake']['step'] == 'chain'


def test_words_for_people(simulate, people):
    ended = simulate('--path', '/admin', leaf=people['web'], status=1)
    assert 'handshake: admitted (ok): the certificate is good\n' in ended.stdout
    assert 'request: refused with 403 (not-allowed): route "admin" doesn\'t allow the client ' \
        '(allow: admins)\n' in ended.stdout
    ended = simulate('--path', '/admin', leaf=people['ops'], status=0)
    assert '  roles    admins, ops\n' in ended.stdout
    assert 'request: allowed: route "admin" allows the client (allow: admins)\n' in ended.stdout


def test_a_listener_of_bytes_judges_handshakes_alone(simulate, people):
    assert judged(simulate, leaf=people['web'], listener='raw')['allow'] is True
    assert judged(simulate, listener='raw')['handshake']['code'] == 'no-certificate'
    ended = simulate('--path', '/', leaf=people['web'], listener='raw', status=2)
    assert 'relays bytes' in ended.stderr


def test_wrong_usage(simulate, people, tmp_path):
    assert 'did you mean "raw"?' in simulate(listener='row', status=1).stderr
    assert 'NAME:VALUE' in simulate('--header', 'x', '--path', '/', status=2).stderr
    assert 'is not a time' in simulate('--at', 'noon', status=1).stderr
    empty = tmp_path / 'empty.pem'
    empty.write_text('')
    assert 'empty.pem' in simulate('--cert', empty, status=1).stderr


def test_the_verdict_is_explained_as_a_daemon_would(simulate, people, pki, tmp_path):
    told = judged(simulate, leaf=people['web'])['explanation']
    assert told['result'] == 'admitted' and told['chain'][-1]['from'] == 'trust'
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    lists.write([people['web']])
    refused = judged(simulate, '--crl', str(lists.path), leaf=people['web'])['explanation']
    assert (refused['code'], refused['step']) == ('revoked', 'revocation')
    assert refused['revocation'][0]['from'].endswith('clients.crl')
    shown = simulate('--crl', str(lists.path), leaf=people['web']).stdout
    for words in ('do       issue the peer a new certificate', '<-- this one', 'revocation  FAILED',
                  'revoked, says the revocation list of CN=clients issuing'):
        assert words in shown, shown

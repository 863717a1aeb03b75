# SPDX-License-Identifier: Apache-2.0
"""mode: http: each request goes its route, and only for those whom the route allows; in both
versions of HTTP, after a reload, and by the same verdict as handfast simulate."""

import json
import subprocess

import pytest
import yaml

from harness import clients, configs, daemon as daemons
from harness.recorder import Recorder

ROLES = {'ops': ['spiffe://example.org/ops/*'], 'staff': {'any': ['ops', 'cn:web']},
         'seniors': {'all': ['staff', {'not': 'cn:web'}]}}


@pytest.fixture(scope='module')
def people(pki):
    return {'ops': pki.clients.client('ops', san=['URI:spiffe://example.org/ops/one']),
            'web': pki.clients.client('web', san=['URI:spiffe://example.org/web'])}


class Site:
    """A daemon with routes before a backend that writes down what comes."""

    def __init__(self, pki, people, port, daemon, recorder, config):
        self.pki, self.people, self.port = pki, people, port
        self.daemon, self.recorder, self.config = daemon, recorder, config

    def ask(self, path, who=None, *options, host='server.example', version='--http1.1'):
        """Status, fields and body, by curl; --path-as-is, for paths that it would tidy."""
        leaf = self.people.get(who)
        ended = clients.curl(self.port, version, '--path-as-is', '--include', *options,
                             roots=self.pki.servers.root.cert, leaf=leaf, host=host, path=path)
        assert ended.returncode == 0, ended.stderr
        head, _, body = ended.stdout.replace('\r\n', '\n').partition('\n\n')
        lines = head.splitlines()
        fields = dict(line.lower().split(': ', 1) for line in lines[1:])
        return int(lines[0].split()[1]), fields, body

    def status(self, *words, **more):
        return self.ask(*words, **more)[0]


@pytest.fixture
def site(pki, people, port, backend, handfast):
    def start(routes, listener=None, more_listeners=None, **more):
        recorder = Recorder()
        config = configs.http_side(pki, port, backend(recorder.serve), routes,
                                   {'client': 'request', **(listener or {})}, roles=dict(ROLES), **more)
        config['listeners'].update(more_listeners or {})
        return Site(pki, people, port, handfast(config), recorder, config)
    return start


RULED = [
    {'name': 'seniors', 'match': {'path': '/senior/'}, 'allow': ['seniors'], 'to': 'app'},
    {'name': 'ops', 'match': {'path': '/ops/', 'method': ['GET', 'HEAD']}, 'allow': ['ops'],
     'to': 'app'},
    {'name': 'no-web', 'match': {'path': '/some'}, 'allow': ['verified'], 'deny': ['cn:web'],
     'to': 'app'},
    {'name': 'open', 'match': {'path': ['/open', '/health/*']}, 'allow': ['anyone'], 'to': 'app'},
    {'name': 'bare', 'match': {'path': '/bare'}, 'to': 'app'},
]

CASES = [
    ('/senior', 'ops', 200), ('/senior', 'web', 403), ('/senior', None, 403),
    ('/senior/x', 'ops', 200), ('/x/..//senior/x', 'web', 403), ('/%73enior', 'web', 403),
    ('/ops/', 'ops', 200), ('/ops/', 'web', 403),
    ('/some', 'ops', 200), ('/some', 'web', 403), ('/some', None, 403), ('/some/', 'ops', 404),
    ('/open', None, 200), ('/open?x=1', 'web', 200), ('/health/live', None, 200), ('/health/', None, 404),
    ('/bare', 'ops', 403), ('/elsewhere', 'ops', 404), ('/a%2Fb', 'ops', 400),
]


@pytest.mark.engines
@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
def test_rules(site, version):
    here = site(RULED)
    for path, who, status in CASES:
        assert here.status(path, who, version=version) == status, (path, who)
    passed = [one.target for one in here.recorder.take()]
    assert passed == ['/senior', '/senior/x', '/ops/', '/some', '/open', '/open?x=1', '/health/live']
    assert here.recorder.unreadable == []


def test_a_refusal_has_its_code_and_the_log_its_sentence(site):
    here = site(RULED)
    status, fields, body = here.ask('/senior/secret', 'web', '--header', 'Accept: application/json')
    assert status == 403
    assert fields['content-type'].startswith('application/problem+json')
    told = json.loads(body)
    assert 'not-allowed' in body and 'senior' not in body
    line = here.daemon.log.wait(event='request', status=403)
    assert line['cause'] == 'not-allowed' and line['rule'] == 'seniors/allow'
    assert line['detail'] == 'route "seniors" doesn\'t allow the client (allow: seniors)'
    assert line['id'] in told.values() or line['id'] in body
    assert line['identity'] == 'spiffe://example.org/web'


def test_the_daemon_and_simulate_agree(site, tmp_path):
    here = site(RULED)
    path = tmp_path / 'simulated.yaml'
    path.write_text(yaml.safe_dump(here.config))
    for target, who, status in CASES:
        leaf = ['--cert', here.people[who].chain] if who else []
        ended = daemons.run('simulate', '--json', '-c', path, '--listener', 'in', '--host',
                            'server.example', '--path', target, *leaf)
        told = json.loads(ended.stdout)['request']
        assert (told['status'] or 200) == status, (target, who, told)
        assert ended.returncode == (0 if status == 200 else 1)


def test_first_match_by_host_method_header_query_and_identity(site):
    here = site([
        {'match': {'host': '*.apps.example'}, 'allow': ['anyone'], 'respond': {'status': 210}},
        {'match': {'method': 'PUT'}, 'allow': ['anyone'], 'respond': {'status': 211}},
        {'match': {'header': {'X-Version': '2*'}}, 'allow': ['anyone'], 'respond': {'status': 212}},
        {'match': {'query': {'q': 'a b'}}, 'allow': ['anyone'], 'respond': {'status': 213}},
        {'match': {'identity': ['ops']}, 'allow': ['anyone'], 'respond': {'status': 214}},
        {'allow': ['anyone'], 'respond': {'status': 215}},
    ])
    assert here.status('/', 'ops') == 214
    assert here.status('/', 'web') == 215
    assert here.status('/?q=a+b') == 213
    assert here.status('/?q=a+b', None, '--header', 'x-version: 2.5') == 212
    assert here.status('/', None, '--header', 'x-version: 1', '--header', 'X-Version: 2') == 212
    assert here.status('/', None, '--request', 'PUT', '--header', 'x-version: 2') == 211
    assert here.status('/', None, '--header', 'Host: a.apps.example') == 210
    assert here.status('/', None, '--header', 'Host: a.b.apps.example') == 215


def test_answers_rewrites_and_header_edits(site):
    here = site([
        {'match': {'path': '/gone'}, 'respond': {'status': 410, 'body': 'it was here',
                                                 'headers': {'X-Why': 'moved'}}},
        {'match': {'path': '/old/'}, 'redirect': {'to': 'https://{host}/new{path}{query}', 'status': 302}},
        {'match': {'path': '/tidy'}, 'redirect': {'to': '{path}/'}},
        {'match': {'path': '/v1/'}, 'rewrite': {'path': '/api/v1/', 'host': 'app.internal:81'},
         'to': 'app'},
        {'match': {'path': '/edit'}, 'to': 'app', 'headers': {
            'request': {'set': {'X-Team': 'a'}, 'add': {'X-More': '2'}, 'remove': ['cookie']},
            'response': {'set': {'X-Frame-Options': 'DENY'}, 'remove': ['content-type']}}},
    ], {'client': 'require'})
    status, fields, body = here.ask('/gone', 'ops')
    assert (status, body, fields['x-why']) == (410, 'it was here', 'moved')
    assert fields['content-type'] == 'text/plain; charset=utf-8'
    status, fields, _ = here.ask('/old/a?b=c', 'ops')
    assert (status, fields['location']) == (302, 'https://server.example/new/old/a?b=c')
    status, fields, _ = here.ask('/tidy', 'ops')
    assert (status, fields['location']) == (308, '/tidy/')
    assert here.recorder.take() == []
    for path, target in (('/v1', '/api/v1'), ('/v1/', '/api/v1/'), ('/v1/a/b?c=d', '/api/v1/a/b?c=d')):
        assert here.status(path, 'ops') == 200
        request, = here.recorder.take()
        assert (request.target, request.fields['host']) == (target, 'app.internal:81')
    status, fields, _ = here.ask('/edit', 'ops', '--header', 'X-Team: b', '--header', 'X-More: 1',
                                 '--header', 'Cookie: a=b')
    request, = here.recorder.take()
    assert request.fields['x-team'] == 'a' and 'cookie' not in request.fields
    assert request.fields['x-more'] == '1, 2'
    assert fields['x-frame-options'] == 'deny'


def test_a_rule_on_trial_is_logged_and_lets_through(site):
    here = site([{'name': 'trial', 'report': ['ops'], 'to': 'app'}])
    assert here.status('/', 'web') == 200
    line = here.daemon.log.wait(event='request', status=200)
    assert line['would_refuse'] == 'not-allowed' and line['rule'] == 'trial/report'
    assert here.status('/', 'ops') == 200
    assert 'would_refuse' not in here.daemon.log.wait(count=2, event='request', status=200)[1]


@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
def test_a_stricter_hosts_rules_cannot_be_entered_through_anothers_door(site, version):
    here = site([{'allow': ['anyone'], 'to': 'app'}],
                {'client': 'none', 'sni': [{'name': 'strict.example', 'client': 'require'}]})
    assert here.status('/', None, version=version) == 200
    for host in ('strict.example', 'STRICT.example.', 'strict.example:443'):
        assert here.status('/', None, '--header', f'Host: {host}', version=version) == 421, host
    line = here.daemon.log.wait(event='request', status=421)
    assert line['cause'] == 'misdirected'
    assert len(here.recorder.take()) == 1


@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
def test_nor_through_that_of_another_listener_of_the_port(site, pki, port, version):
    """0.0.0.0 wants a certificate for its host; 127.0.0.1, where the client gets to, doesn't insist."""
    here = site([{'allow': ['anyone'], 'to': 'app'}], more_listeners={'strict': {
        'listen': [f'0.0.0.0:{port}'], 'identities': ['server'], 'client': 'require', 'trust': 'clients',
        'mode': 'http', 'routes': [{'match': {'host': 'strict.example'}, 'allow': ['ops'], 'to': 'app'}]}})
    assert here.status('/', None, version=version) == 200
    for host in ('strict.example', f'Strict.example.:{port}'):
        assert here.status('/', None, '--header', f'Host: {host}', version=version) == 421, host
    assert here.daemon.log.wait(event='request', status=421)['cause'] == 'misdirected'
    assert len(here.recorder.take()) == 1
    del here.config['listeners']['strict']  # and both come and go with reloads
    here.daemon.reload(here.config)
    assert here.status('/', None, '--header', 'Host: strict.example', version=version) == 200
    here.config['listeners']['other'] = {**here.config['listeners']['in'], 'listen': [f'0.0.0.0:{port}']}
    assert here.daemon.reload(here.config)['level'] == 'info'


def test_reload_changes_the_rules(site):
    here = site([{'name': 'a', 'allow': ['ops'], 'to': 'app'}])
    assert [here.status('/', 'ops'), here.status('/', 'web')] == [200, 403]
    here.config['roles']['ops'] = ['cn:web']
    assert here.daemon.reload(here.config)['level'] == 'info'
    assert [here.status('/', 'ops'), here.status('/', 'web')] == [403, 200]
    here.config['roles']['ops'] = ['cn:*:*', 'no-such-role']
    assert here.daemon.reload(here.config)['level'] == 'error'
    assert [here.status('/', 'ops'), here.status('/', 'web')] == [403, 200]


def test_what_is_in_the_names_of_a_bad_certificate_counts_for_nothing(site, pki):
    """request-unverified lets everybody in; roles are for those whose certificate was verified."""
    here = site([{'name': 'a', 'allow': ['ops'], 'to': 'app'}], {'client': 'request-unverified'})
    here.people = dict(here.people, fake=pki.strangers.client(
        'ops', san=['URI:spiffe://example.org/ops/one']))
    assert here.status('/', 'ops') == 200
    assert here.status('/', 'fake') == 403
    assert here.daemon.log.wait(event='request', status=403)['cause'] == 'not-verified'

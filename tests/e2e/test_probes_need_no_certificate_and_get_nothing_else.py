# SPDX-License-Identifier: Apache-2.0
"""probes: load balancers ask after health without a certificate, from where they are listed, and
reach nothing else; draining is said before it is done."""

import json
import signal
import subprocess

import pytest

from harness import backends, clients, configs, daemon as daemons, waiting
from harness.recorder import Recorder

HERE = {'from': ['127.0.0.0/8'], 'upstreams': '/upstreamz'}


@pytest.fixture
def site(pki, port, backend, handfast):
    def start(probes=HERE, listener=None, routes=None, **more):
        recorder = Recorder()
        config = configs.http_side(
            pki, port, backend(recorder.serve), routes,
            {'probes': probes, 'access-log': {'format': 'json'}, **(listener or {})}, **more)
        daemon = handfast(config)
        return daemon, recorder, config
    return start


@pytest.fixture
def ask(pki, port):
    def run(path, *options, leaf=None, version='--http1.1'):
        """(status, body), or None where the handshake was refused"""
        ended = clients.curl(port, version, '-s', '-w', '\n%{http_code}', *options,
                             roots=pki.servers.root.cert, leaf=leaf, path=path)
        if ended.returncode:
            return None
        body, _, status = ended.stdout.rpartition('\n')
        return int(status), body
    return run


@pytest.mark.engines
@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
@pytest.mark.parametrize('tls', ['1.2', '1.3'])
def test_without_a_certificate_probes_and_nothing_else(site, ask, version, tls):
    tls = ('--tls-max', tls, f'--tlsv{tls}')
    daemon, recorder, _ = site(listener={'jwks-path': '/jwks', 'tls': {'versions': ['1.2', '1.3']}})
    assert ask('/healthz', *tls, version=version) == (200, 'live\n')
    assert ask('/readyz', *tls, version=version) == (200, 'ready\n')
    assert ask('/upstreamz/app', *tls, version=version) == (200, 'app: 1 of 1 servers up\n')
    assert ask('/upstreamz/other', *tls, version=version)[0] == 404
    for path in ['/', '/healthz/', '/healthzz', '/jwks', '/upstreamz']:
        status, body = ask(path, *tls, '-H', 'Accept: application/json', version=version)
        assert (status, json.loads(body)['code']) == (403, 'probes-only'), path
    assert ask('/healthz', *tls, '-X', 'OPTIONS', version=version)[0] == 403
    assert not recorder.requests
    line = daemon.log.wait(event='request', target='/healthz', status=200)
    assert (line['rule'], line['verdict']) == ('probe/live', 'ok')
    line = daemon.log.wait(event='request', target='/', status=403)
    assert (line['verdict'], line['cause']) == ('probes-only', 'probes-only')


def test_a_certificate_is_nothing_less(site, ask, pki):
    _, recorder, _ = site()
    assert ask('/healthz', leaf=pki.alice) == (200, 'live\n')
    assert ask('/', leaf=pki.alice)[0] == 200
    assert len(recorder.requests) == 1
    assert ask('/healthz', leaf=pki.strangers.client('eve')) is None  # a bad one is worse than none


def test_one_path_may_be_spelled_in_several_ways(site, ask):
    site()
    assert ask('/x/../%68ealthz', '--path-as-is') == (200, 'live\n')
    assert ask('/healthz?full=1') == (200, 'live\n')


@pytest.mark.engines
def test_to_others_they_are_paths_like_all_others(site, ask, pki):
    _, recorder, _ = site({'from': ['192.0.2.0/24']})
    assert ask('/healthz') is None
    assert ask('/healthz', leaf=pki.alice)[0] == 200
    assert [request.target for request in recorder.requests] == ['/healthz']


def test_a_proxy_header_says_who_asks(site, pki, port):
    site({'from': ['192.0.2.0/24']}, {'proxy-protocol-from': ['127.0.0.0/8']})
    header = b'PROXY TCP4 %s 127.0.0.1 1000 443\r\n'
    with clients.connect(port, pki.servers.root.cert, before=header % b'192.0.2.7') as client:
        client.sendall(b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
        assert clients.HttpReader(client).answer().status == 200
    assert clients.refusal(port, pki.servers.root.cert, before=header % b'127.0.0.1') == \
        'certificate required'


def test_headers_prove_nothing(site, ask):
    site({'from': ['192.0.2.0/24']}, {'client': 'request', 'trusted-proxies': ['127.0.0.1']},
         [{'allow': ['verified'], 'to': 'app'}])
    assert ask('/healthz', '-H', 'X-Forwarded-For: 192.0.2.7')[0] == 403


@pytest.mark.engines
def test_a_resumed_session_is_judged_again(site, pki, port):
    """A ticket from a probe opens nothing, and none at all once probes are gone."""
    daemon, _, config = site()
    context = clients.context(pki.servers.root.cert, versions=('1.2',))

    def get(path, session=None):
        with clients.connect(port, None, context=context, session=session) as client:
            client.sendall(b'GET %s HTTP/1.1\r\nHost: server.example\r\n\r\n' % path)
            answer = clients.HttpReader(client).answer()
            return client.session, client.session_reused, answer.status
    session, _, status = get(b'/healthz')
    assert status == 200
    _, reused, status = get(b'/', session)
    assert (reused, status) == (True, 403)
    del config['listeners']['in']['probes']
    daemon.reload(config)
    assert clients.refusal(port, None, context=context, session=session) in (
        'handshake failure', 'certificate required', 'bad certificate')


def test_an_open_connection_loses_probes_with_a_reload(site, pki, port):
    daemon, recorder, config = site()
    with clients.connect(port, pki.servers.root.cert) as client:
        reader = clients.HttpReader(client)
        client.sendall(b'GET /healthz HTTP/1.1\r\nHost: server.example\r\n\r\n')
        assert reader.answer().status == 200
        config['listeners']['in']['probes'] = {'from': ['192.0.2.1']}
        daemon.reload(config)
        client.sendall(b'GET /healthz HTTP/1.1\r\nHost: server.example\r\n\r\n')
        answer = reader.answer()
        assert answer.status == 403 and 'no-certificate' in answer.body.decode()
        assert reader.answer() is None
    assert not recorder.requests


def test_limits_are_not_for_probes(site, ask):
    site(listener={'limits': {'per-address': '1/h'}})
    assert {ask('/readyz') for _ in range(5)} == {(200, 'ready\n')}


def test_readiness_follows_what_it_needs(site, ask, ports, backend, port):
    dead = ports.take()
    site({**HERE, 'needs': ['other']}, routes=[{'match': {'path': '/o/'}, 'to': 'other'}, {'to': 'app'}],
         upstreams={'app': {'servers': f'127.0.0.1:{dead}'},
                    'other': {'servers': f'127.0.0.1:{dead}', 'slow-start': 0,
                              'check': {'type': 'tcp', 'interval': '50ms', 'rise': 1}}})
    waiting.until(lambda: ask('/readyz') == (503, 'other: 0 of 1 servers up\n'))
    assert ask('/upstreamz/other') == (503, 'other: 0 of 1 servers up\n')
    assert ask('/upstreamz/app')[0] == 200  # nobody has asked it
    assert ask('/healthz')[0] == 200
    backend(backends.echo, port=dead)
    waiting.until(lambda: ask('/readyz') == (200, 'ready\n'))


def test_draining_is_said_before_it_is_done(site, ask, pki, port):
    daemon, _, _ = site(**{'drain-delay': '10m', 'drain-timeout': '10m'})
    with clients.connect(port, pki.servers.root.cert) as kept:
        reader = clients.HttpReader(kept)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.log.wait(event='drain')
        waiting.until(lambda: ask('/readyz') == (503, 'draining\n'))
        assert ask('/healthz') == (200, 'live\n')
        assert ask('/', leaf=pki.alice)[0] == 200  # who comes is still served
        kept.sendall(b'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n')
        waiting.until(lambda: reader.answer().status == 503)
        daemon.process.send_signal(signal.SIGTERM)  # asked twice: now
        assert daemon.wait_exit() == 0


def test_the_delay_ends(site, ask, pki):
    daemon, _, _ = site(**{'drain-delay': '100ms'})
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    assert [line['text'].split(';')[0] for line in daemon.log.all(event='drain')] == [
        'not ready any more', 'accepting has stopped']


def test_on_a_plain_listener_the_address_counts_too(handfast, backend, port):
    recorder = Recorder()
    handfast({'listeners': {'in': {'listen': [f'127.0.0.1:{port}'], 'plain': True, 'mode': 'http',
                                   'probes': HERE, 'to': 'app'}},
              'upstreams': {'app': {'servers': [backend(recorder.serve).address]}}})
    answer = subprocess.run(['curl', '-s', f'http://127.0.0.1:{port}/readyz'], capture_output=True,
                            text=True, timeout=waiting.SECONDS)
    assert answer.stdout == 'ready\n' and not recorder.requests


def test_simulate_says_the_same(site, pki):
    daemon, _, _ = site()

    def simulate(*words):
        return daemons.run('simulate', '-c', daemon.config_path, '--listener', 'in', *words)
    answer = simulate('--address', '127.0.0.1', '--path', '/readyz')
    assert answer.returncode == 0
    assert 'handshake: admitted (no-certificate): the peer sent no certificate; its address may ask ' \
        'the probes, and nothing else' in answer.stdout
    assert 'request: allowed: this is a probe (ready)' in answer.stdout and 'probe/ready' in answer.stdout
    answer = simulate('--address', '127.0.0.1', '--path', '/')
    assert answer.returncode == 1 and 'request: refused with 403 (probes-only)' in answer.stdout
    for words in [('--address', '192.0.2.1', '--path', '/readyz'), ('--path', '/readyz')]:
        answer = simulate(*words)
        assert answer.returncode == 1 and 'handshake: refused (no-certificate)' in answer.stdout
    assert simulate('--address', 'nowhere').returncode != 0

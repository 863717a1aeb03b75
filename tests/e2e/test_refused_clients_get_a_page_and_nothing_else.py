# SPDX-License-Identifier: Apache-2.0
"""refuse: page: the handshake completes for those whom the certificate keeps out; they read why,
and reach nothing: no backend, no answer of a route, no redirect, no key set, on no door."""

import json
import re

import pytest

from harness import backends, clients, configs, daemon as daemons, h2raw, recorder, revocation

pytestmark = [pytest.mark.engines, pytest.mark.workers]

ROUTES = [
    {'name': 'own', 'match': {'path': '/own'}, 'respond': {'status': 200, 'body': 'open'}},
    {'name': 'moved', 'match': {'path': '/moved'}, 'redirect': {'to': 'https://x.example/', 'status': 302}},
    {'name': 'rest', 'to': 'app'},
]


@pytest.fixture
def app():
    return recorder.Recorder()


@pytest.fixture
def lists(tmp_path, pki):
    made = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    made.write([])
    return made


@pytest.fixture
def config(pki, port, backend, app, lists):
    made = configs.http_side(pki, port, backend(app.serve), routes=ROUTES,
                             listener={'refuse': 'page', 'tls': {'alpn': ['h2', 'http/1.1']}})
    made['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    return made


@pytest.fixture
def daemon(handfast, config):
    return handfast(config)


def ask(port, pki, leaf, *options, path='/'):
    answer = clients.curl(port, '-w', '\n%{http_code} %{http_version}', *options,
                          roots=pki.servers.root.cert, leaf=leaf, path=path)
    assert answer.returncode == 0, answer.stderr
    body, _, last = answer.stdout.rpartition('\n')
    return int(last.split()[0]), body


def peers(pki):
    return {'no-certificate': None, 'unknown-ca': pki.stranger, 'expired': pki.expired,
            'wrong-usage': pki.clients.issue('a server', usage='serverAuth')}


@pytest.mark.parametrize('http', ['--http1.1', '--http2'])
@pytest.mark.parametrize('version', ['1.2', '1.3'])
@pytest.mark.parametrize('code', ['no-certificate', 'unknown-ca', 'expired', 'wrong-usage'])
def test_each_request_is_answered_403_with_the_code_and_an_id(daemon, pki, port, app, http, version, code):
    options = (http, f'--tlsv{version}', '--tls-max', version)
    for path in ('/', '/own', '/moved', '/.well-known/jwks.json'):
        status, body = ask(port, pki, peers(pki)[code], *options, path=path)
        shown = json.loads(body)
        assert (status, shown['code']) == (403, code), path
        kept = json.loads(daemons.run('explain', shown['id'], '--json', '-c',
                                      str(daemon.config_path)).stdout)
        assert kept[0]['code'] == code and kept[0]['about'] == 'request'
        assert kept[0]['text'] and kept[0]['status'] == 403
    line = daemon.log.all(event='handshake', result='refused', reason=code)[0]
    assert line['answer'] == 'page' and 'alert_sent' not in line
    assert app.take() == []


def test_who_is_good_sees_nothing_of_it(daemon, pki, port, app):
    assert ask(port, pki, pki.alice, path='/own') == (200, 'open')
    assert ask(port, pki, pki.alice)[0] == 200
    assert len(app.take()) == 1


def test_the_page_is_html_for_browsers_and_status_7_for_grpc(daemon, pki, port):
    status, body = ask(port, pki, pki.stranger, '-H', 'Accept: text/html')
    assert status == 403 and '<code>unknown-ca</code>' in body
    with h2raw.Connection(port, pki.servers.root.cert, pki.stranger) as client:
        stream = client.request([(':method', 'POST'), (':scheme', 'https'), (':authority', 'server.example'),
                                 (':path', '/pkg.Svc/Call'), ('content-type', 'application/grpc'),
                                 ('te', 'trailers')], body=b'')
        answer = client.wait(stream)
        fields = dict(answer.fields)
        assert (fields[':status'], fields['grpc-status']) == ('200', '7')
        assert 'unknown-ca' in fields['grpc-message']


def test_every_stream_of_one_connection_is_refused(daemon, pki, port, app):
    with h2raw.Connection(port, pki.servers.root.cert, pki.stranger) as client:
        fields = [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example')]
        streams = [client.request([*fields, (':path', f'/{i}')]) for i in range(5)]
        first = client.wait(streams[0])
        assert first.status == 403
        client.wait_goaway()
        for stream in streams[1:]:
            rest = client.streams.get(stream)
            assert rest is None or rest.status in (None, 403)
    assert app.take() == []


def test_the_connection_ends_after_its_answer(daemon, pki, port):
    with clients.connect(port, pki.servers.root.cert, pki.stranger, alpn=['http/1.1']) as client:
        client.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
        reader = clients.HttpReader(client)
        answer = reader.answer()
        assert answer.status == 403 and answer.fields['connection'] == 'close'
        assert reader.answer() is None


def test_upgrades_and_expectations_are_refused_too(daemon, pki, port, app):
    for more in (b'Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
                 b'Sec-WebSocket-Version: 13\r\n', b'Expect: 100-continue\r\nContent-Length: 5\r\n'):
        with clients.connect(port, pki.servers.root.cert, pki.stranger, alpn=['http/1.1']) as client:
            client.sendall(b'GET /own HTTP/1.1\r\nHost: server.example\r\n' + more + b'\r\n')
            assert clients.HttpReader(client).answer().status == 403
    assert app.take() == []


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_a_ticket_of_better_days_is_no_way_in(daemon, pki, port, app, lists, version):
    context = clients.context(pki.servers.root.cert, pki.alice, versions=(version,), alpn=['http/1.1'])

    def once(session=None):
        with clients.connect(port, None, context=context, session=session) as client:
            client.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
            answer = clients.HttpReader(client).answer()
            return answer.status, answer.body, client.session, client.session_reused

    status, _, session, _ = once()
    assert status == 200
    assert once(session)[3]
    app.take()
    lists.write([pki.alice])
    daemon.reload()
    status, body, after, reused = once(session)
    assert (status, json.loads(body)['code'], reused) == (403, 'revoked', False)
    status, body, _, _ = once(after)
    assert (status, json.loads(body)['code']) == (403, 'revoked')
    assert app.take() == []
    lists.write([])
    daemon.reload()
    assert once(after)[0] == 200


def test_a_reload_and_a_review_change_nothing_for_a_barred_connection(daemon, pki, port, config, app, lists):
    with clients.connect(port, pki.servers.root.cert, pki.stranger, alpn=['http/1.1']) as client:
        daemon.log.wait(event='handshake', result='refused', reason='unknown-ca')
        session, = daemon.admin('GET', '/sessions')[1]['sessions']
        assert (session['refused'], session['verified']) == ('unknown-ca', False)
        lists.write([pki.bob])
        daemon.reload()
        config['trust']['clients']['roots'] = str(pki.strangers.root.cert)
        del config['trust']['clients']['crl']
        daemon.reload(config)
        client.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
        answer = clients.HttpReader(client).answer()
        assert (answer.status, json.loads(answer.body)['code']) == (403, 'unknown-ca')
    assert app.take() == []
    assert ask(port, pki, pki.stranger)[0] == 200


def test_a_live_client_that_is_revoked_is_cut_and_reads_why_when_it_comes_back(daemon, pki, port, lists):
    with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as client:
        client.sendall(b'GET /own HTTP/1.1\r\nHost: server.example\r\n\r\n')
        assert clients.HttpReader(client).answer().status == 200
        lists.write([pki.alice])
        daemon.reload()
        daemon.log.wait(event='no-longer-admitted', reason='revoked')
    status, body = ask(port, pki, pki.alice)
    assert (status, json.loads(body)['code']) == (403, 'revoked')


def test_what_is_no_matter_of_certificates_keeps_its_alert(handfast, config, pki, port):
    daemon = handfast(config)
    shown = clients.s_client(port, '-tls1_1', '-cipher', 'ALL@SECLEVEL=0', leaf=pki.alice)
    assert b'protocol version' in shown.stderr
    daemon.log.wait(event='handshake', result='refused', reason='no-common-version')


def test_a_listener_that_relays_bytes_has_no_pages(pki, port, echo, tmp_path):
    import yaml
    path = tmp_path / 'c.yaml'
    path.write_text(yaml.safe_dump(configs.server_side(pki, port, echo, listener={'refuse': 'page'})))
    answer = daemons.run('check', '-c', path)
    assert answer.returncode == 1
    assert re.search(r'c\.yaml:\d+:\d+: error: .*has no pages to show', answer.stderr + answer.stdout)

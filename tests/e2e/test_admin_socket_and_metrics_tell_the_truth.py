# SPDX-License-Identifier: Apache-2.0
"""What a running daemon says of itself, held against what the test did to it."""

import http.client
import re
import stat

import pytest

from harness import clients, configs, daemon as daemons, waiting


@pytest.fixture
def metrics_port(ports):
    return ports.take()


@pytest.fixture
def daemon(handfast, pki, echo, port, metrics_port):
    return handfast(configs.server_side(pki, port, echo, metrics=f'127.0.0.1:{metrics_port}'))


def scrape(port):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=waiting.SECONDS)
    connection.request('GET', '/metrics')
    response = connection.getresponse()
    text = response.read().decode()
    assert response.status == 200
    assert response.headers['Content-Type'].startswith('text/plain')
    return text


def samples(text, name, **labels):
    """The sum of a metric's samples that carry these labels."""
    total, found = 0.0, False
    for line in text.splitlines():
        match = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
        if match and match.group(1) == name:
            has = dict(re.findall(r'(\w+)="([^"]*)"', match.group(2) or ''))
            if all(has.get(key) == value for key, value in labels.items()):
                total, found = total + float(match.group(3)), True
    assert found, f'no {name} {labels} in\n{text}'
    return total


def test_socket_is_for_its_owner_alone(daemon):
    assert stat.S_IMODE(daemon.admin_path.stat().st_mode) == 0o600


def test_status_counts(daemon, pki, port):
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        clients.refusal(port, pki.servers.root.cert, pki.stranger)
        daemon.log.wait(event='handshake', result='refused')
        status, body = daemon.admin('GET', '/status')
        assert status == 200
        assert body['pid'] == daemon.process.pid
        listener = body['listeners'][0]
        assert listener['name'] == 'in'
        assert listener['connections']['open'] >= 1
        assert listener['handshakes']['accepted'] == 1
        assert listener['handshakes']['refused'] == {'unknown-ca': 1}


def test_sessions_are_listed_while_they_last(daemon, pki, port):
    assert daemon.admin('GET', '/sessions')[1]['sessions'] == []
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client, b'x' * 100)
        listed = daemon.admin('GET', '/sessions')[1]['sessions']
        assert len(listed) == 1
        assert listed[0]['identity'] == 'spiffe://example.org/alice'
        assert listed[0]['bytes_in'] == listed[0]['bytes_out'] == 100
        assert listed[0]['id'] == daemon.log.wait(event='handshake')['id']
    daemon.log.wait(event='connection')
    assert daemon.admin('GET', '/sessions')[1]['sessions'] == []


def test_unknown_paths_and_methods(daemon):
    assert daemon.admin('GET', '/nowhere')[0] == 404
    assert daemon.admin('GET', '/reload')[0] == 405


def test_metrics_per_listener_and_reason(daemon, pki, port, metrics_port):
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client, b'x' * 1000)
        clients.finish(client)
    for leaf in (pki.stranger, None, None):
        clients.refusal(port, pki.servers.root.cert, leaf)
    daemon.log.wait(count=3, event='handshake', result='refused')
    daemon.log.wait(event='connection', cause='finished')
    text = scrape(metrics_port)
    total = 'handfast_handshakes_total'
    assert samples(text, total, listener='in', result='refused', reason='no-certificate') == 2
    assert samples(text, total, listener='in', result='refused', reason='unknown-ca') == 1
    for line in text.splitlines():
        assert line.startswith('#') or re.fullmatch(r'\w+(\{.*\})? [-+.\w]+', line), line


def test_commands_talk_to_the_socket(daemon, pki, port):
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        words = ['--admin', f'unix:{daemon.admin_path}']
        shown = daemons.run('status', *words)
        assert shown.returncode == 0, shown.stderr
        assert 'in' in shown.stdout and str(daemon.process.pid) in shown.stdout
        shown = daemons.run('sessions', *words)
        assert 'spiffe://example.org/alice' in shown.stdout
        assert daemons.run('reload', *words).returncode == 0
        clients.exchange(client)
    assert daemons.run('drain', *words).returncode == 0
    assert daemon.wait_exit() == 0


def test_commands_say_so_when_nobody_answers(tmp_path):
    ended = daemons.run('status', '--admin', f'unix:{tmp_path}/nobody.sock')
    assert ended.returncode != 0
    assert 'nobody.sock' in ended.stderr

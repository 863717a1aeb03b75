# SPDX-License-Identifier: Apache-2.0
"""mode: http: one line for each request in the access log, in the form that the listener wants,
where it wants it."""

import re

import pytest

from harness import clients, configs, waiting
from harness.recorder import Recorder


@pytest.fixture
def site(pki, port, backend, handfast):
    def start(access=None, routes=None, **more):
        recorder = Recorder()
        config = configs.http_side(pki, port, backend(recorder.serve), routes,
                                   {'access-log': access} if access else None, **more)
        return handfast(config)
    return start


def get(pki, port, path, *options):
    return clients.curl(port, *options, roots=pki.servers.root.cert, leaf=pki.alice, path=path)


def lines_of(path, count):
    waiting.until(lambda: path.exists() and path.read_text().count('\n') >= count)
    return path.read_text().splitlines()


@pytest.mark.quick
@pytest.mark.parametrize('version, protocol', [('--http1.1', 'HTTP/1.1'), ('--http2', 'HTTP/2.0')])
def test_the_line_says_who_what_and_how_it_ended(site, pki, port, version, protocol):
    daemon = site(routes=[{'name': 'main', 'allow': ['cn:alice'], 'to': 'app'}])
    get(pki, port, '/a/b?c=d', version, '-A', 'tester', '--data', 'four')
    line = daemon.log.wait(event='request')
    connection = daemon.log.wait(event='handshake')
    for key in ('time', 'trace', 'span', 'took_us', 'connect_us', 'first_byte_us'):
        assert line.pop(key)
    assert line.pop('server').startswith('127.0.0.1:')
    assert re.fullmatch('[0-9a-f]{16}', line.pop('id'))
    assert line == {
        'level': 'info', 'event': 'request', 'connection': connection['id'], 'listener': 'in',
        'client': '127.0.0.1', 'identity': 'spiffe://example.org/alice',
        'serial': pki.alice.serial, 'verified': True, 'verdict': 'ok', 'rule': 'main/allow',
        'route': 'main', 'status': 200, 'upstream': 'app', 'upstream_status': 200, 'bytes_in': 4,
        'bytes_out': 2, 'protocol': protocol, 'method': 'POST', 'host': f'server.example:{port}',
        'target': '/a/b?c=d', 'user_agent': 'tester'}


def test_it_is_written_whatever_the_level_of_the_log(site, pki, port):
    daemon = site({'format': 'log'}, log={'level': 'error', 'format': 'json'})
    get(pki, port, '/')
    assert daemon.log.wait(event='request')['status'] == 200


def test_combined_goes_to_a_file_and_is_rotated(site, pki, port, tmp_path):
    path = tmp_path / 'access.log'
    daemon = site({'format': 'combined', 'to': str(path)})
    get(pki, port, '/a%22b?c', '-A', 'a "quoted" agent', '-e', 'https://example.org/')
    expected = (r'127\.0\.0\.1 - spiffe://example\.org/alice '
                r'\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /a%22b\?c HTTP/[12]\.[01]" '
                r'200 2 "https://example\.org/" "a \\x22quoted\\x22 agent"')
    assert re.fullmatch(expected, lines_of(path, 1)[0]), path.read_text()
    path.rename(tmp_path / 'access.log.1')
    daemon.process.send_signal(10)  # SIGUSR1
    waiting.until(path.exists)
    get(pki, port, '/again')
    assert 'GET /again' in lines_of(path, 1)[0]


def test_templates_are_followed(site, pki, port, tmp_path):
    path = tmp_path / 'access.log'
    site({'template': '{peer.serial} {request.method} {status} {cause} {{}} {rule}', 'to': str(path)},
         routes=[{'name': 'main', 'allow': ['cn:nobody'], 'to': 'app'}])
    get(pki, port, '/')
    assert lines_of(path, 1) == [f'{pki.alice.serial} GET 403 not-allowed {{}} main/allow']


def test_it_can_be_off(site, pki, port):
    daemon = site({'format': 'off'})
    get(pki, port, '/')
    daemon.log.wait(event='connection')
    assert not daemon.log.all(event='request')


def test_what_is_no_request_has_its_line(site, pki, port):
    daemon = site()
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        client.sendall(b'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
        assert client.recv(4096).startswith(b'HTTP/1.1 400 ')
    line = daemon.log.wait(event='request')
    assert line['status'] == 400 and line['cause'] and line['client'] == '127.0.0.1'

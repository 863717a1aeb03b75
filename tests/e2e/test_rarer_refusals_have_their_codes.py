# SPDX-License-Identifier: Apache-2.0
"""Codes that no other test earns: each by a peer that does what it is about."""

import json
import ssl
import subprocess

import pytest

from harness import certs, clients, configs, recorder, revocation

pytestmark = pytest.mark.engines


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_an_alert_that_is_not_about_certificates_is_told_in_words(handfast, pki, echo, port, version):
    """A client that can't go on after the server's first flight."""
    daemon = handfast(configs.server_side(pki, port, echo))
    hello = ssl.MemoryBIO()
    client = clients.context(None, versions=(version,)).wrap_bio(ssl.MemoryBIO(), hello, server_hostname='server.example')
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with clients.plain(port, hello.read()) as peer:
        assert peer.recv(5)[0] == 22
        peer.sendall(bytes([21, 3, 3, 0, 2, 2, 40]))
        line = daemon.log.wait(event='handshake', result='refused', reason='peer-alert')
    assert line['alert_received'] == 'handshake_failure'
    assert line['detail'].startswith('the client found no acceptable set of parameters')


def test_a_list_that_begins_tomorrow(handfast, pki, echo, port, tmp_path):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    lists.write([], since=revocation.now(days=1), until=revocation.now(days=2))
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config)
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'certificate unknown'
    line = daemon.log.wait(event='handshake', result='refused', reason='crl-not-yet')
    assert 'clock right?' in line['detail']


def ask(port, pki, leaf, path):
    answer = clients.curl(port, '-w', '\n%{http_code}', roots=pki.servers.root.cert, leaf=leaf, path=path)
    body, _, status = answer.stdout.rpartition('\n')
    return int(status), json.loads(body)['code']


def test_routes_that_deny_and_paths_that_no_route_has(handfast, pki, backend, port):
    app = recorder.Recorder()
    handfast(configs.http_side(pki, port, backend(app.serve), routes=[
        {'name': 'a', 'match': {'path': '/a/'}, 'allow': ['verified'], 'deny': ['cn:bob'], 'to': 'app'}]))
    assert ask(port, pki, pki.bob, '/a/x') == (403, 'denied')
    assert ask(port, pki, pki.alice, '/b') == (404, 'no-route')
    assert app.take() == []


def test_names_that_cannot_be_relied_on_give_no_role(handfast, pki, backend, port):
    odd = pki.clients.client('odd', subject='/O=Handfast tests/CN=ali\x01ce')
    handfast(configs.http_side(pki, port, backend(recorder.Recorder().serve), routes=[
        {'name': 'a', 'allow': ['cn:alice'], 'to': 'app'}]))
    assert ask(port, pki, odd, '/') == (403, 'unreliable-names')


def test_a_key_that_is_not_the_certificates(handfast, pki, echo, port, tmp_path):
    """gnutls-cli pairs what it is given without looking; the server must look."""
    other = certs.make_key(tmp_path / 'other.key')

    class Mismatch:
        chain, key = pki.alice.chain, other

    daemon = handfast(configs.server_side(pki, port, echo))
    try:
        clients.gnutls_cli(port, roots=pki.servers.root.cert, leaf=Mismatch)
    except subprocess.TimeoutExpired:
        pytest.fail('gnutls-cli did not end')
    line = daemon.log.wait(event='handshake', result='refused')
    assert (line['reason'], line['alert_sent']) == ('bad-proof', 'decrypt_error')

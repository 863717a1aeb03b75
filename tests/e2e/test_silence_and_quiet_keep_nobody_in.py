# SPDX-License-Identifier: Apache-2.0
"""A session whose verdict has an end is judged at that end: one that has been quiet for so long that
its timer had stopped, and one whose server nobody answers for any more."""

import threading
import time

import pytest

from harness import clients, configs, daemon as daemons, ocsp, revocation, waiting

QUIET_S = 5  # after which a relay gives its memory back


def test_a_quiet_session_ends_with_a_shorter_list(handfast, pki, echo, port, tmp_path):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    lists.write()
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        begun = time.monotonic()
        waiting.until(lambda: time.monotonic() - begun > QUIET_S + 1)
        lists.write(until=revocation.soon())
        line = daemon.log.wait(event='no-longer-admitted')
        assert line['reason'] == 'crl-stale'
        assert daemon.log.wait(event='connection')['cause'] == 'no-longer-admitted'


@pytest.fixture
def responder(ports, pki):
    made = ocsp.Responder(ports.take(), pki.servers).know(pki.server)
    yield made
    made.close()


def test_a_server_is_let_go_when_nobody_answers_for_it(handfast, pki, nginx, port, responder, tmp_path):
    (tmp_path / 'state').mkdir()
    until, over = revocation.soon(), threading.Event()
    responder.behave = lambda handler, request: ocsp.answer(
        pki.server, pki.servers.intermediates[0], until=until)
    config = configs.client_side(pki, port, nginx(pki.server, pki.clients.root.cert), pki.alice,
                                 tls={'name': 'server.example'}, state=str(tmp_path / 'state'))
    config['trust']['backends']['ocsp'] = {'responder': responder.url, 'timeout': '2s',
                                           'clock-skew': '0s', 'leaf-only': True}
    daemon = handfast(config)
    with clients.plain(port, b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n') as client:
        assert client.recv(100).startswith(b'HTTP/1.1 200')
        responder.behave = lambda handler, request: over.wait(waiting.SECONDS) and None
        waiting.until(lambda: revocation.now(seconds=-2) > until)
        run = daemons.run('revoke', '--serial', '1f:2e', '--admin', f'unix:{daemon.admin_path}')
        assert run.returncode == 0, run.stderr  # and all are judged again
        assert daemon.log.wait(event='connection')['cause'] == 'upstream-no-longer-trusted'
    over.set()
    assert daemon.log.wait(event='no-longer-admitted')['reason'] in ('ocsp-stale', 'ocsp-unreachable')

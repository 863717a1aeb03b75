# SPDX-License-Identifier: Apache-2.0
"""An issuer is revoked that has many live sessions: each is told by an alert of its own and has its own
lines in the log, and what a client still sends is counted nowhere."""

import ssl

import pytest

from harness import clients, configs, daemon as daemons

pytestmark = [pytest.mark.engines, pytest.mark.workers]

MANY = 150
HELLO = b'hello over there'
ISSUER = 'CN=clients issuing,O=Handfast tests'


@pytest.fixture
def daemon(handfast, pki, port, echo, tmp_path):
    state = tmp_path / 'state'
    state.mkdir(mode=0o700)
    return handfast(configs.server_side(pki, port, echo, state=str(state)))


def opened(port, pki, n):
    context = clients.context(pki.servers.root.cert, pki.bob)
    sessions = []
    for _ in range(n):
        session = clients.connect(port, None, context=context)
        clients.exchange(session, HELLO)
        sessions.append(session)
    return sessions


def test_each_is_told_counted_and_logged(daemon, port, pki):
    sessions = opened(port, pki, MANY)
    answer = daemons.run('revoke', '--issuer', ISSUER, '-c', str(daemon.config_path))
    assert answer.returncode == 0, answer.stderr
    assert f'{MANY} sessions were closed' in answer.stdout
    for session in sessions:
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            session.recv(1)
        session.close()
    ids = {line['id'] for line in daemon.log.wait(MANY, event='no-longer-admitted')}
    ended = daemon.log.wait(MANY, event='connection', cause='no-longer-admitted')
    assert len(ids) == MANY and {line['id'] for line in ended} == ids
    assert all(line['bytes_in'] > 0 and line['alert_sent'] == 'certificate_revoked'
               for line in ended)


def test_what_a_cut_client_still_sends_reaches_nobody(daemon, port, pki):
    sessions = opened(port, pki, MANY)
    answer = daemons.run('revoke', '--issuer', ISSUER, '-c', str(daemon.config_path))
    assert f'{MANY} sessions were closed' in answer.stdout
    for session in sessions:
        try:
            session.send(b'too late')
        except OSError:
            pass  # its socket is closed by now
        session.close()
    for line in daemon.log.wait(MANY, event='connection', cause='no-longer-admitted'):
        assert line['bytes_in'] == len(HELLO)

# SPDX-License-Identifier: Apache-2.0
"""A restart while the responder is down shuts nobody out: what it has answered is kept on disk, and
checked again as if it had just come. What is damaged or forged is asked for again."""

import pytest

from harness import clients, configs, daemon as daemons, ocsp, revocation

pytestmark = [pytest.mark.workers]


@pytest.fixture
def responder(ports, pki):
    made = ocsp.Responder(ports.take(), pki.clients).know(pki.alice, pki.bob)
    yield made
    made.close()


@pytest.fixture
def kept(tmp_path):
    (tmp_path / 'state').mkdir(mode=0o700)
    return tmp_path / 'state' / 'answers' / 'new'


@pytest.fixture
def config(pki, echo, port, responder, kept):
    made = configs.server_side(pki, port, echo, state=str(kept.parent.parent))
    made['trust']['clients']['ocsp'] = {'responder': responder.url, 'timeout': '8s'}
    return made


def let_in(port, pki, leaf=None):
    with clients.connect(port, pki.servers.root.cert, leaf or pki.alice) as client:
        clients.exchange(client)


def refused(daemon, port, pki, leaf, alert, reason):
    assert clients.refusal(port, pki.servers.root.cert, leaf) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


def met_everybody(handfast, config, responder, port, pki):
    """A daemon that alice and bob have been to; the responder is gone then."""
    responder.revoke(pki.bob)
    daemon = handfast(config)
    let_in(port, pki)
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    responder.close()
    return daemon


def test_answers_are_there_after_a_restart(handfast, config, responder, port, pki, kept):
    met_everybody(handfast, config, responder, port, pki).stop()
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.parent.stat().st_mode & 0o777 == 0o700
    daemon = handfast(config)
    line = daemon.log.wait(event='ocsp-restored')
    assert line['text'] == 'answers about 3 certificates were kept from before'  # and the CA above them
    let_in(port, pki)
    line = refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    assert responder.url in line['detail']
    carol = pki.clients.client('carol')
    refused(daemon, port, pki, carol, 'certificate unknown', 'ocsp-unreachable')  # nobody knows her


def test_answers_are_there_after_a_kill(handfast, config, responder, port, pki):
    met_everybody(handfast, config, responder, port, pki).kill()
    again = handfast(config)
    again.log.wait(event='ocsp-restored')
    let_in(port, pki)
    refused(again, port, pki, pki.bob, 'certificate revoked', 'revoked')


def test_a_damaged_file_is_passed_over_with_a_warning(handfast, config, responder, port, pki, kept):
    met_everybody(handfast, config, responder, port, pki).stop()
    data = bytearray(kept.read_bytes())
    data[60] ^= 1
    kept.write_bytes(data)
    daemon = handfast(config)
    line = daemon.log.wait(event='ocsp-not-kept')
    assert line['text'] == f'{kept} is damaged after 0 of {len(data)} bytes: what stands there is asked for again'
    refused(daemon, port, pki, pki.alice, 'certificate unknown', 'ocsp-unreachable')


def test_an_answer_that_has_ended_lets_nobody_in(handfast, config, responder, port, pki):
    responder.behave = lambda handler, request: ocsp.answer(pki.alice, pki.clients.intermediates[0],
                                                            until=revocation.soon())
    config['trust']['clients']['ocsp'].update({'clock-skew': '0s', 'leaf-only': True})
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        responder.close()
        daemon.log.wait(event='no-longer-admitted', reason='ocsp-stale')
    daemon.stop()
    daemon = handfast(config)
    daemon.log.wait(event='ocsp-restored')
    line = refused(daemon, port, pki, pki.alice, 'certificate unknown', 'ocsp-stale')
    assert 'and no other came' in line['detail']
    daemon.stop()
    config['trust']['clients']['ocsp']['when-stale'] = '1h'
    handfast(config)
    let_in(port, pki)


def test_status_shows_what_is_known(handfast, config, responder, port, pki, tmp_path):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    lists.write(since=revocation.now(hours=-3), until=revocation.now(hours=-2))  # so OCSP is asked
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = met_everybody(handfast, config, responder, port, pki)
    run = daemons.run('revoke', '--serial', '1f:2e', '--admin', f'unix:{daemon.admin_path}')
    assert run.returncode == 0, run.stderr
    shown = daemon.admin('GET', '/status')[1]['revocation']
    assert shown['deny_list'] == 1
    assert shown['ocsp'] == {'known': 3, 'open': 0, 'requests': 3, 'answers': {
        'good': 2, 'revoked': 1, 'unknown': 0, 'failed': 0, 'untrusted': 0}}
    assert [(one['trust'], one['issuer'], one['number'], one['state'], one['entries'], one['source'])
            for one in shown['lists']] == [
        ('clients', f'CN=clients {which},O=Handfast tests', '02', 'stale', 0, str(lists.path))
        for which in ('root', 'issuing')]
    assert daemon.admin('GET', '/crls')[1]['lists'] == shown['lists']
    text = daemons.run('status', '--admin', f'unix:{daemon.admin_path}').stdout
    assert 'deny list: 1 entry (handfast revoke --list)' in text
    assert 'OCSP: 3 certificates known; answers: 2 good, 1 revoked, 0 unknown, 0 failed, 0 untrusted; 0 open' in text
    assert 'TRUST    ISSUER' in text and 'CN=clients root,O=Handfast tests' in text
    connection = daemons.Admin(daemon.admin_path)
    connection.request('GET', '/metrics')
    figures = connection.getresponse().read().decode()
    connection.close()
    assert 'handfast_deny_entries 1\n' in figures and 'handfast_ocsp_certificates 3\n' in figures

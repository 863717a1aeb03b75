# SPDX-License-Identifier: Apache-2.0
"""handfast explain: every verdict is kept under its id, in full, over restarts and kills."""

import json
import os
import signal
import ssl
import subprocess

import pytest

from harness import clients, configs, daemon as daemons, recorder, revocation

pytestmark = [pytest.mark.engines, pytest.mark.workers]


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / 'state'
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def lists(tmp_path, pki):
    return revocation.Lists(tmp_path / 'clients.crl', pki.clients)


@pytest.fixture
def config(pki, echo, port, state, lists):
    made = configs.server_side(pki, port, echo, state=str(state))
    lists.write([pki.bob])
    made['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    return made


def explain(daemon, *words, status=0):
    answer = daemons.run('explain', *words, '-c', str(daemon.config_path))
    assert answer.returncode == status, answer.stderr
    return answer.stdout


def verdicts(daemon, *words):
    return json.loads(explain(daemon, *words, '--json'))


def refuse(daemon, port, pki, leaf=None, **wanted):
    clients.refusal(port, pki.servers.root.cert, leaf)
    return daemon.log.wait(event='handshake', result='refused', **wanted)


def step(verdict, name):
    return {row['step']: row['result'] for row in verdict['steps']}[name]


def test_a_revoked_client_is_told_by_which_list(handfast, config, port, pki):
    daemon = handfast(config)
    line = refuse(daemon, port, pki, pki.bob, reason='revoked')
    verdict, = verdicts(daemon, line['id'])
    assert (verdict['code'], verdict['step'], verdict['result']) == ('revoked', 'revocation', 'refused')
    assert verdict['listener'] == 'in' and verdict['peer'] == line['peer']
    assert [cert['from'] for cert in verdict['chain']] == ['peer', 'peer', 'trust']
    assert verdict['chain'][0]['subject'].startswith('CN=bob')
    assert verdict['chain'][0]['serial'] == pki.bob.serial
    assert verdict['chain'][0]['issuer_key_id'] == verdict['chain'][1]['key_id']
    note = verdict['revocation'][0]
    assert (note['source'], note['answer'], note['depth']) == ('crl', 'revoked', 0)
    assert note['from'].endswith('clients.crl') and note['number'] and note['age_s'] >= 0
    assert step(verdict, 'chain') == 'passed' and step(verdict, 'revocation') == 'failed'
    told = explain(daemon, line['id'])
    assert told.startswith(f'Refused: client {line["peer"]} at listener in, ')
    for words in ('says the revocation list of CN=clients issuing', 'do          issue the peer a new',
                  'revocation  FAILED', '<-- this one', '[root of the trust]', 'alert sent was'):
        assert words in told, told


def test_the_last_one_and_those_of_a_peer(handfast, config, port, pki):
    daemon = handfast(config)
    refuse(daemon, port, pki, pki.expired, reason='expired')
    last = refuse(daemon, port, pki, pki.stranger, reason='unknown-ca')
    assert verdicts(daemon, '--last')[0]['id'] == last['id']
    assert verdicts(daemon, '--peer', last['peer'])[0]['id'] == last['id']
    codes = [verdict['code'] for verdict in verdicts(daemon, '--peer', '127.0.0.1', '--list')]
    assert codes == ['unknown-ca', 'expired']
    assert 'CN=strangers root,O=Strangers  [neither sent nor in the trust]' in explain(daemon, '--last')
    listed = explain(daemon, '--list')
    assert listed.splitlines()[0].split()[:3] == ['AT', 'ID', 'RESULT'] and 'expired' in listed
    assert explain(daemon, '--peer', '192.0.2.1', status=1) == ''


def test_who_came_in_is_kept_apart_from_refusals(handfast, config, port, pki):
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        line = daemon.log.wait(event='handshake', result='accepted')
        verdict, = verdicts(daemon, line['id'])
        assert verdict['result'] == 'admitted' and verdict['code'] == 'ok'
        assert {row['answer'] for row in verdict['revocation']} == {'good'}
        assert [row['depth'] for row in verdict['revocation']] == [0, 1]
        assert verdict['identity'] == 'spiffe://example.org/alice'
    assert verdicts(daemon, '--list') == []
    assert [row['result'] for row in verdicts(daemon, '--list', '--all')] == ['admitted']


def test_a_session_that_is_cut_has_both_verdicts(handfast, config, port, pki, lists):
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        lists.write([pki.alice])
        daemon.reload()
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            client.recv(1)
    line = daemon.log.wait(event='no-longer-admitted')
    newest, first = verdicts(daemon, line['id'])
    assert (first['result'], newest['result'], newest['code']) == ('admitted', 'cut', 'revoked')
    assert newest['revocation'][0]['answer'] == 'revoked'
    told = explain(daemon, line['id'])
    assert told.index('Admitted: ') < told.index('Cut off: ')


def test_verdicts_outlive_a_kill_and_can_be_read_without_a_daemon(handfast, config, port, pki, state):
    daemon = handfast(config)
    line = refuse(daemon, port, pki, pki.bob, reason='revoked')
    verdict, = verdicts(daemon, line['id'])
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    daemon.stopped = True
    offline = daemons.run('explain', '--last', '--state', str(state), '--json')
    assert json.loads(offline.stdout) == [verdict]
    again = handfast({**config, 'admin': f'unix:{daemon.folder}/again.sock'})
    assert verdicts(again, line['id']) == [verdict]
    newer = refuse(again, port, pki, pki.stranger, reason='unknown-ca')
    assert [row['id'] for row in verdicts(again, '--list')] == [newer['id'], line['id']]


def test_torn_and_foreign_records_are_passed_over(handfast, config, port, pki, state):
    daemon = handfast(config)
    first = refuse(daemon, port, pki, pki.bob, reason='revoked')
    verdicts(daemon, first['id'])
    daemon.stop()
    path = state / 'verdicts'
    whole = bytearray(path.read_bytes())
    whole[4096 + 100] ^= 1  # in the text of the first record
    whole[2 * 4096:2 * 4096 + 4096] = os.urandom(4096)
    path.write_bytes(whole)
    again = handfast({**config, 'admin': f'unix:{daemon.folder}/again.sock'})
    assert verdicts(again, '--list') == []
    second = refuse(again, port, pki, pki.bob, reason='revoked')
    assert [row['id'] for row in verdicts(again, '--list')] == [second['id']]


def small_disk(state, size):
    """Wraps a daemon so that its state folder is a file system of that size."""
    mount = f'mount -t tmpfs -o size={size},mode=0700 none "{state}" && exec "$0" "$@"'
    probe = subprocess.run(['unshare', '-m', 'sh', '-c', mount, 'true'], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip('mounting is for root')
    return ['unshare', '-m', 'sh', '-c', mount]


def test_where_there_is_no_room_verdicts_are_in_memory(handfast, config, port, pki, state):
    daemon = handfast(config, wrap=small_disk(state, '1m'))
    assert 'there is no room for it' in daemon.log.wait(event='verdicts')['text']
    line = refuse(daemon, port, pki, pki.bob, reason='revoked')
    assert verdicts(daemon, line['id'])[0]['code'] == 'revoked'
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)


def test_a_disk_that_fills_up_later_makes_no_difference(handfast, config, port, pki, state):
    daemon = handfast(config, wrap=small_disk(state, '9m'))
    there = f'/proc/{daemon.process.pid}/root{state}'
    junk = os.open(f'{there}/junk', os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match='No space left'):
        while True:
            os.write(junk, bytes(4096))
    os.close(junk)
    line = refuse(daemon, port, pki, pki.bob, reason='revoked')
    assert verdicts(daemon, line['id'])[0]['code'] == 'revoked'
    offline = daemons.run('explain', '--last', '--state', there, '--json')
    assert json.loads(offline.stdout)[0]['id'] == line['id']
    assert daemon.log.all(event='verdicts') == []


def test_requests_are_told_with_their_route_and_rule(handfast, pki, backend, port):
    app = backend(recorder.Recorder().serve)
    daemon = handfast(configs.http_side(pki, port, app, routes=[
        {'name': 'admin', 'match': {'path': '/admin/'}, 'allow': ['cn:nobody'], 'to': 'app'},
        {'name': 'rest', 'allow': 'anyone', 'to': 'app'}]))
    answer = clients.curl(port, '-w', '%{http_code}', roots=pki.servers.root.cert, leaf=pki.alice,
                          path='/admin/x?token=secret')
    assert answer.stdout.endswith('403')
    shown = json.loads(answer.stdout[:-3])
    verdict, = verdicts(daemon, shown['id'])
    assert verdict['about'] == 'request' and verdict['code'] == shown['code'] == 'not-allowed'
    request = verdict['request']
    assert (request['method'], request['path'], request['route']) == ('GET', '/admin/x', 'admin')
    assert 'secret' not in json.dumps(verdict)
    assert verdict['chain'][0]['subject'].startswith('CN=alice')
    assert [row['id'] for row in verdicts(daemon, verdict['connection'], '--limit', '9')]
    told = explain(daemon, '--last')
    assert told.startswith('Refused: GET https://server.example') and 'rule        admin/allow' in told


@pytest.mark.parametrize('mode', ['tcp', 'http'])
def test_an_upstream_server_is_explained_too(handfast, pki, nginx, port, mode):
    server = nginx(pki.server, pki.clients.root.cert)
    config = configs.client_side(pki, port, server, pki.bob, {'name': 'other.example'})
    config['listeners']['in']['mode'] = mode
    daemon = handfast(config)
    with clients.plain(port, b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') as peer:
        try:
            clients.read_to_end(peer)
        except ConnectionError:
            pass
    line = daemon.log.wait(event='upstream', result='failed')
    assert (line['reason'], line['step'], line['server']) == ('wrong-name', 'name', server.address)
    assert line['alert_sent'] == 'bad_certificate' and line['concerns'].startswith('CN=server.example')
    verdict, = [row for row in verdicts(daemon, '--list') if row['about'] == 'upstream'][:1]
    assert (verdict['code'], verdict['step'], step(verdict, 'name')) == ('wrong-name', 'name', 'failed')
    assert verdict['peer'] == server.address and 'server.example' in verdict['text']
    assert verdict['chain'][0]['subject'].startswith('CN=server.example')
    assert verdict['id'] == line['id'] and verdict['text'] == line['detail']
    assert explain(daemon, '--last').startswith(f'Refused: upstream server {server.address}')
    daemon.stop()
    if mode == 'http':  # said once; in TCP mode another line tells what was tried for this client
        assert daemon.log.all(event='upstream') == [line]

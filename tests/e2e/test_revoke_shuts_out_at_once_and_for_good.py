# SPDX-License-Identifier: Apache-2.0
"""handfast revoke: the operator's own deny list. What is answered is on the disk, holds at every
door, and has closed the live sessions that it names."""

import http.client
import itertools
import json
import ssl
import subprocess
import threading

import pytest

from harness import clients, configs, daemon as daemons, waiting

pytestmark = [pytest.mark.engines, pytest.mark.workers]


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / 'state'
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def config(pki, echo, port, state):
    return configs.server_side(pki, port, echo, state=str(state))


@pytest.fixture
def daemon(handfast, config):
    return handfast(config)


def join(port, pki, leaf=None, **more):
    return clients.connect(port, pki.servers.root.cert, leaf or pki.bob, **more)


def revoke(daemon, *words, status=0):
    answer = daemons.run('revoke', *words, '-c', str(daemon.config_path))
    assert answer.returncode == status, answer.stderr
    return answer


def is_shut_out(port, pki, leaf=None, **more):
    return clients.refusal(port, pki.servers.root.cert, leaf or pki.bob, **more) == 'certificate revoked'


def selectors(pki):
    issuing = 'CN=clients issuing,O=Handfast tests'
    return [('--serial', pki.bob.serial), ('--identity', 'cn:bob'), ('--issuer', issuing),
            ('--identity', 'dn:CN=bob')]


@pytest.mark.parametrize('which', range(4))
def test_a_live_session_is_closed_and_the_answer_counts_it(daemon, port, pki, which):
    option, value = selectors(pki)[which]
    with join(port, pki) as bob, join(port, pki, pki.alice) as alice:
        clients.exchange(bob)
        clients.exchange(alice)
        everybody = option == '--issuer'
        said = revoke(daemon, option, value, '--reason', 'lost laptop').stdout
        assert f'{2 if everybody else 1} sessions were closed' in said
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            bob.recv(1)
        if not everybody:
            clients.exchange(alice, b'undisturbed')
    line = daemon.log.wait(event='no-longer-admitted', identity='bob')
    assert line['reason'] == 'deny-listed' and 'lost laptop' in line['text']
    assert is_shut_out(port, pki)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_a_ticket_is_no_way_in(daemon, port, pki, version):
    context = clients.context(pki.servers.root.cert, pki.bob, versions=(version,))
    with clients.connect(port, None, context=context) as client:
        clients.exchange(client)
        session = client.session
    revoke(daemon, '--serial', pki.bob.serial)
    assert clients.refusal(port, None, context=context, session=session) == 'certificate revoked'


def test_an_entry_can_be_taken_back_or_end_by_itself(daemon, port, pki):
    revoke(daemon, '--serial', pki.bob.serial)
    assert is_shut_out(port, pki)
    assert json.loads(revoke(daemon, '--list', '--json').stdout)['entries'][0]['id'] == 1
    revoke(daemon, '--undo', '1')
    with join(port, pki) as client:
        clients.exchange(client)
    revoke(daemon, '--serial', pki.bob.serial, '--until', '12s')
    assert is_shut_out(port, pki)

    def is_in_again():
        try:
            with join(port, pki) as client:
                return bool(clients.exchange(client))
        except (ssl.SSLError, ConnectionError):
            return False
    waiting.until(is_in_again)
    assert 'no entry 1' in revoke(daemon, '--undo', '1', status=1).stderr


def test_it_survives_a_kill_and_a_reload(handfast, config, port, pki):
    first = handfast(config)
    revoke(first, '--serial', pki.bob.serial, '--reason', 'lost')
    revoke(first, '--identity', 'cn:mallory')
    revoke(first, '--undo', '2')
    first.reload(config)
    assert is_shut_out(port, pki)
    first.kill()
    second = handfast(config)
    assert is_shut_out(port, pki)
    entries = json.loads(revoke(second, '--list', '--json').stdout)['entries']
    assert [(one['id'], one['reason']) for one in entries] == [(1, 'lost')]
    assert 'entry 3:' in revoke(second, '--serial', '77').stdout


def test_killed_at_any_moment_it_forgets_nothing_that_was_acknowledged(handfast, config):
    """Entries come as fast as they are answered, until the daemon is killed in their midst."""
    known = set()
    for enough in (1, 2, 5, 9, 14):
        daemon = handfast(config)
        status, answer = daemon.admin('GET', '/revocations')
        assert status == 200 and known <= {one['selector'] for one in answer['entries']}
        acknowledged = threading.Semaphore(0)

        def revoke_on(daemon=daemon, enough=enough, acknowledged=acknowledged):
            for number in itertools.count(enough * 1000):
                try:
                    status, answer = daemon.admin('POST', f'/revocations?selector=serial:{number}')
                except (OSError, http.client.HTTPException, ValueError):
                    return
                if status == 200:
                    known.add(answer['selector'])
                    acknowledged.release()

        thread = threading.Thread(target=revoke_on)
        thread.start()
        for _ in range(enough):
            assert acknowledged.acquire(timeout=waiting.SECONDS)
        daemon.kill()
        thread.join(waiting.SECONDS)
    assert len(known) >= 31
    entries = handfast(config).admin('GET', '/revocations')[1]['entries']
    assert known <= {one['selector'] for one in entries}


def test_a_journal_cut_short_loses_only_what_was_never_acknowledged(handfast, config, state, port, pki):
    first = handfast(config)
    revoke(first, '--serial', pki.bob.serial)
    first.stop()
    journal = state / 'deny-list.jsonl'
    journal.write_bytes(journal.read_bytes() + b'{"deny": 9, "selector": "serial:')
    handfast(config)
    assert is_shut_out(port, pki)
    assert b'"deny":9' not in journal.read_bytes()


def test_a_journal_that_cannot_be_read_stops_the_start(daemon, state):
    daemon.stop()
    (state / 'deny-list.jsonl').write_text('{"deny": 1}\n')
    answer = daemons.run('run', '-c', str(daemon.config_path))
    assert answer.returncode == 1
    assert 'deny-list.jsonl: line 1' in answer.stderr


def test_a_full_disk_is_said_and_nothing_is_half_done(daemon, state, port, pki):
    """A limit on the size of files, as long as the journal is now: every write to it fails."""
    before = (state / 'deny-list.jsonl').read_bytes()
    limit = subprocess.run(['prlimit', '--pid', str(daemon.process.pid), f'--fsize={len(before)}:unlimited'],
                           check=False, capture_output=True)
    assert limit.returncode == 0, limit.stderr
    answer = revoke(daemon, '--serial', pki.bob.serial, status=1)
    assert 'deny-list.jsonl' in answer.stderr
    subprocess.run(['prlimit', '--pid', str(daemon.process.pid), '--fsize=unlimited:unlimited'], check=True)
    with join(port, pki) as client:
        clients.exchange(client)
    assert (state / 'deny-list.jsonl').read_bytes() == before
    revoke(daemon, '--serial', pki.bob.serial)
    assert is_shut_out(port, pki)


def test_what_is_wrong_is_said(handfast, daemon, pki, echo, ports, config):
    assert 'say whom with one of' in revoke(daemon, status=2).stderr
    assert 'say whom with one of' in revoke(daemon, '--serial', '1', '--spki', '2', status=2).stderr
    assert 'hex' in revoke(daemon, '--serial', 'xyz', status=1).stderr
    assert '12h' in revoke(daemon, '--serial', '1', '--until', 'tomorrow', status=2).stderr
    del config['state']
    config['listeners']['in']['listen'] = [f'127.0.0.1:{ports.take()}']
    assert 'set `state`' in revoke(handfast(config), '--serial', '1', status=1).stderr

# SPDX-License-Identifier: Apache-2.0
"""Revocation lists: whoever they name is refused at the door, on a ticket too, and is cut in the
middle of a live session as soon as the file changes. What a list doesn't say is not guessed."""

import json
import ssl

import pytest

from harness import certs, clients, configs, daemon as daemons, revocation

pytestmark = [pytest.mark.engines, pytest.mark.workers]


@pytest.fixture
def lists(tmp_path, pki):
    return revocation.Lists(tmp_path / 'clients.crl', pki.clients)


@pytest.fixture
def config(pki, echo, port, lists):
    made = configs.server_side(pki, port, echo)
    made['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    return made


def join(port, pki, leaf=None, **more):
    return clients.connect(port, pki.servers.root.cert, leaf or pki.alice, **more)


def how_it_ends(client):
    """What a client that was let in reads when it is cut: the alert's name."""
    try:
        data = client.recv(100)
    except ssl.SSLError as error:
        return error.reason.lower().replace('_', ' ').split('alert ')[-1]
    return f'{data!r}'


def refused(daemon, port, pki, leaf, alert, reason):
    assert clients.refusal(port, pki.servers.root.cert, leaf) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


def test_the_one_who_is_named_is_refused_and_others_are_not(handfast, config, lists, port, pki):
    lists.write([pki.bob])
    daemon = handfast(config)
    with join(port, pki) as client:
        clients.exchange(client)
    line = refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    assert 'keyCompromise' in line['detail'] and 'clients.crl' in line['detail']
    assert 'clients issuing' in line['detail']


def test_a_hold_is_said_to_be_one(handfast, config, lists, port, pki):
    lists.write([(pki.bob, 'certificateHold')])
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.bob, 'certificate revoked', 'on-hold')
    assert 'put on hold' in line['detail']


def test_a_revoked_issuing_ca_takes_all_its_clients_with_it(handfast, config, lists, port, pki):
    lists.write(revoked_cas=[pki.clients.intermediates[0]])
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.alice, 'certificate revoked', 'revoked')
    assert 'the CA certificate was revoked' in line['detail']


def test_a_live_session_is_cut_when_its_client_is_revoked(handfast, config, lists, port, pki):
    daemon = handfast(config)
    with join(port, pki, pki.bob) as bob, join(port, pki) as alice:
        clients.exchange(bob)
        clients.exchange(alice)
        lists.write([pki.bob])
        assert how_it_ends(bob) == 'certificate revoked'
        line = daemon.log.wait(event='no-longer-admitted')
        assert line['reason'] == 'revoked' and line['serial'] == pki.bob.serial
        clients.exchange(alice, b'undisturbed')
        clients.finish(alice)
    assert daemon.log.wait(event='connection', cause='no-longer-admitted')
    assert '1 sessions were closed' in daemon.log.wait(event='revocation')['text']


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_a_ticket_does_not_outlive_revocation(handfast, config, lists, port, pki, version):
    daemon = handfast(config)
    context = clients.context(pki.servers.root.cert, pki.bob, versions=(version,))
    with clients.connect(port, None, context=context) as client:
        clients.exchange(client)
        session = client.session
    with clients.connect(port, None, context=context, session=session) as client:
        clients.exchange(client)
        assert client.session_reused
        session = client.session
    lists.write([pki.bob])
    daemon.log.wait(event='revocation')
    assert clients.refusal(port, None, context=context, session=session) == 'certificate revoked'


def test_a_stale_list_refuses_unless_grace_is_given(handfast, config, lists, port, pki):
    lists.write(since=revocation.now(hours=-3), until=revocation.now(hours=-2))
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-stale')
    assert 'went out of date 2 h' in line['detail'] and 'when-stale' in line['detail']
    crl = config['trust']['clients']['crl']
    crl['when-stale'] = '1h'
    daemon.reload(config)
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'certificate unknown'
    for fallback in ('3h', 'allow'):
        crl['when-stale'] = fallback
        daemon.reload(config)
        with join(port, pki) as client:
            clients.exchange(client)
    # Whoever a stale list names stays out.
    lists.write([pki.bob], since=revocation.now(hours=-3), until=revocation.now(hours=-2))
    daemon.log.wait(event='revocation')
    assert clients.refusal(port, pki.servers.root.cert, pki.bob) == 'certificate revoked'


def test_a_session_ends_when_its_list_goes_stale(handfast, config, lists, port, pki):
    lists.write(until=revocation.soon())
    daemon = handfast(config)
    with join(port, pki) as client:
        clients.exchange(client)
        assert how_it_ends(client) == 'certificate unknown'
    assert daemon.log.wait(event='no-longer-admitted')['reason'] == 'crl-stale'


def test_a_session_ends_with_its_certificate(handfast, config, port, pki):
    leaf = pki.clients.client('brief', end=revocation.soon())
    daemon = handfast(config)
    with join(port, pki, leaf) as client:
        clients.exchange(client)
        assert how_it_ends(client) == 'certificate expired'
    assert daemon.log.wait(event='no-longer-admitted')['reason'] == 'expired'


def test_every_ca_under_the_root_needs_a_list(handfast, config, lists, port, pki):
    lists.install(revocation.crl(pki.clients.intermediates[0]))
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-missing')
    assert 'when-missing' in line['detail'] and 'clients root' in line['detail']
    config['trust']['clients']['crl']['when-missing'] = 'allow'
    daemon.reload(config)
    with join(port, pki) as client:
        clients.exchange(client)


def test_a_list_by_an_impostor_says_nothing(handfast, config, lists, port, pki, tmp_path):
    impostor = certs.Authority(tmp_path, 'clients')
    other = impostor.intermediates[0]
    lists.install(revocation.crl(pki.clients.root) + revocation.crl(other))
    daemon = handfast(config)
    line = refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-untrusted')
    assert 'not signed by the key' in line['detail']


def test_a_delta_adds_to_its_base(handfast, config, lists, port, pki, tmp_path):
    issuing = pki.clients.intermediates[0]
    folder = tmp_path / 'lists'
    folder.mkdir()
    (folder / 'full.crl').write_bytes(lists.text([pki.bob], number=10))
    (folder / 'notes.txt').write_text('not a list')
    config['trust']['clients']['crl']['files'] = [str(folder)]
    daemon = handfast(config)
    with join(port, pki) as client:
        clients.exchange(client)
        delta = revocation.crl(issuing, [pki.alice, (pki.bob, 'removeFromCRL')], number=12, base=10)
        (folder / 'delta.new').write_bytes(delta)
        (folder / 'delta.new').rename(folder / 'delta.crl')
        assert how_it_ends(client) == 'certificate revoked'
    daemon.log.wait(event='revocation')
    with join(port, pki, pki.bob) as client:
        clients.exchange(client)


def test_shards_speak_for_the_certificates_that_name_them(handfast, config, lists, port, pki):
    point = 'http://ca.example/7.crl'
    extension = f'crlDistributionPoints = URI:{point}\n'
    here = pki.clients.client('here', extensions=extension)
    named = pki.clients.client('named', extensions=extension)
    lists.install(revocation.crl(pki.clients.root) +
                  revocation.crl(pki.clients.intermediates[0], [named], point=point))
    daemon = handfast(config)
    with join(port, pki, here) as client:
        clients.exchange(client)
    refused(daemon, port, pki, named, 'certificate revoked', 'revoked')
    refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-missing')


@pytest.mark.parametrize('what', ['cut', 'empty', 'gone', 'older'])
def test_a_changed_file_that_cannot_be_used_leaves_the_old_lists_in_force(handfast, config, lists, port, pki,
                                                                          what):
    lists.write([pki.bob], number=9)
    daemon = handfast(config)
    with join(port, pki) as alice:
        clients.exchange(alice)
        if what == 'gone':
            lists.path.unlink()
        elif what == 'older':
            lists.install(lists.text(number=8))
        else:
            lists.install(lists.path.read_bytes()[:700] if what == 'cut' else b'')
        line = daemon.log.wait(event='config', id='crl-kept')
        assert 'the lists from before stay in force' in line['text']
        clients.exchange(alice, b'undisturbed')
    assert clients.refusal(port, pki.servers.root.cert, pki.bob) == 'certificate revoked'
    with join(port, pki) as client:
        clients.exchange(client)


def test_a_start_or_reload_with_unusable_lists_is_refused(handfast, config, lists, port, pki, tmp_path):
    daemon = handfast(config)
    bad = tmp_path / 'bad.crl'
    bad.write_bytes(b'-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n')
    config['trust']['clients']['crl']['files'] = [str(bad)]
    assert daemon.reload(config)['level'] == 'error'
    line = daemon.log.wait(event='config', id='crl')
    assert 'bad.crl' in line['text'] and 'line 2' in line['text']
    with join(port, pki) as client:
        clients.exchange(client)


def test_revocation_counts_for_upstream_servers_too(handfast, pki, echo, port, ports, tmp_path):
    server = pki.servers.server('upstream.example', san=['IP:127.0.0.1'])
    lists = revocation.Lists(tmp_path / 'servers.crl', pki.servers)
    behind = ports.take()
    inner = configs.server_side(pki, behind, echo)
    inner['identities']['server'] = configs.identity(server)
    handfast(inner)
    outer = configs.client_side(pki, port, f'127.0.0.1:{behind}', pki.alice)
    outer['trust']['backends']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(outer)
    with clients.plain(port) as client:
        clients.exchange(client)
        lists.write([server])
        daemon.log.wait(event='connection', cause='upstream-no-longer-trusted')
    with clients.plain(port) as client:
        line = daemon.log.wait(event='upstream', result='failed')
        assert line['reason'] == 'revoked'
        with pytest.raises(ConnectionResetError):
            client.recv(10)


def simulate(daemon, leaf, *words):
    return daemons.run('simulate', '-c', daemon.config_path, '--listener', 'in', '--cert', leaf.chain, *words)


def test_simulate_says_the_same_offline(handfast, config, lists, pki, tmp_path):
    daemon = handfast(config)
    assert simulate(daemon, pki.bob).returncode == 0
    more = tmp_path / 'more.crl'
    more.write_bytes(lists.text([pki.bob]))
    answer = simulate(daemon, pki.bob, '--crl', more)
    assert answer.returncode == 1 and 'refused (revoked)' in answer.stdout
    in_a_week = revocation.now(days=7).strftime('%Y-%m-%d')
    answer = simulate(daemon, pki.alice, '--at', in_a_week)
    assert answer.returncode == 1 and 'crl-stale' in answer.stdout


def test_check_says_what_is_wrong_with_lists(handfast, config, lists, pki):
    daemon = handfast(config)
    check = ['check', '-c', daemon.config_path, '--json']
    assert daemons.run(*check).stdout.strip() == '[]'
    lists.install(revocation.crl(pki.clients.intermediates[0], since=revocation.now(hours=-3),
                                 until=revocation.now(hours=-2)))
    config['trust']['clients']['crl']['when-stale'] = 'allow'
    daemon.write_config(config)
    found = {one['id'] for one in json.loads(daemons.run(*check).stdout)}
    assert found == {'crl-stale', 'crl-uncovered', 'crl-allow'}
    lists.install(b'nothing')
    answer = daemons.run('check', '-c', daemon.config_path)
    assert answer.returncode == 1 and 'clients.crl' in answer.stdout

# SPDX-License-Identifier: Apache-2.0
"""SIGHUP or POST /reload: new certificates and rules for new connections, nothing cut, or a clear
refusal that leaves everything as it was."""

import subprocess

import pytest

from harness import clients, configs

pytestmark = [pytest.mark.engines, pytest.mark.workers]


@pytest.fixture
def config(pki, echo, port):
    return configs.server_side(pki, port, echo)


@pytest.fixture
def daemon(handfast, config):
    return handfast(config)


def join(port, pki, leaf=None, roots=None):
    return clients.connect(port, roots or pki.servers.root.cert, leaf or pki.alice)


@pytest.mark.parametrize('how', ['signal', 'admin'])
def test_new_certificate_for_new_connections(daemon, config, pki, port, how):
    with join(port, pki) as before:
        clients.exchange(before)
        config['identities']['server'] = configs.identity(pki.strangers.server('server.example'))
        assert daemon.reload(config, how)['level'] == 'info'
        clients.exchange(before, b'still here')
        with join(port, pki, roots=pki.strangers.root.cert) as after:
            clients.exchange(after)
            clients.finish(after)
        clients.exchange(before, b'and still')
        clients.finish(before)
    ends = daemon.log.wait(count=2, event='connection')
    assert {end['cause'] for end in ends} == {'finished'}


def test_same_path_new_contents(daemon, config, pki, port, tmp_path):
    """What certbot and its like do: the files change, the config does not."""
    leaf = pki.servers.server('server.example')
    chain, key = tmp_path / 'live.pem', tmp_path / 'live.key'

    def install(one):
        chain.write_bytes(one.chain.read_bytes())
        key.write_bytes(one.key.read_bytes())
        key.chmod(0o600)

    install(leaf)
    config['identities']['server'] = {'cert': str(chain), 'key': str(key)}
    daemon.reload(config)
    install(pki.strangers.server('server.example'))
    daemon.reload()
    with join(port, pki, roots=pki.strangers.root.cert) as client:
        clients.exchange(client)


def test_new_trust_counts_at_once(daemon, config, pki, port):
    config['trust']['clients'] = configs.trust(pki.strangers)
    daemon.reload(config)
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'unknown ca'
    with join(port, pki, pki.stranger) as client:
        clients.exchange(client)


def test_a_ticket_does_not_outlive_the_trust_that_it_was_given_under(daemon, config, pki, port):
    context = clients.context(pki.servers.root.cert, pki.alice)
    with clients.connect(port, None, context=context) as client:
        clients.exchange(client)
        session = client.session
    with clients.connect(port, None, context=context, session=session) as client:
        clients.exchange(client)
        assert client.session_reused
        session = client.session
    assert daemon.log.wait(event='handshake', resumed=True)['identity']
    config['trust']['clients'] = configs.trust(pki.strangers)
    daemon.reload(config)
    assert clients.refusal(port, None, context=context, session=session) == 'unknown ca'


def test_listeners_come_and_go(daemon, config, pki, ports, port):
    with join(port, pki) as old:
        clients.exchange(old)
        other = ports.take()
        config['listeners']['in']['listen'] = [f'127.0.0.1:{other}']
        daemon.reload(config)
        with join(other, pki) as client:
            clients.exchange(client)
        with pytest.raises(ConnectionRefusedError):
            clients.plain(port)
        clients.exchange(old, b'the old door is gone, its guest is not')


BREAK = {
    'unknown key': lambda config, folder: config.update(nonsense=1),
    'broken YAML': lambda config, folder: '}{',
    'missing certificate': lambda config, folder:
        config['identities']['server'].update(cert=str(folder / 'nowhere.pem')),
    'unreadable certificate': lambda config, folder: unreadable(config, folder),
    'garbage in the certificate': lambda config, folder: garbage(config, folder),
    'no roots': lambda config, folder: config['trust']['clients'].update(roots='/dev/null'),
}


def unreadable(config, folder):
    """Root can read anything, so what can't be read is a folder."""
    (folder / 'folder.pem').mkdir()
    config['identities']['server'].update(cert=str(folder / 'folder.pem'))


def garbage(config, folder):
    (folder / 'garbage.pem').write_text('-----BEGIN CERTIFICATE-----\nAAAA\n')
    config['identities']['server'].update(cert=str(folder / 'garbage.pem'))


@pytest.mark.parametrize('what', BREAK)
@pytest.mark.parametrize('how', ['signal', 'admin'])
def test_refused_reload_leaves_the_old_one_running(daemon, config, pki, port, tmp_path, what, how):
    with join(port, pki) as before:
        clients.exchange(before)
        broken = BREAK[what](config, tmp_path)
        line = daemon.reload(broken or config, how)
        assert line['level'] == 'error'
        problems = daemon.log.all(level='error', event='config')
        assert any('handfast.yaml:' in problem.get('at', '') for problem in problems), problems
        clients.exchange(before)
        with join(port, pki) as after:
            clients.exchange(after)


def test_refused_reload_is_told_to_who_asked(daemon, config):
    config['nonsense'] = 1
    daemon.write_config(config)
    status, body = daemon.admin('POST', '/reload')
    assert 400 <= status < 500
    assert 'nonsense' in str(body)


def test_a_hundred_reloads_under_traffic(handfast, config, pki, port, herd):
    daemon = handfast({**config, 'log': {'format': 'json', 'level': 'info', 'to': 'stderr'}})
    load = subprocess.Popen(
        [herd, 'clients', '--port', str(port), '--roots', pki.servers.root.cert,
         '--cert', pki.alice.chain, '--key', pki.alice.key, '--n', '1500', '--at-once', '20',
         '--bytes', '20000'], stdout=subprocess.PIPE, text=True)
    renewed = [configs.identity(pki.servers.server('server.example')) for _ in range(3)]
    for number in range(100):
        config['identities']['server'] = renewed[number % 3]
        config['log'] = {'format': 'json', 'level': 'info', 'to': 'stderr'}
        assert daemon.reload(config)['level'] == 'info'
    outcome = load.communicate()[0]
    assert load.returncode == 0, outcome
    daemon.log.wait(count=1500, event='connection', cause='finished')

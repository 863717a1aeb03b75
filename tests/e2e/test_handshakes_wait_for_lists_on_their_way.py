# SPDX-License-Identifier: Apache-2.0
"""The first client of a shard isn't refused for a list that nobody has fetched yet: its handshake
waits for it, in either engine and version, at most the trust's `wait`. Then what is known decides."""

import socket
import ssl
import struct
import threading
import time

import pytest

from harness import clients, configs, publisher, revocation, waiting

pytestmark = [pytest.mark.engines, pytest.mark.workers]


class Site(publisher.Publisher):
    """Publishes the root's list, and a shard of the issuing CA's; `hold` holds the shard back."""

    def __init__(self, port, authority):
        super().__init__(port)
        self.authority = authority
        self.shard = self.url('/shard-7.crl')
        self.held = threading.Event()
        self.files['/root.crl'] = revocation.crl(authority.root)
        self.write()

    def write(self, revoked=()):
        self.files['/shard-7.crl'] = revocation.crl(self.authority.intermediates[0], revoked, point=self.shard)

    def hold(self):
        data, self.came = self.files['/shard-7.crl'], threading.Semaphore(0)

        def answer(handler):
            self.came.release()
            self.held.wait(waiting.SECONDS)
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(data)

        self.files['/shard-7.crl'] = answer

    def wait_until_asked(self):
        assert self.came.acquire(timeout=waiting.SECONDS)

    def asked_for_shard(self):
        return [path for path, _ in self.asked if path == '/shard-7.crl']

    def names(self, name):
        return self.authority.client(name, extensions=f'crlDistributionPoints = URI:{self.shard}\n')


@pytest.fixture
def site(ports, pki):
    made = Site(ports.take(), pki.clients)
    yield made
    made.held.set()
    made.close()


@pytest.fixture
def carol(site):
    return site.names('carol')


@pytest.fixture
def config(pki, echo, port, site, tmp_path):
    made = configs.server_side(pki, port, echo, state=str(tmp_path / 'state'))
    (tmp_path / 'state').mkdir(mode=0o700)
    made['trust']['clients']['crl'] = {'urls': [site.url('/root.crl')], 'from-certificates': [site.origin],
                                       'wait': '1m'}
    return made


def start(handfast, config):
    """With the root's list; the shard is one that nobody has named yet."""
    daemon = handfast(config)
    waiting.until(lambda: daemon.admin('GET', '/crls')[1]['lists'], 'the list of the root')
    return daemon


def let_in(port, pki, leaf, **more):
    with clients.connect(port, pki.servers.root.cert, leaf, **more) as client:
        clients.exchange(client)


def refused(daemon, port, pki, leaf, reason, alert='certificate unknown', **more):
    assert clients.refusal(port, pki.servers.root.cert, leaf, **more) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_the_first_client_of_a_shard_is_let_in(handfast, config, site, port, pki, carol, version):
    daemon = start(handfast, config)
    let_in(port, pki, carol, versions=(version,))
    assert len(site.asked_for_shard()) == 1
    assert not daemon.log.all(event='handshake', result='refused')


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_the_first_client_of_a_shard_is_refused_when_it_is_named_there(handfast, config, site, port, pki, carol,
                                                                       version):
    site.write([carol])
    daemon = start(handfast, config)
    line = refused(daemon, port, pki, carol, 'revoked', 'certificate revoked', versions=(version,))
    assert site.shard in line['detail']


def test_many_who_lack_the_same_list_share_one_fetch(handfast, config, site, port, pki):
    config['workers'] = 4
    leaves = [site.names(f'shared-{number}') for number in range(4)]
    site.write([leaves[3]])
    site.hold()
    daemon = start(handfast, config)
    outcomes = []

    def join(leaf):
        try:
            let_in(port, pki, leaf)
            outcomes.append('in')
        except (ssl.SSLError, OSError) as error:
            outcomes.append(error.reason if isinstance(error, ssl.SSLError) else error)

    joining = [threading.Thread(target=join, args=(leaf,)) for leaf in leaves * 3]
    for one in joining:
        one.start()
    site.wait_until_asked()
    site.held.set()
    for one in joining:
        one.join()
    assert sorted(outcomes, key=str) == ['SSLV3_ALERT_CERTIFICATE_REVOKED'] * 3 + ['in'] * 9
    assert len(site.asked_for_shard()) == 1
    daemon.log.wait(count=3, event='handshake', result='refused', reason='revoked')
    assert len(daemon.log.all(event='handshake', result='refused')) == 3


def test_a_list_that_does_not_come_is_waited_for_no_longer_than_wait(handfast, config, site, port, pki, carol):
    site.hold()
    config['trust']['clients']['crl']['wait'] = '1s'
    daemon = start(handfast, config)
    began = time.monotonic()
    line = refused(daemon, port, pki, carol, 'crl-missing')
    assert time.monotonic() - began > 0.9
    assert 'handfast crls tells what was fetched' in line['detail']

    def at_once():
        began = time.monotonic()
        refused(daemon, port, pki, carol, 'crl-missing')
        return time.monotonic() - began < 0.9

    waiting.until(at_once, 'a refusal without a wait: it has been waited for already')
    site.held.set()
    waiting.until(lambda: len(daemon.admin('GET', '/crls')[1]['lists']) == 2, 'the list')
    let_in(port, pki, carol)


def test_what_is_known_to_fail_is_not_waited_for(handfast, config, site, port, pki, carol):
    del site.files['/shard-7.crl']
    daemon = start(handfast, config)
    began = time.monotonic()
    refused(daemon, port, pki, carol, 'crl-missing')
    site.wait('/shard-7.crl', 404)
    refused(daemon, port, pki, carol, 'crl-missing')
    assert time.monotonic() - began < 50, 'it was waited for'


def test_without_wait_nobody_waits(handfast, config, site, port, pki, carol):
    site.hold()
    config['trust']['clients']['crl']['wait'] = '0s'
    daemon = start(handfast, config)
    refused(daemon, port, pki, carol, 'crl-missing')
    site.wait_until_asked()
    site.held.set()
    waiting.until(lambda: len(daemon.admin('GET', '/crls')[1]['lists']) == 2, 'the list')
    let_in(port, pki, carol)


def test_when_missing_decides_after_the_wait(handfast, config, site, port, pki, carol):
    site.write([carol])
    site.hold()
    config['trust']['clients']['crl'].update({'when-missing': 'allow', 'wait': '1s'})
    daemon = start(handfast, config)
    with clients.connect(port, pki.servers.root.cert, carol) as client:
        clients.exchange(client)
        site.held.set()  # and there she is
        daemon.log.wait(event='no-longer-admitted', reason='revoked')
    refused(daemon, port, pki, carol, 'revoked', 'certificate revoked')


def test_lists_of_urls_are_waited_for_at_the_start(handfast, config, site, port, pki):
    """Nobody is refused because the daemon has only just begun."""
    site.files['/shard-7.crl'] = revocation.crl(pki.clients.intermediates[0], [pki.bob])
    site.hold()
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl'), site.shard], 'wait': '1m'}
    daemon = handfast(config)
    outcome = []
    joining = threading.Thread(target=lambda: outcome.append(let_in(port, pki, pki.alice)))
    joining.start()
    site.wait_until_asked()
    site.held.set()
    joining.join()
    assert outcome == [None]
    refused(daemon, port, pki, pki.bob, 'revoked', 'certificate revoked')


def test_a_client_that_leaves_meanwhile_is_told_of(handfast, config, site, port, pki, carol):
    site.hold()
    daemon = start(handfast, config)

    client = clients.connect(port, pki.servers.root.cert, carol, versions=('1.3',))  # for her part
    site.wait_until_asked()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    client.close()
    line = daemon.log.wait(event='handshake', result='refused', reason='peer-closed')
    assert line['detail'] == 'the client left while a revocation list was on its way'


def test_a_reload_that_begins_to_fetch_leaves_good_sessions_alone(handfast, config, site, port, pki, carol):
    dave = site.names('dave')
    site.write([dave])
    site.hold()
    crl = config['trust']['clients'].pop('crl')
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, carol) as good, \
            clients.connect(port, pki.servers.root.cert, dave) as bad:
        clients.exchange(good)
        clients.exchange(bad)
        config['trust']['clients']['crl'] = crl
        daemon.reload(config)
        site.wait_until_asked()
        clients.exchange(good, b'while it is asked for')
        clients.exchange(bad, b'nobody knows yet')
        site.held.set()
        line = daemon.log.wait(event='no-longer-admitted')
        assert line['identity'] == 'dave' and line['reason'] == 'revoked'
        clients.exchange(good, b'undisturbed')
        clients.finish(good)


@pytest.mark.parametrize('mode', ['tcp', 'http'])
@pytest.mark.parametrize('revoked', [False, True])
def test_upstream_servers_are_waited_for_as_well(handfast, nginx, ports, port, pki, tmp_path, mode, revoked):
    site = Site(ports.take(), pki.servers)
    try:
        leaf = pki.servers.server('server.example',
                                  extensions=f'crlDistributionPoints = URI:{site.shard}\n')
        site.write([leaf] if revoked else ())
        server = nginx(leaf, pki.clients.root.cert)
        (tmp_path / 'state').mkdir(mode=0o700)
        config = configs.client_side(pki, port, server, pki.alice, tls={'name': 'server.example'},
                                     state=str(tmp_path / 'state'))
        config['listeners']['in']['mode'] = mode
        config['trust']['backends']['crl'] = {'urls': [site.url('/root.crl')],
                                              'from-certificates': [site.origin], 'wait': '1m'}
        daemon = start(handfast, config)
        with clients.plain(port, b'GET / HTTP/1.1\r\nHost: server.example\r\nConnection: close\r\n\r\n') as client:
            if revoked:
                daemon.log.wait(event='upstream', detail=lambda text: 'was revoked' in text and site.shard in text)
            else:
                assert client.recv(100).startswith(b'HTTP/1.1 200')
        assert len(site.asked_for_shard()) == 1
    finally:
        site.close()


def test_a_check_of_an_upstream_asks_for_its_lists(handfast, nginx, ports, port, pki, tmp_path):
    site = Site(ports.take(), pki.servers)
    try:
        leaf = pki.servers.server('server.example', extensions=f'crlDistributionPoints = URI:{site.shard}\n')
        server = nginx(leaf, pki.clients.root.cert)
        (tmp_path / 'state').mkdir(mode=0o700)
        config = configs.client_side(pki, port, server, pki.alice, tls={'name': 'server.example'},
                                     state=str(tmp_path / 'state'))
        config['upstreams']['app']['check'] = {'type': 'tls', 'interval': '100ms', 'timeout': '1m'}
        config['trust']['backends']['crl'] = {'urls': [site.url('/root.crl')],
                                              'from-certificates': [site.origin], 'wait': '1m'}
        daemon = handfast(config)
        site.wait('/shard-7.crl')  # nobody has connected yet
        with clients.plain(port, b'GET / HTTP/1.0\r\nHost: server.example\r\n\r\n') as client:
            assert client.recv(100).startswith(b'HTTP/1.1 200')
        assert not daemon.log.all(event='server-down')
    finally:
        site.close()

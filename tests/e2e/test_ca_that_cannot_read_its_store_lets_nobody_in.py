# SPDX-License-Identifier: Apache-2.0
"""The database of a CA goes away while its daemon runs, or its file is taken away or replaced. What is known stays in force for as long as
`when-lost` says; then nobody knows who was revoked, and whom the CA has issued is let in no more,
until the database is back."""

import json
import time
import urllib.request

import pytest

from harness import canode, cas, clients, postgres, waiting


@pytest.fixture
def server():
    if not postgres.programs():
        pytest.skip('no PostgreSQL here')
    one = postgres.Server()
    yield one
    one.close()


@pytest.fixture
def site(server, tmp_path):
    return canode.Site(cas.Ca(tmp_path / 'ca', server.url), tmp_path)


class Watched(canode.Node):
    """With metrics."""

    def config(self):
        return {**super().config(), 'metrics': f'127.0.0.1:{self.metrics_port}'}

    def __init__(self, site, handfast, ports, **settings):
        self.metrics_port = ports.take()
        super().__init__(site, handfast, ports, **settings)

    def metric(self, name):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.metrics_port}/metrics',
                                    timeout=waiting.SECONDS) as answer:
            lines = answer.read().decode().splitlines()
        found = [line.split()[-1] for line in lines if line.startswith(f'handfast_ca_{name}{{ca="main"}}')]
        assert len(found) == 1, lines
        return float(found[0])


def is_let_in(node, who):
    try:
        node.enter(who).close()
        return True
    except OSError:
        return False


def read_to_the_end(session):
    try:
        while session.recv(4096):
            pass
    except OSError:
        pass
    session.close()


def test_after_when_lost_nobody_is_let_in_until_it_is_back(site, server, handfast, ports):
    node = Watched(site, handfast, ports, **{'when-lost': '6s'})
    alice, bob = site.ca.issue('client', 'alice'), site.ca.issue('client', 'bob')
    site.ca.good('revoke', '--cert', bob.cert)
    node.daemon.log.wait(event='revocation')
    assert node.metric('lost') == 0
    assert node.metric('silence_seconds') < waiting.SECONDS
    assert node.metric('revoked') >= 1
    session = node.enter(alice)
    server.stop()
    begun = time.monotonic()
    read_to_the_end(session)
    assert time.monotonic() - begun > 0.5, 'it was cut before its time'
    line = node.daemon.log.wait(event='no-longer-admitted')
    assert line['reason'] == 'crl-stale' and "isn't heard any more" in line['text']
    assert clients.refusal(node.door, site.roots, alice) == 'certificate unknown'
    assert clients.refusal(node.door, site.roots, bob) == 'certificate revoked'
    assert node.metric('lost') == 1
    assert node.metric('silence_seconds') >= 6
    client = node.client(None)
    status, problem = client.ask('GET', '/tokens')
    assert status in (401, 403), problem
    client.close()
    said = [one['text'] for one in node.daemon.log.all(event='ca', text=lambda text: True)
            if 'journal of revocations can\'t be read' in one['text']]
    assert len(said) == 1, said
    server.start()
    waiting.until(lambda: is_let_in(node, alice))
    node.daemon.log.wait(event='ca', text='the journal of revocations of the CA main is read again')
    assert node.metric('lost') == 0
    assert clients.refusal(node.door, site.roots, bob) == 'certificate revoked'


def test_before_that_what_is_known_stays_in_force(site, server, handfast, ports):
    node = Watched(site, handfast, ports)
    alice, bob, carol = (site.ca.issue('client', name) for name in ('alice', 'bob', 'carol'))
    site.ca.good('revoke', '--cert', bob.cert)
    node.daemon.log.wait(event='revocation')
    session = node.enter(alice)
    server.stop()
    node.daemon.log.wait(event='ca', text=lambda text: "can't be read" in text)
    assert is_let_in(node, alice)
    assert clients.refusal(node.door, site.roots, bob) == 'certificate revoked'
    # What is asked of the API is refused in words of its own, and nothing is stored.
    client = node.client(site.ops)
    status, problem = client.ask('POST', '/certificates', {'profile': 'plain', 'name': 'x'})
    assert status == 503 and problem['type'].endswith(':store'), json.dumps(problem)
    client.close()
    server.start()
    site.ca.good('revoke', '--cert', carol.cert)
    waiting.until(lambda: not is_let_in(node, carol))
    session.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert session.recv(4096).startswith(b'HTTP/1.1 200')
    session.close()


@pytest.mark.parametrize('replaced', [False, True], ids=['taken away', 'replaced'])
def test_a_file_that_is_another_one_now_is_no_store(tmp_path, handfast, ports, replaced):
    site = canode.Site(cas.Ca(tmp_path / 'ca'), tmp_path)
    node = Watched(site, handfast, ports, **{'when-lost': '1s'})
    alice, bob = site.ca.issue('client', 'alice'), site.ca.issue('client', 'bob')
    site.ca.good('revoke', '--cert', bob.cert)
    node.daemon.log.wait(event='revocation')
    session = node.enter(alice)
    store, away = tmp_path / 'ca' / 'ca.db', tmp_path / 'away'
    store.rename(away)
    if replaced:
        store.write_bytes(away.read_bytes())
        store.chmod(0o600)
    line = node.daemon.log.wait(event='ca', text=lambda text: "can't be read" in text)
    assert line['level'] == 'error' and 'was moved, deleted or replaced' in line['text']
    read_to_the_end(session)
    assert clients.refusal(node.door, site.roots, alice) == 'certificate unknown'
    assert clients.refusal(node.door, site.roots, bob) == 'certificate revoked'
    away.rename(store)
    waiting.until(lambda: is_let_in(node, alice))
    node.daemon.log.wait(event='ca', text='the journal of revocations of the CA main is read again')
    site.ca.good('revoke', '--cert', alice.cert)
    waiting.until(lambda: not is_let_in(node, alice))

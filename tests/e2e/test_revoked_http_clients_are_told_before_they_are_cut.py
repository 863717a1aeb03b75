# SPDX-License-Identifier: Apache-2.0
"""HTTP mode: who is no longer admitted may finish the request under way, within a moment, and hears
of it (GOAWAY, Connection: close). No other request gets in. Who is silent is cut at once."""

import datetime
import ssl
import threading

import pytest

from harness import certs, clients, configs, h2raw, recorder, waiting

pytestmark = [pytest.mark.engines, pytest.mark.workers]

GET = b'GET %s HTTP/1.1\r\nHost: server.example\r\n\r\n'


def fields(path):
    return [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example'), (':path', path)]


class Held:
    """Answers /held when it is released, everything else at once."""

    def __init__(self):
        self.asked, self.released, self.paths = threading.Event(), threading.Event(), []

    def serve(self, connection, _):
        reader = recorder._Reader(connection)
        try:
            while True:
                target = recorder.read_request(reader).target
                self.paths.append(target)
                if target == '/held':
                    self.asked.set()
                    assert self.released.wait(waiting.SECONDS)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell')
        except EOFError:
            return


@pytest.fixture
def held():
    made = Held()
    yield made
    made.released.set()


@pytest.fixture
def setting(handfast, pki, backend, port, held, tmp_path):
    (tmp_path / 'state').mkdir(mode=0o700)

    def start(leaf=None, **http):
        config = configs.http_side(pki, port, backend(held.serve), routes=[{'to': 'app', 'allow': ['anyone']}],
                                   listener={'http': http} if http else None, state=str(tmp_path / 'state'))
        return handfast(config)

    return start


def revoke(daemon, leaf):
    status, answer = daemon.admin('POST', f'/revocations?selector=serial:{leaf.serial}')
    assert status == 200
    return answer['closed']


def alert(read):
    """How the connection ends: the alert's name. read() gives something false at an end in order."""
    try:
        while read():
            pass
    except ssl.SSLError as error:
        return error.reason.lower().replace('_', ' ').split('alert ')[-1]
    return 'in order'


def join_h1(port, pki):
    connection = clients.connect(port, pki.servers.root.cert, pki.bob, alpn=['http/1.1'])
    return connection, clients.HttpReader(connection)


def join_h2(port, pki, leaf=None):
    return h2raw.Connection(port, pki.servers.root.cert, leaf or pki.bob)


def test_a_silent_http2_client_reads_goaway_and_the_alert(setting, port, pki):
    daemon = setting()
    with join_h2(port, pki) as bob:
        assert bob.wait(bob.request(fields('/'))).status == 200
        assert revoke(daemon, pki.bob) == 1
        assert alert(bob.step) == 'certificate revoked'
        assert bob.goaway == 'NO_ERROR'
    assert daemon.log.wait(event='connection', cause='no-longer-admitted')


def test_a_silent_http1_client_reads_the_alert(setting, port, pki):
    daemon = setting()
    connection, reader = join_h1(port, pki)
    with connection:
        connection.sendall(GET % b'/')
        assert reader.answer().status == 200
        assert revoke(daemon, pki.bob) == 1
        assert alert(lambda: connection.recv(1)) == 'certificate revoked'


def test_an_http2_request_under_way_is_answered_and_no_other_gets_in(setting, port, pki, held):
    daemon = setting(**{'cut-after': '30s'})
    with join_h2(port, pki) as bob:
        under_way = bob.request(fields('/held'))
        assert held.asked.wait(waiting.SECONDS)
        assert revoke(daemon, pki.bob) == 1
        assert revoke(daemon, pki.bob) == 0  # it ends already
        late = bob.request(fields('/late'))
        assert bob.wait(late).status == 403
        assert bob.goaway == 'NO_ERROR'
        held.released.set()
        assert bob.wait(under_way).body == b'well'
        assert alert(bob.step) == 'certificate revoked'
    assert held.paths == ['/held']
    assert daemon.log.wait(event='connection', cause='no-longer-admitted')


def test_an_http1_request_under_way_is_answered_and_is_the_last(setting, port, pki, held):
    daemon = setting(**{'cut-after': '30s'})
    connection, reader = join_h1(port, pki)
    with connection:
        connection.sendall(GET % b'/held' + GET % b'/late')
        assert held.asked.wait(waiting.SECONDS)
        assert revoke(daemon, pki.bob) == 1
        held.released.set()
        answer = reader.answer()
        assert answer.status == 200 and answer.fields['connection'] == 'close'
        assert alert(lambda: connection.recv(1)) == 'certificate revoked'
    assert held.paths == ['/held']


@pytest.mark.parametrize('cut_after', ['0', '100ms'])
@pytest.mark.parametrize('version', [1, 2])
def test_a_request_that_takes_too_long_is_cut(setting, port, pki, held, version, cut_after):
    daemon = setting(**{'cut-after': cut_after})
    if version == 1:
        connection, _ = join_h1(port, pki)
        connection.sendall(GET % b'/held')
    else:
        bob = join_h2(port, pki)
        connection = bob.tls
        bob.request(fields('/held'))
    with connection:
        assert held.asked.wait(waiting.SECONDS)
        assert revoke(daemon, pki.bob) == 1
        read = bob.step if version == 2 else lambda: connection.recv(1)
        assert alert(read) == 'certificate revoked'
        assert version == 1 or bob.goaway == 'NO_ERROR'
    assert daemon.log.wait(event='connection', cause='no-longer-admitted')


def short_lived(pki, seconds):
    now = datetime.datetime.now(datetime.timezone.utc)
    return pki.clients.client('brief', start=now - certs.DAY, end=now + datetime.timedelta(seconds=seconds))


def test_a_connection_is_told_to_end_before_its_certificate_does(setting, port, pki):
    daemon = setting(**{'expiry-drain': '1h'})
    with join_h2(port, pki, short_lived(pki, 1800)) as brief, join_h2(port, pki) as bob:
        assert brief.wait_goaway() == 'NO_ERROR'  # and ends in order, as it has nothing to do
        assert bob.wait(bob.request(fields('/'))).status == 200 and bob.goaway is None
    assert daemon.log.wait(event='connection', cause='finished')


def test_and_is_cut_when_it_has(setting, port, pki, held):
    setting(**{'expiry-drain': '1h', 'cut-after': '0'})
    with join_h2(port, pki, short_lived(pki, 12)) as brief:
        brief.request(fields('/held'))
        assert alert(brief.step) == 'certificate expired'
        assert brief.goaway == 'NO_ERROR'

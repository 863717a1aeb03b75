# SPDX-License-Identifier: Apache-2.0
"""Every peer of the table, at every door (TCP, HTTP/1.1, HTTP/2), in TLS 1.2 and 1.3, in a full
handshake and on a ticket, by every source of revocation: one verdict.

Tickets are taken before anybody has fallen. Then the sources are told, and all come again. An ordinary
run has each peer and source at two of the six doors, in turns; script/test --full has the whole."""

import concurrent.futures
import itertools
import os
import socket
import ssl
import time

import hpack
import pytest

from doors import peers, sources
from harness import backends, clients, configs, h2raw, publisher, recorder, waiting

pytestmark = pytest.mark.xdist_group('doors')

DOORS = list(itertools.product(['tcp', 'h1', 'h2'], ['1.2', '1.3']))
SOURCES = ['files', 'fetched', 'delta', 'sharded', 'denied']
PER_PEER = len(DOORS) if os.environ.get('HANDFAST_FULL') else 2
ALERTS = {'revoked': 'certificate revoked', 'on-hold': 'certificate revoked', 'deny-listed': 'certificate revoked',
          'crl-stale': 'certificate unknown', 'crl-missing': 'certificate unknown',
          'crl-untrusted': 'certificate unknown', 'crl-not-yet': 'certificate unknown',
          'expired': 'certificate expired', 'unknown-ca': 'unknown ca', 'self-signed': 'unknown ca',
          'missing-intermediate': 'unknown ca'}
NUMBER = 8  # of the lists that name the fallen


class Verdicts:
    """What the log says of each client's handshake, by the client's port."""

    def __init__(self, log):
        self._log, self._at, self._found = log, 0, {}

    def of(self, port):
        deadline = time.monotonic() + waiting.SECONDS
        with self._log._changed:
            while True:
                for line in self._log.lines[self._at:]:
                    if line.get('event') == 'handshake':
                        self._found[line['peer']] = line
                self._at = len(self._log.lines)
                line = self._found.pop(f'127.0.0.1:{port}', None)
                if line:
                    return line
                left = deadline - time.monotonic()
                assert left > 0, f'the log says nothing of 127.0.0.1:{port}'
                self._log._changed.wait(left)


def use_tcp(connection):
    connection.sendall(b'x')
    assert connection.recv(1) == b'x'


def use_h1(connection):
    connection.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
    assert clients.HttpReader(connection).answer().status == 200


def use_h2(connection):
    fields = [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example'), (':path', '/')]
    connection.sendall(h2raw.PREFACE + h2raw.settings() + h2raw.frame(
        h2raw.HEADERS, h2raw.END_HEADERS | h2raw.END_STREAM, 1, hpack.Encoder().encode(fields)))
    while True:
        head = clients.read_exactly(connection, 9)
        body = clients.read_exactly(connection, int.from_bytes(head[:3], 'big'))
        if head[3] == h2raw.HEADERS:
            assert dict(hpack.Decoder().decode(body))[':status'] == '200'
            return


USES = {'tcp': (None, use_tcp), 'h1': ('http/1.1', use_h1), 'h2': ('h2', use_h2)}


class Row:
    """One peer, source, door and version: the client that comes again and again."""

    def __init__(self, table, peer, source, door):
        self.table, self.peer, self.source, (self.door, self.version) = table, peer, source, door
        alpn, self.use = USES[self.door]
        self.context = clients.context(table.pki.servers.root.cert, peer.leaf, (self.version,),
                                       [alpn] if alpn else None)
        self.session = None
        self.results = {}

    def come(self, name, session=None):
        """Notes (code, alert, resumed); 'ok' for who was let in."""
        raw = socket.create_connection(('127.0.0.1', self.table.ports[self.source, self.door != 'tcp']),
                                       timeout=waiting.SECONDS)
        held = raw.dup()  # nobody else may have the port before the log was read
        alert, resumed = None, False
        try:
            with self.context.wrap_socket(raw, server_hostname='server.example', session=session,
                                          suppress_ragged_eofs=False) as connection:
                self.use(connection)
                self.session, resumed = connection.session, connection.session_reused
        except ssl.SSLEOFError:
            alert = 'closed'
        except ssl.SSLError as error:
            alert = (error.reason or str(error)).lower().replace('_', ' ').split('alert ')[-1]
        except OSError:
            alert = 'closed'
        line = self.table.verdicts.of(held.getsockname()[1])
        held.close()
        raw.close()
        code = 'ok' if line['result'] == 'accepted' else line['reason']
        self.results[name] = (code, alert, resumed)

    def expected(self, after):
        """The codes that are right."""
        peer, denied = self.peer, self.source == 'denied'
        if peer.always:
            return {peer.always}
        if denied:
            return {'deny-listed'} if peer.falls and after else {'ok'}
        if peer.falls and (after or peer.name == 'revoked-under-stale'):
            return {peer.falls}
        if self.source == 'fetched' and peer.lists in ('crl-untrusted', 'crl-not-yet'):
            return {'crl-missing', peer.lists}  # such a list isn't taken in the first place
        return {peer.lists or 'ok'}

    def faults(self):
        """What is wrong with this row, in words."""
        where = f'{self.peer.name} by {self.source} at {self.door} in {self.version}'
        found = []
        for name, (code, alert, resumed) in self.results.items():
            right = self.expected(name != 'before')
            if code not in right:
                found.append(f'{where}, {name}: {code}, not {" or ".join(sorted(right))}')
            if (code == 'ok') != (alert is None) or alert == 'closed':
                found.append(f'{where}, {name}: {code}, but the client saw {alert}')
            if code in ALERTS and alert != ALERTS[code]:
                found.append(f'{where}, {name}: the alert is {alert}, not {ALERTS[code]}')
            if resumed != (name == 'ticket' and code == 'ok'):
                found.append(f'{where}, {name}: resumed is {resumed}')
        if 'ok' in self.expected(False) and 'ticket' not in self.results:
            found.append(f'{where}: no ticket was given')
        return found


class Table:
    def __init__(self, folder, pki, ports, start, backend):
        self.pki, self.folder = pki, folder
        self.site = publisher.Publisher(ports.take())
        self.authority = peers.Authority(folder / 'authority',
                                         lambda issuer, at: self.site.url(f'/{issuer}-{at}.crl'))
        self.peers = peers.everybody(self.authority)
        self.sources = sources.Sources(self.authority, self.peers)
        self.ports = {(source, http): ports.take() for source in SOURCES for http in (False, True)}
        (folder / 'state').mkdir(mode=0o700)
        for source in ('files', 'delta', 'sharded'):
            (folder / source).mkdir()
        self.publish(False)
        self.daemon = start(self.config(backend(backends.echo), backend(recorder.Recorder().serve)))
        self.verdicts = Verdicts(self.daemon.log)
        self.wait_for_lists(1)
        self.rows = self._rows()

    def _rows(self):
        made = []
        for (i, peer), (s, source) in itertools.product(enumerate(self.peers), enumerate(SOURCES)):
            step = len(DOORS) // PER_PEER
            for k in range(PER_PEER):
                made.append(Row(self, peer, source, DOORS[(i + s + k * step) % len(DOORS)]))
        return made

    def config(self, echo, http):
        crls = {'files': {'files': [str(self.folder / 'files')]},
                'fetched': {'urls': [self.site.url(f'/{name}.crl') for name in self.sources.listed()],
                            'refresh': '1h'},
                'delta': {'files': [str(self.folder / 'delta')]},
                'sharded': {'files': [str(self.folder / 'sharded')]},
                'denied': None}
        made = configs.server_side(self.pki, 1, echo, state=str(self.folder / 'state'), workers=2)
        door = made['listeners'].pop('in')
        root = str(self.authority.root.cert)
        made['trust'] = {source: {'roots': root, **({'crl': crl} if crl else {})} for source, crl in crls.items()}
        made['upstreams']['web'] = {'servers': [http.address]}
        for (source, is_http), port in self.ports.items():
            made['listeners'][f'{source}-{"http" if is_http else "tcp"}'] = {
                **door, 'listen': [f'127.0.0.1:{port}'], 'trust': source,
                **({'mode': 'http', 'to': 'web'} if is_http else {})}
        return made

    # The sources.

    def _put(self, folder, name, data):
        path = self.folder / folder / f'{name}.crl'
        path.with_suffix('.part').write_bytes(data)
        path.with_suffix('.part').rename(path)

    def publish(self, after):
        number = NUMBER if after else 1
        for name, data in self.sources.all_full(number, after).items():
            self.site.files[f'/{name}.crl'] = data
            self._put('files', name, data)
            if not after:
                self._put('delta', name, data)
            elif name not in ('gnu', 'swan', 'stale', 'early', 'forged'):
                self._put('delta', f'{name}-delta', self.sources.delta(name, number, 1))
            else:
                self._put('delta', name, data)
            if name not in sources.SHARDED:
                self._put('sharded', name, data)
        for name in sources.SHARDED:
            for at, data in enumerate(self.sources.shards(name, number, after)):
                self._put('sharded', f'{name}-{at}', data)

    def deny(self):
        for by in {id(peer.by): peer.by for peer in self.peers if peer.falls}.values():
            status, _ = self.daemon.admin('POST', f'/revocations?selector=serial:{by.serial}')
            assert status == 200

    def wait_for_lists(self, number):
        """Until each source has the lists of this number, but for those that aren't taken."""
        wanted = [name for name in self.sources.listed() if name not in ('stale', 'early', 'forged')]

        def there():
            found = {(one['trust'], one['issuer'].split(',')[0]) for one in self.daemon.admin('GET', '/crls')[1]['lists']
                     if int(one['number'], 16) == number}
            return all((source, f'CN={ca}') in found for source in SOURCES[:-1] for ca in wanted)

        waiting.until(there, f'lists number {number}')

    # The run.

    def each(self, work, wanted=SOURCES):
        """Rows of one peer in one thread, some peers at a time."""
        groups = [[row for row in self.rows if row.peer is peer and row.source in wanted]
                  for peer in self.peers]

        def run(rows):
            for row in rows:
                work(row)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(run, groups))

    def run(self):
        self.each(lambda row: row.come('before'))
        self.publish(True)
        self.daemon.admin('POST', '/crls/fetch')
        self.wait_for_lists(NUMBER)
        self.come_again(SOURCES[:-1])
        self.deny()  # which holds in every trust, so that it comes last
        self.come_again(SOURCES[-1:])

    def come_again(self, wanted):
        tickets = {id(row): row.session for row in self.rows}
        self.each(lambda row: row.come('full'), wanted)

        def on_ticket(row):
            if row.results['before'][0] == 'ok':
                row.come('ticket', tickets[id(row)])

        self.each(on_ticket, wanted)


@pytest.fixture(scope='module')
def table(tmp_path_factory, pki, ports, module_handfast, module_backend):
    made = Table(tmp_path_factory.mktemp('doors'), pki, ports, module_handfast, module_backend)
    try:
        made.run()
        yield made
    finally:
        made.site.close()


def test_there_are_peers_of_all_kinds(table):
    assert len(table.peers) >= 30
    assert len({peer.always for peer in table.peers if peer.always}) >= 12
    assert len({peer.falls for peer in table.peers if peer.falls}) == 2
    for source, door in itertools.product(SOURCES, DOORS):
        assert [row for row in table.rows if row.source == source and (row.door, row.version) == door]


@pytest.mark.parametrize('source', SOURCES)
def test_the_verdict_is_the_same_on_every_door(table, source):
    faults = [fault for row in table.rows if row.source == source for fault in row.faults()]
    assert not faults, '\n'.join(faults[:40])

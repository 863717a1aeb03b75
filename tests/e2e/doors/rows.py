# SPDX-License-Identifier: Apache-2.0
"""Rows of the table: a peer, a source of revocation, a door and a TLS version make one client, which
comes again and again and notes what becomes of it; and what all tables of rows have in common."""

import concurrent.futures
import itertools
import os
import re
import socket
import ssl
import time

import hpack

from harness import backends, clients, configs, h2raw, recorder, waiting

DOORS = list(itertools.product(['tcp', 'h1', 'h2'], ['1.2', '1.3']))
PER_PEER = len(DOORS) if os.environ.get('HANDFAST_FULL') else 2
UNKNOWN, REVOKED = 'certificate unknown', 'certificate revoked'
ALERTS = {'revoked': REVOKED, 'on-hold': REVOKED, 'deny-listed': REVOKED,
          'crl-stale': UNKNOWN, 'crl-missing': UNKNOWN, 'crl-untrusted': UNKNOWN, 'crl-not-yet': UNKNOWN,
          'ocsp-stale': UNKNOWN, 'ocsp-missing': UNKNOWN, 'ocsp-untrusted': UNKNOWN, 'ocsp-not-yet': UNKNOWN,
          'ocsp-unknown': UNKNOWN, 'ocsp-unreachable': UNKNOWN,
          'ocsp-no-staple': 'bad certificate status response',
          'expired': 'certificate expired', 'unknown-ca': 'unknown ca', 'self-signed': 'unknown ca',
          'missing-intermediate': 'unknown ca'}


class Verdicts:
    """What the log says of each client, by the listener and the client's port, which clients of other
    listeners may have as well: its handshake, and its end."""

    EVENTS = ('handshake', 'no-longer-admitted')

    def __init__(self, log):
        self._log, self._at, self._found = log, 0, {}

    def of(self, listener, port, event='handshake'):
        wanted = (event, listener, f'127.0.0.1:{port}')
        deadline = time.monotonic() + waiting.SECONDS
        with self._log._changed:
            while True:
                for line in self._log.lines[self._at:]:
                    if line.get('event') in self.EVENTS:
                        self._found[line['event'], line['listener'], line['peer']] = line
                self._at = len(self._log.lines)
                line = self._found.pop(wanted, None)
                if line:
                    return line
                left = deadline - time.monotonic()
                assert left > 0, f'the log has no {wanted}'
                self._log._changed.wait(left)


def use_tcp(connection):
    connection.sendall(b'x')
    assert clients.read_exactly(connection, 1) == b'x'


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


def alert_of(error):
    return (error.reason or str(error)).lower().replace('_', ' ').split('alert ')[-1]


def in_words(line):
    """Why somebody was refused, but for how old an answer or a list is by now, and which of those
    who know told it first."""
    text = line.get('detail') or line.get('text') or ''
    text = re.sub(r'the OCSP (answer that the peer showed|responder [^ ,]+)', 'OCSP', text)
    return re.sub(r'[\d.]+ \w+( [\d.]+ \w+)* (old|ago)', 'some time', text)


class Row:
    """One peer, source, door and version. results: (code, alert, resumed, words) by the visit's name;
    'ok' is the code of who was let in."""

    def __init__(self, table, peer, source, door):
        self.table, self.peer, self.source, (self.door, self.version) = table, peer, source, door
        alpn, self.use = USES[self.door]
        self.context = table.context(self, [alpn] if alpn else None)
        self.session, self.live, self.results, self.ids = None, None, {}, {}

    def _line(self, port, event='handshake'):
        listener = f'{self.source}-{"tcp" if self.door == "tcp" else "http"}'
        return self.table.verdicts[self.source].of(listener, port, event)

    def _reach(self):
        return socket.create_connection(('127.0.0.1', self.table.ports[self.source, self.door != 'tcp']),
                                        timeout=waiting.SECONDS)

    def _wrap(self, raw, session=None):
        return self.context.wrap_socket(raw, server_hostname='server.example', session=session,
                                        suppress_ragged_eofs=False)

    def come(self, name, session=None):
        raw = self._reach()
        held = raw.dup()  # nobody else may have the port before the log was read
        alert, resumed = None, False
        try:
            with self._wrap(raw, session) as connection:
                self.use(connection)
                self.session, resumed = connection.session, connection.session_reused
        except ssl.SSLEOFError:
            alert = 'closed'
        except ssl.SSLError as error:
            alert = alert_of(error)
        except OSError:
            alert = 'closed'
        line = self._line(held.getsockname()[1])
        held.close()
        raw.close()
        code = 'ok' if line['result'] == 'accepted' else line['reason']
        self.results[name], self.ids[name] = (code, alert, resumed, in_words(line)), line['id']

    def stay(self):
        """One more connection, which is then left open."""
        raw = self._reach()
        self.live_port = raw.getsockname()[1]
        self.live = self._wrap(raw)
        self.use(self.live)
        self._line(self.live_port)  # so that it is nobody else's later

    def see_end(self):
        """How the open connection ends, by the server's hand."""
        alert = 'closed'
        try:
            while self.live.recv(4096):
                pass
        except ssl.SSLEOFError:
            pass
        except ssl.SSLError as error:
            alert = alert_of(error)
        except OSError as error:
            alert = f'nothing: {error}'
        self.live.close()
        line = self._line(self.live_port, 'no-longer-admitted')
        self.results['live'] = (line['reason'], alert, False, in_words(line))

    def see_undisturbed(self):
        """The open connection of one who is good is as good as ever."""
        if self.door == 'h2':
            self.live.sendall(h2raw.frame(h2raw.PING, payload=b'12345678'))
            while True:
                head = clients.read_exactly(self.live, 9)
                clients.read_exactly(self.live, int.from_bytes(head[:3], 'big'))
                if head[3] == h2raw.PING and head[4] & h2raw.ACK:
                    break
                assert head[3] != h2raw.GOAWAY
        else:
            self.use(self.live)
        self.live.close()

    def faults(self):
        """What is wrong with this row, in words."""
        where = f'{self.peer.name} by {self.source} at {self.door} in {self.version}'
        found = []
        for name, (code, alert, resumed, words) in self.results.items():
            right = self.table.expected(self, name != 'before')
            if code not in right:
                found.append(f'{where}, {name}: {code}, not {" or ".join(sorted(right))}: {words}')
            if (code == 'ok') != (alert is None) or alert == 'closed':
                found.append(f'{where}, {name}: {code}, but the client saw {alert}')
            if code in ALERTS and alert != ALERTS[code]:
                found.append(f'{where}, {name}: the alert is {alert}, not {ALERTS[code]}')
            if resumed != (name == 'ticket' and code == 'ok'):
                found.append(f'{where}, {name}: resumed is {resumed}')
        if 'ok' in self.table.expected(self, False):
            found += [f'{where}: there was no {name}' for name in ('ticket', 'full') if name not in self.results]
        if self.falls_here() and self.live is None:
            found.append(f'{where}: nobody stayed to be cut')
        return found

    def falls_here(self):
        """Let in before, and refused after."""
        return 'ok' in self.table.expected(self, False) and 'ok' not in self.table.expected(self, True)


class Table:
    """Rows, and the daemons that they come to. A subclass has `sources`, `peers`, expected(row,
    after) -> codes that are right, context(row, alpn) -> a client."""

    def __init__(self, pki, ports, sources):
        self.pki, self.source_names = pki, sources
        self.ports = {(source, http): ports.take() for source in sources for http in (False, True)}
        self.verdicts, self.rows = {}, []

    def make_rows(self):
        for (i, peer), (s, source) in itertools.product(enumerate(self.peers), enumerate(self.source_names)):
            n = self.doors_each(source)
            self.rows += [Row(self, peer, source, DOORS[(i + s + k * (len(DOORS) // n)) % len(DOORS)])
                          for k in range(n) if self.has(peer, source)]

    def doors_each(self, source):
        """At how many doors a peer comes."""
        return PER_PEER

    def has(self, peer, source):
        """Is this peer one for this source?"""
        return True

    def context(self, row, alpn):
        return clients.context(self.pki.servers.root.cert, row.peer.leaf, (row.version,), alpn)

    def config(self, trusts, backend, **more):
        """A daemon with two doors for each trust."""
        made = configs.server_side(self.pki, 1, backend(backends.echo), workers=2, **more)
        door = made['listeners'].pop('in')
        root = str(self.authority.root.cert)
        made['trust'] = {source: {'roots': root, **words} for source, words in trusts.items()}
        made['upstreams']['web'] = {'servers': [backend(recorder.Recorder().serve).address]}
        for source, is_http in itertools.product(trusts, (False, True)):
            made['listeners'][f'{source}-{"http" if is_http else "tcp"}'] = {
                **door, 'listen': [f'127.0.0.1:{self.ports[source, is_http]}'], 'trust': source,
                **({'mode': 'http', 'to': 'web'} if is_http else {})}
        return made

    # The run. Rows of one peer are in one thread, some peers at a time.

    def each(self, work, wanted=None, rows=None):
        groups = {}
        for row in self.rows if rows is None else rows:
            if wanted is None or row.source in wanted:
                groups.setdefault(row.peer.name, []).append(row)

        def run(group):
            for row in group:
                work(row)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(run, groups.values()))

    def let_stay(self):
        """Some whose connections stay open: all who fall, and one who is good."""
        self.stayed = [row for row in self.rows
                       if (row.falls_here() or row.peer.name == 'good') and row.results['before'][0] == 'ok']
        self.each(lambda row: row.stay(), rows=self.stayed)

    def see_ends(self, wanted):
        self.each(lambda row: row.see_end() if row.falls_here() else None, wanted, self.stayed)

    def see_the_good(self):
        self.each(lambda row: None if row.falls_here() else row.see_undisturbed(), rows=self.stayed)

    def come_again(self, wanted):
        tickets = {id(row): row.session for row in self.rows}
        self.each(lambda row: row.come('full'), wanted)

        def on_ticket(row):
            if row.results['before'][0] == 'ok':
                row.come('ticket', tickets[id(row)])

        self.each(on_ticket, wanted)

    def faults(self, source):
        here = [row for row in self.rows if row.source == source]
        return [fault for row in here for fault in row.faults()] + self._other_words(here, source)

    @staticmethod
    def _other_words(here, source):
        """Who has fallen is told so in the same words at every door, on a ticket, and when it is cut."""
        found = []
        for peer in {row.peer.name: row.peer for row in here if row.peer.falls}.values():
            told = {words for row in here if row.peer is peer
                    for name, (code, _, _, words) in row.results.items() if name != 'before' and code in ALERTS
                    and code in row.table.expected(row, True) and code != 'ocsp-no-staple'}
            if len(told) > 1:
                found.append(f'{peer.name} by {source} is told in {len(told)} ways: {sorted(told)}')
        return found

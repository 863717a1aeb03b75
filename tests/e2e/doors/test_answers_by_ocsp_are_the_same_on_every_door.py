# SPDX-License-Identifier: Apache-2.0
"""The table's columns of OCSP: every peer, at every door, in TLS 1.2 and 1.3, in a full handshake and
on a ticket, judged by what its responder says, by what one for all says, or by what it shows itself.

Clients that show an answer are GnuTLS; they can in TLS 1.3, and only our own engine asks for it.
Elsewhere `use` falls to asking, with the same verdict, or where nobody may be asked to a refusal, and
`require` refuses everybody in the words that none was shown. Whoever falls left a connection open, which asks anew and is cut."""

import itertools
import os

import pytest

from doors import peers, responders, rows, sources
from harness import clients, stapling

pytestmark = [pytest.mark.xdist_group('doors-ocsp'), pytest.mark.engines,
              pytest.mark.filterwarnings('ignore:SHA1 signatures')]  # which one responder makes

LISTED_CAS = ('root', 'upper', 'mid', 'deep')  # those above other CAs
ASKING = ['asked', 'responder', 'stapled']
STAPLING = ['stapled', 'required', 'unasked']
SOURCES = [*ASKING, 'required', 'unasked', 'impatient']
OCSP_OF = {'crl-stale': 'ocsp-stale', 'crl-missing': 'ocsp-missing', 'crl-untrusted': 'ocsp-untrusted',
           'crl-not-yet': 'ocsp-not-yet', None: None}
TURNS_ALL_AWAY = ('try-later', *responders.NEVER_ANSWER)  # a responder that does is left alone for a while
NATIVE = os.environ.get('HANDFAST_ENGINE', 'native') == 'native'


class Table(rows.Table):
    def __init__(self, folder, pki, ports, start, backend):
        super().__init__(pki, ports, SOURCES)
        self.folder = folder
        self.responders = responders.Responders(folder / 'responders', ports)
        try:
            self._start(folder, start, backend)
        except BaseException:
            self.responders.close()
            raise

    def _start(self, folder, start, backend):
        self.authority = peers.Authority(folder / 'authority', lambda issuer, at: f'http://x/{issuer}-{at}.crl',
                                         self.responders.url)
        self.peers = peers.everybody(self.authority) + peers.answered(self.authority)
        self.lists = sources.Sources(self.authority, self.peers)
        self.responders.know(self.authority, self.peers, self.lists.fallen)
        self.publish(1, False)
        self.daemons = {}
        for source, words in self.trusts().items():
            self.daemons[source] = start(self.config({source: words}, backend))
            self.verdicts[source] = rows.Verdicts(self.daemons[source].log)
        self.answers = {}
        self.make_rows()
        self.fetch_staples()

    def trusts(self):
        """Each in a daemon of its own: what is known by OCSP is known in every trust."""
        asks = {'from-certificates': self.responders.origins, 'refresh': '1s', 'timeout': '20s'}
        return {'asked': {'ocsp': {**asks, 'staple': 'ignore'}},
                'responder': {'ocsp': {'responder': self.responders.any, 'refresh': '1s', 'timeout': '20s',
                                       'batch': 1}},
                'stapled': {'ocsp': asks},
                'required': {'crl': {'files': [str(self.folder / 'cas.crl')]},
                             'ocsp': {'staple': 'require', 'leaf-only': True}},
                'unasked': {'ocsp': {'leaf-only': True}},
                'impatient': {'ocsp': {**asks, 'timeout': '300ms', 'leaf-only': True}}}

    def publish(self, number, after):
        made = b''.join(self.lists.full(name, number, after) for name in LISTED_CAS)
        (self.folder / 'cas.part').write_bytes(made)
        (self.folder / 'cas.part').rename(self.folder / 'cas.crl')

    # Clients.

    def context(self, row, alpn):
        if row.source not in STAPLING:
            return clients.context(self.pki.servers.root.cert, row.peer.leaf, (row.version,), alpn)
        return stapling.Context(self.pki.servers.root.cert, row.peer.leaf, (row.version,), alpn)

    def fetch_staples(self):
        """Each client asks about itself, as a careful one does ahead of time."""
        self.older = self.answers
        self.answers = {peer.name: self.responders.ask(peer.leaf.name) for peer in self.peers
                        if peer.leaf and not peer.always and peer.name != 'missing'}
        for row in self.rows:
            if row.source in STAPLING:
                row.context.staple = self.answers.get(row.peer.name)

    def doors_each(self, source):
        return len(rows.DOORS) if source == 'impatient' else super().doors_each(source)

    def has(self, peer, source):
        if source == 'impatient':
            return peer.says in ('silent', 'down')
        if source == 'required':
            return True
        if source == 'unasked':  # what teaches the daemon nothing, so that each comes as if the first
            return peer.name == 'missing' or peer.shown == 'ocsp-untrusted' or peer.says in TURNS_ALL_AWAY
        if peer.says == 'silent' or (source == 'stapled' and peer.says == 'other-nonce'):
            return False
        return source != 'responder' or peer.says not in TURNS_ALL_AWAY

    def expected(self, row, after):
        peer, source = row.peer, row.source
        if peer.always:
            return {peer.always}
        if source == 'required' and not self.shows(row):
            by_list = after and peer.falls and self.lists.issuer(peer.by) in LISTED_CAS and peer.by is peer.leaf
            return {peer.falls if by_list else 'ocsp-no-staple'}
        if source == 'unasked':
            shown = self.shows(row) and peer.shown == 'ocsp-untrusted'
            return {'ocsp-untrusted' if shown else 'ocsp-missing'}
        if peer.falls and (after or peer.name == 'revoked-under-stale'):
            return {peer.falls}
        if peer.name == 'missing':
            return {{'responder': 'ok', 'required': 'ocsp-no-staple'}.get(source, 'ocsp-missing')}
        return {(peer.shown if source == 'required' else peer.asked) or OCSP_OF[peer.lists] or 'ok'}

    @staticmethod
    def shows(row):
        """Can this client show an answer, where it has one?"""
        return NATIVE and row.version == '1.3'

    # The run.

    def run(self):
        self.each(lambda row: row.come('before'))
        self.let_stay()
        self.responders.turn()
        self.publish(2, True)
        self.fetch_staples()
        self.see_ends(ASKING)
        self.come_again(SOURCES)
        self.see_ends(['required'])  # cut as another showed what is true of it
        self.each(self.come_with_an_older_answer, STAPLING)
        self.see_the_good()

    def come_with_an_older_answer(self, row):
        """It says good, is still fresh, and was overtaken."""
        if self.shows(row) and row.falls_here() and row.peer.by is row.peer.leaf:
            row.context.staple = self.older[row.peer.name]
            row.come('older answer')


@pytest.fixture(scope='module')
def table(tmp_path_factory, pki, ports, module_handfast, module_backend):
    made = Table(tmp_path_factory.mktemp('doors'), pki, ports, module_handfast, module_backend)
    try:
        made.run()
        yield made
    finally:
        made.responders.close()


def test_all_kinds_of_responders_are_at_every_door(table):
    assert len([peer for peer in table.peers if table.has(peer, 'asked')]) >= 50
    assert {peer.asked for peer in table.peers if peer.asked} == {
        'ocsp-stale', 'ocsp-untrusted', 'ocsp-unknown', 'ocsp-unreachable'}
    for source, door in itertools.product(SOURCES, rows.DOORS):
        assert [row for row in table.rows if row.source == source and (row.door, row.version) == door]


@pytest.mark.parametrize('source', SOURCES)
def test_the_answer_is_the_same_on_every_door(table, source):
    faults = table.faults(source)
    assert not faults, '\n'.join(faults[:40])


@pytest.mark.parametrize('source', [*ASKING, 'required'])
def test_the_stored_verdict_names_who_answered(table, source):
    """About each certificate that is good, whoever answered."""
    found = set()
    for row in table.rows:
        if row.source == source and row.peer.name.startswith('good') and row.results['before'][0] == 'ok':
            answer = table.daemons[source].admin('GET', f'/verdicts?id={row.ids["before"]}')[1]
            notes = answer['verdicts'][0]['revocation']
            found |= {(min(note['depth'], 1), note['source']) for note in notes if note['answer'] == 'good'}
    lists = {(0, 'staple'), (0, 'crl'), (1, 'crl')} if NATIVE else set()
    right = {'asked': {(0, 'ocsp'), (1, 'ocsp')}, 'responder': {(0, 'ocsp'), (1, 'ocsp')},
             'stapled': {(0, 'ocsp'), (0, 'staple'), (1, 'ocsp')} if NATIVE else {(0, 'ocsp'), (1, 'ocsp')},
             'required': lists}  # one is right under the root, whose list tells of it first
    assert found == right[source]

# SPDX-License-Identifier: Apache-2.0
"""Every peer of the table, at every door (TCP, HTTP/1.1, HTTP/2), in TLS 1.2 and 1.3, in a full
handshake and on a ticket, by every source of revocation: one verdict.

Tickets are taken before anybody has fallen, and who will fall leaves one connection open. Then the
sources are told: those connections are cut, and all come again. An ordinary run has each peer and
source at two of the six doors, in turns; script/test --full has the whole."""

import itertools

import pytest

from doors import peers, rows, sources
from harness import publisher, waiting

pytestmark = [pytest.mark.xdist_group('doors'), pytest.mark.engines]

SOURCES = ['files', 'fetched', 'delta', 'sharded', 'denied']
NUMBER = 8  # of the lists that name the fallen


class Table(rows.Table):
    def __init__(self, folder, pki, ports, start, backend):
        super().__init__(pki, ports, SOURCES)
        self.folder = folder
        self.site = publisher.Publisher(ports.take())
        self.authority = peers.Authority(folder / 'authority',
                                         lambda issuer, at: self.site.url(f'/{issuer}-{at}.crl'))
        self.peers = peers.everybody(self.authority)
        self.sources = sources.Sources(self.authority, self.peers)
        (folder / 'state').mkdir(mode=0o700)
        for source in ('files', 'delta', 'sharded'):
            (folder / source).mkdir()
        self.publish(False)
        self.daemon = start(self.config(self.trusts(), backend, state=str(folder / 'state')))
        self.verdicts = dict.fromkeys(SOURCES, rows.Verdicts(self.daemon.log))
        self.wait_for_lists(1)
        self.make_rows()

    def trusts(self):
        return {'files': {'crl': {'files': [str(self.folder / 'files')]}},
                'fetched': {'crl': {'urls': [self.site.url(f'/{name}.crl') for name in self.sources.listed()],
                                    'refresh': '1h'}},
                'delta': {'crl': {'files': [str(self.folder / 'delta')]}},
                'sharded': {'crl': {'files': [str(self.folder / 'sharded')]}},
                'denied': {}}

    def expected(self, row, after):
        """The codes that are right."""
        peer, denied = row.peer, row.source == 'denied'
        if peer.always:
            return {peer.always}
        if denied:
            return {'deny-listed'} if peer.falls and after else {'ok'}
        if peer.falls and (after or peer.name == 'revoked-under-stale'):
            return {peer.falls}
        if row.source == 'fetched' and peer.lists in ('crl-untrusted', 'crl-not-yet'):
            return {'crl-missing', peer.lists}  # such a list isn't taken in the first place
        return {peer.lists or 'ok'}

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

    def run(self):
        self.each(lambda row: row.come('before'))
        self.let_stay()
        self.publish(True)
        self.daemon.admin('POST', '/crls/fetch')
        self.wait_for_lists(NUMBER)
        self.see_ends(SOURCES[:-1])
        self.come_again(SOURCES[:-1])
        self.deny()  # which holds in every trust, so that it comes last
        self.see_ends(SOURCES[-1:])
        self.come_again(SOURCES[-1:])
        self.see_the_good()


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
    for source, door in itertools.product(SOURCES, rows.DOORS):
        assert [row for row in table.rows if row.source == source and (row.door, row.version) == door]


@pytest.mark.parametrize('source', SOURCES)
def test_the_verdict_is_the_same_on_every_door(table, source):
    faults = table.faults(source)
    assert not faults, '\n'.join(faults[:40])

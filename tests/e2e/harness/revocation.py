# SPDX-License-Identifier: Apache-2.0
"""Revocation lists made by others: openssl's command line."""

import datetime
import pathlib
import tempfile

from harness import certs

CONFIG = '''
[ca]
default_ca = here
[here]
database = {folder}/index.txt
crlnumber = {folder}/number
default_md = sha256
default_crl_days = 1
[full]
authorityKeyIdentifier = keyid:always
[delta]
authorityKeyIdentifier = keyid:always
2.5.29.27 = critical, DER:0201{base:02X}
[shard]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical, @point
[point]
fullname = URI:{point}
'''


def soon():
    """An end that a test waits for: late enough for a daemon to start and a client to come in before,
    on a busy machine too."""
    return now(seconds=12)


def now(**ahead):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)


def crl(issuer, revoked=(), number=1, since=None, until=None, base=None, point=None, reason='keyCompromise'):
    """PEM bytes of a list. issuer: a certs.Leaf of a CA. revoked: leaves, or (leaf, reason)."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = []
        for one in revoked:
            leaf, why = one if isinstance(one, tuple) else (one, reason)
            moment = now(hours=-1).strftime('%y%m%d%H%M%SZ')
            serial = leaf.field('-serial')
            rows.append(f'R\t491231000000Z\t{moment},{why}\t{serial}\tunknown\t/CN=x\n')
        (folder / 'index.txt').write_text(''.join(rows))
        (folder / 'number').write_text(f'{number:04X}\n')
        config = folder / 'ca.cnf'
        config.write_text(CONFIG.format(folder=folder, base=base or 0, point=point or 'http://x/'))
        kind = 'delta' if base is not None else 'shard' if point else 'full'
        return certs.openssl('ca', '-gencrl', '-config', config, '-crlexts', kind, '-cert', issuer.cert,
                             '-keyfile', issuer.key,
                             '-crl_lastupdate', certs.stamp(since or now(minutes=-5)),
                             '-crl_nextupdate', certs.stamp(until or now(days=1)))


class Lists:
    """A file with a list of the root and one of the issuing CA of an authority."""

    def __init__(self, path, authority):
        self.path = pathlib.Path(path)
        self.authority = authority
        self.number = 0
        self.write()

    def text(self, revoked=(), revoked_cas=(), number=None, **more):
        if number is None:
            self.number += 1
            number = self.number
        return crl(self.authority.root, revoked_cas, number, **more) + \
            crl(self.authority.intermediates[0], revoked, number, **more)

    def write(self, *words, **more):
        """Replaces the file as careful people do: whole, or not at all."""
        self.install(self.text(*words, **more))

    def install(self, data):
        beside = self.path.with_suffix('.new')
        beside.write_bytes(data)
        beside.rename(self.path)

# SPDX-License-Identifier: Apache-2.0
"""What knows of revocation: files, URLs, deltas, shards, the deny list. Each is a trust of the same
daemon; `before` is told of nobody, `after` of all who fall."""

import pathlib
import subprocess
import tempfile

from doors.peers import SHARDS
from harness import certs, revocation

UNLISTED = {'unlisted'}
SHARDED = {'issuing', 'deeper'}
LISTS = {'stale': {'since': -3, 'until': -2}, 'early': {'since': 2, 'until': 4}}


def issuer_of(authority, leaf):
    name = authority.key_of(leaf.name)[0].issuer.rfc4514_string().split(',')[0].split('=', 1)[1]
    return name


def certtool(ca, revoked, number):
    """A list made by GnuTLS."""
    with tempfile.TemporaryDirectory() as folder:
        template = pathlib.Path(folder) / 'template'
        template.write_text(f'crl_next_update = 2\ncrl_number = {number}\n')
        words = []
        if revoked:
            bundle = pathlib.Path(folder) / 'revoked.pem'
            bundle.write_bytes(b''.join(one.cert.read_bytes() for one, _ in revoked))
            words = ['--load-certificate', bundle]
        made = subprocess.run(['certtool', '--generate-crl', '--load-ca-privkey', ca.key, '--load-ca-certificate',
                               ca.cert, '--template', template, *words], capture_output=True, check=True)
        return made.stdout


def strongswan(ca, revoked, number):
    """A list made by strongSwan, which counts from the list before."""
    words = []
    for one, _ in revoked:
        words += ['--reason', 'key-compromise', '--serial', one.serial.rjust((len(one.serial) + 1) // 2 * 2, '0')]
    with tempfile.TemporaryDirectory() as folder:
        last = []
        for _ in range(number):
            made = subprocess.run(['pki', '--signcrl', '--cacert', ca.cert, '--cakey', ca.key, '--lifetime', '2',
                                   '--outform', 'pem', *last, *words], capture_output=True, check=True).stdout
            path = pathlib.Path(folder) / 'last.pem'
            path.write_bytes(made)
            last = ['--lastcrl', path]
        return made


def openssl(ca, revoked, number, **more):
    return revocation.crl(ca, revoked, number, **more)


class Sources:
    """All lists of an authority, before and after its peers fall."""

    def __init__(self, authority, peers):
        self.authority = authority
        self.fallen = {name: [] for name in authority.cas}
        for peer in peers:
            if peer.falls:
                named = self.fallen[issuer_of(authority, peer.by)]
                if not any(peer.by is one for one, _ in named):
                    named.append((peer.by, peer.reason))

    def issuer(self, leaf):
        return issuer_of(self.authority, leaf)

    def _when(self, name):
        return {key: revocation.now(hours=hours) for key, hours in LISTS.get(name, {}).items()}

    def full(self, name, number, after):
        """The full list of a CA, by the tool that is its own."""
        ca, revoked = self.authority.cas[name], self.fallen[name] if after else []
        if name == 'gnu':
            return certtool(ca, revoked, number)
        if name == 'swan':
            return strongswan(ca, revoked, number)
        if name == 'forged':
            good = revocation.crl(ca, (), number)
            der = bytearray(certs.openssl('crl', '-outform', 'DER', stdin=good))
            der[-3] ^= 1
            return certs.openssl('crl', '-inform', 'DER', stdin=bytes(der))
        if name == 'stale':
            revoked = self.fallen[name]  # an old list may name somebody all the same
        return openssl(ca, revoked, number, **self._when(name))

    def listed(self):
        return [name for name in self.authority.cas if name not in UNLISTED]

    def all_full(self, number, after):
        return {name: self.full(name, number, after) for name in self.listed()}

    def delta(self, name, number, base):
        return openssl(self.authority.cas[name], self.fallen[name], number, base=base)

    def shards(self, name, number, after):
        """The lists of a CA's shards, for leaves: the certificates of CAs name no place."""
        made = []
        for at in range(SHARDS):
            revoked = [(one, why) for one, why in self.fallen[name]
                       if after and self.authority.shard.get(one.name) == at]
            made.append(openssl(self.authority.cas[name], revoked, number,
                                point=self.authority.point(name, at), **self._when(name)))
        return made

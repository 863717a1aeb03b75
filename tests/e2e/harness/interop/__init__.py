# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 stacks of others, each as a client and as a server, one file each.

A peer is a class with a name and these methods:

    visit(doors, folder)      goes through each door twice, the second time with the session of the
                              first; {door: [Seen, Seen]}
    serve(rooms, folder)      a context manager: servers for all rooms are up, each answers a
                              request with who it saw
    saw(answer, combo, who)   what such an answer says: resumed or not, None where it doesn't tell;
                              fails when it saw somebody else

`cannot` is its table of what it doesn't speak, each with the reason; what is in there is left out.
"""

import dataclasses
import os
import pathlib

import pytest

SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
GROUPS = ['X25519', 'P-256', 'P-384']
KEYS = ['rsa', 'rsa-pss', 'p256', 'p384', 'p521', 'ed25519']


@dataclasses.dataclass(frozen=True)
class Combo:
    suite: str
    group: str
    key: str

    @property
    def name(self):
        cipher = self.suite[4:-7].replace('_GCM', '').replace('_POLY1305', '').replace('_', '')
        return f'{self.key}-{self.group.replace("-", "")}-{cipher}'.lower()

    @property
    def group_registered(self):
        """As the registry of IANA has it."""
        return {'X25519': 'x25519', 'P-256': 'secp256r1', 'P-384': 'secp384r1'}[self.group]


@dataclasses.dataclass(frozen=True, eq=False)
class Door:
    """A listener of ours that speaks this combination alone, and who comes to it."""
    combo: Combo
    port: int
    leaf: object
    root: pathlib.Path


@dataclasses.dataclass(frozen=True, eq=False)
class Room:
    """Where a server of others is to listen, who it is, and whom it lets in."""
    combo: Combo
    port: int
    leaf: object
    roots: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a peer saw of one connection; resumed None: it doesn't tell."""
    answer: str
    resumed: object


class Peer:
    """What most have in common."""

    name = None
    cannot = {}            # {suite, group or kind of key: why}
    asks_its_user = False  # closes its first connection until a certificate is chosen
    chooses_group = True   # as a server it can be told to take one group alone

    def missing(self):
        """Why it can't run here, or None."""
        raise NotImplementedError


def table(peers, role):
    """Parameters (peer, combo) for all that these peers can; a process of tests takes a whole peer."""
    return [pytest.param(peer, combo, id=f'{peer.name}-{combo.name}',
                         marks=pytest.mark.xdist_group(f'{role}-{peer.name}'))
            for peer in peers for combo in combos(peer.cannot)]


def combos(cannot=()):
    """Every pair of suite and key, of group and key, of suite and group; all triples with
    HANDFAST_FULL."""
    full = os.environ.get('HANDFAST_FULL')
    every = [Combo(suite, group, key)
             for number, key in enumerate(KEYS)
             for s, suite in enumerate(SUITES)
             for g, group in enumerate(GROUPS)
             if full or g == (number + s) % 3]
    return [one for one in every if not {one.suite, one.group, one.key} & set(cannot)]

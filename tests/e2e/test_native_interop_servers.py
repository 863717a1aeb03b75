# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 servers of others, behind our upstream with a client certificate, and before the engine
itself, in full and resumed; over suites, groups and kinds of keys. A server takes one group alone,
and we offer all of ours, so that many a handshake has a HelloRetryRequest in it."""

import pathlib
import subprocess

import pytest

from harness import clients, configs, daemon, interop, waiting
from harness.interop.peers import SERVERS

REQUEST = 'GET / HTTP/1.0\r\n\r\n'


def groups(peer, combo):
    """What we offer."""
    return 'any' if peer.chooses_group else combo.group


@pytest.fixture(scope='module')
def leaves(pki):
    """{kind of key: (server, client)}"""
    return {key: (pki.servers.server('server.example', 'localhost', key=key),
                  pki.clients.client(f'bob {key}', key=key)) for key in interop.KEYS}


def config(pki, peer, leaves, rooms, doors):
    def upstream(room):
        offered = groups(peer, room.combo)
        return {'servers': [f'127.0.0.1:{room.port}'], 'tls': {
            'identity': room.combo.key, 'trust': 'backends', 'name': 'server.example',
            'engine': 'native', 'versions': ['1.3'], 'suites': [room.combo.suite],
            **({} if offered == 'any' else {'groups': [offered]})}}
    return {
        'identities': {key: configs.identity(leaf) for key, (_, leaf) in leaves.items()},
        'trust': {'backends': configs.trust(pki.servers)},
        'listeners': {room.combo.name: {'listen': [f'127.0.0.1:{doors[room.combo]}'], 'plain': True,
                                        'mode': 'tcp', 'to': room.combo.name} for room in rooms},
        'upstreams': {room.combo.name: upstream(room) for room in rooms},
    }


@pytest.fixture(scope='module')
def peer(request):
    why = request.param.missing()
    if why:
        pytest.skip(why)
    return request.param


@pytest.fixture(scope='module')
def servers(peer, pki, ports, leaves, module_handfast, tmp_path_factory):
    """({combo: port of our listener}, {combo: port of the server})"""
    rooms = [interop.Room(combo, ports.take(), leaves[combo.key][0], pki.clients.root.cert)
             for combo in interop.combos(peer.cannot)]
    with peer.serve(rooms, tmp_path_factory.mktemp(peer.name)):
        doors = {room.combo: ports.take() for room in rooms}
        running = module_handfast(config(pki, peer, leaves, rooms, doors))
        yield doors, {room.combo: room.port for room in rooms}
        running.stop()


def probe(port, leaf, suite, group):
    """What the engine saw: [(how, suite, group, answer) in full, the same resumed]"""
    shown = subprocess.run([str(word) for word in (
        pathlib.Path(daemon.BUILD) / 'tests/conformance/probe', port, leaf.chain, leaf.key, REQUEST, suite,
        group)], capture_output=True, text=True, timeout=waiting.SECONDS, check=False, errors='replace')
    assert shown.returncode == 0, shown
    first, found, again = shown.stdout.partition('resumed TLS')
    assert first.startswith('full TLS') and found, shown
    return [[*text.split('\n', 1)[0].split(' '), text.split('\n', 1)[1]] for text in (first, found + again)]


@pytest.mark.parametrize('peer, combo', interop.table(SERVERS, 'servers'), indirect=['peer'], scope='module')
def test_mutual_in_full_and_resumed(servers, leaves, peer, combo):
    doors, rooms = servers
    who = f'bob {combo.key}'
    with clients.plain(doors[combo], REQUEST.encode()) as connection:
        answer = clients.read_to_end(connection).decode(errors='replace')
    assert peer.saw(answer, combo, who) in (False, None), 'through the proxy it was to be in full'
    made = probe(rooms[combo], leaves[combo.key][1], combo.suite, groups(peer, combo))
    for (*told, answer), resumed in zip(made, (False, True)):
        assert told == ['resumed' if resumed else 'full', combo.suite, combo.group_registered]
        assert peer.saw(answer, combo, who) in (resumed, None), answer

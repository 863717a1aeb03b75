# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 clients of others against the native engine: mutual, in full and resumed, over suites,
groups and kinds of keys. Their first key share often isn't of the group that is wanted, so many a
handshake has a HelloRetryRequest in it."""

import pytest

from harness import clients, configs, interop
from harness.interop.peers import CLIENTS

ANSWER = b'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n'


def http(connection, record):
    """Answers one request a connection."""
    while b'\r\n\r\n' not in record.received:
        data = connection.recv(4096)
        if not data:
            return
        record.received += data
    connection.sendall(ANSWER)


@pytest.fixture(scope='module')
def leaves(pki):
    """{kind of key: (server, client)}"""
    return {key: (pki.servers.server('server.example', 'localhost', key=key),
                  pki.clients.client(f'alice {key}', key=key)) for key in interop.KEYS}


def listeners(doors):
    return {door.combo.name: {
        'listen': [f'127.0.0.1:{door.port}'], 'identities': [door.combo.key], 'client': 'require',
        'trust': 'clients', 'to': 'app', 'mode': 'tcp',
        'tls': {'engine': 'native', 'versions': ['1.3'], 'suites': [door.combo.suite],
                'groups': [door.combo.group]}} for door in doors}


@pytest.fixture(scope='module')
def peer(request):
    why = request.param.missing()
    if why:
        pytest.skip(why)
    return request.param


@pytest.fixture(scope='module')
def visits(peer, pki, ports, leaves, module_handfast, module_backend, tmp_path_factory):
    """({combo: [Seen, Seen]}, log) of all handshakes of this peer."""
    doors = [interop.Door(combo, ports.take(), leaves[combo.key][1], pki.servers.root.cert)
             for combo in interop.combos(peer.cannot)]
    running = module_handfast({
        'identities': {key: configs.identity(server) for key, (server, _) in leaves.items()},
        'trust': {'clients': configs.trust(pki.clients)},
        'listeners': listeners(doors),
        'upstreams': {'app': {'servers': [module_backend(http).address]}}})
    seen = peer.visit(doors, tmp_path_factory.mktemp(peer.name))
    running.stop()
    return {door.combo: found for door, found in seen.items()}, running.log


@pytest.mark.parametrize('peer, combo', interop.table(CLIENTS, 'clients'), indirect=['peer'], scope='module')
def test_mutual_in_full_and_resumed(visits, peer, combo):
    seen, log = visits
    assert [one.answer for one in seen[combo]] in (['hello', 'hello'], [None, 'hello']), seen[combo]
    told = [one.resumed for one in seen[combo]]
    assert told in ([False, True], [None, None]), told
    lines = log.all(event='handshake', listener=combo.name)
    if peer.asks_its_user:
        lines = [line for line in lines if line.get('reason') != 'peer-closed']
    assert {line.get('resumed') for line in lines} == {False, True}, lines
    for line in lines:
        assert (line['result'], line['version'], line['suite'], line['group'], line['identity']) == \
            ('accepted', 'TLSv1.3', combo.suite, combo.group_registered, f'alice {combo.key}'), line


def test_openssl_key_update(handfast, pki, echo, port):
    config = configs.server_side(pki, port, echo)
    config['listeners']['in']['tls'] = {'engine': 'native', 'versions': ['1.3']}
    handfast(config)
    shown = clients.s_client(port, '-tls1_3', roots=pki.servers.root.cert, leaf=pki.alice,
                             stdin=b'K\nfirst\nk\nsecond\nQ\n')
    assert b'KEYUPDATE' in shown.stderr + shown.stdout and b'error' not in shown.stderr, shown

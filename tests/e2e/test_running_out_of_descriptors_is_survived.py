# SPDX-License-Identifier: Apache-2.0
"""Out of descriptors: accepting stops for a moment, is logged once, and goes on by itself."""

from harness import clients, configs, waiting


def test_recovers(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, workers=1), nofile=64)
    held = []
    for _ in range(100):
        held.append(clients.plain(port))
        if daemon.log.all(event='accept', level='error'):
            break
    line = daemon.log.wait(event='accept', level='error')
    assert 'LimitNOFILE' in line['text'] or 'descriptors' in line['text']
    # It neither spins nor floods the log while it waits.
    assert daemon.alive()
    assert len(daemon.log.all(event='accept', level='error')) == 1
    for one in held:
        one.close()
    daemon.log.wait(event='accept', level='info')
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
    assert len(daemon.log.all(event='accept', level='error')) == 1


def test_max_connections(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, listener={'max-connections': 3}))
    held = [clients.connect(port, pki.servers.root.cert, pki.alice) for _ in range(3)]
    for one in held:
        clients.exchange(one)
    try:
        with clients.plain(port) as extra:
            assert extra.recv(1) == b''
    except ConnectionError:
        pass
    daemon.log.wait(event='handshake', result='refused', reason='overloaded')
    clients.finish(held[0])
    waiting.until(lambda: daemon.admin('GET', '/status')[1]['listeners'][0]['connections']['open'] == 2)
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
    for one in held:
        one.close()

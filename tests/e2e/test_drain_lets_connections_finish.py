# SPDX-License-Identifier: Apache-2.0
"""SIGTERM or POST /drain: accepting stops at once, what is open may finish until drain-timeout."""

import signal

import pytest

from harness import clients, configs

pytestmark = pytest.mark.workers


def start_drain(daemon, how):
    if how == 'signal':
        daemon.process.send_signal(signal.SIGTERM)
    else:
        assert daemon.admin('POST', '/drain')[0] in (200, 202)
    daemon.log.wait(event='drain')


@pytest.mark.parametrize('how', ['signal', 'admin'])
def test_open_connections_finish(handfast, pki, echo, port, how):
    daemon = handfast(configs.server_side(pki, port, echo, **{'drain-timeout': '60s'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        start_drain(daemon, how)
        assert daemon.notify.wait('STOPPING=1', daemon.alive)
        refused = False
        for _ in range(1000):
            try:
                clients.plain(port).close()
            except ConnectionError:
                refused = True
                break
        assert refused, 'it still accepts'
        clients.exchange(client, b'take your time' * 1000)
        assert daemon.alive()
        clients.finish(client)
    assert daemon.wait_exit() == 0
    assert daemon.log.wait(event='connection')['cause'] == 'finished'
    daemon.log.wait(event='stopped')


def test_connections_are_cut_at_the_timeout(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, **{'drain-timeout': '300ms'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        start_drain(daemon, 'signal')
        assert daemon.wait_exit() == 0
    assert daemon.log.wait(event='connection')['cause'] == 'drain-timeout'


def test_asked_twice_it_goes_now(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, **{'drain-timeout': '10m'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        start_drain(daemon, 'signal')
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.wait_exit() == 0


def test_handshakes_under_way_may_finish(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, **{'drain-timeout': '60s'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as other:
        clients.exchange(other)
        with clients.plain(port) as early:
            # The daemon has it once it counts it.
            while daemon.admin('GET', '/status')[1]['listeners'][0]['connections']['open'] < 2:
                pass
            start_drain(daemon, 'signal')
            context = clients.context(pki.servers.root.cert, pki.alice)
            with context.wrap_socket(early, server_hostname='server.example') as client:
                clients.exchange(client)
    assert daemon.wait_exit() == 0

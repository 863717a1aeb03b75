# SPDX-License-Identifier: Apache-2.0
"""SIGTERM or POST /drain: accepting stops at once, what is open may finish until drain-timeout."""

import http.client
import signal
import ssl
import threading

import pytest

from harness import backends, clients, configs, waiting

pytestmark = pytest.mark.workers


def start_drain(daemon, how):
    """Until the daemon says that accepting has stopped, in every worker."""
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
        peer = '%s:%d' % client.getsockname()
        start_drain(daemon, how)
        assert daemon.notify.wait('STOPPING=1', daemon.alive)
        with pytest.raises(ConnectionRefusedError):
            clients.plain(port)
        clients.exchange(client, b'take your time' * 1000)
        assert daemon.alive()
        clients.finish(client)
    assert daemon.wait_exit() == 0
    assert daemon.log.wait(event='connection', peer=peer)['cause'] == 'finished'
    daemon.log.wait(event='stopped')


def test_connections_are_cut_at_the_timeout(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo, **{'drain-timeout': '300ms'}))
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
        start_drain(daemon, 'signal')
        assert daemon.wait_exit() == 0
    assert daemon.log.wait(event='connection')['cause'] == 'drain-timeout'


@pytest.mark.parametrize('reading', [True, False])
@pytest.mark.parametrize('version', ['1.2', '1.3', 'plain'])
def test_transfer_that_is_cut_is_no_clean_end(handfast, pki, backend, port, version, reading):
    config = configs.server_side(pki, port, backend(backends.endless), **{'drain-timeout': '300ms'})
    if version == 'plain':
        config['listeners']['in'] = {'listen': [f'127.0.0.1:{port}'], 'plain': True, 'to': 'app'}
    daemon = handfast(config)
    with clients.plain(port) if version == 'plain' else \
            clients.connect(port, pki.servers.root.cert, pki.alice, versions=(version,)) as client:
        clients.read_exactly(client, 100_000)
        start_drain(daemon, 'signal')
        if not reading:
            daemon.log.wait(event='connection')  # with more held for the client than it takes
        with pytest.raises((ssl.SSLError, ConnectionError)):
            clients.read_to_end(client)


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
            waiting.until(lambda: daemon.admin('GET', '/status')[1]['listeners'][0][
                'connections']['open'] == 2)
            start_drain(daemon, 'signal')
            context = clients.context(pki.servers.root.cert, pki.alice)
            with context.wrap_socket(early, server_hostname='server.example') as client:
                clients.exchange(client)
    assert daemon.wait_exit() == 0


def test_sessions_may_be_asked_for_to_the_end(handfast, pki, echo, port):
    """Workers end one by one, and some before they hear of the question."""
    daemon = handfast(configs.server_side(pki, port, echo, workers=4))

    def ask():
        while daemon.alive():
            try:
                daemon.admin('GET', '/sessions')
            except (OSError, ValueError, http.client.HTTPException):
                continue

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    daemon.admin('GET', '/sessions')
    start_drain(daemon, 'signal')
    assert daemon.wait_exit() == 0
    for asker in askers:
        asker.join()


def test_more_signals_than_needed_change_nothing(handfast, pki, echo, port):
    """One that comes while the log is flushed must not kill what is about to end by itself."""
    daemon = handfast(configs.server_side(pki, port, echo))
    while daemon.alive():
        daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    daemon.log.wait(event='stopped')

# SPDX-License-Identifier: Apache-2.0
"""max-connections holds over all workers; who finds no place waits in the queue, or is told."""

import socket
import struct
import threading

import pytest

from harness import backends, clients, configs, waiting


def capped(pki, port, backend, cap, **upstream):
    return configs.server_side(pki, port, '', upstream={
        'servers': [{'address': backend.address, 'max-connections': cap}], **upstream})


def app(daemon):
    return daemon.admin('GET', '/status')[1]['upstreams'][0]


@pytest.fixture
def greeter(backend):
    return backend(backends.greeting('a'))


def enter(port, pki):
    """A client with a place, which the backend's greeting proves."""
    client = clients.connect(port, pki.servers.root.cert, pki.alice)
    assert clients.read_exactly(client, 2) == b'a\n'
    return client


def test_without_a_queue_the_next_one_is_turned_away(handfast, pki, greeter, port):
    daemon = handfast(capped(pki, port, greeter, 2))
    inside = [enter(port, pki) for _ in range(2)]
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert daemon.log.wait(event='upstream')['detail'] == f'{greeter.address} is at its cap'
    for client in inside:
        client.close()
    waiting.until(lambda: app(daemon)['active'] == 0)  # the line of an end comes before its place is free
    enter(port, pki).close()
    assert len(greeter.wait(3)) == 3


def test_who_waits_is_let_in_when_a_place_frees(handfast, pki, greeter, port):
    """Eight clients on four workers for two places: each gets its turn, never three at once."""
    daemon = handfast(capped(pki, port, greeter, 2, **{'max-queue': 8, 'queue-timeout': '10m'}))
    most, inside, lock = 0, 0, threading.Lock()
    failed = []

    def visit():
        nonlocal most, inside
        try:
            with enter(port, pki) as client:
                with lock:
                    inside += 1
                    most = max(most, inside)
                clients.exchange(client)
                with lock:
                    inside -= 1
        except Exception as error:  # told by the main thread
            failed.append(error)

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert not failed
    assert most <= 2
    waiting.until(lambda: (app(daemon)['waiting'], app(daemon)['active'], app(daemon)['servers'][0]['open']) ==
                  (0, 0, 0))
    assert app(daemon)['servers'][0]['total'] == 8


def test_waiting_ends_with_queue_timeout(handfast, pki, greeter, port):
    daemon = handfast(capped(pki, port, greeter, 1, **{'max-queue': 1, 'queue-timeout': '300ms'}))
    inside = enter(port, pki)
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert daemon.log.wait(event='upstream')['detail'] == \
        'all servers stayed at their caps for as long as queue-timeout'
    assert daemon.log.wait(event='connection')['duration_ms'] >= 290
    inside.close()


def test_a_full_queue_turns_away_at_once(handfast, pki, greeter, port):
    daemon = handfast(dict(capped(pki, port, greeter, 1,
                                  **{'max-queue': 1, 'queue-timeout': '10m'}), workers=1))
    inside = enter(port, pki)
    outside = clients.connect(port, pki.servers.root.cert, pki.alice)
    waiting.until(lambda: app(daemon)['waiting'] == 1)
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'internal error'
    assert daemon.log.wait(event='upstream')['detail'] == \
        'all servers are at their caps and the queue is full'
    inside.close()
    assert clients.read_exactly(outside, 2) == b'a\n'
    outside.close()


def test_who_leaves_the_queue_leaves_no_hole(handfast, pki, greeter, port):
    daemon = handfast(capped(pki, port, greeter, 1, **{'max-queue': 5, 'queue-timeout': '10m'}))
    inside = enter(port, pki)
    outside = clients.connect(port, pki.servers.root.cert, pki.alice)
    waiting.until(lambda: app(daemon)['waiting'] == 1)
    outside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    outside.close()
    waiting.until(lambda: app(daemon)['waiting'] == 0)
    inside.close()
    enter(port, pki).close()

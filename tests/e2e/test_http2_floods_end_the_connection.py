# SPDX-License-Identifier: Apache-2.0
"""What costs an HTTP/2 client little and the daemon something is counted; each count is a key of the config, and
beyond it the connection ends with ENHANCE_YOUR_CALM. Others on the same worker are served all the while."""

import struct

import pytest

from harness import configs, recorder
from harness.h2raw import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
                           WINDOW_UPDATE, Connection, Stream, frame)

pytestmark = pytest.mark.xdist_group('http2-floods')

LIMIT = 5
LIMITS = {name: LIMIT for name in ['max-resets', 'max-errors', 'max-settings', 'max-pings', 'max-priorities',
                                   'max-window-updates', 'max-empty-frames', 'max-continuations']}
REQUEST = [(':method', 'POST'), (':scheme', 'https'), (':authority', 'server.example'), (':path', '/')]


def head(connection, stream, fields=REQUEST, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, connection.block(fields))


def one(number):
    return struct.pack('!I', number)


# What is repeated, given the connection and the number of the repetition.
FLOODS = {
    'resets': lambda c, n: head(c, 2 * n + 3) + frame(RST_STREAM, 0, 2 * n + 3, one(8)),
    'errors': lambda c, n: head(c, 2 * n + 3, REQUEST[1:]),
    'made-you-reset': lambda c, n: head(c, 2 * n + 3, flags=END_HEADERS | END_STREAM) +
                                   head(c, 2 * n + 3, [('a', 'b')], END_HEADERS | END_STREAM),
    'settings': lambda c, n: frame(SETTINGS),
    'pings': lambda c, n: frame(PING, 0, 0, bytes(8)),
    'priorities': lambda c, n: frame(PRIORITY, 0, 1, one(3) + b'\0'),
    'unknown': lambda c, n: frame(0xee, 0, 0, b'x'),
    'window-updates': lambda c, n: frame(WINDOW_UPDATE, 0, 0, one(1)),
    'empty-data': lambda c, n: frame(DATA, 0, 1),
}


# What the log calls it.
WORDS = {
    'resets': 'streams opened and reset', 'errors': 'malformed streams', 'made-you-reset': 'malformed streams',
    'settings': 'SETTINGS frames', 'pings': 'PING frames', 'priorities': 'PRIORITY or unknown frames',
    'unknown': 'PRIORITY or unknown frames', 'window-updates': 'WINDOW_UPDATE frames', 'empty-data': 'empty frames',
}


@pytest.fixture(scope='module')
def daemon_and_door(pki, ports, module_handfast, module_backend):
    port = ports.take()
    daemon = module_handfast(configs.http_side(
        pki, port, module_backend(recorder.Recorder().serve),
        listener={'http': {'h2': {**LIMITS, 'flood-interval': '1h'}}}, workers=1))
    return daemon, port


@pytest.fixture
def daemon(daemon_and_door):
    return daemon_and_door[0]


@pytest.fixture
def door(daemon_and_door):
    return daemon_and_door[1]


def connect(pki, door):
    connection = Connection(door, pki.servers.root.cert, pki.alice)
    connection.streams[1] = Stream()
    return connection


@pytest.mark.parametrize('name', FLOODS)
def test_flood(pki, daemon, door, name):
    repeated = FLOODS[name]
    with connect(pki, door) as bystander, connect(pki, door) as connection:
        connection.send(head(connection, 1))
        for number in range(LIMIT - 2):
            connection.send(repeated(connection, number))
        assert connection.ping()
        for number in range(LIMIT - 2, 2 * LIMIT):
            connection.send(repeated(connection, number))
        assert connection.wait_goaway() == 'ENHANCE_YOUR_CALM'
        daemon.log.wait(event='http2', result='ended', reason='enhance-your-calm', detail=f'too many {WORDS[name]}')
        assert bystander.wait(bystander.request(REQUEST, b'x')).status == 200


def test_continuations(pki, door):
    with connect(pki, door) as connection:
        connection.send(frame(HEADERS, 0, 1, connection.block(REQUEST)) + frame(CONTINUATION, 0, 1) * (LIMIT + 1))
        assert connection.wait_goaway() == 'ENHANCE_YOUR_CALM'


def test_a_header_bomb_is_answered_431_and_then_ended(pki, door):
    """4 KiB in the table, named over and over by single bytes."""
    entry = b'\x40\x01b\x7f\xa1\x1e' + b'x' * 4000
    with connect(pki, door) as connection:
        block = connection.block(REQUEST)
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block + entry + b'\xbe' * 10))
        assert connection.wait(1).status == 431
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, b'\xbe' * 10000))
        assert connection.wait_goaway() == 'ENHANCE_YOUR_CALM'


def test_a_client_that_keeps_below_is_never_bothered(pki, door):
    """Pings and windows are earned by answers."""
    with connect(pki, door) as connection:
        for _ in range(4 * LIMIT):
            assert connection.wait(connection.request(REQUEST, b'x')).status == 200
            assert connection.ping()


def test_a_malformed_request_is_in_the_log(pki, daemon, door):
    with connect(pki, door) as connection:
        connection.send(head(connection, 1, [*REQUEST, ('connection', 'close')]))
        assert connection.wait(1).reset == 'PROTOCOL_ERROR'
        line = daemon.log.wait(event='http2', result='reset', reason='connection-field')
        assert line['stream'] == 1 and line['listener'] == 'in'

# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 rule by rule, as raw frames over mutual TLS against the daemon. The cases follow the clauses of
RFC 9113, RFC 7541 and RFC 8441; tests/unit/http/test_h2_server.c has them all, cut at every byte."""

import struct

import pytest

from harness import configs, recorder
from harness.h2raw import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE,
                           PRIORITY, PRIORITY_FLAG, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection,
                           Stream, frame, settings)

pytestmark = pytest.mark.xdist_group('http2-rules')

ES, EH = END_STREAM, END_HEADERS


def field(name, value):
    """A literal that enters no table, without Huffman; both below 127 bytes."""
    name, value = name.encode('latin-1'), value.encode('latin-1')
    return b'\0' + bytes([len(name)]) + name + bytes([len(value)]) + value


GET = (field(':method', 'GET') + field(':scheme', 'https') + field(':path', '/') +
       field(':authority', 'server.example'))
POST = GET.replace(field(':method', 'GET'), field(':method', 'POST'))


def without(name):
    return b''.join(field(*one) for one in [(':method', 'GET'), (':scheme', 'https'), (':path', '/'),
                                            (':authority', 'server.example')] if one[0] != name)


def number(value):
    return struct.pack('!I', value)


def setting(name, value):
    return frame(SETTINGS, payload=struct.pack('!HI', name, value))


get = frame(HEADERS, ES | EH, 1, GET)
post = frame(HEADERS, EH, 1, POST)
get3 = frame(HEADERS, ES | EH, 3, GET)
sections = frame(HEADERS, ES, 1, field(':method', 'GET') + field(':scheme', 'https'))
cancel = frame(RST_STREAM, 0, 1, number(8))


def length(value):
    return frame(HEADERS, EH, 1, POST + field('content-length', value))


def head(block):
    return frame(HEADERS, ES | EH, 1, block)


def window(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, number(increment))


OK, ALIVE = 'status 200', 'alive'
PROTOCOL, CLOSED, SIZE = 'goaway PROTOCOL_ERROR', 'goaway STREAM_CLOSED', 'goaway FRAME_SIZE_ERROR'
FLOW, HPACK, MALFORMED = 'goaway FLOW_CONTROL_ERROR', 'goaway COMPRESSION_ERROR', 'reset PROTOCOL_ERROR'

# (clause, what is sent, what must come of it)
OPEN = [
    ('3.4 a request', get, OK),
    ('4.1 unknown type', frame(0xbb, 0xff, 0, b'x' * 8) + get, OK),
    ('4.1 unknown flags', frame(PING, 0xfe, 0, b'12345678'), ALIVE),
    ('4.1 reserved bit', frame(WINDOW_UPDATE, 0, 0x80000000, number(1)), ALIVE),
    ('4.2 DATA of 2^14', post + frame(DATA, ES, 1, b'x' * 16384), OK),
    ('4.2 DATA of 2^14+1', post + frame(DATA, ES, 1, b'x' * 16385), SIZE),
    ('4.2 HEADERS of 2^14+1', head(GET + b'x' * 16385), SIZE),
    ('4.3 undecodable section', head(b'\xff\x80\x80\x80\x80\x80'), HPACK),
    ('4.3 PRIORITY within a section', sections + frame(PRIORITY, 0, 1, number(0) + b'\xff'), PROTOCOL),
    ('4.3 another stream within a section', sections + get3, PROTOCOL),
    ('5.1 idle: DATA', frame(DATA, ES, 1, b'x'), PROTOCOL),
    ('5.1 idle: RST_STREAM', cancel, PROTOCOL),
    ('5.1 idle: WINDOW_UPDATE', window(1, 100), PROTOCOL),
    ('5.1 idle: CONTINUATION', frame(CONTINUATION, EH, 1, GET), PROTOCOL),
    ('5.1 idle: PRIORITY', frame(PRIORITY, 0, 1, number(0) + b'\xff') + get, OK),
    ('5.1 half-closed: DATA', get + frame(DATA, ES, 1, b'x'), 'reset STREAM_CLOSED'),
    ('5.1 half-closed: HEADERS', get + get, 'reset STREAM_CLOSED'),
    ('5.1 half-closed: CONTINUATION', get + frame(CONTINUATION, EH, 1, GET), PROTOCOL),
    ('5.1 half-closed: WINDOW_UPDATE', get + window(1, 100), OK),
    ('5.1 half-closed: PRIORITY', get + frame(PRIORITY, 0, 1, number(0) + b'\xff'), OK),
    ('5.1 half-closed: RST_STREAM', get + cancel, ALIVE),
    ('5.1 reset: DATA', post + cancel + frame(DATA, ES, 1, b'x'), CLOSED),
    ('5.1 reset: HEADERS', post + cancel + post, CLOSED),
    ('5.1 reset: CONTINUATION', post + cancel + frame(CONTINUATION, EH, 1, GET), PROTOCOL),
    ('5.1.1 even', frame(HEADERS, ES | EH, 2, GET), PROTOCOL),
    ('5.1.1 out of order', frame(HEADERS, ES | EH, 5, GET) + get3, PROTOCOL),
    ('5.3.1 HEADERS on itself', frame(HEADERS, ES | EH | PRIORITY_FLAG, 1, number(1) + b'\xff' + GET), MALFORMED),
    ('5.3.1 PRIORITY on itself', post + frame(PRIORITY, 0, 1, number(1) + b'\xff'), MALFORMED),
    ('5.5 unknown frame within a section', sections + frame(0xbb, 0, 1, b'x'), PROTOCOL),
    ('6.1 DATA on stream 0', frame(DATA, ES, 0, b'x'), PROTOCOL),
    ('6.1 padding', post + frame(DATA, ES | PADDED, 1, b'\x03abc' + bytes(3)), OK),
    ('6.1 too much padding', post + frame(DATA, ES | PADDED, 1, b'\x06abc'), PROTOCOL),
    ('6.2 HEADERS on stream 0', frame(HEADERS, ES | EH, 0, GET), PROTOCOL),
    ('6.2 padding', frame(HEADERS, ES | EH | PADDED, 1, b'\x03' + GET + bytes(3)), OK),
    ('6.2 priority', frame(HEADERS, ES | EH | PRIORITY_FLAG, 1, number(0) + b'\xff' + GET), OK),
    ('6.2 too much padding', frame(HEADERS, ES | EH | PADDED, 1, b'\xff' + GET), PROTOCOL),
    ('6.3 PRIORITY on stream 0', frame(PRIORITY, 0, 0, number(3) + b'\xff'), PROTOCOL),
    ('6.3 PRIORITY of 4 bytes', frame(PRIORITY, 0, 1, number(0)), SIZE),
    ('6.4 RST_STREAM on stream 0', frame(RST_STREAM, 0, 0, number(8)), PROTOCOL),
    ('6.4 RST_STREAM of 3 bytes', post + frame(RST_STREAM, 0, 1, b'\0\0\0'), SIZE),
    ('6.5 ACK with payload', frame(SETTINGS, ACK, 0, struct.pack('!HI', 3, 1)), SIZE),
    ('6.5 on a stream', frame(SETTINGS, 0, 1, struct.pack('!HI', 3, 1)), PROTOCOL),
    ('6.5 of 5 bytes', frame(SETTINGS, payload=bytes(5)), SIZE),
    ('6.5.2 push of 2', setting(2, 2), PROTOCOL),
    ('6.5.2 window of 2^31', setting(4, 1 << 31), FLOW),
    ('6.5.2 frames of 2^14-1', setting(5, 16383), PROTOCOL),
    ('6.5.2 frames of 2^24', setting(5, 1 << 24), PROTOCOL),
    ('6.5.2 unknown setting', setting(0xff, 1) + get, OK),
    ('8441 3 connect protocol of 2', setting(8, 2), PROTOCOL),
    ('6.6 PUSH_PROMISE', frame(PUSH_PROMISE, EH, 1, number(2) + GET), PROTOCOL),
    ('6.7 PING on a stream', frame(PING, 0, 1, bytes(8)), PROTOCOL),
    ('6.7 PING of 6 bytes', frame(PING, 0, 0, bytes(6)), SIZE),
    ('6.7 PING ACK', frame(PING, ACK, 0, bytes(8)), ALIVE),
    ('6.8 GOAWAY on a stream', frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    ('6.9 nothing', window(0, 0), PROTOCOL),
    ('6.9 nothing on a stream', post + window(1, 0), MALFORMED),
    ('6.9 of 3 bytes', frame(WINDOW_UPDATE, 0, 0, bytes(3)), SIZE),
    ('6.9.1 beyond 2^31-1', window(0, (1 << 31) - 1), FLOW),
    ('6.9.1 beyond 2^31-1 on a stream', post + window(1, (1 << 31) - 1), 'reset FLOW_CONTROL_ERROR'),
    ('6.9.2 beyond 2^31-1 by a setting', post + window(1, (1 << 31) - 65536) + setting(4, 65537), FLOW),
    ('6.10 CONTINUATIONs', sections + frame(CONTINUATION, 0, 1, field(':path', '/')) +
     frame(CONTINUATION, EH, 1, field(':authority', 'server.example')), OK),
    ('6.10 on stream 0', sections + frame(CONTINUATION, EH, 0, GET), PROTOCOL),
    ('6.10 after the end', post + frame(CONTINUATION, EH, 1, GET), PROTOCOL),
    ('6.10 after DATA', post + frame(DATA, 0, 1, b'x') + frame(CONTINUATION, EH, 1, GET), PROTOCOL),
    ('7 unknown code in RST_STREAM', post + frame(RST_STREAM, 0, 1, number(0xff)), ALIVE),
    ('8.1 trailers', post + frame(DATA, 0, 1, b'x') + frame(HEADERS, ES | EH, 1, field('a', 'b')), OK),
    ('8.1 trailers that end nothing', post + frame(HEADERS, EH, 1, field('a', 'b')), MALFORMED),
    ('8.1 pseudo field in trailers', post + frame(HEADERS, ES | EH, 1, field(':path', '/')), MALFORMED),
    ('8.1.1 shorter than told', length('2') + frame(DATA, ES, 1, b'x'), MALFORMED),
    ('8.1.1 longer than told', length('1') + frame(DATA, 0, 1, b'x') + frame(DATA, ES, 1, b'y'), MALFORMED),
    ('8.1.1 as long as told', length('2') + frame(DATA, 0, 1, b'x') + frame(DATA, ES, 1, b'y'), OK),
    ('8.1.1 told and none', head(GET + field('content-length', '1')), MALFORMED),
    ('8.1.1 told twice', head(GET + field('content-length', '0') * 2), MALFORMED),
    ('8.2.1 upper case', head(GET + field('X-Up', 'a')), MALFORMED),
    ('8.2.1 space in a name', head(GET + field('a b', 'a')), MALFORMED),
    ('8.2.1 NUL', head(GET + field('a', 'a\0')), MALFORMED),
    ('8.2.1 CR', head(GET + field('a', 'a\rb')), MALFORMED),
    ('8.2.1 LF', head(GET + field('a', 'a\nb: c')), MALFORMED),
    ('8.2.1 space before', head(GET + field('a', ' a')), MALFORMED),
    ('8.2.1 tab after', head(GET + field('a', 'a\t')), MALFORMED),
    ('8.2.2 connection', head(GET + field('connection', 'close')), MALFORMED),
    ('8.2.2 keep-alive', head(GET + field('keep-alive', '1')), MALFORMED),
    ('8.2.2 proxy-connection', head(GET + field('proxy-connection', 'close')), MALFORMED),
    ('8.2.2 transfer-encoding', head(GET + field('transfer-encoding', 'chunked')), MALFORMED),
    ('8.2.2 upgrade', head(GET + field('upgrade', 'h2c')), MALFORMED),
    ('8.2.2 te', head(GET + field('te', 'gzip')), MALFORMED),
    ('8.2.2 te: trailers', head(GET + field('te', 'trailers')), OK),
    ('8.3 unknown', head(GET + field(':x', 'a')), MALFORMED),
    ('8.3 of responses', head(GET + field(':status', '200')), MALFORMED),
    ('8.3 behind others', head(without(':path') + field('a', 'b') + field(':path', '/')), MALFORMED),
    *((f'8.3.1 no {name}', head(without(name)), MALFORMED) for name in [':method', ':scheme', ':path']),
    *((f'8.3.1 two of {name}', head(field(name, value) + GET), MALFORMED)
      for name, value in [(':method', 'GET'), (':scheme', 'https'), (':path', '/'), (':authority', 'server.example')]),
    ('8.3.1 empty path', head(without(':path') + field(':path', '')), MALFORMED),
    ('8.3.1 no authority', head(without(':authority')), 'status 400'),
    ('8.3.1 Host differs', head(GET + field('host', 'other.example')), MALFORMED),
    ('8.3.1 Host alone', head(without(':authority') + field('host', 'server.example')), OK),
    ('8441 4 no CONNECT', head(GET + field(':protocol', 'websocket')), MALFORMED),
    ('7541 2.3.3 index beyond the tables', head(GET + b'\xbe'), HPACK),
    ('7541 2.3.3 name beyond the tables', head(GET + b'\x7e\x01a'), HPACK),
    ('7541 4.2 update at the end', head(GET + b'\x20'), HPACK),
    ('7541 5.2 padding beyond 7 bits', head(GET + b'\0\x01a\x82\xff\xff'), HPACK),
    ('7541 5.2 padding of zeros', head(GET + b'\0\x01a\x81\x18'), HPACK),
    ('7541 5.2 EOS', head(GET + b'\0\x01a\x84\xff\xff\xff\xff'), HPACK),
    ('7541 6.1 index 0', head(GET + b'\x80'), HPACK),
    ('7541 6.3 beyond the setting', head(b'\x3f\xe2\x1f' + GET), HPACK),
    ('7541 6.3 smaller', head(b'\x3f\x01' + GET), OK),
    ('7541 6.2.1 entered and used', head(without(':path') + b'\x44\x01/' + b'\x40\x01a\x01b' + b'\xbe'), OK),
]

# The same once a first exchange is complete and its stream closed.
AFTER = [
    ('5.1 closed: DATA', frame(DATA, ES, 1, b'x'), CLOSED),
    ('5.1 closed: HEADERS', get, CLOSED),
    ('5.1 closed: CONTINUATION', frame(CONTINUATION, EH, 1, GET), PROTOCOL),
    ('5.1 closed: PRIORITY', frame(PRIORITY, 0, 1, number(0) + b'\xff'), ALIVE),
    ('5.1 closed: WINDOW_UPDATE', window(1, 100), ALIVE),
    ('5.1 closed: RST_STREAM', cancel, ALIVE),
]

PREFACES = [
    ('3.4 wrong preface', PREFACE.replace(b'SM', b'SN') + settings(), PROTOCOL),
    ('3.4 PING first', PREFACE + frame(PING, 0, 0, bytes(8)), PROTOCOL),
    ('3.4 ACK first', PREFACE + frame(SETTINGS, ACK), PROTOCOL),
    ('3.4 HTTP/1.1', b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n', PROTOCOL),
]


def params(cases):
    return [pytest.param(*case[1:], id=case[0].replace(' ', '-')) for case in cases]


@pytest.fixture(scope='module')
def door(pki, ports, module_handfast, module_backend):
    port = ports.take()
    module_handfast(configs.http_side(pki, port, module_backend(recorder.Recorder().serve)))
    return port


@pytest.fixture
def connect(pki, door):
    opened = []

    def start(**more):
        opened.append(Connection(door, pki.servers.root.cert, pki.alice, **more))
        opened[-1].streams[1] = Stream()
        return opened[-1]

    yield start
    for one in opened:
        one.tls.close()


def expect(connection, wanted):
    what, _, value = wanted.partition(' ')
    if what == 'goaway':
        assert connection.wait_goaway() == value
        while connection.step():  # and the connection ends
            pass
        return
    if what == 'status':
        assert connection.wait(1).status == int(value)
    elif what == 'reset':
        assert connection.wait(1).reset == value
    assert connection.ping()  # and the connection goes on


@pytest.mark.parametrize('sent, wanted', params(OPEN))
def test_rule(connect, sent, wanted):
    connection = connect()
    connection.send(sent)
    expect(connection, wanted)


@pytest.mark.parametrize('sent, wanted', params(AFTER))
def test_rule_after_an_exchange(connect, sent, wanted):
    connection = connect()
    connection.send(get)
    assert connection.wait(1).ended
    connection.send(sent)
    expect(connection, wanted)


@pytest.mark.parametrize('sent, wanted', params(PREFACES))
def test_preface(connect, sent, wanted):
    connection = connect(hello=False)
    connection.send(sent)
    expect(connection, wanted)


def test_5_1_2_a_stream_too_many_is_refused(connect):
    connection = connect()
    assert connection.ping()
    most = connection.settings[3]
    connection.send(b''.join(frame(HEADERS, EH, 1 + 2 * n, POST) for n in range(most + 1)))
    last = 1 + 2 * most
    connection.streams[last] = Stream()
    assert connection.wait(last).reset == 'REFUSED_STREAM'
    assert connection.ping()


def test_6_9_1_data_comes_as_windows_allow(connect):
    connection = connect(hello=False)
    connection.send(PREFACE + settings(initial_window_size=1) + get)
    while not connection.streams[1].body:
        assert connection.step()
    assert len(connection.streams[1].body) == 1
    assert connection.wait(1).ended


def test_6_8_requests_after_a_goaway_of_the_client_are_served(connect):
    connection = connect()
    connection.send(post + frame(GOAWAY, 0, 0, number(0) + number(0xff)) + frame(DATA, ES, 1, b'x'))
    assert connection.wait(1).status == 200

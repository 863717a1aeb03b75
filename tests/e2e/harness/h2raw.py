# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frame by frame, with nothing checked on the way out."""

import struct

import hpack

from harness import clients

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 1, 1, 4, 8, 32
CODES = ['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT',
         'STREAM_CLOSED', 'FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR',
         'CONNECT_ERROR', 'ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED']


def frame(kind, flags=0, stream=0, payload=b''):
    return struct.pack('!I', len(payload))[1:] + struct.pack('!BBI', kind, flags, stream) + payload


def settings(**values):
    numbers = {'header_table_size': 1, 'enable_push': 2, 'max_concurrent_streams': 3,
               'initial_window_size': 4, 'max_frame_size': 5, 'max_header_list_size': 6,
               'enable_connect_protocol': 8}
    return frame(SETTINGS, payload=b''.join(struct.pack('!HI', numbers[name], value)
                                            for name, value in values.items()))


class Stream:
    def __init__(self):
        self.fields, self.trailers, self.body = None, None, b''
        self.interim, self.ended, self.reset = [], False, None

    @property
    def status(self):
        return int(self.fields[':status']) if self.fields else None


class Connection:
    """A client. What comes is sorted into streams; SETTINGS and PING are answered."""

    def __init__(self, port, roots, leaf, hello=True, **more):
        self.tls = clients.connect(port, roots, leaf, alpn=['h2'], **more)
        assert self.tls.selected_alpn_protocol() == 'h2'
        self._encoder, self._decoder = hpack.Encoder(), hpack.Decoder()
        self._data, self._next = b'', 1
        self.streams, self.settings, self.goaway, self.closed, self.pongs = {}, {}, None, False, []
        if hello:
            self.send(PREFACE + settings())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, data):
        try:
            self.tls.sendall(data)
        except (ConnectionError, OSError):
            self.closed = True  # what was said before is still read

    def block(self, fields):
        """A field section; Latin-1, in the order given, names as they are."""
        return self._encoder.encode([(name.encode('latin-1'), value.encode('latin-1')) for name, value in fields],
                                    huffman=False)

    def request(self, fields, body=None, trailers=None):
        """The number of the stream."""
        number, self._next = self._next, self._next + 2
        self.streams[number] = Stream()
        more = body is not None or trailers is not None
        block = self.block(fields)
        pieces = [block[at:at + 16384] for at in range(0, len(block), 16384)]
        data = b''
        for at, piece in enumerate(pieces):
            flags = (END_HEADERS if at == len(pieces) - 1 else 0) | (END_STREAM if not at and not more else 0)
            data += frame(CONTINUATION if at else HEADERS, flags, number, piece)
        if body is not None:
            data += frame(DATA, 0 if trailers else END_STREAM, number, body)
        if trailers is not None:
            data += frame(HEADERS, END_HEADERS | END_STREAM, number, self.block(trailers))
        self.send(data)
        return number

    def begin(self, fields):
        """The number of a stream whose request goes on after these fields."""
        number, self._next = self._next, self._next + 2
        self.streams[number] = Stream()
        self.send(frame(HEADERS, END_HEADERS, number, self.block(fields)))
        return number

    def _fill(self, size):
        while len(self._data) < size:
            try:
                data = self.tls.recv(65536)
            except (ConnectionError, clients.ssl.SSLEOFError):
                data = b''
            if not data:
                self.closed = True
                return False
            self._data += data
        return True

    def read_frame(self):
        """(kind, flags, stream, payload), or None at the end of the connection."""
        if not self._fill(9):
            return None
        size = int.from_bytes(self._data[:3], 'big')
        kind, flags, stream = struct.unpack('!BBI', self._data[3:9])
        if not self._fill(9 + size):
            return None
        payload, self._data = self._data[9:9 + size], self._data[9 + size:]
        return kind, flags, stream & 0x7fffffff, payload

    def step(self):
        """Takes one frame in; False at the end of the connection."""
        got = self.read_frame()
        if got is None:
            return False
        kind, flags, number, payload = got
        stream = self.streams.setdefault(number, Stream()) if number else None
        if kind == SETTINGS and not flags & ACK:
            self.settings.update(struct.iter_unpack('!HI', payload))
            self.send(frame(SETTINGS, ACK))
        elif kind == PING:
            if flags & ACK:
                self.pongs.append(payload)
            else:
                self.send(frame(PING, ACK, payload=payload))
        elif kind == GOAWAY:
            self.goaway = CODES[struct.unpack('!I', payload[4:8])[0]]
        elif kind == RST_STREAM:
            stream.reset = CODES[struct.unpack('!I', payload)[0]]
        elif kind == HEADERS:
            self._headers(stream, flags, payload)
        elif kind == DATA:
            self._body(number, stream, payload)
        if stream and kind in (HEADERS, DATA) and flags & END_STREAM:
            stream.ended = True
        return True

    def _headers(self, stream, flags, payload):
        while not flags & END_HEADERS:
            kind, flags, _, more = self.read_frame()
            assert kind == CONTINUATION
            payload += more
        fields = {}
        for name, value in self._decoder.decode(payload, raw=True):
            name, value = name.decode('latin-1'), value.decode('latin-1')
            fields[name] = f'{fields[name]}, {value}' if name in fields else value
        if stream.fields is not None:
            stream.trailers = fields
        elif fields[':status'].startswith('1'):
            stream.interim.append(fields)
        else:
            stream.fields = fields

    def _body(self, number, stream, payload):
        stream.body += payload
        if payload:
            credit = struct.pack('!I', len(payload))
            self.send(frame(WINDOW_UPDATE, 0, 0, credit) + frame(WINDOW_UPDATE, 0, number, credit))

    def wait(self, number):
        """Until the stream has ended one way or another, or the connection has."""
        stream = self.streams[number]
        while not stream.ended and not stream.reset and not self.goaway_is_fatal():
            if not self.step():
                break
        return stream

    def goaway_is_fatal(self):
        return self.goaway not in (None, 'NO_ERROR')

    def wait_goaway(self):
        """The code of the GOAWAY that ends the connection, or None when it ends without one."""
        while not self.goaway_is_fatal() and self.step():
            pass
        return self.goaway

    def ping(self):
        """True when the connection still answers."""
        mark = len(self.pongs)
        self.send(frame(PING, payload=b'12345678'))
        while len(self.pongs) == mark:
            if not self.step() or self.goaway_is_fatal():
                return False
        return True

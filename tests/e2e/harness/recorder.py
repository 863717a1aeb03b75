# SPDX-License-Identifier: Apache-2.0
"""A backend that writes down every complete request, and reads HTTP/1.1 as strictly as can be."""

import dataclasses
import threading
import time

from harness import waiting

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'


class Unreadable(Exception):
    """What came is no HTTP/1.1 with one framing."""


@dataclasses.dataclass
class Request:
    method: str
    target: str
    fields: dict    # lower case name -> value; repeated ones joined by ", "
    body: bytes
    trailers: dict

    def __str__(self):
        text = self.body.decode('latin-1')
        return f'{self.method} {self.target}' + (f' {text}' if text else '')


class _Reader:
    def __init__(self, connection):
        self._connection, self._data = connection, b''

    def _more(self):
        data = self._connection.recv(65536)
        if not data:
            raise EOFError
        self._data += data

    def line(self):
        while b'\r\n' not in self._data:
            self._more()
        line, _, self._data = self._data.partition(b'\r\n')
        if b'\n' in line or b'\r' in line or b'\0' in line:
            raise Unreadable(line)
        return line.decode('latin-1')

    def exactly(self, size):
        while len(self._data) < size:
            self._more()
        data, self._data = self._data[:size], self._data[size:]
        return data

    def idle(self):
        return not self._data


def _fields(reader):
    found = {}
    while line := reader.line():
        name, colon, value = line.partition(':')
        if not colon or not name or name != name.strip():
            raise Unreadable(line)
        name, value = name.lower(), value.strip(' \t')
        found[name] = f'{found[name]}, {value}' if name in found else value
    return found


def _chunks(reader):
    body = b''
    while True:
        size = int(reader.line().partition(';')[0], 16)
        if size == 0:
            return body, _fields(reader)
        body += reader.exactly(size)
        if reader.exactly(2) != b'\r\n':
            raise Unreadable('a chunk without its end')


def read_request(reader):
    words = reader.line().split(' ')
    if len(words) != 3 or words[2] != 'HTTP/1.1':
        raise Unreadable(' '.join(words))
    fields = _fields(reader)
    length, coding = fields.get('content-length'), fields.get('transfer-encoding')
    if (length is not None and coding is not None) or coding not in (None, 'chunked') or 'host' not in fields \
            or not (length or '0').isdigit():
        raise Unreadable(fields)
    body, trailers = b'', {}
    if coding:
        body, trailers = _chunks(reader)
    elif length:
        body = reader.exactly(int(length))
    return Request(words[0], words[1], fields, body, trailers)


class Recorder:
    """recorder.serve is for harness.backends.Backend."""

    def __init__(self, answer=ANSWER):
        self.requests, self.unreadable = [], []
        self._answer = answer
        self._changed = threading.Condition()

    def serve(self, connection, record):
        reader = _Reader(connection)
        while True:
            try:
                request = read_request(reader)
            except EOFError:
                return
            except (Unreadable, ValueError) as why:
                with self._changed:
                    self.unreadable.append(str(why))
                return
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            # HEAD's answer has no body
            answer = self._answer(request) if callable(self._answer) else self._answer
            connection.sendall(answer[:-2] if request.method == 'HEAD' and answer is ANSWER else answer)

    def take(self):
        """What has come so far, which is then forgotten."""
        with self._changed:
            taken, self.requests = self.requests, []
            return taken

    def wait(self, found):
        """Until a request for which found(request) holds has come; all that came up to it."""
        deadline = time.monotonic() + waiting.SECONDS
        with self._changed:
            while True:
                for number, request in enumerate(self.requests):
                    if found(request):
                        taken, self.requests = self.requests[:number + 1], self.requests[number + 1:]
                        return taken
                left = deadline - time.monotonic()
                assert left > 0, f'it did not come, but {[str(one) for one in self.requests]}'
                self._changed.wait(left)

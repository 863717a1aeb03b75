# SPDX-License-Identifier: Apache-2.0
"""The corpus of HTTP/1.1 requests that proxies and backends have read differently: what each is
answered, whether the connection goes on, and what a backend sees."""

import socket

import pytest

from harness import clients, corpus, recorder

pytestmark = pytest.mark.xdist_group('smuggling')


@pytest.fixture(scope='module')
def recording():
    return recorder.Recorder()


@pytest.fixture(scope='module')
def door(pki, ports, module_handfast, module_backend, recording):
    port = ports.take()
    module_handfast(corpus.http_door(pki, port, module_backend(recording.serve)))
    return port


def answers(connection, count):
    """Statuses of `count` answers, or of fewer when the connection ends; None behind them: it has."""
    reader, found = clients.HttpReader(connection), []
    while len(found) < count:
        answer = reader.answer()
        if answer is None:
            return [*found, None]
        found.append(answer.status)
    return found


@pytest.mark.parametrize('case', corpus.cases('smuggling_h1.yaml'))
def test_over_http1(pki, door, recording, case):
    want = case.get('answer', [400])
    is_open = case.get('open', all(status < 400 for status in want))
    follows = corpus.SMUGGLED.replace('smuggled', 'next') if is_open else corpus.SMUGGLED
    recording.take()
    with clients.connect(door, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
        connection.sendall(corpus.expand(case['send']) + (follows.encode() if case.get('next', True) else b''))
        if not case.get('next', True):
            socket.socket.shutdown(connection, socket.SHUT_WR)  # no close_notify: the stream is cut
        assert answers(connection, len(want) + 1) == [*want, 200 if is_open else None]
    seen = recording.take()
    if is_open:
        assert str(seen.pop()) == 'GET /next'
    assert [str(request) for request in seen] == case.get('seen', [])
    assert recording.unreadable == []
    if 'fields' in case:
        corpus.check_fields(seen[-1], case['fields'])

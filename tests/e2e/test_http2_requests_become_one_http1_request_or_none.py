# SPDX-License-Identifier: Apache-2.0
"""The corpus of HTTP/2 requests that would be something else in HTTP/1.1: what each is answered, and
what a backend of HTTP/1.1 sees."""

import pytest

from harness import corpus, h2raw, recorder

pytestmark = pytest.mark.xdist_group('smuggling-h2')


@pytest.fixture(scope='module')
def recording():
    return recorder.Recorder()


@pytest.fixture(scope='module')
def door(pki, ports, module_handfast, module_backend, recording):
    port = ports.take()
    module_handfast(corpus.http_door(pki, port, module_backend(recording.serve)))
    return port


PLAIN = [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example'), (':path', '/')]


def section(case):
    """The field section of a case."""
    if 'fields' in case:
        return [tuple(field) for field in case['fields']]
    changed = {**dict(PLAIN), **case.get('set', {})}
    kept = [(name, value) for name, value in changed.items() if name not in case.get('without', [])]
    return kept + [(name, corpus.expand(value).decode('latin-1')) for name, value in case.get('add', [])]


def outcome(connection, stream):
    if stream.fields:
        return stream.status
    if stream.reset:
        return f'reset {stream.reset}'
    return f'goaway {connection.goaway}'


@pytest.mark.parametrize('case', corpus.cases('smuggling_h2.yaml'))
def test_over_http2(pki, door, recording, case):
    recording.take()
    body = case['body'].encode('latin-1') if 'body' in case else None
    with h2raw.Connection(door, pki.servers.root.cert, pki.alice) as connection:
        stream = connection.wait(connection.request(section(case), body, case.get('trailers')))
        want = case.get('answer', 400)
        assert outcome(connection, stream) == want
        goes_on = not str(want).startswith('goaway')
        if goes_on:
            following = connection.wait(connection.request([*PLAIN[:3], (':path', '/next')]))
            assert following.status == 200
    seen = recording.take()
    if goes_on:
        assert str(seen.pop()) == 'GET /next'
    assert [str(request) for request in seen] == case.get('seen', [])
    assert recording.unreadable == []
    if 'sees' in case:
        corpus.check_fields(seen[-1], case['sees'])

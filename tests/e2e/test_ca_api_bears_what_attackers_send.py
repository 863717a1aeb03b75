# SPDX-License-Identifier: Apache-2.0
"""What is broken, huge, slow or meant to be read two ways ends with the status that it should, changes
nothing, and leaves the CA answering. The service's own answers are problems of the OpenAPI file; what
the proxy refuses before is told in the proxy's words."""

import json

import pytest

from harness import clients
from harness.ca_api import Api, csr

JSON = b'Content-Type: application/json\r\n'


@pytest.fixture(scope='module')
def api(module_handfast, ports, tmp_path_factory):
    return Api(module_handfast, ports, tmp_path_factory.mktemp('api'))


@pytest.fixture(autouse=True)
def unharmed(api):
    """Before and after: as many certificates, and an answer."""
    before = api.n_issued()
    yield
    assert api.n_issued() == before


def raw(api, data, who='alice', answers=1):
    """Bytes as they are, over HTTP/1.1; the answers (None: the connection ended)."""
    with clients.connect(api.port, api.roots, who and getattr(api, who), alpn=['http/1.1']) as session:
        session.sendall(data)
        reader = clients.HttpReader(session)
        return [reader.answer() for _ in range(answers)]


def post(api, body, fields=JSON, target='/ca/v1/certificates', **more):
    head = f'POST {target} HTTP/1.1\r\nHost: server.example\r\nContent-Length: {len(body)}\r\n'
    return raw(api, head.encode() + fields + b'\r\n' + body, **more)[0]


def wish(**more):
    return json.dumps({'profile': 'laptop', 'name': 'x', **more}).encode()


BODIES = {
    'empty': b'',
    'no-json': b'profile=laptop',
    'cut': wish()[:-1],
    'two-values': wish() + wish(),
    'a-list': b'[' + wish() + b']',
    'null': b'null',
    'number-for-text': b'{"profile": 1, "name": "x"}',
    'same-member-twice': b'{"profile": "plain", "name": "x", "profile": "laptop"}',
    'same-member-escaped': b'{"profile": "laptop", "name": "x", "n\\u0061me": "y"}',
    'unknown-member': wish(extra=1),
    'broken-utf8': b'{"profile": "laptop", "name": "x\xff"}',
    'overlong-utf8': b'{"profile": "laptop", "name": "\xc0\xaf"}',
    'surrogate': b'{"profile": "laptop", "name": "\\ud800"}',
    'nul-escaped': b'{"profile": "laptop", "name": "x\\u0000.example"}',
    'nul': b'{"profile": "laptop", "name": "x\0"}',
    'deep': b'{"profile":' + b'[' * 100000 + b']' * 100000 + b'}',
    'deep-unclosed': b'[' * 200000,
    'huge-number': b'{"profile": "laptop", "name": "x", "lifetime": 1e999}',
    'huge-integer': b'{"profile": "laptop", "name": "x", "lifetime": ' + b'9' * 400 + b'}',
    'lifetime-overflow': wish(lifetime='9223372036854775807d'),
    'lifetime-negative': wish(lifetime='-1d'),
    'lifetime-nought': wish(lifetime='0s'),
    'names-no-list': wish(names='DNS:x'),
    'names-not-text': wish(names=[['DNS:x']]),
    'too-many-names': wish(names=[f'DNS:a{n}.example' for n in range(257)]),
    'bom': b'\xef\xbb\xbf' + wish(),
    'comment': b'/* */' + wish(),
    'trailing-comma': wish()[:-1] + b',}',
}


@pytest.mark.parametrize('case', BODIES)
def test_bodies_that_are_no_request(api, case):
    answer = post(api, BODIES[case])
    assert (answer.status, json.loads(answer.body)['type']) == (400, 'urn:handfast:problem:malformed')
    assert answer.fields['content-type'] == 'application/problem+json'
    assert answer.fields['cache-control'] == 'no-store'


@pytest.mark.parametrize('fields', [
    b'', b'Content-Type: text/plain\r\n', b'Content-Type: application/x-www-form-urlencoded\r\n',
    b'Content-Type: multipart/form-data; boundary=x\r\n', b'Content-Type: application/jsonx\r\n',
    b'Content-Type: text/json\r\n'])
def test_bodies_of_other_types(api, fields):
    """What a page of somebody else can make a browser send without asking is none of ours."""
    answer = post(api, wish(), fields)
    assert (answer.status, json.loads(answer.body)['type']) == (400, 'urn:handfast:problem:malformed')


@pytest.mark.parametrize('fields', [
    b'Content-Length: 300000\r\n', b'Transfer-Encoding: chunked\r\n'], ids=['length', 'chunked'])
def test_bodies_that_are_too_large(api, fields):
    head = b'POST /ca/v1/sign HTTP/1.1\r\nHost: server.example\r\n' + JSON + fields + b'\r\n'
    chunks = b'' if b'Length' in fields else (b'4000\r\n' + b' ' * 0x4000 + b'\r\n') * 17
    assert raw(api, head + chunks)[0].status == 413


def test_chunked_bodies_are_read_whole(api):
    body = b''.join(b'1\r\n' + wish(profile='nosuch')[i:i + 1] + b'\r\n'
                    for i in range(len(wish(profile='nosuch')))) + b'0\r\n\r\n'
    head = b'POST /ca/v1/certificates HTTP/1.1\r\nHost: server.example\r\n' + JSON
    answer = raw(api, head + b'Transfer-Encoding: chunked\r\n\r\n' + body)[0]
    assert (answer.status, json.loads(answer.body)['type']) == (404, 'urn:handfast:problem:not-found')


SMUGGLED = {
    'length-and-chunked': b'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two-lengths': b'Content-Length: 0\r\nContent-Length: 40\r\n\r\n',
    'length-with-plus': b'Content-Length: +0\r\n\r\n',
    'chunked-twice': b'Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
    'other-encoding': b'Transfer-Encoding: identity\r\n\r\n',
    'blank-before-colon': b'Content-Length : 0\r\n\r\n',
    'folded': b'X: a\r\n Content-Length: 5\r\n\r\n',
    'bare-lf': b'X: a\n\r\n',
    'chunk-with-minus': b'Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n',
    'chunk-too-large': b'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n',
}


@pytest.mark.parametrize('case', SMUGGLED)
def test_nothing_is_read_as_a_second_request(api, case):
    second = b'GET /ca/v1/audit HTTP/1.1\r\nHost: server.example\r\n\r\n'
    head = b'POST /ca/v1/sign HTTP/1.1\r\nHost: server.example\r\n' + JSON
    first, behind = raw(api, head + SMUGGLED[case] + second, answers=2)
    assert first.status in (400, 501) and behind is None


def test_a_refused_body_is_not_the_next_request(api):
    """Routes are judged before the body has come; what follows is still the body."""
    inner = b'GET /ca/v1/audit HTTP/1.1\r\nHost: server.example\r\n\r\n'
    head = (b'PATCH /ca/v1/sign HTTP/1.1\r\nHost: server.example\r\n' + JSON
            + b'Content-Length: %d\r\n\r\n' % len(inner))
    after = b'GET /ca/v1/nothing HTTP/1.1\r\nHost: server.example\r\nConnection: close\r\n\r\n'
    first, second = raw(api, head + inner + after, answers=2)
    assert (first.status, second.status) == (405, 404)


def test_methods(api):
    with clients.connect(api.port, api.roots, api.alice, alpn=['http/1.1']) as session:
        reader = clients.HttpReader(session)
        for method, target, status in (
                ('HEAD', '/v1', 200), ('HEAD', '/v1/certificates', 200), ('OPTIONS', '/v1', 405),
                ('PUT', '/v1/sign', 405), ('TRACE', '/v1', None), ('DELETE', '/v1/certificates', 405),
                ('HEAD', '/v1/sign', 405), ('get', '/v1', 405), ('GET', '/v1/', 404),
                ('GET', '/v1x', 404), ('GET', '/v2', 404), ('GET', '', 404)):
            session.sendall(f'{method} /ca{target} HTTP/1.1\r\nHost: server.example\r\n\r\n'.encode())
            answer = reader.answer(method)
            assert answer and (answer.status == status or (status is None and answer.status >= 400)), (
                method, target, answer)
            if method == 'HEAD':
                assert answer.body == b''


@pytest.mark.parametrize('target,status,kind', [
    ('/v1/certificates?limit=1001', 400, 'malformed'), ('/v1/certificates?limit=-1', 400, 'malformed'),
    ('/v1/certificates?limit=99999999999999999999', 400, 'malformed'),
    ('/v1/certificates?limit=1&limit=2', 400, 'malformed'),
    ('/v1/certificates?revoked=1', 400, 'malformed'), ('/v1/certificates?Limit=1', 400, 'malformed'),
    ('/v1/certificates?cursor=x', 422, 'invalid'), ('/v1/certificates?cursor=-1', 422, 'invalid'),
    ('/v1/certificates?cursor=%27%20OR%201=1', 422, 'invalid'),
    ('/v1/certificates?cursor=9223372036854775808', 422, 'invalid'),
    ('/v1/certificates?cursor=' + '1' * 3000, 422, 'invalid'),
    ('/v1/certificates?text=%25', 422, 'invalid'), ('/v1/certificates?text=%ff', 422, 'invalid'),
    ('/v1/certificates?identity=%ff', 422, 'invalid'), ('/v1/certificates?identity=%00', 400, 'malformed'),
    ('/v1/certificates?authority=nosuch', 404, 'not-found'),
    ('/v1/certificates?expires_before=never', 400, 'malformed'),
    ('/v1/audit?after=-1', 400, 'malformed'), ('/v1/audit?after=9223372036854775808', 400, 'malformed'),
    ('/v1/requests?state=all', 422, 'invalid'),
    ('/v1/certificates/zz', 422, 'invalid'), ('/v1/certificates/%ff', 422, 'invalid'),
    ('/v1/certificates/' + '1' * 41, 422, 'invalid'), ('/v1/certificates/' + '1' * 200, 404, 'not-found'),
    ('/v1/certificates/0', 404, 'not-found'), ('/v1/certificates/-1', 422, 'invalid'),
    ('/v1/requests/-1', 404, 'not-found'), ('/v1/requests/99999999999999999999', 404, 'not-found'),
])
def test_parameters_that_nobody_gave_out(api, target, status, kind):
    assert api.refused(api.alice, 'GET', target)[:2] == (status, kind)


@pytest.mark.parametrize('target', ['/v1/certificates/..%2f..%2fetc', '/v1/certificates/%00',
                                    '/v1/../../etc/passwd', '/v1/certificates/a%5cb'])
def test_paths_out_of_the_service(api, target):
    answer = api.ask(api.alice, 'GET', target, check=None)
    assert answer.status in (400, 404, 422) and b'root:' not in answer.body


def test_a_filter_with_signs_of_sql_revokes_nothing(api):
    for text in ("' OR '1'='1", '%', '_', '*', '"', '\\', "x'; DROP TABLE certificates; --"):
        for member in ('text', 'identity', 'profile', 'requester', 'authority'):
            answer = api.ask(api.alice, 'POST', '/v1/revocations', {
                member: text, 'reason': 'superseded'}, check=False)
            assert answer.status in (200, 404, 422), (member, text, answer.body)
            if answer.status == 200:
                assert answer.json['revoked'] == 0, (member, text)
    assert api.good(api.alice, 'GET', '/v1/revocations')['revocations'] == []


def test_a_slow_body_ends_with_its_deadline(api, handfast, ports, tmp_path):
    """A byte and then nothing."""
    config = api.config()
    config['listeners'] = {'slow': {**config['listeners']['api'], 'listen': [f'127.0.0.1:{ports.take()}'],
                                    'http': {'body-timeout': '1s'}}}
    port = int(config['listeners']['slow']['listen'][0].split(':')[1])
    handfast(config)
    with clients.connect(port, api.roots, api.alice, alpn=['http/1.1']) as session:
        session.sendall(b'POST /ca/v1/sign HTTP/1.1\r\nHost: server.example\r\n' + JSON +
                        b'Content-Length: 100\r\n\r\n{')
        answer = clients.HttpReader(session).answer()
        assert answer is None or answer.status == 408

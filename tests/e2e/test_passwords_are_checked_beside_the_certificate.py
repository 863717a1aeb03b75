# SPDX-License-Identifier: Apache-2.0
"""HTTP Basic against a file of users, alone and together with tokens."""

import base64
import crypt
import json
import warnings

import pytest

from harness import clients, configs, idp, recorder, waiting

warnings.filterwarnings('ignore', category=DeprecationWarning)


def line(user, password, method=crypt.METHOD_SHA512, rounds=1000):
    return f'{user}:{crypt.crypt(password, crypt.mksalt(method, rounds=rounds))}\n'


@pytest.fixture
def users(tmp_path):
    path = tmp_path / 'users'
    path.write_text(line('alice', 'open sesame') + line('bob', 'b:c', crypt.METHOD_BLOWFISH, 16))
    path.chmod(0o640)
    return path


@pytest.fixture
def recording():
    return recorder.Recorder()


@pytest.fixture
def door(pki, port, handfast, backend, recording, users):
    def start(auth='staff', more=None, **basic):
        return handfast(configs.http_side(
            pki, port, backend(recording.serve), routes=[{'auth': auth, 'to': 'app'}],
            auth={'staff': {'basic': {'htpasswd': str(users), 'realm': 'the staff', **basic}}, **(more or {})},
            upstream={'forward': {'headers': {'x-user': '{user}'}}}))

    return start


def ask(pki, port, *fields, leaf=None):
    with clients.connect(port, pki.servers.root.cert, leaf or pki.alice, alpn=['http/1.1']) as connection:
        lines = ['GET /x HTTP/1.1', 'Host: server.example', 'Connection: close', *fields]
        connection.sendall('\r\n'.join([*lines, '', '']).encode())
        return clients.HttpReader(connection).answer()


def basic(user, password):
    return 'Authorization: Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()


def code(answer):
    return json.loads(answer.body)['code']


def test_users_come_in_with_their_password(pki, port, door, recording):
    daemon = door()
    for _ in range(2):  # hashed, then remembered
        assert ask(pki, port, basic('alice', 'open sesame'), 'X-User: bob').status == 200
        assert ask(pki, port, basic('bob', 'b:c')).status == 200
    seen = recording.take()
    assert [request.fields['x-user'] for request in seen] == ['alice', 'bob', 'alice', 'bob']
    assert all('authorization' not in request.fields for request in seen)
    assert daemon.log.wait(event='request', user='bob')['status'] == 200
    answer = ask(pki, port)
    assert (answer.status, code(answer)) == (401, 'auth-required')
    assert answer.fields['www-authenticate'] == 'Basic realm="the staff", charset="UTF-8"'
    for user, password in [('alice', 'open'), ('alice', ''), ('bob', 'open sesame'), ('carol', 'b:c'), ('', '')]:
        answer = ask(pki, port, basic(user, password))
        assert (answer.status, code(answer)) == (401, 'wrong-password')
    assert ask(pki, port, 'Authorization: Basic ???').status == 400
    assert ask(pki, port, 'Authorization: Bearer x').status == 401
    assert recording.take() == []


def test_guessing_is_stopped_and_those_who_are_in_stay_in(pki, port, door):
    door(failures='1/h burst 3')
    assert ask(pki, port, basic('alice', 'open sesame')).status == 200
    for _ in range(3):
        assert ask(pki, port, basic('bob', 'wrong')).status == 401
    answer = ask(pki, port, basic('bob', 'b:c'))
    assert (answer.status, code(answer)) == (429, 'too-many-failures')
    assert 3000 < int(answer.fields['retry-after']) <= 3601
    assert ask(pki, port, basic('alice', 'open sesame')).status == 200


def test_a_reload_reads_the_file_again(pki, port, door, users):
    daemon = door()
    assert ask(pki, port, basic('alice', 'open sesame')).status == 200
    users.write_text(line('alice', 'changed'))
    daemon.reload()
    assert ask(pki, port, basic('alice', 'open sesame')).status == 401  # not by memory either
    assert ask(pki, port, basic('alice', 'changed')).status == 200
    assert ask(pki, port, basic('bob', 'b:c')).status == 401
    users.write_text('alice:$apr1$salt$xxxxxxxxxxxxxxxxxxxxxx\n')
    daemon.reload()
    daemon.log.wait(event='reload', level='error')
    assert ask(pki, port, basic('alice', 'changed')).status == 200  # the old file goes on


def test_password_or_token_or_both(pki, port, ports, door, tmp_path):
    key = idp.Key('one')
    keys = tmp_path / 'keys.json'
    keys.write_text(json.dumps({'keys': [key.public]}))
    more = {'idp': {'jwt': {'jwks': str(keys), 'issuer': idp.ISSUER, 'audience': idp.AUDIENCE}},
            'id': {'jwt': {'jwks': str(keys), 'issuer': idp.ISSUER, 'audience': 'id', 'header': 'X-Id-Token'}}}
    daemon = door({'any': ['idp', {'all': [{'use': 'staff', 'users': 'alice'}, 'id']}]}, more)
    password, token = basic('alice', 'open sesame'), key.token()
    second = f'X-Id-Token: {key.token(aud="id")}'
    assert ask(pki, port, f'Authorization: Bearer {token}').status == 200
    assert ask(pki, port, password, second).status == 200
    assert ask(pki, port, password).status == 401
    assert ask(pki, port, second).status == 401
    answer = ask(pki, port, basic('bob', 'b:c'), second)
    assert (answer.status, code(answer)) == (403, 'wrong-user')
    assert ask(pki, port, password, f'X-Id-Token: {token}').status == 401
    answer = ask(pki, port)
    assert answer.fields['www-authenticate'] == 'Bearer, Basic realm="the staff", charset="UTF-8"'
    assert daemon.alive()


def test_others_go_on_while_a_password_is_hashed(pki, port, handfast, backend, users):
    """With one worker, a request without a password doesn't wait for those with one."""
    users.write_text(line('slow', 'x', rounds=1500000))
    handfast(configs.http_side(
        pki, port, backend(recorder.Recorder().serve), workers=1,
        routes=[{'match': {'path': '/x'}, 'auth': 'staff', 'to': 'app'}, {'allow': ['anyone'], 'to': 'app'}],
        auth={'staff': {'basic': {'htpasswd': str(users)}}}))
    with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as waits:
        waits.sendall(f'GET /x HTTP/1.1\r\nHost: server.example\r\n{basic("slow", "x")}\r\n\r\n'.encode())
        with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as other:
            reader = clients.HttpReader(other)
            for _ in range(20):
                other.sendall(b'GET /free HTTP/1.1\r\nHost: server.example\r\n\r\n')
                assert reader.answer().status == 200
            waits.settimeout(0)
            with pytest.raises(OSError):
                waits.recv(1)  # not yet
            waits.settimeout(waiting.SECONDS)
        assert clients.HttpReader(waits).answer().status == 200


def test_a_client_that_leaves_while_it_is_checked_does_no_harm(pki, port, door, users):
    users.write_text(line('slow', 'x', rounds=200000))
    daemon = door()
    for _ in range(8):
        with clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1']) as connection:
            connection.sendall(f'GET /x HTTP/1.1\r\nHost: server.example\r\n{basic("slow", "x")}\r\n\r\n'.encode())
    assert ask(pki, port, basic('slow', 'x')).status == 200
    assert daemon.alive()

# SPDX-License-Identifier: Apache-2.0
"""tls.ticket-keys and `handfast tickets`: a file that several daemons share, and its rotation."""

import os
import stat

import pytest
import yaml

from harness import clients, configs, daemon


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / 'tickets.keys'
    made = daemon.run('tickets', 'new', path)
    assert made.returncode == 0, made.stderr
    return path


def node(pki, port, echo, keys):
    return configs.server_side(pki, port, echo, listener={'tls': {'ticket-keys': str(keys)}})


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_another_node_resumes_and_knows_the_client(handfast, pki, ports, echo, keys, version):
    first, second = ports.take(), ports.take()
    handfast(node(pki, first, echo, keys))
    other = handfast(node(pki, second, echo, keys))
    context = clients.context(pki.servers.root.cert, pki.alice, versions=(version,))
    session = None
    for port, wanted in ((first, False), (second, True), (first, True)):
        with clients.connect(port, pki.servers.root.cert, context=context,
                             session=session) as client:
            assert clients.exchange(client) == b'hello over there'
            assert client.session_reused == wanted, port
            session = client.session
    line = other.log.wait(event='handshake', result='accepted', resumed=True)
    assert line['identity'] == 'spiffe://example.org/alice'


def test_rotated_keys_open_until_three_newer_ones(handfast, pki, port, echo, keys):
    running = handfast(node(pki, port, echo, keys))
    context = clients.context(pki.servers.root.cert, pki.alice, versions=('1.3',))

    def connect(session):
        with clients.connect(port, pki.servers.root.cert, context=context,
                             session=session) as client:
            assert clients.exchange(client) == b'hello over there'
            return client.session_reused, client.session

    _, session = connect(None)
    for _ in range(2):
        assert daemon.run('tickets', 'rotate', keys).returncode == 0
        running.reload()
        assert connect(session)[0]
    assert daemon.run('tickets', 'rotate', keys).returncode == 0
    running.reload()
    assert not connect(session)[0]


def test_a_file_is_made_private_and_never_replaced(keys):
    assert stat.S_IMODE(os.stat(keys).st_mode) == 0o600
    before = keys.read_text()
    again = daemon.run('tickets', 'new', keys)
    assert again.returncode == 1 and str(keys) in again.stderr
    assert keys.read_text() == before
    rotated = daemon.run('tickets', 'rotate', keys)
    assert rotated.stdout == f'{keys}: a new key seals, 2 open tickets\n'
    lines = keys.read_text().splitlines()
    assert lines[0].startswith('#') and lines[2] == before.splitlines()[1]
    assert stat.S_IMODE(os.stat(keys).st_mode) == 0o600


@pytest.mark.parametrize('mode, text, says', [
    (0o644, None, 'by others (mode 0644)'),
    (0o600, 'abc\n', 'line 1: not a key'),
    (0o600, '# none\n', 'holds no ticket key')])
def test_a_bad_file_is_refused(pki, port, echo, keys, tmp_path, mode, text, says):
    if text:
        keys.write_text(text)
    keys.chmod(mode)
    path = tmp_path / 'handfast.yaml'
    path.write_text(yaml.safe_dump(node(pki, port, echo, keys)))
    for command in ('check', 'run'):
        found = daemon.run(command, '-c', path)
        assert found.returncode == 1
        assert says in found.stdout + found.stderr

# SPDX-License-Identifier: Apache-2.0
"""gRPC of Node and Python, each as a client with a certificate and as a server behind: all four kinds of
calls, deadlines, cancellation, messages of 50 MB, status and trailers."""

import subprocess

import pytest

from harness import backends, configs, node, waiting

PYTHON = ['/usr/bin/python3', str(node.PROGRAMS / 'grpc_peer.py')]
NODE = node.command('grpc_peer.js')
PEERS = {'python': PYTHON, 'node': NODE}

EXPECTED = '''unary hello
empty 0
big true
server stream 1000
client stream 100 4950
both streams 50 49
deadline DEADLINE_EXCEEDED
cancel CANCELLED
status FAILED_PRECONDITION not t\u00f6day because
'''


def missing(name):
    if name == 'node':
        return node.missing('@grpc/grpc-js')
    made = subprocess.run(['/usr/bin/python3', '-c', 'import grpc'], capture_output=True, check=False)
    return None if made.returncode == 0 else 'python3-grpcio is not installed: script/setup'


def words_of(request):
    why = missing(request.param)
    if why:
        pytest.skip(why)
    return PEERS[request.param]


@pytest.fixture
def client(request):
    return words_of(request)


@pytest.fixture
def behind(request):
    return words_of(request)


@pytest.fixture
def server(ports, tmp_path):
    running = []

    def start(words):
        port = ports.take()
        log = open(tmp_path / 'server.log', 'wb')
        running.append((subprocess.Popen([*words, 'server', str(port)], stdout=log, stderr=log, env=node.env()), log))
        backends.wait_listening(port, running[-1][0])
        return port, tmp_path / 'server.log'

    yield start
    for process, log in running:
        process.kill()
        process.wait(waiting.SECONDS)
        log.close()


def call(words, what, port, pki, leaf):
    shown = subprocess.run([*words, what, str(port), str(pki.servers.root.cert), str(leaf.chain), str(leaf.key)],
                           capture_output=True, text=True, timeout=4 * waiting.SECONDS, check=False, env=node.env())
    assert shown.returncode == 0, shown
    return shown.stdout


def behind_h2c(pki, port, number, **more):
    return configs.http_side(pki, port, f'127.0.0.1:{number}', upstream={'protocol': 'h2c'}, **more)


@pytest.mark.parametrize('client, behind', [('python', 'python'), ('node', 'node'), ('python', 'node'),
                                            ('node', 'python')], indirect=True)
def test_all_kinds_of_calls(handfast, pki, port, server, client, behind):
    number, log = server(behind)
    handfast(behind_h2c(pki, port, number))
    assert call(client, 'client', port, pki, pki.alice) == EXPECTED
    # both calls that were given up have ended at the server, too; the second may come before the
    # first is told of its end
    waiting.until(lambda: sorted(log.read_text().split()) == ['cancelled'] * 2 + ['waiting'] * 2)


@pytest.mark.parametrize('client', ['python', 'node'], indirect=True)
def test_refusal_is_a_grpc_status(handfast, pki, port, server, client):
    number, _ = server(PYTHON)
    handfast(behind_h2c(pki, port, number, routes=[{'allow': ['cn:bob'], 'to': 'app'}]))
    assert call(client, 'refused', port, pki, pki.alice) == 'refused PERMISSION_DENIED\n'
    assert call(client, 'refused', port, pki, pki.bob) == ''


@pytest.mark.parametrize('client', ['python', 'node'], indirect=True)
def test_server_that_is_gone_is_unavailable(handfast, pki, port, ports, client):
    handfast(behind_h2c(pki, port, ports.take()))
    assert call(client, 'refused', port, pki, pki.alice) == 'refused UNAVAILABLE\n'

# SPDX-License-Identifier: Apache-2.0
"""curl, openssl s_client and gnutls-cli, as people call them."""

import pytest

from harness import clients, configs

pytestmark = pytest.mark.engines

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n'


def http(connection, record):
    data = b''
    while b'\r\n\r\n' not in data:
        more = connection.recv(4096)
        if not more:
            return
        data += more
    connection.sendall(ANSWER)


@pytest.fixture
def daemon(handfast, pki, backend, port):
    return handfast(configs.server_side(pki, port, backend(http)))


@pytest.mark.quick
@pytest.mark.parametrize('version', ['--tlsv1.3', '--tls-max=1.2'])
def test_curl(daemon, pki, port, version):
    words = version.split('=')
    shown = clients.curl(port, *words, roots=pki.servers.root.cert, leaf=pki.alice)
    assert (shown.returncode, shown.stdout) == (0, 'hello\n'), shown.stderr
    shown = clients.curl(port, *words, roots=pki.servers.root.cert)
    assert shown.returncode in (35, 56), shown
    assert 'alert' in shown.stderr


@pytest.mark.parametrize('version', ['-tls1_2', '-tls1_3'])
def test_openssl_s_client(daemon, pki, port, version):
    request = b'GET / HTTP/1.0\r\n\r\n'
    shown = clients.s_client(port, version, '-ign_eof', '-quiet', roots=pki.servers.root.cert,
                             leaf=pki.alice, stdin=request)
    assert shown.stdout.endswith(b'hello\n'), shown.stderr
    shown = clients.s_client(port, version, '-ign_eof', '-quiet', roots=pki.servers.root.cert,
                             leaf=pki.stranger, stdin=request)
    assert b'unknown ca' in shown.stderr


@pytest.mark.parametrize('priority', ['NORMAL:-VERS-ALL:+VERS-TLS1.3',
                                      'NORMAL:-VERS-ALL:+VERS-TLS1.2'])
def test_gnutls_cli(daemon, pki, port, priority):
    request = b'GET / HTTP/1.0\r\n\r\n'
    shown = clients.gnutls_cli(port, '--priority', priority, roots=pki.servers.root.cert,
                               leaf=pki.alice, stdin=request)
    assert b'hello\n' in shown.stdout, shown
    shown = clients.gnutls_cli(port, '--priority', priority, roots=pki.servers.root.cert,
                               leaf=pki.expired, stdin=request)
    assert b'hello' not in shown.stdout
    daemon.log.wait(event='handshake', result='refused', reason='expired')


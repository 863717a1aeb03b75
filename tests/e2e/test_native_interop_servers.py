# SPDX-License-Identifier: Apache-2.0
"""The native engine as a client, with a certificate, against TLS 1.3 servers of others: in full and
resumed."""

import pathlib
import shutil
import subprocess

import pytest

from harness import backends, certs, daemon, waiting

GROUPS = ['X25519', 'P-256', 'P-384']
SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
KEYS = ['ec', 'p384', 'rsa', 'ed25519']

NODE = r'''
const tls = require('tls'), fs = require('fs');
const [port, ca, cert, key] = process.argv.slice(1);
tls.createServer({minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true,
  ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key)}, (s) => {
  s.on('error', () => {});
  s.on('data', () => s.end(`${s.getPeerCertificate().subject.CN} ${s.isSessionReused()}\n`));
}).listen(+port, '127.0.0.1');
'''

JAVA = r'''
import java.io.*; import java.nio.file.*; import java.security.*; import javax.net.ssl.*;
public class Server {
  public static void main(String[] a) throws Exception {
    KeyStore ours = KeyStore.getInstance("PKCS12"), roots = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(Path.of(a[1]))) { ours.load(in, "x".toCharArray()); }
    roots.load(null, null);
    try (InputStream in = Files.newInputStream(Path.of(a[2]))) {
      roots.setCertificateEntry("root",
        java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    KeyManagerFactory km = KeyManagerFactory.getInstance("PKIX");
    km.init(ours, "x".toCharArray());
    TrustManagerFactory tm = TrustManagerFactory.getInstance("PKIX");
    tm.init(roots);
    SSLContext ctx = SSLContext.getInstance("TLSv1.3");
    ctx.init(km.getKeyManagers(), tm.getTrustManagers(), null);
    SSLServerSocket l = (SSLServerSocket) ctx.getServerSocketFactory().createServerSocket(
      Integer.parseInt(a[0]), 50, java.net.InetAddress.getByName("127.0.0.1"));
    l.setNeedClientAuth(true);
    long first = 0;
    while (true) {
      try (SSLSocket s = (SSLSocket) l.accept()) {
        s.getInputStream().read();
        long made = s.getSession().getCreationTime();
        s.getOutputStream().write(
          (s.getSession().getPeerPrincipal().getName() + " " + (made == first) + "\n").getBytes());
        first = made;
      } catch (IOException e) { }
    }
  }
}
'''


@pytest.fixture
def program(ports, tmp_path):
    """Starts a server of others: program(words with {port}) -> its port."""
    running = []

    def start(words, **more):
        number = ports.take()
        process = subprocess.Popen([str(word).replace('{port}', str(number)) for word in words],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=tmp_path, **more)
        running.append(process)
        backends.wait_listening(number, process)
        return number

    yield start
    for process in running:
        process.kill()
        process.wait(waiting.SECONDS)


@pytest.fixture
def probe(pki):
    """probe(port) -> what tests/conformance/probe saw: [first handshake, second handshake]."""
    def run(port, leaf=None, request='GET / HTTP/1.0\r\n\r\n'):
        leaf = leaf or pki.bob
        words = [pathlib.Path(daemon.BUILD) / 'tests/conformance/probe', port, leaf.chain, leaf.key, request]
        shown = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                               timeout=waiting.SECONDS, check=False)
        assert shown.returncode == 0, shown
        first, again = shown.stdout.split('resumed TLS', 1)
        assert first.startswith('full TLS'), shown
        return [first, 'resumed TLS' + again]
    return run


def s_server(pki, *options, server=None):
    server = server or pki.server
    return ['openssl', 's_server', '-accept', '127.0.0.1:{port}', '-tls1_3', '-www', '-Verify', '3',
            '-verify_return_error', '-CAfile', pki.clients.root.cert, '-cert', server.cert,
            '-cert_chain', server.chain, '-key', server.key, *options]


@pytest.mark.parametrize('suite', SUITES)
@pytest.mark.parametrize('group', GROUPS)
def test_openssl_each_suite_and_group(program, probe, pki, suite, group):
    seen = probe(program(s_server(pki, '-ciphersuites', suite, '-groups', group)))
    for reused, page in zip(('New', 'Reused'), seen):
        assert f'{reused}, TLSv1.3, Cipher is {suite}' in page, page


@pytest.mark.parametrize('kind', KEYS)
def test_openssl_each_kind_of_key(program, probe, pki, kind):
    server = pki.servers.server('server.example', key=kind)
    leaf = pki.clients.client(f'bob {kind}', key=kind)
    first, again = probe(program(s_server(pki, server=server)), leaf)
    assert 'New, TLSv1.3' in first and 'Reused, TLSv1.3' in again


@pytest.mark.parametrize('group', ['X25519', 'SECP256R1', 'SECP384R1'])
def test_gnutls(program, probe, pki, group):
    priority = f'NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-{group}'
    for page in probe(program(['gnutls-serv', '--http', '--port', '{port}', '--priority', priority,
                               '--require-client-cert', '--verify-client-cert', '--x509cafile',
                               pki.clients.root.cert, '--x509certfile', pki.server.chain,
                               '--x509keyfile', pki.server.key])):
        assert 'TLS1.3' in page


@pytest.mark.skipif(not shutil.which('selfserv'), reason='NSS tools are not installed')
def test_nss(program, probe, pki, tmp_path):
    folder = tmp_path / 'nss'
    folder.mkdir()
    certs.nss_database(folder, pki.server, pki.clients.root.cert)
    for page in probe(program(['selfserv', '-d', f'sql:{folder}', '-n', pki.server.name, '-p', '{port}',
                               '-V', 'tls1.3:tls1.3', '-r', '-r', '-u', '-H', '0'])):
        assert 'HTTP/1.0 200 OK' in page


@pytest.mark.skipif(not shutil.which('node'), reason='node is not installed')
def test_node(program, probe, pki):
    first, again = probe(program(['node', '-e', NODE, '{port}', pki.clients.root.cert, pki.server.chain,
                                  pki.server.key]))
    assert first.endswith('bob false\n') and again.endswith(' true\n')


@pytest.mark.skipif(not shutil.which('java'), reason='java is not installed')
def test_java(program, probe, pki, tmp_path):
    (tmp_path / 'Server.java').write_text(JAVA)
    first, again = probe(program(['java', 'Server.java', '{port}', pki.server.pkcs12('x'),
                                  pki.clients.root.cert]), request='x')
    assert 'CN=bob' in first and again.endswith(' true\n')

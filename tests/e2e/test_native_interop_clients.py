# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 clients of others against the native engine: mutual, in full and resumed."""

import re
import shutil
import subprocess

import pytest

from harness import certs, clients, configs, waiting

SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
GROUPS = ['X25519', 'P-256', 'P-384']
KEYS = ['ec', 'p384', 'rsa', 'ed25519']

NODE = r'''
const tls = require('tls'), fs = require('fs');
const [port, ca, cert, key] = process.argv.slice(1);
const base = {host: '127.0.0.1', port: +port, servername: 'server.example', minVersion: 'TLSv1.3',
              ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key)};
function once(session, next) {
  const s = tls.connect({...base, session});
  let kept;
  s.on('session', (t) => { kept = t; });
  s.on('secureConnect', () => s.write('hello'));
  s.on('data', (d) => {
    console.log(d.toString(), s.getProtocol(), s.isSessionReused());
    s.end(); s.on('close', () => next(kept));
  });
  s.on('error', (e) => { console.log('error', e.message); process.exit(1); });
}
once(undefined, (t) => once(t, () => process.exit(0)));
'''

JAVA = r'''
import java.io.*; import java.nio.file.*; import java.security.*; import javax.net.ssl.*;
public class Client {
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
    long first = 0;
    for (int i = 0; i < 2; i++) {
      try (SSLSocket s = (SSLSocket) ctx.getSocketFactory().createSocket("localhost",
             Integer.parseInt(a[0]))) {
        s.setEnabledProtocols(new String[] {"TLSv1.3"});
        s.getOutputStream().write("hello".getBytes());
        byte[] b = s.getInputStream().readNBytes(5);
        long made = s.getSession().getCreationTime();
        System.out.println(new String(b) + " " + s.getSession().getProtocol() + " "
          + (i > 0 && made == first));
        first = made;
        Thread.sleep(20);
      }
    }
  }
}
'''


@pytest.fixture
def serve(handfast, pki, echo, port):
    def start(server=None, **tls):
        config = configs.server_side(pki, port, echo)
        config['listeners']['in']['tls'] = {'engine': 'native', 'versions': ['1.3'], **tls}
        if server:
            config['identities']['server'] = configs.identity(server)
        return handfast(config)
    return start


def openssl(port, pki, leaf, *options):
    return clients.s_client(port, '-tls1_3', '-ign_eof', *options, roots=pki.servers.root.cert,
                            leaf=leaf, stdin=b'')


def exchange(port, pki, leaf, **more):
    with clients.connect(port, pki.servers.root.cert, leaf, versions=('1.3',), **more) as one:
        assert clients.exchange(one) == b'hello over there'
        return one.cipher()[0], one.session_reused, one.session


@pytest.mark.parametrize('suite', SUITES)
@pytest.mark.parametrize('group', GROUPS)
def test_openssl_each_suite_and_group(serve, pki, port, suite, group):
    serve(suites=[suite], groups=[group])
    made = clients.context(pki.servers.root.cert, pki.alice, versions=('1.3',))
    chosen, resumed, session = exchange(port, pki, None, context=made)
    assert (chosen, resumed) == (suite, False)
    chosen, resumed, _ = exchange(port, pki, None, context=made, session=session)
    assert (chosen, resumed) == (suite, True)


@pytest.mark.parametrize('kind', KEYS)
def test_openssl_each_kind_of_key(serve, pki, port, kind):
    server = pki.servers.server('server.example', key=kind)
    serve(server)
    assert exchange(port, pki, pki.clients.client(f'alice {kind}', key=kind))[1] is False


def test_openssl_key_update(serve, pki, port):
    serve()
    words = ['openssl', 's_client', '-connect', f'127.0.0.1:{port}', '-tls1_3', '-servername',
             'server.example', '-CAfile', str(pki.servers.root.cert), '-cert', str(pki.alice.cert),
             '-cert_chain', str(pki.alice.chain), '-key', str(pki.alice.key)]
    shown = subprocess.run(words, input=b'K\nfirst\nk\nsecond\nQ\n', capture_output=True,
                           timeout=waiting.SECONDS, check=False)
    assert b'KEYUPDATE' in shown.stderr + shown.stdout and b'error' not in shown.stderr, shown


@pytest.mark.parametrize('cipher', ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'])
@pytest.mark.parametrize('group', ['X25519', 'SECP256R1', 'SECP384R1'])
def test_gnutls(serve, pki, port, cipher, group):
    serve()
    priority = f'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}:-GROUP-ALL:+GROUP-{group}'
    shown = clients.gnutls_cli(port, '--priority', priority, '--resume', '--waitresumption',
                               roots=pki.servers.root.cert, leaf=pki.alice, stdin=b'hello\n')
    assert shown.stdout.count(b'hello') == 1 and b'*** This is a resumed session' in shown.stdout, shown


def test_curl(serve, pki, port, backend, handfast):
    serve()
    shown = clients.curl(port, '--tlsv1.3', '--http0.9', '--data', 'x', roots=pki.servers.root.cert,
                         leaf=pki.alice)
    assert 'SSL' not in shown.stderr, shown


@pytest.mark.skipif(not shutil.which('tstclnt'), reason='NSS tools are not installed')
@pytest.mark.parametrize('kind', ['ec', 'rsa'])
def test_nss(serve, pki, port, tmp_path, kind):
    serve()
    leaf = pki.clients.client(f'nss {kind}', key=kind)
    database = f'sql:{tmp_path}'
    certs.nss_database(tmp_path, leaf, pki.servers.root.cert)
    shown = subprocess.run(['tstclnt', '-h', 'localhost', '-p', str(port), '-d', database, '-n', leaf.name,
                            '-V', 'tls1.3:tls1.3', '-a', 'server.example', '-L', '5', '-4', '-Q', '-v'],
                           input=b'', capture_output=True, timeout=waiting.SECONDS, check=False)
    assert shown.returncode == 0, shown
    # it may leave before the first ticket comes, so not each of its connections resumes
    assert re.search(rb'[1-9] stateless resumes', shown.stdout + shown.stderr), shown


@pytest.mark.skipif(not shutil.which('node'), reason='node is not installed')
def test_node(serve, pki, port):
    serve()
    shown = subprocess.run(['node', '-e', NODE, str(port), str(pki.servers.root.cert),
                            str(pki.alice.chain), str(pki.alice.key)], capture_output=True, text=True,
                           timeout=waiting.SECONDS, check=False)
    assert shown.stdout.split('\n')[:2] == ['hello TLSv1.3 false', 'hello TLSv1.3 true'], shown


@pytest.mark.skipif(not shutil.which('java'), reason='java is not installed')
def test_java(serve, pki, port, tmp_path):
    serve()
    (tmp_path / 'Client.java').write_text(JAVA)
    leaf = pki.clients.client('java', key='rsa')
    shown = subprocess.run(['java', str(tmp_path / 'Client.java'), str(port), str(leaf.pkcs12('x')),
                            str(pki.servers.root.cert)], capture_output=True, text=True,
                           timeout=3 * waiting.SECONDS, check=False)
    assert shown.stdout.split('\n')[:2] == ['hello TLSv1.3 false', 'hello TLSv1.3 true'], shown

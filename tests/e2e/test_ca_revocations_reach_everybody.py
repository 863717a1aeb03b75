# SPDX-License-Identifier: Apache-2.0
"""What a CA revokes reaches all who ask: lists and OCSP, read by programs of others; the proxies of
the same daemon, at once; other nodes by a feed."""

import base64
import http.client
import pathlib
import shutil
import ssl
import subprocess
import time
import urllib.parse

import pytest

from harness import backends, cas, clients, configs, waiting

JAVA = pathlib.Path(__file__).parent / 'programs' / 'PkixRevocation.java'


class Served:
    """A CA in a daemon: public part on a plain listener, feed and a door on one with TLS."""

    def __init__(self, handfast, ports, folder, init=(), **ca):
        self.public, self.door, self.folder = ports.take(), ports.take(), folder
        self.base = f'http://127.0.0.1:{self.public}/pki'
        shard = '-{shard}' if '--shards' in init else ''
        self.first = 'issuing-0' if shard else 'issuing'
        self.ca = cas.Ca(folder / 'ca', init=[
            '--crl-url', f'{self.base}/crl/{{authority}}{shard}.crl', '--ocsp-url', f'{self.base}/ocsp',
            '--issuer-url', f'{self.base}/ca/{{authority}}.crt', *init])
        self.server = self.ca.issue('server', 'server.example', '--san', 'IP:127.0.0.1')
        self.alice, self.bob = self.ca.issue('client', 'alice'), self.ca.issue('client', 'bob')
        self.roots = self.ca.roots
        self.handfast, self.settings = handfast, ca
        self.start()
        self.issuing = folder / 'issuing.pem'
        self.issuing.write_text(ssl.DER_cert_to_PEM_cert(self.get('/ca/issuing.crt').body))

    def config(self):
        return {
            'ca': {'main': {'store': str(self.ca.folder), 'crl-delay': '0s', **self.settings}},
            'identities': {'server': configs.identity(self.server)},
            'trust': {'ours': {'roots': str(self.roots), 'ca': 'main'}},
            'listeners': {
                'public': {'listen': [f'127.0.0.1:{self.public}'], 'plain': True, 'mode': 'http',
                           'routes': [{'match': {'path': '/pki/'}, 'service': 'main/public'}]},
                'door': {'listen': [f'127.0.0.1:{self.door}'], 'identities': ['server'],
                         'client': 'require', 'trust': 'ours', 'mode': 'http', 'tls': configs.ENGINE,
                         'routes': [{'match': {'path': '/feed/'}, 'service': 'main/feed'},
                                    {'respond': {'status': 200, 'body': 'in\n'}}]}}}

    def start(self):
        self.daemon = self.handfast(self.config())
        self.daemon.log.wait(event='ocsp', text='issuing of the CA main has a new OCSP signer')
        waiting.until(lambda: self.get(f'/crl/{self.first}.crl').status == 200)
        waiting.until(lambda: self.get('/ca/issuing.crt').status == 200)

    def get(self, path, method='GET', body=None, **fields):
        connection = http.client.HTTPConnection('127.0.0.1', self.public, timeout=waiting.SECONDS)
        connection.request(method, '/pki' + path, body,
                           {name.replace('_', '-'): value for name, value in fields.items()})
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer

    def crl(self, name='issuing'):
        return self.get(f'/crl/{name}.crl').body

    def read_crl(self, name='issuing'):
        return openssl('crl', '-inform', 'DER', '-noout', '-text', stdin=self.crl(name))

    def revoke(self, leaf, *words):
        """Revokes by the command line, and waits for the proxies to know."""
        seen = len(self.daemon.log.all(event='revocation'))
        self.ca.good('revoke', '--cert', leaf.cert, *words)
        self.daemon.log.wait(count=seen + 1, event='revocation')

    def wait_crl(self, serial, name='issuing', gone=False):
        waiting.until(lambda: (serial in self.read_crl(name)) != gone)

    def ask(self, leaf, *words, options=()):
        return openssl('ocsp', '-issuer', self.issuing, *options, '-cert', leaf.cert, *words,
                       '-url', self.base + '/ocsp', '-header', f'Host=127.0.0.1:{self.public}',
                       '-CAfile', self.roots)


def openssl(*words, stdin=None, good=True):
    ended = subprocess.run(['openssl', *map(str, words)], input=stdin, capture_output=True, timeout=60)
    text = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 0 or not good, text
    return text


def serial_of(leaf):
    text = openssl('x509', '-in', leaf.cert, '-noout', '-serial')
    return text.split('=')[1].strip()


@pytest.fixture
def served(handfast, ports, tmp_path):
    return lambda init=(), **ca: Served(handfast, ports, tmp_path, init, **ca)


# --- At once ----------------------------------------------------------------------------------


def test_a_revocation_cuts_live_sessions_and_shuts_the_door(served):
    ca = served()
    with clients.connect(ca.door, ca.roots, ca.bob) as session:
        ca.revoke(ca.bob, '--reason', 'keyCompromise')
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            while session.recv(100):
                pass
    line = ca.daemon.log.wait(event='no-longer-admitted')
    assert line['reason'] == 'revoked' and 'says the CA main' in line['text']
    assert clients.refusal(ca.door, ca.roots, ca.bob) == 'certificate revoked'
    with clients.connect(ca.door, ca.roots, ca.alice):
        pass


def test_a_hold_can_be_released(served):
    ca = served()
    seen = len(ca.daemon.log.all(event='revocation'))
    ca.ca.good('hold', '--cert', ca.bob.cert)
    ca.daemon.log.wait(count=seen + 1, event='revocation')
    assert clients.refusal(ca.door, ca.roots, ca.bob)
    assert ca.daemon.log.wait(event='handshake', result='refused')['reason'] == 'on-hold'
    assert 'certificateHold' in ca.ask(ca.bob)
    ca.ca.good('release', '--cert', ca.bob.cert)
    ca.daemon.log.wait(count=seen + 2, event='revocation')
    with clients.connect(ca.door, ca.roots, ca.bob):
        pass
    assert ': good' in ca.ask(ca.bob)


# --- Lists ------------------------------------------------------------------------------------


def test_lists_are_read_by_others(served, tmp_path):
    ca = served()
    ca.revoke(ca.bob, '--reason', 'keyCompromise')
    ca.wait_crl(serial_of(ca.bob))
    text = ca.read_crl()
    assert 'Key Compromise' in text and text.count('Serial Number') == 1
    for name in ('issuing', 'root'):
        (tmp_path / f'{name}.crl').write_bytes(ca.crl(name))
        openssl('crl', '-inform', 'DER', '-in', tmp_path / f'{name}.crl', '-out', tmp_path / f'{name}-list.pem')
    lists = tmp_path / 'lists.pem'
    lists.write_text((tmp_path / 'issuing-list.pem').read_text() + (tmp_path / 'root-list.pem').read_text())
    check = ['verify', '-crl_check_all', '-CAfile', ca.roots, '-untrusted', ca.issuing, '-CRLfile', lists]
    assert 'OK' in openssl(*check, ca.alice.cert)
    assert 'certificate revoked' in openssl(*check, ca.bob.cert, good=False)
    # GnuTLS
    shown = subprocess.run(['certtool', '--verify-crl', '--load-ca-certificate', ca.issuing, '--infile',
                            tmp_path / 'issuing-list.pem'], capture_output=True, timeout=60)
    assert b'output: Verified' in shown.stdout + shown.stderr, shown
    # NSS
    database = tmp_path / 'nss'
    database.mkdir()
    for words in (['certutil', '-N', '--empty-password'],
                  ['certutil', '-A', '-n', 'root', '-t', 'CT,C,C', '-i', ca.roots],
                  ['certutil', '-A', '-n', 'issuing', '-t', ',,', '-i', ca.issuing],
                  ['certutil', '-A', '-n', 'bob', '-t', ',,', '-i', ca.bob.cert],
                  ['crlutil', '-I', '-i', tmp_path / 'issuing.crl']):
        subprocess.run([*map(str, words), '-d', f'sql:{database}'], check=True, timeout=60,
                       capture_output=True)
    shown = subprocess.run(['certutil', '-V', '-u', 'C', '-n', 'bob', '-d', f'sql:{database}'],
                           capture_output=True, timeout=60)
    assert b'revoked' in (shown.stdout + shown.stderr).lower(), shown


def test_lists_in_a_folder_are_what_nginx_and_haproxy_use(served, ports, tmp_path):
    folder = tmp_path / 'lists'
    folder.mkdir()
    ca = served(**{'crl-folder': str(folder)})
    ca.revoke(ca.bob)
    ca.wait_crl(serial_of(ca.bob))
    assert sorted(path.name for path in folder.iterdir()) == ['issuing.crl', 'root.crl']
    pem = tmp_path / 'all.pem'
    pem.write_text(''.join(openssl('crl', '-inform', 'DER', '-in', path) for path in folder.iterdir()))
    whole = tmp_path / 'ca-chain.pem'
    whole.write_text(ca.roots.read_text() + ca.issuing.read_text())
    port = ports.take()
    both = tmp_path / 'both.pem'
    both.write_text(ca.server.chain.read_text() + ca.server.key.read_text())
    (tmp_path / 'haproxy.cfg').write_text(f'''
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend in
  bind 127.0.0.1:{port} ssl crt {both} ca-file {whole} verify required crl-file {pem}
  http-request return status 200
''')
    process = subprocess.Popen(['haproxy', '-db', '-f', tmp_path / 'haproxy.cfg'],
                               stderr=subprocess.DEVNULL)
    try:
        backends.wait_listening(port, process)
        with clients.connect(port, ca.roots, ca.alice):
            pass
        assert clients.refusal(port, ca.roots, ca.bob) == 'certificate revoked'
    finally:
        process.terminate()
        process.wait(waiting.SECONDS)
    nginx = backends.Nginx(tmp_path / 'nginx', ports.take(), ca.server, whole,
                           f'ssl_crl {pem};')
    try:
        for leaf, status in ((ca.alice, b'200'), (ca.bob, b'400')):
            with clients.connect(nginx.port, ca.roots, leaf) as connection:
                connection.sendall(b'GET / HTTP/1.0\r\nHost: server.example\r\n\r\n')
                assert clients.read_to_end(connection).split(b' ')[1] == status
    finally:
        nginx.close()


def test_documents_are_kept_by_caches_and_asked_for_again(served):
    ca = served()
    first = ca.get('/crl/issuing.crl')
    assert first.status == 200 and first.headers['content-type'] == 'application/pkix-crl'
    assert first.headers['cache-control'] == 'public, max-age=300, must-revalidate'
    again = ca.get('/crl/issuing.crl', if_none_match=f'"x", W/{first.headers["etag"]}')
    assert again.status == 304 and again.body == b'' and again.headers['etag'] == first.headers['etag']
    again = ca.get('/crl/issuing.crl', if_modified_since=first.headers['last-modified'])
    assert again.status == 304
    head = ca.get('/crl/issuing.crl', method='HEAD')
    assert head.headers['content-length'] == str(len(first.body)) and head.body == b''
    ca.revoke(ca.bob)
    ca.wait_crl(serial_of(ca.bob))
    assert ca.get('/crl/issuing.crl', if_none_match=first.headers['etag']).status == 200
    assert ca.get('/crl/issuing.crl', method='POST', body=b'').headers['allow'] == 'GET, HEAD'
    assert ca.get('/crl/nobody.crl').status == 404
    assert ca.get('/ca/issuing.crt').headers['content-type'] == 'application/pkix-cert'
    assert ca.get('/ca/roots.pem').body == ca.roots.read_bytes()


def test_deltas_add_and_take_back(served):
    ca = served(**{'delta-lifetime': '10m'})
    waiting.until(lambda: ca.get('/crl/issuing-delta.crl').status == 200)
    full = ca.read_crl()
    assert f'{ca.base}/crl/issuing-delta.crl' in full
    ca.ca.good('hold', '--cert', ca.bob.cert)
    ca.wait_crl(serial_of(ca.bob), 'issuing-delta')
    delta = ca.read_crl('issuing-delta')
    assert 'Delta CRL Indicator: critical' in delta and 'Certificate Hold' in delta
    assert ca.read_crl() == full
    ca.ca.good('release', '--cert', ca.bob.cert)
    waiting.until(lambda: 'Remove From CRL' in ca.read_crl('issuing-delta'))


def test_shards_have_those_that_name_them(served):
    ca = served(init=['--shards', '4'])
    text = openssl('x509', '-in', ca.bob.cert, '-noout', '-ext', 'crlDistributionPoints')
    shard = int(text.split('issuing-')[1].split('.crl')[0])
    ca.revoke(ca.bob)
    ca.wait_crl(serial_of(ca.bob), f'issuing-{shard}')
    for other in range(4):
        waiting.until(lambda other=other: ca.get(f'/crl/issuing-{other}.crl').status == 200)
        shown = ca.read_crl(f'issuing-{other}')
        assert f'{ca.base}/crl/issuing-{other}.crl' in shown
        assert 'Issuing Distribution Point: critical' in shown
        assert (serial_of(ca.bob) in shown) == (other == shard)


def test_numbers_only_go_up(served):
    ca = served()
    numbers = [number(ca)]
    for leaf in (ca.bob, ca.alice):
        ca.revoke(leaf)
        ca.wait_crl(serial_of(leaf))
        numbers.append(number(ca))
    ca.daemon.stop()
    ca.start()
    numbers.append(number(ca))
    assert numbers == sorted(set(numbers))
    assert ca.read_crl().count('Serial Number') == 2


def number(ca):
    text = openssl('crl', '-inform', 'DER', '-noout', '-crlnumber', stdin=ca.crl())
    return int(text.split('=')[1], 16)


# --- OCSP -------------------------------------------------------------------------------------


def test_openssl_is_answered(served):
    ca = served()
    for words in ([], ['-no_nonce'], ['-sha256']):
        shown = ca.ask(ca.alice, options=words)
        assert 'Response verify OK' in shown and f'{ca.alice.cert}: good' in shown
    assert 'WARNING' not in ca.ask(ca.alice)  # the nonce came back
    ca.revoke(ca.bob, '--reason', 'superseded')
    shown = ca.ask(ca.bob, '-no_nonce')
    assert f'{ca.bob.cert}: revoked' in shown and 'Reason: superseded' in shown
    shown = ca.ask(ca.alice, '-cert', ca.bob.cert, '-serial', '0x1234')
    assert ': good' in shown and ': revoked' in shown and '0x1234: unknown' in shown
    other = openssl('ocsp', '-issuer', ca.server.cert, '-serial', '1', '-url', ca.base + '/ocsp',
                    '-header', f'Host=127.0.0.1:{ca.public}', '-CAfile', ca.roots, good=False)
    assert 'unauthorized' in other


def test_a_ca_whose_place_was_taken_goes_on_answering_until_nobody_is_left(served):
    ca = served()
    ca.ca.good('rotate start')
    ca.daemon.stop()
    ca.start()  # which waits for a new OCSP signer of the old issuing CA
    assert ': good' in ca.ask(ca.alice)
    for leaf in (ca.server, ca.alice, ca.bob):
        assert 'good certificates are left below "root"' in ca.ca.bad('rotate finish')
        ca.revoke(leaf)
    assert ': revoked' in ca.ask(ca.alice)
    ca.ca.good('rotate finish')


def test_get_is_answered_however_it_is_written(served, tmp_path):
    ca = served()
    request = tmp_path / 'request.der'
    seen = set()
    for serial in range(1, 60):  # until base64 has had each of its odd characters
        openssl('ocsp', '-issuer', ca.issuing, '-serial', hex(serial << 64 | serial * 0x3ffb7e),
                '-no_nonce', '-reqout', request)
        text = base64.b64encode(request.read_bytes()).decode()
        seen |= set(text) & set('+/')
        for path in (text, urllib.parse.quote(text, safe='')):
            answer = ca.get('/ocsp/' + path)
            assert answer.status == 200 and answer.headers['content-type'] == 'application/ocsp-response'
            assert answer.body[:4] == b'\x30\x82' + answer.body[2:4] and len(answer.body) > 300
    assert seen == set('+/')
    assert ca.get('/ocsp/../crl/issuing.crl').status == 200
    assert ca.get('/ocsp/AAAA').body == bytes.fromhex('30030a0101')  # malformedRequest


def test_answers_are_kept_by_caches(served, tmp_path):
    ca = served(**{'ocsp-lifetime': '1h'})
    request = tmp_path / 'request.der'
    openssl('ocsp', '-issuer', ca.issuing, '-cert', ca.bob.cert, '-no_nonce', '-reqout', request)
    path = '/ocsp/' + urllib.parse.quote(base64.b64encode(request.read_bytes()).decode(), safe='')
    first = ca.get(path)
    age = int(first.headers['cache-control'].split('max-age=')[1].split(',')[0])
    assert 3500 <= age <= 3600 and 'public, no-transform, must-revalidate' in first.headers['cache-control']
    assert first.headers['expires'] and first.headers['last-modified']
    assert ca.get(path).body == first.body  # signed once
    assert ca.get(path, if_none_match=first.headers['etag']).status == 304
    ca.revoke(ca.bob)
    assert ca.get(path).body != first.body
    posted = ca.get('/ocsp', method='POST', body=request.read_bytes(),
                    content_type='application/ocsp-request')
    assert posted.headers['cache-control'] == 'no-store'
    assert ca.get('/ocsp', method='POST', body=b'x', content_type='text/plain').status == 415
    assert ca.get('/ocsp', method='POST', body=b'x', content_type='application/ocsp-request').body \
        == bytes.fromhex('30030a0101')


def test_gnutls_nss_and_java_are_answered(served, tmp_path):
    ca = served()
    ca.revoke(ca.bob, '--reason', 'keyCompromise')
    ca.wait_crl(serial_of(ca.bob))
    for leaf, status in ((ca.alice, b'good'), (ca.bob, b'revoked')):
        shown = subprocess.run(['ocsptool', f'--ask={ca.base}/ocsp', '--load-cert', leaf.cert,
                                '--load-issuer', ca.issuing, '--load-trust', ca.roots],
                               capture_output=True, timeout=60, input=b'')
        assert b'Certificate Status: ' + status in shown.stdout + shown.stderr, shown
    database = tmp_path / 'nss'
    database.mkdir()
    for words in (['-N', '--empty-password'], ['-A', '-n', 'root', '-t', 'CT,C,C', '-i', ca.roots],
                  ['-A', '-n', 'issuing', '-t', ',,', '-i', ca.issuing],
                  ['-A', '-n', 'alice', '-t', ',,', '-i', ca.alice.cert],
                  ['-A', '-n', 'bob', '-t', ',,', '-i', ca.bob.cert]):
        subprocess.run(['certutil', *map(str, words), '-d', f'sql:{database}'], check=True, timeout=60,
                       capture_output=True)
    for name, status in (('alice', b'succeeded'), ('bob', b'revoked')):
        shown = subprocess.run(['ocspclnt', '-V', name, '-u', 'c', '-d', f'sql:{database}'],
                               capture_output=True, timeout=60)
        assert status in (shown.stdout + shown.stderr).lower(), shown
    if shutil.which('java'):
        for mode in ('ocsp', 'crl'):
            for leaf, status in ((ca.alice, 'good'), (ca.bob, 'REVOKED')):
                shown = subprocess.run(
                    ['java', JAVA, mode, ca.roots, leaf.cert, ca.issuing], capture_output=True,
                    text=True, timeout=120)
                assert shown.stdout.strip() == status, shown


# --- The feed ---------------------------------------------------------------------------------


def feed(ca, query, leaf=None):
    connection = clients.connect(ca.door, ca.roots, leaf or ca.alice, alpn=['http/1.1'])
    connection.sendall(f'GET /feed/?{query} HTTP/1.1\r\nHost: server.example\r\n\r\n'.encode())
    return connection


def lines(connection):
    with connection:
        answer = clients.HttpReader(connection).answer()
    assert answer.status == 200
    return answer.body.decode().splitlines()


def test_the_feed_tells_all_then_what_is_new(served):
    ca = served()
    ca.revoke(ca.bob, '--reason', 'keyCompromise')
    told = lines(feed(ca, 'since=0'))
    store = told[1].split()[1]
    serial = serial_of(ca.bob).lower().lstrip('0')
    assert told[0] == 'handfast-revocations 1' and told[2] == 'from 0' and told[-1] == 'end 1'
    revoked = [line.split() for line in told if line[0] == '+']
    assert [(line[2].lstrip('0'), line[3]) for line in revoked] == [(serial, '1')]
    waits = feed(ca, f'store={store}&since=1&wait=50')
    carol = ca.ca.issue('client', 'carol')
    began = time.monotonic()
    ca.ca.good('revoke', '--cert', carol.cert)
    told = lines(waits)
    assert time.monotonic() - began < 45, 'it came when the wait was over'
    assert told[2] == 'from 1' and told[-1] == 'end 2'
    assert sum(line.startswith('+ ') for line in told) == 1
    assert lines(feed(ca, f'store={store}&since=2&wait=0'))[-1] == 'end 2'
    assert lines(feed(ca, 'store=another&since=2&wait=50'))[2] == 'from 0'


def test_a_feed_that_waits_does_not_hold_up_the_end(served):
    ca = served()
    store = lines(feed(ca, 'since=0'))[1].split()[1]
    waits = feed(ca, f'store={store}&since=0&wait=50')
    lines(feed(ca, 'since=0'))
    ca.daemon.stop()
    assert lines(waits)[-1] == 'end 0'


# --- Another node -----------------------------------------------------------------------------


@pytest.fixture
def node(served, handfast, ports):
    """A CA that is served, and a daemon elsewhere that follows its feed: (ca, daemon, its port)."""
    def start(**more):
        ca, port = served(), ports.take()
        config = ca.config()
        listener = {**config['listeners']['door'], 'listen': [f'127.0.0.1:{port}'],
                    'routes': [{'respond': {'status': 200, 'body': 'in\n'}}]}
        config['identities']['node'] = configs.identity(ca.alice)
        config['ca'] = {'far': {'feed': f'https://127.0.0.1:{ca.door}/feed/', 'identity': 'node',
                                'roots': str(ca.roots), **more}}
        config['trust'] = {'ours': {'roots': str(ca.roots), 'ca': 'far'}}
        config['listeners'] = {'in': listener}
        return ca, handfast(config), port
    return start


def comes_in(ca, port):
    try:
        with clients.connect(port, ca.roots, ca.bob, alpn=['http/1.1']) as connection:
            connection.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
            return clients.HttpReader(connection).answer().status == 200
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_revocation_reaches_other_nodes(node):
    ca, far, port = node()
    waiting.until(lambda: comes_in(ca, port))  # nobody does before the feed has answered
    with clients.connect(port, ca.roots, ca.bob) as session:
        began = time.monotonic()
        ca.ca.good('revoke', '--cert', ca.bob.cert, '--reason', 'keyCompromise')
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            while session.recv(100):
                pass
    assert 'says the CA far' in far.log.wait(event='no-longer-admitted')['text']
    assert clients.refusal(port, ca.roots, ca.bob) == 'certificate revoked'
    assert time.monotonic() - began < 45, 'it came when the wait of the feed was over'


def test_who_does_not_hear_the_feed_lets_nobody_in(node):
    ca, far, port = node()
    waiting.until(lambda: comes_in(ca, port))
    far.stop()
    ca.daemon.stop()
    far = ca.handfast(far.config_path.read_text())
    refused = clients.refusal(port, ca.roots, ca.bob)
    assert refused == 'certificate unknown'
    line = far.log.wait(event='handshake', result='refused')
    assert line['reason'] == 'crl-stale' and "isn't heard any more" in line['detail']


# --- Our own proxies, by OCSP -----------------------------------------------------------------


def test_a_proxy_elsewhere_asks_by_ocsp_and_shows_its_own_answer(served, handfast, ports, tmp_path):
    """One that knows the roots and the host of the responder, and nothing else."""
    ca = served()
    port, state = ports.take(), tmp_path / 'elsewhere'
    state.mkdir()
    elsewhere = handfast({
        'state': str(state),
        'identities': {'server': configs.identity(ca.server, **{'fetch-staple': True})},
        'trust': {'ours': {'roots': str(ca.roots),
                           'ocsp': {'from-certificates': [f'http://127.0.0.1:{ca.public}'],
                                    'leaf-only': True, 'refresh': '1s', 'nonce': 'require'}}},
        'listeners': {'door': {'listen': [f'127.0.0.1:{port}'], 'identities': ['server'], 'client': 'require',
                               'trust': 'ours', 'mode': 'http', 'tls': configs.ENGINE,
                               'routes': [{'respond': {'status': 200, 'body': 'in\n'}}]}}})
    assert 'is shown' in elsewhere.log.wait(event='staple')['text']
    shown = clients.s_client(port, '-status', roots=ca.roots, leaf=ca.alice).stdout.decode()
    assert 'Cert Status: good' in shown
    with clients.connect(port, ca.roots, ca.bob) as session:
        ca.revoke(ca.bob, '--reason', 'keyCompromise')
        with pytest.raises(ssl.SSLError, match='(?i)revoked'):
            while session.recv(100):
                pass
    assert clients.refusal(port, ca.roots, ca.bob) == 'certificate revoked'
    with clients.connect(port, ca.roots, ca.alice):
        pass

# SPDX-License-Identifier: Apache-2.0
"""mode: http: the backend is told who the client is, in the spellings that its upstream names; by
nobody but the proxy; and the same on a resumed session as on a full one."""

import base64
import hashlib
import re
import ssl
import urllib.parse

import pytest

from harness import clients, configs
from harness.recorder import Recorder

# What clients send to be taken for somebody else, in the spellings of several proxies.
SPOOFS = {
    'X-Forwarded-Client-Cert': 'By=spiffe://x;Hash=00;URI=spiffe://example.org/admin',
    'X_Forwarded_Client_Cert': 'Hash=01', 'x.forwarded.client.cert': 'Hash=02',
    'Client-Cert': ':AAAA:', 'Client-Cert-Chain': ':AAAA:', 'Client_Cert': ':AAAA:',
    'X-Forwarded-For': '10.0.0.1', 'X_Forwarded_For': '10.0.0.2', 'X-Forwarded-Proto': 'gopher',
    'X-Forwarded-Host': 'admin.example', 'X-Forwarded-Port': '1', 'X-Forwarded-Tls-Client-Cert': 'x',
    'Forwarded': 'for=10.0.0.3', 'X-Real-Ip': '10.0.0.4', 'True-Client-Ip': '10.0.0.5',
    'ssl-client-verify': 'SUCCESS', 'SSL_CLIENT_S_DN': 'CN=admin', 'X-SSL-Client-CN': 'admin',
    'X-Client-DN': 'CN=admin', 'x_client_dn': 'CN=admin', 'Remote-User': 'admin',
    'X-Handfast-Token': 'eyJ.eyJ.x', 'X-Acme-User': 'admin', 'X-Acme-Groups': 'admins',
    'X-Amzn-Mtls-Clientcert-Leaf': 'x', 'X-Request-Id': 'mine',
}
FORWARD = {
    'identity': ['x-forwarded-client-cert', 'client-cert', 'client-cert-chain'],
    'xfcc-parts': ['by', 'hash', 'cert', 'chain', 'subject', 'uri', 'dns'],
    'address': ['x-forwarded', 'forwarded', 'x-real-ip'],
    'headers': {
        'x-client-id': '{peer.id}', 'x-client-dn': '{peer.dn}', 'x-client-serial': '{peer.serial}',
        'x-client-mail': '{peer.email}', 'ssl-client-verify': '{peer.verify}',
        'ssl-client-cert': '{peer.cert_pem_urlencoded}',
        'x-ssl-cipher': '{tls.cipher} {tls.version}', 'x-acme-key': '{peer.spki}',
        'x-client-ou': '{peer.ou}',
    },
    'strip': ['X-Acme-*'],
}
# Of one request, not of who sent it.
OF_REQUEST = {'x-request-id', 'traceparent'}


def read_until(connection, end):
    data = b''
    while end not in data:
        more = connection.recv(65536)
        assert more, f'it ended after {data!r}'
        data += more
    return data


def der_of(pem):
    return ssl.PEM_cert_to_DER_cert(pem)


def certificates(path):
    return re.findall(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?', path.read_text(),
                      re.DOTALL)


def item(der):
    return f':{base64.b64encode(der).decode()}:'


@pytest.fixture
def told(pki, port, backend, handfast):
    """Starts a daemon; asking it gives the request as the backend got it."""
    class Told:
        def __init__(self, forward, listener=None, **more):
            self.recorder = Recorder()
            self.address = backend(self.recorder.serve)
            config = configs.http_side(pki, port, self.address, None, listener, {'forward': forward},
                                       **more)
            self.daemon = handfast(config)

        def fields(self, connection, fields=None, path='/'):
            extra = ''.join(f'{name}: {value}\r\n' for name, value in (fields or {}).items())
            connection.sendall(f'GET {path} HTTP/1.1\r\nHost: server.example\r\n{extra}\r\n'.encode())
            self.answer = read_until(connection, b'ok')
            return self.recorder.take()[-1].fields
    return Told


def connect(pki, port, leaf, **more):
    return clients.connect(port, pki.servers.root.cert, leaf, **more)


@pytest.mark.quick
def test_clients_tell_nothing_of_themselves(told, pki, port):
    here = told(FORWARD)
    alice = pki.alice
    with connect(pki, port, alice) as client:
        fields = here.fields(client, SPOOFS)
    chain = [der_of(pem) for pem in certificates(alice.chain)]
    escaped = ''.join(urllib.parse.quote(pem, safe='') for pem in certificates(alice.chain))
    leaf = urllib.parse.quote(certificates(alice.cert)[0], safe='')
    digest = hashlib.sha256(chain[0]).hexdigest()
    subject = alice.field('-subject', '-nameopt', 'RFC2253')
    del fields['traceparent'], fields['host'], fields['x-acme-key']
    assert len(fields.pop('x-request-id')) == 16
    assert fields == {
        'x-forwarded-client-cert':
            f'Hash={digest};Cert="{leaf}";Chain="{escaped}";Subject="{subject}"'
            ';URI=spiffe://example.org/alice',
        'client-cert': item(chain[0]), 'client-cert-chain': ', '.join(map(item, chain[1:])),
        'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https',
        'x-forwarded-host': 'server.example', 'x-forwarded-port': str(port),
        'forwarded': 'for=127.0.0.1;host=server.example;proto=https', 'x-real-ip': '127.0.0.1',
        'x-client-id': 'spiffe://example.org/alice', 'x-client-dn': subject,
        'x-client-serial': alice.serial, 'x-client-mail': 'alice@example.org',
        'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': leaf,
        'x-ssl-cipher': 'TLS_AES_128_GCM_SHA256 TLSv1.3',
    }


@pytest.mark.engines
@pytest.mark.parametrize('version', ['1.2', '1.3'])
@pytest.mark.parametrize('engine', ['native', 'libssl'])
def test_resumed_sessions_are_told_like_full_ones(told, pki, port, version, engine):
    here = told(FORWARD, {'tls': {'engine': engine}})
    context = clients.context(pki.servers.root.cert, pki.alice, versions=(version,))
    with connect(pki, port, None, context=context) as client:
        full = here.fields(client)
        session = client.session
    with connect(pki, port, None, context=context, session=session) as client:
        assert client.session_reused
        resumed = here.fields(client)
    ids = [{name: fields.pop(name) for name in OF_REQUEST} for fields in (full, resumed)]
    assert ids[0] != ids[1]
    assert resumed == full
    assert full['client-cert'] and full['client-cert-chain'] and 'Chain=' in full['x-forwarded-client-cert']


def test_nobody_is_told_as_nobody(told, pki, port):
    here = told(FORWARD, {'client': 'request'})
    with connect(pki, port, None) as client:
        fields = here.fields(client, SPOOFS)
    about = {name for name in fields if 'client' in name or 'ssl' in name}
    assert about == {'ssl-client-verify', 'x-ssl-cipher'} and fields['ssl-client-verify'] == 'NONE'


@pytest.mark.parametrize('tell', [False, True])
def test_unverified_names_are_told_only_where_the_config_says_so(told, pki, port, tell):
    here = told({**FORWARD, 'unsafe-unverified': tell}, {'client': 'request-unverified'})
    with connect(pki, port, pki.stranger) as client:
        fields = here.fields(client)
    assert fields['ssl-client-verify'] == 'FAILED:unknown-ca'
    assert ('client-cert' in fields) == tell
    assert ('x-forwarded-client-cert' in fields) == tell
    assert ('x-client-dn' in fields) == tell


def test_listed_proxies_are_believed(told, pki, port):
    here = told({**FORWARD, 'identity': ['x-forwarded-client-cert'], 'xfcc-parts': ['hash']},
                {'trusted-proxies': ['127.0.0.0/8'], 'access-log': {'format': 'json'}})
    with connect(pki, port, pki.alice) as client:
        fields = here.fields(client, {
            'X-Forwarded-For': '192.0.2.7, 127.0.0.9', 'X-Forwarded-Proto': 'http',
            'X-Forwarded-Host': 'public.example', 'Forwarded': 'for=192.0.2.7;proto=http',
            'X-Forwarded-Client-Cert': 'Hash=00;Subject="CN=a\\,b"', 'X-Request-Id': 'front-1'})
    digest = hashlib.sha256(der_of(certificates(pki.alice.cert)[0])).hexdigest()
    assert fields['x-forwarded-client-cert'] == f'Hash=00;Subject="CN=a\\,b",Hash={digest}'
    assert fields['x-forwarded-for'] == '192.0.2.7, 127.0.0.9, 127.0.0.1'
    assert fields['x-forwarded-proto'] == 'http' and fields['x-forwarded-host'] == 'public.example'
    assert fields['forwarded'] == 'for=192.0.2.7;proto=http, for=127.0.0.1;host=server.example;proto=https'
    assert fields['x-real-ip'] == '192.0.2.7' and fields['x-request-id'] == 'front-1'
    line = here.daemon.log.wait(event='request')
    assert (line['client'], line['by'], line['id']) == ('192.0.2.7', '127.0.0.1', 'front-1')


def test_proxies_can_be_listed_by_their_certificates(told, pki, port):
    here = told({}, {'trusted-clients': ['edge']}, roles={'edge': 'spiffe://example.org/alice'})
    spoof = {'X-Forwarded-For': '192.0.2.7'}
    with connect(pki, port, pki.alice) as client:
        assert here.fields(client, spoof)['x-forwarded-for'] == '192.0.2.7, 127.0.0.1'
    with connect(pki, port, pki.bob) as client:
        assert here.fields(client, spoof)['x-forwarded-for'] == '127.0.0.1'


def test_what_a_proxy_says_must_be_well_formed(told, pki, port):
    here = told({}, {'trusted-proxies': ['127.0.0.1']})
    with connect(pki, port, pki.alice) as client:
        client.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n'
                       b'X-Forwarded-Client-Cert: Subject="CN=a\\";URI=spiffe://admin"\r\n\r\n')
        assert read_until(client, b'\r\n').startswith(b'HTTP/1.1 400 ')
    assert here.daemon.log.wait(event='request')['cause'] == 'bad-forwarded'
    assert not here.recorder.take()


def test_routes_do_not_look_at_what_clients_say_of_themselves(pki, port, backend, handfast):
    recorder = Recorder()
    routes = [{'match': {'header': {'x-forwarded-proto': 'http'}}, 'respond': {'status': 418}},
              {'to': 'app'}]
    handfast(configs.http_side(pki, port, backend(recorder.serve), routes))
    ended = clients.curl(port, '-H', 'X-Forwarded-Proto: http', roots=pki.servers.root.cert,
                         leaf=pki.alice)
    assert ended.stdout == 'ok' and len(recorder.take()) == 1


def test_traces_go_on(told, pki, port):
    here = told({})
    parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
    with connect(pki, port, pki.alice) as client:
        fields = here.fields(client, {'traceparent': parent, 'tracestate': 'a=1'})
        first = fields['traceparent']
        assert re.fullmatch('00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00', first)
        assert first[36:52] != parent[36:52] and fields['tracestate'] == 'a=1'
        made = here.fields(client, {'traceparent': parent.upper(), 'tracestate': 'a=1'})
        assert re.fullmatch('00-[0-9a-f]{32}-[0-9a-f]{16}-01', made['traceparent'])
        assert made['traceparent'][3:35] != parent[3:35] and 'tracestate' not in made
    lines = here.daemon.log.wait(count=2, event='request')
    assert [line['span'] for line in lines] == [first[36:52], made['traceparent'][36:52]]
    assert lines[0]['parent'] == parent[36:52] and 'parent' not in lines[1]


@pytest.mark.parametrize('mode, expected', [('pass', 'as it came'), ('off', None)])
def test_traces_pass_or_end(told, pki, port, mode, expected):
    here = told({'trace': mode})
    parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    with connect(pki, port, pki.alice) as client:
        fields = here.fields(client, {'traceparent': parent})
        assert fields.get('traceparent') == (parent if expected else None)
        assert 'traceparent' not in here.fields(client)


def test_values_that_are_too_long_fail_the_request(told, pki, port):
    here = told({'identity': ['client-cert'], 'max-value': 256})
    with connect(pki, port, pki.alice) as client:
        client.sendall(b'GET / HTTP/1.1\r\nHost: server.example\r\n\r\n')
        assert read_until(client, b'\r\n').startswith(b'HTTP/1.1 431 ')
    assert not here.recorder.take()


def test_trailers_tell_nothing_either(told, pki, port):
    here = told({})
    with connect(pki, port, pki.alice) as client:
        client.sendall(b'POST / HTTP/1.1\r\nHost: server.example\r\nTransfer-Encoding: chunked\r\n'
                       b'TE: trailers\r\nConnection: TE\r\n\r\n0\r\nX-SSL-Client-CN: admin\r\n'
                       b'X-Checksum: 7\r\n\r\n')
        read_until(client, b'ok')
    assert here.recorder.take()[0].trailers == {'x-checksum': '7'}

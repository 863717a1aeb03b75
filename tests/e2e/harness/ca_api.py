# SPDX-License-Identifier: Apache-2.0
"""The API of a CA in a daemon, in the hands of a test: alice may do everything, bob may approve,
whoever has a CN may ask for `plain` and, with approval, for `badge`."""

import http.client
import json
import pathlib
import subprocess
import types

from harness import cas, certs, clients, configs, der, openapi, waiting

SPEC = pathlib.Path(__file__).parents[3] / 'docs' / 'ca-openapi.yaml'
PROFILES = {
    'laptop': 'name: laptop\nextends: service\nask: [ops]\napproval: none\n',
    'badge': 'name: badge\nextends: user\nask: ["cn:*"]\napproval: always\n',
    'plain': 'name: plain\nextends: user\nask: ["cn:*"]\n',
}


class Api:
    """profiles: more of them, as YAML by name. init: for `ca init`. url: None for SQLite."""

    def __init__(self, handfast, ports, folder, profiles=None, init=(), url=None):
        self.port, self.door = ports.take(), ports.take()
        self.folder, self.spec = folder, openapi.Spec(SPEC)
        self.ca = cas.Ca(folder / 'ca', url, init=init)
        for name, text in {**PROFILES, **(profiles or {})}.items():
            self.put_profile(name, text)
        self.roots = self.ca.roots
        self.server = self.ca.issue('server', 'server.example')
        self.alice, self.bob = self.ca.issue('client', 'alice'), self.ca.issue('client', 'bob')
        self.daemon = handfast(self.config())

    def put_profile(self, name, text):
        path = self.folder / f'{name}.yaml'
        path.write_text(text)
        self.ca.good('profile put', path)

    def config(self):
        tls = {'identities': ['server'], 'trust': 'ours', 'mode': 'http', 'tls': configs.ENGINE}
        return {
            'ca': {'main': {'store': self.ca.url or str(self.ca.folder), 'rights': {
                'read': ['ops'], 'revoke': ['ops'], 'approve': ['cn:bob', 'ops'],
                'token': ['ops']}}},
            'roles': {'ops': 'cn:alice'},
            'identities': {'server': configs.identity(self.server)},
            'trust': {'ours': {'roots': str(self.ca.roots), 'ca': 'main'}},
            'listeners': {
                'api': {'listen': [f'127.0.0.1:{self.port}'], 'client': 'request', **tls,
                        'routes': [{'match': {'path': '/ca/'}, 'allow': ['anyone'],
                                    'service': 'main/api'}]},
                'door': {'listen': [f'127.0.0.1:{self.door}'], 'client': 'require', **tls,
                         'routes': [{'respond': {'status': 200, 'body': 'in\n'}}]}}}

    def ask(self, who, method, target, body=None, check=True, **fields):
        """who: a leaf, or None. Everything asked and answered is held against the file."""
        path = target.split('?')[0]
        if body is not None and check:
            self.spec.check_body(method, path, body)
        connection = http.client.HTTPConnection('server.example', timeout=waiting.SECONDS)
        connection.sock = clients.connect(self.port, self.roots, who)
        headers = {name.replace('_', '-'): value for name, value in fields.items()}
        data = None
        if body is not None:
            data, headers['Content-Type'] = json.dumps(body), 'application/json'
        connection.request(method, '/ca' + target, data, headers)
        raw = connection.getresponse()
        answer = types.SimpleNamespace(status=raw.status, headers=raw.headers, body=raw.read(),
                                       type=raw.headers.get('content-type'))
        connection.close()
        if check is not None:
            self.spec.check_answer(method, path, answer)
        assert check is None or answer.headers['cache-control'] == 'no-store'
        answer.json = json.loads(answer.body) if answer.type.endswith('json') else None
        return answer

    def good(self, who, method, target, body=None, status=200, **more):
        answer = self.ask(who, method, target, body, **more)
        assert answer.status == status, answer.body
        return answer.json if answer.json is not None else answer.body

    def n_issued(self):
        """How many certificates were asked for; the CA's own OCSP signers, which come when they like, are
        left out."""
        listed = self.good(self.alice, 'GET', '/v1/certificates?limit=1000')['certificates']
        return sum(one['requester'] != 'system' for one in listed)

    def refused(self, who, method, target, body=None, **more):
        answer = self.ask(who, method, target, body, **more)
        assert answer.status >= 400, answer.body
        assert answer.type == 'application/problem+json'
        return answer.status, answer.json['type'].rsplit(':', 1)[1], answer.json.get('detail', '')


def csr(folder, name, *options):
    key, out = folder / f'{name}-csr.key', folder / f'{name}.csr'
    subprocess.run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                    '-nodes', '-keyout', key, '-out', out, '-subj', f'/CN={name}', *options],
                   check=True, capture_output=True)
    return out.read_text(), key


def leaf(folder, name, answer, key=None):
    """What an answer holds, as files that a client can use."""
    made = types.SimpleNamespace(cert=folder / f'{name}.pem', chain=folder / f'{name}.chain.pem',
                                 key=key or folder / f'{name}.key')
    made.cert.write_text(answer['certificate'])
    made.chain.write_text(answer['chain'])
    if not key:
        made.key.write_text(answer['private_key'])
        made.key.chmod(0o600)
    return made


def odd_csr(folder, subject, *extensions, attributes=None):
    """A request that no tool would make, signed well: subject and extensions as DER elements."""
    key = certs.make_key(folder / 'odd.key')
    public = certs.openssl('pkey', '-in', key, '-pubout', '-outform', 'DER')
    if attributes is None:
        attributes = [der.sequence(der.oid('1.2.840.113549.1.9.14'),
                                   der.element(0x31, der.sequence(*extensions)))]
    info = der.sequence(der.integer(0), subject, public, der.element(0xa0, *attributes))
    signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key], input=info,
                               capture_output=True, check=True).stdout
    return der.pem(der.sequence(info, der.ECDSA_SHA256, der.element(0x03, b'\0' + signature)),
                   'CERTIFICATE REQUEST').decode()

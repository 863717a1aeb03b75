# SPDX-License-Identifier: Apache-2.0
"""A daemon that serves a CA: its API, its public part, and a door that obeys what it revokes."""

import http.client
import json
import subprocess

from harness import clients, configs, waiting

PLAIN = 'name: plain\nextends: user\nask: ["cn:ops"]\n'


class Site:
    """A CA whose store any number of nodes serve. Its clients: ops may do everything."""

    def __init__(self, ca, folder):
        self.ca = ca
        profile = folder / 'plain.yaml'
        profile.write_text(PLAIN)
        ca.good('profile put', profile)
        self.server = ca.issue('server', 'server.example')
        self.ops = ca.issue('client', 'ops')
        self.roots = ca.roots

    def node(self, handfast, ports, **more):
        return Node(self, handfast, ports, **more)


class Node:
    """start() and kill() as often as wanted: it keeps its ports. settings: of the CA."""

    def __init__(self, site, handfast, ports, env=None, **settings):
        self.site, self.handfast, self.settings, self.env = site, handfast, settings, env
        self.api, self.door, self.public = ports.take(), ports.take(), ports.take()
        self.daemon = None
        self.start()

    def config(self):
        tls = {'identities': ['server'], 'trust': 'ours', 'mode': 'http', 'tls': configs.ENGINE}
        rights = {right: ['ops'] for right in ('read', 'revoke', 'approve', 'token')}
        return {
            'ca': {'main': {'store': str(self.site.ca.url or self.site.ca.folder), 'crl-delay': '0s',
                            'rights': rights, **self.settings}},
            'roles': {'ops': 'cn:ops'},
            'identities': {'server': configs.identity(self.site.server)},
            'trust': {'ours': {'roots': str(self.site.roots), 'ca': 'main'}},
            'listeners': {
                'api': {'listen': [f'127.0.0.1:{self.api}'], 'client': 'request', **tls, 'routes': [
                    {'match': {'path': '/ca/'}, 'allow': ['anyone'], 'service': 'main/api'}]},
                'door': {'listen': [f'127.0.0.1:{self.door}'], 'client': 'require', **tls,
                         'routes': [{'respond': {'status': 200, 'body': 'in\n'}}]},
                'public': {'listen': [f'127.0.0.1:{self.public}'], 'plain': True, 'mode': 'http',
                           'routes': [{'match': {'path': '/'}, 'service': 'main/public'}]}}}

    def start(self):
        self.daemon = self.handfast(self.config(), env=self.env)

    def kill(self):
        self.daemon.kill()

    def client(self, who=None):
        return Client(self, who)

    def enter(self, who):
        """A session at the door, after its first answer."""
        session = clients.connect(self.door, self.site.roots, who)
        session.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        answer = b''
        while not answer.endswith(b'in\n'):
            answer += session.recv(4096)
        return session

    def get(self, path):
        """Of the public part: (status, body)."""
        connection = http.client.HTTPConnection('127.0.0.1', self.public, timeout=waiting.SECONDS)
        try:
            connection.request('GET', path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def crl_number(self):
        """Of the list that is published; None while there is none."""
        status, der = self.get('/crl/issuing.crl')
        if status != 200:
            return None
        text = subprocess.run(['openssl', 'crl', '-inform', 'DER', '-noout', '-crlnumber'], input=der,
                              capture_output=True, check=True).stdout.decode()
        return int(text.strip().split('=')[1], 16)


class Client:
    """One kept connection to a node's API, for one thread. None: no certificate."""

    def __init__(self, node, who):
        self.node, self.who, self.connection = node, who, None

    def ask(self, method, target, body=None):
        """(status, decoded JSON). What breaks on the way is raised, and nothing is asked twice."""
        if not self.connection:
            self.connection = http.client.HTTPConnection('server.example', timeout=waiting.SECONDS)
            self.connection.sock = clients.connect(self.node.api, self.node.site.roots, self.who)
        try:
            data = json.dumps(body) if body is not None else None
            self.connection.request(method, '/ca/v1' + target, data, {
                'Content-Type': 'application/json'} if data else {})
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def issue(self, name):
        status, told = self.ask('POST', '/certificates', {'profile': 'plain', 'name': name})
        assert status == 201, told
        return told

    def revoke(self, serial):
        status, told = self.ask('POST', f'/certificates/{serial}/revoke', {'reason': 'keyCompromise'})
        assert status == 200, told
        return told

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

# SPDX-License-Identifier: Apache-2.0
"""A small PKI on P-256 for one run: a root, an issuing CA, a server and a client."""

import base64
import pathlib
import subprocess

EXTENSIONS = {
    'issuing': 'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n',
    'server': 'subjectAltName=DNS:bench.example\nextendedKeyUsage=serverAuth\n',
    'client': 'subjectAltName=DNS:client.example\nextendedKeyUsage=clientAuth\n',
}


class Certs:
    """Paths, all in one folder. Chains hold the leaf and the issuing CA, as they are sent."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.root = self.path('root.pem')
        self._make_root()
        self._issue('issuing', 'root')
        for name in ('server', 'client'):
            self._issue(name, 'issuing')
            chain = self.read(f'{name}.pem') + self.read('issuing.pem')
            self._write(f'{name}-chain.pem', chain)
            self._write(f'{name}-all.pem', self.read(f'{name}.key') + chain)
        self.server_chain, self.server_key = self.path('server-chain.pem'), self.path('server.key')
        self.client_chain, self.client_key = self.path('client-chain.pem'), self.path('client.key')
        self.issuing_key = self.path('issuing.key')
        self.server_all = self.path('server-all.pem')

    def client_of_another(self):
        """Chain and key of a client that another CA below the same root has issued."""
        self._issue('another', 'root', 'issuing')
        self._issue('other-client', 'another', 'client')
        self._write('other-client-chain.pem', self.read('other-client.pem') + self.read('another.pem'))
        return self.path('other-client-chain.pem'), self.path('other-client.key')

    def make_lists(self, hfcrl, entries):
        """Revocation lists of the two CAs: so many entries of the one that issued the client, none of
        them the client's, and one of the root."""
        self.lists = [self.path('issuing.crl'), self.path('root.crl')]
        self.lists_pem = self.path('lists.pem')
        pem = ''
        for path, ca, count in zip(self.lists, ('issuing', 'root'), (entries, 1)):
            subprocess.run([hfcrl, 'sign', str(count), path, self.path(f'{ca}.pem'),
                            self.path(f'{ca}.key')], check=True)
            text = base64.encodebytes(pathlib.Path(path).read_bytes()).decode()
            pem += f'-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n'
        self._write('lists.pem', pem)

    def responder_command(self, port):
        """openssl's OCSP responder for the client's issuer, which finds the client good."""
        serial = subprocess.run(['openssl', 'x509', '-noout', '-serial', '-in', self.path('client.pem')],
                                check=True, capture_output=True, text=True).stdout.strip().split('=')[1]
        self._write('index.txt', f'V\t491231000000Z\t\t{serial}\tunknown\t/CN=Bench client\n')
        issuing, key = self.path('issuing.pem'), self.issuing_key
        return ['openssl', 'ocsp', '-port', str(port), '-index', self.path('index.txt'), '-CA', issuing,
                '-rsigner', issuing, '-rkey', key, '-nmin', '600']

    def path(self, name):
        return str(self.folder / name)

    def read(self, name):
        return (self.folder / name).read_text()

    def _write(self, name, text):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    def _openssl(self, *words):
        subprocess.run(['openssl', *words], check=True, capture_output=True, cwd=self.folder)

    def _make_root(self):
        self._openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                      '-nodes', '-keyout', 'root.key', '-out', 'root.pem', '-days', '30',
                      '-subj', '/CN=Bench root')

    def _issue(self, name, issuer, kind=None):
        self._write(f'{name}.ext', EXTENSIONS[kind or name])
        self._openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                      '-nodes', '-keyout', f'{name}.key', '-out', f'{name}.csr',
                      '-subj', f'/CN=Bench {name}')
        self._openssl('x509', '-req', '-in', f'{name}.csr', '-CA', f'{issuer}.pem',
                      '-CAkey', f'{issuer}.key', '-days', '30', '-out', f'{name}.pem',
                      '-extfile', f'{name}.ext', '-set_serial', str(hash(name) % 2**31 + 1))
        (self.folder / f'{name}.key').chmod(0o600)

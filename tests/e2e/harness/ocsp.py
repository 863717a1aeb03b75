# SPDX-License-Identifier: Apache-2.0
"""OCSP responders: openssl's own, and one that misbehaves on request. What is signed well is signed by
`openssl ocsp`; answers that no responder should give are put together with python's cryptography."""

import hashlib
import http.server
import pathlib
import re
import subprocess
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from harness import certs, revocation, waiting

SIGNER = '''basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
noCheck = ignored
'''


def load(leaf):
    return x509.load_pem_x509_certificate(pathlib.Path(leaf.cert).read_bytes())


def load_key(leaf):
    return serialization.load_pem_private_key(pathlib.Path(leaf.key).read_bytes(), None)


def signer(authority, name='responder', issuer=None):
    """A delegated signer of the issuing CA."""
    authority._made += 1
    stem = authority.folder / f'{authority._made}-{name}'
    return authority._sign(name, stem, SIGNER, issuer=issuer)


def answer(leaf, issuer, by=None, status='good', reason=None, since=None, until=None, hash_name='SHA1',
           about=None):
    """One answer in DER. by: a certs.Leaf whose key signs, the issuer's when None. until False: no next
    update. about: another leaf's serial in its place."""
    since = since or revocation.now(minutes=-1)
    until = None if until is False else until or revocation.now(hours=1)
    revoked = status == 'revoked'
    flags = {None: None, 'keyCompromise': x509.ReasonFlags.key_compromise,
             'certificateHold': x509.ReasonFlags.certificate_hold}
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=load(about or leaf), issuer=load(issuer),
        algorithm=getattr(hashes, hash_name)(),
        cert_status=getattr(ocsp.OCSPCertStatus, status.upper()),
        this_update=since.replace(tzinfo=None), next_update=until and until.replace(tzinfo=None),
        revocation_time=since.replace(tzinfo=None) if revoked else None,
        revocation_reason=flags[reason])
    who = by or issuer
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, load(who))
    if by:
        builder = builder.certificates([load(by)])
    return builder.sign(load_key(who), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Responder:
    """For the root and the issuing CA of an authority, at http://127.0.0.1:PORT/; tls, a certs.Leaf, makes it
    https.

    revoke() and forget() change what it says. `behave` may be a function of (handler, request) that
    answers in its place, and returns bytes to send as an answer, or None when it has done so itself."""

    def __init__(self, port, authority, minutes=60, signer=None, tls=None):
        self.port, self.authority, self.minutes, self.signer = port, authority, minutes, signer
        self.tls = tls
        self.behave = None
        self.requests = []  # how many certificates each was about that came
        self._answered = 0
        self._rows = {}
        self._changed = threading.Condition()
        self._server = None
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self._issuers = {self._name_hash(ca): ca for ca in
                         [authority.root, *authority.intermediates]}
        for ca in authority.intermediates:
            self.know(ca)
        self.open()

    @property
    def origin(self):
        return f'{"https" if self.tls else "http"}://127.0.0.1:{self.port}'

    @property
    def url(self):
        return self.origin + '/'

    @staticmethod
    def _name_hash(ca):
        return hashlib.sha1(load(ca).subject.public_bytes()).hexdigest().upper()

    # What it knows.

    def know(self, *leaves):
        for leaf in leaves:
            self._rows[leaf.field('-serial')] = ('V', '')
        return self

    def revoke(self, leaf, reason='keyCompromise'):
        moment = revocation.now(hours=-1).strftime('%y%m%d%H%M%SZ')
        self._rows[leaf.field('-serial')] = ('R', f'{moment},{reason}')
        return self

    def forget(self, leaf):
        self._rows.pop(leaf.field('-serial'), None)

    def write_index(self, path):
        path.write_text(''.join(f'{kind}\t491231000000Z\t{revoked}\t{serial}\tunknown\t/CN={serial}\n'
                                for serial, (kind, revoked) in self._rows.items()))
        return path

    # Answers.

    def sign(self, request, minutes=None, issuer=None):
        """What openssl answers to this request."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / 'request').write_bytes(request)
            index = self.write_index(folder / 'index.txt')
            text = certs.openssl('ocsp', '-reqin', folder / 'request', '-req_text').decode()
            found = re.search(r'Issuer Name Hash: (\w+)', text).group(1)
            issuer = issuer or self._issuers[found]
            by = self.signer if self.signer and issuer is self.authority.intermediates[0] else issuer
            until = minutes if minutes is not None else self.minutes
            certs.openssl('ocsp', '-index', index, '-CA', issuer.cert, '-rsigner', by.cert, '-rkey',
                          by.key, '-reqin', folder / 'request', '-respout', folder / 'answer',
                          *(['-nmin', until] if until else []))
            return (folder / 'answer').read_bytes()

    def _post(self, handler):
        request = handler.rfile.read(int(handler.headers['Content-Length']))
        assert handler.headers['Content-Type'] == 'application/ocsp-request'
        with self._changed:
            self.requests.append(request.count(b'\x2b\x0e\x03\x02\x1a'))  # SHA-1: one a CertID
        body = self.behave(handler, request) if self.behave else self.sign(request)
        if body is not None:
            send(handler, body)
        with self._changed:
            self._answered += 1
            self._changed.notify_all()

    def wait(self, count):
        """Until it has answered so many requests in all."""
        deadline = time.monotonic() + waiting.SECONDS
        with self._changed:
            while self._answered < count:
                left = deadline - time.monotonic()
                assert left > 0, f'{self._answered} of {count} requests came'
                self._changed.wait(left)

    def open(self):
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                responder._post(self)

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # whoever asked has gone: their right

        self._server = Server(('127.0.0.1', self.port), Handler)
        if self.tls:
            certs.serve_tls(self._server, self.tls)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def send(handler, body, kind='application/ocsp-response'):
    handler.send_response(200)
    handler.send_header('Content-Type', kind)
    handler.send_header('Content-Length', str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class OpensslResponder:
    """openssl's own server, for the certificates of the issuing CA."""

    def __init__(self, port, authority, index, minutes=5):
        ca = authority.intermediates[0]
        self.url = f'http://127.0.0.1:{port}'
        self.process = subprocess.Popen(
            ['openssl', 'ocsp', '-port', str(port), '-index', str(index), '-CA', str(ca.cert), '-rsigner',
             str(ca.cert), '-rkey', str(ca.key), '-nmin', str(minutes)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        assert 'waiting for OCSP client connections' in line, line

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()



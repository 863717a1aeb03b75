# SPDX-License-Identifier: Apache-2.0
"""An issuer of tokens: keys, signed tokens, and an HTTPS server that publishes the key set."""

import base64
import hashlib
import http.server
import json
import ssl
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = 'https://idp.example/'
AUDIENCE = 'https://api.example'


def _number(value, length=None):
    data = value.to_bytes(length or (value.bit_length() + 7) // 8, 'big')
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Key:
    def __init__(self, kid, alg='ES256'):
        self.kid, self.alg = kid, alg
        if alg == 'ES256':
            self.private = ec.generate_private_key(ec.SECP256R1())
            numbers = self.private.public_key().public_numbers()
            public = {'kty': 'EC', 'crv': 'P-256', 'x': _number(numbers.x, 32), 'y': _number(numbers.y, 32)}
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            numbers = self.private.public_key().public_numbers()
            public = {'kty': 'RSA', 'n': _number(numbers.n), 'e': _number(numbers.e)}
        self.public = {**public, 'kid': kid, 'use': 'sig', 'alg': alg}

    def token(self, *, lifetime=300, headers=None, **claims):
        now = int(time.time())
        whole = {'iss': ISSUER, 'aud': AUDIENCE, 'sub': 'service-7', 'iat': now, 'exp': now + lifetime, **claims}
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, self.private, self.alg, {'kid': self.kid, **(headers or {})})


def thumbprint(leaf):
    """x5t#S256 of RFC 8705 for a certificate file, whose first certificate is meant."""
    der = ssl.PEM_cert_to_DER_cert(leaf.cert.read_text())
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b'=').decode()


class Idp:
    """Serves the keys at /keys until it is closed."""

    def __init__(self, port, leaf, keys):
        self.keys, self.port = list(keys), port
        self.asked, self.unchanged = 0, 0
        self.status = 200
        self.url = f'https://localhost:{port}/keys'
        self._leaf = leaf
        self._server = None
        self.open()

    def open(self):
        idp = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                idp.answer(self)

            def log_message(self, *args):
                pass

        class Server(http.server.HTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that doesn't believe our certificate hangs up

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._leaf.chain, self._leaf.key)
        self._server = Server(('127.0.0.1', self.port), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request):
        body = json.dumps({'keys': [key.public for key in self.keys]}).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        self.asked += 1
        if self.status == 200 and request.headers.get('If-None-Match') == etag:
            self.unchanged += 1
            request.send_response(304)
            request.send_header('ETag', etag)
            request.end_headers()
            return
        request.send_response(self.status)
        request.send_header('ETag', etag)
        request.send_header('Content-Length', str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

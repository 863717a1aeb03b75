# SPDX-License-Identifier: Apache-2.0
"""The OCSP responder, asked oddly: many at once, hash algorithms that nobody uses, nonces of every
length, signed requests, broken base64, paths with double slashes. Answers are read by python's
cryptography and by openssl."""

import base64
import hashlib
import http.client
import subprocess
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import ocsp

from harness import cas, configs, der, waiting

MALFORMED, UNAUTHORIZED = bytes.fromhex('30030a0101'), bytes.fromhex('30030a0106')
NONCE = '1.3.6.1.5.5.7.48.1.2'
HASHES = {'sha1': '1.3.14.3.2.26', 'sha256': '2.16.840.1.101.3.4.2.1',
          'sha384': '2.16.840.1.101.3.4.2.2', 'sha512': '2.16.840.1.101.3.4.2.3',
          'md5': '1.2.840.113549.2.5'}


class Responder:
    def __init__(self, handfast, ports, folder):
        self.port = ports.take()
        self.ca = cas.Ca(folder / 'ca', init=['--ocsp-url', f'http://127.0.0.1:{self.port}/ocsp'])
        self.alice, self.bob = self.ca.issue('client', 'alice'), self.ca.issue('client', 'bob')
        self.ca.good('revoke', '--cert', self.bob.cert, '--reason', 'superseded')
        server = self.ca.issue('server', 'server.example')
        daemon = handfast({
            'ca': {'main': {'store': str(self.ca.folder)}},
            'identities': {'server': configs.identity(server)},
            'listeners': {'public': {
                'listen': [f'127.0.0.1:{self.port}'], 'plain': True, 'mode': 'http',
                'routes': [{'match': {'path': '/'}, 'service': 'main/public'}]}}})
        daemon.log.wait(event='ocsp', text='issuing of the CA main has a new OCSP signer')
        waiting.until(lambda: self.get('/ca/issuing.crt')[0] == 200)
        self.issuer = x509.load_der_x509_certificate(self.get('/ca/issuing.crt')[1])
        self.issuer_pem = folder / 'issuing.pem'
        self.issuer_pem.write_bytes(der.pem(self.get('/ca/issuing.crt')[1]))

    def get(self, path, method='GET', body=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=waiting.SECONDS)
        connection.request(method, path, body, {'Content-Type': 'application/ocsp-request'} if body else {})
        answer = connection.getresponse()
        got = answer.status, answer.read()
        connection.close()
        return got

    def ask(self, request):
        status, body = self.get('/ocsp', 'POST', request)
        assert status == 200
        return body

    def cert_id(self, serial, hash_name='sha1', name_hash=None):
        bits = self.issuer.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        digest = lambda data: hashlib.new(hash_name, data).digest()
        return der.sequence(
            der.sequence(der.oid(HASHES[hash_name]), b'\5\0'),
            der.element(4, name_hash or digest(self.issuer.subject.public_bytes())),
            der.element(4, digest(bits)), der.integer(serial))

    def request(self, *ids, extensions=b'', version=b'', requestor=b'', signature=b''):
        listed = der.sequence(*(der.sequence(one) for one in ids))
        return der.sequence(der.sequence(version, requestor, listed, extensions), signature)


def nonce(data, critical=False):
    return der.element(0xa2, der.sequence(der.extension(NONCE, der.element(4, data), critical)))


def statuses(answer):
    return [one.certificate_status.name for one in ocsp.load_der_ocsp_response(answer).responses]


def serial_of(leaf):
    return int(cas.serial(leaf.cert), 16)


@pytest.fixture(scope='module')
def responder(module_handfast, ports, tmp_path_factory):
    return Responder(module_handfast, ports, tmp_path_factory.mktemp('ocsp'))


def test_many_at_once_up_to_a_limit(responder):
    good, revoked = serial_of(responder.alice), serial_of(responder.bob)
    ids = [responder.cert_id(one) for one in [good, revoked, 4711] * 10]
    answer = responder.ask(responder.request(*ids[:30]))
    assert statuses(answer) == ['GOOD', 'REVOKED', 'UNKNOWN'] * 10
    most = 30  # it is not told how many; somewhere there is an end
    while responder.ask(responder.request(*[ids[0]] * (most + 1))) != MALFORMED:
        most += 1
        assert most < 1000
    assert len(statuses(responder.ask(responder.request(*[ids[0]] * most)))) == most
    assert responder.get('/ocsp', 'POST', responder.request(*[ids[0]] * 300))[0] == 413
    assert responder.ask(responder.request()) == MALFORMED


@pytest.mark.parametrize('name', HASHES)
def test_hash_algorithms(responder, name):
    """SHA-1 and SHA-256 are known; with others nobody can say whose certificate it is."""
    answer = responder.ask(responder.request(responder.cert_id(serial_of(responder.alice), name)))
    if name in ('sha1', 'sha256'):
        assert statuses(answer) == ['GOOD']
        assert ocsp.load_der_ocsp_response(answer).hash_algorithm.name == name
    else:
        assert answer == UNAUTHORIZED
    both = responder.ask(responder.request(responder.cert_id(serial_of(responder.alice)),
                                           responder.cert_id(serial_of(responder.alice), name)))
    assert statuses(both) == ['GOOD', 'GOOD' if name in ('sha1', 'sha256') else 'UNKNOWN']


def test_hashes_of_other_lengths_and_other_cas(responder):
    serial = serial_of(responder.alice)
    for name_hash in (b'\0' * 20, b'\0' * 19, b'', b'\0' * 64):
        answer = responder.ask(responder.request(responder.cert_id(serial, name_hash=name_hash or b'x')))
        assert answer in (UNAUTHORIZED, MALFORMED)


@pytest.mark.parametrize('length', [1, 16, 20, 32, 33, 128])
def test_nonces_come_back_as_they_were(responder, length):
    data = bytes(range(length))
    answer = responder.ask(responder.request(responder.cert_id(serial_of(responder.alice)),
                                             extensions=nonce(data)))
    response = ocsp.load_der_ocsp_response(answer)
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce in (
        data, der.element(4, data))
    assert response.responses and statuses(answer) == ['GOOD']


@pytest.mark.parametrize('length', [0, 129, 1000])
def test_nonces_beyond_rfc_9654_are_malformed(responder, length):
    for critical in (False, True):
        assert responder.ask(responder.request(
            responder.cert_id(serial_of(responder.alice)),
            extensions=nonce(b'x' * length, critical))) == MALFORMED


def test_extensions(responder):
    one = responder.cert_id(serial_of(responder.alice))
    for critical, good in ((False, True), (True, False)):
        answer = responder.ask(responder.request(one, extensions=der.element(0xa2, der.sequence(
            der.extension('1.2.3.4', b'\5\0', critical)))))
        assert (answer == MALFORMED) != good
    two = der.sequence(der.extension(NONCE, der.element(4, b'a')), der.extension(NONCE, der.element(4, b'b')))
    assert responder.ask(responder.request(one, extensions=der.element(0xa2, two))) == MALFORMED


def test_versions_requestors_and_signatures(responder, tmp_path):
    one = responder.cert_id(serial_of(responder.alice))
    assert responder.ask(responder.request(one, version=der.element(0xa0, der.integer(1)))) == MALFORMED
    anybody = der.element(0xa1, der.element(0xa4, der.name('anybody')))
    assert statuses(responder.ask(responder.request(one, requestor=anybody))) == ['GOOD']
    out = tmp_path / 'signed.der'
    subprocess.run(['openssl', 'ocsp', '-issuer', responder.issuer_pem, '-cert', responder.alice.cert,
                    '-signer', responder.alice.cert, '-signkey', responder.alice.key, '-reqout', out],
                   check=True, capture_output=True)
    assert statuses(responder.ask(out.read_bytes())) == ['GOOD']
    assert responder.ask(out.read_bytes() + b'\0') == MALFORMED


def test_serial_numbers_at_the_edges(responder):
    for serial in (0, 1, -1, 1 << 127, (1 << 159) - 1, 1 << 400):
        answer = responder.ask(responder.request(responder.cert_id(serial)))
        assert answer == MALFORMED or statuses(answer) == ['UNKNOWN'], serial


def test_every_cut_is_malformed(responder):
    request = responder.request(responder.cert_id(serial_of(responder.alice)), extensions=nonce(b'n' * 16))
    for end in range(1, len(request)):
        assert responder.ask(request[:end]) == MALFORMED
    status, body = responder.get('/ocsp', 'POST', b'\x30' * 70000)
    assert status == 413 or body == MALFORMED


def test_get_with_double_slashes(responder):
    """Base64 of bytes that are all ones has nothing but slashes."""
    serial = (1 << 120) - 1
    for pad in range(3):  # until the ones fall on whole characters
        text = base64.b64encode(responder.request(responder.cert_id(serial << 8 * pad))).decode()
        assert '//' in text
        for path in (text, urllib.parse.quote(text, safe=''), text.replace('+', '%2b')):
            status, body = responder.get('/ocsp/' + path)
            assert status == 200 and statuses(body) == ['UNKNOWN'], path
        if text.endswith('='):
            assert responder.get('/ocsp/' + text.rstrip('=')) == (200, MALFORMED)


@pytest.mark.parametrize('path', ['/ocsp/', '/ocsp', '/ocsp/====', '/ocsp/A', '/ocsp/AA%', '/ocsp/%zz',
                                  '/ocsp/AAAA*AAA', '/ocsp/' + 'A' * 2000, '/ocsp/%00', '/ocsp/AAAA?x=y'])
def test_get_that_is_broken(responder, path):
    status, body = responder.get(path)
    assert (status == 200 and body == MALFORMED) or status in (400, 404, 405), (status, body)

# SPDX-License-Identifier: Apache-2.0
"""Who answers by OCSP: `openssl ocsp` for some CAs, cfssl's responder for another, Bouncy Castle for a
third, Python's cryptography for the others; and, for certificates that name such a responder, bad ones of all kinds.

One HTTP server is in front of them, as each address is to a daemon a responder of its own: /WAY/CA.
/any asks whoever is responsible."""

import datetime
import http.client
import http.server
import json
import pathlib
import socket
import subprocess
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness import ocsp as harness_ocsp, waiting

OPENSSL, CFSSL, BOUNCY_CASTLE = ('root', 'issuing', 'deeper'), ('gnu',), ('swan',)
PROGRAM = pathlib.Path(__file__).resolve().parents[1] / 'programs/OcspSigner.java'
JARS = ':'.join(f'/usr/share/java/{name}.jar' for name in ('bcpkix', 'bcprov', 'bcutil'))
MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
DATES = {'stale': (-3 * HOUR, -2 * HOUR), 'early': (2 * HOUR, 4 * HOUR)}
REASONS = {'keyCompromise': (1, x509.ReasonFlags.key_compromise),
           'superseded': (4, x509.ReasonFlags.superseded),
           'cessationOfOperation': (5, x509.ReasonFlags.cessation_of_operation),
           'certificateHold': (6, x509.ReasonFlags.certificate_hold)}
TRY_LATER = bytes([0x30, 3, 0x0a, 1, 3])
NEVER_ANSWER = ('down', 'redirect', 'huge', 'silent')


def elements(data):
    """The elements of DER, one after the other: (tag, content)."""
    at, found = 0, []
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            size, at = int.from_bytes(data[at:at + (size & 0x7f)], 'big'), at + (size & 0x7f)
        found.append((tag, data[at:at + size]))
        at += size
    return found


def serials_of(request):
    """The certificates that a request is about, by number."""
    tbs = elements(elements(request)[0][1])[0][1]
    listed = next(content for tag, content in elements(tbs) if tag == 0x30)
    return [int.from_bytes(elements(elements(one)[0][1])[3][1], 'big') for _, one in elements(listed)]


class Server:
    """A responder of others', as a process; `port` is where it listens."""

    def __init__(self, port, words, log, ready):
        """ready: what it says when it listens, on stderr."""
        self.port = port
        with open(log, 'wb') as stderr:
            self._process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=stderr)

        def listens():
            assert self._process.poll() is None, log.read_text()
            return ready in log.read_text()

        waiting.until(listens, f'{words[0]} at {port}')

    def close(self):
        self._process.kill()
        self._process.wait()


class Responders:
    def __init__(self, folder, ports):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self._ports, self.port, self.closed = ports, ports.take(), ports.take()
        self.authority, self.after, self._servers, self._by_serial, self._signed = None, False, {}, {}, {}
        self._release = threading.Event()
        self._open()

    # Addresses.

    @property
    def origins(self):
        return [f'http://127.0.0.1:{self.port}', f'http://127.0.0.1:{self.closed}']

    def url(self, issuer, way=None):
        return f'http://127.0.0.1:{self.closed if way == "down" else self.port}/{way or "own"}/{issuer}'

    @property
    def any(self):
        return f'http://127.0.0.1:{self.port}/any'

    # What is known.

    def know(self, authority, peers, revoked):
        """All certificates of an authority. revoked: leaves and CAs with reasons, by issuer, once
        turn() was called; the one who is revoked in an old answer was so all the time."""
        self.authority = authority
        make = authority.make
        self._signers = {
            'delegate': make('delegate', 'issuing', usage=ExtendedKeyUsageOID.OCSP_SIGNING),
            'delegate-expired': make('old-delegate', 'issuing', usage=ExtendedKeyUsageOID.OCSP_SIGNING,
                                     start=-20, end=-10),
            'delegate-of-others': make('delegate-of-mid', 'mid', usage=ExtendedKeyUsageOID.OCSP_SIGNING),
            'another-client': make('client-for-all', 'issuing')}
        ways = {peer.leaf.name: peer.says for peer in peers if peer.leaf}
        for name, cert, issuer in authority.issued():
            self._by_serial[cert.serial_number] = (name, issuer, ways.get(name) or 'own')
        self._revoked = {authority.key_of(one.name)[0].serial_number: (reason, issuer == 'stale')
                         for issuer, group in revoked.items() for one, reason in group}
        for after in (False, True):
            for issuer in OPENSSL:
                self._servers[issuer, after] = self._openssl(issuer, after)
            for issuer in CFSSL:
                self._servers[issuer, after] = self._cfssl(issuer, after)
        for issuer in BOUNCY_CASTLE:
            self._bouncy_castle(issuer)

    def turn(self):
        """From now on those who fall have fallen."""
        self.after = True

    def _reason(self, serial, after):
        reason, always = self._revoked.get(serial, (None, False))
        return reason if after or always else None

    def _of(self, issuer):
        return [(name, serial) for serial, (name, by, _) in self._by_serial.items() if by == issuer]

    # Responders of others.

    def _openssl(self, issuer, after):
        ca, rows = self.authority.cas[issuer], []
        moment = (self.authority.now - HOUR).strftime('%y%m%d%H%M%SZ')
        for name, serial in self._of(issuer):
            reason = self._reason(serial, after)
            number = f'{serial:X}'
            rows.append('\t'.join(['R' if reason else 'V', '491231000000Z', f'{moment},{reason}' if reason else '',
                                   '0' * (len(number) % 2) + number, 'unknown', f'/CN={name}']) + '\n')
        index = self.folder / f'{issuer}-{after}.txt'
        index.write_text(''.join(rows))
        port = self._ports.take()
        return Server(port, ['openssl', 'ocsp', '-port', port, '-index', index, '-CA', ca.cert, '-rsigner', ca.cert,
                             '-rkey', ca.key, '-nmin', 60], index.with_suffix('.log'), 'waiting for OCSP client connections')

    def _cfssl(self, issuer, after):
        ca, lines = self.authority.cas[issuer], []
        for name, serial in self._of(issuer):
            reason = self._reason(serial, after)
            words = ['-status', 'revoked', '-reason', str(REASONS[reason][0]), '-revoked-at',
                     str((self.authority.now - 24 * HOUR).date())] if reason else []
            made = subprocess.run(['cfssl', 'ocspsign', '-loglevel', '5', '-interval', '24h', '-ca', ca.cert,
                                   '-responder', ca.cert, '-responder-key', ca.key, '-cert',
                                   ca.cert.with_name(f'{name}.pem'), *words], capture_output=True, check=True)
            lines.append(json.loads(made.stdout)['ocspResponse'] + '\n')
        answers = self.folder / f'{issuer}-{after}.answers'
        answers.write_text(''.join(lines))
        port = self._ports.take()
        return Server(port, ['cfssl', 'ocspserve', '-loglevel', '1', '-port', port, '-responses', answers],
                      answers.with_suffix('.log'), 'Now listening')

    def _bouncy_castle(self, issuer):
        """All answers at once: it takes longer to start than to sign."""
        ca, files = self.authority.cas[issuer], {}
        words = []
        for after in (False, True):
            for name, serial in self._of(issuer):
                reason = self._reason(serial, after)
                files[serial, after] = self.folder / f'{name}-{after}.answer'
                words += [f'{serial:x}', str(REASONS[reason][0] if reason else -1), files[serial, after]]
        subprocess.run(['java', '-XX:TieredStopAtLevel=1', '-cp', JARS, PROGRAM, ca.cert, ca.key, *words], check=True,
                       capture_output=True)
        self._signed.update({key: path.read_bytes() for key, path in files.items()})

    @staticmethod
    def _pass_on(server, request):
        """All that a server says, its HTTP too."""
        with socket.create_connection(('127.0.0.1', server.port), timeout=waiting.SECONDS) as connection:
            connection.sendall(b'POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\n'
                               b'Content-Length: %d\r\n\r\n' % len(request) + request)
            said = b''
            while more := connection.recv(65536):
                said += more
            return said

    # Our own.

    def _sign(self, serial, way, nonce=None):
        name, issuer, _ = self._by_serial[serial]
        about = 'good' if way == 'other-serial' else name
        begins, ends = DATES.get(issuer, (0 * HOUR, HOUR))
        now = datetime.datetime.utcnow().replace(microsecond=0)
        reason = self._reason(serial, self.after)
        status = 'UNKNOWN' if way == 'unknown' else 'REVOKED' if reason else 'GOOD'
        by = self._signers.get(way)
        ca_cert, ca_key = self.authority.key_of(issuer)
        cert, key = self.authority.key_of(by.name) if by else (ca_cert, ca_key)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.authority.key_of(about)[0], issuer=ca_cert, algorithm=hashes.SHA1(),
            cert_status=getattr(ocsp.OCSPCertStatus, status), this_update=now + begins, next_update=now + ends,
            revocation_time=self.authority.now - HOUR if reason else None,
            revocation_reason=REASONS[reason][1] if reason else None)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, cert)
        builder = builder.certificates([cert]) if by else builder
        builder = builder.add_extension(x509.OCSPNonce(nonce), False) if nonce else builder
        made = builder.sign(key, hashes.SHA1() if way == 'sha1' else hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)

    def _made(self, serial, issuer, way, request):
        """What our own responders say."""
        if way == 'try-later':
            return TRY_LATER
        if way == 'garbage':
            return b'<html>It works!</html>'
        if way == 'huge':
            return b'\x30\x84\x00\x10\x00\x00' + bytes(1 << 20)
        if (serial, self.after) in self._signed:
            return self._signed[serial, self.after]
        nonce = b'ours, not yours.' if way == 'other-nonce' else self._nonce(request)
        made = self._sign(serial, way, nonce)
        if issuer == 'forged':
            return made[:-3] + bytes([made[-3] ^ 1]) + made[-2:]
        return made[:len(made) // 2] if way == 'cut' else made

    @staticmethod
    def _nonce(request):
        if len(serials_of(request)) > 1:
            return None
        found = [one for one in ocsp.load_der_ocsp_request(request).extensions if isinstance(one.value, x509.OCSPNonce)]
        return found[0].value.nonce if found else None

    # The server in front.

    def _answer(self, handler):
        request = handler.rfile.read(int(handler.headers['Content-Length']))
        serial = serials_of(request)[0]
        way, _, issuer = handler.path[1:].partition('/')
        if way == 'any':
            _, issuer, way = self._by_serial[serial]
        if way == 'own' and (issuer, self.after) in self._servers:
            handler.close_connection = True
            handler.wfile.write(self._pass_on(self._servers[issuer, self.after], request))
        elif way == 'silent':
            handler.close_connection = True
            self._release.wait(waiting.SECONDS)
        elif way == 'redirect':
            handler.send_response(307)
            handler.send_header('Location', self.url(issuer))
            handler.send_header('Content-Length', '0')
            handler.end_headers()
        else:
            harness_ocsp.send(handler, self._made(serial, issuer, way, request))

    def _open(self):
        responders = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                responders._answer(self)

            def log_message(self, *words):
                pass

        class Front(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # whoever asked has gone: their right

        self._front = Front(('127.0.0.1', self.port), Handler)
        threading.Thread(target=self._front.serve_forever, args=(0.02,), daemon=True).start()

    def ask(self, name):
        """What a client gets to staple, of the responder that its certificate names; None: nothing."""
        cert = self.authority.key_of(name)[0]
        _, issuer, way = self._by_serial[cert.serial_number]
        if way in NEVER_ANSWER:
            return None
        builder = ocsp.OCSPRequestBuilder().add_certificate(cert, self.authority.key_of(issuer)[0], hashes.SHA1())
        url = urllib.parse.urlsplit(self.url(issuer, way))
        connection = http.client.HTTPConnection(url.netloc, timeout=waiting.SECONDS)
        try:
            connection.request('POST', url.path, builder.build().public_bytes(serialization.Encoding.DER),
                               {'Content-Type': 'application/ocsp-request'})
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read()
        finally:
            connection.close()

    def close(self):
        self._release.set()
        self._front.shutdown()
        self._front.server_close()
        for server in self._servers.values():
            server.close()

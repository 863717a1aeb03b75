# SPDX-License-Identifier: Apache-2.0
"""A TLS client by GnuTLS that shows an OCSP answer with its certificate, be it what it may: neither
Python's ssl nor `openssl s_client` nor gnutls-cli can. In TLS 1.2 there is no place for it."""

import ctypes
import ctypes.util
import socket
import ssl
import struct
import time

from harness import waiting

CLIENT, NO_SIGNAL = 1 << 1, 1 << 6
PEM, CREDENTIALS, DNS, CHAIN_MAX = 1, 1, 1, 16
AGAIN, ALERT_CAME, CUT = -28, -12, -110
# By the alert's number, as OpenSSL names them.
ALERTS = {40: 'handshake failure', 42: 'bad certificate', 43: 'unsupported certificate', 44: 'certificate revoked',
          45: 'certificate expired', 46: 'certificate unknown', 47: 'illegal parameter', 48: 'unknown ca',
          49: 'access denied', 50: 'decode error', 51: 'decrypt error', 71: 'insufficient security',
          80: 'internal error', 113: 'bad certificate status response', 116: 'certificate required'}


class Datum(ctypes.Structure):
    _fields_ = [('data', ctypes.c_void_p), ('size', ctypes.c_uint)]


class OcspData(ctypes.Structure):
    """Never taken for expired: what is shown is the test's to choose."""
    _fields_ = [('version', ctypes.c_uint), ('response', Datum), ('exptime', ctypes.c_long),
                ('padding', ctypes.c_ubyte * 32)]


class Certificate(ctypes.Structure):
    _fields_ = [('pubkey', ctypes.c_void_p), ('cert', Datum), ('type', ctypes.c_int)]


P = ctypes.POINTER
RETRIEVE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, P(P(Certificate)), P(ctypes.c_uint),
                            P(P(OcspData)), P(ctypes.c_uint), P(ctypes.c_void_p), P(ctypes.c_uint))


class Refused(ssl.SSLError):
    """The server's alert, by OpenSSL's name of it, as the reason of Python's own."""

    def __init__(self, alert):
        super().__init__(alert)
        self.reason = alert


def _library():
    made = ctypes.CDLL(ctypes.util.find_library('gnutls') or 'libgnutls.so.30')
    made.gnutls_strerror.restype = ctypes.c_char_p
    for name in ('gnutls_record_send', 'gnutls_record_recv'):
        function = getattr(made, name)
        function.restype = ctypes.c_ssize_t
        function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    return made


gnutls = _library()
_free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(ctypes.c_void_p.in_dll(gnutls, 'gnutls_free').value)


def _check(code):
    assert code >= 0, f'GnuTLS: {gnutls.gnutls_strerror(code).decode()}'
    return code


def _datum(data):
    """The datum lives as long as the bytes do that are returned with it."""
    held = ctypes.create_string_buffer(data, max(len(data), 1))
    return Datum(ctypes.addressof(held), len(data)), held


class Context:
    """What a client is: its certificate, whom it believes, the versions, and what it staples."""

    def __init__(self, roots, leaf=None, versions=None, alpn=None, staple=None):
        """staple: bytes, of an answer or of anything else, or a list of them, one for each certificate of
        the chain; None: none. It may be changed later."""
        self.staple, self.alpn, self._shown = staple, alpn, None
        self._credentials, self._key, self._n_certs = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint(0)
        self._certs = (Certificate * CHAIN_MAX)()
        _check(gnutls.gnutls_certificate_allocate_credentials(ctypes.byref(self._credentials)))
        _check(gnutls.gnutls_certificate_set_x509_trust_file(self._credentials, str(roots).encode(), PEM))
        if leaf is not None:
            self._load(leaf)
        wanted = ':'.join(f'+VERS-TLS{one}' for one in versions or ('1.3', '1.2'))
        self.priority = f'NORMAL:-VERS-ALL:{wanted}'.encode()
        self._retrieve = RETRIEVE(self._show)  # GnuTLS calls it for as long as we live
        gnutls.gnutls_certificate_set_retrieve_function3(self._credentials, self._retrieve)

    def _load(self, leaf):
        self._n_certs = ctypes.c_uint(CHAIN_MAX)
        _check(gnutls.gnutls_pcert_list_import_x509_file(self._certs, ctypes.byref(self._n_certs),
                                                         str(leaf.chain).encode(), PEM, None, None, 0))
        _check(gnutls.gnutls_privkey_init(ctypes.byref(self._key)))
        key, _held = _datum(leaf.key.read_bytes())
        _check(gnutls.gnutls_privkey_import_x509_raw(self._key, ctypes.byref(key), PEM, None, 0))

    def _show(self, _session, _info, certs, n_certs, answers, n_answers, key, flags):
        """Whomever the server's list of CAs names. All of it stays ours."""
        certs[0], n_certs[0] = ctypes.cast(self._certs, P(Certificate)), self._n_certs.value
        key[0], flags[0], n_answers[0] = self._key.value, 0, 0
        if self.staple is not None:
            made = [_datum(one) for one in ([self.staple] if isinstance(self.staple, bytes) else self.staple)]
            self._shown = (OcspData * len(made))(*(OcspData(0, datum, 0) for datum, _ in made)), made
            answers[0], n_answers[0] = ctypes.cast(self._shown[0], P(OcspData)), len(made)
        return 0

    def wrap_socket(self, raw, server_hostname, session=None, **_):
        """As Python's ssl does it. The socket goes with the connection."""
        return Connection(self, raw, server_hostname, session)

    def __del__(self):
        for at in range(self._n_certs.value):
            gnutls.gnutls_pcert_deinit(ctypes.byref(self._certs[at]))
        if self._key:
            gnutls.gnutls_privkey_deinit(self._key)
        gnutls.gnutls_certificate_free_credentials(self._credentials)


class Connection:
    """After its handshake. Of one thread."""

    def __init__(self, context, raw, name, ticket):
        self._context, self._raw, self._session = context, raw, ctypes.c_void_p()
        raw.settimeout(None)  # GnuTLS reads the descriptor itself
        limit = struct.pack('ll', waiting.SECONDS, 0)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        _check(gnutls.gnutls_init(ctypes.byref(self._session), CLIENT | NO_SIGNAL))
        try:
            self._prepare(name, ticket)
            self._handshake()
        except BaseException:
            self.close()
            raise

    def _prepare(self, name, ticket):
        session, context = self._session, self._context
        _check(gnutls.gnutls_priority_set_direct(session, context.priority, None))
        _check(gnutls.gnutls_credentials_set(session, CREDENTIALS, context._credentials))
        self._name = name.encode()  # which GnuTLS goes on looking at
        _check(gnutls.gnutls_server_name_set(session, DNS, self._name, ctypes.c_size_t(len(self._name))))
        gnutls.gnutls_session_set_verify_cert(session, self._name, 0)
        if context.alpn:
            made = [_datum(one.encode()) for one in context.alpn]
            array = (Datum * len(made))(*[datum for datum, _ in made])
            _check(gnutls.gnutls_alpn_set_protocols(session, array, len(made), 0))
        if ticket:
            _check(gnutls.gnutls_session_set_data(session, ticket, ctypes.c_size_t(len(ticket))))
        gnutls.gnutls_transport_set_int2(session, self._raw.fileno(), self._raw.fileno())

    def _call(self, function, *words):
        """Until it is done. To go on is also for when a ticket has come in place of data."""
        deadline = time.monotonic() + waiting.SECONDS
        while True:
            code = function(self._session, *words)
            if code >= 0:
                return code
            if code == AGAIN and time.monotonic() > deadline:
                raise TimeoutError('the server is silent')
            if code == ALERT_CAME:
                number = gnutls.gnutls_alert_get(self._session)
                raise Refused(ALERTS.get(number, f'alert {number}'))
            if code == CUT:
                raise ssl.SSLEOFError(f'cut: {gnutls.gnutls_strerror(code).decode()}')
            if gnutls.gnutls_error_is_fatal(ctypes.c_int(code)):
                raise ConnectionError(gnutls.gnutls_strerror(ctypes.c_int(code)).decode())

    def _handshake(self):
        self._call(gnutls.gnutls_handshake)

    @property
    def session_reused(self):
        return bool(gnutls.gnutls_session_is_resumed(self._session))

    @property
    def session(self):
        """The ticket that has come, as bytes; None: none has."""
        made = Datum()
        if gnutls.gnutls_session_get_data2(self._session, ctypes.byref(made)) < 0 or not made.data:
            return None
        found = ctypes.string_at(made.data, made.size)
        _free(made.data)
        return found

    def sendall(self, data):
        at = 0
        while at < len(data):
            at += self._call(gnutls.gnutls_record_send, data[at:], len(data) - at)

    def recv(self, size):
        room = ctypes.create_string_buffer(size)
        got = self._call(gnutls.gnutls_record_recv, room, size)
        return room.raw[:got]

    def makefile(self, _mode):
        return Reader(self)

    def close(self):
        if self._session:
            gnutls.gnutls_deinit(self._session)
            self._session = None
        self._raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Reader:
    """As much of a file as clients.HttpReader reads by."""

    def __init__(self, connection):
        self._connection, self._data, self._ended = connection, b'', False

    def _more(self):
        data = b'' if self._ended else self._connection.recv(65536)
        self._data, self._ended = self._data + data, not data
        return bool(data)

    def _take(self, size):
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def readline(self):
        while b'\n' not in self._data and self._more():
            pass
        end = self._data.find(b'\n')
        return self._take(end + 1 if end >= 0 else len(self._data))

    def read(self, size=None):
        while (size is None or len(self._data) < size) and self._more():
            pass
        return self._take(len(self._data) if size is None else size)

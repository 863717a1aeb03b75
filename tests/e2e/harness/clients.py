# SPDX-License-Identifier: Apache-2.0
"""Clients of other people's making: Python's ssl, openssl s_client, gnutls-cli, curl."""

import re
import socket
import ssl
import subprocess
import types

from harness import waiting


def context(roots, leaf=None, versions=None, alpn=None, ciphers=None):
    """roots None: believes any server. versions: ('1.2',) or ('1.3',)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if roots is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        made.load_verify_locations(roots)
    if leaf is not None:
        made.load_cert_chain(leaf.chain, leaf.key)
    if versions == ('1.2',):
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if versions == ('1.3',):
        made.minimum_version = ssl.TLSVersion.TLSv1_3
    if alpn:
        made.set_alpn_protocols(alpn)
    if ciphers:
        made.set_ciphers(ciphers)
    return made


def plain(port, before=b''):
    """A TCP connection, with bytes to send first."""
    connection = socket.create_connection(('127.0.0.1', port), timeout=waiting.SECONDS)
    if before:
        connection.sendall(before)
    return connection


def connect(port, roots, leaf=None, sni='server.example', before=b'', session=None, **more):
    """A TLS connection after its handshake."""
    made = more.pop('context', None) or context(roots, leaf, **more)
    connection = plain(port, before)
    try:
        return made.wrap_socket(connection, server_hostname=sni, session=session,
                                suppress_ragged_eofs=False)
    except BaseException:
        connection.close()
        raise


def refusal(port, roots, leaf=None, **more):
    """How the server refused, as OpenSSL names the alert that came: 'unknown ca', or 'closed'
    when it closed without one. Fails when the client was let in."""
    try:
        with connect(port, roots, leaf, **more) as connection:
            data = connection.recv(1)  # TLS 1.3: the verdict comes after the client's handshake
            assert not data, f'let in: the server sent {data!r}'
            return 'closed'
    except ssl.SSLEOFError:
        return 'closed'
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).lower().replace('_', ' ')
        return re.sub(r'^.*?(sslv3|tlsv1|tlsv13) (alert )?| \(.*$', '', reason)
    except ConnectionError:
        return 'closed'


def exchange(connection, data=b'hello over there'):
    """Sends and reads back as much; for echoing backends."""
    connection.sendall(data)
    return read_exactly(connection, len(data))


def read_exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        more = connection.recv(min(65536, size - len(data)))
        assert more, f'the connection ended after {len(data)} of {size} bytes'
        data += more
    return bytes(data)


def finish(connection):
    """Ends in order: close_notify both ways, then TCP."""
    connection.unwrap()
    connection.close()


class HttpReader:
    """Reads answers of HTTP/1.1 from a connection, interim ones too."""

    def __init__(self, connection):
        self._file = connection.makefile('rb')

    def answer(self, method='GET'):
        """The next answer, or None when the connection has ended instead."""
        try:
            line = self._file.readline()
        except ConnectionError:
            return None
        if not line:
            return None
        version, status, *reason = line.decode('latin-1').rstrip('\r\n').split(' ', 2)
        answer = types.SimpleNamespace(version=version, status=int(status), reason=' '.join(reason),
                                       fields={}, body=b'', trailers={})
        self._fields(answer.fields)
        if method != 'HEAD' and answer.status >= 200 and answer.status not in (204, 304):
            self._body(answer)
        return answer

    def _fields(self, into):
        while (line := self._file.readline().decode('latin-1').rstrip('\r\n')):
            name, _, value = line.partition(':')
            name, value = name.lower(), value.strip()
            into[name] = f'{into[name]}, {value}' if name in into else value

    def _body(self, answer):
        if answer.fields.get('transfer-encoding') == 'chunked':
            while (size := int(self._file.readline().partition(b';')[0], 16)):
                answer.body += self._file.read(size)
                assert self._file.readline() == b'\r\n'
            self._fields(answer.trailers)
        elif 'content-length' in answer.fields:
            size = int(answer.fields['content-length'])
            answer.body = self._file.read(size)
            assert len(answer.body) == size, 'the answer is cut'
        else:
            answer.body = self._file.read()


def read_to_end(connection):
    data = bytearray()
    while True:
        more = connection.recv(65536)
        if not more:
            return bytes(data)
        data += more


def s_client(port, *options, roots=None, leaf=None, sni='server.example', stdin=b''):
    """openssl s_client; it ends when its input does."""
    words = ['openssl', 's_client', '-connect', f'127.0.0.1:{port}', '-servername', sni]
    if roots:
        words += ['-CAfile', str(roots), '-verify_return_error', '-verify_hostname', sni]
    if leaf:
        words += ['-cert', str(leaf.cert), '-cert_chain', str(leaf.chain), '-key', str(leaf.key)]
    return subprocess.run([*words, *options], input=stdin, capture_output=True,
                          timeout=waiting.SECONDS, check=False)


def curl(port, *options, roots=None, leaf=None, host='server.example', path='/'):
    words = ['curl', '--silent', '--show-error', '--max-time', str(waiting.SECONDS), '--noproxy', '*',
             '--connect-to', f'{host}:{port}:127.0.0.1:{port}', f'https://{host}:{port}{path}']
    if roots:
        words += ['--cacert', str(roots)]
    if leaf:
        words += ['--cert', str(leaf.chain), '--key', str(leaf.key)]
    return subprocess.run([*words, *map(str, options)], capture_output=True, text=True,
                          timeout=waiting.SECONDS + 5, check=False)


def gnutls_cli(port, *options, roots=None, leaf=None, sni='server.example', stdin=b''):
    words = ['gnutls-cli', '--port', str(port), '--sni-hostname', sni, '--verify-hostname', sni,
             '127.0.0.1']
    if roots:
        words += ['--x509cafile', str(roots)]
    if leaf:
        words += ['--x509certfile', str(leaf.chain), '--x509keyfile', str(leaf.key)]
    return subprocess.run([*words, *options], input=stdin, capture_output=True,
                          timeout=waiting.SECONDS, check=False)

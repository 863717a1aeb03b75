# SPDX-License-Identifier: Apache-2.0
"""What stands behind the proxy: servers of a thread per connection, with a record of each."""

import os
import socket
import struct
import subprocess
import threading
import time

from harness import waiting

PROXY_V2_SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'


class Record:
    """What one connection brought."""

    def __init__(self):
        self.proxy = None  # decoded PROXY header
        self.received = bytearray()
        self.ended = threading.Event()
        self.error = None


class Backend:
    """serve(connection, record) is called in a thread of its own for each connection."""

    def __init__(self, serve, port=None, path=None, proxy=False, backlog=1024):
        self.serve, self.proxy = serve, proxy
        self.records = []
        self._changed = threading.Condition()
        self._open = set()
        if path is not None:
            self.address = f'unix:{path}'
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(path))
        else:
            self.address = f'127.0.0.1:{port}'
            self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(('127.0.0.1', port))
        self._listener.listen(backlog)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            record = Record()
            with self._changed:
                self.records.append(record)
                self._open.add(connection)
                self._changed.notify_all()
            threading.Thread(target=self._run, args=(connection, record), daemon=True).start()

    def _run(self, connection, record):
        try:
            if self.proxy:
                record.proxy = read_proxy_header(connection)
            self.serve(connection, record)
        except OSError as error:
            record.error = error
        finally:
            with self._changed:
                self._open.discard(connection)
            connection.close()
            record.ended.set()

    def wait(self, count=1):
        """The records of the first `count` connections."""
        deadline = time.monotonic() + waiting.SECONDS
        with self._changed:
            while len(self.records) < count:
                left = deadline - time.monotonic()
                assert left > 0, f'{len(self.records)} of {count} connections reached the backend'
                self._changed.wait(left)
            return self.records[:count]

    def close(self):
        """Stops listening and cuts what is open. Harmless the second time."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)  # or else accept() keeps it listening
        self._listener.close()
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def echo(connection, record):
    """Sends back what comes, and its own end after the peer's."""
    while True:
        data = connection.recv(65536)
        if not data:
            connection.shutdown(socket.SHUT_WR)
            return
        record.received += data
        connection.sendall(data)


def greeting(text):
    """Says who it is, then echoes."""
    def serve(connection, record):
        connection.sendall(text.encode() + b'\n')
        echo(connection, record)
    return serve


def endless(connection, record):
    while True:
        connection.sendall(b'z' * 65536)


def sink(connection, record):
    while True:
        data = connection.recv(65536)
        if not data:
            return
        record.received += data


def read_exactly(connection, size):
    data = b''
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError('the connection ended within a PROXY header')
        data += more
    return data


def read_proxy_header(connection):
    start = read_exactly(connection, 12)
    if start == PROXY_V2_SIGNATURE:
        rest = read_exactly(connection, 4)
        body = read_exactly(connection, struct.unpack('!H', rest[2:])[0])
        return decode_proxy_v2(start + rest + body)
    line = start
    while not line.endswith(b'\r\n'):
        assert len(line) < 107, 'a PROXY v1 header is at most 107 bytes'
        line += read_exactly(connection, 1)
    words = line[:-2].decode('ascii').split(' ')
    assert words[0] == 'PROXY', line
    if words[1] == 'UNKNOWN':
        return {'version': 1, 'source': None}
    return {'version': 1, 'family': words[1], 'source': (words[2], int(words[4])),
            'destination': (words[3], int(words[5])), 'tlvs': {}}


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def decode_tlvs(data):
    tlvs = {}
    while data:
        kind, size = struct.unpack('!BH', data[:3])
        assert len(data) >= 3 + size, 'a TLV is cut'
        tlvs[kind] = data[3:3 + size]
        data = data[3 + size:]
    return tlvs


def decode_proxy_v2(header):
    """PROXY protocol v2 as its specification has it, checksum checked when there is one."""
    version_command, family, size = struct.unpack('!BBH', header[12:16])
    assert version_command >> 4 == 2
    body = header[16:16 + size]
    lengths = {0x11: 12, 0x21: 36, 0x31: 216, 0x00: 0}
    addresses, tail = body[:lengths[family]], body[lengths[family]:]
    made = {'version': 2, 'command': {0: 'LOCAL', 1: 'PROXY'}[version_command & 15],
            'source': None, 'tlvs': decode_tlvs(tail), 'raw': header}
    if family == 0x11:
        a, b, c, d = struct.unpack('!4s4sHH', addresses)
        made['source'] = (socket.inet_ntop(socket.AF_INET, a), c)
        made['destination'] = (socket.inet_ntop(socket.AF_INET, b), d)
    elif family == 0x21:
        a, b, c, d = struct.unpack('!16s16sHH', addresses)
        made['source'] = (socket.inet_ntop(socket.AF_INET6, a), c)
        made['destination'] = (socket.inet_ntop(socket.AF_INET6, b), d)
    if 0x03 in made['tlvs']:
        at = header.index(b'\x03\x00\x04' + made['tlvs'][0x03]) + 3
        blank = header[:at] + b'\0\0\0\0' + header[at + 4:]
        assert crc32c(blank) == struct.unpack('!I', made['tlvs'][0x03])[0], 'wrong CRC-32C'
    if 0x20 in made['tlvs']:
        ssl = made['tlvs'][0x20]
        made['ssl'] = {'client': ssl[0], 'verify': struct.unpack('!I', ssl[1:5])[0],
                       **decode_tlvs(ssl[5:])}
    return made


def encode_proxy_v2(source, destination, command=1, tlvs=b''):
    """A header for IPv4 addresses, (host, port) each."""
    body = struct.pack('!4s4sHH', socket.inet_aton(source[0]), socket.inet_aton(destination[0]),
                       source[1], destination[1]) + tlvs
    return PROXY_V2_SIGNATURE + struct.pack('!BBH', 0x20 | command, 0x11, len(body)) + body


NGINX_CONFIG = '''
daemon off;
master_process off;
worker_processes 1;
error_log {folder}/error.log info;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {server.chain};
        ssl_certificate_key {server.key};
        ssl_client_certificate {roots};
        ssl_verify_client on;
        ssl_verify_depth 3;
        ssl_protocols TLSv1.2 TLSv1.3;
        {more}
        location / {{
            return 200 "hello $ssl_client_s_dn over $ssl_protocol for $ssl_server_name\\n";
        }}
    }}
}}
'''


class Nginx:
    """A TLS server that lets in only clients whose certificate it trusts."""

    def __init__(self, folder, port, server, roots, more=''):
        self.folder, self.port, self.address = folder, port, f'127.0.0.1:{port}'
        folder.mkdir()
        config = folder / 'nginx.conf'
        config.write_text(NGINX_CONFIG.format(folder=folder, port=port, server=server, roots=roots,
                                              more=more))
        self.process = subprocess.Popen(['/usr/sbin/nginx', '-e', str(folder / 'error.log'),
                                         '-p', str(folder), '-c', str(config)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_listening(port, self.process)

    def close(self):
        self.process.terminate()
        self.process.wait(waiting.SECONDS)


def wait_listening(port, process):
    """Until the process accepts on the port: tries again whenever the kernel refuses."""
    deadline = time.monotonic() + waiting.SECONDS
    ended = threading.Event()
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) == 0:
                return
        assert process.poll() is None, f'{process.args[0]} ended with {process.returncode}'
        assert time.monotonic() < deadline, f'{process.args[0]} does not listen'
        ended.wait(0.02)


def have(program):
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in
               [*os.environ.get('PATH', '').split(':'), '/usr/sbin', '/sbin'])

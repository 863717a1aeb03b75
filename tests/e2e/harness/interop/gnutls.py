# SPDX-License-Identifier: Apache-2.0
"""gnutls-cli and gnutls-serv."""

import re
import shutil

from harness.interop import Peer, Seen, process

REQUEST = b'GET / HTTP/1.0\r\n\r\n'
GROUPS = {'X25519': 'X25519', 'P-256': 'SECP256R1', 'P-384': 'SECP384R1'}
CIPHERS = {'TLS_AES_128_GCM_SHA256': 'AES-128-GCM', 'TLS_AES_256_GCM_SHA384': 'AES-256-GCM',
           'TLS_CHACHA20_POLY1305_SHA256': 'CHACHA20-POLY1305'}


def priority(combo):
    """Its own choice narrowed to this combination."""
    return (f'NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-{GROUPS[combo.group]}:'
            f'-CIPHER-ALL:+{CIPHERS[combo.suite]}')


class Gnutls(Peer):
    name = 'gnutls'

    def missing(self):
        return None if shutil.which('gnutls-cli') else 'gnutls-bin is not installed'

    def visit(self, doors, folder):
        return {door: self._twice(door) for door in doors}

    @staticmethod
    def _twice(door):
        """Its first connection carries nothing: it only waits for the ticket."""
        shown = process.run(['gnutls-cli', '--port', door.port, '--sni-hostname', 'server.example',
                             '--verify-hostname', 'server.example', '--x509cafile', door.root,
                             '--x509certfile', door.leaf.chain, '--x509keyfile', door.leaf.key,
                             '--resume', '--waitresumption', '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3',
                             '127.0.0.1'], REQUEST)
        body = re.search(r'\r\n\r\n(.*)\n', shown.stdout)
        resumed = '*** This is a resumed session' in shown.stdout
        return [Seen(None, False), Seen(body.group(1) if body else shown.stdout[-2000:], resumed)]

    def serve(self, rooms, folder):
        return process.servers([(room.port, [
            'gnutls-serv', '--http', '--port', room.port, '--priority', priority(room.combo),
            '--require-client-cert', '--verify-client-cert', '--x509cafile', room.roots,
            '--x509certfile', room.leaf.chain, '--x509keyfile', room.leaf.key])
            for room in rooms], folder)

    @staticmethod
    def saw(answer, combo, who):
        assert 'TLS1.3' in answer and CIPHERS[combo.suite] in answer and f'CN={who},' in answer, answer
        return 'This is a resumed session' in answer if 'resumed session' in answer else None

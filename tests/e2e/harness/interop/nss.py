# SPDX-License-Identifier: Apache-2.0
"""tstclnt and selfserv of NSS."""

import re
import shutil

from harness import certs
from harness.interop import Peer, Seen, process

REQUEST = b'GET / HTTP/1.0\r\n\r\n'
# Its default has no scheme for RSA-PSS keys.
SCHEMES = ','.join(f'{kind}_sha{size}' for kind in ('rsa_pss_rsae', 'rsa_pss_pss') for size in (256, 384, 512)) + \
    ',ecdsa_secp256r1_sha256,ecdsa_secp384r1_sha384,ecdsa_secp521r1_sha512'
GROUPS = {'X25519': 'x25519', 'P-256': 'P256', 'P-384': 'P384'}


class Nss(Peer):
    name = 'nss'
    cannot = {'ed25519': 'NSS 3.87 has no Ed25519'}

    def missing(self):
        return None if shutil.which('tstclnt') else 'libnss3-tools is not installed'

    @staticmethod
    def database(folder, place):
        """One for each key; place: a door or a room."""
        where = folder / place.combo.key
        if not where.exists():
            where.mkdir()
            certs.nss_database(where, place.leaf, place.root if hasattr(place, 'root') else place.roots)
        return f'sql:{where}'

    def visit(self, doors, folder):
        return {door: self._twice(door, self.database(folder, door), folder) for door in doors}

    @staticmethod
    def _twice(door, database, folder):
        """It may leave before its ticket comes, so it makes several connections; that at least one
        of them resumed is what it tells."""
        request = folder / 'request'
        request.write_bytes(REQUEST)
        shown = process.run(['tstclnt', '-h', 'localhost', '-p', door.port, '-d', database, '-n',
                             door.leaf.name, '-V', 'tls1.3:tls1.3', '-a', 'server.example', '-4',
                             '-A', request, '-L', 4, '-v', '-J', SCHEMES])
        body = re.search(r'\r\n\r\n(.*)\n', shown.stdout)
        resumed = bool(re.search(r'[1-9]\d* stateless resumes', shown.stdout))
        return [Seen(None, False), Seen(body.group(1) if body else shown.stdout[-2000:], resumed)]

    def serve(self, rooms, folder):
        return process.servers([(room.port, [
            'selfserv', '-d', self.database(folder, room), '-n', room.leaf.name, '-p', room.port,
            '-V', 'tls1.3:tls1.3', '-I', GROUPS[room.combo.group], '-r', '-r', '-u', '-H', 0,
            '-J', SCHEMES])
            for room in rooms], folder)

    @staticmethod
    def saw(answer, combo, who):
        del combo, who
        assert 'HTTP/1.0 200 OK' in answer, answer
        return None

# SPDX-License-Identifier: Apache-2.0
"""openssl s_client and s_server."""

import re
import shutil

from harness.interop import Peer, Seen, process

REQUEST = b'GET / HTTP/1.0\r\n\r\n'


class Openssl(Peer):
    name = 'openssl'

    def missing(self):
        return None if shutil.which('openssl') else 'openssl is not installed'

    def visit(self, doors, folder):
        return {door: [self._once(door, folder, word) for word in ('-sess_out', '-sess_in')]
                for door in doors}

    @staticmethod
    def _once(door, folder, session):
        kept = folder / f'{door.combo.name}.session'
        shown = process.run(['openssl', 's_client', '-connect', f'127.0.0.1:{door.port}', '-tls1_3',
                             '-servername', 'server.example', '-CAfile', door.root,
                             '-verify_return_error', '-verify_hostname', 'server.example',
                             '-cert', door.leaf.cert, '-cert_chain', door.leaf.chain,
                             '-key', door.leaf.key, '-ign_eof', session, kept], REQUEST)
        how = re.search(rf'(New|Reused), TLSv1.3, Cipher is {door.combo.suite}', shown.stdout)
        body = re.search(r'\r\n\r\n(.*)\n', shown.stdout)
        return Seen(body.group(1) if body else shown.stdout[-2000:], how and how.group(1) == 'Reused')

    def serve(self, rooms, folder):
        return process.servers([(room.port, [
            'openssl', 's_server', '-accept', f'127.0.0.1:{room.port}', '-tls1_3', '-www',
            '-Verify', 3, '-verify_return_error', '-CAfile', room.roots, '-cert', room.leaf.cert,
            '-cert_chain', room.leaf.chain, '-key', room.leaf.key, '-groups', room.combo.group,
            '-ciphersuites', room.combo.suite]) for room in rooms], folder)

    @staticmethod
    def saw(answer, combo, who):
        """Whether it took the session up again; fails when it saw another than `who`."""
        how = re.search(rf'(New|Reused), TLSv1.3, Cipher is {combo.suite}', answer)
        assert how and f'Subject: O=Handfast tests, CN={who}\n' in answer, answer
        return how.group(1) == 'Reused'

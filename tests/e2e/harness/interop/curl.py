# SPDX-License-Identifier: Apache-2.0
"""curl, a client only. It keeps sessions within one run."""

import shutil

from harness.interop import Peer, Seen, process


class Curl(Peer):
    name = 'curl'

    def missing(self):
        return None if shutil.which('curl') else 'curl is not installed'

    def visit(self, doors, folder):
        del folder
        return {door: self._twice(door) for door in doors}

    @staticmethod
    def _twice(door):
        url = f'https://server.example:{door.port}/'
        shown = process.run(['curl', '--silent', '--show-error', '--max-time', 20, '--noproxy', '*',
                             '--resolve', f'server.example:{door.port}:127.0.0.1', '--tlsv1.3',
                             '--cacert', door.root, '--cert', door.leaf.chain, '--key', door.leaf.key,
                             url, url])
        answers = shown.stdout.splitlines()
        if len(answers) != 2:
            return [Seen(shown.stdout, None)]
        return [Seen(answer, None) for answer in answers]

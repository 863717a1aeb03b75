# SPDX-License-Identifier: Apache-2.0
"""`handfast ca` in the hands of a test, over SQLite in a folder or over PostgreSQL."""

import json
import pathlib

from harness import certs, daemon


class Ca:
    """folder is where roots.pem and other files go; url is None for a store in that folder."""

    def __init__(self, folder, url=None, name='Example', init=(), env=None):
        self.folder, self.url, self.env = pathlib.Path(folder), url, env
        self.where = ['--store', url] if url else ['--dir', self.folder]
        if name:
            self.good('init', '--name', name, *init)
        if url:
            self.folder.mkdir(exist_ok=True)

    def run(self, verb, *words, **more):
        """verb may be two words: 'rotate start'."""
        more.setdefault('env', self.env)
        return daemon.run('ca', *verb.split(), *self.where, *words, **more)

    def good(self, verb, *words, **more):
        ended = self.run(verb, *words, **more)
        assert ended.returncode == 0, f'{verb} {words}: {ended.stderr}'
        return ended.stdout

    def bad(self, verb, *words, **more):
        """It must fail; what it says."""
        ended = self.run(verb, *words, **more)
        assert ended.returncode in (1, 2), f'{verb} {words}: {ended.returncode} {ended.stdout}'
        return ended.stderr

    def json(self, verb, *words, **more):
        return json.loads(self.good(verb, *words, '--json', **more))

    def list(self, *words):
        """Leaves alone: the CAs that the root signed are left out."""
        return [row for row in self.json('list', *words) if row['profile'] != 'ca']

    @property
    def roots(self):
        path = self.folder / 'root.pem'
        if self.url:
            path.write_text(self.good('authority roots'))
        return path

    def issue(self, kind, name, *words, stem=None):
        """kind: 'server', 'client', or the name of a profile."""
        stem = pathlib.Path(stem or self.folder.parent / name.replace('.', '-').replace('/', '-'))
        flags = [f'--{kind}', name] if kind in ('server', 'client') else [
            '--profile', kind, '--name', name]
        self.good('issue', *flags, '--out', stem, '--no-p12', *words)
        cert = stem.with_suffix('.pem')
        return certs.Leaf(name, cert, cert, stem.with_suffix('.key'))


def serial(cert):
    """As handfast writes it."""
    text = certs.openssl('x509', '-noout', '-serial', '-in', cert).decode()
    return text.strip().split('=')[1].lower().lstrip('0')

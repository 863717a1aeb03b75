# SPDX-License-Identifier: Apache-2.0
"""Every whole config in docs/ and README passes `handfast check` without errors, with the files that
it names made for it."""

import pathlib
import re
import shutil

import pytest
import yaml

from harness import certs, daemon as daemons

pytestmark = pytest.mark.quick

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob('docs/*.md'), ROOT / 'README.md'])


def is_whole(text):
    """Is it a config, and not a part of one or somebody else's?"""
    doors = re.search(r'^listeners:', text, re.MULTILINE) and yaml.safe_load(text)['listeners']
    return bool(doors) and all('listen' in door for door in doors.values())


def configs():
    """(page:line, text) of each yaml block that is a whole config."""
    for page in PAGES:
        text = page.read_text()
        for block in re.finditer(r'^```yaml\n(.*?)^```', text, re.DOTALL | re.MULTILINE):
            if is_whole(block.group(1)):
                line = text.count('\n', 0, block.start()) + 1
                yield pytest.param(block.group(1), id=f'{page.name}:{line}')


@pytest.fixture(scope='module')
def server(pki):
    return pki.servers.server('server.example', san=['DNS:server.example'],
                              extensions='extendedKeyUsage = serverAuth, clientAuth\n')


def private(path, data):
    path.write_bytes(data)
    path.chmod(0o600)


def place(folder, name):
    """Where a config in the folder finds this name; absolute ones are moved below it."""
    path = folder / name.lstrip('/')
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def make_files(config, folder, leaf, authority):
    for identity in config.get('identities', {}).values():
        chain, key = place(folder, identity['cert']), leaf.key.read_bytes()
        if 'key' in identity:
            private(place(folder, identity['key']), key)
            chain.write_bytes(leaf.chain.read_bytes())
        else:
            private(chain, leaf.chain.read_bytes() + key)
    for ca in config.get('ca', {}).values():
        if 'passphrase-file' in ca:
            private(place(folder, ca['passphrase-file']), b'secret\n')
    for trust in config.get('trust', {}).values():
        shutil.copy(authority.root.cert, place(folder, trust['roots']))
        for name in trust.get('crl', {}).get('files', []):
            make_crl(authority, place(folder, name))


def make_crl(authority, path):
    """An empty list of the root and of each CA below it."""
    text = b''
    for issuer in (authority.root, *authority.intermediates):
        config = path.with_suffix('.cnf')
        (authority.folder / 'index.txt').touch()
        config.write_text(certs.CA_CONFIG.format(folder=authority.folder, cert=issuer.cert,
                                                 key=issuer.key,
                                                 extensions='authorityKeyIdentifier = keyid:always'))
        text += certs.openssl('ca', '-gencrl', '-config', config, '-crldays', '30', '-crlexts', 'ext')
        config.unlink()
    path.write_bytes(text)


@pytest.mark.parametrize('text', configs())
def test_config(text, tmp_path, pki, server):
    config = yaml.safe_load(text)
    text = re.sub(r'(?<![\w.])/(?:etc|run|var)/[\w./-]+',
                  lambda found: str(place(tmp_path, found.group())), text)
    make_files(config, tmp_path, server, pki.clients)
    path = tmp_path / 'handfast.yaml'
    path.write_text(text)
    ended = daemons.run('check', '-c', path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_there_are_some():
    assert len(list(configs())) >= 6

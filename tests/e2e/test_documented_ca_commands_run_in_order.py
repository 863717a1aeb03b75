# SPDX-License-Identifier: Apache-2.0
"""docs/ca.md is followed to the letter: each `handfast` line of a shell block, in order, a folder for
each block. And what it tells in words of rotating a root that is offline is done."""

import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from harness import daemon, waiting

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'ca.md'
HANDFAST = str(pathlib.Path(daemon.BINARY).resolve())


def sections():
    """(heading, number of the block under it, its lines), with continued lines joined."""
    found, heading = [], ''
    for part in re.split(r'^(## .*)$', PAGE.read_text(encoding='utf-8'), flags=re.M):
        if part.startswith('## '):
            heading = part[3:]
        for number, block in enumerate(re.findall(r'```sh\n(.*?)```', part, flags=re.S)):
            lines = block.replace('\\\n', ' ').splitlines()
            found.append((heading, number, [line.split(' # ')[0].split('  #')[0] for line in lines if line]))
    return found


class Place:
    """A folder with a CA without a passphrase, and what the page takes for granted."""

    def __init__(self, folder):
        self.folder = folder
        for name in ('ca.pass', 'safe.pass', 'old.pass'):
            (folder / name).write_text('correct horse\n')
            (folder / name).chmod(0o600)

    def run(self, line, status=0):
        line = re.sub(r'\bhandfast\b', shlex.quote(HANDFAST), line, count=1)
        ended = subprocess.run(['bash', '-c', line], cwd=self.folder, capture_output=True, text=True,
                               check=False, timeout=waiting.SECONDS)
        assert ended.returncode == status, f'{line}\n{ended.stdout}{ended.stderr}'
        return ended.stdout + ended.stderr

    def ca(self, name='ca'):
        self.run(f'handfast ca init --dir {name} --name Example')

    def leaves(self):
        self.run('handfast ca issue --dir ca --server api.example.org --out server')
        for name in ('alice', 'bob'):
            self.run(f'handfast ca issue --dir ca --client {name} --out {name}')


def with_ca(place):
    place.ca()
    place.leaves()


def with_crl(place):
    with_ca(place)
    place.run('handfast ca crl --dir ca --out .')
    shutil.copy(place.folder / 'issuing.crl', place.folder / 'published.crl')


def with_partner(place):
    with_ca(place)
    place.ca('partner')
    shutil.copy(place.folder / 'partner/root.pem', place.folder / 'partner-root.pem')


def with_another(place):
    with_ca(place)
    place.run('handfast ca init --dir other --name Other')
    place.run('handfast ca issue --dir other --client carol --out carol')
    place.run('handfast ca export --dir other --out pki')


def nothing(place):
    del place


# What each block takes for granted.
BEFORE = {
    ('In ten minutes', 0): nothing, ('Issue, sign, renew, rekey', 0): with_ca,
    ('Who may ask: approval and tokens', 0): with_ca, ('Who may ask: approval and tokens', 1): with_ca,
    ('Revoke, hold, release', 0): with_ca, ('List, search, show', 0): with_ca, ('Serve it', 0): with_ca,
    ('Serve it', 1): with_ca, ('The root offline', 0): with_ca, ('The root offline', 1): nothing,
    ('Cross-signing and further CAs', 0): with_partner, ('Rotate a root', 0): with_ca,
    ('Rotate a root', 1): with_ca, ('Backup and restore', 0): with_crl, ('From another CA', 0): with_another,
    ('The record', 0): with_ca,
}
# Needs a token with a key: tests of the store have one. Two machines: below.
ELSEWHERE = {('Where a CA lives', 0), ('Rotate a root', 2)}
# Paths of other machines.
MOVED = [('/etc/nginx/crl', 'crl'), ('/media/safe', 'safe'), ('/etc/openvpn/easy-rsa/pki', 'pki')]
# What the page shows of things that aren't there in a new CA.
REFUSED = {
    "handfast ca approve --dir ca 17 --note 'seen the device'": 'there is no request 17',
    "handfast ca deny --dir ca 18 --note 'not one of ours'": 'there is no request 18',
    'handfast ca audit verify --dir ca --head 412:9f86d081...': 'head',
}


def carry(place, line):
    """What people do between two lines."""
    folder = place.folder
    if line.startswith('handfast ca profile put'):
        text = (folder / 'laptop.yaml').read_text(encoding='utf-8')
        (folder / 'laptop.yaml').write_text(re.sub(r'^name: device$', 'name: laptop', text, flags=re.M))
    if '--csr issuing.csr' in line:
        shutil.copy(folder / 'ca/issuing.csr', folder)
    if 'restore --dir ca' in line:
        shutil.rmtree(folder / 'ca')


@pytest.mark.parametrize('heading, number, lines', sections(), ids=lambda value: str(value)[:24])
def test_each_block_of_the_page_runs(heading, number, lines, tmp_path):
    if (heading, number) in ELSEWHERE:
        return
    assert (heading, number) in BEFORE, 'a new block: say what it takes for granted'
    place = Place(tmp_path)
    for name in ('crl', 'safe'):
        (tmp_path / name).mkdir(mode=0o700)
    BEFORE[heading, number](place)
    if (heading, number) == ('Rotate a root', 1):
        place.run('handfast ca rotate start --dir ca')
        said = place.run('handfast ca rotate finish --dir ca', status=1)
        assert 'good certificate' in said
        place.run('handfast ca revoke --dir ca --text example --all --reason superseded')
        for name in ('alice', 'bob'):
            place.run(f'handfast ca revoke --dir ca --cert {name}.pem --reason superseded')
        place.run('handfast ca revoke --dir ca --profile ca --all --reason superseded')
    for line in lines:
        carry(place, line)
        for there, here in MOVED:
            line = line.replace(there, here)
        if line in REFUSED:
            assert REFUSED[line] in place.run(line, status=2 if '--head' in line else 1)
        else:
            place.run(line)


# --- Rotating a root that is offline ------------------------------------------------------------------


class Machine(Place):
    """A machine of its own: files go from one to another by hand."""

    def __init__(self, folder):
        folder.mkdir()
        super().__init__(folder)

    def give(self, name, to):
        shutil.copy(self.folder / name, to.folder)


def verify(roots, cert):
    ended = subprocess.run(['openssl', 'verify', '-x509_strict', '-CAfile', roots, '-untrusted', cert, cert],
                           capture_output=True, text=True, check=False)
    return ended.returncode == 0


def test_an_offline_root_is_rotated(tmp_path):
    vault, online = Machine(tmp_path / 'vault'), Machine(tmp_path / 'online')
    vault.run('handfast ca init --dir root --name Example --root-only')
    online.run('handfast ca init --dir ca --name Example --issuing-only')
    shutil.copy(online.folder / 'ca/issuing.csr', vault.folder)
    vault.run('handfast ca authority sign --dir root --csr issuing.csr --out issuing.pem')
    vault.give('issuing.pem', online)
    online.run('handfast ca authority install --dir ca issuing --cert issuing.pem')
    online.run('handfast ca issue --dir ca --client alice --out alice')
    shutil.copy(vault.folder / 'root/root.pem', tmp_path / 'old.pem')
    assert verify(tmp_path / 'old.pem', online.folder / 'alice.pem')

    # As the page has it: what is in `root` is done in the vault, and files are carried.
    (lines,) = [lines for heading, number, lines in sections() if (heading, number) == ('Rotate a root', 2)]
    for line in lines:
        here, there = (online, vault) if '--dir ca' in line else (vault, online)
        here.run(line)
        for name in re.findall(r'(?:--out|>) (\S+)', line):
            here.give(name, there)

    # Peers that know either root accept what is issued now.
    online.run('handfast ca issue --dir ca --client bob --out bob')
    assert (online.folder / 'ca/root.pem').read_text().count('BEGIN CERTIFICATE') == 2
    assert verify(tmp_path / 'old.pem', online.folder / 'bob.pem')
    assert verify(vault.folder / 'root-2.pem', online.folder / 'bob.pem')
    assert not verify(vault.folder / 'root-2.pem', online.folder / 'alice.pem')

    # While alice's is good below the old root, it isn't given up.
    assert 'good certificates below it' in online.run('handfast ca rotate status --dir ca')
    said = online.run('handfast ca rotate finish --dir ca --root root', status=1)
    assert '1 ' in said and '--force' in said, said
    online.run('handfast ca renew --dir ca --cert alice.pem --out alice2')
    online.run('handfast ca rotate finish --dir ca --root root', status=1)
    online.run('handfast ca revoke --dir ca --cert alice.pem --reason superseded')
    online.run('handfast ca rotate finish --dir ca --root root')
    online.run('handfast ca issue --dir ca --client carol --out carol')
    roots = online.folder / 'ca/root.pem'
    assert roots.read_text().count('BEGIN CERTIFICATE') == 1
    assert verify(roots, online.folder / 'carol.pem') and verify(roots, online.folder / 'alice2.pem')
    assert not verify(tmp_path / 'old.pem', online.folder / 'carol.pem')

# SPDX-License-Identifier: Apache-2.0
"""Keys and passphrases of a CA: in no file that others can read whatever the umask, in no log, command
line, backup or core file."""

import os
import pathlib
import subprocess

import pytest

from harness import cas

SECRET = 'open sesame 4711'


@pytest.fixture
def ca(tmp_path):
    """Made, and used, by somebody with an umask that takes nothing away."""
    before = os.umask(0)
    passphrase = tmp_path / 'ca.pass'
    passphrase.write_text(SECRET + '\n')
    passphrase.chmod(0o600)
    yield cas.Ca(tmp_path / 'ca', init=['--passphrase-file', passphrase]), passphrase
    os.umask(before)


def mode(path):
    return path.stat().st_mode & 0o777


def test_files_with_keys_are_ours_alone_whatever_the_umask(ca, tmp_path):
    ca, passphrase = ca
    formats = [word for one in ('der', 'pkcs7', 'truststore', 'openssh', 'kubernetes')
               for word in ('--format', one)]
    ca.good('issue', '--client', 'alice', '--out', tmp_path / 'alice', '--passphrase-file', passphrase,
            *formats)
    ca.good('backup', '--out', tmp_path / 'backup')
    ca.good('export', '--out', tmp_path / 'export')
    ca.good('authority take-key', 'root', '--out', tmp_path / 'root.key', '--passphrase-file', passphrase,
            '--key-passphrase-file', passphrase)
    other = cas.Ca(tmp_path / 'restored', name=None)
    other.good('restore', '--from', tmp_path / 'backup')
    public = {'.pem', '.cer', '.p7b', '.csr'}
    for path in tmp_path.rglob('*'):
        if path.is_dir():
            assert mode(path) & 0o022 == 0, path
        elif path.suffix in public or 'truststore' in path.name or 'export' in path.parts:
            assert mode(path) & 0o022 == 0 and b'PRIVATE' not in path.read_bytes(), path
        elif path.parent.name != 'export':
            assert mode(path) == 0o600, path
    assert {path.name for path in tmp_path.iterdir()} == {
        'ca', 'ca.pass', 'backup', 'export', 'restored', 'root.key', 'alice.pem', 'alice.key', 'alice.p12',
        'alice.p12.pass', 'alice.cer', 'alice.p7b', 'alice.truststore.p12', 'alice.ssh', 'alice.yaml'}


def test_the_store_holds_no_key_in_the_clear(ca, tmp_path):
    """Not the passphrase, not the key that it opens, in no form that is searched for; a backup neither."""
    ca, passphrase = ca
    ca.good('backup', '--out', tmp_path / 'backup')
    ca.good('authority take-key', 'root', '--out', tmp_path / 'root.key', '--passphrase-file', passphrase,
            '--key-passphrase-file', passphrase)
    text = subprocess.run(['openssl', 'pkey', '-in', tmp_path / 'root.key', '-passin',
                           f'file:{passphrase}', '-outform', 'DER'], capture_output=True, check=True).stdout
    scalar = text[text.index(b'\x02\x01\x01\x04\x20') + 5:][:32]
    for path in (tmp_path / 'backup', *ca.folder.iterdir()):
        data = path.read_bytes()
        assert scalar not in data and scalar.hex().encode() not in data and SECRET.encode() not in data
    assert 'ENCRYPTED' in (tmp_path / 'root.key').read_text().splitlines()[0]


def test_a_running_daemon_shows_no_passphrase(ca, handfast, ports, tmp_path):
    ca, passphrase = ca
    running = handfast({
        'ca': {'main': {'store': str(ca.folder), 'passphrase-file': str(passphrase)}},
        'log': {'format': 'json', 'level': 'debug'},
        'listeners': {'public': {
            'listen': [f'127.0.0.1:{ports.take()}'], 'plain': True, 'mode': 'http',
            'routes': [{'match': {'path': '/'}, 'service': 'main/public'}]}}})
    running.log.wait(event='ocsp', text='issuing of the CA main has a new OCSP signer')
    place = pathlib.Path(f'/proc/{running.process.pid}')
    for name in ('cmdline', 'environ'):
        assert SECRET.encode() not in (place / name).read_bytes()
    assert SECRET not in running.log.text()
    soft = [line.split() for line in (place / 'limits').read_text().splitlines()
            if line.startswith('Max core file size')][0][4]
    assert soft == '0'
    for path in ca.folder.iterdir():
        assert path.name == 'root.pem' or mode(path) == 0o600, path


def test_a_passphrase_file_that_others_can_read_is_refused(ca, tmp_path):
    ca, passphrase = ca
    passphrase.chmod(0o644)
    said = ca.bad('issue', '--client', 'x', '--out', tmp_path / 'x', '--passphrase-file', passphrase)
    assert f'chmod 600 {passphrase}' in said and SECRET not in said
    assert not (tmp_path / 'x.pem').exists()


def test_a_wrong_passphrase_is_not_shown(ca, tmp_path):
    ca, passphrase = ca
    wrong = tmp_path / 'wrong'
    wrong.write_text('not that one\n')
    wrong.chmod(0o600)
    said = ca.bad('issue', '--client', 'x', '--out', tmp_path / 'x', '--passphrase-file', wrong)
    assert 'passphrase' in said and 'not that one' not in said

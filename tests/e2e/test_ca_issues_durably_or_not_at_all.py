# SPDX-License-Identifier: Apache-2.0
"""handfast ca under bad luck: killed at any moment, several at once, a full disk, wrong options. A
certificate is in the journal and its files are there, or there is nothing."""

import concurrent.futures
import json
import os
import random
import resource
import signal
import subprocess

import pytest

from harness import certs, daemon as daemons


def ca_run(*words, **more):
    return daemons.run('ca', *words, **more)


def good(ended):
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def ca(tmp_path):
    folder = tmp_path / 'ca'
    good(ca_run('init', '--dir', folder, '--name', 'Example'))
    return folder


def journal(ca):
    return [json.loads(line) for line in (ca / 'journal.jsonl').read_text().splitlines()]


def outputs(folder, stem):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(stem))


def full_disk(size):
    """For a child: no file of it may grow beyond so many bytes."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def run_with_full_disk(size, *words):
    return subprocess.run([daemons.BINARY, 'ca', *map(str, words)], preexec_fn=full_disk(size),
                          capture_output=True, text=True, check=False, timeout=60)


# --- Killed ----------------------------------------------------------------------------------------


def start_and_kill(chance, *words):
    """Starts, lets a random part of the usual time pass, kills."""
    process = subprocess.Popen([daemons.BINARY, 'ca', *map(str, words)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=chance.uniform(0, 0.25))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_init_killed_at_any_moment_leaves_a_ca_or_none(tmp_path):
    chance, folder = random.Random(7), tmp_path / 'ca'
    for _ in range(25):
        start_and_kill(chance, 'init', '--dir', folder, '--name', 'Example')
        if folder.exists():
            good(ca_run('issue', '--dir', folder, '--client', 'x', '--out', tmp_path / 'x', '--force'))
            subprocess.run(['rm', '-r', folder], check=True)
    good(ca_run('init', '--dir', folder, '--name', 'Example'))
    assert outputs(tmp_path, 'ca') == ['ca'], 'something of an interrupted init is left'


def test_issue_killed_at_any_moment_leaves_a_good_journal(ca, tmp_path):
    chance, out = random.Random(8), tmp_path / 'out'
    out.mkdir()
    for number in range(25):
        start_and_kill(chance, 'issue', '--dir', ca, '--client', f'c{number}', '--out',
                       out / f'c{number}', '--no-p12')
        good(ca_run('list', '--dir', ca))
    good(ca_run('issue', '--dir', ca, '--client', 'last', '--out', out / 'last', '--no-p12'))
    recorded = {line['name']: line for line in journal(ca)}
    for cert in out.glob('*.pem'):  # whoever has a certificate is in the journal
        serial = certs.openssl('x509', '-noout', '-serial', '-in', cert).decode().strip().split('=')[1]
        assert recorded[cert.stem]['serial'] == serial.lower()
        assert cert.with_suffix('.key').exists() or cert.stem != 'last'
    for line in recorded.values():
        assert (ca / 'issued' / f'{line["serial"]}.pem').exists()


# --- At once ---------------------------------------------------------------------------------------


def test_several_at_once_wait_for_each_other(ca, tmp_path):
    def issue(number):
        return ca_run('issue', '--dir', ca, '--client', f'c{number}', '--out', tmp_path / f'c{number}',
                      '--no-p12')

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for ended in pool.map(issue, range(18)):
            good(ended)
    lines = journal(ca)
    assert sorted(line['name'] for line in lines) == sorted(f'c{n}' for n in range(18))
    assert len({line['serial'] for line in lines}) == 18
    assert len(list((ca / 'issued').iterdir())) == 18


# --- Full ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('size', [0, 100, 300, 1000])
def test_full_disk_issues_nothing(ca, tmp_path, size):
    good(ca_run('issue', '--dir', ca, '--client', 'before', '--out', tmp_path / 'before', '--no-p12'))
    before = (ca / 'journal.jsonl').read_bytes()
    ended = run_with_full_disk(size, 'issue', '--dir', ca, '--client', 'late', '--out',
                               tmp_path / 'late')
    assert ended.returncode == 1, ended
    assert 'File too large' in ended.stderr
    assert (ca / 'journal.jsonl').read_bytes() == before
    assert outputs(tmp_path, 'late') == []
    assert len(list((ca / 'issued').iterdir())) == 1
    good(ca_run('issue', '--dir', ca, '--client', 'late', '--out', tmp_path / 'late'))


def test_full_disk_makes_no_ca(tmp_path):
    for size in (0, 50, 250, 500):
        ended = run_with_full_disk(size, 'init', '--dir', tmp_path / 'ca', '--name', 'Example')
        assert ended.returncode == 1
        assert outputs(tmp_path, 'ca') == []


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full')
def test_full_standard_output_is_a_failure(ca, tmp_path):
    with open('/dev/full', 'w', encoding='utf-8') as full:
        ended = subprocess.run([daemons.BINARY, 'ca', 'show', '--dir', ca], stdout=full,
                               stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1


def test_outputs_that_can_not_be_written_issue_nothing(ca, tmp_path):
    ended = ca_run('issue', '--dir', ca, '--client', 'x', '--out', tmp_path / 'no' / 'such' / 'x')
    assert ended.returncode == 1
    assert 'no/such/x.pem' in ended.stderr
    (tmp_path / 'y.key').write_text('the only copy')
    ended = ca_run('issue', '--dir', ca, '--client', 'y', '--out', tmp_path / 'y')
    assert ended.returncode == 1
    assert '--force' in ended.stderr
    assert (tmp_path / 'y.key').read_text() == 'the only copy'
    assert outputs(tmp_path, 'y') == ['y.key']
    assert journal(ca) == []
    good(ca_run('issue', '--dir', ca, '--client', 'y', '--out', tmp_path / 'y', '--force'))
    assert (tmp_path / 'y.key').read_text() != 'the only copy'


# --- Wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('words, said', [
    ([], '--server NAME or --client NAME'),
    (['--client', 'a', '--server', 'b'], 'exclude each other'),
    (['--client', 'a', '--days', '5', '--not-after', '2030-01-01'], 'exclude each other'),
    (['--client', 'a', '--csr', 'x', '--key-type', 'p256'], 'exclude each other'),
    (['--client', 'a', '--days', '0'], 'from 1 to 3650'),
    (['--client', 'a', '--san', 'a.example'], 'write DNS:name'),
    (['--client', 'a', '--san', 'URI:spiffe://Example/x'], 'lower-case'),
    (['--client', 'a', '--key-type', 'rsa512'], 'rsa2048'),
    (['--client', 'a', '--not-after', 'tomorrow'], 'is not a time'),
    (['--client', 'a', '--csr', 'no-such-file'], 'no-such-file'),
    (['--server', 'a b'], 'is not a DNS name'),
    (['--server', '*'], 'is not a DNS name'),
    (['--server', 'münchen.example'], 'xn--'),
    (['--client', ''], 'printable text'),
])
def test_wrong_requests_are_told_and_issue_nothing(ca, tmp_path, words, said):
    ended = ca_run('issue', '--dir', ca, *words, cwd=tmp_path)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr, ended.stderr
    assert journal(ca) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ['ca']


def test_passphrase_of_the_ca(tmp_path):
    folder, secret = tmp_path / 'ca', tmp_path / 'secret'
    secret.write_text('open sesame\n')
    secret.chmod(0o600)
    good(ca_run('init', '--dir', folder, '--name', 'Example', '--passphrase-file', secret))
    issue = ['issue', '--dir', folder, '--client', 'x', '--out', tmp_path / 'x', '--no-p12']
    assert 'no passphrase was given' in ca_run(*issue).stderr
    wrong = ca_run(*issue, '--passphrase-env', 'PASS', env={'PASS': 'wrong'})
    assert wrong.returncode == 1 and 'it is wrong' in wrong.stderr
    good(ca_run(*issue, '--passphrase-env', 'PASS', env={'PASS': 'open sesame'}))
    certs.openssl('pkey', '-in', folder / 'root' / 'key.pem', '-passin', f'file:{secret}', '-noout')
    info = subprocess.run(['certtool', '--key-info', '--infile', folder / 'issuing' / 'key.pem',
                           '--password', 'open sesame'], capture_output=True, text=True, check=True)
    assert 'SECP256R1' in info.stdout
    secret.chmod(0o644)
    assert 'chmod 600' in ca_run(*issue, '--passphrase-file', secret, '--force').stderr


def test_backup_is_a_copy_of_the_folder(ca, tmp_path):
    good(ca_run('issue', '--dir', ca, '--client', 'x', '--out', tmp_path / 'x'))
    subprocess.run(['cp', '-a', ca, tmp_path / 'copy'], check=True)
    assert good(ca_run('list', '--dir', tmp_path / 'copy')) == good(ca_run('list', '--dir', ca))
    good(ca_run('issue', '--dir', tmp_path / 'copy', '--client', 'y', '--out', tmp_path / 'y'))


def test_list_and_show_as_json(ca, tmp_path):
    assert json.loads(good(ca_run('list', '--dir', ca, '--json'))) == []
    good(ca_run('issue', '--dir', ca, '--client', 'old', '--out', tmp_path / 'old', '--not-before',
                '2020-01-01', '--not-after', '2020-02-01T12:00:00+01:00'))
    good(ca_run('issue', '--dir', ca, '--server', 'a.example', '--out', tmp_path / 'a'))
    old, server = json.loads(good(ca_run('list', '--dir', ca, '--json')))
    assert old['expired'] and old['not_after'] == '2020-02-01T11:00:00Z'
    assert not server['expired'] and server['sans'] == ['DNS:a.example']
    shown = json.loads(good(ca_run('show', '--dir', ca, '--json')))
    assert shown['issued'] == {'server': 1, 'client': 1, 'expired': 1}
    assert shown['root']['subject'] == 'CN=Example Root CA,O=Example'

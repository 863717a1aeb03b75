# SPDX-License-Identifier: Apache-2.0
"""handfast ca under bad luck: killed at any moment, several at once, a full disk, wrong options. A
certificate is in the store and its files are there, or there is nothing."""

import concurrent.futures
import json
import os
import random
import resource
import signal
import subprocess

import pytest

from harness import cas, daemon as daemons


def ca_run(*words, **more):
    return daemons.run('ca', *words, **more)


def good(ended):
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def outputs(folder, stem):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(stem))


def names(ca):
    return sorted(row['name'] for row in ca.list())


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
            good(ca_run('issue', '--dir', folder, '--client', 'x', '--out', tmp_path / 'x', '--force',
                        '--no-p12'))
            subprocess.run(['rm', '-r', folder], check=True)
    good(ca_run('init', '--dir', folder, '--name', 'Example'))
    assert outputs(tmp_path, 'ca') == ['ca'], 'something of an interrupted init is left'
    assert outputs(folder, '') == ['ca.db', 'root.pem']


def test_whoever_has_a_certificate_is_in_the_store(ca, tmp_path):
    chance, out = random.Random(8), tmp_path / 'out'
    out.mkdir()
    for number in range(25):
        start_and_kill(chance, 'issue', *ca.where, '--client', f'c{number}', '--out',
                       out / f'c{number}', '--no-p12')
    ca.issue('client', 'last', stem=out / 'last')
    recorded = {row['name']: row for row in ca.list()}
    for cert in out.glob('*.pem'):
        assert recorded[cert.stem]['serial'] == cas.serial(cert)
    assert json.loads(ca.good('audit verify', '--json'))['whole']


# --- At once ---------------------------------------------------------------------------------------


def test_several_at_once(ca, tmp_path):
    def issue(number):
        return ca.run('issue', '--client', f'c{number}', '--out', tmp_path / f'c{number}', '--no-p12')

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for ended in pool.map(issue, range(18)):
            good(ended)
    assert names(ca) == sorted(f'c{n}' for n in range(18))
    assert len({row['serial'] for row in ca.list()}) == 18


# --- Full ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('size', [0, 100, 300, 1000])
def test_full_disk_issues_nothing(tmp_path, size):
    ca = cas.Ca(tmp_path / 'ca')
    ca.issue('client', 'before')
    ended = run_with_full_disk(size, 'issue', *ca.where, '--client', 'late', '--out',
                               tmp_path / 'late')
    assert ended.returncode == 1, ended
    assert ended.stderr.startswith('handfast ca issue: error: ')
    assert names(ca) == ['before']
    assert outputs(tmp_path, 'late') == []
    ca.issue('client', 'late')
    assert names(ca) == ['before', 'late']


def test_full_disk_makes_no_ca(tmp_path):
    for size in (0, 50, 250, 500):
        ended = run_with_full_disk(size, 'init', '--dir', tmp_path / 'ca', '--name', 'Example')
        assert ended.returncode == 1
        assert outputs(tmp_path, 'ca') == []


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full')
def test_full_standard_output_is_a_failure(ca):
    with open('/dev/full', 'w', encoding='utf-8') as full:
        ended = subprocess.run([*map(str, [daemons.BINARY, 'ca', 'show', *ca.where])], stdout=full,
                               stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1


def test_outputs_that_can_not_be_written_issue_nothing(ca, tmp_path):
    said = ca.bad('issue', '--client', 'x', '--out', tmp_path / 'no' / 'such' / 'x')
    assert 'no/such/x.pem' in said
    (tmp_path / 'y.key').write_text('the only copy')
    assert '--force' in ca.bad('issue', '--client', 'y', '--out', tmp_path / 'y')
    assert (tmp_path / 'y.key').read_text() == 'the only copy'
    assert outputs(tmp_path, 'y') == ['y.key']
    assert names(ca) == []
    ca.good('issue', '--client', 'y', '--out', tmp_path / 'y', '--force')
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
    (['--server', 'a b'], 'DNS name'),
    (['--server', '*'], 'is not a DNS name'),
    (['--server', 'münchen.example'], 'xn--'),
    (['--client', ''], 'CN is empty'),
])
def test_wrong_requests_are_told_and_issue_nothing(tmp_path, words, said):
    ca = cas.Ca(tmp_path / 'ca')
    assert said in ca.bad('issue', *words, cwd=tmp_path)
    assert names(ca) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ['ca']


def test_refusals_are_in_the_audit_log(ca):
    ca.bad('issue', '--client', 'x', '--san', 'DNS:a.example')
    ca.bad('revoke', '1234')
    lines = ca.json('audit list')
    assert [line['action'] for line in lines[-2:]] == ['issue refused', 'revoke refused']
    assert lines[-2]['detail'].startswith('not-allowed: ') or 'name' in lines[-2]['detail']
    assert '1234' in lines[-1]['target']


def test_passphrase_of_the_ca(tmp_path, store_url):
    secret = tmp_path / 'secret'
    secret.write_text('open sesame\n')
    secret.chmod(0o600)
    ca = cas.Ca(tmp_path / 'ca', store_url, init=['--passphrase-file', secret])
    issue = ['issue', '--client', 'x', '--out', tmp_path / 'x', '--no-p12']
    assert 'no passphrase was given' in ca.bad(*issue)
    assert 'wrong' in ca.bad(*issue, '--passphrase-env', 'PASS', env={'PASS': 'wrong'})
    ca.good(*issue, '--passphrase-env', 'PASS', env={'PASS': 'open sesame'})
    secret.rename(tmp_path / 'ca-passphrase')
    ca.good(*issue, '--passphrase-credential', 'ca-passphrase', '--force',
            env={'CREDENTIALS_DIRECTORY': str(tmp_path)})
    ca.good('list')
    (tmp_path / 'ca-passphrase').chmod(0o644)
    assert 'chmod 600' in ca.bad(*issue, '--passphrase-file', tmp_path / 'ca-passphrase', '--force')


def test_list_and_show_as_json(ca):
    assert ca.list() == []
    ca.issue('client', 'old', '--not-before', '2020-01-01', '--not-after',
             '2020-02-01T12:00:00+01:00')
    ca.issue('server', 'a.example')
    server, old = ca.list()
    assert old['expired'] and old['not_after'] == '2020-02-01T11:00:00Z'
    assert not server['expired'] and server['sans'] == ['DNS:a.example']
    shown = ca.json('show')
    assert shown['issued'] == {'certificates': 3, 'unexpired': 2, 'revoked': 0, 'renewed': 0}
    root, issuing = shown['authorities']
    assert root['subject'] == 'CN=Example Root CA,O=Example' and root['trusted']
    assert issuing['state'] == 'active' and not issuing['root']

# SPDX-License-Identifier: Apache-2.0
"""handfast check -c FILE: every problem of a config, each with file:line:column and what to do."""

import datetime
import json
import pathlib
import re

import pytest
import yaml

from harness import configs, daemon as daemons

pytestmark = pytest.mark.quick


def check(path, *words):
    return daemons.run('check', '-c', path, *words)


@pytest.fixture
def config(pki):
    return configs.server_side(pki, 18443, '127.0.0.1:18080')


@pytest.fixture
def write(tmp_path):
    def to_file(config):
        path = tmp_path / 'handfast.yaml'
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        return path
    return to_file


def test_good_config(config, write):
    ended = check(write(config))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert 'error' not in ended.stdout


def test_all_errors_of_a_file_at_once(write):
    path = write('''\
workres: 2
drain-timeout: 30
log: {format: xml}
identities:
  web: {cert: nowhere.pem}
  web: {cert: again.pem}
listeners:
  api:
    listen: ["127.0.0.1:99999"]
    client: maybe
    trust: nobody
    to: nothing
upstreams: []
''')
    ended = check(path)
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    for line in lines:
        assert re.match(re.escape(str(path)) + r':\d+:\d+: (error|warning): .', line), line
    expected = {1: 'did you mean .workers', 2: 'unit', 3: 'json', 5: 'nowhere.pem', 6: 'web',
                9: '99999', 10: 'require', 11: 'nobody', 12: 'nothing', 13: 'upstreams'}
    for number, word in expected.items():
        assert any(f':{number}:' in line and re.search(word, line, re.IGNORECASE)
                   for line in lines), f'line {number}, {word}:\n' + ended.stdout


def test_json(config, write):
    config['nonsense'] = 1
    ended = check(write(config), '--json')
    assert ended.returncode == 1
    finding, = json.loads(ended.stdout)
    assert finding['id'] == 'unknown-key'
    assert finding['level'] == 'error'
    assert finding['line'] > 0 and finding['column'] == 1


def test_missing_file_and_wrong_usage(tmp_path):
    ended = check(tmp_path / 'nowhere.yaml')
    assert ended.returncode == 1
    assert 'nowhere.yaml' in ended.stdout + ended.stderr
    assert daemons.run('check').returncode == 2


def findings(path):
    ended = check(path, '--json')
    return {finding['id']: finding for finding in json.loads(ended.stdout)}, ended.returncode


def with_identity(config, leaf):
    config['identities']['server'] = configs.identity(leaf)
    return config


def materials(pki, folder):
    """name -> (change to the config, words that the finding must have, is it an error)"""
    one = pki.servers.server('server.example')

    def reordered():
        path = folder / 'reordered.pem'
        path.write_bytes(one.chain.read_bytes()[len(one.cert.read_bytes()):] +
                         one.cert.read_bytes())
        return {'cert': str(path), 'key': str(one.key)}

    def readable():
        leaf = pki.servers.server('server.example')
        leaf.key.chmod(0o640)
        return configs.identity(leaf)

    def soon():
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20)
        return configs.identity(pki.servers.server('server.example', end=end))

    def no_ca():
        path = folder / 'leafs.pem'
        path.write_bytes(pki.alice.cert.read_bytes())
        return {'roots': str(path)}

    return {
        'key of another certificate': ('identity', lambda: {
            'cert': str(one.chain), 'key': str(pki.server.key)}, r'match|belong', True),
        'chain incomplete': ('identity', lambda: {
            'cert': str(one.cert), 'key': str(one.key)}, r'chain|issu|intermediate', False),
        'chain in the wrong order': ('identity', reordered, r'order|first', None),
        'expired': ('identity', lambda: configs.identity(
            pki.servers.expired('server.example', usage='serverAuth',
                                san=['DNS:server.example'])), r'expired', None),
        'not yet valid': ('identity', lambda: configs.identity(
            pki.servers.not_yet_valid('server.example', usage='serverAuth',
                                      san=['DNS:server.example'])), r'not.*valid|until', None),
        'expiring soon': ('identity', soon, r'expires', False),
        'no SAN': ('identity', lambda: configs.identity(
            pki.servers.issue('server.example', usage='serverAuth')), r'SAN|subjectAltName', False),
        'readable by others': ('identity', readable, r'chmod 600', True),
        'roots without a CA': ('trust', no_ca, r'CA', None),
    }


@pytest.mark.parametrize('what', [
    'key of another certificate', 'chain incomplete', 'chain in the wrong order', 'expired',
    'not yet valid', 'expiring soon', 'no SAN', 'readable by others', 'roots without a CA'])
def test_material(pki, config, write, tmp_path, what):
    kind, make, words, is_error = materials(pki, tmp_path)[what]
    if kind == 'identity':
        config['identities']['server'] = make()
    else:
        config['trust']['clients'] = make()
    path = write(config)
    ended = check(path)
    found = [line for line in ended.stdout.splitlines() if re.search(words, line)]
    assert found, ended.stdout + ended.stderr
    assert re.match(re.escape(str(path)) + r':\d+:\d+: ', found[0]), found
    if is_error is not None:
        assert (': error: ' in found[0]) == is_error, found
        assert ended.returncode == (1 if is_error else 0)


def test_the_example_that_is_installed_is_right(pki, tmp_path):
    example = pathlib.Path(__file__).resolve().parents[2] / 'deploy/handfast.yaml'
    (tmp_path / 'server.pem').write_bytes(pki.server.chain.read_bytes())
    (tmp_path / 'server.key').write_bytes(pki.server.key.read_bytes())
    (tmp_path / 'server.key').chmod(0o600)
    (tmp_path / 'clients-ca.pem').write_bytes(pki.clients.root.cert.read_bytes())
    path = tmp_path / 'handfast.yaml'
    path.write_text(example.read_text())
    ended = check(path)
    assert ended.returncode == 0, ended.stdout
    assert 'warning' not in ended.stdout


def test_a_config_may_come_from_the_environment(pki, config, write):
    config['listeners']['in']['listen'] = ['127.0.0.1:${TEST_PORT}']
    assert check(write(config)).returncode == 1
    ended = daemons.run('check', '-c', write(config), env={'TEST_PORT': '18443'})
    assert ended.returncode == 0, ended.stdout

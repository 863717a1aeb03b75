# SPDX-License-Identifier: Apache-2.0
"""Every form that keys come in; a wrong passphrase is said in words and nothing starts."""

import pytest
import yaml

from harness import clients, configs, daemon as daemons

pytestmark = pytest.mark.engines

PASSPHRASE = 'correct horse'


def config_with(pki, port, echo, identity):
    config = configs.server_side(pki, port, echo)
    config['identities']['server'] = {key: str(value) for key, value in identity.items()}
    return config


@pytest.fixture
def passphrase_file(tmp_path):
    path = tmp_path / 'passphrase'
    path.write_text(PASSPHRASE + '\n')
    path.chmod(0o600)
    return path


@pytest.fixture
def leaf(pki):
    return pki.servers.server('server.example')


@pytest.fixture
def identities(leaf, passphrase_file, tmp_path):
    one_file = tmp_path / 'all.pem'
    one_file.write_bytes(leaf.key.read_bytes() + leaf.chain.read_bytes())
    one_file.chmod(0o600)
    intermediate = tmp_path / 'chain.pem'
    intermediate.write_bytes(leaf.chain.read_bytes()[len(leaf.cert.read_bytes()):])
    return {
        'encrypted, passphrase from a file':
            {'cert': leaf.chain, 'key': leaf.encrypted_key(PASSPHRASE),
             'passphrase-file': passphrase_file},
        'encrypted, passphrase from the environment':
            {'cert': leaf.chain, 'key': leaf.encrypted_key(PASSPHRASE),
             'passphrase-env': 'TEST_PASSPHRASE'},
        'PKCS#12': {'cert': leaf.pkcs12(PASSPHRASE), 'passphrase-file': passphrase_file},
        'certificate and key in one file': {'cert': one_file},
        'chain in a file of its own': {'cert': leaf.cert, 'key': leaf.key, 'chain': intermediate},
    }


@pytest.mark.parametrize('form', [
    'encrypted, passphrase from a file', 'encrypted, passphrase from the environment', 'PKCS#12',
    'certificate and key in one file', 'chain in a file of its own'])
def test_form(handfast, pki, echo, port, identities, form):
    handfast(config_with(pki, port, echo, identities[form]), env={'TEST_PASSPHRASE': PASSPHRASE})
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)


BAD = [
    ('wrong passphrase', {'passphrase-env': 'WRONG'}, 'passphrase'),
    ('no passphrase', {}, 'passphrase'),
    ('unset variable', {'passphrase-env': 'UNSET_VARIABLE'}, 'UNSET_VARIABLE'),
]


@pytest.mark.parametrize('why,more,word', BAD)
def test_refused(pki, echo, port, leaf, tmp_path, why, more, word):
    path = tmp_path / 'bad.yaml'
    path.write_text(yaml.safe_dump(config_with(
        pki, port, echo, {'cert': leaf.chain, 'key': leaf.encrypted_key(PASSPHRASE), **more})))
    ended = daemons.run('run', '-c', path, env={'WRONG': 'wrong'})
    assert ended.returncode == 1, why
    assert f'{path}:' in ended.stderr and word in ended.stderr


def test_a_key_that_others_can_read_is_refused(pki, echo, port, leaf, tmp_path):
    leaf.key.chmod(0o644)
    path = tmp_path / 'bad.yaml'
    path.write_text(yaml.safe_dump(config_with(pki, port, echo,
                                               {'cert': leaf.chain, 'key': leaf.key})))
    ended = daemons.run('run', '-c', path)
    assert ended.returncode == 1
    assert 'chmod 600' in ended.stderr


def test_a_key_of_another_certificate_is_refused(pki, echo, port, leaf, tmp_path):
    path = tmp_path / 'bad.yaml'
    path.write_text(yaml.safe_dump(config_with(pki, port, echo,
                                               {'cert': leaf.chain, 'key': pki.server.key})))
    ended = daemons.run('run', '-c', path)
    assert ended.returncode == 1
    assert f'{path}:' in ended.stderr

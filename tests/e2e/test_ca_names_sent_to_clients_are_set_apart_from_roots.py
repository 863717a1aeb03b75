# SPDX-License-Identifier: Apache-2.0
"""trust.names: which CA names clients are told, whatever the roots are that verify them."""

import pytest

from harness import certs, clients, configs

pytestmark = pytest.mark.engines

HEADING = 'Acceptable client certificate CA names\n'


def names_told(port, pki, version):
    shown = clients.s_client(port, f'-tls{version}', leaf=pki.alice,
                             roots=pki.servers.root.cert).stdout.decode()
    if 'No client certificate CA names sent' in shown:
        return []
    names = shown.split(HEADING)[1].splitlines()
    return [name for name in names if name.startswith(('O =', 'CN ='))][:200]


@pytest.fixture
def serve(handfast, pki, echo, port):
    def start(**trust):
        config = configs.server_side(pki, port, echo)
        config['trust']['clients'].update(trust)
        return handfast(config)
    return start


@pytest.mark.parametrize('version', ['1_2', '1_3'])
def test_from_roots_is_the_default(serve, pki, port, version):
    serve()
    assert names_told(port, pki, version) == ['O = Handfast tests, CN = clients root']


@pytest.mark.parametrize('version', ['1_2', '1_3'])
def test_none(serve, pki, port, version):
    serve(names='none')
    assert names_told(port, pki, version) == []


def test_a_file(serve, pki, port, tmp_path):
    names = tmp_path / 'names.pem'
    names.write_bytes(pki.strangers.root.cert.read_bytes() +
                      pki.clients.intermediates[0].cert.read_bytes())
    serve(names=str(names))
    assert sorted(names_told(port, pki, '1_3')) == [
        'O = Handfast tests, CN = clients issuing', 'O = Strangers, CN = strangers root']
    # What is told decides nothing: alice verifies against the roots, the stranger does not.
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)
    assert clients.refusal(port, pki.servers.root.cert, pki.stranger) == 'unknown ca'


def test_a_list_that_is_too_long_is_not_sent(serve, pki, port, tmp_path):
    roots = tmp_path / 'many.pem'
    key = certs.make_key(tmp_path / 'any.key')
    many = [certs.openssl('req', '-x509', '-new', '-key', key, '-days', 30, '-subj',
                          f'/O={"x" * 60}/OU={"y" * 60}/CN=root {number}') for number in range(120)]
    roots.write_bytes(pki.clients.root.cert.read_bytes() + b''.join(many))
    daemon = serve(roots=str(roots))
    line = daemon.log.wait(level='warn', id='names-too-long')
    assert '16 KiB' in str(line), line
    assert names_told(port, pki, '1_3') == []
    with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
        clients.exchange(client)

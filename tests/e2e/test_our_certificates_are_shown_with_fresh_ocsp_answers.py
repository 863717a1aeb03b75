# SPDX-License-Identifier: Apache-2.0
"""fetch-staple: the answer about our own certificate is fetched, renewed without a reload, kept on disk,
and shown to clients of others' making in TLS 1.2 and 1.3, with either engine; never a bad or old one."""

import json
import pathlib
import shutil
import subprocess

import pytest

from harness import clients, configs, daemon as daemons, ocsp, revocation, waiting

pytestmark = pytest.mark.engines

MUST_STAPLE = 'tlsfeature = status_request\n'


@pytest.fixture
def responder(ports, pki):
    made = ocsp.Responder(ports.take(), pki.servers, minutes=60).know(pki.server)
    yield made
    made.close()


@pytest.fixture
def config(pki, echo, port, responder, tmp_path):
    made = configs.server_side(pki, port, echo)
    made['identities']['server'].update({'fetch-staple': True, 'staple-responder': responder.url})
    made['state'] = str(tmp_path / 'state')
    (tmp_path / 'state').mkdir()
    return made


def status(port, pki, *options, leaf=None):
    """What openssl s_client -status says."""
    made = clients.s_client(port, '-status', *options, roots=pki.servers.root.cert, leaf=leaf or pki.alice)
    return (made.stdout + made.stderr) if isinstance(made.stdout, str) else made.stdout.decode()


@pytest.mark.parametrize('version', ['-tls1_2', '-tls1_3'])
def test_openssl_sees_a_good_answer(handfast, config, responder, port, pki, version):
    daemon = handfast(config)
    assert 'is shown' in daemon.log.wait(event='staple')['text']
    text = status(port, pki, version)
    assert 'OCSP Response Status: successful' in text and 'Cert Status: good' in text


@pytest.mark.skipif(not shutil.which('gnutls-cli'), reason='gnutls-cli is not installed')
def test_gnutls_accepts_it(handfast, config, responder, port, pki):
    daemon = handfast(config)
    daemon.log.wait(event='staple')
    made = subprocess.run(
        ['gnutls-cli', '--ocsp', '--port', str(port), '--x509cafile', str(pki.servers.root.cert),
         '--x509certfile', str(pki.alice.chain), '--x509keyfile', str(pki.alice.key), '--sni-hostname',
         'server.example', '--verify-hostname', 'server.example', '127.0.0.1'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=waiting.SECONDS, check=False)
    assert 'OCSP Response' not in made.stderr or 'error' not in made.stderr.lower(), made.stderr
    assert 'Handshake was completed' in made.stdout, made.stdout + made.stderr
    assert 'OCSP status request' in made.stdout, made.stdout


@pytest.mark.parametrize('version', ['--tls-max=1.2', '--tlsv1.3'])
def test_curl_checks_the_status(handfast, config, responder, backend, port, pki, version):
    must = pki.servers.server('server.example', san=['DNS:server.example'], extensions=MUST_STAPLE)
    responder.know(must)
    config['identities']['server'].update(configs.identity(must))
    config['listeners']['in'].update({'mode': 'http', 'routes': [{'respond': {'status': 200, 'body': 'here'}}]})
    del config['listeners']['in']['to'], config['upstreams']
    daemon = handfast(config)
    daemon.log.wait(event='staple')
    words = version.replace('--tls-max=1.2', '--tls-max 1.2').split()
    made = clients.curl(port, '--cert-status', *words, roots=pki.servers.root.cert, leaf=pki.alice)
    assert made.returncode == 0, made.stderr
    responder.revoke(must)
    daemon.stop()
    for kept in (pathlib.Path(config['state']) / 'staples').glob('*'):
        kept.unlink()
    daemon = handfast(config)
    assert 'calls our certificate revoked' in daemon.log.wait(event='staple')['text']
    made = clients.curl(port, '--cert-status', *words, roots=pki.servers.root.cert, leaf=pki.alice)
    assert made.returncode == 91, made.stderr  # CURLE_SSL_INVALIDCERTSTATUS: none is shown


def test_it_is_renewed_while_running_and_survives_the_responder(handfast, config, responder, port, pki):
    first = ocsp.answer(pki.server, pki.servers.intermediates[0], until=revocation.soon())
    responder.behave = lambda handler, request: first
    daemon = handfast(config)
    daemon.log.wait(event='staple')
    responder.behave = None
    responder.wait(2)
    assert daemon.log.wait(event='staple', count=2)
    assert 'Cert Status: good' in status(port, pki)
    responder.close()
    daemon.reload(config)
    assert 'Cert Status: good' in status(port, pki)
    daemon.stop()
    daemon = handfast(config)  # from the disk, with nobody to ask
    assert 'that was kept is shown' in daemon.log.wait(event='staple')['text']
    assert 'Cert Status: good' in status(port, pki)


def test_an_answer_that_has_ended_is_shown_no_longer(handfast, config, responder, port, pki):
    only = ocsp.answer(pki.server, pki.servers.intermediates[0], since=revocation.now(minutes=-5),
                       until=revocation.soon())
    responder.behave = lambda handler, request: only
    daemon = handfast(config)
    daemon.log.wait(event='staple')
    assert 'Cert Status: good' in status(port, pki)
    waiting.until(lambda: any('has ended' in line['text'] for line in daemon.log.all(event='staple')),
                  'the end of the answer')
    assert 'OCSP response: no response sent' in status(port, pki)


def test_lies_are_not_shown(handfast, config, responder, port, pki):
    responder.behave = lambda handler, request: ocsp.answer(
        pki.server, pki.servers.intermediates[0], by=ocsp.signer(pki.strangers))
    daemon = handfast(config)
    assert 'none is shown' in daemon.log.wait(event='staple')['text']
    assert 'OCSP response: no response sent' in status(port, pki)


def test_check_tells_of_a_must_staple_without(pki, port, echo, tmp_path):
    must = pki.servers.server('server.example', san=['DNS:server.example'], extensions=MUST_STAPLE)
    made = configs.server_side(pki, port, echo)
    made['identities']['server'] = configs.identity(must)
    path = tmp_path / 'handfast.yaml'
    path.write_text(json.dumps(made))
    checked = daemons.run('check', '-c', path)
    assert 'must be shown with an OCSP response' in checked.stderr + checked.stdout
    made['identities']['server']['fetch-staple'] = True
    path.write_text(json.dumps(made))
    checked = daemons.run('check', '-c', path)
    assert 'name a folder for it with state' in checked.stderr + checked.stdout

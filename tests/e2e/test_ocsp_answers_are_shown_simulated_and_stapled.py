# SPDX-License-Identifier: Apache-2.0
"""What `cert show` and `simulate` make of an OCSP answer, and one that a client shows with its
certificate: it is enough, and where it must be shown, nothing else is."""

import json

import pytest

from harness import clients, configs, daemon as daemons, ocsp


@pytest.fixture
def issuing(pki):
    return pki.clients.intermediates[0]


def write(path, data):
    path.write_bytes(data)
    return path


def test_cert_show_tells_what_it_says(pki, issuing, tmp_path):
    path = write(tmp_path / 'bob.ocsp', ocsp.answer(pki.bob, issuing, status='revoked', reason='keyCompromise'))
    shown = daemons.run('cert', 'show', '--json', path)
    assert shown.returncode == 0, shown.stderr
    said = json.loads(shown.stdout)['objects'][0]
    assert said['kind'] == 'OCSP answer' and said['status'] == 'revoked' and said['reason'] == 'keyCompromise'
    assert said['serial'] == pki.bob.serial.rjust(len(said['serial']), '0')
    assert said['id_hash'] == 'SHA-1' and said['seconds_left'] > 3000 and not said['nonce']
    assert 'revoked' in daemons.run('cert', 'show', path).stdout
    declined = daemons.run('cert', 'show', write(tmp_path / 'later', bytes([0x30, 3, 0x0a, 1, 3])))
    assert declined.returncode != 0 and 'tryLater' in declined.stderr


def test_simulate_takes_an_answer(pki, issuing, tmp_path):
    config = configs.server_side(pki, 1, '127.0.0.1:1')
    path = tmp_path / 'handfast.yaml'
    path.write_text(json.dumps(config))

    def simulate(*words):
        made = daemons.run('simulate', '-c', path, '--listener', 'in', '--cert', pki.bob.chain, '--json', *words)
        return json.loads(made.stdout)

    assert simulate()['handshake']['allow'] is True
    revoked = write(tmp_path / 'revoked', ocsp.answer(pki.bob, issuing, status='revoked'))
    verdict = simulate('--ocsp', revoked)['handshake']
    assert verdict['allow'] is False and 'revoked' in json.dumps(verdict)
    good = write(tmp_path / 'good', ocsp.answer(pki.bob, issuing))
    assert simulate('--ocsp', good)['handshake']['allow'] is True
    config['trust']['clients']['ocsp'] = {'responder': 'http://127.0.0.1:1/', 'leaf-only': True}
    path.write_text(json.dumps(config))
    assert 'nobody is asked here' in json.dumps(simulate())
    assert simulate('--ocsp', good)['handshake']['allow'] is True


def test_a_client_shows_its_answer(handfast, pki, echo, port, ports, issuing, tmp_path):
    """Our own engine on both sides: others' clients can't."""
    inner = ports.take()
    server = configs.server_side(pki, inner, echo)
    server['trust']['clients']['ocsp'] = {'staple': 'require', 'leaf-only': True}
    server['listeners']['in']['tls'] = {'versions': ['1.3']}
    behind = handfast(server)
    staple = write(tmp_path / 'alice.ocsp', ocsp.answer(pki.alice, issuing))
    client = configs.client_side(pki, port, f'127.0.0.1:{inner}', pki.alice,
                                 {'name': 'server.example', 'versions': ['1.3']})
    client['identities']['us']['staple'] = str(staple)
    front = handfast(client)
    with clients.plain(port) as connection:
        clients.exchange(connection)
    del client['identities']['us']['staple']
    front.reload(client)
    with clients.plain(port, b'hello'):
        line = behind.log.wait(event='handshake', result='refused', reason='ocsp-no-staple')
        assert 'showed none' in line['detail']
    staple.write_bytes(ocsp.answer(pki.alice, issuing, status='revoked'))
    client['identities']['us']['staple'] = str(staple)
    front.reload(client)
    with clients.plain(port, b'hello'):
        behind.log.wait(event='handshake', result='refused', reason='revoked')
    # And what was once shown is remembered: who asks without a staple isn't let in by silence.
    server['trust']['clients']['ocsp']['staple'] = 'use'
    behind.reload(server)
    assert clients.refusal(inner, pki.servers.root.cert, pki.alice) == 'certificate revoked'
    assert clients.refusal(inner, pki.servers.root.cert, pki.bob) == 'certificate unknown'
    behind.log.wait(event='handshake', result='refused', reason='ocsp-missing')


def test_an_upstream_server_that_staples_is_not_asked_about(handfast, pki, echo, port, ports, tmp_path):
    inner = ports.take()
    server = configs.server_side(pki, inner, echo)
    answer = ocsp.answer(pki.server, pki.servers.intermediates[0])
    server['identities']['server']['staple'] = str(write(tmp_path / 'server.ocsp', answer))
    handfast(server)
    client = configs.client_side(pki, port, f'127.0.0.1:{inner}', pki.alice, {'name': 'server.example'})
    client['trust']['backends']['ocsp'] = {'staple': 'require', 'leaf-only': True}
    handfast(client)
    with clients.plain(port) as connection:
        clients.exchange(connection)

# SPDX-License-Identifier: Apache-2.0
"""However a certificate writes the place of its list or its responder, nobody is asked but the scheme,
host and port that are allowed: not another port of this machine, not by user names, odd numbers,
encodings, or a redirect."""

import pytest

from harness import clients, configs, publisher, revocation, waiting

pytestmark = [pytest.mark.workers]


@pytest.fixture
def site(ports, pki):
    made = publisher.Publisher(ports.take())
    made.files['/root.crl'] = revocation.crl(pki.clients.root)
    made.files['/issuing.crl'] = revocation.crl(pki.clients.intermediates[0])
    yield made
    made.close()


@pytest.fixture
def elsewhere(ports):
    """What mustn't be reached from here: it answers whatever it is asked."""
    made = publisher.Publisher(ports.take())
    made._answer = lambda handler: (made._note(handler.path, 0), handler.send_error(500))
    yield made
    made.close()


def odd(site, elsewhere):
    """Each seems to be at the site, or is at the same machine, and leads elsewhere."""
    here, there = f'127.0.0.1:{site.port}', f'127.0.0.1:{elsewhere.port}'
    return [f'http://{there}/a', f'http://{here}@{there}/b', f'http://{here}%40{there}/c',
            f'http://{here}%2f@{there}/d', f'http://[::1]:{elsewhere.port}/e',
            f'http://[::ffff:127.0.0.1]:{elsewhere.port}/f',
            f'http://localhost:{elsewhere.port}/g', f'http://127.1:{elsewhere.port}/h',
            f'http://2130706433:{elsewhere.port}/i', f'http://127.0.0.1.:{elsewhere.port}/j',
            f'http://{here}:{elsewhere.port}/k', f'HTTP://{there}/l', f'https://{here}/m', f'ftp://{here}/n',
            'file:///etc/passwd', f'http://{here}?@{there}/o', f'http://{site.port}.{there}/p']


def test_points_of_lists(handfast, site, elsewhere, echo, port, pki, tmp_path):
    (tmp_path / 'state').mkdir(mode=0o700)
    config = configs.server_side(pki, port, echo, state=str(tmp_path / 'state'))
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl')], 'from-certificates': [site.origin],
                                         'wait': '1m'}
    daemon = handfast(config)
    waiting.until(lambda: daemon.admin('GET', '/crls')[1]['lists'], 'the list of the root')
    points = ', '.join(f'URI:{url}' for url in [*odd(site, elsewhere), site.url('/issuing.crl')])
    mallory = pki.clients.client('mallory', extensions=f'crlDistributionPoints = {points}\n')
    with clients.connect(port, pki.servers.root.cert, mallory) as client:
        clients.exchange(client)
    asked = [one['url'] for one in daemon.admin('GET', '/crls')[1]['urls']]
    assert site.url('/issuing.crl') in asked
    assert all(one.startswith(site.origin) for one in asked), asked
    assert not elsewhere.asked


def test_responders(handfast, site, elsewhere, echo, port, pki):
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['ocsp'] = {'from-certificates': [site.origin], 'leaf-only': True, 'timeout': '1m'}
    daemon = handfast(config)
    for number, url in enumerate(odd(site, elsewhere)):
        leaf = pki.clients.client(f'steers-{number}', extensions=f'authorityInfoAccess = OCSP;URI:{url}\n')
        assert clients.refusal(port, pki.servers.root.cert, leaf) == 'certificate unknown'
    lines = daemon.log.wait(count=len(odd(site, elsewhere)), event='handshake', result='refused')
    assert {line['reason'] for line in lines} <= {'ocsp-missing', 'ocsp-unreachable'}, lines
    assert not elsewhere.asked


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_redirects(handfast, site, elsewhere, echo, port, pki, tmp_path, status):
    def leads_away(handler):
        handler.send_response(status)
        handler.send_header('Location', elsewhere.url('/secret'))
        handler.end_headers()

    site.files['/issuing.crl'] = leads_away
    (tmp_path / 'state').mkdir(mode=0o700)
    config = configs.server_side(pki, port, echo, state=str(tmp_path / 'state'))
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl'), site.url('/issuing.crl')]}
    daemon = handfast(config)
    daemon.log.wait(event='crl-unreachable', url=site.url('/issuing.crl'))
    assert clients.refusal(port, pki.servers.root.cert, pki.alice) == 'certificate unknown'
    assert not elsewhere.asked

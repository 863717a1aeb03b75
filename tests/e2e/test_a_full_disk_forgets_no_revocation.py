# SPDX-License-Identifier: Apache-2.0
"""The disk of the state folder is full. What was revoked counts all the same, or it is said that it
doesn't; what is on the disk stays whole; and what could not be kept is kept when there is room."""

import pytest

from harness import clients, configs, ocsp, publisher, revocation, smalldisk, waiting

MIB = 1 << 20
disk = smalldisk.fixture(16 * MIB)


@pytest.fixture
def state(disk):
    """As the daemon sees it."""
    (disk.seen_from_here / 'state').mkdir(mode=0o700)
    return f'{disk.path}/state'


@pytest.fixture
def site(ports):
    made = publisher.Publisher(ports.take())
    yield made
    made.close()


def outcome(port, pki, leaf):
    """'in', or the alert."""
    try:
        with clients.connect(port, pki.servers.root.cert, leaf) as client:
            clients.exchange(client)
            return 'in'
    except clients.ssl.SSLError as error:
        return error.reason.lower().replace('_', ' ').split('alert ')[-1]


def publish(site, pki, number, revoked=()):
    site.files['/root.crl'] = revocation.crl(pki.clients.root, (), number)
    site.files['/issuing.crl'] = revocation.crl(pki.clients.intermediates[0], revoked, number)


def fetch(daemon, number):
    """Asks for the lists until those of this number are in force, and every fetch has ended."""
    daemon.admin('POST', '/crls/fetch')
    waiting.until(lambda: [one['number'] for one in daemon.admin('GET', '/crls')[1]['lists']] == [number] * 2,
                  f'lists number {number}')


def test_a_fetched_list_counts_and_is_kept_later(handfast, disk, state, site, pki, echo, port):
    publish(site, pki, 1)
    config = configs.server_side(pki, port, echo, state=state)
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl'), site.url('/issuing.crl')]}
    first = handfast(config, wrap=disk.within())
    fetch(first, '01')
    assert outcome(port, pki, pki.bob) == 'in'
    kept = {path.name: path.read_bytes() for path in (disk.seen_from_here / 'state/crls').glob('*.crl')}
    assert len(kept) == 2
    disk.fill()
    publish(site, pki, 2, [pki.bob])
    fetch(first, '02')
    line = first.log.wait(event='crl-not-kept', url=site.url('/issuing.crl'))
    assert 'No space left on device' in line['text'] and line['level'] == 'error'
    assert outcome(port, pki, pki.bob) == 'certificate revoked'
    assert {path.name: path.read_bytes() for path in (disk.seen_from_here / 'state/crls').glob('*.crl')} == kept
    disk.make_room()
    asked = len(site.asked)
    first.admin('POST', '/crls/fetch')
    site.wait('/issuing.crl', 200, count=3)  # whole, not "nothing has changed"
    site.wait('/root.crl', 200, count=3)
    assert not [one for one in site.asked[asked:] if one[1] == 304]
    waiting.until(lambda: kept != {path.name: path.read_bytes() for path in
                                   (disk.seen_from_here / 'state/crls').glob('*.crl')}, 'the newer lists on disk')
    waiting.until(lambda: first.admin('POST', '/crls/fetch') and ('/issuing.crl', 304) in site.asked,
                  'a conditional request')
    first.kill()
    site.close()
    second = handfast(config, wrap=disk.within())
    second.log.wait(count=2, event='crl-restored')
    assert outcome(port, pki, pki.bob) == 'certificate revoked'
    assert outcome(port, pki, pki.alice) == 'in'


def test_the_deny_list_says_so_and_keeps_what_it_has(handfast, disk, state, pki, echo, port):
    """The journal has room to the end of its last block: it is filled up first."""
    config = configs.server_side(pki, port, echo, state=state)
    first = handfast(config, wrap=disk.within())
    acknowledged = [first.admin('POST', '/revocations?selector=serial:1')[1]['selector']]
    disk.fill()
    for number in range(2, 1000):
        status, answer = first.admin('POST', f'/revocations?selector=serial:{number:x}')
        if status != 200:
            break
        acknowledged.append(answer['selector'])
    assert len(acknowledged) > 1 and 'No space left on device' in str(answer), answer
    status, answer = first.admin('POST', f'/revocations?selector=serial:{pki.bob.serial}')
    assert status != 200 and 'No space left on device' in str(answer)
    assert outcome(port, pki, pki.bob) == 'in'  # as was said
    first.kill()
    second = handfast(config, wrap=disk.within())
    assert [one['selector'] for one in second.admin('GET', '/revocations')[1]['entries']] == acknowledged
    disk.make_room()
    assert second.admin('POST', f'/revocations?selector=serial:{pki.bob.serial}')[0] == 200
    assert outcome(port, pki, pki.bob) == 'certificate revoked'


def test_our_own_answer_is_shown_and_not_kept(handfast, disk, state, pki, ports, echo, port):
    responder = ocsp.Responder(ports.take(), pki.servers).know(pki.server)
    config = configs.server_side(pki, port, echo, state=state)
    config['identities']['server'].update({'fetch-staple': True, 'staple-responder': responder.url})
    try:
        daemon = handfast(config, wrap=[*disk.within(), 'sh', '-c', filled(disk)])
        line = daemon.log.wait(event='staple', level='warn')
        assert 'is shown, and not kept' in line['text'] and 'No space left on device' in line['text']
        shown = clients.s_client(port, '-status', roots=pki.servers.root.cert, leaf=pki.alice).stdout
        assert b'OCSP Response Status: successful' in shown
        assert not list((disk.seen_from_here / 'state/staples').iterdir())
    finally:
        responder.close()


def filled(disk):
    """Folders first, so that only what is to be kept has no room."""
    return f'mkdir -m 700 {disk.path}/state/staples; dd if=/dev/zero of={disk.path}/ballast 2>/dev/null; exec "$0" "$@"'

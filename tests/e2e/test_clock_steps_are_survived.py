# SPDX-License-Identifier: Apache-2.0
"""The clock is set a year forward or back under a running daemon: whoever is then not good any more
is cut at once, nobody is let in by a date of the wrong year, and all is well when it is right again.
And days go by in which nobody can be asked for a list."""

import ssl

import pytest

from harness import clients, configs, faketime, ocsp, publisher, revocation, waiting

DAY = 86400
YEAR = 366 * DAY


@pytest.fixture
def clock(tmp_path):
    return faketime.Clock(tmp_path / 'clock')


def alert(connection):
    try:
        while connection.recv(100):
            pass
    except ssl.SSLError as error:
        return error.reason.lower().replace('_', ' ').split('alert ')[-1]
    return 'in order'


@pytest.mark.parametrize('step, reason', [(YEAR, 'expired'), (-YEAR, 'not-yet-valid')])
def test_the_clock_goes_a_year_wrong_and_right_again(handfast, pki, echo, port, clock, tmp_path, step, reason):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config, env=clock.env())
    roots = pki.servers.root.cert
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clock.set(step)
        line = daemon.log.wait(event='no-longer-admitted')
        assert line['reason'] == reason and alert(alice) == 'certificate expired'
    said = daemon.log.wait(event='clock')['text']
    assert ('forward' if step > 0 else 'back') in said
    assert clients.refusal(port, roots, pki.alice) == 'certificate expired'
    clock.set(0)
    daemon.log.wait(count=2, event='clock')
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clients.finish(alice)


def test_a_list_of_the_wrong_year_lets_nobody_in(handfast, pki, echo, port, clock, tmp_path):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path)]}
    daemon = handfast(config, env=clock.env())
    roots = pki.servers.root.cert
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clock.set(3 * 86400)
        assert daemon.log.wait(event='no-longer-admitted', reason='crl-stale')
        assert alert(alice) == 'certificate unknown'
    assert clients.refusal(port, roots, pki.alice) == 'certificate unknown'
    assert daemon.log.wait(event='crl-stale')
    clock.set(0)
    daemon.log.wait(count=2, event='clock')
    with clients.connect(port, roots, pki.alice) as alice:
        clients.exchange(alice)
        clients.finish(alice)


@pytest.mark.parametrize('right, wrong, reason', [(0, 3 * DAY, 'ocsp-stale'), (DAY, 0, 'ocsp-not-yet')])
def test_an_answer_of_another_day_lets_nobody_in(handfast, pki, echo, port, ports, clock, right, wrong, reason):
    """The responder's clock is right: what it says is by ours long over, or has not begun."""
    responder = ocsp.Responder(ports.take(), pki.clients)
    responder.behave = lambda handler, request: ocsp.answer(
        pki.alice, pki.clients.intermediates[0], since=revocation.now(seconds=right - 60),
        until=revocation.now(seconds=right + 3600))
    clock.set(right)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['ocsp'] = {'responder': responder.url, 'leaf-only': True, 'timeout': '8s'}
    try:
        daemon = handfast(config, env=clock.env())
        roots = pki.servers.root.cert
        with clients.connect(port, roots, pki.alice) as alice:
            clients.exchange(alice)
            clock.set(wrong)
            assert daemon.log.wait(event='no-longer-admitted')['reason'] == reason
            assert alert(alice) == 'certificate unknown'
        assert clients.refusal(port, roots, pki.alice) == 'certificate unknown'
        assert daemon.log.wait(event='handshake', result='refused')['reason'] == reason
        clock.set(right)
        daemon.log.wait(count=2, event='clock')
        with clients.connect(port, roots, pki.alice) as alice:
            clients.exchange(alice)
            clients.finish(alice)
    finally:
        responder.close()


def comes_in(port, roots, leaf):
    try:
        with clients.connect(port, roots, leaf) as connection:
            clients.exchange(connection)
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_lists_are_out_of_reach_for_days(handfast, pki, echo, port, ports, clock, tmp_path):
    """The last ones hold to their next update and for the grace, over a restart too; then nobody comes
    in, and whoever is there is cut. When they can be had again, all is well without a word of ours."""
    site = publisher.Publisher(ports.take())
    (tmp_path / 'state').mkdir(mode=0o700)

    def publish(number, **dates):
        site.files['/root.crl'] = revocation.crl(pki.clients.root, (), number, **dates)
        site.files['/issuing.crl'] = revocation.crl(pki.clients.intermediates[0], [pki.bob], number, **dates)

    publish(1)
    config = configs.server_side(pki, port, echo, state=str(tmp_path / 'state'))
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl'), site.url('/issuing.crl')],
                                         'when-stale': '4d'}
    roots = pki.servers.root.cert
    try:
        daemon = handfast(config, env=clock.env())
        waiting.until(lambda: comes_in(port, roots, pki.alice), 'the first lists')
        with clients.connect(port, roots, pki.alice) as alice:
            clients.exchange(alice)
            site.close()
            clock.set(4 * DAY)  # three of them in grace
            assert daemon.log.wait(event='crl-stale')['level'] == 'error'
            daemon.log.wait(event='crl-unreachable')
            clients.exchange(alice)
            assert clients.refusal(port, roots, pki.bob) == 'certificate revoked'
            daemon.stop()
        daemon = handfast(config, env=clock.env())
        daemon.log.wait(count=2, event='crl-restored')
        with clients.connect(port, roots, pki.alice) as alice:
            clients.exchange(alice)
            clock.set(6 * DAY)
            assert daemon.log.wait(event='no-longer-admitted')['reason'] == 'crl-stale'
            assert alert(alice) == 'certificate unknown'
        assert clients.refusal(port, roots, pki.alice) == 'certificate unknown'
        assert clients.refusal(port, roots, pki.bob) == 'certificate revoked'
        publish(2, until=revocation.now(days=7))
        site.open()
        waiting.until(lambda: comes_in(port, roots, pki.alice), 'the new lists')
    finally:
        site.close()

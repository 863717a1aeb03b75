# SPDX-License-Identifier: Apache-2.0
"""Revocation lists come from URLs, and from where certificates say that they are; from no other
place. The last good one is kept on disk. What is forged, replayed, cut or late changes nothing."""

import hashlib
import json
import pathlib
import re
import threading

import pytest
import yaml

from harness import certs, clients, configs, daemon as daemons, publisher, revocation, waiting

pytestmark = [pytest.mark.engines, pytest.mark.workers]

PATHS = {'root': '/root.crl', 'sub': '/issuing.crl'}


@pytest.fixture
def site(ports):
    made = publisher.Publisher(ports.take())
    yield made
    made.close()


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / 'state'
    folder.mkdir(mode=0o700)
    return folder


class Published:
    """Both lists of an authority, at a site."""

    def __init__(self, site, authority):
        self.site, self.authority, self.number = site, authority, 0
        self.write()

    def write(self, revoked=(), number=None, issuer=None, **more):
        self.number += 1
        number = number or self.number
        self.site.files[PATHS['root']] = revocation.crl(self.authority.root, (), number, **more)
        self.site.files[PATHS['sub']] = revocation.crl(issuer or self.authority.intermediates[0], revoked,
                                                       number, **more)

    def urls(self):
        return [self.site.url(path) for path in PATHS.values()]


@pytest.fixture
def lists(site, pki):
    return Published(site, pki.clients)


@pytest.fixture
def config(pki, echo, port, lists, state):
    made = configs.server_side(pki, port, echo, state=str(state))
    made['trust']['clients']['crl'] = {'urls': lists.urls()}
    return made


def join(port, pki, leaf=None, **more):
    return clients.connect(port, pki.servers.root.cert, leaf or pki.alice, **more)


def start(handfast, config, **more):
    """A daemon that has all its lists."""
    daemon = handfast(config, **more)
    daemon.log.wait(event='revocation')
    crls(daemon, lambda answer: all(url['lists'] for url in answer['urls']))
    return daemon


def crls(daemon, good):
    """What the admin socket says of the lists, once it says what is wanted."""
    answer = {}

    def look():
        answer.update(daemon.admin('GET', '/crls')[1])
        return good(answer)

    waiting.until(look, 'the wanted state of the lists')
    return answer


def metrics(daemon):
    connection = daemons.Admin(daemon.admin_path)
    connection.request('GET', '/metrics')
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def fetch(daemon):
    daemon.admin('POST', '/crls/fetch')


def refused(daemon, port, pki, leaf, alert, reason):
    assert clients.refusal(port, pki.servers.root.cert, leaf) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


def let_in(port, pki, leaf=None):
    with join(port, pki, leaf) as client:
        clients.exchange(client)


def test_lists_of_urls_decide_and_are_asked_for_with_a_condition(handfast, config, lists, site, port, pki):
    lists.write([pki.bob])
    daemon = start(handfast, config)
    let_in(port, pki)
    line = refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    assert site.url('/issuing.crl') in line['detail']
    fetch(daemon)
    site.wait('/issuing.crl', 304)
    answer = crls(daemon, lambda answer: not any(url['fetching'] for url in answer['urls']))
    assert {(one['issuer'], one['number'], one['state']) for one in answer['lists']} == {
        ('CN=clients root,O=Handfast tests', '02', 'fresh'),
        ('CN=clients issuing,O=Handfast tests', '02', 'fresh')}
    shown = metrics(daemon)
    url = site.url('/issuing.crl')
    assert f'handfast_crl_fetches_total{{url="{url}",result="changed"}} 1' in shown
    assert f'handfast_crl_fetches_total{{url="{url}",result="unchanged"}} 1' in shown
    listing = daemons.run('crls', '--admin', f'unix:{daemon.admin_path}').stdout
    assert url in listing and 'clients issuing' in listing and 'fresh' in listing


def test_whoever_a_new_list_names_is_cut(handfast, config, lists, port, pki):
    daemon = start(handfast, config)
    with join(port, pki, pki.bob) as bob, join(port, pki) as alice:
        clients.exchange(bob)
        clients.exchange(alice)
        lists.write([pki.bob])
        fetch(daemon)
        assert daemon.log.wait(event='no-longer-admitted')['reason'] == 'revoked'
        clients.exchange(alice, b'undisturbed')
        clients.finish(alice)


def test_a_list_is_asked_for_again_in_time(handfast, config, lists, site, port, pki):
    config['trust']['clients']['crl']['refresh'] = '1s'
    daemon = start(handfast, config)
    site.wait('/issuing.crl', 304, count=2)
    lists.write([pki.bob])
    site.wait('/issuing.crl', 200, count=2)
    daemon.log.wait(count=2, event='crl-fetched', url=site.url('/issuing.crl'))
    crls(daemon, lambda answer: all(one['number'] == '02' for one in answer['lists']))
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')


def test_a_list_about_to_end_is_asked_for_before(handfast, config, lists, site, port, pki):
    lists.write(until=revocation.soon())
    daemon = start(handfast, config)
    lists.write()
    # An hour would be too late.
    daemon.log.wait(count=2, event='crl-fetched', url=site.url('/issuing.crl'))
    crls(daemon, lambda answer: all(one['number'] == '03' for one in answer['lists']))
    let_in(port, pki)


def test_the_last_good_list_is_there_at_the_next_start(handfast, config, lists, site, port, pki, state):
    lists.write([pki.bob])
    start(handfast, config).stop()
    site.close()
    daemon = handfast(config)
    assert daemon.log.wait(count=2, event='crl-restored')
    let_in(port, pki)
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    line = daemon.log.wait(event='crl-unreachable')
    assert 'the last list stays in force, and goes out of date at' in line['text']
    assert (state / 'crls').stat().st_mode & 0o777 == 0o700
    run = daemons.run('simulate', '-c', str(daemon.config_path), '--listener', 'in', '--cert',
                      str(pki.bob.chain), '--json')
    assert json.loads(run.stdout)['handshake']['code'] == 'revoked'


@pytest.mark.parametrize('spoil', ['forged', 'cut', 'emptied'])
def test_what_was_kept_is_verified_again(handfast, config, lists, site, port, pki, state, spoil):
    start(handfast, config).stop()
    site.close()
    name = hashlib.sha256(site.url('/root.crl').encode()).hexdigest()
    path = state / 'crls' / f'{name}.crl'
    path.write_bytes({'forged': forged(pki.clients.root), 'cut': path.read_bytes()[:-100], 'emptied': b''}[spoil])
    daemon = handfast(config)
    daemon.log.wait(event='crl-not-kept')
    refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-missing')


def test_killed_while_a_list_comes_it_has_the_one_before(handfast, config, lists, site, port, pki, state):
    lists.write([pki.bob])
    first = start(handfast, config)
    kept = {path: path.read_bytes() for path in (state / 'crls').iterdir()}
    lists.write([pki.alice, pki.bob])
    body, half_way, release = site.files['/issuing.crl'], threading.Event(), threading.Event()

    def slowly(handler):
        handler.send_response(200)
        handler.send_header('Content-Length', str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:len(body) // 2])
        handler.wfile.flush()
        half_way.set()
        release.wait(waiting.SECONDS)

    site.files['/issuing.crl'] = slowly
    del site.files['/root.crl']
    fetch(first)
    assert half_way.wait(waiting.SECONDS)
    waiting.until(lambda: list((state / 'crls').glob('*.new')), 'half of the list on the disk')
    first.kill()
    release.set()
    site.close()
    assert all(path.read_bytes() == data for path, data in kept.items())
    second = handfast(config)
    second.log.wait(count=2, event='crl-restored')
    let_in(port, pki)
    refused(second, port, pki, pki.bob, 'certificate revoked', 'revoked')
    second.stop()
    site.open()
    lists.write([pki.alice, pki.bob])
    third = start(handfast, config)
    refused(third, port, pki, pki.alice, 'certificate revoked', 'revoked')
    waiting.until(lambda: not list((state / 'crls').glob('*.new')), 'a clean folder')


def forged(issuer, number=200):
    """A list that says it is this issuer's, by another's key of the same kind."""
    good = revocation.crl(issuer, (), number)
    der = bytearray(certs.openssl('crl', '-outform', 'DER', stdin=good))
    der[-3] ^= 1  # in the signature
    return bytes(der)


def test_an_older_number_is_refused_as_a_replay(handfast, config, lists, site, port, pki):
    lists.write([pki.bob], number=9)
    daemon = start(handfast, config)
    lists.write([], number=8)
    fetch(daemon)
    line = daemon.log.wait(event='crl-replay', url=site.url('/issuing.crl'))
    assert line['level'] == 'error' and 'older than number 09' in line['text']
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    assert re.search(rf'url="{site.url("/issuing.crl")}",result="replayed"}} [1-9]', metrics(daemon))


def test_a_list_that_its_issuer_has_not_signed_is_refused(handfast, config, lists, site, port, pki):
    lists.write([pki.bob])
    daemon = start(handfast, config)
    let_in(port, pki)  # now the issuing CA is known
    daemon.log.wait(event='handshake', result='accepted')
    site.files['/issuing.crl'] = forged(pki.clients.intermediates[0])
    site.files['/root.crl'] = forged(pki.clients.root)
    fetch(daemon)
    for path in PATHS.values():
        assert 'is not signed by the key of' in \
            daemon.log.wait(event='crl-refused', url=site.url(path))['text']
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    let_in(port, pki)


def test_a_forged_list_gives_way_when_its_issuer_comes_to_be_known(handfast, config, lists, site, port, pki):
    good = site.files['/issuing.crl']
    site.files['/issuing.crl'] = forged(pki.clients.intermediates[0])
    daemon = start(handfast, config)
    site.files['/issuing.crl'] = good
    let_in(port, pki)  # once the good one has been fetched in its place, meanwhile
    assert 'is dropped' in daemon.log.wait(event='crl-refused')['text']
    crls(daemon, lambda answer: any(one['number'] == '01' and 'issuing' in one['issuer']
                                    for one in answer['lists']))
    assert not daemon.log.all(event='handshake', result='refused')


@pytest.mark.parametrize('fallback, admitted', [('deny', False), ('1h', True)])
def test_a_host_that_is_down_leaves_the_stale_policy_to_decide(handfast, config, lists, site, port, pki,
                                                             fallback, admitted):
    lists.write(until=revocation.soon())
    config['trust']['clients']['crl']['when-stale'] = fallback
    daemon = start(handfast, config)
    site.close()
    let_in(port, pki)
    fetch(daemon)
    crls(daemon, lambda answer: all(one['state'] == 'stale' for one in answer['lists']))
    line = daemon.log.wait(event='crl-stale')
    assert line['level'] == 'error' and line['trust'] == 'clients'
    if admitted:
        let_in(port, pki)
    else:
        refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-stale')
    site.open()
    lists.write()
    fetch(daemon)
    crls(daemon, lambda answer: all(one['state'] == 'fresh' for one in answer['lists']))
    let_in(port, pki)


def named_by(pki, name, *urls):
    points = ', '.join(f'URI:{url}' for url in urls)
    return pki.clients.client(name, extensions=f'crlDistributionPoints = {points}\n')


@pytest.fixture
def elsewhere(ports):
    """A site that nobody allows."""
    made = publisher.Publisher(ports.take())
    yield made
    made.close()


def test_lists_that_certificates_name_are_fetched_from_allowed_places_only(
        handfast, config, lists, site, elsewhere, port, pki):
    carol = named_by(pki, 'carol', elsewhere.url('/issuing.crl'), site.url('/issuing.crl'),
                     f'https://127.0.0.1:{site.port}/issuing.crl',
                     f'http://127.0.0.1:{site.port}@127.0.0.1:{elsewhere.port}/issuing.crl')
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl')],
                                         'from-certificates': [site.origin]}
    daemon = handfast(config)
    daemon.log.wait(event='crl-fetched')
    crls(daemon, lambda answer: len(answer['lists']) == 1)
    let_in(port, pki, carol)
    site.wait('/issuing.crl')
    answer = crls(daemon, lambda answer: len(answer['lists']) == 2)
    assert [url['url'] for url in answer['urls'] if 'issuing' in url['url']] == [site.url('/issuing.crl')]
    let_in(port, pki, carol)
    assert not elsewhere.asked
    daemon.stop()
    site.close()
    again = handfast(config)  # the list is remembered, though nobody has named it yet
    again.log.wait(count=2, event='crl-restored')
    let_in(port, pki, carol)


def test_a_stranger_steers_nothing(handfast, config, site, port, pki):
    mallory = pki.strangers.client('mallory', extensions=f'crlDistributionPoints = URI:{site.url("/x.crl")}\n')
    config['trust']['clients']['crl']['from-certificates'] = [site.origin]
    daemon = start(handfast, config)
    refused(daemon, port, pki, mallory, 'unknown ca', 'unknown-ca')
    let_in(port, pki)
    fetch(daemon)
    site.wait('/issuing.crl', 304)
    assert not [path for path, _ in site.asked if path == '/x.crl']


def test_a_shard_is_fetched_for_those_who_name_it(handfast, config, site, port, pki):
    one, two = site.url('/1.crl'), site.url('/2.crl')
    carol, dave = named_by(pki, 'carol', one), named_by(pki, 'dave', two)
    issuing = pki.clients.intermediates[0]
    site.files['/1.crl'] = revocation.crl(issuing, [carol], point=one)
    site.files['/2.crl'] = revocation.crl(issuing, [], point=two)
    config['trust']['clients']['crl'] = {'urls': [site.url('/root.crl')],
                                         'from-certificates': [site.origin]}
    daemon = handfast(config)
    for _ in range(2):
        refused(daemon, port, pki, carol, 'certificate revoked', 'revoked')
        let_in(port, pki, dave)
    crls(daemon, lambda answer: len(answer['lists']) == 3)


def test_a_delta_is_fetched_beside_its_base(handfast, config, lists, site, port, pki):
    config['trust']['clients']['crl']['urls'].append(site.url('/delta.crl'))
    site.files['/delta.crl'] = revocation.crl(pki.clients.intermediates[0], [pki.bob], 2, base=1)
    daemon = start(handfast, config)
    refused(daemon, port, pki, pki.bob, 'certificate revoked', 'revoked')
    let_in(port, pki)


def redirect_to(place):
    def answer(handler):
        handler.send_response(302)
        handler.send_header('Location', place)
        handler.end_headers()
    return answer


def never_ends(handler):
    pause = threading.Event()
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b'# soon\n')
            pause.wait(0.2)
    except OSError:
        pass


def floods(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b'# ' + b'x' * 2046 + b'\n')
    except OSError:
        pass


def test_bad_answers_change_nothing(handfast, config, lists, site, elsewhere, port, pki):
    lists.write([pki.bob])
    crl = config['trust']['clients']['crl']
    crl['max-size'] = '64KiB'
    daemon = start(handfast, config)
    elsewhere.files['/issuing.crl'] = site.files['/issuing.crl']
    good = site.files['/issuing.crl']
    answers = {
        'is another place': redirect_to(elsewhere.url('/issuing.crl')),
        'imed out': never_ends,
        'larger than 65536 bytes': floods,
        'no revocation list is in it': b'<html>sign in</html>',
        'block': good[:-40],
        'the answer is empty': b'',
        'the server answered 404': None,
    }
    for words, answer in answers.items():
        crl['fetch-timeout'] = '1s' if answer is never_ends else '1m'
        daemon.reload(config)
        crls(daemon, lambda answer: not any(url['fetching'] for url in answer['urls']))
        site.files['/issuing.crl'] = answer
        fetch(daemon)
        daemon.log.wait(url=site.url('/issuing.crl'), text=lambda text, words=words: words in (text or ''))
        crls(daemon, lambda answer: not any(url['fetching'] for url in answer['urls']))
        assert clients.refusal(port, pki.servers.root.cert, pki.bob) == 'certificate revoked'
    let_in(port, pki)
    assert not elsewhere.asked
    site.files['/issuing.crl'] = good
    fetch(daemon)
    crls(daemon, lambda answer: not any(url['error'] for url in answer['urls']))


def test_reload_adds_and_forgets_urls(handfast, config, lists, site, port, pki):
    crl = config['trust']['clients']['crl']
    crl['urls'] = [site.url('/root.crl')]
    daemon = handfast(config)
    crls(daemon, lambda answer: len(answer['lists']) == 1)
    crl['urls'] = lists.urls()
    daemon.reload(config)
    crls(daemon, lambda answer: len(answer['lists']) == 2)
    let_in(port, pki)
    crl['urls'] = [site.url('/root.crl')]
    daemon.reload(config)
    answer = crls(daemon, lambda answer: len(answer['lists']) == 1)
    assert [url['url'] for url in answer['urls']] == [site.url('/root.crl')]
    refused(daemon, port, pki, pki.alice, 'certificate unknown', 'crl-missing')


def test_check_says_what_can_not_be_fetched(config, tmp_path, pki):
    def findings(**changes):
        made = {**config, **changes}
        path = pathlib.Path(tmp_path) / 'checked.yaml'
        path.write_text(yaml.dump(made, Dumper=daemons.PlainDumper))
        return json.loads(daemons.run('check', '-c', str(path), '--json').stdout)

    del config['state']
    found = findings()
    assert any('name a folder for them with state' in one['text'] for one in found), found
    for bad in ('ftp://crl.example/x', 'http://user@crl.example/x', 'http://crl.example/x y', 'http:///x'):
        config['trust']['clients']['crl'] = {'urls': [bad]}
        assert [one for one in findings() if one['id'] == 'bad-value' and 'is not a URL' in one['text']], bad
    for bad in ('crl.example', 'http://crl.example/lists', 'http://a@b', 'http://crl.example:99999'):
        config['trust']['clients']['crl'] = {'from-certificates': [bad]}
        assert [one for one in findings() if one['id'] == 'bad-value'], bad
    config['trust']['clients']['crl'] = {'refresh': '1h', 'files': [str(pki.clients.root.cert)]}
    assert [one for one in findings() if 'refresh has no effect' in one['text']]

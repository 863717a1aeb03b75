# SPDX-License-Identifier: Apache-2.0
"""Responders that are slow, down, lying, old, huge or lead elsewhere: each has a code, none lets
anybody in, and none holds up the clients of others."""

import ssl
import threading
import time
import urllib.request

import pytest

from harness import clients, configs, ocsp, revocation, waiting

pytestmark = [pytest.mark.workers]


@pytest.fixture
def responder(ports, pki):
    made = ocsp.Responder(ports.take(), pki.clients).know(pki.alice, pki.bob)
    yield made
    made.close()


@pytest.fixture
def config(pki, echo, port, responder):
    made = configs.server_side(pki, port, echo)
    made['trust']['clients']['ocsp'] = {'responder': responder.url, 'leaf-only': True, 'timeout': '1m'}
    return made


@pytest.fixture
def issuing(pki):
    return pki.clients.intermediates[0]


def refused(daemon, port, pki, reason, leaf=None, alert='certificate unknown'):
    assert clients.refusal(port, pki.servers.root.cert, leaf or pki.alice) == alert
    return daemon.log.wait(event='handshake', result='refused', reason=reason)


def let_in(port, pki, leaf=None):
    with clients.connect(port, pki.servers.root.cert, leaf or pki.alice) as client:
        clients.exchange(client)


@pytest.fixture
def slowly(responder):
    """A behaviour: the answer comes when `release` is set; `asked` says that it was asked for."""
    def behave(handler, request):
        behave.asked.set()
        behave.release.wait(waiting.SECONDS)
        return responder.sign(request)

    behave.asked, behave.release = threading.Event(), threading.Event()
    yield behave
    behave.release.set()


def test_a_slow_one_costs_others_nothing(handfast, config, responder, slowly, port, pki):
    handfast(config)
    let_in(port, pki, pki.bob)
    responder.behave = slowly
    outcome = []
    waiter = threading.Thread(target=lambda: outcome.append(let_in(port, pki)))
    waiter.start()
    assert slowly.asked.wait(waiting.SECONDS)
    let_in(port, pki, pki.bob)  # known already: it doesn't wait for alice's answer
    assert not outcome
    slowly.release.set()
    waiter.join()
    assert outcome == [None]


def test_a_slow_one_costs_its_timeout(handfast, config, responder, slowly, port, pki):
    config['trust']['clients']['ocsp']['timeout'] = '1s'
    responder.behave = slowly
    daemon = handfast(config)
    began = time.monotonic()
    line = refused(daemon, port, pki, 'ocsp-unreachable')
    assert time.monotonic() - began > 0.9
    assert 'did not answer within 1000 ms' in line['detail'] or 'timed out' in line['detail'].lower()


def test_one_that_is_down_is_told_at_once(handfast, config, responder, port, pki):
    responder.close()
    daemon = handfast(config)
    line = refused(daemon, port, pki, 'ocsp-unreachable')
    assert responder.url in line['detail']
    began = time.monotonic()
    assert clients.refusal(port, pki.servers.root.cert, pki.bob) == 'certificate unknown'
    assert time.monotonic() - began < 50, 'it waited for the whole timeout'
    assert responder.url in daemon.log.wait(event='ocsp')['text']
    config['trust']['clients']['ocsp']['when-missing'] = 'allow'
    daemon.reload(config)
    let_in(port, pki)


def scrape(metrics):
    return urllib.request.urlopen(f'http://127.0.0.1:{metrics}/metrics').read().decode()


def lie(*words, **more):
    return lambda handler, request: ocsp.answer(*words, **more)


def test_lies_are_not_believed(handfast, config, responder, port, pki, issuing):
    """Each by the same code, with words of its own."""
    by_stranger = ocsp.signer(pki.strangers)
    by_client = pki.bob
    tampered = bytearray(ocsp.answer(pki.alice, issuing))
    tampered[-5] ^= 1
    lies = [
        (lie(pki.alice, issuing, about=pki.bob), 'about other certificates'),
        (lie(pki.alice, issuing, by=by_stranger), 'no certificate of the issuer'),
        (lie(pki.alice, issuing, by=by_client), 'without OCSPSigning'),
        (lambda handler, request: bytes(tampered), 'signed neither by the issuer'),
        (lambda handler, request: b'\x30\x03\x0a\x01\x00', 'ends before'),
        (lambda handler, request: b'<html>no</html>', 'DER'),
    ]
    config['trust']['clients']['ocsp']['nonce'] = 'off'
    for behave, words in lies:
        daemon = handfast(config)
        responder.behave = behave
        line = refused(daemon, port, pki, 'ocsp-untrusted')
        assert words in line['detail'] or responder.url in line['detail'], line['detail']
        daemon.stop()


def test_an_answer_to_somebody_elses_question_is_refused(handfast, config, responder, port, pki):
    other = []

    def replay(handler, request):
        other.append(responder.sign(request))
        return other[0]

    responder.behave = replay
    daemon = handfast(config)
    let_in(port, pki)
    daemon.stop()
    daemon = handfast(config)
    line = refused(daemon, port, pki, 'ocsp-untrusted')
    assert 'another nonce than ours' in line['detail']


def test_an_answer_without_nonce_counts_unless_required(handfast, config, responder, port, pki, issuing):
    responder.behave = lie(pki.alice, issuing)
    daemon = handfast(config)
    let_in(port, pki)
    daemon.stop()
    config['trust']['clients']['ocsp']['nonce'] = 'require'
    daemon = handfast(config)
    line = refused(daemon, port, pki, 'ocsp-untrusted')
    assert 'without our nonce' in line['detail']


def test_an_old_answer_is_stale(handfast, config, responder, port, pki, issuing):
    responder.behave = lie(pki.alice, issuing, since=revocation.now(hours=-3), until=revocation.now(hours=-2))
    daemon = handfast(config)
    line = refused(daemon, port, pki, 'ocsp-stale')
    assert 'went out of date 1 h' in line['detail']
    config['trust']['clients']['ocsp']['when-stale'] = '3h'
    daemon.reload(config)
    let_in(port, pki)


def test_an_answer_of_the_future_is_told_as_such(handfast, config, responder, port, pki, issuing):
    responder.behave = lie(pki.alice, issuing, since=revocation.now(hours=2), until=revocation.now(hours=3))
    daemon = handfast(config)
    assert 'clock' in refused(daemon, port, pki, 'ocsp-not-yet')['detail']


def test_a_good_answer_from_before_the_revocation_changes_nothing(handfast, config, responder, port, pki,
                                                                    issuing):
    config['trust']['clients']['ocsp'].update({'refresh': '1s', 'nonce': 'off'})
    old = ocsp.answer(pki.bob, issuing, since=revocation.now(minutes=-30))
    responder.revoke(pki.bob)
    daemon = handfast(config)
    refused(daemon, port, pki, 'revoked', pki.bob, 'certificate revoked')
    responder.behave = lambda handler, request: old
    for _ in range(3):
        assert clients.refusal(port, pki.servers.root.cert, pki.bob) == 'certificate revoked'


def test_it_is_not_led_elsewhere(handfast, config, responder, port, pki, ports):
    elsewhere = ocsp.Responder(ports.take(), pki.clients).know(pki.alice)

    def redirect(handler, request):
        handler.send_response(307)
        handler.send_header('Location', elsewhere.url)
        handler.send_header('Content-Length', '0')
        handler.end_headers()

    try:
        responder.behave = redirect
        daemon = handfast(config)
        refused(daemon, port, pki, 'ocsp-unreachable')
        assert not elsewhere.requests
    finally:
        elsewhere.close()


def test_a_huge_answer_is_cut_off(handfast, config, responder, port, pki):
    def flood(handler, request):
        handler.send_response(200)
        handler.send_header('Content-Type', 'application/ocsp-response')
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b'0' * 65536)
        except OSError:
            return None

    responder.behave = flood
    daemon = handfast(config)
    before = daemon.memory_kib()
    line = refused(daemon, port, pki, 'ocsp-unreachable')
    assert 'larger than' in line['detail']
    assert daemon.memory_kib() - before < 16 << 10


@pytest.mark.parametrize('status', [2, 3, 6])
def test_a_responder_that_declines_is_told_in_its_words(handfast, config, responder, port, pki, status):
    names = {2: 'internalError', 3: 'tryLater', 6: 'unauthorized'}
    responder.behave = lambda handler, request: bytes([0x30, 3, 0x0a, 1, status])
    daemon = handfast(config)
    assert names[status] in refused(daemon, port, pki, 'ocsp-unreachable')['detail']


def test_many_who_ask_the_same_share_one_request(handfast, config, responder, port, pki):
    release = threading.Event()

    def held(handler, request):
        release.wait(waiting.SECONDS)
        return responder.sign(request)

    responder.behave = held
    daemon = handfast(config)
    outcomes = []

    def join():
        try:
            let_in(port, pki)
            outcomes.append('in')
        except (ssl.SSLError, OSError) as error:
            outcomes.append(error)

    joining = [threading.Thread(target=join) for _ in range(12)]
    for one in joining:
        one.start()
    release.set()
    for one in joining:
        one.join()
    assert outcomes == ['in'] * 12
    assert len(responder.requests) == 1


def test_those_who_wait_for_one_responder_are_asked_about_together(handfast, config, responder, port, ports,
                                                                    pki):
    metrics = ports.take()
    config['metrics'] = f'127.0.0.1:{metrics}'
    leaves = [pki.clients.client(f'batch-{number}') for number in range(10)]
    responder.know(*leaves)
    release, taken = threading.Event(), threading.Semaphore(0)

    def held(handler, request):
        taken.release()
        release.wait(waiting.SECONDS)
        return responder.sign(request)

    responder.behave = held
    config['trust']['clients']['ocsp'].update({'batch': 16})
    handfast(config)
    failures = []

    def join(leaf):
        try:
            let_in(port, pki, leaf)
        except (ssl.SSLError, OSError) as error:
            failures.append(error)

    joining = [threading.Thread(target=join, args=(leaf,)) for leaf in leaves]
    for one in joining[:4]:
        one.start()
        assert taken.acquire(timeout=waiting.SECONDS)  # a request each, as many as may be under way
    for one in joining[4:]:
        one.start()
    waiting.until(lambda: 'handfast_ocsp_questions_open 10' in scrape(metrics), 'ten open questions')
    release.set()
    for one in joining:
        one.join()
    assert not failures
    assert sum(responder.requests) == 10 and len(responder.requests) < 10


def test_one_that_answers_about_a_single_certificate_is_asked_singly(handfast, config, responder, port, pki):
    """RFC 5019: such a responder leaves all but the first out."""
    leaves = [pki.clients.client(f'single-{number}') for number in range(8)]
    responder.know(*leaves)
    by_serial = {int(leaf.field('-serial'), 16): leaf for leaf in leaves}
    issuing = pki.clients.intermediates[0]

    def first_only(handler, request):
        found = min((request.find(serial.to_bytes((serial.bit_length() + 7) // 8, 'big')), serial)
                    for serial in by_serial
                    if request.find(serial.to_bytes((serial.bit_length() + 7) // 8, 'big')) >= 0)
        return ocsp.answer(by_serial[found[1]], issuing)

    responder.behave = first_only
    config['trust']['clients']['ocsp'].update({'batch': 16})
    handfast(config)
    failures = []

    def join(leaf):
        try:
            let_in(port, pki, leaf)
        except (ssl.SSLError, OSError) as error:
            failures.append(error)

    joining = [threading.Thread(target=join, args=(leaf,)) for leaf in leaves]
    for one in joining:
        one.start()
    for one in joining:
        one.join()
    assert not failures

# SPDX-License-Identifier: Apache-2.0
"""Retries: of what can be repeated, as often as the route says, and no more at once than the
upstream's budget; a server that falls silent is given up after response-timeout."""

import concurrent.futures
import http.client
import json
import threading

import pytest

from harness import clients, configs, recorder, waiting

pytestmark = pytest.mark.engines


class Moody:
    """Closes on each path's first request without a word; answers the second once it may."""

    def __init__(self):
        self.seen, self.may = [], threading.Event()
        self._lock = threading.Lock()

    def __call__(self, connection, _):
        reader = recorder._Reader(connection)
        try:
            while request := recorder.read_request(reader):
                with self._lock:
                    first = request.target not in self.seen
                    self.seen.append(request.target)
                if first:
                    return
                assert self.may.wait(waiting.SECONDS)
                connection.sendall(recorder.ANSWER)
        except EOFError:
            pass


def get(pki, port, path, method='GET'):
    context = clients.context(pki.servers.root.cert, pki.alice)
    connection = http.client.HTTPSConnection('127.0.0.1', port, context=context, timeout=waiting.SECONDS)
    connection._context.check_hostname = False
    try:
        connection.request(method, path, headers={'Accept': 'application/json'})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status if answer.status == 200 else json.loads(body)['code']
    finally:
        connection.close()


@pytest.mark.parametrize('budget, allowed', [(0, 3), (100, 10)])
def test_no_more_at_once_than_the_budget(handfast, pki, backend, port, budget, allowed):
    """Ten requests fail at the same time; three retries may always be under way."""
    moody = Moody()
    handfast(configs.http_side(pki, port, backend(moody), [{'to': 'app', 'retries': 1}],
                               upstream={'retry-budget': budget}))
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(get, pki, port, f'/{i}') for i in range(10)]
        waiting.until(lambda: sum(one.done() for one in asked) == 10 - allowed)
        waiting.until(lambda: len(moody.seen) == 10 + allowed)
        moody.may.set()
        outcomes = sorted(str(one.result()) for one in asked)
    assert outcomes == ['200'] * allowed + ['upstream-closed'] * (10 - allowed)
    assert get(pki, port, '/0' if allowed == 10 else moody.seen[-1]) == 200  # the places are free again


def test_what_cannot_be_repeated_is_not(handfast, pki, backend, port):
    moody = Moody()
    moody.may.set()
    handfast(configs.http_side(pki, port, backend(moody), [{'to': 'app', 'retries': 5}]))
    assert get(pki, port, '/a', 'POST') == 'upstream-closed'
    assert get(pki, port, '/b', 'PUT') == 200
    assert moody.seen == ['/a', '/b', '/b']


def test_without_retries_a_failure_is_told(handfast, pki, backend, port):
    moody = Moody()
    moody.may.set()
    handfast(configs.http_side(pki, port, backend(moody)))
    assert get(pki, port, '/a') == 'upstream-closed'
    assert moody.seen == ['/a']


@pytest.mark.parametrize('begun', [b'', b'HTTP/1.1 100 Continue\r\n\r\n', b'HTTP/1.1 200 OK\r\nContent-'])
def test_a_server_that_says_nothing_is_given_up(handfast, pki, backend, port, begun):
    def serve(connection, _):
        connection.recv(65536)
        connection.sendall(begun)
        connection.recv(1)
    daemon = handfast(configs.http_side(pki, port, backend(serve), upstream={'response-timeout': '200ms'}))
    assert get(pki, port, '/') == 'upstream-timeout'
    assert daemon.log.wait(event='request')['status'] == 504


def test_a_server_that_stops_within_its_answer_is_given_up(handfast, pki, backend, port):
    def serve(connection, _):
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf')
        connection.recv(1)
    daemon = handfast(configs.http_side(pki, port, backend(serve), upstream={'response-timeout': '200ms'}))
    with pytest.raises((http.client.IncompleteRead, clients.ssl.SSLError, ConnectionError)):
        get(pki, port, '/')
    assert daemon.log.wait(event='request')['cause'] == 'upstream-timeout'


def test_an_answer_that_goes_on_is_not(handfast, pki, backend, port):
    """The timeout is for silence, not for the whole."""
    def serve(connection, record):
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n')
        for _ in range(8):
            threading.Event().wait(0.5)
            connection.sendall(b'x')
        connection.recv(1)
    handfast(configs.http_side(pki, port, backend(serve), upstream={'response-timeout': '3s'}))
    assert get(pki, port, '/') == 200

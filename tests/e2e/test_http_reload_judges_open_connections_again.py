# SPDX-License-Identifier: Apache-2.0
"""A reload keeps connections of HTTP mode, and what their clients may do is what it is now."""

import copy

import pytest

from harness import clients, configs, h2raw, recorder

GET = b'GET %s HTTP/1.1\r\nHost: server.example\r\n\r\n'
PLAIN = [(':method', 'GET'), (':scheme', 'https'), (':authority', 'server.example'), (':path', '/')]

pytestmark = pytest.mark.engines


class Both:
    """A connection of each version, whose next answers can be asked for."""

    def __init__(self, port, pki):
        self.h1 = clients.connect(port, pki.servers.root.cert, pki.alice, alpn=['http/1.1'])
        self.reader = clients.HttpReader(self.h1)
        self.h2 = h2raw.Connection(port, pki.servers.root.cert, pki.alice)

    def ask(self):
        self.h1.sendall(GET % b'/')
        answer = self.reader.answer()
        stream = self.h2.wait(self.h2.request(PLAIN))
        assert answer.status == stream.status
        self.body, self.head = answer.body, answer.fields
        return answer.status

    def ended(self):
        while self.h2.step():
            pass
        return self.reader.answer() is None

    def close(self):
        self.h1.close()
        self.h2.tls.close()


@pytest.fixture
def setting(handfast, pki, backend, port):
    behind = backend(recorder.Recorder().serve)
    config = configs.http_side(pki, port, behind, routes=[{'to': 'app', 'allow': ['anyone']}])
    daemon = handfast(config)
    both = Both(port, pki)
    yield daemon, config, both
    both.close()


def changed(config, **listener):
    made = copy.deepcopy(config)
    made['listeners']['in'].update(listener)
    return made


def test_rules_are_those_of_now(setting):
    daemon, config, both = setting
    assert both.ask() == 200
    daemon.reload(changed(config, routes=[{'to': 'app', 'allow': ['cn:bob']}]))
    assert both.ask() == 403 and b'"code":"not-allowed"' in both.body
    daemon.reload(config)
    assert both.ask() == 200


def test_who_is_trusted_no_more_is_let_in_no_more(setting, pki):
    daemon, config, both = setting
    assert both.ask() == 200
    other = changed(config)
    other['trust']['clients'] = configs.trust(pki.strangers)
    daemon.reload(other)
    assert both.ask() == 403 and b'"code":"unknown-ca"' in both.body
    assert both.head['connection'] == 'close' and both.ended()


def test_connections_of_a_listener_that_is_gone_end_after_the_next_request(setting, ports):
    daemon, config, both = setting
    assert both.ask() == 200
    other = copy.deepcopy(config)
    other['listeners']['another'] = other['listeners'].pop('in')
    other['listeners']['another']['listen'] = [f'127.0.0.1:{ports.take()}']
    daemon.reload(other)
    assert both.ask() == 200 and both.head['connection'] == 'close'
    assert both.ended()


def test_drain_ends_idle_connections_in_order(setting):
    daemon, _, both = setting
    assert both.ask() == 200
    daemon.process.terminate()
    assert both.ended() and both.h2.goaway == 'NO_ERROR'
    assert daemon.wait_exit() == 0

# SPDX-License-Identifier: Apache-2.0
"""The API says "revoked" when no worker of its daemon lets the client in any more, and "released"
when all do: not a moment before, though the store knew it already."""

import time

import pytest

from harness import canode, cas

pytestmark = pytest.mark.workers

TIMES, DOORS = 12, 6
WAIT_S = 10  # for workers that don't say that they obey


@pytest.fixture
def site(tmp_path):
    return canode.Site(cas.Ca(tmp_path / 'ca'), tmp_path)


@pytest.fixture
def node(site, handfast, ports):
    return site.node(handfast, ports)


def entered(node, who):
    """How many of some connections, one right after the other, are let in."""
    count = 0
    for _ in range(DOORS):
        try:
            node.enter(who).close()
            count += 1
        except OSError:
            continue
    return count


def act(client, serial, what):
    status, told = client.ask('POST', f'/certificates/{serial}/{what}', {})
    assert status == 200, told


def test_the_answer_comes_when_every_worker_obeys(site, node):
    ops = node.client(site.ops)
    alice = site.ca.issue('client', 'alice')
    serial = cas.serial(alice.cert)
    for _ in range(TIMES):
        act(ops, serial, 'hold')
        assert entered(node, alice) == 0
        act(ops, serial, 'release')
        assert entered(node, alice) == DOORS
    ops.revoke(serial)
    assert entered(node, alice) == 0
    ops.close()


def test_many_revoked_at_once_are_all_out(site, node):
    ops = node.client(site.ops)
    people = [site.ca.issue('client', f'person{number}') for number in range(8)]
    status, told = ops.ask('POST', '/revocations', {
        'profile': 'user', 'text': 'person', 'reason': 'superseded'})
    assert status == 200, told
    assert [entered(node, who) for who in people] == [0] * len(people)
    assert entered(node, site.ops) == DOORS
    ops.close()


def test_where_nobody_judges_by_the_ca_the_answer_waits_for_nobody(site, node, handfast):
    node.daemon.stop()
    config = node.config()
    del config['trust']['ours']['ca']
    handfast(config)
    ops = node.client(site.ops)
    took = []
    for number in range(TIMES):
        serial = ops.issue(f'somebody{number}')['serial']
        begun = time.monotonic()
        ops.revoke(serial)
        took.append(time.monotonic() - begun)
    assert min(took) < WAIT_S, took  # each would have waited; the disk may keep some as long
    ops.close()


def test_who_revokes_itself_gets_the_answer_first(site, node):
    alice = site.ca.issue('client', 'alice')
    mine = node.client(alice)
    assert mine.revoke(cas.serial(alice.cert))
    mine.close()
    assert entered(node, alice) == 0

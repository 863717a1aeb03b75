# SPDX-License-Identifier: Apache-2.0
"""Daemons that serve the same CA from one PostgreSQL: what one revokes cuts the sessions of the
others, all issue at the same time, and each publishes lists with numbers of its own."""

import concurrent.futures
import time

import pytest

from harness import canode, cas, waiting

pytestmark = pytest.mark.workers

EACH, THREADS = 20, 3


@pytest.fixture
def site(postgres, tmp_path):
    return canode.Site(cas.Ca(tmp_path / 'ca', postgres.database()), tmp_path)


@pytest.fixture
def nodes(site, handfast, ports):
    return [site.node(handfast, ports) for _ in range(2)]


def client_of(site, name):
    return site.ca.issue('client', name)


def seconds_until_cut(session, begun):
    """The end of the session may come as an alert or as a reset."""
    try:
        while session.recv(4096):
            pass
    except OSError:
        pass
    return time.monotonic() - begun


def is_let_in(node, who):
    try:
        node.enter(who).close()
        return True
    except OSError:
        return False


def test_one_node_serves_what_it_issues_and_revokes(site, nodes):
    node = nodes[0]
    ops = node.client(site.ops)
    alice = client_of(site, 'alice')
    told = ops.issue('made-here')
    assert ops.ask('GET', f'/certificates/{told["serial"]}')[1]['status'] == 'good'
    session = node.enter(alice)
    ops.revoke(cas.serial(alice.cert))
    node.daemon.log.wait(event='no-longer-admitted', identity='alice', reason='revoked')
    seconds_until_cut(session, 0)
    session.close()
    assert not is_let_in(node, alice)
    assert is_let_in(node, site.ops)
    ops.close()


def test_a_revocation_at_one_node_cuts_sessions_at_the_other(site, nodes):
    here, there = nodes
    ops = here.client(site.ops)
    took = []
    for number in range(5):
        victim = client_of(site, f'victim{number}')
        session = there.enter(victim)
        begun = time.monotonic()
        ops.revoke(cas.serial(victim.cert))
        took.append(seconds_until_cut(session, begun))
        session.close()
        there.daemon.log.wait(event='no-longer-admitted', identity=f'victim{number}',
                              reason='revoked')
        assert not is_let_in(there, victim)
        assert not is_let_in(here, victim)
    ops.close()
    # The whole of it, the revocation included; most of them may meet a busy machine.
    assert min(took) < 1, took


def test_nodes_that_issue_at_once_never_share_a_number(site, nodes):
    def work(node, name):
        client = node.client(site.ops)
        issued = [client.issue(f'{name}-{at}')['serial'] for at in range(EACH)]
        for serial in issued[::2]:
            client.revoke(serial)
        client.close()
        return issued

    with concurrent.futures.ThreadPoolExecutor(2 * THREADS) as pool:
        at_work = [pool.submit(work, node, f'n{which}-t{thread}')
                   for which, node in enumerate(nodes) for thread in range(THREADS)]
        issued = [serial for one in at_work for serial in one.result()]
    assert len(set(issued)) == 2 * THREADS * EACH
    rows = {row['serial']: row for row in site.ca.list()}
    assert set(issued) <= set(rows)
    assert sum(rows[serial]['status'] == 'revoked' for serial in issued) == THREADS * EACH
    assert site.ca.json('audit verify')['whole']


def test_each_node_publishes_lists_with_numbers_of_its_own(site, nodes):
    client = nodes[0].client(site.ops)
    seen = [[], []]
    for at in range(4):
        serial = client.issue(f'victim{at}')['serial']
        client.revoke(serial)
        for which, node in enumerate(nodes):
            before = seen[which][-1] if seen[which] else -1
            waiting.until(lambda node=node, before=before: (node.crl_number() or -1) > before)
            seen[which].append(node.crl_number())
    client.close()
    assert seen[0] == sorted(seen[0]) and seen[1] == sorted(seen[1])
    assert not set(seen[0]) & set(seen[1]), seen


def test_a_node_that_dies_takes_nothing_with_it(site, nodes):
    here, there = nodes
    client = here.client(site.ops)
    alice = client_of(site, 'alice')
    issued = [client.issue(f'c{at}')['serial'] for at in range(5)]
    client.revoke(cas.serial(alice.cert))
    here.kill()
    other = there.client(site.ops)
    for serial in issued:
        assert other.ask('GET', f'/certificates/{serial}')[1]['status'] == 'good'
    waiting.until(lambda: not is_let_in(there, alice))
    other.issue('afterwards')
    here.start()
    assert not is_let_in(here, alice)
    other.close()

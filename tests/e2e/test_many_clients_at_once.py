# SPDX-License-Identifier: Apache-2.0
"""Load: 2,000 clients at once with every byte compared, 10,000 idle, 10,000 one after the other."""

import json
import os
import resource
import subprocess

import pytest

from harness import clients, configs, waiting

pytestmark = pytest.mark.xdist_group('load')


@pytest.fixture
def crowd_echo(herd, ports):
    """An echo server that holds ten thousand connections."""
    port = ports.take()
    process = subprocess.Popen([herd, 'echo', str(port)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'ready\n'
    yield f'127.0.0.1:{port}'
    process.stdin.close()
    process.wait(waiting.SECONDS)


def quiet(config):
    return {**config, 'log': {'format': 'json', 'level': 'info', 'to': 'stderr'}}


def start_herd(herd, pki, port, *words):
    return subprocess.Popen(
        [herd, 'clients', '--port', str(port), '--roots', pki.servers.root.cert,
         '--cert', pki.alice.chain, '--key', pki.alice.key, *map(str, words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish_herd(process):
    outcome = json.loads(process.communicate(timeout=waiting.SECONDS * 12)[0].splitlines()[-1])
    assert outcome['failed'] == 0, outcome
    return outcome


@pytest.mark.workers
def test_two_thousand_clients_through_two_workers(handfast, pki, port, herd, crowd_echo):
    daemon = handfast(quiet(configs.server_side(pki, port, crowd_echo, workers=2)))
    n, size = 2000, 32768
    outcome = finish_herd(start_herd(herd, pki, port, '--n', n, '--together', '--bytes', size))
    ends = daemon.log.wait(count=n, event='connection', cause='finished', seconds=120)
    assert sum(end['bytes_in'] for end in ends) == outcome['bytes']
    assert sum(end['bytes_out'] for end in ends) == outcome['bytes']
    workers = {end['id'][:2] for end in ends}
    assert len(workers) == 2, 'one worker did it all'


def test_ten_thousand_idle_connections(handfast, pki, port, herd, crowd_echo):
    """As many admitted clients as descriptors allow (each takes two in the daemon), the rest of
    the ten thousand silent before their handshake."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if os.geteuid() == 0 and limit != resource.RLIM_INFINITY:
        raised = subprocess.run(['prlimit', '--nofile=65536:65536', 'true'], capture_output=True,
                                check=False)
        limit = 65536 if raised.returncode == 0 else limit
    if limit == resource.RLIM_INFINITY:
        limit = 65536
    if limit < 12000:
        pytest.skip(f'only {limit} descriptors are allowed here')
    admitted = min(10_000, limit - 10_300)
    silent = 10_000 - admitted
    daemon = handfast(quiet(configs.server_side(
        pki, port, crowd_echo, listener={'handshake-timeout': '10m'})), nofile=limit)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    crowd = start_herd(herd, pki, port, '--n', admitted, '--together', '--hold')
    waiting_room = [clients.plain(port) for _ in range(silent)]
    assert crowd.stdout.readline() == f'open {admitted}\n'
    waiting.until(lambda: daemon.admin('GET', '/status')[1]['listeners'][0]['connections']['open'] == 10_000)
    with clients.connect(port, pki.servers.root.cert, pki.bob) as client:
        clients.exchange(client)
    for one in waiting_room:
        one.close()
    finish_herd(crowd)


def test_nothing_leaks_over_ten_thousand_connections_and_a_hundred_reloads(
        handfast, pki, port, herd, crowd_echo):
    """LeakSanitizer looks at the end; descriptors and, after a warm-up, memory are looked at here."""
    config = quiet(configs.server_side(pki, port, crowd_echo))
    daemon = handfast(config)
    seen = []
    for tenth in range(10):
        load = start_herd(herd, pki, port, '--n', 1000, '--at-once', 50, '--bytes', 1000)
        for _ in range(10):
            assert daemon.reload(config)['level'] == 'info'
        finish_herd(load)
        daemon.log.wait(count=1000 * (tenth + 1), event='connection', seconds=120)
        seen.append((daemon.n_descriptors(), daemon.memory_kib()))
    descriptors = [number for number, _ in seen]
    assert descriptors[-1] <= descriptors[0], descriptors
    # Without AddressSanitizer's quarantine, memory stays where it is after the first rounds.
    if 'asan' not in os.environ.get('HANDFAST_BUILD', ''):
        assert seen[-1][1] < seen[2][1] + 4096, seen

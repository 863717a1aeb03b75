# SPDX-License-Identifier: Apache-2.0
"""One measure: a peer, the load client before it, the backend behind it."""

import json

from . import proc

# What the load client is told, and the unit of a result: (name, operations from its report, factor
# from seconds of CPU).
LOADS = {
    'handshake': {'unit': 'us/handshake', 'connections': 16},
    'resume': {'unit': 'us/handshake', 'connections': 16},
    'requests': {'unit': 'us/request', 'connections': 16},
    'down': {'unit': 'ms/GiB', 'connections': 4},
    'up': {'unit': 'ms/GiB', 'connections': 4},
    'idle': {'unit': 'KiB/connection', 'connections': 2000},
    'fleet': {'unit': 'KiB/connection', 'connections': 6000},
}
BODY = 64 << 20
SETTLE = 7.0  # seconds until a connection counts as idle, and late messages are done
FLEET_FIRST = 2000  # connections after which what a proxy remembers of its clients is full


class Bench:
    """What is the same for all measures of a run."""

    def __init__(self, folder, certs, tools, backend_port):
        self.folder, self.certs, self.tools, self.backend = folder, certs, tools, backend_port

    def client(self, load, port, connections, seconds):
        fleet = ['--fleet', self.certs.issuing_key] if load == 'fleet' else []
        words = ['--mode', 'idle' if fleet else load, *fleet, '--connect', f'127.0.0.1:{port}',
                 '--cert', self.certs.client_chain, '--key', self.certs.client_key,
                 '--connections', str(connections), '--seconds', str(seconds),
                 '--bytes', str(BODY)]
        return proc.Process('hfload', [self.tools['hfload'], *words], self.folder, talk=True)


def per_unit(load, report, cpu):
    """CPU seconds to the unit of this load."""
    if load in ('down', 'up'):
        return cpu * 1e3 / (report['bytes'] / 2**30) if report['bytes'] else None
    return cpu * 1e6 / report['operations'] if report['operations'] else None


def _cost(bench, server, load, port, connections, seconds):
    with bench.client(load, port, connections, seconds) as client:
        client.read_line(60)
        before = proc.cpu_seconds(server.pid)
        client.say('go')
        report = json.loads(client.read_line(seconds + 30))
        cpu = proc.cpu_seconds(server.pid) - before
    return {'value': per_unit(load, report, cpu), 'cpu_seconds': round(cpu, 2), **report}


def _growth(bench, server, load, port, connections):
    """What so many more connections of this load take."""
    before = proc.memory_kib(server.pid)
    with bench.client(load, port, connections, 1) as client:
        client.read_line(300)
        server.stays(SETTLE)
        after = proc.memory_kib(server.pid)
        client.say('go')
        report = json.loads(client.read_line(30))
    return {'value': (after - before) / connections, 'kib_before': before, 'kib_after': after,
            **report}


def _idle(bench, server, port, connections):
    # A first round lets the server make what it makes once.
    with bench.client('idle', port, 32, 1) as client:
        client.read_line(60)
    server.stays(SETTLE)
    return _growth(bench, server, 'idle', port, connections)


def _fleet(bench, server, port, connections):
    # What is remembered of clients has its bound: the first of them fill it, and stay.
    with bench.client('fleet', port, FLEET_FIRST, 1) as first:
        first.read_line(180)
        server.stays(SETTLE)
        return _growth(bench, server, 'fleet', port, connections - FLEET_FIRST)


MEMORY = {'idle': _idle, 'fleet': _fleet}


def measure(bench, peer, load, connections, seconds):
    """One round of one load against one freshly started peer."""
    port = proc.free_port()
    with peer.start(bench.folder, bench.certs, port, bench.backend) as server:
        if load in MEMORY:
            return MEMORY[load](bench, server, port, connections)
        return _cost(bench, server, load, port, connections, seconds)

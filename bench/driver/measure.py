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
    # By the generator that speaks HTTP/1.1 and HTTP/2 (hfreq).
    'http': {'unit': 'us/request', 'connections': 16, 'hfreq': 'closed'},
    'http-p99': {'unit': 'us, p99', 'connections': 16, 'hfreq': 'open'},
    'http-idle': {'unit': 'KiB/connection', 'connections': 2000, 'hfreq': 'idle'},
    'h2': {'unit': 'us/request', 'connections': 16, 'hfreq': 'closed', 'streams': 8},
    'h2-p99': {'unit': 'us, p99', 'connections': 16, 'hfreq': 'open', 'streams': 8},
    'h2-idle': {'unit': 'KiB/connection', 'connections': 2000, 'hfreq': 'idle', 'streams': 8},
}
LOAD_SHARE = 0.7  # of what one core could do, when latency is measured
BODY = 64 << 20
SETTLE = 7.0  # seconds until a connection counts as idle, and late messages are done
FLEET_FIRST = 2000  # connections after which what a proxy remembers of its clients is full


class Bench:
    """What is the same for all measures of a run."""

    def __init__(self, folder, certs, tools, backend_port):
        self.folder, self.certs, self.tools, self.backend = folder, certs, tools, backend_port

    def client(self, load, port, connections, seconds, rate=0):
        if 'hfreq' in LOADS[load]:
            return self._requester(LOADS[load], load, port, connections, seconds, rate)
        fleet = ['--fleet', self.certs.issuing_key] if load == 'fleet' else []
        words = ['--mode', 'idle' if fleet else load, *fleet, '--connect', f'127.0.0.1:{port}',
                 '--cert', self.certs.client_chain, '--key', self.certs.client_key,
                 '--connections', str(connections), '--seconds', str(seconds),
                 '--bytes', str(BODY)]
        return proc.Process('hfload', [self.tools['hfload'], *words], self.folder, talk=True)


    def _requester(self, about, load, port, connections, seconds, rate):
        words = ['--mode', about['hfreq'], '--connect', f'127.0.0.1:{port}',
                 '--cert', self.certs.client_chain, '--key', self.certs.client_key,
                 '--connections', str(connections), '--seconds', str(seconds)]
        if load.startswith('h2'):
            words += ['--h2', '--streams', str(about['streams'])]
        if rate:
            words += ['--rate', str(round(rate))]
        return proc.Process('hfreq', [self.tools['hfreq'], *words], self.folder, talk=True)


def per_unit(load, report, cpu):
    """CPU seconds to the unit of this load."""
    if load.endswith('p99'):
        return report['p99_us']
    if load in ('down', 'up'):
        return cpu * 1e3 / (report['bytes'] / 2**30) if report['bytes'] else None
    return cpu * 1e6 / report['operations'] if report['operations'] else None


def _cost(bench, server, load, port, connections, seconds, rate=0):
    with bench.client(load, port, connections, seconds, rate) as client:
        client.read_line(60)
        before = proc.cpu_seconds(server.pid)
        client.say('go')
        report = json.loads(client.read_line(seconds + 30))
        cpu = proc.cpu_seconds(server.pid) - before
    return {'value': per_unit(load, report, cpu), 'cpu_seconds': round(cpu, 2), 'rate': round(rate),
            **report}


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


def _idle(bench, server, load, port, connections):
    # A first round lets the server make what it makes once.
    with bench.client(load, port, 32, 1) as client:
        client.read_line(60)
    server.stays(SETTLE)
    return _growth(bench, server, load, port, connections)


def _fleet(bench, server, load, port, connections):
    # What is remembered of clients has its bound: the first of them fill it, and stay.
    with bench.client(load, port, FLEET_FIRST, 1) as first:
        first.read_line(180)
        server.stays(SETTLE)
        return _growth(bench, server, load, port, connections - FLEET_FIRST)


MEMORY = {'idle': _idle, 'http-idle': _idle, 'h2-idle': _idle, 'fleet': _fleet}


def measure(bench, peer, load, connections, seconds, cost_us=None):
    """One round of one load against one freshly started peer. cost_us: of a request, where latency
    at a share of what one core can do is measured."""
    port = proc.free_port()
    with peer.start(bench.folder, bench.certs, port, bench.backend) as server:
        if load in MEMORY:
            return MEMORY[load](bench, server, load, port, connections)
        rate = LOAD_SHARE * 1e6 / cost_us if load.endswith('p99') else 0
        return _cost(bench, server, load, port, connections, seconds, rate)

# SPDX-License-Identifier: Apache-2.0
"""From `handfast revoke` to the end of the last live session that it concerns."""

import http.client
import json
import os
import shutil
import socket
import statistics
import tempfile
import time

from . import proc
from .certs import Certs

CONFIG = '''
admin: unix:{folder}/admin.sock
state: {folder}/state
log: {{level: warn, to: {folder}/handfast-lines.log}}
identities: {{server: {{cert: {certs.server_chain}, key: {certs.server_key}}}}}
trust: {{clients: {{roots: {certs.root}}}}}
listeners:
  in:
    listen: ["127.0.0.1:{port}"]
    identities: [server]
    client: require
    trust: clients
    idle-timeout: 1h
    to: app
upstreams: {{app: {{servers: ["127.0.0.1:{backend}"]}}}}
'''

FIGURES = {
    'one_ms': ('one certificate: session closed', 'ms', 10),
    'one_answer_ms': ('one certificate: command answered', 'ms', None),
    'half_ms': ('an issuer: half of the sessions closed', 'ms', None),
    'all_ms': ('an issuer: last session closed', 'ms', 100),
    'all_answer_ms': ('an issuer: command answered', 'ms', None),
    'others_p50_us': ('others, before: half of requests within', 'us', None),
    'others_p99_us': ('others, before: 99 of 100 within', 'us', None),
    'cutting_p50_us': ('others, until the last closed: half within', 'us', None),
    'cutting_p99_us': ('others, until the last closed: 99 of 100', 'us', None),
    'cutting_ratio': ('  times what it was before', '', 2),
    'meanwhile_p99_us': ('others, until all was said: 99 of 100', 'us', None),
    'meanwhile_ratio': ('  times what it was before', '', 2),
}
OTHERS = {'connections': 50, 'rate': 2000}
BEFORE_S = 2.0  # of requests by others before anything is revoked
AFTER_S = 0.3  # after the answer, in which the rest is said and closed toward the servers

class Admin(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, target):
        self.request(method, target)
        return json.loads(self.getresponse().read())


def revoke(admin, selector):
    """(when it was asked, when it was answered, how many it closed)"""
    began = time.monotonic_ns()
    answer = admin.ask('POST', f'/revocations?selector={selector}')
    return began, time.monotonic_ns(), answer['closed']


def others_words(port, client, folder, seconds):
    return ['--mode', 'open', '--rate', str(OTHERS['rate']), '--connections',
            str(OTHERS['connections']), '--seconds', str(seconds), '--connect',
            f'127.0.0.1:{port}', '--cert', client[0], '--key', client[1],
            '--times', f'{folder}/others.times']


def took(folder):
    """(when it was due, ns; how long it took, us) of each request of others."""
    with open(f'{folder}/others.times', encoding='ascii') as file:
        return [tuple(map(int, line.split())) for line in file]


def within(times, begin_ns, end_ns):
    return [us for due_ns, us in times if begin_ns <= due_ns < end_ns]


def share(times, part):
    return sorted(times)[int((len(times) - 1) * part)] if times else 0


def one_round(folder, certs, other, tools, handfast, backend, connections):
    port = proc.free_port()
    shutil.rmtree(f'{folder}/state', ignore_errors=True)
    os.mkdir(f'{folder}/state', mode=0o700)
    config = f'{folder}/revoke.yaml'
    with open(config, 'w', encoding='utf-8') as file:
        file.write(CONFIG.format(folder=folder, certs=certs, port=port, backend=backend))
    words = ['--mode', 'cut', '--connect', f'127.0.0.1:{port}', '--cert', certs.client_chain,
             '--key', certs.client_key, '--fleet', certs.issuing_key, '--seconds', '60',
             '--connections', str(connections), '--operations', str(connections)]
    with proc.Process('handfast', [handfast, 'run', '-c', config], folder) as daemon:
        proc.wait_for_port(daemon, port)
        admin = Admin(f'{folder}/admin.sock')
        with proc.Process('hfload', [tools['hfload'], *words], folder, talk=True) as load:
            load.read_line(120)
            load.say('go')
            load.read_line(10)
            serial = admin.ask('GET', '/sessions')['sessions'][-1]['serial']
            with proc.Process('hfreq', [tools['hfreq'], *others_words(port, other, folder, 4)],
                              folder, talk=True) as others:
                others.read_line(10)
                others.say('go')
                daemon.stays(BEFORE_S)
                one = revoke(admin, f'serial:{serial}')
                daemon.stays(0.3)
                rest = revoke(admin, 'issuer:CN=Bench%20issuing')
                load.read_line(60)
                others.read_line(30)
                load.say('read')
                found = json.loads(load.read_line(60))
    if one[2] != 1 or rest[2] != connections - 1 or found['told'] != connections:
        raise proc.Failed(f'closed {one[2]} and {rest[2]}, cut {found["cut"]} and told '
                          f'{found["told"]} of {connections}')
    ms = lambda ns: ns / 1e6
    times = took(folder)
    return {'one_ms': ms(found['first_ns'] - one[0]), 'one_answer_ms': ms(one[1] - one[0]),
            'half_ms': ms(found['middle_ns'] - rest[0]),
            'all_ms': ms(found['last_ns'] - rest[0]), 'all_answer_ms': ms(rest[1] - rest[0]),
            'before': within(times, one[0] - int(BEFORE_S * 1e9), one[0]),
            'cutting': within(times, rest[0], found['last_ns']),
            'meanwhile': within(times, rest[0], max(found['last_ns'], rest[1]) + int(AFTER_S * 1e9))}


def summary(runs):
    """{figure: median of all rounds; of requests, of all that came in all rounds}"""
    found = {name: statistics.median(one[name] for one in runs)
             for name in runs[0] if name.endswith('_ms')}
    pooled = {name: [us for one in runs for us in one[name]]
              for name in ('before', 'cutting', 'meanwhile')}
    found['others_p50_us'] = share(pooled['before'], 0.5)
    found['others_p99_us'] = share(pooled['before'], 0.99)
    found['cutting_p50_us'] = share(pooled['cutting'], 0.5)
    found['cutting_p99_us'] = share(pooled['cutting'], 0.99)
    found['meanwhile_p99_us'] = share(pooled['meanwhile'], 0.99)
    for name in ('cutting', 'meanwhile'):
        found[f'{name}_ratio'] = found[f'{name}_p99_us'] / max(1, found['others_p99_us'])
    found['others_requests'] = {name: len(times) for name, times in pooled.items()}
    return found


def measure(tools, handfast, connections, rounds):
    """{figure: median}"""
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as folder:
        os.chmod(folder, 0o755)
        certs = Certs(folder)
        other = certs.client_of_another()
        port = proc.free_port()
        with proc.Process('hfbackend', [tools['hfbackend'], f'127.0.0.1:{port}'], folder,
                          talk=True) as backend:
            backend.read_line(10)
            runs = [one_round(folder, certs, other, tools, handfast, port, connections)
                    for _ in range(rounds)]
    return {**summary(runs), 'connections': connections, 'rounds': rounds}


def table(found):
    print(f'\nrevoking among {found["connections"]} live sessions, each with a certificate of its '
          f'own;\n{OTHERS["connections"]} connections of another issuer meanwhile, '
          f'{OTHERS["rate"]} requests a second at random times')
    for name, (what, unit, bar) in FIGURES.items():
        bar_text = f'   (at most {bar})' if bar else ''
        print(f'  {what:42}{found[name]:10.2f} {unit}{bar_text}')
    print(f'  requests of others: {found["others_requests"]}')

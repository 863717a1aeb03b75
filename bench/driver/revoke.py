# SPDX-License-Identifier: Apache-2.0
"""From `handfast revoke` to the end of the last live session that it concerns."""

import http.client
import json
import os
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
    'all_ms': ('an issuer: last session closed', 'ms', 100),
    'all_answer_ms': ('an issuer: command answered', 'ms', None),
}


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


def one_round(folder, certs, tools, handfast, backend, connections):
    port = proc.free_port()
    os.makedirs(f'{folder}/state', mode=0o700, exist_ok=True)
    for left in os.listdir(f'{folder}/state'):
        os.unlink(f'{folder}/state/{left}')
    config = f'{folder}/revoke.yaml'
    with open(config, 'w', encoding='utf-8') as file:
        file.write(CONFIG.format(folder=folder, certs=certs, port=port, backend=backend))
    words = ['--mode', 'cut', '--connect', f'127.0.0.1:{port}', '--cert', certs.client_chain,
             '--key', certs.client_key, '--fleet', certs.issuing_key, '--seconds', '30']
    with proc.Process('handfast', [handfast, 'run', '-c', config], folder) as daemon:
        proc.wait_for_port(daemon, port)
        admin = Admin(f'{folder}/admin.sock')
        with proc.Process('hfload', [tools['hfload'], *words, '--connections', str(connections),
                                     '--operations', str(connections)], folder, talk=True) as load:
            load.read_line(120)
            load.say('go')
            load.read_line(10)
            serial = admin.ask('GET', '/sessions')['sessions'][-1]['serial']
            one = revoke(admin, f'serial:{serial}')
            rest = revoke(admin, 'issuer:CN=Bench%20issuing')
            found = json.loads(load.read_line(60))
    if one[2] != 1 or rest[2] != connections - 1 or found['cut'] != connections:
        raise proc.Failed(f'closed {one[2]} and {rest[2]}, cut {found["cut"]} of {connections}')
    ms = lambda ns: ns / 1e6
    return {'one_ms': ms(found['first_ns'] - one[0]), 'one_answer_ms': ms(one[1] - one[0]),
            'all_ms': ms(found['last_ns'] - rest[0]), 'all_answer_ms': ms(rest[1] - rest[0])}


def measure(tools, handfast, connections, rounds):
    """{figure: median}"""
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as folder:
        os.chmod(folder, 0o755)
        certs = Certs(folder)
        port = proc.free_port()
        with proc.Process('hfbackend', [tools['hfbackend'], f'127.0.0.1:{port}'], folder,
                          talk=True) as backend:
            backend.read_line(10)
            runs = [one_round(folder, certs, tools, handfast, port, connections)
                    for _ in range(rounds)]
    found = {name: statistics.median(one[name] for one in runs) for name in runs[0]}
    return {**found, 'connections': connections}


def table(found):
    print(f'\nrevoking among {found["connections"]} live sessions, each with a certificate of its own')
    for name, (what, unit, bar) in FIGURES.items():
        if name in found:
            bar_text = f'   (at most {bar})' if bar else ''
            print(f'  {what:36}{found[name]:10.2f} {unit}{bar_text}')

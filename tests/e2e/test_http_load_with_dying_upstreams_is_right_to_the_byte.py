# SPDX-License-Identifier: Apache-2.0
"""A thousand clients of both versions, bodies up to a gigabyte, upstreams that are killed and come back
all the while: every answer is right to the byte, nothing leaks, memory stays flat."""

import json
import os
import random
import subprocess
import threading

import pytest

from harness import backends, configs, node, waiting

FULL = bool(os.environ.get('HANDFAST_FULL'))
CONNECTIONS, SECONDS, BIG = (1000, 60, 1 << 30) if FULL else (100, 6, 32 << 20)

pytestmark = [pytest.mark.workers,
              pytest.mark.skipif(node.missing() is not None, reason=str(node.missing()))]


class Mortal:
    """A backend that is killed and started again until told to stay."""

    def __init__(self, port, kind, folder):
        self.port, self.kind, self.folder = port, kind, folder
        self.deaths = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(node.command('http_load_backend.js', self.port, self.kind),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        backends.wait_listening(self.port, self.process)

    def kill(self):
        self.process.kill()
        self.process.wait(waiting.SECONDS)

    def die_and_rise(self):
        self.kill()
        self.deaths += 1
        self.start()


@pytest.fixture
def mortals(ports, tmp_path):
    made = [Mortal(ports.take(), kind, tmp_path) for kind in ('http', 'http', 'http2', 'http2', 'http')]
    yield made
    for one in made:
        one.kill()


def reap(mortals, stop):
    """Kills one after the other, the last excepted."""
    chance = random.Random(7)
    while not stop.wait(0.3 + chance.random()):
        chance.choice(mortals[:-1]).die_and_rise()


def watch_memory(running, stop, samples):
    while not stop.wait(0.5):
        samples.append(running.memory_kib())


def test_load(handfast, pki, port, mortals):
    address = [f'127.0.0.1:{one.port}' for one in mortals]
    config = configs.http_side(pki, port, address[4], routes=[
        {'match': {'path': '/h1/'}, 'to': 'h1'}, {'match': {'path': '/h2c/'}, 'to': 'h2c'}, {'to': 'app'}])
    config['upstreams'].update({'h1': {'servers': address[:2]},
                                'h2c': {'servers': address[2:4], 'protocol': 'h2c'}})
    config['log'] = {'format': 'json', 'level': 'error', 'to': 'stderr'}
    # What the address sanitizer keeps of freed memory would hide what the daemon keeps itself.
    running = handfast(config, asan='quarantine_size_mb=4')
    stop, samples = threading.Event(), []
    threads = [threading.Thread(target=reap, args=(mortals, stop)),
               threading.Thread(target=watch_memory, args=(running, stop, samples))]
    for thread in threads:
        thread.start()
    try:
        load = subprocess.Popen(node.command('http_load.js', port, pki.servers.root.cert, pki.alice.chain,
                                             pki.alice.key, CONNECTIONS, SECONDS, BIG),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        waiting.until(lambda: sum(one.deaths for one in mortals) >= 3, 'the third death')
        out, err = load.communicate(timeout=SECONDS + 12 * waiting.SECONDS)
    finally:
        load.kill()
        stop.set()
        for thread in threads:
            thread.join()
    assert load.returncode == 0, err
    told = json.loads(out)
    assert told['wrong'] == [] and told['big'] == 4, told
    assert set(told['statuses']) <= {'200', '502', '503', '504'}, told
    quarter = len(samples) // 4
    early, late = max(samples[quarter:2 * quarter]), max(samples[3 * quarter:])
    assert late < 1.25 * early + 16 * 1024, f'memory grew from {early} to {late} KiB: {samples}'

# SPDX-License-Identifier: Apache-2.0
"""500 issues and revokes over each store, with kill -9 at any moment: what was answered is there, no
serial number comes twice, and the record is whole."""

import concurrent.futures
import json
import random
import signal
import subprocess

from harness import cas, daemon as daemons

N = 500
AT_ONCE = 4


def run_and_maybe_kill(chance, *words):
    """None when it was killed before its answer came; else what it answered."""
    process = subprocess.Popen([*map(str, [daemons.BINARY, 'ca', *words])], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    if chance.random() < 0.5:
        try:
            out, err = process.communicate(timeout=chance.uniform(0, 0.06))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            out, err = process.communicate()
            if process.returncode != 0:
                return None
    else:
        out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


class Worker:
    """Issues, and revokes half of what it issued; remembers what it was told."""

    def __init__(self, number, ca, folder):
        self.number, self.ca, self.folder = number, ca, folder
        self.chance = random.Random(number)
        self.issued, self.revoked, self.asked = {}, set(), set()

    def step(self, at):
        name = f'w{self.number}-{at}'
        if self.issued and self.chance.random() < 0.5:
            serial = self.chance.choice(sorted(self.issued))
            if serial in self.asked:
                return
            self.asked.add(serial)
            if run_and_maybe_kill(self.chance, 'revoke', *self.ca.where, serial, '--json'):
                self.revoked.add(serial)
            return
        told = run_and_maybe_kill(self.chance, 'issue', *self.ca.where, '--client', name, '--no-p12',
                                  '--out', self.folder / name, '--json')
        if told:
            assert told['serial'] not in self.issued
            self.issued[told['serial']] = name

    def work(self):
        for at in range(N // AT_ONCE):
            self.step(at)


def test_nothing_that_was_answered_is_lost(ca, tmp_path):
    workers = [Worker(number, ca, tmp_path) for number in range(AT_ONCE)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in [pool.submit(worker.work) for worker in workers]:
            ended.result()
    rows = ca.list()
    by_serial = {row['serial']: row for row in rows}
    assert len(by_serial) == len(rows), 'a serial number came twice'
    for worker in workers:
        assert worker.issued and worker.revoked
        for serial, name in worker.issued.items():
            assert by_serial[serial]['name'] == name
        for serial in worker.revoked:
            assert by_serial[serial]['status'] == 'revoked'
        for serial in set(worker.issued) - worker.asked:
            assert by_serial[serial]['status'] == 'good'
    verified = ca.json('audit verify')
    assert verified['whole'], verified
    for cert in tmp_path.glob('w*.pem'):  # whoever has a certificate is in the store
        assert cas.serial(cert) in by_serial

# SPDX-License-Identifier: Apache-2.0
"""A daemon with a CA is killed again and again while clients issue and revoke over its API. What was
answered is there afterwards, no serial number came twice, no CRL number came back."""

import concurrent.futures
import http.client
import os
import random
import threading

import pytest

from harness import canode, waiting

N = 500 if os.environ.get('HANDFAST_FULL') else 60
AT_ONCE = 4
BROKEN = (OSError, http.client.HTTPException)


class Worker:
    """Issues, and revokes about half of it; remembers what it was told, and what it only asked."""

    def __init__(self, number, loop):
        self.number, self.loop = number, loop
        self.chance = random.Random(number)
        self.client = loop.node.client(loop.site.ops)
        self.issued, self.revoked, self.asked = {}, set(), set()

    def revoke(self, serial):
        self.asked.add(serial)
        self.client.revoke(serial)
        self.revoked.add(serial)

    def issue(self, name):
        serial = self.client.issue(name)['serial']
        assert serial not in self.issued
        self.issued[serial] = name

    def work(self):
        for at in range(10 * N):
            if self.loop.enough():
                return
            left = sorted(set(self.issued) - self.asked)
            try:
                if left and self.chance.random() < 0.5:
                    self.revoke(self.chance.choice(left))
                else:
                    self.issue(f'w{self.number}-{at}')
                self.loop.answered()
            except BROKEN:
                self.loop.wait_up()
        raise AssertionError('it never came to its end')


class Loop:
    """Kills the node after a random number of answers, as long as the workers are at it."""

    def __init__(self, site, node):
        self.site, self.node = site, node
        self.chance = random.Random(4711)
        self.changed = threading.Condition()
        self.n, self.up, self.kills, self.numbers = 0, True, 0, []

    def enough(self):
        return self.n >= N and self.kills > 3

    def answered(self):
        with self.changed:
            self.n += 1
            self.changed.notify_all()

    def wait_up(self):
        with self.changed:
            assert self.changed.wait_for(lambda: self.up, waiting.SECONDS)

    def restart(self):
        with self.changed:
            self.up = False
        self.node.kill()
        self.node.start()
        with self.changed:
            self.up = True
            self.changed.notify_all()
        waiting.until(lambda: self.node.crl_number() is not None)
        self.numbers.append(self.node.crl_number())
        self.kills += 1

    def run(self):
        while not self.enough():
            until = self.n + self.chance.randrange(1, 16)
            with self.changed:
                assert self.changed.wait_for(lambda: self.n >= until or self.enough(), 3 * waiting.SECONDS)
            self.restart()


@pytest.fixture
def site(ca, tmp_path):
    return canode.Site(ca, tmp_path)


def test_what_was_answered_is_there_and_numbers_only_go_up(site, handfast, ports):
    loop = Loop(site, site.node(handfast, ports))
    workers = [Worker(number, loop) for number in range(AT_ONCE)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        at_work = [pool.submit(worker.work) for worker in workers]
        loop.run()
        for one in at_work:
            one.result()
    for worker in workers:
        worker.client.close()
    assert loop.numbers == sorted(set(loop.numbers)), 'a CRL number came back'
    rows = site.ca.list()
    by_serial = {row['serial']: row for row in rows}
    assert len(by_serial) == len(rows), 'a serial number came twice'
    for worker in workers:
        for serial, name in worker.issued.items():
            assert by_serial[serial]['name'] == name
        for serial in worker.revoked:
            assert by_serial[serial]['status'] == 'revoked'
        for serial in set(worker.issued) - worker.asked:
            assert by_serial[serial]['status'] == 'good'
    assert sum(len(worker.revoked) for worker in workers) > N // 8
    assert site.ca.json('audit verify')['whole']

# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL is lost in the very moment of a commit. Nobody can tell from the broken connection
whether it happened, so the store asks afterwards; what did happen is acknowledged and not done
twice, and what didn't is done."""

import pathlib
import signal
import subprocess
import threading

import pytest

from harness import daemon as daemons
from harness import pgdoor
from harness import postgres

DRIVER = pathlib.Path(daemons.BUILD, 'tests/unit/ca/store_driver')
N = 30


@pytest.fixture(scope='module')
def server():
    if not postgres.programs():
        pytest.skip('no PostgreSQL here')
    one = postgres.Server()
    yield one
    one.close()


@pytest.fixture
def door(server):
    one = pgdoor.Door(server)
    yield one
    one.close()


def before_it_happens(server, pair, message):
    """The connection breaks before the server has heard of it."""
    del server, message
    pair.close()


def after_it_happened(server, pair, message):
    """It happens, but the answer doesn't come back."""
    del server
    pair.client.shutdown(2)
    pair.server.sendall(message)


def with_a_crash(server, pair, message):
    """The server crashes with the transaction in its memory: all of it is forgotten, and its number
    will be another's."""
    del message
    server.stop(signal.SIGQUIT)
    pair.close()
    server.start()


def after_it_happened_and_a_crash(server, pair, message):
    pair.client.shutdown(2)
    pair.server.sendall(message)
    while pair.server.recv(65536):
        break
    server.stop(signal.SIGQUIT)
    server.start()


@pytest.mark.parametrize('fate', [before_it_happens, after_it_happened, with_a_crash,
                                  after_it_happened_and_a_crash])
def test_what_was_committed_is_found_out(server, door, fate):
    url = f'{door.url}&application_name=door'
    seen = []
    lock = threading.Lock()

    def on_commit(pair, message):
        with lock:
            seen.append(fate.__name__)
            mine = len(seen) in (8, 21)
        if mine:
            fate(server, pair, message)
        else:
            pair.server.sendall(message)

    door.on_commit = on_commit
    words = [DRIVER, 'work', url, '1', str(N), '60000']
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines(keepends=True)
    assert len(seen) > 21
    assert [line for line in lines if line.startswith('failed')] == []
    assert sum(line.startswith('issued') for line in lines) == N
    assert sum(line.startswith('revoked') for line in lines) == N
    numbers = [int(line.split()[1]) for line in lines if line.startswith('crl')]
    # A number that was taken and acknowledged is the next one: none was taken twice for nothing.
    assert numbers == list(range(numbers[0], numbers[0] + N // 5))
    door.on_commit = None
    checked = subprocess.run([DRIVER, 'check', url], input=ended.stdout, capture_output=True,
                             text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr

# SPDX-License-Identifier: Apache-2.0
"""The store of the CA under bad luck: killed in a loop, two nodes at once, a full disk, a database
that is restarted, gone or silent. What was acknowledged is there, no CRL number comes again, and the
audit chain is whole."""

import collections
import os
import pathlib
import random
import resource
import re
import signal
import subprocess

import pytest

from harness import daemon as daemons
from harness import postgres

DRIVER = pathlib.Path(daemons.BUILD, 'tests/unit/ca/store_driver')


@pytest.fixture
def server():
    if not postgres.programs():
        pytest.skip('no PostgreSQL here')
    one = postgres.Server()
    yield one
    one.close()


@pytest.fixture(params=['sqlite', 'postgres'])
def url(request, tmp_path):
    if request.param == 'sqlite':
        return f'sqlite:{tmp_path}/ca.db'
    return request.getfixturevalue('server').url


def work(url, threads, n, timeout_ms=None, **more):
    words = [DRIVER, 'work', url, str(threads), str(n)] + ([str(timeout_ms)] if timeout_ms else [])
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **more)


def check(url, lines):
    """Everything acknowledged is there; gives how many of each kind that was."""
    ended = subprocess.run([DRIVER, 'check', url], input=''.join(lines), capture_output=True,
                           text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    words = [line.split() for line in lines]
    kinds = collections.Counter(word[0] for word in words)
    numbers = [word[1] for word in words if word[0] == 'crl']
    assert len(numbers) == len(set(numbers)), 'a CRL number was given twice'
    return kinds


def test_nothing_is_lost_when_it_is_killed_in_a_loop(url):
    """500 acknowledged issues and revokes, and a kill -9 after every few of them."""
    random.seed(os.environ.get('PYTEST_SEED', '4711'))
    lines = []
    kills = 0
    while kills <= 5 or sum(line.startswith(('issued', 'revoked')) for line in lines) < 500:
        process = work(url, 4, 100000)
        for _ in range(random.randrange(1, 60)):
            lines.append(process.stdout.readline())
        process.kill()
        lines += [line for line in process.stdout.readlines() if line.endswith('\n')]
        process.wait()
        kills += 1
    kinds = check(url, lines)
    assert kinds['failed'] == 0


def test_two_nodes_at_once_share_a_store(url):
    nodes = [work(url, 4, 150) for _ in range(3)]
    lines = []
    for node in nodes:
        lines += node.communicate(timeout=120)[0].splitlines(keepends=True)
        assert node.returncode == 0
    kinds = check(url, lines)
    assert kinds['failed'] == 0
    assert kinds['issued'] == kinds['revoked'] == 450
    assert kinds['crl'] == 90


def test_a_full_disk_refuses_and_forgets_nothing(tmp_path):
    url = f'sqlite:{tmp_path}/ca.db'

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    first = work(url, 1, 5)
    lines = first.communicate(timeout=60)[0].splitlines(keepends=True)
    full = work(url, 4, 2000, preexec_fn=limit)
    lines += full.communicate(timeout=120)[0].splitlines(keepends=True)
    assert full.returncode == 0
    failures = [line for line in lines if line.startswith('failed')]
    assert failures
    assert all(line.startswith('failed io ') and 'ca.db: the disk' in line for line in failures), \
        failures[0]
    kinds = check(url, lines)
    assert kinds['issued'] > 5
    again = work(url, 1, 5)
    more = again.communicate(timeout=60)[0].splitlines(keepends=True)
    assert check(url, lines + more)['issued'] == kinds['issued'] + 5


def test_a_database_that_crashes_is_waited_for(server):
    """SIGQUIT is PostgreSQL's own crash: what it had acknowledged must be in its log."""
    # How long a server takes to come back is the machine's affair, not this test's.
    process = work(server.url, 4, 100000, timeout_ms=120_000)
    lines = []
    for _ in range(3):
        lines += [process.stdout.readline() for _ in range(60)]
        server.stop(signal.SIGQUIT)
        server.start()
    lines += [process.stdout.readline() for _ in range(60)]
    process.kill()
    lines += [line for line in process.stdout.readlines() if line.endswith('\n')]
    process.wait()
    kinds = check(server.url, lines)
    assert kinds['failed'] == 0
    assert kinds['revoked'] > 50


def test_a_database_that_is_down_is_told_in_time(server):
    process = work(server.url, 2, 100000, timeout_ms=5000)
    lines = [process.stdout.readline() for _ in range(20)]
    server.stop()
    while not lines[-1].startswith('failed'):
        lines.append(process.stdout.readline())
    process.kill()
    process.wait()
    # It may have been stopped in the midst of a commit; then that is said, too. The other
    # thread's write may have waited behind that one.
    assert re.match("failed (io|timeout .*: too slow: it waited for 5000 ms:) (the database was lost "
                    "while it committed, this may have been stored: )?the database can't be "
                    "reached: ", lines[-1])
    server.start()
    check(server.url, lines)
    server.stop()
    ended = subprocess.run([DRIVER, 'check', server.url], capture_output=True, text=True,
                           check=False, timeout=60)
    assert ended.returncode == 1
    assert 'the database can\'t be reached' in ended.stderr


def test_a_database_that_is_silent_is_given_up(server):
    process = work(server.url, 2, 100000, timeout_ms=5000)
    lines = [process.stdout.readline() for _ in range(20)]
    frozen = server.everybody()
    for one in frozen:
        os.kill(one, signal.SIGSTOP)
    try:
        while not lines[-1].startswith('failed'):
            lines.append(process.stdout.readline())
        assert 'has not answered for 5000 ms' in lines[-1] or 'too slow' in lines[-1]
    finally:
        for one in frozen:
            os.kill(one, signal.SIGCONT)
    process.kill()
    process.wait()
    check(server.url, lines)

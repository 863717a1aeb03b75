# SPDX-License-Identifier: Apache-2.0
"""The disk of the store is full. SQLite refuses; PostgreSQL refuses where its tables have no room, and
dies where its log has none. It is said what is wrong, nothing that was acknowledged is
lost, and work goes on when there is room again."""

import os
import pathlib
import subprocess

import pytest

from harness import daemon as daemons
from harness import postgres
from harness import smalldisk

DRIVER = pathlib.Path(daemons.BUILD, 'tests/unit/ca/store_driver').resolve()
MIB = 1 << 20
disk = smalldisk.fixture(48 * MIB)


@pytest.fixture
def server(disk):
    """Starts servers: server(log_there=False)."""
    if not postgres.programs():
        pytest.skip('no PostgreSQL here')
    running = []

    def start(**how):
        running.append(postgres.Server(disk, **how))
        return running[-1]

    yield start
    for one in running:
        one.close()


def work(url, threads, n, timeout_ms, within=()):
    return subprocess.Popen([*within, DRIVER, 'work', url, str(threads), str(n), str(timeout_ms)],
                            stdout=subprocess.PIPE, text=True)


def until_one_failed(process):
    lines = []
    while not (lines and lines[-1].startswith('failed')):
        lines.append(process.stdout.readline())
        assert lines[-1], 'it has ended'
    return lines


def until_one_is_issued(process):
    lines = []
    while not (lines and lines[-1].startswith('issued')):
        lines.append(process.stdout.readline())
        assert lines[-1], 'it has ended'
    return lines


def end(process):
    process.kill()
    lines = [line for line in process.stdout.readlines() if line.endswith('\n')]
    process.wait()
    return lines


def check(url, lines, within=()):
    numbers = [line.split()[1] for line in lines if line.startswith('crl')]
    assert len(numbers) == len(set(numbers)), 'a CRL number was given twice'
    ended = subprocess.run([*within, DRIVER, 'check', url], input=''.join(lines), capture_output=True,
                           text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr


def small_tablespace(server, disk):
    """A database whose tables are on the small disk, and whose log has room."""
    place = disk.seen_from_here / 'tables'
    place.mkdir()
    if server.user:
        os.chown(place, server.user['user'], server.user['group'])
    server.sql(f"create tablespace small location '{disk.path}/tables'")
    return server.database('tablespace small')


def test_no_room_for_tables_is_refused_until_there_is(server, disk, tmp_path):
    url = small_tablespace(server(), disk)
    ca = daemons.run('ca', 'init', '--store', url, '--name', 'Example')
    assert ca.returncode == 0, ca.stderr
    process = work(url, 4, 1_000_000, 10_000)
    lines = until_one_is_issued(process)
    disk.fill(left=2 * MIB)
    lines += until_one_failed(process)
    assert lines[-1].startswith("failed io the database's disk is full: could not extend file"), \
        lines[-1]
    refused = daemons.run('ca', 'issue', '--store', url, '--client', 'alice', '--out',
                          tmp_path / 'alice')
    assert refused.returncode == 1
    assert "the database's disk is full: " in refused.stderr
    assert list(tmp_path.glob('alice*')) == []
    disk.make_room()
    lines += until_one_is_issued(process)
    lines += end(process)
    good = daemons.run('ca', 'issue', '--store', url, '--client', 'alice', '--out',
                       tmp_path / 'alice')
    assert good.returncode == 0, good.stderr
    check(url, lines)


def test_no_room_for_its_log_is_waited_for(server, disk):
    """PostgreSQL gives up where it can't write its log. Who waits is told, in time, and served again
    when it is back."""
    server = server(log_there=True)
    url = server.database()
    process = work(url, 4, 1_000_000, 2_000)
    lines = until_one_is_issued(process)
    disk.fill()
    lines += until_one_failed(process)
    assert lines[-1].startswith(('failed io ', 'failed timeout ')), lines[-1]
    assert 'the database' in lines[-1]
    disk.make_room()
    server.stop()
    server.start()
    lines += until_one_is_issued(process)
    lines += end(process)
    check(url, lines)


def test_sqlite_refuses_until_there_is_room(disk):
    url = f'sqlite:{disk.path}/ca.db'
    process = work(url, 4, 1_000_000, 10_000, disk.within())
    lines = until_one_is_issued(process)
    disk.fill(left=64 << 10)
    lines += until_one_failed(process)
    assert lines[-1].startswith('failed io ')
    assert 'ca.db: the disk is full' in lines[-1]
    disk.make_room()
    lines += until_one_is_issued(process)
    lines += end(process)
    check(url, lines, disk.within())

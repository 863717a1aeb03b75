# SPDX-License-Identifier: Apache-2.0
"""A log that is full, blocked or gone must not hold up a connection; forms of the log."""

import os
import signal
import subprocess

import pytest

from harness import clients, configs, waiting


def log_to(path, **more):
    return {'format': 'json', 'level': 'debug', 'to': str(path), **more}


def serve_some(port, pki, n=20):
    for _ in range(n):
        with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
            clients.exchange(client)


def told(daemon, count):
    """What the daemon says of its log: lines are written by a thread of their own, in its time."""
    return daemon.admin('GET', '/status')[1]['log'][count]


def test_full_disk(handfast, pki, echo, port):
    """/dev/full refuses every write as a full disk does."""
    daemon = handfast(configs.server_side(pki, port, echo, log=log_to('/dev/full')))
    serve_some(port, pki)
    waiting.until(lambda: told(daemon, 'write_errors'))


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / 'disk'
    folder.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip('may not mount a small disk here')
    yield folder
    subprocess.run(['umount', '-l', folder], check=False)


def test_disk_that_fills_up_and_recovers(handfast, pki, echo, port, tiny_disk):
    path = tiny_disk / 'handfast.log'
    filler = tiny_disk / 'filler'
    filler.write_bytes(b'x' * 40_000)
    daemon = handfast(configs.server_side(pki, port, echo, log=log_to(path)))
    waiting.until(lambda: serve_some(port, pki, 5) or told(daemon, 'write_errors'), 'the full disk')
    filler.unlink()
    before = path.stat().st_size
    serve_some(port, pki, 5)
    daemon.stop()
    assert path.stat().st_size > before
    assert b'"event":"stopped"' in path.read_bytes()


def test_reader_that_does_not_read(handfast, pki, echo, port, herd):
    """stderr is a pipe that nobody empties: lines are dropped and counted, work goes on."""
    reading, writing = os.pipe()
    daemon = handfast(configs.server_side(pki, port, echo), stderr=writing)
    os.close(writing)
    words = [herd, 'clients', '--port', str(port), '--roots', pki.servers.root.cert, '--cert', pki.alice.chain,
             '--key', pki.alice.key, '--n', '300', '--at-once', '20']
    waiting.until(lambda: subprocess.run(words, check=True, capture_output=True) and told(daemon, 'dropped'),
                  'the full log')
    serve_some(port, pki, 5)
    os.close(reading)


def test_log_is_reopened_for_rotation(handfast, pki, echo, port, tmp_path):
    path = tmp_path / 'handfast.log'
    daemon = handfast(configs.server_side(pki, port, echo, log=log_to(path)))
    serve_some(port, pki, 1)
    path.rename(tmp_path / 'handfast.log.1')
    daemon.process.send_signal(signal.SIGUSR1)
    waiting.until(path.exists, 'the new file')
    serve_some(port, pki, 1)
    daemon.stop()
    old, new = (tmp_path / 'handfast.log.1').read_bytes(), path.read_bytes()
    assert b'"event":"stopped"' in new
    assert (old + new).count(b'"event":"handshake"') == 2, 'a line was lost in between'


def test_text_form(handfast, pki, echo, port, tmp_path):
    path = tmp_path / 'handfast.log'
    daemon = handfast(configs.server_side(pki, port, echo, log=log_to(path, format='text')))
    serve_some(port, pki, 1)
    clients.refusal(port, pki.servers.root.cert, pki.stranger)
    daemon.stop()
    lines = path.read_text().splitlines()
    accepted = next(line for line in lines if ' handshake ' in line and 'accepted' in line)
    assert 'identity=spiffe://example.org/alice' in accepted
    refused = next(line for line in lines if 'reason=unknown-ca' in line)
    assert ' warn ' in refused

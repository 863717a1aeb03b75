# SPDX-License-Identifier: Apache-2.0
"""A revocation list of absurd size: from a file it is read within the limits (twelve million entries,
512 MiB); from a URL it is cut off at `max-size`, and what was in force stays so."""

import os
import pathlib
import subprocess

import pytest

from harness import clients, configs, daemon as daemons, publisher, revocation

MILLION = 1000000


@pytest.fixture(scope='module')
def hfcrl():
    path = pathlib.Path(daemons.BUILD) / 'bench/hfcrl'
    if not path.exists():
        subprocess.run(['ninja', '-C', daemons.BUILD, 'bench/hfcrl'], check=True, capture_output=True)
    return path


def made(hfcrl, folder, entries):
    subprocess.run([hfcrl, 'make', str(entries), folder / 'big.crl', folder / 'ca.pem'], check=True,
                   capture_output=True)
    return folder / 'big.crl'


def test_a_list_from_a_url_is_cut_off_at_its_limit(handfast, pki, echo, port, ports, tmp_path, hfcrl):
    """Never more of it is in memory than is kept."""
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    big = made(hfcrl, tmp_path, MILLION).read_bytes()
    site = publisher.Publisher(ports.take(), {'/big.crl': big})
    (tmp_path / 'state').mkdir(mode=0o700)
    config = configs.server_side(pki, port, echo, state=str(tmp_path / 'state'))
    config['trust']['clients']['crl'] = {'files': [str(lists.path)], 'urls': [site.url('/big.crl')],
                                         'max-size': '10MiB'}
    daemon = handfast(config)
    try:
        line = daemon.log.wait(url=site.url('/big.crl'))
        assert f'larger than {10 << 20} bytes' in line['text']
        with clients.connect(port, pki.servers.root.cert, pki.alice) as alice:
            clients.exchange(alice)
        assert not list((tmp_path / 'state' / 'crls').iterdir())
    finally:
        site.close()


@pytest.mark.skipif('HANDFAST_FULL' not in os.environ, reason='half a minute and 400 MB; script/test --full')
@pytest.mark.parametrize('millions, taken', [(10, True), (13, False)])
def test_a_file_of_millions_is_taken_or_refused_whole(handfast, pki, echo, port, tmp_path, hfcrl, millions, taken):
    lists = revocation.Lists(tmp_path / 'clients.crl', pki.clients)
    big = made(hfcrl, tmp_path, millions * MILLION)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients']['crl'] = {'files': [str(lists.path), str(big)]}
    path = tmp_path / 'handfast.yaml'
    path.write_text(daemons.yaml.dump(config, Dumper=daemons.PlainDumper))
    run = daemons.run('check', '-c', path, seconds=300)
    assert (run.returncode == 0) == taken, run.stdout
    if not taken:
        assert 'more than 12000000 serial numbers' in run.stdout

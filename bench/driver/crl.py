# SPDX-License-Identifier: Apache-2.0
"""Big revocation lists: our reader beside libcrypto's X509_CRL, each in processes of its own, and
beside nginx with the same list in ssl_crl."""

import base64
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from . import proc

FIGURES = {
    'load_s': ('load, signature checked', 's of CPU'),
    'grown_kib': ('memory it takes', 'KiB'),
    'peak_kib': ('memory at the worst moment', 'KiB'),
    'lookup_ns': ('lookup, each after the last', 'ns'),
    'present_ns': ('  of serials on the list', 'ns'),
    'absent_ns': ('  of others', 'ns'),
    'reloaded_kib': ('memory after ten reloads', 'KiB'),
}

# nginx checks no signature before the first handshake; its list is of the master and of each worker.
NGINX = '''
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/nginx.err warn;
events {{ worker_connections 64; }}
http {{ access_log off; server {{ listen 127.0.0.1:{port} ssl;
  ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
  ssl_verify_client on; ssl_client_certificate {folder}/ca.pem; {crl} }} }}
'''
PATIENCE_S = 60


def hfcrl(tool, *words):
    made = subprocess.run([tool, *map(str, words)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise proc.Failed(made.stderr.strip())
    return json.loads(made.stdout) if made.stdout else None


def to_pem(der, pem):
    text = base64.encodebytes(pathlib.Path(der).read_bytes())
    pathlib.Path(pem).write_bytes(b'-----BEGIN X509 CRL-----\n' + text + b'-----END X509 CRL-----\n')


def workers(pid):
    return set(proc.descendants(pid)[1:])


def reload(server):
    """(seconds until only new workers are there, KiB at the worst moment)"""
    old, began, peak = workers(server.pid), time.monotonic(), 0
    os.kill(server.pid, signal.SIGHUP)
    while time.monotonic() - began < PATIENCE_S:
        peak = max(peak, proc.memory_kib(server.pid))
        now = workers(server.pid)
        if now and not now & old:
            return time.monotonic() - began, peak
        server.stays(0.02)
    raise proc.Failed(f'nginx did not reload within {PATIENCE_S} s')


def run_nginx(folder, crl, reloads):
    port = proc.free_port()
    config = pathlib.Path(folder, 'nginx.conf')
    config.write_text(NGINX.format(folder=folder, port=port, crl=crl))
    with proc.Process('nginx', ['nginx', '-c', str(config)], folder) as server:
        proc.wait_for_port(server, port, PATIENCE_S)
        found = {'cpu_s': proc.cpu_seconds(server.pid), 'kib': proc.memory_kib(server.pid)}
        took = [reload(server) for _ in range(reloads)]
        found['reloaded_kib'] = proc.memory_kib(server.pid)
    if took:
        found['reload_s'] = statistics.median(seconds for seconds, _ in took)
        found['peak_kib'] = max(kib for _, kib in took)
    return found


def nginx(folder):
    """What the list adds to nginx; None where it isn't installed."""
    if not shutil.which('nginx'):
        return None
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{folder}/server.key', '-out',
                    f'{folder}/server.pem', '-subj', '/CN=bench.example'], check=True,
                   capture_output=True)
    to_pem(f'{folder}/list.crl', f'{folder}/list.pem')
    without = run_nginx(folder, '', 0)
    found = run_nginx(folder, f'ssl_crl {folder}/list.pem;', 3)
    return {'load_s': found['cpu_s'] - without['cpu_s'], 'grown_kib': found['kib'] - without['kib'],
            'peak_kib': found['peak_kib'] - without['kib'], 'reload_s': found['reload_s'],
            'reloaded_kib': found['reloaded_kib'] - without['kib']}


def compare(tool, entries, rounds):
    """{reader: {figure: median}} of one list of random 128-bit serials."""
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as folder:
        files = (f'{folder}/list.crl', f'{folder}/ca.pem')
        hfcrl(tool, 'make', entries, *files)
        runs = {'native': [], 'openssl': []}
        for _ in range(rounds):
            for reader, found in runs.items():
                found.append(hfcrl(tool, reader, *files))
        other = nginx(folder)
    result = {reader: {name: statistics.median(one[name] for one in found) for name in FIGURES}
              for reader, found in runs.items()}
    return {**result, 'nginx': other} if other else result


def table(found):
    print(f'\nrevocation lists{"":14}{"native":>12}{"openssl":>12}   unit        ratio')
    for name, (what, unit) in FIGURES.items():
        ours, theirs = found['native'][name], found['openssl'][name]
        print(f'  {what:28}{ours:12.2f}{theirs:12.2f}   {unit:10}{ours / theirs:7.2f}')
    if 'nginx' in found:
        print('\nnginx with the same list in ssl_crl, two workers: what it adds')
        print(f'  start {found["nginx"]["load_s"]:.2f} s of CPU, reload '
              f'{found["nginx"]["reload_s"]:.2f} s; {found["nginx"]["grown_kib"]} KiB, '
              f'{found["nginx"]["peak_kib"]} at the worst moment of three reloads, '
              f'{found["nginx"]["reloaded_kib"]} after them')

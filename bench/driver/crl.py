# SPDX-License-Identifier: Apache-2.0
"""Big revocation lists: our reader beside libcrypto's X509_CRL, each in processes of its own."""

import json
import statistics
import subprocess
import tempfile

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


def hfcrl(tool, *words):
    made = subprocess.run([tool, *map(str, words)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise proc.Failed(made.stderr.strip())
    return json.loads(made.stdout) if made.stdout else None


def compare(tool, entries, rounds):
    """{reader: {figure: median}} of one list of random 128-bit serials."""
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as folder:
        files = (f'{folder}/list.crl', f'{folder}/ca.pem')
        hfcrl(tool, 'make', entries, *files)
        runs = {'native': [], 'openssl': []}
        for _ in range(rounds):
            for reader, found in runs.items():
                found.append(hfcrl(tool, reader, *files))
    return {reader: {name: statistics.median(one[name] for one in found) for name in FIGURES}
            for reader, found in runs.items()}


def table(found):
    print(f'\nrevocation lists{"":14}{"native":>12}{"openssl":>12}   unit        ratio')
    for name, (what, unit) in FIGURES.items():
        ours, theirs = found['native'][name], found['openssl'][name]
        print(f'  {what:28}{ours:12.2f}{theirs:12.2f}   {unit:10}{ours / theirs:7.2f}')

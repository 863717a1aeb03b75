# SPDX-License-Identifier: Apache-2.0
"""The command line of script/bench, and the table."""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

from . import ca, ca_issue, crl, machine, proc, revoke
from .certs import Certs
from .measure import LOADS, MEMORY, Bench, measure
from .peers import PEERS, Handfast

TOP = pathlib.Path(__file__).resolve().parents[2]
MODES = {'handshake': ['handshake'], 'resume': ['resume'], 'requests': ['requests'],
         'bulk': ['down', 'up'], 'idle': ['idle'], 'fleet': ['fleet'], 'scale': [], 'crl': [],
         'revoke': [], 'ca': []}
# With --http or --h2: requests are understood, and how long they take is measured too.
HTTP_MODES = {'requests': ['{}', '{}-p99'], 'idle': ['{}-idle']}
HTTP_PEERS = ['handfast-http', 'nginx-http', 'haproxy-http']
IN_MEMORY = ('handshake', 'resume', 'bulk', 'scale')
REVOKE_CONNECTIONS = 8900  # a TCP session has two descriptors, of 20000
TOOLS = ('hfload', 'hfreq', 'hfbackend', 'hfmem', 'hfcrl', 'hfstore', 'hfrevoked')

DESCRIPTION = '''
Measures the server's CPU time per operation (idle: its memory per connection) of Handfast and of
other proxies, each as one worker before the same plain backend, over loopback, with TLS 1.3, P-256
certificates and a client certificate required. It reports; it gates nothing.
'''

EPILOG = '''
modes:
  handshake  a full handshake, one small request, the end of the connection
  resume     the same with a session ticket
  requests   one small request and answer on a kept connection
  bulk       bodies of 64 MiB toward the client (down) and from it (up)
  revoke     milliseconds from `revoke` to the end of the sessions that it concerns, and how long
             requests of others take meanwhile
  idle       KiB of process memory that one more open connection holds
  scale      with --memory: CPU per handshake of two threads on one context beside that of one
  fleet      the same, where each client has a certificate of its own
  crl        loading, holding and asking a revocation list, beside libcrypto's X509_CRL; nginx with it
  ca         what certificates, revocations, lists and OCSP answers cost a CA, beside cfssl,
             `openssl ca` and `openssl ocsp`; --entries are revoked before, which takes its time

With --http or --h2, requests and idle are about proxies that understand HTTP/1.1 or HTTP/2, and
requests also measures how long one takes (99 of 100 at most) at a rate that is 70% of what the
proxy's cost would let one core do.

examples:
  script/bench handshake
  script/bench bulk --peers nginx,haproxy --seconds 5 --json
  script/bench handshake --memory
  script/bench handshake --peers handfast-listed,nginx,nginx-listed
  script/bench requests --h2
'''


def parse(words):
    parser = argparse.ArgumentParser(
        prog='script/bench', description=DESCRIPTION, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('mode', choices=MODES)
    parser.add_argument('--peers', metavar='LIST',
                        help='of ' + ', '.join(name for name in PEERS if name != 'handfast') +
                             ', or none (default: nginx,haproxy,hitch,stunnel; with --http and '
                             '--h2: nginx-http,haproxy-http)')
    parser.add_argument('--http', action='store_true',
                        help='requests and idle: through proxies that understand HTTP/1.1')
    parser.add_argument('--h2', action='store_true', help='the same over HTTP/2')
    parser.add_argument('--seconds', type=int, default=4, metavar='N',
                        help='of each measure, 1 to 60 (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=3, metavar='N',
                        help='measures of each; the median counts (default: %(default)s; of memory: 1)')
    parser.add_argument('--connections', type=int, metavar='N',
                        help='at a time, up to 20000 (default: 16; bulk 4; idle 2000, fleet 6000)')
    parser.add_argument('--memory', action='store_true',
                        help='both ends in one process, no sockets: the TLS engines alone, beside '
                             'the public-key operations that they consist of')
    parser.add_argument('--entries', type=int, default=1000000, metavar='N',
                        help='of the list: crl, and peers whose name ends in -listed; up to 10000000 '
                             '(default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='JSON on standard output, no table')
    parser.add_argument('--build', metavar='DIR',
                        help='use this build folder as it is (default: build ./build-release)')
    options = parser.parse_args(words)
    if not 1 <= options.seconds <= 60 or not 1 <= options.rounds <= 20:
        parser.error('--seconds is 1 to 60, --rounds 1 to 20')
    if options.connections is not None and not 1 <= options.connections <= 20000:
        parser.error('--connections is 1 to 20000')
    if not 1 <= options.entries <= 10000000:
        parser.error('--entries is 1 to 10000000')
    options.version = 'h2' if options.h2 else 'http' if options.http else None
    if options.version and (options.mode not in HTTP_MODES or options.memory):
        parser.error('--http and --h2 go with requests and idle')
    if options.peers is None:
        options.peers = ','.join(HTTP_PEERS) if options.version else 'nginx,haproxy,hitch,stunnel'
    names = [name for name in options.peers.split(',') if name not in ('', 'none')]
    for name in names:
        if name not in PEERS:
            parser.error(f'no such peer: {name}')
        if options.version and not PEERS[name].is_http:
            parser.error(f'{name} passes bytes on and understands no requests')
    ours = 'handfast-http' if options.version else 'handfast'
    options.names = [ours] + [name for name in names if name != ours]
    return options


def loads_of(options):
    if options.version:
        return [name.format(options.version) for name in HTTP_MODES[options.mode]]
    return MODES[options.mode]


def note(text):
    print(text, file=sys.stderr, flush=True)


def build(folder):
    """The folder with our programs in it, built unless one is given."""
    if folder:
        return pathlib.Path(folder).resolve()
    made = subprocess.run([TOP / 'script/build', 'release'], check=False)
    if made.returncode:
        raise proc.Failed('the release build failed: see the lines above')
    return TOP / 'build-release'


def tools_in(folder):
    tools = {name: str(folder / 'bench' / name) for name in TOOLS}
    for path in tools.values():
        if not os.path.exists(path):
            raise proc.Failed(f'{path} is not there: build it with ninja -C {folder}')
    return tools


def find_handfast(folder):
    found = [path for path in folder.glob('src/**/handfast') if path.is_file()]
    return str(found[0] if found else folder / 'src/cli/handfast')


def allow_descriptors(connections):
    """A proxy holds two for each connection."""
    want = 2 * connections + 2048
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= want:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, max(hard, want)))
    except (ValueError, PermissionError):
        raise proc.Failed(f'{connections} connections need {want} descriptors, the limit is {hard}: '
                          'raise it (ulimit -Hn) or ask for fewer (--connections)') from None


def usable(names, folder):
    """Peers that can run; the others are told about."""
    peers = []
    for name in names:
        ours = issubclass(PEERS[name], Handfast)
        peer = PEERS[name](find_handfast(folder)) if ours else PEERS[name]()
        why = peer.missing()
        if why:
            note(f'skipped: {why}')
        else:
            peers.append(peer)
    if not peers:
        raise proc.Failed('nothing to measure')
    return peers


def one_load(bench, peers, load, options, costs):
    """All peers in turn, as many rounds as asked for, so that all share the machine's moods. costs:
    of a request, by peer."""
    connections = options.connections or LOADS[load]['connections']
    rounds = 1 if load in MEMORY else options.rounds
    results = {peer.name: [] for peer in peers}
    for number in range(rounds):
        for peer in peers:
            if load.endswith('p99') and peer.name not in costs:
                continue
            note(f'{load}: {peer.name}, round {number + 1} of {rounds}')
            try:
                results[peer.name].append(measure(bench, peer, load, connections, options.seconds,
                                                  costs.get(peer.name)))
            except proc.Failed as error:
                note(f'failed: {peer.name}: {error}')
    return [summary(peer, load, results[peer.name]) for peer in peers if results[peer.name]]


def summary(peer, load, rounds):
    values = [each['value'] for each in rounds if each['value'] is not None]
    return {
        'peer': peer.name, 'version': peer.version(), 'load': load, 'unit': LOADS[load]['unit'],
        'value': round(statistics.median(values), 3) if values else None,
        'lowest': round(min(values), 3) if values else None,
        'highest': round(max(values), 3) if values else None,
        'rounds': rounds,
    }


def add_ratios(rows):
    """How many times Handfast's cost; where it wasn't measured, the lowest one's."""
    for load in {row['load'] for row in rows}:
        same = [row for row in rows if row['load'] == load and row['value']]
        ours = [row['value'] for row in same if row['peer'] in ('handfast', 'handfast-http')]
        base = ours[0] if ours else min((row['value'] for row in same), default=None)
        for row in same:
            row['ratio'] = round(row['value'] / base, 2)


def table(rows):
    versions = {row['peer']: row['version'] for row in rows}
    print('\n'.join(f'{name}: {version}' for name, version in versions.items()))
    for load in dict.fromkeys(row['load'] for row in rows):
        print(f'\n{load}')
        print(f'  {"":14}{"value":>12}  {"unit":16}{"ratio":>6}   {"lowest":>10} {"highest":>10}'
              f'   {"operations":>10} {"resumed":>8}')
        for row in rows:
            if row['load'] == load and row['value'] is not None:
                done = sum(each['operations'] for each in row['rounds'])
                resumed = sum(each['resumed'] for each in row['rounds'])
                print(f'  {row["peer"]:14}{row["value"]:12.2f}  {row["unit"]:16}'
                      f'{row["ratio"]:6.2f}   {row["lowest"]:10.2f} {row["highest"]:10.2f}'
                      f'   {done:10} {resumed:8}')


def show_machine(about):
    print(f'{about["cpu"]}, {about["cores"]} cores; {about["system"]}, Linux {about["kernel"]}; '
          f'{about["openssl"]}; load {about["load_before"]} before')


def against_peers(options, folder):
    peers = usable(options.names, folder)
    loads = loads_of(options)
    most = max(options.connections or LOADS[load]['connections'] for load in loads)
    allow_descriptors(most)
    rows, costs = [], {}
    tools = tools_in(folder)
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as temporary:
        os.chmod(temporary, 0o755)
        port = proc.free_port()
        with proc.Process('hfbackend', [tools['hfbackend'], f'127.0.0.1:{port}'], temporary,
                          talk=True) as backend:
            backend.read_line(10)
            bench = Bench(temporary, Certs(temporary), tools, port)
            if any(peer.has_lists for peer in peers):
                bench.certs.make_lists(tools['hfcrl'], options.entries)
            for load in loads:
                found = one_load(bench, peers, load, options, costs)
                costs = {row['peer']: row['value'] for row in found if row['value']}
                rows += found
    add_ratios(rows)
    return rows


def in_memory(options, folder):
    """The engines alone; hfmem prints JSON."""
    if options.mode not in IN_MEMORY:
        raise proc.Failed('--memory goes with ' + ', '.join(IN_MEMORY))
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as temporary:
        certs = Certs(temporary)
        made = subprocess.run(
            [tools_in(folder)['hfmem'], options.mode, str(options.seconds), certs.server_chain,
             certs.server_key, certs.client_chain, certs.client_key],
            capture_output=True, text=True, check=False)
    if made.returncode:
        raise proc.Failed(made.stderr.strip())
    return json.loads(made.stdout)


def scale_table(rows):
    for row in rows:
        print(f'  {row["threads"]} threads {row["value"]:26.1f} us/handshake (median), '
              f'{row["operations"]} handshakes, {row["waits"]} waits: '
              f'{row["value"] / rows[0]["value"]:.3f} times one thread')


def memory_table(found):
    print(f'\n{found["mode"]}, both ends in one process, server CPU only')
    for name, value in found['primitives'].items():
        print(f'  {name:26}{value:10.1f} us')
    if found['mode'] == 'scale':
        scale_table(found['engines'])
        return
    for row in found['engines']:
        print(f'  {row["engine"]:26}{row["value"]:10.1f} {row["unit"]} (median), {row["low"]:.1f} '
              f'(lowest tenth): {row["ratio"]:.2f} times the primitives')


def ca_tables(found):
    ca_issue.table(found['issuing'])
    ca_issue.table(found['among'], f'among {found["telling"]["entries"]} that are revoked')
    ca.table(found['telling'])


def run(options):
    folder = build(options.build)
    options.memory = options.memory or options.mode == 'scale'
    about = machine.describe()
    if options.mode == 'crl':
        result = crl.compare(tools_in(folder)['hfcrl'], options.entries, options.rounds)
        show = crl.table
    elif options.mode == 'ca':
        tools, handfast = tools_in(folder), find_handfast(folder)
        result = {'issuing': ca_issue.measure(tools, handfast, options.seconds, options.rounds),
                  'among': ca_issue.measure_among(tools, handfast, options.entries, options.seconds,
                                                  options.rounds),
                  'telling': ca.compare(tools, handfast, options.entries)}
        show = ca_tables
    elif options.mode == 'revoke':
        connections = options.connections or REVOKE_CONNECTIONS
        allow_descriptors(connections)
        result = revoke.measure(tools_in(folder), find_handfast(folder), connections,
                                options.rounds)
        show = revoke.table
    elif options.memory:
        found = in_memory(options, folder)
        show, result = memory_table, found
    else:
        rows = against_peers(options, folder)
        show, result = table, rows
    if options.json:
        json.dump({'machine': about, 'mode': options.mode, 'memory': options.memory,
                   'results': result}, sys.stdout, indent=2)
        print()
    else:
        show_machine(about)
        show(result)
    return 0 if result else 1


def main(words):
    options = parse(words)
    try:
        return run(options)
    except proc.Failed as error:
        note(f'error: {error}')
        return 1
    except KeyboardInterrupt:
        return 130

# SPDX-License-Identifier: Apache-2.0
"""A CA at work: what a certificate, a revocation and an OCSP answer cost the server's processor, beside
cfssl and `openssl ca`, which do less: neither writes an audit record, nor lints what it signs."""

import contextlib
import http.client
import json
import pathlib
import resource
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

from . import proc

CONNECTIONS = 16
OPENSSL_RUNS = 60
KEYS = 300
PROFILE = 'name: bench\nextends: service\nask: ["cn:bench"]\napproval: none\n'
CONFIG = '''
log: {{format: json, level: error, to: stderr}}
workers: 1
ca:
  main: {{store: {folder}/ca, rights: {{read: ["cn:bench"], revoke: ["cn:bench"]}}}}
identities:
  web: {{cert: {folder}/server.pem, key: {folder}/server.key}}
trust:
  ours: {{roots: {folder}/ca/root.pem}}
listeners:
  api:
    listen: ["127.0.0.1:{port}"]
    identities: [web]
    client: require
    trust: ours
    mode: http
    access-log: {{format: "off"}}
    http: {{keep-alive-timeout: 1h}}
    routes:
      - match: {{path: /ca/}}
        allow: ["cn:bench"]
        service: main/api
  public:
    listen: ["127.0.0.1:{public}"]
    plain: true
    mode: http
    access-log: {{format: "off"}}
    routes:
      - match: {{path: /pki/}}
        service: main/public
'''
SIGN = json.dumps({'signing': {'default': {
    'expiry': '720h', 'usages': ['digital signature', 'client auth', 'server auth']}}})


def run(*words, **more):
    made = subprocess.run([str(word) for word in words], capture_output=True, check=False, **more)
    if made.returncode:
        raise proc.Failed(f'{words[0]} {words[1]}: {made.stderr.decode(errors="replace").strip()}')
    return made.stdout


def requests_file(path, requests):
    path.write_bytes(b''.join(b'%d\n%s' % (len(one), one) for one in requests))
    return path


def post(path, body, host='server.example', kind='application/json'):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (f'POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


class Ours:
    """Handfast with a CA in SQLite, and a client that may ask it."""

    name = 'handfast'

    def __init__(self, handfast, tools, folder, revoked=0):
        """revoked: so many certificates, all revoked, are in the store before it is served."""
        self.handfast, self.tools, self.folder = handfast, tools, folder
        self.port, self.public = proc.free_port(), proc.free_port()
        self.cli('init', '--name', 'Bench')
        for verb in ('fill', 'revoke') if revoked else ():
            run(tools['hfstore'], verb, f'sqlite:{folder}/ca/ca.db', revoked)
        (folder / 'bench.yaml').write_text(PROFILE)
        self.cli('profile put', folder / 'bench.yaml')
        self.cli('issue', '--server', 'server.example', '--no-p12', '--out', folder / 'server')
        self.cli('issue', '--client', 'bench', '--no-p12', '--out', folder / 'client')
        (folder / 'handfast.yaml').write_text(
            CONFIG.format(folder=folder, port=self.port, public=self.public))
        self.process = proc.Process('handfast', [handfast, 'run', '-c', folder / 'handfast.yaml'],
                                    folder)
        proc.wait_for_port(self.process, self.port)
        proc.wait_for_port(self.process, self.public)

    def cli(self, verb, *words):
        return run(self.handfast, 'ca', *verb.split(), '--dir', self.folder / 'ca', *words)

    def load(self, requests, seconds, once=False):
        """(operations, CPU seconds of the daemon) of whole requests over mutual TLS."""
        path = requests_file(self.folder / 'requests', requests)
        words = ['--mode', 'closed', '--connect', f'127.0.0.1:{self.port}', '--cert',
                 self.folder / 'client.pem', '--key', self.folder / 'client.key', '--sni',
                 'server.example', '--connections', CONNECTIONS, '--seconds', seconds, '--requests',
                 path, *(['--once'] if once else [])]
        with proc.Process('hfreq', [self.tools['hfreq'], *map(str, words)], self.folder,
                          talk=True) as client:
            client.read_line(60)
            before = proc.cpu_seconds(self.process.pid)
            client.say('go')
            report = json.loads(client.read_line(seconds + 30))
            return report['operations'], proc.cpu_seconds(self.process.pid) - before

    def issue(self, csrs, seconds):
        return self.load([post('/ca/v1/sign', {'profile': 'bench', 'csr': csr}) for csr in csrs],
                         seconds)

    def serials(self, n):
        """Of certificates that can be revoked, by pages; the time of a page, too."""
        found, cursor, pages = [], '', []
        context = ssl.create_default_context(cafile=self.folder / 'ca/root.pem')
        context.load_cert_chain(self.folder / 'client.pem', self.folder / 'client.key')
        context.check_hostname = False
        with contextlib.closing(http.client.HTTPSConnection('127.0.0.1', self.port,
                                                            context=context)) as client:
            client.connect()
            while len(found) < n:
                began = time.monotonic()
                client.request('GET', '/ca/v1/certificates?profile=bench&valid=true&limit=100'
                               + (f'&cursor={urllib.parse.quote(cursor, safe="")}' if cursor else ''))
                answer = json.loads(client.getresponse().read())
                pages.append(time.monotonic() - began)
                if 'certificates' not in answer:
                    raise proc.Failed(f'handfast: {answer}')
                found += [one['serial'] for one in answer['certificates']]
                cursor = answer.get('next')
                if not cursor:
                    break
        return found[:n], pages

    def revoke(self, serials, seconds):
        return self.load([post(f'/ca/v1/certificates/{serial}/revoke', {'reason': 'superseded'})
                          for serial in serials], seconds, once=True)

    def settle(self):
        """Until it does nothing: lists are made when certificates were revoked."""
        before = -1
        while proc.cpu_seconds(self.process.pid) - before > 0.03:
            before = proc.cpu_seconds(self.process.pid)
            self.process.stays(1)

    def memory_kib(self):
        return proc.memory_kib(self.process.pid)

    def end(self):
        self.process.end()


class Cfssl:
    """Its server signs over plain HTTP, and writes nothing down (`serve` without a database)."""

    name = 'cfssl'

    def __init__(self, folder):
        self.folder, self.port = folder, proc.free_port()
        key = json.dumps({'CN': 'Bench', 'key': {'algo': 'ecdsa', 'size': 256}})
        made = json.loads(run('cfssl', 'genkey', '-initca', '-', input=key.encode()))
        (folder / 'ca.pem').write_text(made['cert'])
        (folder / 'ca.key').write_text(made['key'])
        (folder / 'config.json').write_text(SIGN)
        self.process = proc.Process('cfssl', [
            'cfssl', 'serve', '-address', '127.0.0.1', '-port', str(self.port), '-ca',
            folder / 'ca.pem', '-ca-key', folder / 'ca.key', '-config', folder / 'config.json',
            '-loglevel', '5'], folder)
        proc.wait_for_port(self.process, self.port)

    def _client(self, body, until, counts):
        client = http.client.HTTPConnection('127.0.0.1', self.port)
        done = 0
        while time.monotonic() < until:
            client.request('POST', '/api/v1/cfssl/sign', body, {'Content-Type': 'application/json'})
            answer = json.loads(client.getresponse().read())
            if not answer['success']:
                raise proc.Failed(f'cfssl: {answer["errors"]}')
            done += 1
        counts.append(done)

    def issue(self, csrs, seconds):
        body = json.dumps({'certificate_request': csrs[0], 'hosts': ['bench.example']})
        counts, until = [], time.monotonic() + seconds
        before = proc.cpu_seconds(self.process.pid)
        clients = [threading.Thread(target=self._client, args=(body, until, counts))
                   for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        return sum(counts), proc.cpu_seconds(self.process.pid) - before

    def end(self):
        self.process.end()


OPENSSL_CA = '''
[ca]
default_ca = bench
[bench]
dir = {folder}
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir/new
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_days = 30
policy = any
x509_extensions = leaf
unique_subject = no
[any]
commonName = supplied
[leaf]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth, serverAuth
'''


class OpensslCa:
    """A process for each certificate: that is how it is used."""

    name = 'openssl ca'

    def __init__(self, folder):
        self.folder = folder
        (folder / 'new').mkdir()
        (folder / 'index.txt').touch()
        (folder / 'serial').write_text('1000\n')
        (folder / 'ca.cnf').write_text(OPENSSL_CA.format(folder=folder))
        run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', folder / 'ca.key', '-out', folder / 'ca.pem', '-subj', '/CN=Bench')

    def issue(self, csrs, _seconds):
        (self.folder / 'leaf.csr').write_text(csrs[0])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(OPENSSL_RUNS):
            run('openssl', 'ca', '-batch', '-notext', '-config', self.folder / 'ca.cnf', '-in',
                self.folder / 'leaf.csr', '-out', self.folder / 'leaf.pem')
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return OPENSSL_RUNS, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)

    def end(self):
        pass


def make_csrs(folder):
    """Of keys of their own; one key for thousands of certificates is nobody's practice."""
    return [make_csr(folder) for _ in range(KEYS)]


def make_csr(folder):
    run('openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', folder / 'leaf.key', '-out', folder / 'leaf.csr', '-subj', '/CN=bench.example',
            '-addext', 'subjectAltName=DNS:bench.example')
    return (folder / 'leaf.csr').read_text()


def revoke_rounds(ours, rounds, n, what='revoke'):
    """Rows; the lists that are due meanwhile are in them."""
    serials, pages = ours.serials(n)
    rows = [('page of 100, slowest', ours.name, max(pages) * 1000, 'ms', len(pages))]
    for number in range(rounds):
        ours.settle()
        operations, cpu = ours.revoke(serials[number::rounds], 60)
        rows.insert(-1, (what, ours.name, us(operations, cpu), 'us of CPU', operations))
    return rows


def among(tools, handfast, folder, revoked, seconds, rounds):
    """The same beside so many that are revoked."""
    ours = Ours(handfast, tools, folder, revoked)
    try:
        ours.settle()
        csrs = [make_csr(folder) for _ in range(KEYS // 5)]
        rows = [('issue', ours.name, us(*ours.issue(csrs, seconds)), 'us of CPU', 0)]
        return [*rows, *revoke_rounds(ours, rounds, 3000 * rounds)]
    finally:
        ours.end()


def us(operations, cpu):
    if not operations:
        raise proc.Failed('nothing was done')
    return cpu * 1e6 / operations


def peers(handfast, tools, top):
    yield Ours, (handfast, tools)
    if shutil.which('cfssl'):
        yield Cfssl, ()
    else:
        print('skipped: cfssl is not installed: apt-get install golang-cfssl', flush=True)
    yield OpensslCa, ()


def measure(tools, handfast, seconds, rounds):
    """Rows of what, who, value, unit; the median of rounds."""
    rows = []
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as temporary, contextlib.ExitStack() as stack:
        top = pathlib.Path(temporary)
        csrs = make_csrs(top)
        running = []
        for kind, words in peers(handfast, tools, top):
            folder = top / kind.name.replace(' ', '-')
            folder.mkdir()
            running.append(kind(*words, folder))
            stack.callback(running[-1].end)
        ours = running[0]
        rows.append(('memory, empty store', ours.name, ours.memory_kib() / 1024, 'MB', 0))
        for peer in running:
            found = sorted((us(*peer.issue(csrs, seconds)) for _ in range(rounds)))
            rows.append(('issue', peer.name, found[len(found) // 2], 'us of CPU', 0))
        rows += revoke_rounds(ours, rounds, 20000)
    return rows


def measure_among(tools, handfast, revoked, seconds, rounds):
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as folder:
        return among(tools, handfast, pathlib.Path(folder), revoked, seconds, rounds)


def table(rows, title=''):
    print(f'\n{title}')
    for what, who, value, unit, n in rows:
        print(f'  {what:24}{who:14}{value:12.1f} {unit:12}{n or "":>8}')

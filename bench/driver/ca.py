# SPDX-License-Identifier: Apache-2.0
"""What telling of revocations costs a CA: lists and OCSP, beside `openssl ca`, `openssl ocsp` and,
where they are installed, `cfssl gencrl` and `cfssl ocspserve`."""

import http.client
import json
import pathlib
import resource
import secrets
import shutil
import socket
import subprocess
import tempfile
import time

from . import proc

ANSWERS = 400  # on connections of their own
CONNECTIONS = 16
SECONDS = 3
SUBJECT = '/CN=Bench'


def command(*words, **more):
    """Runs it; (standard output, CPU seconds, wall seconds, peak KiB of any child so far)."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run([*map(str, words)], capture_output=True, check=False, **more)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise proc.Failed(ended.stderr.decode(errors='replace').strip())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ended.stdout, cpu, wall


# --- Lists ------------------------------------------------------------------------------------


def our_list(tools, folder, entries):
    url = f'sqlite:{folder}/bench.db'
    command(tools['hfstore'], 'fill', url, entries)
    command(tools['hfstore'], 'revoke', url, entries)
    out, _, _ = command(tools['hfrevoked'], 'crl', url)
    return json.loads(out)


def openssl_list(folder, entries):
    home = pathlib.Path(folder) / 'openssl'
    home.mkdir()
    command('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', home / 'ca.key', '-out', home / 'ca.pem', '-subj', SUBJECT, '-days', '30')
    with open(home / 'index.txt', 'w', encoding='ascii') as index:
        for _ in range(entries):
            index.write(f'R\t300101000000Z\t260101000000Z,keyCompromise\t{secrets.token_hex(15).upper()}'
                        f'\tunknown\t/CN=x\n')
    (home / 'crlnumber').write_text('01\n')
    (home / 'ca.cnf').write_text(f'''[ca]
default_ca = it
[it]
database = {home}/index.txt
crlnumber = {home}/crlnumber
default_md = sha256
default_crl_days = 1
unique_subject = no
certificate = {home}/ca.pem
private_key = {home}/ca.key
''')
    _, cpu, wall = command('/usr/bin/env', 'openssl', 'ca', '-gencrl', '-config', home / 'ca.cnf', '-out',
                           home / 'list.pem')
    return {'cpu_s': cpu, 'wall_s': wall}


def cfssl_list(folder, entries):
    home = pathlib.Path(folder) / 'openssl'
    serials = home / 'serials'
    serials.write_text(''.join(f'{secrets.randbits(120)}\n' for _ in range(entries)))
    _, cpu, wall = command('cfssl', 'gencrl', serials, home / 'ca.pem', home / 'ca.key')
    return {'cpu_s': cpu, 'wall_s': wall}


# --- OCSP -------------------------------------------------------------------------------------


def request_of(folder, issuer, cert, nonce):
    path = pathlib.Path(folder) / f'request-{nonce}'
    command('openssl', 'ocsp', '-issuer', issuer, '-cert', cert, '-reqout', path,
            *([] if nonce else ['-no_nonce']))
    return path.read_bytes()


def post(path, request, version='1.1'):
    return (f'POST {path} HTTP/{version}\r\nHost: localhost\r\n'
            f'Content-Type: application/ocsp-request\r\n'
            f'Content-Length: {len(request)}\r\n\r\n'.encode() + request)


def ask_once(port, whole):
    with socket.create_connection(('127.0.0.1', port), timeout=10) as connection:
        connection.sendall(whole)
        answer = http.client.HTTPResponse(connection, method='POST')
        answer.begin()
        body = answer.read()
        if answer.status != 200 or len(body) < 100:
            raise proc.Failed(f'the responder answers {answer.status} with {len(body)} bytes')


def cost_of_connections(process, port, path, request):
    """For a responder that closes its connection after each answer."""
    whole = post(path, request, '1.0')
    ask_once(port, whole)
    before = proc.cpu_seconds(process.pid)
    for _ in range(ANSWERS):
        ask_once(port, whole)
    return (proc.cpu_seconds(process.pid) - before) * 1e6 / ANSWERS


def cost(tools, process, folder, port, path, request, connections=CONNECTIONS):
    """On kept connections, each of which asks again when it is answered."""
    whole = post(path, request)
    ask_once(port, whole)
    script = pathlib.Path(folder) / 'asked'
    script.write_bytes(b'%d\n%s' % (len(whole), whole))
    words = ['--mode', 'closed', '--plain', '--connect', f'127.0.0.1:{port}', '--connections',
             connections, '--seconds', SECONDS, '--requests', script]
    with proc.Process('hfreq', [tools['hfreq'], *map(str, words)], folder, talk=True) as client:
        client.read_line(60)
        before = proc.cpu_seconds(process.pid)
        client.say('go')
        report = json.loads(client.read_line(SECONDS + 30))
        return (proc.cpu_seconds(process.pid) - before) * 1e6 / report['operations']


def fetched(port, path, into):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
    connection.request('GET', path)
    answer = connection.getresponse()
    into.write_bytes(answer.read())
    return answer.status == 200


def our_ocsp(tools, handfast, folder):
    home, port = pathlib.Path(folder) / 'ours', proc.free_port()
    home.mkdir()
    command(handfast, 'ca', 'init', '--dir', home / 'ca', '--name', 'Bench')
    command(handfast, 'ca', 'issue', '--dir', home / 'ca', '--client', 'alice', '--out', home / 'alice')
    config = home / 'handfast.yaml'
    config.write_text(f'''workers: 1
log: {{level: info}}
ca: {{main: {{store: {home}/ca}}}}
listeners:
  public:
    listen: ["127.0.0.1:{port}"]
    plain: true
    mode: http
    access-log: {{format: "off"}}
    routes: [{{service: main/public}}]
''')
    with proc.Process('handfast', [handfast, 'run', '-c', str(config)], home) as process:
        proc.wait_for_port(process, port)
        issuer = home / 'issuing.der'
        while not fetched(port, '/ca/issuing.crt', issuer):
            process.stays(0.05)
        while 'issuing of the CA main has a new OCSP signer' not in process.said():
            process.stays(0.05)
        command('openssl', 'x509', '-inform', 'DER', '-in', issuer, '-out', home / 'issuing.pem')
        signed, kept = [request_of(home, home / 'issuing.pem', home / 'alice.pem', nonce)
                        for nonce in (True, False)]
        return {'signed_us': cost(tools, process, home, port, '/ocsp', signed),
                'cached_us': cost(tools, process, home, port, '/ocsp', kept),
                'signed_one_us': cost(tools, process, home, port, '/ocsp', signed, 1),
                'cached_one_us': cost(tools, process, home, port, '/ocsp', kept, 1)}


def openssl_ocsp(folder):
    home, port = pathlib.Path(folder) / 'openssl', proc.free_port()
    (home / 'small.txt').write_text('V\t300101000000Z\t\t01\tunknown\t/CN=x\n')
    asked = home / 'asked'
    command('openssl', 'ocsp', '-issuer', home / 'ca.pem', '-serial', '1', '-reqout', asked)
    words = ['openssl', 'ocsp', '-port', str(port), '-index', str(home / 'small.txt'), '-CA',
             str(home / 'ca.pem'), '-rsigner', str(home / 'ca.pem'), '-rkey', str(home / 'ca.key'),
             '-nmin', '60']
    with proc.Process('openssl-ocsp', words, home) as process:
        while 'ACCEPT' not in process.said():  # a connection without a request ends it
            process.stays(0.05)
        return {'signed_us': cost_of_connections(process, port, '/', asked.read_bytes())}


def cfssl_ocsp(tools, folder):
    """Its responder serves answers that were signed before, from a file; it never signs."""
    home, port = pathlib.Path(folder) / 'openssl', proc.free_port()
    command('openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', home / 'leaf.key', '-out', home / 'leaf.csr', '-subj', '/CN=leaf')
    command('openssl', 'x509', '-req', '-in', home / 'leaf.csr', '-CA', home / 'ca.pem', '-CAkey',
            home / 'ca.key', '-CAcreateserial', '-out', home / 'leaf.pem', '-days', '20')
    made, _, _ = command('cfssl', 'ocspsign', '-ca', home / 'ca.pem', '-responder', home / 'ca.pem',
                         '-responder-key', home / 'ca.key', '-cert', home / 'leaf.pem', '-status', 'good')
    (home / 'responses').write_text(''.join(json.loads(made)['ocspResponse'].split()) + '\n')
    asked = request_of(home, home / 'ca.pem', home / 'leaf.pem', False)
    words = ['cfssl', 'ocspserve', '-address', '127.0.0.1', '-port', str(port), '-responses',
             str(home / 'responses'), '-loglevel', '5']
    with proc.Process('cfssl-ocsp', words, home) as process:
        proc.wait_for_port(process, port)
        return {'cached_us': cost(tools, process, home, port, '/', asked),
                'cached_one_us': cost(tools, process, home, port, '/', asked, 1)}


# --- All --------------------------------------------------------------------------------------


def compare(tools, handfast, entries):
    with tempfile.TemporaryDirectory(prefix='hf-bench-') as folder:
        rows = {'handfast': {'crl': our_list(tools, folder, entries),
                             'ocsp': our_ocsp(tools, handfast, folder)},
                'openssl': {'crl': openssl_list(folder, entries), 'ocsp': openssl_ocsp(folder)}}
        if shutil.which('cfssl'):
            rows['cfssl'] = {'crl': cfssl_list(folder, entries), 'ocsp': cfssl_ocsp(tools, folder)}
        out, _, _ = command(tools['hfrevoked'], 'ocsp', 20000)
        rows['handfast']['ocsp']['alone_us'] = json.loads(out)['cpu_us']
        return {'entries': entries, 'rows': rows}


def table(found):
    what = (('crl', 'cpu_s', f'list of {found["entries"]}', 's of CPU'),
            ('crl', 'wall_s', '  as it passes', 's'), ('crl', 'peak_kib', '  memory at its most', 'KiB'),
            ('ocsp', 'signed_us', 'OCSP answer, signed, over HTTP', 'us of CPU'),
            ('ocsp', 'alone_us', '  the answer alone', 'us of CPU'),
            ('ocsp', 'cached_us', 'OCSP answer, kept, over HTTP', 'us of CPU'),
            ('ocsp', 'signed_one_us', '  signed, one client alone', 'us of CPU'),
            ('ocsp', 'cached_one_us', '  kept, one client alone', 'us of CPU'))
    names = list(found['rows'])
    print(f'\n{"":34}' + ''.join(f'{name:>12}' for name in names))
    for part, figure, text, unit in what:
        cells = (found['rows'][name][part].get(figure) for name in names)
        print(f'  {text:32}' + ''.join('           -' if cell is None else f'{cell:12.2f}' for cell in cells)
              + f'   {unit}')

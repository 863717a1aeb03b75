# SPDX-License-Identifier: Apache-2.0
"""curl, nghttp, h2load, Node and Chromium through `mode: http`, to backends of Python, Node and
nginx, over both versions of HTTP."""

import hashlib
import os
import shutil
import subprocess

import pytest

from harness import backends, clients, configs, node, recorder, waiting
from harness.interop import chromium

NODE_CLIENT = r'''
const http2 = require('http2'), fs = require('fs');
const [port, ca, cert, key] = process.argv.slice(1);
const session = http2.connect(`https://server.example:${port}`, {
  lookup: (name, options, done) => done(null, options.all ? [{address: '127.0.0.1', family: 4}] : '127.0.0.1', 4),
  ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key)});
let left = 20;
for (let i = 0; i < 20; i++) {
  const request = session.request({':method': 'POST', ':path': `/echo/${i}`});
  let body = '', status;
  request.on('response', (fields) => { status = fields[':status']; });
  request.on('data', (data) => { body += data; });
  request.on('end', () => {
    if (status !== 200 || body !== `body ${i}`) { console.log('wrong', i, status, body); process.exit(1); }
    if (--left === 0) { console.log('all', session.alpnProtocol); session.close(); }
  });
  request.end(`body ${i}`);
}
'''

NODE_BACKEND = r'''
const http = require('http');
http.createServer((request, response) => {
  response.setHeader('x-saw', `${request.method} ${request.url} ${request.headers.host}`);
  request.pipe(response);
}).listen(+process.argv[1], '127.0.0.1');
'''

COUNTING = r'''
require('MODULE').createServer((request, response) => {
  let size = 0;
  request.on('data', (data) => { size += data.length; });
  request.on('end', () => response.end(`${size}`));
}).listen(+process.argv[1], '127.0.0.1');
'''

NGINX = '''
daemon off; master_process off; worker_processes 1;
error_log {folder}/error.log info; pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off; client_max_body_size 0;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location = /hello {{ return 200 "hello $http_host over $server_protocol\\n"; }}
    }}
}}
'''


def echo_body(request):
    """The body back, or its name for what has none."""
    body = request.body or f'{request.method} {request.target}'.encode()
    head = f'HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Type: text/plain\r\n\r\n'
    return head.encode() + (b'' if request.method == 'HEAD' else body)


@pytest.fixture
def program(ports, tmp_path):
    """Starts a program that is told a port: program(words(port)) -> port."""
    running = []

    def start(words, port=None):
        port = port or ports.take()
        running.append(subprocess.Popen([str(word) for word in words(port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=tmp_path))
        backends.wait_listening(port, running[-1])
        return port

    yield start
    for process in running:
        process.kill()
        process.wait(waiting.SECONDS)


@pytest.fixture
def nginx_files(program, ports, tmp_path):
    """nginx in plain, with files: (port, folder of the files)"""
    port, folder = ports.take(), tmp_path / 'nginx'
    (folder / 'files').mkdir(parents=True)
    (folder / 'nginx.conf').write_text(NGINX.format(folder=folder, port=port))
    program(lambda _: ['/usr/sbin/nginx', '-p', folder, '-c', folder / 'nginx.conf'], port)
    return port, folder / 'files'


@pytest.fixture
def serve(handfast, pki, port):
    def start(to, **more):
        return handfast(configs.http_side(pki, port, to, **more))
    return start


def curl(pki, port, *words, path='/'):
    return clients.curl(port, '--fail', *words, roots=pki.servers.root.cert, leaf=pki.alice, path=path)


@pytest.mark.quick
@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
def test_curl(serve, pki, port, backend, version):
    recording = recorder.Recorder(echo_body)
    serve(backend(recording.serve))
    shown = curl(pki, port, version, '-w', ' %{http_code} %{http_version}', path='/a?b=c')
    assert shown.stdout == f'GET /a?b=c 200 {"2" if "2" in version else "1.1"}', shown
    shown = curl(pki, port, version, '--data-binary', 'x' * 100000)
    assert shown.stdout == 'x' * 100000, shown.stderr
    shown = curl(pki, port, version, '--head', path='/h')
    assert '200' in shown.stdout.split('\n')[0] and 'content-length: 7' in shown.stdout.lower(), shown
    shown = curl(pki, port, version, '-H', 'Expect: 100-continue', '--data-binary', 'waited for')
    assert shown.stdout == 'waited for', shown
    assert [request.method for request in recording.take()] == ['GET', 'POST', 'HEAD', 'POST']


@pytest.mark.parametrize('protocol', ['http/1.1', 'h2c'])
@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
@pytest.mark.skipif(node.missing() is not None, reason=str(node.missing()))
def test_curl_sends_50_megabytes(serve, pki, port, program, tmp_path, version, protocol):
    module = 'http2' if protocol == 'h2c' else 'http'
    behind = program(lambda number: ['node', '-e', COUNTING.replace('MODULE', module), number])
    serve(f'127.0.0.1:{behind}', upstream={'protocol': protocol})
    with open(tmp_path / 'big', 'wb') as file:
        file.truncate(50 << 20)
    for _ in range(3):
        shown = curl(pki, port, version, '--data-binary', f'@{tmp_path}/big')
        assert shown.stdout == f'{50 << 20}', shown


@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
def test_curl_and_nginx_with_a_big_file(serve, pki, port, nginx_files, tmp_path, version):
    number, files = nginx_files
    data = os.urandom(1 << 20) * 48
    (files / 'big').write_bytes(data)
    serve(f'127.0.0.1:{number}')
    assert curl(pki, port, version, path='/hello').stdout == f'hello server.example:{port} over HTTP/1.1\n'
    got = tmp_path / 'got'
    shown = curl(pki, port, version, '-o', got, path='/big')
    assert shown.returncode == 0, shown
    assert hashlib.sha256(got.read_bytes()).digest() == hashlib.sha256(data).digest()
    shown = curl(pki, port, version, '-r', '1048570-1048590', '-o', got, path='/big')
    assert got.read_bytes() == data[1048570:1048591]
    shown = curl(pki, port, version, '-o', got, '-w', '%{http_code}', path='/none')
    assert shown.stdout == '404'


def test_nghttp_with_many_streams(serve, pki, port, backend):
    recording = recorder.Recorder(echo_body)
    serve(backend(recording.serve))
    shown = subprocess.run(['nghttp', '--stat', '--no-verify-peer', '--cert', str(pki.alice.chain), '--key',
                            str(pki.alice.key), '-m', '50', '-H', ':authority: server.example',
                            f'https://127.0.0.1:{port}/n'], capture_output=True, text=True,
                           timeout=waiting.SECONDS, check=False)
    assert shown.returncode == 0 and shown.stdout.count('GET /n') == 50, shown.stdout[-2000:]
    assert len(recording.take()) == 50


def test_h2load_through_our_own_client_side(handfast, pki, ports, backend):
    """h2load has no client certificates; our own listener lends it one."""
    recording = recorder.Recorder(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    door, plain = ports.take(), ports.take()
    handfast(configs.http_side(pki, door, backend(recording.serve)))
    handfast(configs.client_side(pki, plain, f'127.0.0.1:{door}', pki.bob,
                                 tls={'alpn': ['h2'], 'name': 'server.example'}))
    shown = subprocess.run(['h2load', '-n', '3000', '-c', '10', '-m', '20', f'http://127.0.0.1:{plain}/'],
                           capture_output=True, text=True, timeout=3 * waiting.SECONDS, check=False)
    assert '3000 succeeded, 0 failed, 0 errored, 0 timeout' in shown.stdout, shown
    assert 'status codes: 3000 2xx' in shown.stdout and len(recording.take()) == 3000


@pytest.mark.skipif(node.missing() is not None, reason=str(node.missing()))
def test_node_over_http2_and_node_behind(serve, pki, port, program):
    behind = program(lambda number: ['node', '-e', NODE_BACKEND, number])
    serve(f'127.0.0.1:{behind}')
    shown = subprocess.run(['node', '-e', NODE_CLIENT, str(port), str(pki.servers.root.cert),
                            str(pki.alice.chain), str(pki.alice.key)], capture_output=True, text=True,
                           timeout=waiting.SECONDS, check=False)
    assert shown.stdout == 'all h2\n', shown
    shown = curl(pki, port, '-D', '-', '-o', os.devnull, path='/x?y')
    assert f'x-saw: GET /x?y server.example:{port}' in shown.stdout.lower().replace('get', 'GET'), shown


def test_python_behind(serve, pki, port, program, tmp_path):
    (tmp_path / 'page').write_text('from python\n')
    behind = program(lambda number: ['/usr/bin/python3', '-m', 'http.server', number, '--bind', '127.0.0.1',
                                     '--directory', tmp_path])
    serve(f'127.0.0.1:{behind}')
    for _ in range(3):  # it closes after each answer
        assert curl(pki, port, path='/page').stdout == 'from python\n'


@pytest.mark.skipif(not shutil.which('chromium'), reason='chromium is not installed')
@pytest.mark.skipif(node.missing('playwright-core') is not None, reason=str(node.missing('playwright-core')))
def test_chromium_with_a_certificate(serve, pki, port, backend, tmp_path):
    recording = recorder.Recorder(echo_body)
    daemon = serve(backend(recording.serve), routes=[
        {'match': {'path': '/bob/'}, 'allow': ['cn:bob'], 'to': 'app'}, {'allow': ['cn:alice'], 'to': 'app'}])
    base = f'https://server.example:{port}'
    pages = chromium.browse(tmp_path, pki.alice, pki.servers.root.cert, [f'{base}/one', f'{base}/bob/', f'{base}/two'])
    assert [page['status'] for page in pages] == [200, 403, 200], pages
    assert pages[0]['body'] == 'GET /one' and pages[2]['body'] == 'GET /two'
    assert 'text/html' in pages[1]['headers']['content-type'] and '<html' in pages[1]['body'].lower(), pages[1]
    assert daemon.log.wait(event='handshake', result='accepted')['alpn'] == 'h2'

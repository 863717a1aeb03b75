# SPDX-License-Identifier: Apache-2.0
"""The proxies that are measured, each as one worker with the same job.

TLS 1.3 alone, TLS_AES_128_GCM_SHA256 and X25519, a client certificate required and verified up to
the root, tickets on, bytes handed to the plain backend, no log line per connection.
"""

import os
import pathlib
import pwd
import resource
import shutil
import subprocess

from .proc import Failed, Process, free_port, wait_for_port

SUITE = 'TLS_AES_128_GCM_SHA256'

NGINX_HEAD = '''
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
{modules}
events {{ worker_connections {descriptors}; }}
'''

NGINX_TLS = '''
        listen 127.0.0.1:{port} ssl {h2} backlog=4096;
        ssl_certificate {certs.server_chain};
        ssl_certificate_key {certs.server_key};
        ssl_client_certificate {certs.root};
        ssl_verify_client on;
        ssl_verify_depth 3;
        ssl_protocols TLSv1.3;
        ssl_ecdh_curve X25519;
        ssl_conf_command Ciphersuites {suite};
        ssl_session_timeout 1h;
'''

NGINX_STREAM = NGINX_HEAD + '''
stream {{
    server {{''' + NGINX_TLS + '''
        proxy_pass 127.0.0.1:{backend};
        proxy_timeout 1h;
    }}
}}
'''

NGINX_HTTP = NGINX_HEAD + '''
http {{
    access_log off;
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_buffering off;
    client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .;
    scgi_temp_path .;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    upstream app {{ server 127.0.0.1:{backend}; keepalive 1024;
                    keepalive_requests 1000000000; }}
    server {{''' + NGINX_TLS + '''
        location / {{ proxy_pass http://app; proxy_http_version 1.1;
                      proxy_set_header Connection ""; }}
    }}
}}
'''

HAPROXY = '''
global
    nbthread 1
    maxconn {maxconn}
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites {suite}
    ssl-default-bind-curves X25519
    tune.ssl.lifetime 3600
defaults
    mode {mode}
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend bench
    bind 127.0.0.1:{port} ssl crt {certs.server_all} ca-file {certs.root} verify required backlog 4096 {alpn}
    default_backend app
backend app
    server app 127.0.0.1:{backend}
'''

HITCH = '''
frontend = "[127.0.0.1]:{port}"
backend = "[127.0.0.1]:{backend}"
pem-file = "{certs.server_all}"
client-verify = required
client-verify-ca = "{certs.root}"
tls-protos = TLSv1.3
ciphersuites = "{suite}"
ecdh-curve = "X25519"
workers = 1
backlog = 4096
keepalive = 3600
daemon = off
quiet = on
{user}
'''

STUNNEL = '''
foreground = yes
pid =
debug = err
syslog = no
[bench]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{backend}
cert = {certs.server_chain}
key = {certs.server_key}
CAfile = {certs.root}
verifyChain = yes
sslVersionMin = TLSv1.3
ciphersuites = {suite}
curves = X25519
sessionCacheTimeout = 3600
TIMEOUTidle = 3600
'''

HANDFAST_HTTP = '''
log: {{format: json, level: error, to: stderr}}
workers: 1
identities:
  web: {{cert: {certs.server_chain}, key: {certs.server_key}}}
trust:
  clients: {{roots: {certs.root}}}
listeners:
  bench:
    listen: ["127.0.0.1:{port}"]
    identities: [web]
    client: require
    trust: clients
    mode: http
    access-log: {{format: "off"}}
    http: {{keep-alive-timeout: 1h}}
    idle-timeout: 1h
    tls: {{versions: ["1.3"], suites: [{suite}], groups: [X25519], engine: {mode}}}
    to: app
upstreams:
  app:
    servers: ["127.0.0.1:{backend}"]
'''

HANDFAST = '''
log: {{format: json, level: error, to: stderr}}
workers: 1
identities:
  web: {{cert: {certs.server_chain}, key: {certs.server_key}}}
trust:
  clients: {{roots: {certs.root}}}
listeners:
  bench:
    listen: ["127.0.0.1:{port}"]
    identities: [web]
    client: require
    trust: clients
    idle-timeout: 1h
    tls: {{versions: ["1.3"], suites: [{suite}], groups: [X25519], engine: {mode}}}
    to: app
upstreams:
  app:
    servers: ["127.0.0.1:{backend}"]
'''


def unprivileged():
    """An account that root's servers can change to."""
    return 'nobody' if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def most_connections():
    """Within the descriptors that we may have, two a connection."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(100, (soft - 500) // 2)


def find(*names):
    """The first of these programs that is installed."""
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin:/usr/local/sbin'
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    return None


def first_line(text, word):
    lines = [line for line in text.splitlines() if word in line.lower()]
    return lines[0].strip() if lines else ''


class Peer:
    """name: in the table. package: what apt installs. template: its configuration."""

    name = package = template = None
    programs = ()
    version_words = ('-v',)
    modules = ''
    mode = 'tcp'
    is_http = False  # understands requests, over HTTP/1.1 and HTTP/2
    has_lists = False  # asks revocation lists about the client and its CA

    def __init__(self, program=None):
        self.program = program or find(*self.programs)

    def missing(self):
        """Why it can't be measured, or None."""
        if not self.program:
            return f'{self.name} is not installed: script/setup bench, or apt-get install ' \
                   f'{self.package}'
        return None

    def version(self):
        made = subprocess.run([self.program, *self.version_words], capture_output=True, text=True,
                              check=False)
        return first_line(made.stdout + made.stderr, self.programs[0]) or '?'

    def command(self, config):
        raise NotImplementedError

    def user(self):
        return ''

    def start(self, folder, certs, port, backend):
        config = pathlib.Path(folder) / f'{self.name}.conf'
        config.write_text(self.template.format(
            certs=certs, port=port, backend=backend, suite=SUITE, user=self.user(),
            h2='http2' if self.is_http else '',
            alpn='alpn h2,http/1.1' if self.is_http else '',
            modules=self.modules, mode=self.mode, maxconn=most_connections(),
            descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
        process = Process(self.name, self.command(str(config)), str(folder))
        try:
            wait_for_port(process, port)
        except Failed:
            process.end()
            raise
        return process


class Nginx(Peer):
    name, package = 'nginx', 'nginx-light libnginx-mod-stream'
    programs, template = ('nginx',), NGINX_STREAM
    module = '/usr/lib/nginx/modules/ngx_stream_module.so'

    def __init__(self, program=None):
        super().__init__(program)
        built_in = self.program and '--with-stream ' in subprocess.run(
            [self.program, '-V'], capture_output=True, text=True, check=False).stderr + ' '
        if not built_in and not self.is_http:
            self.modules = f'load_module {self.module};'

    def missing(self):
        if self.program and self.modules and not os.path.exists(self.module):
            return 'nginx has no stream module: apt-get install libnginx-mod-stream'
        return super().missing()

    def command(self, config):
        return [self.program, '-p', os.path.dirname(config) + '/', '-c', config]


class NginxListed(Nginx):
    """The same with revocation lists of both CAs."""
    name, has_lists = 'nginx-listed', True
    template = NGINX_STREAM.replace('ssl_verify_depth 3;',
                                    'ssl_verify_depth 3; ssl_crl {certs.lists_pem};')


class NginxHttp(Nginx):
    """The same with HTTP understood, connections to the backend kept and shared."""
    name, template, is_http = 'nginx-http', NGINX_HTTP, True


class Haproxy(Peer):
    name, package = 'haproxy', 'haproxy'
    programs, template = ('haproxy',), HAPROXY

    def command(self, config):
        return [self.program, '-db', '-f', config]


class HaproxyHttp(Haproxy):
    name, mode, is_http = 'haproxy-http', 'http', True


class Hitch(Peer):
    name, package = 'hitch', 'hitch'
    programs, template = ('hitch',), HITCH
    version_words = ('--version',)

    def user(self):
        return f'user = "{unprivileged()}"' if os.geteuid() == 0 else ''

    def command(self, config):
        return [self.program, f'--config={config}']


class Stunnel(Peer):
    name, package = 'stunnel', 'stunnel4'
    programs, template = ('stunnel', 'stunnel4'), STUNNEL
    version_words = ('-version',)

    def version(self):
        return super().version().split(' on ')[0]

    def command(self, config):
        return [self.program, config]


class Handfast(Peer):
    name, programs, template = 'handfast', ('handfast',), HANDFAST
    version_words = ('--version',)
    mode = 'auto'  # the TLS engine

    def missing(self):
        if not os.path.exists(self.program):
            return f'{self.program} is not there: build it with script/build release'
        return None

    def command(self, config):
        return [self.program, 'run', '-c', config]


class HandfastNative(Handfast):
    name, mode = 'handfast-native', 'native'


class HandfastLibssl(Handfast):
    name, mode = 'handfast-libssl', 'libssl'


class HandfastHttp(Handfast):
    name, template, is_http = 'handfast-http', HANDFAST_HTTP, True


class HandfastListed(Handfast):
    """The same with revocation lists of both CAs."""
    name, has_lists = 'handfast-listed', True
    template = HANDFAST.replace('roots: {certs.root}',
                                'roots: {certs.root}, crl: {{files: {certs.lists}}}')


class HandfastKept(Handfast):
    """The same with a state folder: verdicts go to the disk."""
    name = 'handfast-kept'

    def start(self, folder, certs, port, backend):
        state = pathlib.Path(folder) / 'state'
        state.mkdir(mode=0o700, exist_ok=True)
        self.template = f'state: {state}' + HANDFAST
        return super().start(folder, certs, port, backend)


class HandfastOcsp(Handfast):
    """The same with a responder, whose answer about the client is remembered after the first."""
    name = 'handfast-ocsp'

    def start(self, folder, certs, port, backend):
        at = free_port()
        self.template = HANDFAST.replace(
            'roots: {certs.root}', 'roots: {certs.root}, ocsp: {{responder: '
            f'"http://127.0.0.1:{at}/", leaf-only: true}}}}')
        responder = Process('responder', certs.responder_command(at), str(folder))
        try:
            while 'waiting for OCSP' not in responder.said():
                responder.stays(0.02)  # a connection that asks nothing would keep it busy
            server = super().start(folder, certs, port, backend)
        except Failed:
            responder.end()
            raise
        server.beside = responder
        return server


PEERS = {peer.name: peer for peer in
         (Handfast, Nginx, Haproxy, Hitch, Stunnel, HandfastHttp, NginxHttp, HaproxyHttp,
          HandfastNative, HandfastLibssl, HandfastKept, HandfastOcsp, HandfastListed, NginxListed)}

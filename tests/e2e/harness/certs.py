# SPDX-License-Identifier: Apache-2.0
"""Certificates made with the openssl command line: what others' tools make is what must work."""

import dataclasses
import datetime
import pathlib
import ssl
import subprocess

CA_CONFIG = '''
[ca]
default_ca = here
[here]
dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
rand_serial = yes
new_certs_dir = {folder}
certificate = {cert}
private_key = {key}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
[ext]
{extensions}
'''

CA_EXTENSIONS = '''basicConstraints = critical, CA:TRUE{pathlen}
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
'''

LEAF_EXTENSIONS = '''basicConstraints = critical, CA:FALSE
keyUsage = critical, {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
'''

DAY = datetime.timedelta(days=1)


def openssl(*words, stdin=None):
    made = subprocess.run(['openssl', *map(str, words)], input=stdin, capture_output=True, check=False)
    assert made.returncode == 0, f'openssl {words}: {made.stderr.decode()}'
    return made.stdout


def make_key(path, kind='ec'):
    options = {
        'ec': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
        'p256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
        'p384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
        'p521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
        'rsa': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
        'rsa-pss': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
        'rsa1024': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
        'ed25519': ['-algorithm', 'ED25519'],
    }[kind]
    openssl('genpkey', *options, '-out', path)
    path.chmod(0o600)
    return path


def stamp(moment):
    return moment.strftime('%Y%m%d%H%M%SZ')


@dataclasses.dataclass
class Leaf:
    """A certificate with its key. `cert` holds the leaf alone, `chain` what is to be sent."""
    name: str
    cert: pathlib.Path
    chain: pathlib.Path
    key: pathlib.Path

    def field(self, *options):
        """A field as openssl prints it: leaf.field('-serial')."""
        text = openssl('x509', '-noout', *options, '-in', self.cert).decode().strip()
        return text.split('=', 1)[1] if '=' in text else text

    @property
    def serial(self):
        return self.field('-serial').lower().lstrip('0') or '0'

    def pkcs12(self, passphrase, path=None):
        path = path or self.cert.with_suffix('.p12')
        openssl('pkcs12', '-export', '-in', self.chain, '-inkey', self.key, '-out', path,
                '-passout', f'pass:{passphrase}')
        path.chmod(0o600)
        return path

    def encrypted_key(self, passphrase):
        path = self.key.with_suffix('.encrypted.key')
        openssl('pkcs8', '-topk8', '-in', self.key, '-out', path, '-passout', f'pass:{passphrase}')
        path.chmod(0o600)
        return path


class Authority:
    """A root and, below it, an issuing CA."""

    def __init__(self, folder, name, key='ec', intermediates=1, organization='Handfast tests'):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True)
        self.organization = organization
        self._made = 0
        self.key_kind = key
        self._issuers = []
        self.root = self._make_root(f'{name} root')
        above = []
        for number in range(intermediates):
            title = f'{name} issuing' if number == 0 else f'{name} issuing {number + 1}'
            above.insert(0, self._sign(title, self.folder / f'issuing{number}',
                                       CA_EXTENSIONS.format(pathlen='')))
            self._issuers.append(above[0])
        self.intermediates = above

    def _make_root(self, title):
        key = make_key(self.folder / 'root.key', self.key_kind)
        cert = self.folder / 'root.pem'
        openssl('req', '-x509', '-new', '-key', key, '-out', cert, '-days', 3650,
                '-subj', f'/O={self.organization}/CN={title}',
                '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
        root = Leaf(title, cert, cert, key)
        self._issuers.append(root)
        return root

    @property
    def issuer(self):
        return self._issuers[-1]

    def _sign(self, title, stem, extensions, start=None, end=None, subject=None, key_kind=None,
              issuer=None):
        issuer = issuer or self.issuer
        now = datetime.datetime.now(datetime.timezone.utc)
        key = make_key(stem.with_suffix('.key'), key_kind or self.key_kind)
        cert, config = stem.with_suffix('.pem'), stem.with_suffix('.cnf')
        (self.folder / 'index.txt').touch()
        config.write_text(CA_CONFIG.format(folder=self.folder, cert=issuer.cert, key=issuer.key,
                                           extensions=extensions))
        subject = subject if subject is not None else f'/O={self.organization}/CN={title}'
        request = openssl('req', '-new', '-key', key, '-subj', subject or '/', '-utf8')
        openssl('ca', '-batch', '-notext', '-config', config, '-extensions', 'ext', '-preserveDN', '-utf8',
                '-startdate', stamp(start or now - DAY),
                '-enddate', stamp(end or now + 365 * DAY), '-in', '/dev/stdin', '-out', cert,
                stdin=request)
        return Leaf(title, cert, cert, key)

    def issue(self, name, usage='clientAuth', san=(), start=None, end=None, subject=None, key=None,
              issuer=None, extensions=''):
        """usage: as in extendedKeyUsage, '' for none. san: as in subjectAltName. issuer: 'root'
        signs with the root itself."""
        self._made += 1
        stem = self.folder / f'{self._made}-{"".join(c if c.isalnum() else "_" for c in name)[:40]}'
        ciphers = key == 'rsa'  # some clients still want it of RSA, though TLS 1.3 never uses it
        text = LEAF_EXTENSIONS.format(
            usage='digitalSignature, keyEncipherment' if ciphers else 'digitalSignature') + extensions
        if usage:
            text += f'extendedKeyUsage = {usage}\n'
        if san:
            text += 'subjectAltName = ' + ', '.join(san) + '\n'
        leaf = self._sign(name, stem, text, start, end, subject, key,
                          self.root if issuer == 'root' else None)
        chain = stem.with_suffix('.chain.pem')
        above = [] if issuer == 'root' else self.intermediates
        chain.write_bytes(b''.join(path.read_bytes() for path in
                                   [leaf.cert, *[ca.cert for ca in above]]))
        leaf.chain = chain
        return leaf

    def server(self, *names, **more):
        more.setdefault('san', [f'DNS:{name}' for name in names])
        return self.issue(names[0], usage='serverAuth', **more)

    def client(self, name, **more):
        return self.issue(name, usage='clientAuth', **more)

    def expired(self, name, **more):
        now = datetime.datetime.now(datetime.timezone.utc)
        return self.issue(name, start=now - 10 * DAY, end=now - 3 * DAY, **more)

    def not_yet_valid(self, name, **more):
        now = datetime.datetime.now(datetime.timezone.utc)
        return self.issue(name, start=now + 3 * DAY, end=now + 10 * DAY, **more)


class Pki:
    """The certificates that most tests share; made once a run."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.clients = Authority(folder, 'clients')
        self.servers = Authority(folder, 'servers')
        self.strangers = Authority(folder, 'strangers', organization='Strangers')
        self.server = self.servers.server('server.example', 'localhost',
                                          san=['DNS:server.example', 'DNS:localhost', 'IP:127.0.0.1'])
        self.alice = self.clients.client('alice', san=['URI:spiffe://example.org/alice',
                                                       'email:alice@example.org'])
        self.bob = self.clients.client('bob')
        self.stranger = self.strangers.client('stranger')
        self.expired = self.clients.expired('carol')


def serve_tls(server, leaf):
    """Makes a socketserver speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.chain, leaf.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)


def nss_database(folder, leaf, root):
    """An NSS database with the leaf under its name, and a root that is trusted for servers."""
    where = ['-d', f'sql:{folder}']
    run = subprocess.run
    empty = pathlib.Path(folder) / 'no-password'
    empty.write_text('\n')
    run(['certutil', '-N', *where, '--empty-password'], check=True, capture_output=True)
    run(['certutil', '-A', *where, '-n', 'root', '-t', 'CT,CT,', '-i', root], check=True,
        capture_output=True)
    bundle = pathlib.Path(folder) / 'leaf.p12'
    openssl('pkcs12', '-export', '-in', leaf.chain, '-inkey', leaf.key, '-name', leaf.name, '-out', bundle,
            '-passout', 'pass:x')
    run(['pk12util', '-i', bundle, *where, '-W', 'x', '-k', empty], check=True, capture_output=True)

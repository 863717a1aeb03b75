# SPDX-License-Identifier: Apache-2.0
"""Chains that other tools make and chains that no tool would: let in or refused for what they are,
and nothing of them reaches the log raw."""

import datetime
import subprocess

import pytest

from harness import certs, clients, configs, der

pytestmark = pytest.mark.engines


@pytest.fixture
def daemon(handfast, pki, echo, port):
    return handfast(configs.server_side(pki, port, echo))


@pytest.fixture
def offer(daemon, pki, port):
    """Comes with a certificate, and gives the log line of what became of it."""
    def come(leaf):
        before = len(daemon.log.all(event='handshake'))
        context = clients.context(pki.servers.root.cert, ciphers='DEFAULT@SECLEVEL=0')
        context.load_cert_chain(leaf.chain, leaf.key)
        with clients.plain(port) as plain:
            try:
                with context.wrap_socket(plain, server_hostname='server.example') as connection:
                    connection.sendall(b'hello')
                    connection.recv(5)
            except OSError:
                pass
        daemon.log.wait(event='handshake', count=before + 1)
        line = daemon.log.all(event='handshake')[before]
        for value in line.values():
            assert not isinstance(value, str) or value.isprintable(), value
        return line
    return come


@pytest.fixture
def make(pki, tmp_path):
    """A certificate for clients, signed by the clients' issuing CA, with things changed."""
    def made(subject='odd', extensions=(), **more):
        usual = (der.NOT_A_CA, der.SIGNS, der.FOR_CLIENTS)
        subject = subject if isinstance(subject, bytes) else der.name(subject)
        leaf = der.make(tmp_path, pki.clients.issuer, subject, (*usual, *extensions), **more)
        return der.with_chain(leaf, *pki.clients.intermediates)
    return made


def accepted(line):
    assert line['result'] == 'accepted', line
    return line


def refused(line, *reasons):
    assert line['result'] == 'refused', line
    assert line['reason'] in reasons, line
    return line


# --- Let in ----------------------------------------------------------------------------------------


def test_plain_certificate_made_by_hand(offer, make):
    assert accepted(offer(make()))['subject'] == 'CN=odd'


@pytest.mark.parametrize('kind', ['ecdsa', 'rsa', 'ed25519'])
def test_certificates_of_gnutls(handfast, pki, echo, port, tmp_path, kind):
    """A whole PKI by certtool, in its own habits."""
    def certtool(*words):
        subprocess.run(['certtool', *map(str, words)], check=True, capture_output=True)

    def key_of(stem):
        key = tmp_path / f'{stem}.key'
        certtool('--generate-privkey', '--key-type', kind, '--outfile', key)
        return key

    (tmp_path / 'ca.cfg').write_text('cn = "GnuTLS CA"\nca\ncert_signing_key\nexpiration_days = 30\n')
    (tmp_path / 'leaf.cfg').write_text('cn = "gnu"\ntls_www_client\nsigning_key\nexpiration_days = 9\n'
                                       'dns_name = "gnu.example"\n')
    ca_key, key = key_of('ca'), key_of('leaf')
    ca, cert = tmp_path / 'ca.pem', tmp_path / 'leaf.pem'
    certtool('--generate-self-signed', '--load-privkey', ca_key, '--template', tmp_path / 'ca.cfg',
             '--outfile', ca)
    certtool('--generate-certificate', '--load-privkey', key, '--load-ca-certificate', ca,
             '--load-ca-privkey', ca_key, '--template', tmp_path / 'leaf.cfg', '--outfile', cert)
    config = configs.server_side(pki, port, echo)
    config['trust']['clients'] = {'roots': str(ca)}
    daemon = handfast(config)
    with clients.connect(port, pki.servers.root.cert, certs.Leaf('gnu', cert, cert, key)) as client:
        clients.exchange(client)
    assert daemon.log.wait(event='handshake', result='accepted')['identity'] == 'gnu'


def test_name_with_a_nul_in_it(offer, make):
    line = accepted(offer(make(der.name(der.utf8(b'root\0.evil')))))
    assert line['subject'] == r'CN=root\00.evil'
    assert line['identity'] == r'root\x00.evil'


def test_name_in_utf_16(offer, make):
    bmp = der.element(0x1e, 'Ångström'.encode('utf-16-be'))
    assert accepted(offer(make(der.name(bmp))))['identity'] == 'Ångström'


def test_name_that_turns_text_around(offer, make):
    line = accepted(offer(make('admin\u202enimda')))
    assert '\u202e' not in line['identity']


def test_many_names(offer, make):
    names = [f'host-{number}.example.org' for number in range(1500)]
    accepted(offer(make(extensions=[der.dns_names(*names)])))


def test_dns_name_with_a_nul_in_it(offer, make):
    accepted(offer(make(extensions=[der.dns_names(b'good.example\0.evil.example')])))


def test_negative_and_zero_serial_numbers(offer, make):
    assert accepted(offer(make(serial=-5)))['serial'] == '-5'
    assert accepted(offer(make(serial=0)))['serial'] == '0'


def test_chain_in_the_wrong_order_with_strangers_between(offer, pki, make):
    leaf = make()
    der.with_chain(leaf, pki.strangers.root, pki.clients.root, *pki.clients.intermediates)
    accepted(offer(leaf))


def test_cross_signed_issuer(handfast, pki, echo, port, tmp_path):
    """The issuing CA has a certificate of an old root and one of a new root; clients send both."""
    old, new = (certs.Authority(tmp_path, name, intermediates=0) for name in ('old', 'new'))
    key = certs.make_key(tmp_path / 'issuing.key')
    request = certs.openssl('req', '-new', '-key', key, '-subj', '/CN=issuing')
    extensions = tmp_path / 'ca.ext'
    extensions.write_text(certs.CA_EXTENSIONS.format(pathlen=''))
    made = {}
    for root in (old, new):
        cert = tmp_path / f'by-{root.folder.name}.pem'
        certs.openssl('x509', '-req', '-CA', root.root.cert, '-CAkey', root.root.key, '-days', 9,
                      '-extfile', extensions, '-out', cert, stdin=request)
        made[root.folder.name] = certs.Leaf('issuing', cert, cert, key)
    leaf = der.make(tmp_path, made['old'], der.name('dave'),
                    (der.NOT_A_CA, der.SIGNS, der.FOR_CLIENTS))
    der.with_chain(leaf, made['old'], made['new'])
    config = configs.server_side(pki, port, echo)
    config['trust']['clients'] = {'roots': str(old.root.cert)}
    daemon = handfast(config)
    for number, roots in enumerate((old, new)):
        if roots is new:
            config['trust']['clients'] = {'roots': str(new.root.cert)}
            daemon.reload(config)
        with clients.connect(port, pki.servers.root.cert, leaf) as client:
            clients.exchange(client)
        daemon.log.wait(event='handshake', result='accepted', identity='dave', count=number + 1)


# --- Refused ---------------------------------------------------------------------------------------


def test_sha1_signature(offer, pki, tmp_path):
    key = certs.make_key(tmp_path / 'sha1.key')
    request = certs.openssl('req', '-new', '-key', key, '-subj', '/CN=sha1')
    cert = tmp_path / 'sha1.pem'
    issuer = pki.clients.issuer
    certs.openssl('x509', '-req', '-sha1', '-CA', issuer.cert, '-CAkey', issuer.key, '-days', 9, '-out',
                  cert, stdin=request)
    leaf = der.with_chain(certs.Leaf('sha1', cert, cert, key), *pki.clients.intermediates)
    # An engine that offers no SHA-1 for certificates is not even shown this one.
    line = refused(offer(leaf), 'weak-signature', 'no-certificate')
    assert line['reason'] == 'no-certificate' or 'weak hash' in line['detail']


def test_unknown_critical_extension(offer, make):
    odd = der.extension('1.3.6.1.4.1.99999.1', der.sequence(), critical=True)
    line = refused(offer(make(extensions=[odd])), 'critical-extension')
    assert '1.3.6.1.4.1.99999.1' in line['detail']


def test_path_length(offer, pki, tmp_path):
    """An issuing CA of path length 0 with a CA below it."""
    short = certs.Authority(tmp_path, 'short', intermediates=0)
    limited = short._sign('limited', tmp_path / 'limited',
                          certs.CA_EXTENSIONS.format(pathlen=', pathlen:0'), issuer=pki.clients.root)
    below = short._sign('below', tmp_path / 'below', certs.CA_EXTENSIONS.format(pathlen=''),
                        issuer=limited)
    leaf = der.make(tmp_path, below, der.name('x'), (der.NOT_A_CA, der.SIGNS, der.FOR_CLIENTS))
    line = refused(offer(der.with_chain(leaf, below, limited)), 'path-length')
    assert 'limited' in line['detail']


def test_name_constraint(offer, pki, tmp_path):
    folder = certs.Authority(tmp_path, 'narrow', intermediates=0)
    narrow = folder._sign('narrow', tmp_path / 'narrow-ca', certs.CA_EXTENSIONS.format(pathlen='') +
                          'nameConstraints = critical, permitted;DNS:example.org\n',
                          issuer=pki.clients.root)
    usual = (der.NOT_A_CA, der.SIGNS, der.FOR_CLIENTS)
    inside = der.make(tmp_path, narrow, der.name('x'), (*usual, der.dns_names('a.example.org')))
    accepted(offer(der.with_chain(inside, narrow)))
    outside = der.make(tmp_path, narrow, der.name('x'), (*usual, der.dns_names('a.example.com')))
    refused(offer(der.with_chain(outside, narrow)), 'name-constraint')


def test_twenty_deep(offer, pki, tmp_path):
    above, chain = pki.clients.issuer, list(pki.clients.intermediates)
    for number in range(20):
        above = der.make(tmp_path, above, der.name(f'CA {number}'), (der.A_CA, der.SIGNS_CERTIFICATES))
        chain.insert(0, above)
    leaf = der.make(tmp_path, above, der.name('deep'), (der.NOT_A_CA, der.SIGNS, der.FOR_CLIENTS))
    refused(offer(der.with_chain(leaf, *chain)), 'chain-too-long')
    few = der.with_chain(leaf, *chain[:6])
    refused(offer(few), 'unknown-ca', 'path-too-deep')


def test_signature_of_another(offer, pki, make, tmp_path):
    """The leaf's signature with one byte changed."""
    leaf = make()
    raw = bytearray(certs.openssl('x509', '-in', leaf.cert, '-outform', 'DER'))
    raw[-3] ^= 1
    leaf.cert.write_bytes(der.pem(bytes(raw)))
    refused(offer(der.with_chain(leaf, *pki.clients.intermediates)), 'bad-signature')


def test_root_with_another_key(offer, pki, tmp_path):
    """A CA that was made anew under its old name."""
    twin = certs.Authority(tmp_path, 'clients', intermediates=0)
    leaf = twin.client('late')
    assert 'another key' in refused(offer(leaf), 'unknown-ca')['detail']


def test_dates_that_rfc_5280_does_not_allow(offer, make):
    fraction = der.generalized_time('20491231235959.5Z')
    line = offer(make(not_after=fraction))
    assert line['result'] == 'refused', line


def test_expired_by_a_day_far_away(offer, make):
    line = refused(offer(make(not_after=der.utc_time('991231235959Z'))), 'expired')
    years = datetime.date.today().year - 2000
    assert f'{365 * years // 1000}' in line['detail'] or 'expired' in line['detail']

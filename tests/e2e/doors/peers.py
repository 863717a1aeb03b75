# SPDX-License-Identifier: Apache-2.0
"""The peers of the table, and the authority that vouches for them, or doesn't."""

import dataclasses
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from harness import certs

DAY = datetime.timedelta(days=1)
SHARDS = 2
KEYS = {'p256': lambda: ec.generate_private_key(ec.SECP256R1()),
        'p384': lambda: ec.generate_private_key(ec.SECP384R1()),
        'rsa': lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        'ed25519': ed25519.Ed25519PrivateKey.generate}


@dataclasses.dataclass
class Peer:
    """always: how it is refused whatever is said of it. lists: how it is refused as no list answers.
    falls: how it is refused once it, or a CA above it, is revoked; `by` is whom the lists then name."""
    name: str
    leaf: certs.Leaf = None
    always: str = None
    lists: str = None
    falls: str = None
    by: object = None
    reason: str = 'keyCompromise'
    says: str = None   # the responder's way with it (responders.py), where that is its own
    asked: str = None  # how it is refused by what the responder says
    shown: str = None  # and when it shows that, and nobody is asked


class Authority:
    def __init__(self, folder, point, responder=None):
        """point(issuer's name, shard's number) is the URL of a shard. responder(issuer's name, way) is
        that of the responder that is to be asked; way: of Peer.says."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.point, self.responder = point, responder
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
        self._made, self._issuer = {}, {}
        self.shard = {}
        self.root = self.make('root', None, ca=True)
        self.chains = {'root': []}
        self.cas = {'root': self.root}

    def _name(self, name):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Doors'),
                          x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def make(self, name, issuer, ca=False, key='p256', start=-1, end=30, usage=ExtendedKeyUsageOID.CLIENT_AUTH,
             path=None, permitted=None, dns=None, critical=None, breaks=False, says=None):
        """start, end: in days from now. says: Peer.says; False: it names no responder."""
        own = KEYS[key]()
        parent, parent_key = self._made[issuer] if issuer else (None, own)
        subject = self._name(name)
        builder = x509.CertificateBuilder().subject_name(subject)
        builder = builder.issuer_name(parent.subject if parent else subject).public_key(own.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(self.now + start * DAY).not_valid_after(self.now + end * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca, path), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_key.public_key()), False)
        builder = builder.add_extension(
            x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), True)
        if not ca and usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        if not ca and issuer:
            self.shard[name] = len(self.shard) % SHARDS
            uri = x509.UniformResourceIdentifier(self.point(issuer, self.shard[name]))
            builder = builder.add_extension(
                x509.CRLDistributionPoints([x509.DistributionPoint([uri], None, None, None)]), False)
        if issuer and self.responder and says is not False:
            uri = x509.UniformResourceIdentifier(self.responder(issuer, says))
            builder = builder.add_extension(x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri)]), False)
        if permitted:
            builder = builder.add_extension(x509.NameConstraints([x509.DNSName(permitted)], None), True)
        if dns:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), False)
        if critical:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(x509.ObjectIdentifier(critical), b'\x05\x00'), True)
        signer = ec.generate_private_key(ec.SECP256R1()) if breaks else parent_key
        made = builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())
        self._made[name], self._issuer[name] = (made, own), issuer
        return self._write(name, made, own)

    def _write(self, name, made, own):
        path = self.folder / f'{name}.pem'
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key = path.with_suffix('.key')
        key.touch(mode=0o600)
        key.write_bytes(own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
        return certs.Leaf(name, path, path, key)

    def key_of(self, name):
        return self._made[name]

    def issued(self):
        """Everything that CAs have issued: (name, certificate, issuer's name)."""
        return [(name, self._made[name][0], issuer) for name, issuer in self._issuer.items() if issuer in self.cas]

    def ca(self, name, issuer='root', **more):
        leaf = self.make(name, issuer, ca=True, **more)
        self.cas[name] = leaf
        self.chains[name] = [leaf, *self.chains[issuer]]
        return leaf

    def peer(self, name, issuer, above=None, **more):
        """A leaf with the chain that it sends: its issuer's, or these."""
        leaf = self.make(name, issuer, **more)
        above = self.chains[issuer] if above is None else above
        chain = self.folder / f'{name}.chain.pem'
        chain.write_bytes(b''.join(one.cert.read_bytes() for one in [leaf, *above]))
        leaf.chain = chain
        return leaf


def everybody(authority):
    """All peers; at least thirty."""
    ca, leaf = authority.ca, authority.peer
    for name in ('issuing', 'gnu', 'swan', 'fallen', 'upper', 'mid', 'stale', 'unlisted', 'forged', 'early'):
        ca(name)
    ca('lower', 'upper')
    ca('deep', 'mid')
    ca('lowfallen', 'mid')
    ca('deeper', 'deep')
    ca('too-deep', 'deeper')
    ca('expired-ca', start=-20, end=-10)
    ca('constrained', permitted='example.org')
    ca('short', path=0)
    ca('beyond-short', 'short')
    other = Authority(authority.folder / 'others', authority.point, authority.responder)
    other.ca('stranger-ca')
    no_ca = leaf('no-ca', 'issuing')
    authority.chains['no-ca'] = [no_ca, *authority.chains['issuing']]
    good = [
        Peer('good', leaf('good', 'issuing')),
        Peer('good-p384', leaf('good-p384', 'issuing', key='p384')),
        Peer('good-rsa', leaf('good-rsa', 'issuing', key='rsa')),
        Peer('good-ed25519', leaf('good-ed25519', 'issuing', key='ed25519')),
        Peer('good-under-root', leaf('good-under-root', 'root')),
        Peer('good-deep', leaf('good-deep', 'deep')),
        Peer('good-deeper', leaf('good-deeper', 'deeper')),
        Peer('good-by-certtool', leaf('good-by-certtool', 'gnu')),
        Peer('good-by-pki', leaf('good-by-pki', 'swan')),
        Peer('good-name', leaf('good-name', 'constrained', dns='a.example.org')),
    ]
    bad = [
        Peer('none', None, always='no-certificate'),
        Peer('stranger', other.peer('stranger', 'stranger-ca'), always='unknown-ca'),
        Peer('self-signed', other.make('self-signed', None), always='self-signed'),
        Peer('expired', leaf('expired', 'issuing', start=-20, end=-10), always='expired'),
        Peer('not-yet', leaf('not-yet', 'issuing', start=5), always='not-yet-valid'),
        Peer('under-expired-ca', leaf('under-expired-ca', 'expired-ca', start=-20), always='expired'),
        Peer('server-only', leaf('server-only', 'issuing', usage=ExtendedKeyUsageOID.SERVER_AUTH),
             always='wrong-usage'),
        Peer('no-intermediate', leaf('no-intermediate', 'issuing', above=[]), always='missing-intermediate'),
        Peer('too-deep', leaf('under-too-deep', 'too-deep'), always='path-too-deep'),
        Peer('wrong-name', leaf('bad-name', 'constrained', dns='a.example.com'), always='name-constraint'),
        Peer('path-length', leaf('path-length', 'beyond-short'), always='path-length'),
        Peer('by-no-ca', leaf('by-no-ca', 'no-ca'), always='not-a-ca'),
        Peer('critical', leaf('critical', 'issuing', critical='1.3.6.1.4.1.99999.1'), always='critical-extension'),
        Peer('bad-signature', leaf('bad-signature', 'issuing', breaks=True), always='bad-signature'),
    ]
    unlisted = [
        Peer('stale', leaf('under-stale', 'stale'), lists='crl-stale'),
        Peer('missing', leaf('under-unlisted', 'unlisted', says=False), lists='crl-missing'),
        Peer('untrusted', leaf('under-forged', 'forged'), lists='crl-untrusted'),
        Peer('early', leaf('under-early', 'early'), lists='crl-not-yet'),
    ]

    def falls(name, issuer, reason='keyCompromise', code='revoked', by=None):
        made = leaf(name, issuer)
        return Peer(name, made, falls=code, by=by or made, reason=reason)

    fallen = [
        falls('revoked', 'issuing'),
        falls('superseded', 'issuing', 'superseded'),
        falls('cessation', 'issuing', 'cessationOfOperation'),
        falls('held', 'issuing', 'certificateHold', 'on-hold'),
        falls('revoked-under-root', 'root'),
        falls('revoked-deep', 'deeper'),
        falls('revoked-by-certtool', 'gnu'),
        falls('revoked-by-pki', 'swan'),
        falls('revoked-under-stale', 'stale'),
        falls('ca-revoked', 'fallen', by=authority.cas['fallen']),
        falls('upper-ca-revoked', 'lower', by=authority.cas['upper']),
        falls('lower-ca-revoked', 'lowfallen', by=authority.cas['lowfallen']),
    ]
    return good + bad + unlisted + fallen


def answered(authority):
    """More peers, each of whom a responder has its own way with."""
    made = []

    def way(says, asked=None, shown=None):
        leaf = authority.peer(f'by-{says}', 'issuing', says=says)
        made.append(Peer(f'by-{says}', leaf, says=says, asked=asked, shown=shown or asked))

    way('delegate')
    way('delegate-expired', 'ocsp-stale')
    way('delegate-of-others', 'ocsp-untrusted')
    way('another-client', 'ocsp-untrusted')
    way('other-serial', 'ocsp-untrusted')
    way('sha1', 'ocsp-untrusted')
    way('cut', 'ocsp-untrusted')
    way('garbage', 'ocsp-untrusted')
    way('unknown', 'ocsp-unknown')
    way('try-later', 'ocsp-unreachable', 'ocsp-no-staple')
    way('other-nonce', 'ocsp-untrusted', 'ok')
    way('down', 'ocsp-unreachable', 'ocsp-no-staple')
    way('redirect', 'ocsp-unreachable', 'ocsp-no-staple')
    way('huge', 'ocsp-unreachable', 'ocsp-no-staple')
    way('silent', 'ocsp-unreachable', 'ocsp-no-staple')
    return made

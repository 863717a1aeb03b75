# SPDX-License-Identifier: Apache-2.0
"""Certificates put together byte by byte, for what no tool would make. openssl only signs."""

import base64
import os
import re
import subprocess

from harness import certs


def element(tag, *parts):
    body = b''.join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(size)]) + size + body


def sequence(*parts):
    return element(0x30, *parts)


def oid(text):
    first, second, *rest = (int(part) for part in text.split('.'))
    out = bytearray()
    for part in [first * 40 + second, *rest]:
        piece = [part & 0x7f]
        while part := part >> 7:
            piece.insert(0, part & 0x7f | 0x80)
        out += bytes(piece)
    return element(0x06, bytes(out))


def integer(value):
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, 'big', signed=True))


def utf8(text):
    return element(0x0c, text if isinstance(text, bytes) else text.encode())


def name(*values):
    """A DN of CNs; each an element of its own making, or text."""
    return sequence(*(element(0x31, sequence(oid('2.5.4.3'),
                                             value if isinstance(value, bytes) else utf8(value)))
                      for value in values))


def utc_time(text):
    return element(0x17, text.encode())


def generalized_time(text):
    return element(0x18, text.encode())


def extension(number, value, critical=False):
    return sequence(oid(number), *([element(0x01, b'\xff')] if critical else []), element(0x04, value))


BASIC = '2.5.29.19'
KEY_USAGE = '2.5.29.15'
SAN = '2.5.29.17'
EXTENDED_KEY_USAGE = '2.5.29.37'

NOT_A_CA = extension(BASIC, sequence(), critical=True)
A_CA = extension(BASIC, sequence(element(0x01, b'\xff')), critical=True)
SIGNS = extension(KEY_USAGE, element(0x03, b'\x07\x80'), critical=True)
SIGNS_CERTIFICATES = extension(KEY_USAGE, element(0x03, b'\x01\x06'), critical=True)
FOR_CLIENTS = extension(EXTENDED_KEY_USAGE, sequence(oid('1.3.6.1.5.5.7.3.2')))

ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))


def dns_names(*names):
    return extension(SAN, sequence(*(element(0x82, one if isinstance(one, bytes) else one.encode())
                                     for one in names)))


def subject_of(leaf):
    """The subject of a certificate that somebody else made, in DER."""
    der = certs.openssl('x509', '-in', leaf.cert, '-outform', 'DER')
    text = certs.openssl('asn1parse', '-inform', 'DER', stdin=der).decode().splitlines()
    # tbsCertificate's children, by depth 2: version, serial, algorithm, issuer, validity, subject
    children = [line for line in text if ':d=2 ' in line]
    offset, header, length = map(int, re.match(r' *(\d+):d=2 +hl=(\d+) +l= *(\d+)', children[5]).groups())
    return der[offset:offset + header + length]


def make(folder, issuer, subject, extensions=(), serial=None, not_before=None, not_after=None,
         version=2, title='made'):
    """Signs with the issuer (its key must be P-256) and gives a certs.Leaf with a chain."""
    stem = folder / f'{title}-{os.urandom(4).hex()}'
    key = certs.make_key(stem.with_suffix('.key'))
    public = certs.openssl('pkey', '-in', key, '-pubout', '-outform', 'DER')
    serial = int.from_bytes(os.urandom(15), 'big') if serial is None else serial
    tbs = sequence(
        *([element(0xa0, integer(version))] if version else []),
        integer(serial), ECDSA_SHA256, subject_of(issuer),
        sequence(not_before or utc_time('200101000000Z'), not_after or utc_time('491231235959Z')),
        subject, public,
        *([element(0xa3, sequence(*extensions))] if extensions else []))
    signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', issuer.key], input=tbs,
                               capture_output=True, check=True).stdout
    der = sequence(tbs, ECDSA_SHA256, element(0x03, b'\0' + signature))
    cert = stem.with_suffix('.pem')
    cert.write_bytes(pem(der))
    return certs.Leaf(title, cert, cert, key)


def pem(der, label='CERTIFICATE'):
    body = base64.encodebytes(der).decode()
    return f'-----BEGIN {label}-----\n{body}-----END {label}-----\n'.encode()


def with_chain(leaf, *above):
    """The leaf with these certificates behind it."""
    chain = leaf.cert.with_suffix('.chain.pem')
    chain.write_bytes(leaf.cert.read_bytes() + b''.join(ca.cert.read_bytes() for ca in above))
    leaf.chain = chain
    return leaf

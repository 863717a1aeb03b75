#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the CA makes in the hands of OpenSSL, GnuTLS, NSS and Java, and their requests in its.

outside.py MAKE_CERTS: prints TAP."""

import pathlib
import subprocess
import sys
import tempfile

KINDS = ['p256', 'p384', 'ed25519', 'rsa3072']
# NSS 3.87 knows no Ed25519 in certificates.
NSS_KINDS = ['p256', 'p384', 'rsa3072']


def run(*words, **more):
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)
    if made.returncode != 0:
        raise AssertionError(f'{words}: {made.stdout}{made.stderr}')
    return made.stdout + made.stderr


class Outside:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        run(program, folder)

    def openssl_verifies_strictly(self):
        uses = {'server': 'sslserver', 'service': 'sslserver', 'user': 'sslclient',
                'device': 'sslclient', 'ocsp-signer': 'ocsphelper'}
        for kind in KINDS:
            for profile, purpose in uses.items():
                run('openssl', 'verify', '-x509_strict', '-check_ss_sig', '-policy_check',
                    '-purpose', purpose, '-CAfile', self.folder / f'{kind}-root.pem',
                    '-untrusted', self.folder / f'{kind}-issuing.pem',
                    self.folder / f'{kind}-{profile}.pem')

    def openssl_reads_what_was_meant(self):
        text = run('openssl', 'x509', '-in', self.folder / 'p256-server.pem', '-noout', '-text')
        for part in ('Version: 3', 'ecdsa-with-SHA256', 'DNS:a.example.org', 'CA:FALSE',
                     'TLS Web Server Authentication', 'Digital Signature',
                     'URI:http://ca.example.org/x', 'OCSP - URI', 'CA Issuers - URI'):
            assert part in text, part
        text = run('openssl', 'x509', '-in', self.folder / 'p256-issuing.pem', '-noout', '-text')
        for part in ('CA:TRUE, pathlen:0', 'Permitted:', 'DNS:example.org', 'IP:10.0.0.0/255.0.0.0',
                     'email:example.org', 'Certificate Sign, CRL Sign'):
            assert part in text, part

    def openssl_finds_the_same_key(self):
        for kind in KINDS:
            stem = self.folder / f'{kind}-user'
            assert (run('openssl', 'x509', '-in', f'{stem}.pem', '-noout', '-pubkey') ==
                    run('openssl', 'pkey', '-in', f'{stem}.key', '-pubout'))

    def gnutls_verifies(self):
        for kind in KINDS:
            for profile in ('server', 'user', 'device'):
                chain = ''.join((self.folder / f'{kind}-{which}.pem').read_text()
                                for which in (profile, 'issuing'))
                said = run('certtool', '--verify', '--load-ca-certificate',
                            self.folder / f'{kind}-root.pem', input=chain)
                assert 'The certificate is trusted' in said, said

    def nss_verifies(self):
        for kind in NSS_KINDS:
            db = self.folder / f'nss-{kind}'
            db.mkdir()
            run('certutil', '-N', '-d', f'sql:{db}', '--empty-password')
            for name, trust in (('root', 'CT,C,C'), ('issuing', ',,'), ('server', ',,'),
                                ('user', ',,')):
                run('certutil', '-A', '-d', f'sql:{db}', '-n', name, '-t', trust, '-i',
                    self.folder / f'{kind}-{name}.pem')
            for name, usage in (('server', 'V'), ('user', 'C')):
                said = run('certutil', '-V', '-d', f'sql:{db}', '-n', name, '-u', usage, '-e')
                assert 'certificate is valid' in said, said

    def java_reads_and_chains(self):
        for kind in KINDS:
            store = self.folder / f'{kind}.store'
            run('keytool', '-importcert', '-noprompt', '-alias', 'root', '-file',
                self.folder / f'{kind}-root.pem', '-keystore', store, '-storepass', 'changeit')
            run('keytool', '-importcert', '-noprompt', '-alias', 'issuing', '-file',
                self.folder / f'{kind}-issuing.pem', '-keystore', store, '-storepass', 'changeit')
            said = run('keytool', '-printcert', '-file', self.folder / f'{kind}-server.pem')
            assert 'DNSName: a.example.org' in said, said
            assert 'serverAuth' in said, said

    def requests_of_others_are_read(self):
        at = self.folder
        run('certtool', '--generate-privkey', '--key-type', 'ecdsa', '--curve', 'secp256r1',
            '--outfile', at / 'g.key')
        (at / 'g.tmpl').write_text('cn = "alice"\norganization = "Example"\n'
                                   'dns_name = "a.example.org"\ntls_www_client\nsigning_key\n')
        run('certtool', '--generate-request', '--load-privkey', at / 'g.key', '--template',
            at / 'g.tmpl', '--outfile', at / 'g.csr')
        self.expect(at / 'g.csr', 'p256 CN=alice,O=Example 1')
        run('keytool', '-genkeypair', '-alias', 'a', '-keyalg', 'RSA', '-keysize', '2048', '-dname',
            'CN=bob, O=Example', '-keystore', at / 'j.p12', '-storepass', 'changeit')
        run('keytool', '-certreq', '-alias', 'a', '-keystore', at / 'j.p12', '-storepass',
            'changeit', '-ext', 'san=dns:b.example.org,ip:10.0.0.1', '-file', at / 'j.csr')
        self.expect(at / 'j.csr', 'rsa2048 CN=bob,O=Example 2')
        db = at / 'nssdb'
        db.mkdir()
        run('certutil', '-N', '-d', f'sql:{db}', '--empty-password')
        (at / 'noise').write_bytes(b'n' * 256)
        run('certutil', '-R', '-d', f'sql:{db}', '-s', 'CN=carol,O=Example', '-k', 'ec', '-q',
            'nistp384', '-z', at / 'noise', '-o', at / 'n.csr')
        self.expect(at / 'n.csr', 'p384 CN=carol,O=Example 0')
        run('openssl', 'req', '-new', '-newkey', 'ed25519', '-nodes', '-keyout', at / 'o.key',
            '-subj', '/O=Example/CN=dave', '-addext', 'subjectAltName=URI:urn:a:b', '-out',
            at / 'o.csr')
        self.expect(at / 'o.csr', 'ed25519 CN=dave,O=Example 1')
        run('openssl', 'genpkey', '-algorithm', 'DSA', '-genparam', '-pkeyopt',
            'dsa_paramgen_bits:2048', '-out', at / 'dsa.par')
        run('openssl', 'genpkey', '-paramfile', at / 'dsa.par', '-out', at / 'dsa.key')
        run('openssl', 'req', '-new', '-key', at / 'dsa.key', '-subj', '/CN=x', '-out',
            at / 'dsa.csr')
        self.expect(at / 'dsa.csr', 'key-type', refused=True)

    def expect(self, path, line, refused=False):
        made = subprocess.run([self.program, '--csr', path], capture_output=True, text=True,
                              check=False)
        assert made.stdout.strip() == line, f'{path}: {made.stdout}{made.stderr}'
        assert (made.returncode != 0) == refused


def main():
    with tempfile.TemporaryDirectory() as folder:
        outside = Outside(sys.argv[1], pathlib.Path(folder))
        tests = [name for name in vars(Outside) if '_' in name and not name.startswith('_')]
        print(f'1..{len(tests)}')
        for number, name in enumerate(tests, 1):
            try:
                getattr(outside, name)()
                print(f'ok {number} - {name}', flush=True)
            except AssertionError as why:
                print('\n'.join(f'# {line}' for line in str(why).splitlines()))
                print(f'not ok {number} - {name}', flush=True)


main()

# SPDX-License-Identifier: Apache-2.0
"""A CA three levels down is held to what each CA above it may do: names, dates, depth. What it issues
is then good for openssl, and what would not be isn't issued."""

import pytest

from harness import cas, certs


@pytest.fixture
def site(tmp_path):
    """root - top (only example.org, two CAs below it, 300 days) - middle - low"""
    ca = cas.Ca(tmp_path / 'ca')
    ca.good('authority make', 'top', '--parent', 'root', '--subject', 'CN=Top,O=Example', '--permit',
            'DNS:example.org', '--path-length', '2', '--lifetime', '300d')
    ca.good('authority make', 'middle', '--parent', 'top', '--subject', 'CN=Middle,O=Example',
            '--path-length', 'none')
    ca.good('authority make', 'low', '--parent', 'middle', '--subject', 'CN=Low,O=Example',
            '--path-length', 'none')
    return ca


def serve(ca, name, *words):
    return ca.issue('server', name, '--authority', 'low', *words)


def test_names_of_the_top_bind_the_bottom(site):
    leaf = serve(site, 'a.example.org')
    certs.openssl('verify', '-x509_strict', '-CAfile', site.roots, '-untrusted', leaf.chain, leaf.chain)
    said = site.bad('issue', '--server', 'a.example.com', '--authority', 'low', '--out',
                    site.folder.parent / 'x')
    assert 'a.example.com' in said
    assert not list(site.folder.parent.glob('x*'))


def test_nothing_lasts_longer_than_the_top(site):
    leaf = serve(site, 'b.example.org', '--lifetime', '390d')
    text = certs.openssl('crl2pkcs7', '-nocrl', '-certfile', leaf.chain)
    ends = [certs.openssl('x509', '-noout', '-enddate', stdin=part).decode() for part in split(leaf.chain)]
    assert len(ends) == 4 and text
    assert len(set(ends)) == 1, ends


def split(path):
    end = b'-----END CERTIFICATE-----\n'
    return [part + end for part in path.read_bytes().split(end) if part.strip()]


def test_no_ca_follows_below_the_last_that_may(site):
    said = site.bad('authority make', 'lower', '--parent', 'low', '--subject', 'CN=Lower,O=Example')
    assert 'no CA may follow below it' in said
    depth = [certs.openssl('x509', '-noout', '-ext', 'basicConstraints', stdin=part).decode()
             for part in split(serve(site, 'c.example.org').chain)[1:]]
    assert ['pathlen:0' in one for one in depth] == [True, False, False], depth
    assert 'pathlen:1' in depth[1] and 'pathlen:2' in depth[2]

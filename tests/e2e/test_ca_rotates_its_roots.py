# SPDX-License-Identifier: Apache-2.0
"""handfast ca rotate: nobody is locked out while a root is replaced; the old one goes last."""

import subprocess

from harness import cas, certs, clients, configs


def verifies(roots, leaf):
    made = subprocess.run(['openssl', 'verify', '-CAfile', roots, '-untrusted', leaf.cert, leaf.cert],
                          capture_output=True, text=True, check=False)
    return made.returncode == 0


def gnutls_verifies(roots, leaf):
    return subprocess.run(['certtool', '--verify', '--load-ca-certificate', roots, '--infile',
                           leaf.cert], capture_output=True, check=False).returncode == 0


def copy(path, to):
    to.write_bytes(path.read_bytes())
    return to


def roots_in(path):
    return path.read_text().count('BEGIN CERTIFICATE')


def test_both_roots_are_good_until_the_old_one_is_given_up(ca, tmp_path):
    before = copy(ca.roots, tmp_path / 'before.pem')
    old = ca.issue('client', 'old')
    ca.good('rotate start')
    both = copy(ca.roots, tmp_path / 'both.pem')
    assert roots_in(both) == 2
    new = ca.issue('client', 'new')
    only_new = tmp_path / 'only-new.pem'
    only_new.write_text(ca.good('authority show', 'root-2'))
    for roots in (before, both, only_new):
        assert verifies(roots, new), roots
        assert gnutls_verifies(roots, new), roots
    assert verifies(before, old) and verifies(both, old) and not verifies(only_new, old)

    status = {root['name']: root for root in ca.json('rotate status')['roots']}
    assert (status['root']['good'], status['root-2']['good']) == (1, 1)
    assert status['root']['successor'] == 'root-2'
    assert '1 good certificates are left below "root"' in ca.bad('rotate finish')
    ca.good('renew', '--cert', old.cert, '--out', tmp_path / 'renewed')
    renewed = certs.Leaf('old', tmp_path / 'renewed.pem', tmp_path / 'renewed.pem', old.key)
    assert verifies(only_new, renewed), 'renewing goes over to the new root'
    status = {root['name']: root for root in ca.json('rotate status')['roots']}
    assert (status['root']['good'], status['root']['renewed']) == (1, 1)
    ca.good('revoke', '--cert', old.cert, '--reason', 'superseded')
    ca.good('rotate finish')
    after = copy(ca.roots, tmp_path / 'after.pem')
    assert roots_in(after) == 1
    assert verifies(after, renewed) and not verifies(after, old)
    late = ca.issue('client', 'late')
    assert verifies(after, late)
    assert late.cert.read_text().count('BEGIN CERTIFICATE') == 2, 'the old root\'s signature is gone'
    assert 'no rotation is under way' in ca.bad('rotate finish')


def test_started_twice_is_told_and_changes_nothing(ca):
    ca.good('rotate start')
    before = ca.json('authority list')
    assert 'under way' in ca.bad('rotate start')
    assert ca.json('authority list') == before


def test_finish_can_be_forced_and_then_issues_below_the_new_root_only(ca):
    ca.issue('client', 'old')
    assert 'is the only root' in ca.bad('rotate finish', '--root', 'root')
    ca.good('rotate start')
    ca.good('rotate finish', '--force')
    rows = {row['name']: row for row in ca.json('authority list')}
    assert not rows['root']['trusted'] and rows['root']['state'] == 'retired'
    assert rows['issuing']['state'] == 'retired' and rows['issuing-2']['state'] == 'active'
    ca.good('rotate start')
    assert {'root-3', 'issuing-3'} <= {row['name'] for row in ca.json('authority list')}


def test_an_issuing_ca_alone(ca, tmp_path):
    old = ca.issue('client', 'old')
    ca.good('rotate start', '--issuing-only')
    assert roots_in(ca.roots) == 1
    new = ca.issue('client', 'new')
    assert new.field('-issuer') != old.field('-issuer')
    assert verifies(ca.roots, old) and verifies(ca.roots, new)


def test_the_proxy_lets_both_in_meanwhile(tmp_path, pki, handfast, echo, port):
    """A proxy that knows only the old root lets in who came after the rotation began."""
    ca = cas.Ca(tmp_path / 'ca')
    before = copy(ca.roots, tmp_path / 'before.pem')
    old = ca.issue('client', 'old')
    ca.good('rotate start')
    new = ca.issue('client', 'new')
    config = configs.server_side(pki, port, echo)
    config['trust']['clients'] = {'roots': str(before)}
    daemon = handfast(config)
    for leaf in (old, new):
        with clients.connect(port, pki.servers.root.cert, leaf) as client:
            clients.exchange(client)
        daemon.log.wait(event='handshake', result='accepted', identity=leaf.name)

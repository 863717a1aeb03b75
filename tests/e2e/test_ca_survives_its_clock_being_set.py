# SPDX-License-Identifier: Apache-2.0
"""The clock of a CA's daemon is set back by a day, and forward by a year and back again. Lists are
never dated before the last one for a day's mistake, and not held by a year's; their numbers only go
up; nobody who was revoked is forgotten; OCSP has a signer that is good by the clock there is."""

import datetime
import subprocess
import types

import pytest

from harness import canode, cas, certs, clients, faketime, waiting

DAY, YEAR = faketime.DAY, 366 * faketime.DAY


@pytest.fixture
def clock(tmp_path):
    return faketime.Clock(tmp_path / 'clock')


@pytest.fixture
def site(tmp_path, clock):
    """A CA of ten days ago, with clients of then."""
    clock.set(-10 * DAY)
    ca = cas.Ca(tmp_path / 'ca', env=clock.env())
    made = canode.Site(ca, tmp_path)
    made.alice, made.bob, made.carol = (ca.issue('client', name) for name in ('alice', 'bob', 'carol'))
    clock.set(0)
    return made


def when(text):
    return datetime.datetime.strptime(text.strip(), '%b %d %H:%M:%S %Y %Z').replace(
        tzinfo=datetime.timezone.utc).timestamp()


def read_crl(node):
    status, der = node.get('/crl/issuing.crl')
    if status != 200:
        return None
    told = certs.openssl('crl', '-inform', 'DER', '-noout', '-text', '-crlnumber', '-lastupdate', '-nextupdate',
                         stdin=der).decode()
    field = {line.split('=')[0]: line.split('=')[1] for line in told.splitlines()
             if line.startswith(('crlNumber=', 'lastUpdate=', 'nextUpdate='))}
    return types.SimpleNamespace(number=int(field['crlNumber'], 16), made=when(field['lastUpdate']),
                                 until=when(field['nextUpdate']), text=told.upper())


def next_crl(node, after):
    """The first list with a number above that."""
    found = []

    def there():
        crl = read_crl(node)
        if crl and crl.number > after:
            found.append(crl)
        return bool(found)

    waiting.until(there)
    return found[0]


def ocsp(node, folder, cert, ago=0):
    """What openssl says of a certificate, now or so many seconds ago: chains of then, answers of about then."""
    issuing = folder / 'issuing.pem'
    issuing.write_bytes(certs.openssl('x509', '-inform', 'DER', stdin=node.get('/ca/issuing.crt')[1]))
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    ended = subprocess.run(
        ['openssl', 'ocsp', '-issuer', issuing, '-cert', cert, '-CAfile', node.site.roots, '-url',
         f'http://127.0.0.1:{node.public}/ocsp', '-attime', str(int(now - ago)), '-validity_period',
         str(300 + ago)], capture_output=True, text=True, check=False, timeout=waiting.SECONDS)
    if 'Response verify OK' not in ended.stderr or 'WARNING' in ended.stderr:
        return ended.stderr
    return ended.stdout.split(': ')[1].split()[0]


def wait_ocsp(node, folder, cert, answer, ago=0):
    waiting.until(lambda: ocsp(node, folder, cert, ago) == answer, f'{answer} of {cert}')


def is_listed(crl, leaf):
    return cas.serial(leaf.cert).upper() in crl.text


def test_a_day_back(site, handfast, ports, clock, tmp_path):
    node = site.node(handfast, ports, env=clock.env())
    site.ca.good('revoke', '--cert', site.bob.cert)
    waiting.until(lambda: (crl := read_crl(node)) and is_listed(crl, site.bob))
    before = read_crl(node)
    clock.set(-DAY)
    after = next_crl(node, before.number)
    assert after.made >= before.made
    assert after.until - after.made == before.until - before.made
    assert is_listed(after, site.bob)
    site.ca.good('revoke', '--cert', site.carol.cert)
    waiting.until(lambda: is_listed(read_crl(node), site.carol))
    assert read_crl(node).made >= before.made
    # OCSP by that clock: a signer that isn't of tomorrow.
    wait_ocsp(node, tmp_path, site.alice.cert, 'good', DAY)
    assert ocsp(node, tmp_path, site.bob.cert, DAY) == 'revoked'
    # What is issued is of yesterday, and good in the eyes of everybody.
    client = node.client(site.ops)
    made = client.issue('of-yesterday')
    client.close()
    begins = when(certs.openssl('x509', '-noout', '-startdate', stdin=made['certificate'].encode())
                  .decode().split('=')[1])
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    assert now - 1.1 * DAY < begins < now - 0.9 * DAY
    node.enter(site.alice).close()
    assert clients.refusal(node.door, site.roots, site.bob) == 'certificate revoked'
    clock.set(0)
    latest = next_crl(node, read_crl(node).number)
    assert latest.made >= before.made
    wait_ocsp(node, tmp_path, site.alice.cert, 'good')


def test_before_the_ca_began_nothing_is_issued(site, handfast, ports, clock):
    node = site.node(handfast, ports, env=clock.env())
    clock.set(-30 * DAY)
    ended = site.ca.run('issue', '--client', 'x', '--out', site.ca.folder.parent / 'x')
    assert ended.returncode == 1, ended.stdout
    assert "the CA's certificate has not begun yet; it can't issue" in ended.stderr
    clock.set(0)
    assert not [row for row in site.ca.list() if row['name'] == 'x']
    node.enter(site.alice).close()


def test_a_year_forward_and_right_again(site, handfast, ports, clock, tmp_path):
    node = site.node(handfast, ports, env=clock.env())
    site.ca.good('revoke', '--cert', site.bob.cert)
    waiting.until(lambda: (crl := read_crl(node)) and is_listed(crl, site.bob))
    numbers = [read_crl(node).number]
    clock.set(YEAR)
    ahead = next_crl(node, numbers[-1])
    numbers.append(ahead.number)
    assert ahead.made > numbers[0] and ahead.made - datetime.datetime.now().timestamp() > YEAR - DAY
    # By that clock all of them have expired: the list after that one has them no more.
    site.ca.good('revoke', '--cert', site.carol.cert)
    waiting.until(lambda: read_crl(node).number > ahead.number and not is_listed(read_crl(node), site.bob))
    numbers.append(read_crl(node).number)
    # Started by the wrong clock, it takes no notice of who has expired by it.
    node.kill()
    node.start()
    numbers.append(next_crl(node, numbers[-1]).number)
    clock.set(0)
    right = next_crl(node, numbers[-1])
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    assert now - 300 < right.made <= now + 60, 'a list that nobody can use'
    assert is_listed(right, site.bob) and is_listed(right, site.carol)
    assert clients.refusal(node.door, site.roots, site.bob) == 'certificate revoked'
    assert clients.refusal(node.door, site.roots, site.carol) == 'certificate revoked'
    node.enter(site.alice).close()
    wait_ocsp(node, tmp_path, site.alice.cert, 'good')
    wait_ocsp(node, tmp_path, site.bob.cert, 'revoked')
    assert site.ca.json('audit verify')['whole']

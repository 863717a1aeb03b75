# SPDX-License-Identifier: Apache-2.0
"""handfast ca audit verify: whoever writes to the database beside handfast is found out. Each change is
made with sqlite3 to a copy of one CA."""

import contextlib
import json
import shutil
import sqlite3

import pytest

from harness import cas

ALICE_UNREVOKED = ("UPDATE certificates SET status = 0, revoked_at = 0, reason = 0, journal = 0"
                   " WHERE identity = 'alice'")
BOB_RELEASED = ALICE_UNREVOKED.replace('alice', 'bob')
CHANGES = {
    "UPDATE audit SET detail = '{}' WHERE seq = 5": 'line 5 was changed, or the one before it',
    "UPDATE audit SET actor = 'x' WHERE seq = 5": 'line 5 was changed, or the one before it',
    'UPDATE audit SET at = at - 1 WHERE seq = 5': 'line 5 was changed, or the one before it',
    'DELETE FROM audit WHERE seq = 6': 'line 6 is missing',
    'UPDATE audit SET seq = -1 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 7;'
    'UPDATE audit SET seq = 7 WHERE seq = -1': 'line 6 was changed',
    'DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)': 'the chain ends at line',
    "DELETE FROM certificates WHERE identity = 'carol'": 'its certificate is missing',
    "UPDATE certificates SET serial = x'01' WHERE identity = 'carol'": 'its certificate is missing',
    "UPDATE certificates SET der = x'3000' WHERE identity = 'carol'": 'its certificate was changed',
    "UPDATE certificates SET profile = 'server' WHERE identity = 'carol'":
        'what is stored beside its certificate was changed',
    "UPDATE certificates SET identity = 'mallory' WHERE identity = 'carol'":
        'what is stored beside its certificate was changed',
    "UPDATE certificates SET requester = 'mallory' WHERE identity = 'carol'":
        'what is stored beside its certificate was changed',
    "UPDATE certificates SET not_after = not_after + 99999 WHERE identity = 'carol'":
        'what is stored beside its certificate was changed',
    "INSERT INTO certificates SELECT 999, authority, x'02', profile, identity, subject, sans, key_type,"
    ' sha256, spki, not_before, not_after, issued_at, requester, request, replaces, replaced_by, shard,'
    " status, revoked_at, reason, journal, last_seen, words, der FROM certificates WHERE identity = 'carol'":
        'certificates were issued, and',
    ALICE_UNREVOKED: 'it was revoked, and is not any more',
    'DELETE FROM revoked WHERE reason = 1': 'it was revoked, and is not any more',
    'DELETE FROM journal WHERE seq = 1': "the journal's line of it is missing or changed",
    ALICE_UNREVOKED + '; DELETE FROM revoked WHERE reason = 1; DELETE FROM journal WHERE seq = 1':
        "the journal's line of it is missing or changed",
    'UPDATE certificates SET reason = 4 WHERE reason = 1; UPDATE revoked SET reason = 4 WHERE reason = 1;'
    'UPDATE journal SET reason = 4 WHERE reason = 1': "the journal's line of it is missing or changed",
    'UPDATE revoked SET at = at + 9999; UPDATE certificates SET revoked_at = revoked_at + 9999'
    ' WHERE revoked_at > 0': 'it was revoked, and is not any more',
    BOB_RELEASED + '; DELETE FROM revoked WHERE reason = 6': 'it was put on hold, and is not any more',
    'UPDATE crl_numbers SET number = 0': 'the CRL number was lowered since',
    'DELETE FROM crl_numbers': 'the CRL number was lowered since',
    "UPDATE profiles SET yaml = replace(yaml, 'ops', 'all')": 'the profile "badge" is not as it was put',
    "INSERT INTO profiles SELECT 'user', yaml, 1, 1 FROM profiles": 'the profile "user" is not as it was put',
}


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp('record')
    ca = cas.Ca(folder / 'ca')
    leaves = {name: ca.issue('client', name) for name in ('alice', 'bob', 'carol', 'dave')}
    ca.good('revoke', '--cert', leaves['alice'].cert, '--reason', 'keyCompromise')
    ca.good('hold', '--cert', leaves['bob'].cert)
    ca.good('hold', '--cert', leaves['dave'].cert)
    ca.good('release', '--cert', leaves['dave'].cert)
    lists, profile = folder / 'lists', folder / 'badge.yaml'
    lists.mkdir()
    ca.good('crl', '--out', lists)
    profile.write_text('name: badge\nextends: user\nask: [ops]\n')
    ca.good('profile put', profile)
    ca.good('profile put', profile)
    ca.issue('client', 'erin')
    return ca


@pytest.fixture
def ca(original, tmp_path):
    shutil.copytree(original.folder, tmp_path / 'ca')
    return cas.Ca(tmp_path / 'ca', name=None)


def change(ca, sql):
    with contextlib.closing(sqlite3.connect(ca.folder / 'ca.db')) as database:
        database.executescript(f'PRAGMA foreign_keys = off; {sql};')


def test_what_nobody_changed_is_whole(ca):
    assert ca.json('audit verify')['whole'] is True
    assert 'the audit log is whole' in ca.good('audit verify')


@pytest.mark.parametrize('sql', CHANGES, ids=range(len(CHANGES)))
def test_a_change_is_found(ca, sql):
    change(ca, sql)
    ended = ca.run('audit verify', '--json')
    assert ended.returncode == 1
    assert CHANGES[sql] in json.loads(ended.stdout)['what']
    assert 'the audit log is not whole: ' in ca.run('audit verify').stdout


def test_an_end_that_was_cut_off_whole_is_found_by_a_head_noted_elsewhere(ca):
    """The last certificate, its line, and the head: nothing in the store can tell."""
    told = ca.json('audit verify')
    head = f'{told["lines"]}:{told["head"]}'
    ca.good('audit verify', '--head', head)
    change(ca, "DELETE FROM certificates WHERE identity = 'erin';"
               'DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit);'
               'UPDATE heads SET audit = audit - 1, audit_hash ='
               ' (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1)')
    assert ca.json('audit verify')['whole'] is True
    ended = ca.run('audit verify', '--head', head)
    assert ended.returncode == 1 and f'line {told["lines"]}, which was noted, is missing' in ended.stdout

# SPDX-License-Identifier: Apache-2.0
"""docs/ca-profiles.md says what the program does: its example, its keys, its table of checks."""

import json
import pathlib
import re

import pytest

from harness import certs, daemon as daemons

pytestmark = pytest.mark.quick

PAGE = (pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'ca-profiles.md').read_text()


def rows(heading):
    """The cells of the first table under a heading."""
    part = PAGE.split(f'\n{heading}\n', 1)[1]
    lines = re.search(r'((?:^\|.*\n)+)', part, re.M).group(1).splitlines()[2:]
    return [[cell.strip() for cell in line.strip('|').split(' | ')] for line in lines]


@pytest.fixture
def cert(tmp_path):
    path = tmp_path / 'cert.pem'
    certs.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                  '-keyout', tmp_path / 'key.pem', '-subj', '/CN=x', '-out', path)
    return path


def with_profile(cert, folder, text):
    own = folder / 'own.yaml'
    own.write_text(text)
    return daemons.run('cert', 'lint', cert, '--profile', own)


def test_the_table_of_checks_is_the_programs():
    told = [[cell.strip('`') for cell in row] for row in rows('## What is checked before a signature')]
    checks = json.loads(daemons.run('cert', 'lint', '--list', '--json').stdout)
    assert told == [[check['name'], check['level'], check['says'], check['source']]
                    for check in checks]


def test_the_example_is_accepted(cert, tmp_path):
    example = re.search(r'```yaml\n(.*?)```', PAGE, re.S).group(1)
    ended = with_profile(cert, tmp_path, example)
    assert ended.stderr == ''


def test_the_keys_are_those_that_there_are(cert, tmp_path):
    ended = with_profile(cert, tmp_path, 'nothing-like-it: 1\n')
    known = re.search(r'use one of (.*)$', ended.stderr, re.M).group(1)
    assert re.split(r', | or ', known) == [row[0].strip('`') for row in rows('## Keys of a profile')]
    ended = with_profile(cert, tmp_path, 'names: {dns: {nothing-like-it: 1}}\n')
    known = re.search(r'use one of (.*)$', ended.stderr, re.M).group(1)
    assert re.split(r', | or ', known) == re.findall(
        r'`([a-z-]+)`', ' '.join(row[0] for row in rows('### Rules for names')))


def test_the_profiles_are_those_that_there_are(cert):
    for name, *_ in rows('## Those that come with it'):
        ended = daemons.run('cert', 'lint', cert, '--profile', name.strip('`'))
        assert ended.returncode in (0, 1)
        assert ended.stderr == ''

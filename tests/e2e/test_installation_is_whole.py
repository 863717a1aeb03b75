# SPDX-License-Identifier: Apache-2.0
"""meson install, into a staging folder: the program runs from there, and what it needs is beside."""

import os
import pathlib
import re
import subprocess

import pytest

from harness import daemon as daemons


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    stage = tmp_path_factory.mktemp('stage')
    made = subprocess.run(['meson', 'install', '--no-rebuild', '--only-changed', '-C', daemons.BUILD],
                          env={**os.environ, 'DESTDIR': str(stage)}, capture_output=True, text=True,
                          check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return stage / 'usr/local'


def test_program_runs(installed):
    shown = subprocess.run([installed / 'bin/handfast', 'version'], capture_output=True, text=True,
                           check=True)
    assert shown.stdout.startswith('handfast ')


def test_every_command_has_a_page(installed):
    text = subprocess.run([installed / 'bin/handfast', '--help'], capture_output=True, text=True,
                          check=True).stdout
    pages = {path.name for path in (installed / 'share/man/man1').iterdir()}
    section = text.split('Commands:\n')[1].split('\n\n')[0]
    commands = re.findall(r'^  (\S+) ', section, re.MULTILINE)
    assert len(commands) > 3
    assert pages >= {'handfast.1', *(f'handfast-{command}.1' for command in commands)}


def test_unit_file_names_what_is_installed(installed):
    unit = (installed / 'lib/systemd/system/handfast.service').read_text()
    assert 'ExecStart=/usr/local/bin/handfast run -c /usr/local/etc/handfast/handfast.yaml' in unit
    assert '@' not in unit.replace('@system-service', '').replace('@privileged', '').replace(
        '@resources', '')
    assert (installed / 'lib/systemd/system/handfast.socket').exists()
    assert (installed / 'lib/sysusers.d/handfast.conf').exists()


def test_documents(installed):
    doc = installed / 'share/doc/handfast'
    for name in ('README.md', 'config.md', 'operations.md', 'examples/handfast.yaml'):
        assert (doc / name).exists(), name
    assert (installed / 'share/handfast/handfast.schema.json').read_text().startswith('{')
    assert pathlib.Path(daemons.BUILD).is_dir()

# SPDX-License-Identifier: Apache-2.0
"""Node programs of tests/e2e/programs, with the packages that script/setup took from npm."""

import os
import pathlib
import shutil

PROGRAMS = pathlib.Path(__file__).resolve().parents[1] / 'programs'


def packages():
    """Where script/setup puts them: outside the tree, named by the lock file's contents."""
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return pathlib.Path(cache, 'handfast/npm/node_modules')


def missing(*names):
    """Why a program that needs these packages can't run here, or None."""
    if not shutil.which('node'):
        return 'node is not installed: script/setup'
    lacking = [name for name in names if not (packages() / name).is_dir()]
    if lacking:
        return f'{" and ".join(lacking)} of npm are not installed: script/setup, with the npm registry in reach'
    return None


def command(program, *words):
    return ['node', str(PROGRAMS / program), *map(str, words)]


def env():
    return {**os.environ, 'NODE_PATH': str(packages())}

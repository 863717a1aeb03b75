#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""with_postgres.py PROGRAM [ARGUMENT...]

Runs a program with a PostgreSQL server of its own, whose URL is in HF_TEST_POSTGRES, and which is
gone with the program. Skips where there is no PostgreSQL."""

import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'e2e' / 'harness'))

import postgres  # noqa: E402


def main():
    if not postgres.programs():
        print('1..0 # SKIP no PostgreSQL here (Debian: postgresql)')
        return 0
    server = postgres.Server()
    try:
        return subprocess.run(sys.argv[1:], check=False,
                              env=dict(os.environ, HF_TEST_POSTGRES=server.url)).returncode
    finally:
        server.close()


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""with_postgres.py PROGRAM [ARGUMENT...]

Runs a program with a PostgreSQL server of its own, whose URL is in HF_TEST_POSTGRES, its process id
in HF_TEST_POSTGRES_PID, its data folder in HF_TEST_POSTGRES_DATA. The server listens on a socket in
a temporary folder, and is gone with the program. Skips (77) where there is no PostgreSQL."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile


def programs():
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'))
    return pathlib.Path(found[-1]).parent if found else None


def user():
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    for name in ('postgres', 'nobody'):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    return None


def main():
    binaries = programs()
    if not binaries:
        print('1..0 # SKIP no PostgreSQL here (Debian: postgresql)')
        return 0
    who = user()
    folder = tempfile.mkdtemp(prefix='hf-pg-')
    data = os.path.join(folder, 'data')
    as_who = {'user': who.pw_uid, 'group': who.pw_gid, 'extra_groups': []} if who else {}
    if who:
        os.chown(folder, who.pw_uid, who.pw_gid)
    status = 1
    server = None
    try:
        subprocess.run([binaries / 'initdb', '-D', data, '-U', 'handfast', '-A', 'trust', '-E',
                        'UTF8', '--locale=C.UTF-8', '--no-sync'], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, **as_who)
        with open(os.path.join(data, 'postgresql.conf'), 'a', encoding='ascii') as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n"
                       "fsync = on\nmax_connections = 60\n")
        log = open(os.path.join(folder, 'log'), 'wb')
        server = subprocess.Popen([binaries / 'postgres', '-D', data], cwd=folder, stdout=log,
                                  stderr=log, **as_who)
        subprocess.run([binaries / 'pg_isready', '-q', '-h', folder, '-t', '60'], check=False)
        ready = [binaries / 'psql', '-h', folder, '-U', 'handfast', '-d', 'postgres', '-c', 'select 1']
        for _ in range(600):
            if subprocess.run(ready, check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0:
                break
            if server.poll() is not None:
                raise RuntimeError(pathlib.Path(folder, 'log').read_text(encoding='utf-8'))
        environment = dict(os.environ, HF_TEST_POSTGRES=f'postgres://handfast@/postgres?host={folder}',
                           HF_TEST_POSTGRES_PID=str(server.pid), HF_TEST_POSTGRES_DATA=data,
                           HF_TEST_POSTGRES_BIN=str(binaries))
        status = subprocess.run(sys.argv[1:], check=False, env=environment).returncode
    finally:
        if server and server.poll() is None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == '__main__':
    sys.exit(main())

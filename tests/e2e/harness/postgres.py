# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of a test's own, on a socket in a temporary folder."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile


def programs():
    """The folder of initdb and postgres; None where there is no PostgreSQL."""
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'))
    return pathlib.Path(found[-1]).parent if found else None


def who():
    """PostgreSQL refuses to run as root: whom it runs as instead."""
    if os.getuid() == 0:
        for name in ('postgres', 'nobody'):
            with contextlib.suppress(KeyError):
                user = pwd.getpwnam(name)
                return {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
    return {}


class Server:
    """With a disk (smalldisk.SmallDisk), its tablespaces, and its log of transactions if wanted, can
    be there."""

    def __init__(self, disk=None, log_there=False):
        self.disk = disk
        self.bin = programs()
        self.folder = tempfile.mkdtemp(prefix='hf-pg-')
        self.data = os.path.join(self.folder, 'data')
        self.user = who()
        self.process = None
        self.n_databases = 0
        if self.user:
            os.chown(self.folder, self.user['user'], self.user['group'])
        more = ['--waldir', os.path.join(disk.path, 'wal'), '--wal-segsize', '1'] if log_there else []
        self.run('initdb', '-D', self.data, '-U', 'handfast', '-A', 'trust', '-E', 'UTF8',
                 '--locale=C.UTF-8', '--no-sync', *more, check=True)
        with open(os.path.join(self.data, 'postgresql.conf'), 'a', encoding='ascii') as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n"
                       'max_connections = 60\n'
                       # What a test can kill is a process, never the machine.
                       'fsync = off\n')
        self.start()

    @property
    def url(self):
        return f'postgres://handfast@/postgres?host={self.folder}'

    def sql(self, text):
        self.run('psql', '-h', self.folder, '-U', 'handfast', '-d', 'postgres', '-c', text,
                 check=True)

    def database(self, how=''):
        """A new, empty database: its URL."""
        self.n_databases += 1
        name = f'test{self.n_databases}'
        self.sql(f'create database {name} {how}')
        return f'postgres://handfast@/{name}?host={self.folder}'

    def how(self, program):
        """The beginning of a command, and how to run it."""
        if self.disk:
            return [*self.disk.within(self.user), self.bin / program], {'cwd': self.folder}
        return [self.bin / program], {'cwd': self.folder} | self.user

    def run(self, program, *words, **more):
        command, how = self.how(program)
        return subprocess.run([*command, *words], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, **how, **{'check': False} | more)

    def start(self):
        command, how = self.how('postgres')
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.process = subprocess.Popen([*command, '-D', self.data], stdout=log, stderr=log,
                                            **how)
        # pg_isready waits by itself, in steps of its own; it says 2 at once where nobody listens.
        while self.run('psql', '-h', self.folder, '-U', 'handfast', '-d', 'postgres', '-c',
                       'select 1').returncode != 0:
            if self.process.poll() is not None:
                raise RuntimeError(pathlib.Path(self.folder, 'log').read_text(encoding='utf-8'))

    def stop(self, how=signal.SIGINT):
        """SIGINT ends it in order; SIGQUIT is what it makes of a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def everybody(self):
        """The ids of its processes."""
        ids = [self.process.pid]
        for status in glob.glob('/proc/[0-9]*/status'):
            with contextlib.suppress(OSError):
                text = pathlib.Path(status).read_text(encoding='utf-8')
                if f'\nPPid:\t{self.process.pid}\n' in text:
                    ids.append(int(status.split('/')[2]))
        return ids

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

# SPDX-License-Identifier: Apache-2.0
"""Processes: started so that they never outlive us, ended by pid, measured through /proc."""

import ctypes
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

TICKS = os.sysconf('SC_CLK_TCK')
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """What a person should read; no traceback."""


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One child with its output in a file; ended when the with block is left."""

    def __init__(self, name, command, folder, talk=False, env=None):
        self.name = name
        self.log = pathlib.Path(folder) / f'{name}.log'
        pipe = subprocess.PIPE if talk else None
        with open(self.log, 'wb') as log:
            self.child = subprocess.Popen(
                command, stdin=pipe or subprocess.DEVNULL, stdout=pipe or log, stderr=log,
                preexec_fn=_die_with_parent, cwd=folder, env=env)
        self.pid = self.child.pid
        self.beside = None  # another that ends with it

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Asks to end, then makes it; children of the process go with it."""
        if self.beside:
            self.beside.end()
        family = descendants(self.pid)
        for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            if self.child.poll() is not None:
                break
            self.child.send_signal(number)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        for pid in family[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe:
                pipe.close()

    def said(self):
        return self.log.read_text(errors='replace').strip()[-2000:]

    def check(self):
        if self.child.poll() is not None:
            raise Failed(f'{self.name} ended with status {self.child.returncode}:\n{self.said()}')

    def stays(self, seconds):
        """Lets it run this long; a failure when it ends meanwhile."""
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        self.check()

    def read_line(self, seconds):
        """One line of its output, or a failure that shows what it said."""
        ready, _, _ = select.select([self.child.stdout], [], [], seconds)
        line = self.child.stdout.readline() if ready else b''
        if not line:
            self.child.poll()
            why = 'said nothing in time' if not ready else 'ended early'
            raise Failed(f'{self.name} {why}:\n{self.said()}')
        return line.decode().strip()

    def say(self, line):
        self.child.stdin.write(line.encode() + b'\n')
        self.child.stdin.flush()


def descendants(pid):
    """pid and all its descendants that live, parents first."""
    children = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                stat = pathlib.Path('/proc', entry, 'stat').read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parent = int(stat.rpartition(')')[2].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found = [pid]
    for each in found:
        found.extend(children.get(each, []))
    return found


def cpu_seconds(pid):
    """User and system time that pid and its descendants have used."""
    total = 0
    for each in descendants(pid):
        try:
            fields = pathlib.Path(f'/proc/{each}/stat').read_text().rpartition(')')[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_kib(pid):
    """Proportional set size of pid and its descendants; kernel memory is not in it."""
    total = 0
    for each in descendants(pid):
        try:
            lines = pathlib.Path(f'/proc/{each}/smaps_rollup').read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
    return total


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for_port(process, port, seconds=10):
    """Until the process takes connections."""
    deadline = time.monotonic() + seconds
    while True:
        process.check()
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise Failed(f'{process.name} does not listen on port {port}:\n'
                             f'{process.said()}') from None
            process.stays(0.02)

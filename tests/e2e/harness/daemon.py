# SPDX-License-Identifier: Apache-2.0
"""A running `handfast`, from start to a clean end."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import yaml

from harness import logs, waiting

BINARY = os.environ.get('HANDFAST', 'build/src/cli/handfast')
BUILD = os.environ.get('HANDFAST_BUILD', 'build')


def sanitizer_env(folder):
    """The sanitizers write beside the daemon's own output, so that neither hides the other."""
    report = f'log_path={folder}/sanitizer'
    return {
        'ASAN_OPTIONS': f'{report}:detect_leaks=1:exitcode=99:detect_stack_use_after_return=0',
        'UBSAN_OPTIONS': f'{report}:print_stacktrace=1:halt_on_error=1',
        'TSAN_OPTIONS': f'{report}:exitcode=66',
    }


class PlainDumper(yaml.SafeDumper):
    """Without anchors and aliases, which a config may not have."""

    def ignore_aliases(self, data):
        return True


class Notify:
    """The socket that sd_notify(3) messages come to."""

    def __init__(self, path):
        self.path = str(path)
        self.messages = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            message = self._socket.recv(4096).decode()
            if not message:
                return
            with self._changed:
                self.messages.extend(message.splitlines())
                self._changed.notify_all()

    def wait(self, text, alive, count=1):
        deadline = time.monotonic() + waiting.SECONDS
        with self._changed:
            while self.messages.count(text) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not alive():
                    return False
                self._changed.wait(min(left, 0.1))
        return True

    def close(self):
        """What has been sent is still read."""
        if self._socket.fileno() >= 0:
            self._socket.shutdown(socket.SHUT_RD)
            self._thread.join(waiting.SECONDS)
            self._socket.close()


class Admin(http.client.HTTPConnection):
    """HTTP over the admin socket."""

    def __init__(self, path):
        super().__init__('localhost', timeout=waiting.SECONDS)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Daemon:
    """Starts when made and is ready when the constructor returns."""

    def __init__(self, folder, config, *, env=None, wrap=(), nofile=None, command='run',
                 words=(), wait_ready=True, pass_fds=(), stderr=None, asan=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config_path = self.folder / 'handfast.yaml'
        self.admin_path = self.folder / 'admin.sock'
        if config is not None:
            self.write_config(config)
        notify_path = self.folder / 'notify.sock'
        notify_path.unlink(missing_ok=True)
        self.notify = Notify(notify_path)
        if command == 'run':
            words = ['-c', str(self.config_path), *words]
        if nofile:
            wrap = ['prlimit', f'--nofile={nofile}:{nofile}', *wrap]
        sanitizers = sanitizer_env(self.folder)
        if asan:
            sanitizers['ASAN_OPTIONS'] += f':{asan}'
        self.process = subprocess.Popen(
            [*wrap, BINARY, command, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=stderr or subprocess.PIPE, pass_fds=pass_fds,
            env={**os.environ, **sanitizers, 'NOTIFY_SOCKET': self.notify.path,
                 **(env or {})})
        self.log = logs.Log(self.process.stderr if stderr is None else open(os.devnull, 'rb'))
        self.stopped = False
        if wait_ready:
            self.wait_ready()

    def write_config(self, config):
        """A whole configuration; what every test would repeat is filled in. On a busy machine a client
        may take its time for its handshake, unless the test is about that."""
        if isinstance(config, dict):
            listeners = {name: listener if listener.get('plain') else {'handshake-timeout': '10m', **listener}
                         for name, listener in (config.get('listeners') or {}).items()}
            config = {**config, 'listeners': listeners} if listeners else config
            config = {'admin': f'unix:{self.admin_path}',
                      'log': {'format': 'json', 'level': 'debug', 'to': 'stderr'},
                      'workers': 2, 'drain-timeout': '1s', **config}
            config = yaml.dump({key: value for key, value in config.items() if value is not None},
                               Dumper=PlainDumper, sort_keys=False)
        self.config_path.write_text(config)

    def alive(self):
        return self.process.poll() is None

    def wait_ready(self):
        if not self.notify.wait('READY=1', self.alive):
            state = 'is not ready' if self.alive() else f'ended with {self.process.returncode}'
            self.kill()
            raise AssertionError(f'handfast {state}\n{self.log.text()}\n{self.reports()}')

    def reload(self, config=None, how='signal'):
        """Reloads and waits for the outcome; the log line that says it."""
        if config is not None:
            self.write_config(config)
        seen = len(self.log.all(event='reload'))
        if how == 'signal':
            self.process.send_signal(signal.SIGHUP)
        else:
            self.admin('POST', '/reload')
        return self.log.wait(count=seen + 1, event='reload') if seen == 0 else \
            self.log.wait(count=seen + 1, event='reload')[-1]

    def admin(self, method, path, body=None):
        """(status, decoded JSON)"""
        connection = Admin(self.admin_path)
        try:
            connection.request(method, path, body=body)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b'null')
        finally:
            connection.close()

    def memory_kib(self):
        """Resident memory."""
        for line in pathlib.Path(f'/proc/{self.process.pid}/status').read_text().splitlines():
            if line.startswith('VmRSS:'):
                return int(line.split()[1])
        raise AssertionError('the daemon is gone')

    def n_descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def reports(self):
        return '\n'.join(path.read_text(errors='replace') for path in
                         sorted(self.folder.glob('sanitizer.*')))

    def wait_exit(self):
        try:
            status = self.process.wait(waiting.SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError('handfast did not end\n' + self.log.text()) from None
        self._close()
        return status

    def _close(self):
        self.log.join()
        if self.process.stderr:
            self.process.stderr.close()
        self.notify.close()

    def stop(self, expect=0):
        """Ends it in order and holds it to account: exit status, sanitizers, stray output."""
        if self.stopped:
            return
        self.stopped = True
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        status = self.wait_exit()
        reports = self.reports()
        assert not reports, reports
        assert status == expect, f'handfast ended with {status}\n{self.log.text()}'
        assert not self.log.strange, '\n'.join(self.log.strange)

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()
        self._close()
        self.stopped = True


def run(*words, stdin=None, cwd=None, env=None, seconds=None):
    """A command that ends by itself: the finished process, with text output."""
    return subprocess.run([BINARY, *map(str, words)], input=stdin, capture_output=True, text=True,
                          cwd=cwd, check=False, timeout=seconds or waiting.SECONDS,
                          env={**os.environ, **(env or {})})

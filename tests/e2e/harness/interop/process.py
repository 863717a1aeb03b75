# SPDX-License-Identifier: Apache-2.0
"""Programs of others: run to their end, or kept running as servers."""

import contextlib
import subprocess

from harness import backends, waiting
from harness.interop import Seen


def run(words, stdin=b'', seconds=waiting.SECONDS, **more):
    """The finished process: output and errors in one, as text."""
    shown = subprocess.run([str(word) for word in words], input=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=seconds, check=False, **more)
    shown.stdout = shown.stdout.decode(errors='replace')
    return shown


def visits(words, doors, lines, **more):
    """For programs that take a line for each door and print "PORT ANSWER RESUMED" twice."""
    shown = run(words, ('\n'.join(lines) + '\n\n').encode(), 2 * waiting.SECONDS + 3 * len(doors), **more)
    seen = {door: [] for door in doors}
    by_port = {str(door.port): door for door in doors}
    for line in shown.stdout.splitlines():
        port, _, rest = line.partition(' ')
        if port in by_port:
            answer, _, resumed = rest.rpartition(' ')
            seen[by_port[port]].append(Seen(answer or rest, resumed == 'true'))
    return {door: found or [Seen(shown.stdout[-2000:], None)] for door, found in seen.items()}


@contextlib.contextmanager
def servers(commands, folder):
    """One process for each (port, words); all listen."""
    running = []
    try:
        with open(folder / 'servers.log', 'wb') as log:
            for _, words in commands:
                running.append(subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE,
                                                stdout=log, stderr=log, cwd=folder))
            for (port, _), process in zip(commands, running):
                backends.wait_listening(port, process)
        yield
    finally:
        for process in running:
            process.kill()
            process.wait(waiting.SECONDS)
            process.stdin.close()


@contextlib.contextmanager
def one_server(words, lines, ports, folder, **more):
    """One process for all; it takes a line for each room."""
    with open(folder / 'server.log', 'wb') as log:
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=log,
                                   stderr=log, cwd=folder, **more)
    try:
        process.stdin.write(('\n'.join(lines) + '\n\n').encode())
        process.stdin.flush()
        for port in ports:
            backends.wait_listening(port, process)
        yield
    finally:
        process.kill()
        process.wait(waiting.SECONDS)
        process.stdin.close()

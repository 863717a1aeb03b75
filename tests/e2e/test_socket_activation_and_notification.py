# SPDX-License-Identifier: Apache-2.0
"""What systemd does: hands over listening sockets, waits for READY=1, sends SIGHUP."""

import os
import signal
import socket
import sys

from harness import clients, configs

# Sets LISTEN_PID to its own process id, which the daemon inherits through exec.
LAUNCHER = ('import os, sys; os.environ["LISTEN_PID"] = str(os.getpid()); '
            'os.execvp(sys.argv[1], sys.argv[1:])')


def activated(handfast, config, listeners, names=None):
    """Starts the daemon with these sockets as descriptors 3 and on."""
    high = [os.dup2(one.fileno(), 900 + number) for number, one in enumerate(listeners)]
    env = {'LISTEN_FDS': str(len(listeners))}
    if names:
        env['LISTEN_FDNAMES'] = ':'.join(names)
    move = '; '.join(f'os.dup2({900 + number}, {3 + number}); os.set_inheritable({3 + number}, True)'
                     for number in range(len(high)))
    try:
        return handfast(config, wrap=[sys.executable, '-c', f'import os; {move}; {LAUNCHER}'],
                        pass_fds=high, env=env)
    finally:
        for one in high:
            os.close(one)


def listening(port):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(('127.0.0.1', port))
    made.listen(64)
    return made


def test_a_socket_that_systemd_opened_is_used(handfast, pki, echo, port):
    """Connections that came before the daemon was there are served too."""
    with listening(port) as listener:
        early = clients.plain(port)
        daemon = activated(handfast, configs.server_side(pki, port, echo), [listener])
        context = clients.context(pki.servers.root.cert, pki.alice)
        with context.wrap_socket(early, server_hostname='server.example') as client:
            clients.exchange(client)
        for _ in range(8):
            with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
                clients.exchange(client)
        daemon.stop()
        # The socket is systemd's: it still listens after the daemon has gone.
        clients.plain(port).close()


def test_sockets_of_somebody_else_are_left_alone(handfast, pki, echo, port, ports):
    other = ports.take()
    with listening(other) as listener:
        os.set_inheritable(listener.fileno(), True)
        daemon = handfast(configs.server_side(pki, port, echo), pass_fds=[listener.fileno()],
                          env={'LISTEN_FDS': '1', 'LISTEN_PID': '1'})
        with clients.connect(port, pki.servers.root.cert, pki.alice) as client:
            clients.exchange(client)
        daemon.stop()


def test_notifications(handfast, pki, echo, port):
    daemon = handfast(configs.server_side(pki, port, echo))
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.notify.wait('READY=1', daemon.alive, count=2)
    assert 'RELOADING=1' in daemon.notify.messages
    assert any(message.startswith('MONOTONIC_USEC=') for message in daemon.notify.messages)
    daemon.stop()
    assert 'STOPPING=1' in daemon.notify.messages

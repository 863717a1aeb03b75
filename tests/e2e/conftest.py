# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end to end tests. Each gives something that is running or ready, and ends it."""

import os
import pathlib
import resource

import pytest

from harness import backends, cas, certs, daemon, ports as port_blocks, postgres as postgres_server

os.environ.update(daemon.sanitizer_env('/dev/null') | {
    # For commands that end by themselves the reports belong on stderr, with a status of their own.
    'ASAN_OPTIONS': 'exitcode=99:detect_leaks=1', 'UBSAN_OPTIONS': 'halt_on_error=1',
})


def pytest_configure(config):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for mark in ('quick: for script/test --quick',
                 'engines: about TLS itself; runs with every engine',
                 'workers: several workers at once; runs under ThreadSanitizer too'):
        config.addinivalue_line('markers', mark)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """What failed is told with the end of each daemon's log."""
    report = (yield).get_result()
    if report.failed:
        for name in ('handfast', 'module_handfast'):
            start = item.funcargs.get(name)
            for number, one in enumerate(start.running if start else ()):
                report.sections.append((f'log of {name} {number}', one.log.text()))


@pytest.fixture(scope='session')
def pki(tmp_path_factory):
    return certs.Pki(tmp_path_factory.mktemp('pki'))


@pytest.fixture(scope='session')
def ports():
    return port_blocks.Ports()


@pytest.fixture
def port(ports):
    """One free port, for the listener of a test that has one."""
    return ports.take()


@pytest.fixture
def backend(ports):
    """Starts backends: backend(serve, proxy=False) -> backends.Backend."""
    running = []

    def start(serve=backends.echo, **more):
        if 'path' not in more:
            more.setdefault('port', ports.take())
        running.append(backends.Backend(serve, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def echo(backend):
    """A backend that sends back what it gets."""
    return backend(backends.echo)


@pytest.fixture
def nginx(ports, tmp_path):
    """Starts nginx with TLS: nginx(server, roots) -> backends.Nginx."""
    running = []

    def start(server, roots, more=''):
        folder = tmp_path / f'nginx{len(running)}'
        running.append(backends.Nginx(folder, ports.take(), server, roots, more))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def handfast(tmp_path):
    """Starts daemons: handfast(config) -> daemon.Daemon. At the end each must stop in order, with
    status 0 and without a word from the sanitizers."""
    running = []

    def start(config, **more):
        running.append(daemon.Daemon(tmp_path / f'daemon{len(running)}', config, **more))
        return running[-1]

    start.running = running
    yield start
    try:
        for one in running:
            one.stop()
    finally:
        for one in running:
            one.kill()


@pytest.fixture(scope='module')
def module_handfast(tmp_path_factory):
    """As handfast, for daemons that the tests of a file share."""
    running = []

    def start(config, **more):
        running.append(daemon.Daemon(tmp_path_factory.mktemp('daemon'), config, **more))
        return running[-1]

    start.running = running
    yield start
    try:
        for one in running:
            one.stop()
    finally:
        for one in running:
            one.kill()


@pytest.fixture(scope='module')
def module_backend(ports):
    """As backend, for backends that the tests of a file share."""
    running = []

    def start(serve=backends.echo, **more):
        more.setdefault('port', ports.take())
        running.append(backends.Backend(serve, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture(scope='session')
def postgres():
    """A PostgreSQL server: postgres.database() is the URL of a new database."""
    if not postgres_server.programs():
        pytest.skip('there is no PostgreSQL here')
    server = postgres_server.Server()
    yield server
    server.close()


@pytest.fixture(params=['sqlite', 'postgres'])
def store_url(request):
    """What a CA stores in: None for a folder, or the URL of a database."""
    return request.getfixturevalue('postgres').database() if request.param == 'postgres' else None


@pytest.fixture
def ca(tmp_path, store_url):
    """A new CA, once over each kind of store."""
    return cas.Ca(tmp_path / 'ca', store_url)


@pytest.fixture(scope='session')
def herd():
    """The program that is many clients, or an echo server for many."""
    path = pathlib.Path(daemon.BUILD) / 'tests/e2e/tools/herd'
    assert path.exists(), f'{path} is not built'
    return path

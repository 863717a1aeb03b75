# SPDX-License-Identifier: Apache-2.0
"""report-only: who would be refused comes in, is logged, counted and listed; the deny list bites."""

import json

import pytest

from harness import clients, configs, daemon as daemons, recorder

pytestmark = [pytest.mark.engines, pytest.mark.workers]


@pytest.fixture
def config(pki, echo, port, tmp_path):
    state = tmp_path / 'state'
    state.mkdir(mode=0o700)
    return configs.server_side(pki, port, echo, listener={'report-only': True}, state=str(state),
                               metrics=f'unix:{tmp_path}/metrics.sock')


def come_in(port, pki, leaf, **more):
    with clients.connect(port, pki.servers.root.cert, leaf, **more) as client:
        clients.exchange(client)


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_those_whom_the_certificate_would_keep_out_come_in(handfast, config, pki, port, version):
    daemon = handfast(config)
    for leaf, code in ((None, 'no-certificate'), (pki.stranger, 'unknown-ca'), (pki.expired, 'expired')):
        come_in(port, pki, leaf, versions=(version,))
        line = daemon.log.wait(event='handshake', result='accepted', reason=code)
        assert line['level'] == 'warn' and line['report_only'] is True and line['detail']
        kept = json.loads(daemons.run('explain', line['id'], '--json', '-c',
                                      str(daemon.config_path)).stdout)
        assert (kept[0]['result'], kept[0]['code']) == ('reported', code)
    come_in(port, pki, pki.alice, versions=(version,))
    line = daemon.log.wait(event='handshake', result='accepted', identity='spiffe://example.org/alice')
    assert 'report_only' not in line and line['level'] == 'info'


def test_they_are_listed_by_client_and_counted(handfast, config, pki, port):
    daemon = handfast(config)
    for leaf in (pki.stranger, pki.stranger, None):
        come_in(port, pki, leaf)
    rows = json.loads(daemons.run('reports', '--json', '-c', str(daemon.config_path)).stdout)['reports']
    found = {row['client']: row for row in rows}
    assert (found['stranger']['times'], found['stranger']['code']) == (2, 'unknown-ca')
    assert found['stranger']['serial'] == pki.stranger.serial and found['stranger']['do']
    assert (found['127.0.0.1']['times'], found['127.0.0.1']['code']) == (1, 'no-certificate')
    told = daemons.run('reports', '-c', str(daemon.config_path)).stdout
    assert 'stranger' in told and 'no-certificate' in told
    assert 'Let in, on report only: client' in daemons.run('explain', '--last', '-c',
                                                           str(daemon.config_path)).stdout
    status, _ = daemon.admin('GET', '/reports')
    assert status == 200


def test_the_deny_list_holds(handfast, config, pki, port):
    daemon = handfast(config)
    come_in(port, pki, pki.bob)
    assert daemons.run('revoke', '--serial', pki.bob.serial, '-c',
                       str(daemon.config_path)).returncode == 0
    assert clients.refusal(port, pki.servers.root.cert, pki.bob) == 'certificate revoked'


def test_it_gives_no_role(handfast, pki, port, backend):
    app = recorder.Recorder()
    config = configs.http_side(pki, port, backend(app.serve), listener={'report-only': True}, routes=[
        {'name': 'members', 'match': {'path': '/members'}, 'allow': ['verified'], 'to': 'app'},
        {'name': 'rest', 'allow': ['anyone'], 'to': 'app'}])
    handfast(config)

    def status(path):
        return clients.curl(port, '-o', '/dev/null', '-w', '%{http_code}', roots=pki.servers.root.cert,
                            leaf=pki.stranger, path=path).stdout

    assert status('/') == '200'
    assert status('/members') == '403'
    assert [request.target for request in app.take()] == ['/']


def test_check_is_loud_about_it(pki, port, echo, tmp_path):
    import yaml
    path = tmp_path / 'c.yaml'
    path.write_text(yaml.safe_dump(configs.server_side(pki, port, echo, listener={'report-only': True})))
    answer = daemons.run('check', '-c', path)
    assert 'report-only' in answer.stdout + answer.stderr and 'refuses nobody' in answer.stdout + answer.stderr

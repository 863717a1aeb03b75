# SPDX-License-Identifier: Apache-2.0
"""trust.depth counts the CA certificates between a client's certificate and the root."""

import pytest

from harness import certs, clients, configs


@pytest.fixture(scope='module')
def deep(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp('deep'), 'deep', intermediates=3)


@pytest.mark.parametrize('depth,outcome', [(3, None), (2, 'refused'), (0, 'refused')])
def test_depth(handfast, pki, echo, port, deep, depth, outcome):
    config = configs.server_side(pki, port, echo)
    config['trust']['clients'] = configs.trust(deep, depth=depth)
    daemon = handfast(config)
    leaf = deep.client('far down')
    if outcome is None:
        with clients.connect(port, pki.servers.root.cert, leaf) as client:
            clients.exchange(client)
        daemon.log.wait(event='handshake', result='accepted')
    else:
        assert clients.refusal(port, pki.servers.root.cert, leaf) == 'unknown ca'
        daemon.log.wait(event='handshake', result='refused', reason='path-too-deep')


def test_depth_0_takes_what_the_root_itself_issued(handfast, pki, echo, port, deep):
    config = configs.server_side(pki, port, echo)
    config['trust']['clients'] = configs.trust(deep, depth=0)
    handfast(config)
    leaf = deep.client('near', issuer='root')
    with clients.connect(port, pki.servers.root.cert, leaf) as client:
        clients.exchange(client)

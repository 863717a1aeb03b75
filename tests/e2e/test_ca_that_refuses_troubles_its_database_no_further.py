# SPDX-License-Identifier: Apache-2.0
"""A read that ends early costs PostgreSQL nothing more: no connection is made to cancel it, which
would wait for as long as the server likes."""

import pytest

from harness import canode, cas, pgdoor, postgres

@pytest.fixture
def door():
    if not postgres.programs():
        pytest.skip('no PostgreSQL here')
    server = postgres.Server()
    one = pgdoor.Door(server)
    yield one
    one.close()
    server.close()

def test_a_token_that_is_used_up(tmp_path, handfast, ports, door):
    site = canode.Site(cas.Ca(tmp_path / 'ca', door.url), tmp_path)
    node = site.node(handfast, ports)
    client, stranger = node.client(site.ops), node.client()
    status, made = client.ask('POST', '/tokens', {'profile': 'plain', 'name': 'sensor'})
    assert status == 201, made
    wanted = {'profile': 'plain', 'name': 'sensor', 'token': made['token']}
    assert stranger.ask('POST', '/certificates', wanted)[0] == 201
    for _ in range(3):
        status, problem = stranger.ask('POST', '/certificates', wanted)
        assert status == 403 and problem['detail'] == 'the token was used already', problem
    assert not door.cancelled
    client.close()
    stranger.close()

# SPDX-License-Identifier: Apache-2.0
"""Configurations that tests start from; a test changes what it is about."""

import os

# script/test runs the tests marked `engines` once more with the engine that is not the default.
ENGINE = {'engine': os.environ['HANDFAST_ENGINE']} if 'HANDFAST_ENGINE' in os.environ else {}


def identity(leaf, **more):
    return {'cert': str(leaf.chain), 'key': str(leaf.key), **more}


def trust(authority, **more):
    return {'roots': str(authority.root.cert), **more}


def server_side(pki, port, to, listener=None, upstream=None, **more):
    """One listener that wants client certificates, one upstream. `to`: a backend or its address."""
    address = getattr(to, 'address', to)
    addresses = [address] if isinstance(address, str) else list(address)
    listener, upstream = dict(listener or {}), dict(upstream or {})
    listener['tls'] = {**ENGINE, **listener.get('tls', {})}
    if 'tls' in upstream:
        upstream['tls'] = {**ENGINE, **upstream['tls']}
    return {
        'identities': {'server': identity(pki.server)},
        'trust': {'clients': trust(pki.clients)},
        'listeners': {'in': {
            'listen': [f'127.0.0.1:{port}'], 'identities': ['server'], 'client': 'require',
            'trust': 'clients', 'mode': 'tcp', 'to': 'app', **listener}},
        'upstreams': {'app': {'servers': addresses, **upstream}},
        **more,
    }


def client_side(pki, port, to, leaf, tls=None, **more):
    """A plain listener in front of an upstream that is reached over mutual TLS."""
    return {
        'identities': {'us': identity(leaf)},
        'trust': {'backends': trust(pki.servers)},
        'listeners': {'in': {'listen': [f'127.0.0.1:{port}'], 'plain': True, 'mode': 'tcp',
                             'to': 'app'}},
        'upstreams': {'app': {'servers': [getattr(to, 'address', to)],
                              'tls': {'identity': 'us', 'trust': 'backends', **ENGINE,
                                      **(tls or {})}}},
        **more,
    }


def http_side(pki, port, to, routes=None, listener=None, upstream=None, **more):
    """As server_side, understanding HTTP. Without routes all requests go to the one upstream."""
    made = server_side(pki, port, to, upstream=upstream, **more)
    door = made['listeners']['in']
    if routes is not None:
        del door['to']
        door['routes'] = routes
    door.update({'mode': 'http', **(listener or {})})
    door['tls'] = {**ENGINE, **door.get('tls', {})}
    return made

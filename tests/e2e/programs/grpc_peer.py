#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""grpc_peer.py server PORT | client PORT ROOT CHAIN KEY

The service /t.Echo of grpc_peer.js, with bytes for messages, and a client that goes through all kinds of
calls and prints a line for each.
"""

import sys
import threading
from concurrent import futures

import grpc

SIZES = [('grpc.max_receive_message_length', -1), ('grpc.max_send_message_length', -1)]


def wait(request, context):
    ended = threading.Event()
    context.add_callback(ended.set)
    print('waiting', flush=True)
    ended.wait(60)
    print('cancelled', flush=True)
    return b''


def fail(request, context):
    context.set_trailing_metadata([('x-why', 'because')])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, 'not t\u00f6day')


def total(requests, context):
    sizes = [len(request) for request in requests]
    return f'{len(sizes)} {sum(sizes)}'.encode()


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(16), options=SIZES)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler('t.Echo', {
        'Unary': grpc.unary_unary_rpc_method_handler(lambda request, context: request),
        'Count': grpc.unary_stream_rpc_method_handler(
            lambda request, context: (str(number).encode() for number in range(int(request)))),
        'Sum': grpc.stream_unary_rpc_method_handler(total),
        'Chat': grpc.stream_stream_rpc_method_handler(lambda requests, context: requests),
        'Wait': grpc.unary_unary_rpc_method_handler(wait),
        'Fail': grpc.unary_unary_rpc_method_handler(fail),
    })])
    server.add_insecure_port(f'127.0.0.1:{port}')
    server.start()
    server.wait_for_termination()


def channel(port, root, chain, key):
    def read(path):
        with open(path, 'rb') as file:
            return file.read()
    credentials = grpc.ssl_channel_credentials(read(root), read(key), read(chain))
    return grpc.secure_channel(f'127.0.0.1:{port}', credentials, options=[
        *SIZES, ('grpc.ssl_target_name_override', 'server.example'), ('grpc.default_authority', 'server.example')])


def calls(peer):
    unary = peer.unary_unary('/t.Echo/Unary')
    big = b'handfast' * (50 * 1024 * 1024 // 8)
    print('unary', unary(b'hello').decode())
    print('empty', len(unary(b'')))
    print('big', str(unary(big) == big).lower())
    counted = [int(data) for data in peer.unary_stream('/t.Echo/Count')(b'1000')]
    print('server stream', len(counted) if counted == list(range(1000)) else counted)
    print('client stream', peer.stream_unary('/t.Echo/Sum')(bytes(size) for size in range(100)).decode())

    heard, go_on = [], threading.Semaphore(1)

    def says():
        for number in range(50):
            go_on.acquire()
            yield str(number).encode()

    for data in peer.stream_stream('/t.Echo/Chat')(says()):
        heard.append(data.decode())
        go_on.release()
    print('both streams', len(heard), heard[49])

    wait_for = peer.unary_unary('/t.Echo/Wait')
    try:
        wait_for(b'', timeout=0.5)
    except grpc.RpcError as error:
        print('deadline', error.code().name)
    call = wait_for.future(b'')
    threading.Timer(0.3, call.cancel).start()
    try:
        call.result()
    except grpc.FutureCancelledError:
        print('cancel', call.code().name)
    try:
        peer.unary_unary('/t.Echo/Fail')(b'')
    except grpc.RpcError as error:
        print('status', error.code().name, error.details(), dict(error.trailing_metadata())['x-why'])


def refused(peer):
    try:
        peer.unary_unary('/t.Echo/Unary')(b'hello')
    except grpc.RpcError as error:
        print('refused', error.code().name)


what, number, *files = sys.argv[1:]
if what == 'server':
    serve(number)
else:
    with channel(number, *files) as opened:
        (refused if what == 'refused' else calls)(opened)

# SPDX-License-Identifier: Apache-2.0
"""A web server that publishes revocation lists, well or badly, and remembers who asked for what."""

import email.utils
import hashlib
import http.server
import threading
import time

from harness import certs, waiting


class Publisher:
    """`files` maps paths to bytes, or to a function of the request handler that answers itself."""

    def __init__(self, port, files=None, tls=None):
        self.port = port
        self.tls = tls  # a certs.Leaf: https
        self.files = dict(files or {})
        self.cache_control = None
        self.asked = []  # (path, status), noted before the answer goes; status 0: a function answers
        self._answered = []
        self._changed = threading.Condition()
        self._server = None
        self.open()

    @property
    def origin(self):
        return f'{"https" if self.tls else "http"}://127.0.0.1:{self.port}'

    def url(self, path):
        return self.origin + path

    def _note(self, where, path, status):
        with self._changed:
            where.append((path, status))
            self._changed.notify_all()

    def wait(self, path, status=200, count=1):
        """Until a path was asked for and so answered, so many times in all."""
        deadline = time.monotonic() + waiting.SECONDS
        with self._changed:
            while self._answered.count((path, status)) < count:
                left = deadline - time.monotonic()
                assert left > 0, f'{path} was not asked for: {self.asked}'
                self._changed.wait(left)

    def _answer(self, handler):
        data = self.files.get(handler.path)
        if callable(data):
            self._note(self.asked, handler.path, 0)
            data(handler)
            self._note(self._answered, handler.path, 0)
            return
        tag = f'"{hashlib.sha256(data or b"").hexdigest()[:16]}"'
        status = 404 if data is None else 304 if handler.headers.get('If-None-Match') == tag else 200
        self._note(self.asked, handler.path, status)
        handler.send_response(status)
        if status == 200:
            handler.send_header('Content-Length', str(len(data)))
        if status != 404:
            handler.send_header('ETag', tag)
            handler.send_header('Last-Modified', email.utils.formatdate(usegmt=True))
        if self.cache_control:
            handler.send_header('Cache-Control', self.cache_control)
        handler.end_headers()
        if status == 200:
            handler.wfile.write(data)
        self._note(self._answered, handler.path, status)

    def open(self):
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher._answer(self)

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # whoever asked has gone: their right

        self._server = Server(('127.0.0.1', self.port), Handler)
        if self.tls:
            certs.serve_tls(self._server, self.tls)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

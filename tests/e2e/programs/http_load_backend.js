// SPDX-License-Identifier: Apache-2.0
//
// node http_load_backend.js PORT http|http2
//
// GET /.../N answers with N bytes, POST takes bytes and answers with their number, or "wrong". Byte i
// is i % 251 in both.
'use strict';
const pattern = Buffer.from(Array.from({length: 251 * 600}, (_, i) => i % 251));

function give(response, size) {
  let at = 0;
  const more = () => {
    while (at < size) {
      const piece = pattern.subarray(at % 251, at % 251 + Math.min(65536, size - at));
      at += piece.length;
      if (!response.write(piece)) {
        return;
      }
    }
    response.end();
  };
  response.on('drain', more);
  more();
}

require(process.argv[3]).createServer((request, response) => {
  request.on('error', () => {});
  response.on('error', () => {});
  if (request.method === 'GET') {
    const size = +request.url.split('/').pop();
    response.setHeader('content-length', size);
    give(response, size);
    return;
  }
  let at = 0, right = true;
  request.on('data', (data) => {
    right = right && data.equals(pattern.subarray(at % 251, at % 251 + data.length));
    at += data.length;
  });
  request.on('end', () => {
    const text = right ? `${at}` : 'wrong';
    response.setHeader('content-length', text.length);
    response.end(text);
  });
}).listen(+process.argv[2], '127.0.0.1');

// SPDX-License-Identifier: Apache-2.0
//
// node websocket_h2.js client PORT ROOTS CHAIN KEY     WebSocket over HTTP/2 (RFC 8441): prints what it gets
// node websocket_h2.js server PORT                     HTTP/2 without TLS: echoes the tunnel's bytes
'use strict';
const fs = require('fs');
const http2 = require('http2');

function frame(opcode, payload) { // short, and masked as clients do
  const mask = Buffer.from([1, 2, 3, 4]);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}

function take(data) { // masked where the server is an echo
  const start = data.length >= 2 && data[1] & 0x80 ? 6 : 2;
  const size = data.length >= 2 ? start + (data[1] & 0x7f) : Infinity;
  if (data.length < size) {
    return null;
  }
  const mask = start === 6 ? data.subarray(2, 6) : Buffer.alloc(4);
  const payload = Buffer.from(data.subarray(start, size).map((byte, i) => byte ^ mask[i % 4]));
  return {opcode: data[0] & 15, payload, size};
}

function client(port, roots, chain, key) {
  const session = http2.connect(`https://127.0.0.1:${port}`, {
    servername: 'server.example', ca: fs.readFileSync(roots), cert: fs.readFileSync(chain),
    key: fs.readFileSync(key), checkServerIdentity: () => undefined});
  session.on('remoteSettings', (settings) => {
    const stream = session.request({
      ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':path': '/chat',
      ':authority': `server.example:${port}`, 'sec-websocket-version': '13'}, {endStream: false});
    let got = Buffer.alloc(0);
    stream.on('response', (headers) => {
      console.log(settings.enableConnectProtocol, headers[':status'],
                  Object.keys(headers).filter((name) => name.startsWith('sec-')).join());
      stream.write(frame(1, Buffer.from('hello')));
    });
    stream.on('data', (data) => {
      got = Buffer.concat([got, data]);
      for (let next; (next = take(got)); got = got.subarray(next.size)) {
        const {opcode, payload} = next;
        if (opcode === 1) {
          console.log('text', payload.toString());
          stream.write(frame(8, Buffer.from([0x03, 0xe8])));
        } else if (opcode === 8) {
          console.log('close', payload.readUInt16BE(0));
          stream.end();
        }
      }
    });
    stream.on('close', () => { console.log('over', stream.rstCode); session.close(); });
    stream.on('error', (error) => console.log(String(error)));
  });
}

function server(port) {
  const made = http2.createServer({settings: {enableConnectProtocol: true}});
  made.on('stream', (stream, headers) => {
    if (headers[':protocol'] !== 'websocket' || 'sec-websocket-key' in headers) {
      stream.respond({':status': 400}, {endStream: true});
      return;
    }
    stream.respond({':status': 200});
    stream.on('data', (data) => stream.write(data));
    stream.on('end', () => stream.end());
    stream.on('error', () => {});
  });
  made.listen(+port, '127.0.0.1');
}

({client, server})[process.argv[2]](...process.argv.slice(3));

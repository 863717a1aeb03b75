// SPDX-License-Identifier: Apache-2.0
//
// node tls_peer.js client|server < lines of "PORT CHAIN KEY ROOT GROUP"
//
// client: visits each port twice, prints "PORT ANSWER RESUMED" for each visit.
// server: listens on each port with this group alone, prints "ready", answers a line with
// "PEER RESUMED". An empty line ends the list, the end of input ends the server.
'use strict';
const tls = require('tls');
const fs = require('fs');
const readline = require('readline');

function options(words) {
  return {cert: fs.readFileSync(words[1]), key: fs.readFileSync(words[2]),
          ca: fs.readFileSync(words[3]), minVersion: 'TLSv1.3'};
}

function visit(words, session) {
  return new Promise((done, failed) => {
    let answer = '', ticket;
    const socket = tls.connect({...options(words), host: '127.0.0.1', port: +words[0], session,
                                servername: 'server.example'},
      () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    const resumed = () => socket.isSessionReused();
    let was;
    socket.on('secureConnect', () => { was = resumed(); });
    socket.on('session', (given) => { ticket = given; });
    socket.on('data', (data) => { answer += data; });
    socket.on('error', failed);
    socket.on('close', () => {
      console.log(words[0], answer.slice(answer.indexOf('\r\n\r\n') + 4).trim(), was);
      done(ticket);
    });
  });
}

function serve(words) {
  const curve = {'X25519': 'X25519', 'P-256': 'prime256v1', 'P-384': 'secp384r1'}[words[4]];
  const server = tls.createServer({...options(words), requestCert: true, rejectUnauthorized: true,
                                   ecdhCurve: curve}, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.end(`${socket.getPeerCertificate().subject.CN} ${socket.isSessionReused()}\n`);
    });
  });
  return new Promise((done) => server.listen(+words[0], '127.0.0.1', done));
}

async function main() {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const words = line.split(' ');
    if (line === '') {
      console.log('ready');
    } else if (process.argv[2] === 'server') {
      await serve(words);
    } else {
      try {
        await visit(words, await visit(words));
      } catch (error) {
        console.log(words[0], 'error', error.message);
      }
    }
  }
  process.exit(0);
}

main();

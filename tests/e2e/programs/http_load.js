// SPDX-License-Identifier: Apache-2.0
//
// node http_load.js PORT ROOT CHAIN KEY CONNECTIONS SECONDS BIG
//
// So many clients, every other one of HTTP/2, each with a connection of its own, ask and send for so
// many seconds at least, until standard input ends and they have had five good answers each, all in
// all: mostly little, now and then megabytes; one of each version takes and sends BIG bytes.
// Backends may die all the while, so requests may fail; but what is answered 200 to its end must be
// right to the byte. Prints {good, bytes, failed, statuses, big, wrong} as JSON.
'use strict';
const fs = require('fs');
const https = require('https');
const http2 = require('http2');

const [port, root, chain, key, connections, seconds, big] = process.argv.slice(2);
const tls = {ca: fs.readFileSync(root), cert: fs.readFileSync(chain), key: fs.readFileSync(key),
             servername: 'server.example'};
const pattern = Buffer.from(Array.from({length: 251 * 300}, (_, i) => i % 251));
const end = Date.now() + seconds * 1000;
const told = {good: 0, bytes: 0, failed: 0, statuses: {}, big: 0, wrong: []};

let isTold = false;
process.stdin.on('end', () => { isTold = true; }).resume();
const goesOn = () => Date.now() < end || !isTold || told.good <= 5 * connections;

let seed = 12345;
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed % below;
};

function piece(at, size) {
  return pattern.subarray(at % 251, at % 251 + Math.min(65536, size - at));
}

// The last piece goes with the end: an answer may come as soon as all bytes have.
function send(stream, size) {
  let at = 0;
  const more = () => {
    while (at + 65536 < size && !stream.destroyed) {
      const data = piece(at, size);
      at += data.length;
      if (!stream.write(data)) {
        return;
      }
    }
    if (at + 65536 >= size) {
      stream.off('drain', more);
      stream.end(size > at ? piece(at, size) : undefined);
    }
  };
  stream.on('drain', more);
  more();
}

// What comes of one answer of `length` bytes, null when it doesn't tell: {status, size, text, right};
// rejects when it breaks off. Node may close a stream of HTTP/2 before it tells of its end.
function take(stream, status, length, isUpload) {
  return new Promise((done, failed) => {
    let size = 0, right = true, text = '';
    const finish = () => done({status, size, text, right});
    stream.on('data', (data) => {
      if (isUpload || status !== 200) {
        text += data;
      } else {
        for (let at = 0; at < data.length && right; at += 65536) {
          const part = data.subarray(at, at + 65536);
          right = part.equals(pattern.subarray((size + at) % 251, (size + at) % 251 + part.length));
        }
      }
      size += data.length;
    });
    stream.on('end', finish);
    stream.on('aborted', () => failed(new Error('broken off')));
    stream.on('error', failed);
    stream.on('close', () => stream.rstCode === 0 && size === length ? finish() : failed(new Error('closed')));
  });
}

class Http1 {
  constructor() {
    this.agent = new https.Agent({...tls, keepAlive: true, maxSockets: 1});
  }

  ask(method, path, size) {
    return new Promise((done, failed) => {
      const request = https.request({method, path, host: '127.0.0.1', port, agent: this.agent,
                                     headers: {host: 'server.example',
                                               ...(method === 'POST' ? {'content-length': size} : {})}},
        (answer) => take(answer, answer.statusCode, null, method === 'POST').then(done, failed));
      request.on('error', failed);
      request.setTimeout(120000, () => request.destroy(new Error('no answer in time')));
      if (method === 'POST') {
        send(request, size);
      } else {
        request.end();
      }
    });
  }

  close() {
    this.agent.destroy();
  }
}

class Http2 {
  open() {
    if (!this.session || this.session.closed || this.session.destroyed) {
      this.session = http2.connect('https://server.example', {
        createConnection: () => require('tls').connect({...tls, host: '127.0.0.1', port, ALPNProtocols: ['h2']})});
      this.session.on('error', () => {});
    }
    return this.session;
  }

  ask(method, path, size) {
    return new Promise((done, failed) => {
      let answered = false;
      const stream = this.open().request({':method': method, ':path': path}, {endStream: method === 'GET'});
      stream.on('response', (fields) => {
        const length = fields['content-length'] === undefined ? null : +fields['content-length'];
        answered = true;
        take(stream, fields[':status'], length, method === 'POST').then(done, failed);
      });
      stream.on('error', failed);
      stream.on('close', () => answered || failed(new Error('closed')));
      stream.setTimeout(120000, () => { stream.close(); failed(new Error('no answer in time')); });
      if (method === 'POST') {
        send(stream, size);
      }
    });
  }

  close() {
    if (this.session) {
      this.session.destroy();
    }
  }
}

async function one(client, method, path, size) {
  let answer;
  try {
    answer = await client.ask(method, method === 'GET' ? `${path}${size}` : path, size);
  } catch (error) {
    told.failed++;
    if (path === '/steady/') {
      told.wrong.push(`${method} ${path} ${size}: ${error.message}`);
    }
    if (error.message === 'no answer in time') {
      told.wrong.push(`${method} ${path} ${size}: ${error.message}`);
    }
    await new Promise((done) => setTimeout(done, 20)); // it may be gone for a while
    return false;
  }
  told.statuses[answer.status] = (told.statuses[answer.status] || 0) + 1;
  if (answer.status !== 200) {
    if (path === '/steady/') {
      told.wrong.push(`${method} ${path} ${size}: ${answer.status} ${answer.text}`);
    }
    await new Promise((done) => setTimeout(done, 20));
    return false;
  }
  const right = method === 'GET' ? answer.right && answer.size === size : answer.text === `${size}`;
  if (!right) {
    told.wrong.push(`${method} ${path} ${size}: ${answer.size} bytes, ${answer.text.slice(0, 80)}`);
  }
  told.good++;
  told.bytes += size;
  return right;
}

async function visitor(number) {
  const client = number % 2 ? new Http2() : new Http1();
  while (goesOn()) {
    const size = random(100) === 0 ? random(4 << 20) : random(20000);
    await one(client, random(3) ? 'GET' : 'POST', random(2) ? '/h1/' : '/h2c/', size);
    await new Promise((done) => setTimeout(done, random(200)));
  }
  client.close();
}

async function hauler(client) {
  for (const method of ['GET', 'POST']) {
    if (await one(client, method, '/steady/', +big)) {
      told.big++;
    }
  }
  client.close();
}

const all = [hauler(new Http1()), hauler(new Http2())];
for (let i = 0; i < connections; i++) {
  all.push(visitor(i));
}
Promise.all(all).then(() => {
  told.wrong = told.wrong.slice(0, 20);
  console.log(JSON.stringify(told));
  process.exit(0);
});

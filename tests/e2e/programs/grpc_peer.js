// SPDX-License-Identifier: Apache-2.0
//
// node grpc_peer.js server PORT
// node grpc_peer.js client PORT ROOT CHAIN KEY
//
// The service /t.Echo of grpc_peer.py, without a line of protobuf: messages are bytes. The client goes
// through all kinds of calls and prints a line for each.
'use strict';
const fs = require('fs');
const grpc = require('@grpc/grpc-js');

const same = (value) => value;
const method = (name, requestStream, responseStream) => ({
  path: `/t.Echo/${name}`, requestStream, responseStream, requestSerialize: same,
  requestDeserialize: same, responseSerialize: same, responseDeserialize: same,
});
const service = {
  Unary: method('Unary', false, false), Count: method('Count', false, true),
  Sum: method('Sum', true, false), Chat: method('Chat', true, true),
  Wait: method('Wait', false, false), Fail: method('Fail', false, false),
};
const sizes = {'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1};

const handlers = {
  Unary: (call, done) => done(null, call.request),
  Count: (call) => {
    for (let i = 0; i < +call.request; i++) {
      call.write(Buffer.from(`${i}`));
    }
    call.end();
  },
  Sum: (call, done) => {
    let n = 0, bytes = 0;
    call.on('data', (data) => { n++; bytes += data.length; });
    call.on('end', () => done(null, Buffer.from(`${n} ${bytes}`)));
  },
  Chat: (call) => {
    call.on('data', (data) => call.write(data));
    call.on('end', () => call.end());
  },
  Wait: (call) => {
    console.log('waiting');
    call.on('cancelled', () => console.log('cancelled'));
  },
  Fail: (call, done) => {
    const metadata = new grpc.Metadata();
    metadata.set('x-why', 'because');
    done({code: grpc.status.FAILED_PRECONDITION, details: 'not t\u00f6day', metadata});
  },
};

function serve(port) {
  const server = new grpc.Server(sizes);
  server.addService(service, handlers);
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), () => {});
}

function client(port, root, chain, key) {
  const credentials = grpc.credentials.createSsl(fs.readFileSync(root), fs.readFileSync(key),
                                                 fs.readFileSync(chain));
  const Client = grpc.makeGenericClientConstructor(service, 'Echo');
  return new Client(`127.0.0.1:${port}`, credentials, {
    ...sizes, 'grpc.ssl_target_name_override': 'server.example', 'grpc.default_authority': 'server.example'});
}

const unary = (peer, name, data, options = {}) => new Promise((done) => {
  peer[name](data, options, (error, answer) => done({error, answer}));
});

async function calls(peer) {
  const big = Buffer.alloc(50 * 1024 * 1024, 'handfast');
  console.log('unary', (await unary(peer, 'Unary', Buffer.from('hello'))).answer.toString());
  console.log('empty', (await unary(peer, 'Unary', Buffer.alloc(0))).answer.length);
  console.log('big', (await unary(peer, 'Unary', big)).answer.equals(big));

  let counted = 0;
  for await (const data of peer.Count(Buffer.from('1000'))) {
    counted += +data.toString() === counted ? 1 : NaN;
  }
  console.log('server stream', counted);

  const sum = await new Promise((done) => {
    const call = peer.Sum((error, answer) => done(answer));
    for (let i = 0; i < 100; i++) {
      call.write(Buffer.alloc(i));
    }
    call.end();
  });
  console.log('client stream', sum.toString());

  const chat = peer.Chat();
  const heard = [];
  chat.write(Buffer.from('0'));
  for await (const data of chat) {
    heard.push(data.toString());
    if (heard.length < 50) {
      chat.write(Buffer.from(`${heard.length}`));
    } else {
      chat.end();
    }
  }
  console.log('both streams', heard.length, heard[49]);

  const late = await unary(peer, 'Wait', Buffer.alloc(0), {deadline: Date.now() + 500});
  console.log('deadline', grpc.status[late.error.code]);

  const cancelled = await new Promise((done) => {
    const call = peer.Wait(Buffer.alloc(0), (error) => done(error));
    setTimeout(() => call.cancel(), 300);
  });
  console.log('cancel', grpc.status[cancelled.code]);

  const failed = (await unary(peer, 'Fail', Buffer.alloc(0))).error;
  console.log('status', grpc.status[failed.code], failed.details, failed.metadata.get('x-why')[0]);
}

async function refused(peer) {
  const {error} = await unary(peer, 'Unary', Buffer.from('hello'));
  if (error) {
    console.log('refused', grpc.status[error.code]);
  }
}

const [what, port, ...rest] = process.argv.slice(2);
if (what === 'server') {
  serve(port);
} else {
  const peer = client(port, ...rest);
  (what === 'refused' ? refused(peer) : calls(peer)).then(() => peer.close());
}

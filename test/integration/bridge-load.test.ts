/** The bridge under a thousand requests at once, clients that leave, and bodies that come slowly: everything is given back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const PROCEDURE = 'com.example.echo';
const CALL = JSON.stringify({ procedure: PROCEDURE, args: [1] });
/** What a request leaves behind, if it leaves something behind. */
const CLASSES = ['HeldBody', 'WebResponse', 'Pipeline'];

let daemon: Daemon;

beforeEach(async () => {
  const service = { realm: 'realm1', role: 'anonymous' };
  const paths = {
    publish: { type: 'publisher', ...service },
    call: { type: 'caller', ...service },
    hook: { type: 'webhook', ...service, options: { topic: 'com.example.hook' } },
  };
  daemon = await startDaemon({ probed: true, config: nodeConfig({ paths }) });
});
afterEach(async () => {
  await daemon.dispose();
});

type Objects = Readonly<Record<string, number>>;

const left = (): Promise<Objects> => daemon.ask('objects', { classes: CLASSES });

/** Looks until nothing more is there than before; a test that never gets there ends by its own time. */
async function untilGivenBack(before: Objects): Promise<void> {
  const isMore = (now: Objects): boolean => CLASSES.some((name) => (now[name] ?? 0) > (before[name] ?? 0));
  while (isMore(await left()));
}

/** More where the node has threads of JavaScript beside its first one. */
async function threads(): Promise<number> {
  return (await daemon.ask<Objects>('objects', { classes: ['Worker'] }))['Worker'] ?? 0;
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

async function open(text: string): Promise<Socket> {
  const socket = connect(daemon.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** @returns the status line of the answer, when the connection has ended; empty when there was none. */
async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  if (!socket.closed) await once(socket, 'close');
  return text.split('\r\n', 1).join('');
}

it('answers a thousand calls at once, and keeps nothing of them', async () => {
  const callee = await WampClient.join(daemon.url('/ws', 'ws'));
  await callee.ask([64, 1, {}, PROCEDURE]);
  const before = await left();
  const sockets = await Promise.all(Array.from({ length: 1000 }, () => open(head('/call', CALL.length) + CALL)));
  const answers = sockets.map(answerOf);
  // All of them are under way before the first one is answered.
  const requests: unknown[] = [];
  while (requests.length < 1000) requests.push((await callee.next())[1]);
  for (const request of requests) callee.send([70, request, {}, [2]]);
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']));
  await untilGivenBack(before);
  await callee.close();
});

it('cancels the calls of clients that have left, and keeps nothing of them', async () => {
  const callee = await WampClient.connect(daemon.url('/ws', 'ws'));
  callee.send([1, 'realm1', { roles: { callee: { features: { call_canceling: true } } } }]);
  expect((await callee.next())[0]).toBe(2);
  await callee.ask([64, 1, {}, PROCEDURE]);
  const before = await left();
  const sockets = await Promise.all(Array.from({ length: 100 }, () => open(head('/call', CALL.length) + CALL)));
  const requests = new Set<unknown>();
  while (requests.size < 100) requests.add((await callee.next())[1]);
  for (const socket of sockets) socket.destroy();
  const interrupted = new Set<unknown>();
  while (interrupted.size < 100) {
    const [type, request, options] = await callee.next();
    expect([type, options]).toMatchObject([69, { mode: 'kill' }]);
    interrupted.add(request);
    callee.send([8, 68, request, {}, 'wamp.error.canceled']);
  }
  expect(interrupted).toEqual(requests);
  await untilGivenBack(before);
  await callee.close();
});

it('gives back what it holds for bodies that stop half-way', async () => {
  const before = await left();
  const asking = head('/publish', 100_000).replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n');
  const half = await Promise.all(Array.from({ length: 100 }, () => open(asking)));
  // The node reads the body from then on.
  const asked = await Promise.all(half.map(async (socket) => ((await once(socket, 'data')) as [Buffer])[0].toString()));
  expect(new Set(asked)).toEqual(new Set(['HTTP/1.1 100 Continue\r\n\r\n']));
  for (const socket of half) socket.write('{"topic"');
  for (const socket of half) socket.destroy();
  await untilGivenBack(before);
});

it.each([
  // The worst of JSON: each value is a list.
  ['publisher', '/publish', `{"topic":"com.example.large","args":[${'[],'.repeat(5_000_000)}[]]}`, 200],
  // The worst of text: each character becomes six.
  ['webhook', '/hook', '\u0001'.repeat(16_777_216), 202],
])('takes the largest body of a %s apart in a thread, where nobody waits for it', async (_word, path, body, status) => {
  const before = await threads();
  expect((await fetch(daemon.url(path), { method: 'POST', body: new Blob([body]) })).status).toBe(status);
  expect(await threads()).toBeGreaterThan(before);
});

/**
 * A word more in each family, in a node that runs: nothing in `config/` and `node/` is changed for it. It is loaded, started,
 * used, told by the summary and stopped.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { nodeSchemaOf } from '../../src/config/families.js';
import { compile } from '../../src/config/validator.js';
import type { RunningNode } from '../../src/node/api.js';
import { startNodeWith } from '../../src/node/node.js';
import { formatSummary } from '../../src/node/summary.js';
import { temporaryDirectory } from '../support/daemon.js';
import { FAMILIES, MORE, SMILE_ID } from '../support/more-words.js';
import { LOOPBACK } from '../support/node-config.js';

const tree = nodeSchemaOf(MORE);
const words = { families: FAMILIES, schema: { tree, check: compile({}, tree).validate } };

const CONFIG = {
  version: 2,
  workers: [
    {
      type: 'router',
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', 'allow-by-default': true }] }],
      components: [{ type: 'robot', realm: 'realm1', role: 'anonymous' }],
      transports: [
        {
          ...{ type: 'pigeon', endpoint: LOOPBACK, loft: 'loft', serializers: ['smile'] },
          auth: { handshake: { grip: '${GRIP}' } },
        },
        {
          ...{ type: 'web', endpoint: LOOPBACK, cookie: { store: { type: 'shelf', board: 'oak' } } },
          paths: { ask: { type: 'oracle', password: 'please' }, ws: { type: 'websocket', serializers: ['smile'] } },
        },
      ],
    },
    { type: 'mill', grain: 'rye' },
  ],
};

const nodes: RunningNode[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const node of nodes.splice(0)) await node.stop();
});

async function start(cbdir: string): Promise<RunningNode> {
  const node = await startNodeWith(words, { cbdir, config: CONFIG, env: { GRIP: 'firm' } });
  nodes.push(node);
  return node;
}

/** Sends what a pigeon carries, and takes what comes back: a header of four octets, a smile, and JSON. */
async function* pigeonTo({ summary }: RunningNode): AsyncGenerator<unknown, void, unknown> {
  const { port = 0 } = summary.listening[0] ?? {};
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.write(Buffer.of(0x7f, 0xf0 | SMILE_ID, 0, 0));
  let received = Buffer.alloc(0);
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const take = async (bytes: number): Promise<Buffer> => {
    while (received.length < bytes) received = Buffer.concat([received, (await chunks.next()).value as Buffer]);
    const taken = received.subarray(0, bytes);
    received = received.subarray(bytes);
    return taken;
  };
  expect((await take(4)).readUInt8(1) & 0x0f).toBe(SMILE_ID);
  let message = yield;
  for (;;) {
    const body = Buffer.from(`:)${JSON.stringify(message)}`);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(body.length);
    socket.write(Buffer.concat([header, body]));
    const text = (await take((await take(4)).readUIntBE(1, 3))).toString();
    expect(text.slice(0, 2)).toBe(':)');
    message = yield JSON.parse(text.slice(2)) as unknown;
  }
}

it('a transport, a serializer, a method and a component work together', async () => {
  const node = await start(temporaryDirectory());
  const stranger = pigeonTo(node);
  await stranger.next();
  const hello = { roles: { caller: {} }, authmethods: ['handshake'] };
  const abort = (await stranger.next([1, 'realm1', { ...hello, authextra: { grip: 'limp' } }])).value;
  expect(abort).toMatchObject([3, {}, 'wamp.error.not_authorized']);
  const friend = pigeonTo(node);
  await friend.next();
  const welcome = (await friend.next([1, 'realm1', { ...hello, authextra: { grip: 'firm' } }])).value;
  expect(welcome).toMatchObject([2, {}, { authid: 'guest', authmethod: 'handshake', authrole: 'anonymous' }]);
  expect((await friend.next([48, 1, {}, 'robot.move', ['left']])).value).toEqual([50, 1, {}, ['moved left']]);
});

it('a serializer is spoken on a WebSocket, also in batches', async () => {
  const { summary } = await start(temporaryDirectory());
  for (const subprotocol of ['wamp.2.smile', 'wamp.2.smile.batched']) {
    const socket = new WebSocket(summary.listening[1]?.paths[1]?.url ?? '', subprotocol);
    await once(socket, 'open');
    expect(socket.protocol).toBe(subprotocol);
    socket.terminate();
  }
});

it('a service answers, and a store knows its visitors when the node has started again', async () => {
  const cbdir = temporaryDirectory();
  const first = await start(cbdir);
  const ask = ({ summary }: RunningNode, headers = {}): Promise<Response> =>
    fetch(`${summary.listening[1]?.paths[0]?.url ?? ''}?please`, { headers });
  const answer = await ask(first);
  const [cookie = ''] = answer.headers.get('set-cookie')?.split(';') ?? [];
  const told = await answer.text();
  expect(told).toBe(`welcome, ${cookie.replace('cbtid=', '')}`);
  await first.stop();
  expect(readFileSync(path.join(cbdir, 'oak'), 'utf8')).toContain(cookie.replace('cbtid=', ''));
  const again = await ask(await start(cbdir), { cookie });
  expect([again.headers.get('set-cookie'), await again.text()]).toEqual([null, told]);
});

it('a worker starts and stops with the node', async () => {
  const cbdir = temporaryDirectory();
  const node = await start(cbdir);
  const grain = () => readFileSync(path.join(cbdir, 'rye'), 'utf8');
  expect(grain()).toBe('grinds');
  await node.stop();
  expect(grain()).toBe('flour');
});

it('the summary tells each of them', async () => {
  const cbdir = temporaryDirectory();
  const { summary } = await start(cbdir);
  const [first, second] = summary.listening;
  expect(summary).toMatchObject({
    workers: [
      { worker: 'worker001', type: 'router' },
      { worker: 'worker002', type: 'mill' },
    ],
    listening: [
      { type: 'pigeon', wamp: { serializers: ['smile'], auth: ['handshake'] } },
      {
        type: 'web',
        paths: [{ type: 'oracle' }, { type: 'websocket', wamp: { serializers: ['smile'], auth: ['anonymous'] } }],
      },
    ],
    components: [{ component: 'component001', worker: 'worker001', type: 'robot', realm: 'realm1' }],
    cookieStores: [{ type: 'shelf', board: path.join(cbdir, 'oak') }],
  });
  expect(formatSummary(summary).split('\n').slice(1)).toEqual([
    `listening pigeon://127.0.0.1:${first?.port ?? ''}/  pigeon`,
    `listening http://127.0.0.1:${second?.port ?? ''}/ask  oracle`,
    `listening ws://127.0.0.1:${second?.port ?? ''}/ws  websocket`,
    'realm     realm1, roles anonymous',
    `cookies   ${path.join(cbdir, 'oak')}`,
    'component component001, robot, in realm1',
    'clients   speak smile; let in by handshake, anonymous',
    'worker    worker001, router',
    'worker    worker002, mill',
  ]);
});

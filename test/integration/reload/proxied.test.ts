/** WebSockets that go through a reverse proxy outlive a change of its options, count as before, and end when the path goes. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { configOf, page, webAt } from '../../support/changing-places.js';
import { ReloadedDaemon } from '../../support/reloading.js';

let backend: WebSocketServer;
let node: ReloadedDaemon;
beforeAll(async () => {
  backend = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  backend.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  await once(backend, 'listening');
  node = await ReloadedDaemon.start(([port = 0]) => configOf([webAt(port, { page: page('here') })]), { portCount: 1 });
});
afterAll(async () => {
  await node.dispose();
  backend.close();
});

const url = () => `ws://127.0.0.1:${node.ports[0] ?? 0}/app`;
const take = (paths: object) => node.take(configOf([webAt(node.ports[0] ?? 0, { page: page('here'), ...paths })]));

async function opened(): Promise<WebSocket> {
  const ws = new WebSocket(url());
  await once(ws, 'open');
  return ws;
}

async function echoed(ws: WebSocket, text: string): Promise<string> {
  ws.send(text);
  const [data] = (await once(ws, 'message')) as [Buffer];
  return data.toString();
}

it.each([
  ['reverseproxy', (port: number, options: object) => ({ type: 'reverseproxy', host: '127.0.0.1', port, options })],
  [
    'websocket-reverseproxy',
    (port: number, options: object) => ({
      type: 'websocket-reverseproxy',
      backend: {
        type: 'websocket',
        url: `ws://127.0.0.1:${port}/`,
        endpoint: { type: 'tcp', host: '127.0.0.1', port },
      },
      options,
    }),
  ],
] as const)('%s', async (_type, proxy) => {
  const { port } = backend.address() as AddressInfo;
  await take({ app: proxy(port, { max_connections: 5 }) });
  const early = await opened();
  await take({ app: proxy(port, { max_connections: 1 }) });
  expect(await echoed(early, 'still here')).toBe('still here');
  await expect(opened()).rejects.toThrow('503');
  await take({ app: proxy(port, { max_connections: 2 }) });
  const late = await opened();
  expect(await echoed(late, 'new')).toBe('new');
  const ends = [early, late].map((ws) => once(ws, 'close'));
  await take({});
  // Nobody speaks for the backend: the connection ends without a word.
  for (const [code] of await Promise.all(ends)) expect(code).toBe(1006);
});

/** WebSockets that go through a reverse proxy outlive a change of its options, count as before, and end with 1001 at both ends when the path goes, or the node. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { configOf, page, webAt } from '../../support/changing-places.js';
import { startDaemon } from '../../support/daemon.js';
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

const PROXIES = {
  reverseproxy: (port: number, options: object) => ({ type: 'reverseproxy', host: '127.0.0.1', port, options }),
  'websocket-reverseproxy': (port: number, options: object) => ({
    type: 'websocket-reverseproxy',
    backend: {
      type: 'websocket',
      url: `ws://127.0.0.1:${port}/`,
      endpoint: { type: 'tcp', host: '127.0.0.1', port },
    },
    options,
  }),
};

it.each(Object.entries(PROXIES))('%s', async (_type, proxy) => {
  const { port } = backend.address() as AddressInfo;
  await take({ app: proxy(port, { max_connections: 5 }) });
  const early = await opened();
  await take({ app: proxy(port, { max_connections: 1 }) });
  expect(await echoed(early, 'still here')).toBe('still here');
  await expect(opened()).rejects.toThrow('503');
  await take({ app: proxy(port, { max_connections: 2 }) });
  const late = await opened();
  expect(await echoed(late, 'new')).toBe('new');
  const ends = [early, late, ...backend.clients].map((ws) => once(ws, 'close'));
  expect(ends).toHaveLength(4);
  await take({});
  for (const [code] of await Promise.all(ends)) expect(code).toBe(1001);
});

it.each(Object.keys(PROXIES) as (keyof typeof PROXIES)[])('%s of a node that stops', async (type) => {
  const { port } = backend.address() as AddressInfo;
  const config = configOf([webAt(0, { page: page('here'), app: PROXIES[type](port, {}) })]);
  const daemon = await startDaemon({ config });
  onTestFinished(() => daemon.dispose());
  const ws = new WebSocket(daemon.url('/app', 'ws'));
  await once(ws, 'open');
  expect(await echoed(ws, 'here')).toBe('here');
  const ends = [ws, ...backend.clients].map((end) => once(end, 'close'));
  expect(await daemon.stop()).toBe(0);
  expect((await Promise.all(ends)).map(([code]) => code as number)).toEqual([1001, 1001]);
});

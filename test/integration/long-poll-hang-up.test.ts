/** What a client of long-poll can make the node keep while an authenticator thinks about it. */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { httpRequest } from '../support/long-poll-client.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const AUTHENTICATOR = 'com.example.authenticate';
const BYTES = 60_000;
const POSTS = 400;

let daemon: Daemon;
beforeAll(async () => {
  const auth = { anonymous: { type: 'dynamic', authenticator: AUTHENTICATOR, 'authenticator-realm': 'realm1' } };
  const websocket = { auth: { anonymous: { type: 'static', role: 'backend' } } };
  const realms = [{ name: 'realm1', roles: ['backend', 'user'].map((name) => ({ name, permissions: ALLOW_ALL })) }];
  const config = nodeConfig({ realms, websocket, paths: { lp: { type: 'longpoll', auth } } });
  daemon = await startDaemon({ probed: true, config });
});
afterAll(() => daemon.dispose());

it('messages that nobody reads are forgotten when their client hangs up', async () => {
  const authenticator = await WampClient.join(daemon.url('/ws', 'ws'));
  expect((await authenticator.ask([64, 1, {}, AUTHENTICATOR]))[0]).toBe(65);
  const to = { port: daemon.port, host: '127.0.0.1', method: 'POST' };
  const opened = await httpRequest({ ...to, path: '/lp/open' }, '{"protocols":["wamp.2.json"]}');
  const { transport: id } = JSON.parse(opened.body.toString()) as { transport: string };
  const hello = '[1,"realm1",{"roles":{"caller":{}},"authmethods":["anonymous"]}]';
  const send = { ...to, path: `/lp/${id}/send` };
  expect((await httpRequest(send, hello)).status).toBe(204);
  expect((await authenticator.next())[0]).toBe(68);
  const message = Buffer.from(`[48,1,{},"com.example.none",["${'x'.repeat(BYTES)}"]]`);
  const hangUp = async (): Promise<void> => {
    const req = request({ ...send, headers: { 'Content-Length': message.length } });
    req.on('error', () => undefined);
    await new Promise((resolve) => req.end(message, () => resolve(undefined)));
    req.destroy();
    await new Promise((resolve) => (req.closed ? resolve(undefined) : req.once('close', resolve)));
  };
  const before = (await daemon.ask<{ arrayBuffers: number }>('memory')).arrayBuffers;
  for (let i = 0; i < POSTS; i += 20) await Promise.all(Array.from({ length: 20 }, hangUp));
  const after = (await daemon.ask<{ arrayBuffers: number }>('memory')).arrayBuffers;
  expect(after - before).toBeLessThan((POSTS * BYTES) / 4);
});

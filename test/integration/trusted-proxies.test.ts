/** nginx and HAProxy in front of a node that trusts them: whom it sees behind them, and by which scheme. */
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { FRONT_PROXIES } from '../support/front-proxies.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import type { Program } from '../support/program.js';

/** Another address of this machine than that of the proxies, which is the one that is trusted. */
const CLIENT = '127.0.0.77';

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

function get(port: number, headers: OutgoingHttpHeaders = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/page', localAddress: CLIENT, headers }, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode, headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });
}

/** Joins a realm. @returns the `Set-Cookie` of the handshake, and its socket. */
interface Joined {
  readonly setCookie: string;
  readonly ws: WebSocket;
  readonly sessionId: number;
}

async function join(port: number, headers: OutgoingHttpHeaders = {}): Promise<Joined> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['wamp.2.json'], { localAddress: CLIENT, headers });
  const upgraded = once(ws, 'upgrade') as Promise<[{ headers: IncomingHttpHeaders }]>;
  await once(ws, 'open');
  ws.send('[1,"realm1",{"roles":{"caller":{}}}]');
  const [welcome] = (await once(ws, 'message')) as [Buffer];
  const [, sessionId] = JSON.parse(welcome.toString()) as [number, number];
  const [response] = await upgraded;
  return { setCookie: String(response.headers['set-cookie']), ws, sessionId };
}

for (const { name, isThere, start } of FRONT_PROXIES) {
  describeNeeds(name, isThere)(`behind ${name}`, () => {
    let node: Daemon;
    let proxy: Program;
    let port = 0;

    beforeAll(async () => {
      const config = nodeConfig({
        websocket: { cookie: {} },
        paths: { page: { type: 'json', value: 1, cookie: {} } },
      });
      node = await startDaemon({
        config: { ...config, controller: { options: { trusted_proxies: ['127.0.0.1'] } } },
        args: ['--loglevel', 'debug'],
      });
      ({ port, program: proxy } = await start(node.port));
    });
    afterAll(async () => {
      await proxy.stop();
      await node.dispose();
    });

    it('a session has the address of its client, whatever the client says itself', async () => {
      const { ws } = await join(port, { 'X-Forwarded-For': '6.6.6.6, 127.0.0.1', Forwarded: 'for=6.6.6.6' });
      const joined = await node.waitForLog('session joined');
      expect(joined['peer']).toBe(CLIENT);
      ws.terminate();
    });

    it('a cookie is Secure, because the client is said to have come by https', async () => {
      const { setCookie, ws } = await join(port);
      expect(setCookie).toMatch(/^cbtid=.*; Secure/);
      ws.terminate();
      expect(String((await get(port)).headers['set-cookie'])).toMatch(/; Secure/);
    });

    it('who comes without the proxy is not believed', async () => {
      const claims = {
        'X-Forwarded-For': '6.6.6.6',
        'X-Forwarded-Proto': 'https',
        Forwarded: 'for=6.6.6.6;proto=https',
      };
      expect(String((await get(node.port, claims)).headers['set-cookie'])).not.toMatch(/Secure/);
      const { ws, sessionId } = await join(node.port, claims);
      const joined = await node.waitForLog((line) => line.msg === 'session joined' && line['sessionId'] === sessionId);
      expect(joined['peer']).toMatch(/^127\.0\.0\.77:\d+$/);
      ws.terminate();
    });
  });
}

describe('a node that trusts proxies of this machine', () => {
  it('counts connections without a session for each client', async () => {
    const config = nodeConfig({
      websocket: { options: { max_unauthenticated_per_address: 2 } },
      transport: { options: { trusted_proxies: ['loopback'] } },
    });
    const node = await startDaemon({ config });
    const opened: WebSocket[] = [];
    for (const address of ['203.0.113.8', '203.0.113.9', '203.0.113.9', '203.0.113.9']) {
      const headers = { 'X-Forwarded-For': address };
      const ws = new WebSocket(node.url('/ws', 'ws'), ['wamp.2.json'], { headers });
      opened.push(ws);
      await once(ws, 'open');
    }
    const told = await node.waitForLog('too many connections without a session, the oldest ones closed');
    expect(told).toMatchObject({ limit: 'max_unauthenticated_per_address', address: '203.0.113.9' });
    if (opened[1]?.readyState !== WebSocket.CLOSED) await once(opened[1] as WebSocket, 'close');
    expect(opened.map(({ readyState }) => readyState)).toEqual([1, 3, 1, 1]);
    for (const ws of opened) ws.terminate();
    await node.dispose();
  });
});

describe('a node that trusts nobody', () => {
  it('takes a proxy for the client', async () => {
    const node = await startDaemon({ config: nodeConfig() });
    const { ws } = await join(node.port, { 'X-Forwarded-For': '6.6.6.6' });
    expect((await node.waitForLog('session joined'))['peer']).toMatch(/^127\.0\.0\.77:\d+$/);
    ws.terminate();
    await node.dispose();
  });
});

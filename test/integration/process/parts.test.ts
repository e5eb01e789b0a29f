/** What else a router worker has, in a process of its own: cookies that it shares with others, components, authenticators, containers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runCli, startDaemon, temporaryDirectory } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { ALLOW_ALL, LOOPBACK } from '../../support/node-config.js';
import { freePorts } from '../../support/ports.js';
import { ALL_ROLES, cookieValue, WampClient } from '../../support/wamp-client.js';

const nodes: Daemon[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.dispose();
});

const MODULES = {
  'authenticator.mjs': `export default async (session) => {
    await session.register('com.example.authenticate', ([realm, authid, details]) => {
      if (details.ticket !== 'open') throw new Error('no');
      return { role: 'user', extra: { pid: process.pid } };
    });
  };`,
  'far.mjs': `export default async (session) => { await session.register('com.example.far', () => 'from the container'); };`,
};

function directory(): string {
  const cbdir = path.join(temporaryDirectory(), '.crossbar');
  mkdirSync(cbdir);
  for (const [name, text] of Object.entries(MODULES)) writeFileSync(path.join(cbdir, name), text);
  return cbdir;
}

const ROLES = ['anonymous', 'user'].map((name) => ({ name, permissions: ALLOW_ALL }));

async function started(config: object): Promise<Daemon> {
  const node = await startDaemon({ config, cbdir: directory() });
  nodes.push(node);
  return node;
}

it('cookies of a worker with a process and of one without are the same in a database, and commands log out both', async () => {
  const cookie = { store: { type: 'database', path: 'cookies' } };
  const auth = {
    cookie: { type: 'static' },
    ticket: { type: 'static', principals: { joe: { ticket: 'x', role: 'user' } } },
  };
  const worker = (id: string, options: object): object => ({
    ...{ type: 'router', id, options, realms: [{ name: 'realm1', roles: ROLES }] },
    transports: [
      {
        type: 'web',
        endpoint: LOOPBACK,
        paths: { '/': { type: 'json', value: id }, ws: { type: 'websocket', cookie, auth } },
      },
    ],
  });
  const node = await started({ version: 2, workers: [worker('apart', { process: true }), worker('near', {})] });
  const [apart, near] = ['apart', 'near'].map((id) => {
    const found = node.logs.find(({ msg, worker: of }) => msg === 'transport started' && of === id);
    return `ws://127.0.0.1:${Number(found?.['port'])}/ws`;
  });
  const client = await WampClient.connect(apart ?? '');
  const hello = { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' };
  expect((await client.ask([1, 'realm1', hello]))[0]).toBe(4);
  expect((await client.ask([5, 'x', {}]))[0]).toBe(2);
  const known = { headers: { cookie: `cbtid=${cookieValue(client.handshake.setCookie[0] ?? '')}` } };
  const back = await WampClient.connect(near ?? '', known);
  expect((await back.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['cookie'] }]))[0]).toBe(2);
  const listed = await runCli(['cookies', 'list', '--json', '--cbdir', node.cbdir]);
  expect(JSON.parse(listed.stdout.trim().split('\n')[0] ?? '')).toMatchObject({ authid: 'joe' });
  const revoked = await runCli(['cookies', 'revoke', '--authid', 'joe', '--cbdir', node.cbdir]);
  expect(revoked.code).toBe(0);
  for (const one of [client, back]) expect((await one.next())[0]).toBe(6);
});

it('an authenticator of its realm, and a container that connects to it', async () => {
  const [port = 0] = await freePorts(1);
  const auth = {
    ticket: { type: 'dynamic', authenticator: 'com.example.authenticate', 'authenticator-realm': 'realm1' },
  };
  const container = {
    ...{ type: 'module', id: 'far', module: './far.mjs', realm: 'realm1' },
    transport: { type: 'rawsocket', endpoint: { type: 'tcp', host: '127.0.0.1', port }, serializer: 'json' },
  };
  const node = await started({
    version: 2,
    workers: [
      {
        ...{ type: 'router', options: { process: true }, realms: [{ name: 'realm1', roles: ROLES }] },
        components: [
          { type: 'module', id: 'authenticator', module: './authenticator.mjs', realm: 'realm1', role: 'user' },
        ],
        transports: [
          {
            type: 'web',
            endpoint: LOOPBACK,
            paths: { '/': { type: 'json', value: 1 }, ws: { type: 'websocket', auth } },
          },
          { type: 'rawsocket', endpoint: { ...LOOPBACK, port }, serializers: ['json'] },
        ],
      },
      { type: 'container', components: [container] },
    ],
  });
  const client = await WampClient.connect(node.url('/ws', 'ws'));
  const hello = { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' };
  expect((await client.ask([1, 'realm1', hello]))[0]).toBe(4);
  const [type, , details] = await client.ask([5, 'open', {}]);
  expect([type, (details as { authrole: string }).authrole]).toEqual([2, 'user']);
  const { authextra } = details as { authextra?: { pid: number } };
  expect(authextra?.pid).not.toBe(node.pid);
  let request = 1;
  await expect
    .poll(async () => (await client.ask([48, request++, {}, 'com.example.far']))[0], { timeout: 60_000 })
    .toBe(50);
  expect(await node.stop()).toBe(0);
});

/**
 * Fronts that lead to three routers: two with processes of their own, and the one of the node. Who dies takes along what it has, and nobody
 * else.
 */
import { afterEach, expect, it } from 'vitest';
import { runCli, startDaemon } from '../../support/daemon.js';
import type { Daemon, LogRecord } from '../../support/daemon.js';
import { clientPortsAt, frontAgain, frontsOf, isThere, ownPort } from '../../support/front-processes.js';
import { LOOPBACK, openRealm } from '../../support/node-config.js';
import { ALL_ROLES, cookieValue, WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const SERVES = 'the process of a router worker serves';
const IDS = ['one', 'two', 'home'] as const;
type Id = (typeof IDS)[number];

const realmOf = (id: Id): string => `realm_${id}`;
const socket = (id: Id): object => ({ type: 'unix', path: `router${IDS.indexOf(id)}.sock` });

function routerWorker(id: Id): object {
  return {
    ...{ type: 'router', id, options: { process: id !== 'home' }, realms: [openRealm(realmOf(id))] },
    transports: [{ type: 'rawsocket', endpoint: socket(id), serializers: ['json'] }],
  };
}

const config = {
  version: 2,
  workers: [
    ...IDS.map(routerWorker),
    {
      ...{ type: 'proxy', id: 'fronts', instances: 2 },
      connections: Object.fromEntries(
        IDS.map((id) => [id, { transport: { type: 'rawsocket', endpoint: socket(id) } }]),
      ),
      routes: Object.fromEntries(IDS.map((id) => [realmOf(id), { anonymous: id }])),
      transports: [
        {
          ...{ type: 'web', endpoint: { ...LOOPBACK, port: '$PORT' } },
          paths: {
            '/': { type: 'json', value: 'here' },
            ws: { type: 'websocket', cookie: { store: { type: 'file', filename: 'cookies.dat' } } },
          },
        },
      ],
    },
  ],
};

const nodes: Daemon[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.dispose();
});

async function started(): Promise<Daemon> {
  const node = await startDaemon({ config });
  nodes.push(node);
  return node;
}

const join = (node: Daemon, id: Id): Promise<JoinedClient> => WampClient.join(node.url('/ws', 'ws'), realmOf(id));

function pidOf(node: Daemon, id: Id): number {
  return Number(node.logs.findLast(({ msg, worker }) => msg === SERVES && worker === id)?.['pid']);
}

async function sessionsAt(client: WampClient): Promise<unknown> {
  return (await client.ask([48, 900, {}, 'wamp.session.count']))[3];
}

/** Joins as soon as the router is there: until then clients are told to come back. */
async function joinAgain(node: Daemon, id: Id): Promise<JoinedClient> {
  for (;;) {
    const client = await WampClient.connect(node.url('/ws', 'ws'));
    client.send([1, realmOf(id), { roles: ALL_ROLES }]);
    const [type, sessionId] = await client.next().catch(() => []);
    if (type === 2)
      return Object.assign(client, { sessionId: sessionId as number, welcome: { authid: '', authrole: '' } });
    expect((await client.closed).code).toBe(1013);
  }
}

it('each realm is with its router, and a client may go from one to the other', async () => {
  const node = await started();
  for (const id of IDS) {
    const [callee, caller] = [await join(node, id), await join(node, id)];
    expect((await callee.ask([64, 1, {}, 'com.example.echo']))[0]).toBe(65);
    caller.send([48, 1, {}, 'com.example.echo', [id]]);
    const [, invocation, , , args] = await callee.next();
    callee.send([70, invocation, {}, args]);
    expect(await caller.next()).toEqual([50, 1, {}, [id]]);
    expect(await sessionsAt(caller)).toEqual([2]);
    await Promise.all([callee.drop(), caller.drop()]);
  }
  const client = await WampClient.connect(node.url('/ws', 'ws'));
  for (const id of ['home', 'one', 'two', 'one', 'home'] as const) {
    await client.hello(realmOf(id));
    await expect.poll(() => sessionsAt(client)).toEqual([1]);
    expect((await client.ask([6, {}, 'wamp.close.close_realm']))[0]).toBe(6);
  }
  const stranger = await WampClient.connect(node.url('/ws', 'ws'));
  expect(await stranger.ask([1, 'realm_none', { roles: ALL_ROLES }])).toMatchObject({
    0: 3,
    2: 'wamp.error.no_such_realm',
  });
});

it('a browser has one cookie for all of them', async () => {
  const node = await started();
  const first = await WampClient.connect(node.url('/ws', 'ws'));
  const cookie = cookieValue(first.handshake.setCookie[0] ?? '');
  const { welcome } = await first.hello(realmOf('one'));
  for (const id of IDS) {
    const client = await WampClient.connect(node.url('/ws', 'ws'), { headers: { cookie: `cbtid=${cookie}` } });
    expect(client.handshake.setCookie).toEqual([]);
    expect((await client.hello(realmOf(id))).welcome.authid).toBe(welcome.authid);
  }
});

it('a router that is killed takes its sessions along and nobody else, and has its clients back when it is there again', async () => {
  const node = await started();
  const clients = { one: await join(node, 'one'), two: await join(node, 'two'), home: await join(node, 'home') };
  const pid = pidOf(node, 'one');
  process.kill(pid, 'SIGKILL');
  await clients.one.closed;
  const again = joinAgain(node, 'one');
  for (const id of ['two', 'home'] as const) expect(await sessionsAt(clients[id])).toEqual([1]);
  const back = await again;
  await expect.poll(() => pidOf(node, 'one')).not.toBe(pid);
  expect(await sessionsAt(back)).toEqual([1]);
  for (const id of ['two', 'home'] as const) expect(await sessionsAt(clients[id])).toEqual([1]);
});

it('a front that is killed takes its clients along from all routers', async () => {
  const node = await started();
  for (const id of IDS) {
    const clients: JoinedClient[] = [];
    const portsOf = (pid: number): ReadonlySet<number> => clientPortsAt(pid, node.port);
    const at = (pid: number): JoinedClient[] => clients.filter((client) => portsOf(pid).has(ownPort(client)));
    const [doomed] = frontsOf(node);
    if (doomed === undefined) throw new Error('there is no front');
    // One after the other they might all come to the same one.
    while ([0, clients.length].includes(at(doomed.pid).length)) {
      clients.push(...(await Promise.all(Array.from({ length: 20 }, () => join(node, id)))));
    }
    const dying = at(doomed.pid);
    process.kill(doomed.pid, 'SIGKILL');
    await Promise.all(dying.map((client) => client.closed));
    const [witness] = clients.filter((client) => !dying.includes(client));
    if (witness === undefined) throw new Error('nobody is left');
    await expect.poll(() => sessionsAt(witness)).toEqual([clients.length - dying.length]);
    await frontAgain(node, doomed);
    await Promise.all(clients.map((client) => client.drop()));
  }
});

it('a node that stops ends all of them, in order', async () => {
  const node = await started();
  const clients = await Promise.all(IDS.map((id) => join(node, id)));
  const pids = [...frontsOf(node).map(({ pid }) => pid), pidOf(node, 'one'), pidOf(node, 'two')];
  const { stdout } = await runCli(['sessions', 'list', '--cbdir', node.cbdir]);
  for (const { sessionId } of clients) expect(stdout).toContain(String(sessionId));
  expect(await node.stop()).toBe(0);
  for (const client of clients) expect((await client.closed).code).toBe(1001);
  expect(pids.filter(isThere)).toEqual([]);
  const isBad = ({ level }: LogRecord): boolean => level === 'error' || level === 'fatal';
  expect(node.logs.filter(isBad)).toEqual([]);
});

/**
 * A logout at one node ends the sessions of that browser at another one, whose cookies are in NATS, too, at once; and it holds when both
 * were started again. CLUSTER_LOGOUTS=200 is the figure of docs/cluster.md.
 */
import { afterEach, expect, it } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { ALL_ROLES, cookieValue, WampClient } from '../../support/wamp-client.js';

const LOGOUTS = Number(process.env['CLUSTER_LOGOUTS'] ?? '20');

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function config(servers: readonly string[]): object {
  return nodeConfig({
    transport: { endpoint: { ...LOOPBACK, port: '$PORT' } },
    realms: [{ name: 'realm1', roles: [{ name: 'member', permissions: ALLOW_ALL }] }],
    websocket: {
      auth: {
        cookie: {},
        ticket: { type: 'static', principals: { joe: { ticket: 'ticket of joe', role: 'member' } } },
      },
      cookie: { rotate_grace: 60, store: { type: 'nats', bucket: 'cookies', servers } },
    },
  });
}

const hello = (details: object): unknown[] => [1, 'realm1', { roles: ALL_ROLES, ...details }];

/** @returns a connection that says what the browser knows, and what it knows after that. */
async function open(node: Daemon, cookie?: string): Promise<{ client: WampClient; cookie: string }> {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie: `cbtid=${cookie}` };
  const client = await WampClient.connect(node.url('/ws', 'ws'), { headers });
  const [line] = client.handshake.setCookie;
  return { client, cookie: line === undefined ? (cookie ?? '') : cookieValue(line) };
}

/** @returns how long it took from the word at one node to GOODBYE at the other, in milliseconds, and the last id of the cookie. */
async function logOut(one: Daemon, other: Daemon): Promise<{ ms: number; cookie: string }> {
  const first = await open(one);
  expect((await first.client.ask(hello({ authmethods: ['ticket'], authid: 'joe' })))[0]).toBe(4);
  expect((await first.client.ask([5, 'ticket of joe', {}]))[0]).toBe(2);
  const second = await open(other, first.cookie);
  expect((await second.client.ask(hello({ authmethods: ['cookie'] })))[0]).toBe(2);
  const begun = performance.now();
  first.client.send([6, {}, 'wamp.close.logout']);
  const goodbye = await second.client.next();
  const ms = performance.now() - begun;
  expect(goodbye).toMatchObject([6, {}, 'wamp.close.logout']);
  await Promise.all([first, second].map(({ client }) => client.drop()));
  return { ms, cookie: second.cookie };
}

describeNeeds('nats-server', hasNats)('a logout at one node', () => {
  it('ends the sessions of the browser at the other, and holds when both were started again', async () => {
    const nats = await NatsServers.start(3);
    ends.push(() => nats.stop());
    const made = config(nats.urls);
    const nodes: [Daemon, Daemon] = [await startDaemon({ config: made }), await startDaemon({ config: made })];
    ends.push(() => Promise.all(nodes.map((node) => node.dispose())));
    const times: number[] = [];
    const cookies: string[] = [];
    for (let round = 0; round < LOGOUTS; round += 1) {
      const [one, other] = round % 2 === 0 ? nodes : nodes.toReversed();
      const { ms, cookie } = await logOut(one as Daemon, other as Daemon);
      times.push(ms);
      cookies.push(cookie);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
    process.stdout.write(`${LOGOUTS} logouts: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.9999)} ms\n`);

    for (const [index, node] of nodes.entries()) nodes[index] = await node.restart();
    for (const [index, cookie] of cookies.entries()) {
      const again = await open(nodes[index % 2] as Daemon, cookie);
      expect(again.cookie).not.toBe(cookie);
      const [type, , reason] = await again.client.ask(hello({ authmethods: ['cookie'] }));
      expect([type, reason]).toEqual([3, 'wamp.error.no_auth_method']);
      await again.client.drop();
    }
  });
});

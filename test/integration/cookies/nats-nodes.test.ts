/** Two nodes whose cookies are in NATS: a login at one is one at the other, and a logout ends the sessions at both. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { cookieDigest } from '../../../src/cookie/digest.js';
import { liveLine } from '../../../src/cookie/file/line.js';
import { cookieId, cookieRecord, JOE } from '../../support/cookie-store.js';
import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { ALLOW_ALL, nodeConfig } from '../../support/node-config.js';
import { ALL_ROLES, cookieValue, WampClient } from '../../support/wamp-client.js';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures/cookies');
const PRINCIPALS = {
  joe: { ticket: 'ticket of joe', role: 'member' },
  operator: { ticket: 'ticket of the operator', role: 'operator' },
};
const REALM = {
  name: 'realm1',
  roles: [
    { name: 'member', permissions: ALLOW_ALL },
    { name: 'operator', permissions: [{ uri: 'crossbar.', match: 'prefix', allow: { call: true } }] },
  ],
};

interface Tab {
  readonly client: WampClient;
  readonly cookie: string;
  readonly isNew: boolean;
}

async function open(daemon: Daemon, cookie?: string): Promise<Tab> {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie: `cbtid=${cookie}` };
  const client = await WampClient.connect(daemon.url('/ws', 'ws'), { headers });
  onTestFinished(() => void client.drop());
  const [line] = client.handshake.setCookie;
  return { client, cookie: line === undefined ? (cookie ?? '') : cookieValue(line), isNew: line !== undefined };
}

const hello = (details: object) => [1, 'realm1', { roles: ALL_ROLES, ...details }];

function byCookie({ client }: Tab): Promise<unknown[]> {
  return client.ask(hello({ authmethods: ['cookie'] }));
}

async function byTicket({ client }: Tab, authid: keyof typeof PRINCIPALS = 'joe'): Promise<unknown[]> {
  expect(await client.ask(hello({ authmethods: ['ticket'], authid }))).toEqual([4, 'ticket', {}]);
  return client.ask([5, PRINCIPALS[authid].ticket, {}]);
}

const WELCOME = [2, expect.any(Number), expect.objectContaining({ authid: 'joe', authprovider: 'cookie' })];
const GOODBYE = [6, { message: expect.any(String) as string }, 'wamp.close.logout'];
const REFUSED = [3, { message: expect.any(String) as string }, 'wamp.error.no_auth_method'];

describeNeeds('nats-server', hasNats)('nodes with their cookies in NATS', () => {
  let nats: NatsServers;
  let nodes: readonly [Daemon, Daemon];

  function config(bucket = 'cookies', more: object = {}): object {
    const cookie = { rotate_grace: 60, store: { type: 'nats', bucket, servers: nats.urls, ...more } };
    const auth = { cookie: {}, ticket: { type: 'static', principals: PRINCIPALS } };
    return nodeConfig({ realms: [REALM], websocket: { auth, cookie } });
  }

  beforeAll(async () => {
    nats = await NatsServers.start(1);
    nodes = [await startDaemon({ config: config() }), await startDaemon({ config: config() })];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.dispose()));
    await nats.stop();
  });

  it('let in at one who has logged in at the other, at once, under a new id', async () => {
    const [a, b] = nodes;
    for (let round = 0; round < 20; round += 1) {
      const first = await open(a);
      expect(await byTicket(first)).toMatchObject([2, expect.any(Number), { authid: 'joe', authmethod: 'ticket' }]);
      const second = await open(b, first.cookie);
      expect([second.isNew, second.cookie === first.cookie]).toEqual([true, false]);
      expect(await byCookie(second)).toMatchObject(WELCOME);
      // Within the grace the old id still finds the cookie, and is given nothing.
      const late = await open(a, first.cookie);
      expect(late.isNew).toBe(false);
      const current = await open(a, second.cookie);
      expect([current.isNew, await byCookie(current)]).toEqual([false, WELCOME]);
      await Promise.all([first, second, late, current].map(({ client }) => client.close()));
    }
  });

  it('end the sessions at both with a logout at one, also under an id that was replaced', async () => {
    const [a, b] = nodes;
    const first = await open(a);
    await byTicket(first);
    const second = await open(b, first.cookie);
    expect(await byCookie(second)).toMatchObject(WELCOME);
    const third = await open(a, second.cookie);
    expect(await byCookie(third)).toMatchObject(WELCOME);
    third.client.send([6, {}, 'wamp.close.logout']);
    // `first` has the id of before the rotation, which was at the other node.
    expect(await Promise.all([first.client.next(), second.client.next()])).toEqual([GOODBYE, GOODBYE]);
    const [again, elsewhere] = [await open(a, second.cookie), await open(b, second.cookie)];
    expect([again.isNew, elsewhere.isNew]).toEqual([true, true]);
    expect([await byCookie(again), await byCookie(elsewhere)]).toEqual([REFUSED, REFUSED]);
  });

  it('are managed at either, by procedures and by commands', async () => {
    const [a, b] = nodes;
    const tab = await open(a);
    await byTicket(tab);
    const operator = await open(b);
    await byTicket(operator, 'operator');
    const digest = cookieDigest(tab.cookie);
    const found = await operator.client.ask([48, 1, {}, 'crossbar.cookie.get', [digest]]);
    expect(found).toMatchObject([50, 1, {}, [{ digest, authid: 'joe' }]]);
    const listed = await runCli(['cookies', 'list', '--cbdir', b.cbdir, '--json']);
    expect(listed.stdout).toContain(digest);
    expect(listed.stdout).not.toContain(tab.cookie);
    const revoked = await runCli(['cookies', 'revoke', '--cbdir', b.cbdir, '--digest', digest]);
    expect([revoked.code, revoked.stdout]).toEqual([0, '1 cookie revoked\n']);
    expect(await tab.client.next()).toEqual(GOODBYE);
  });

  it('are managed when they are stopped, and take over the cookies of a file, but none that is gone', async () => {
    const cbdir = nodeDirectory(config('imported'));
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCli(['cookies', ...args, '--cbdir', cbdir]);
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    const file = path.join(temporaryDirectory(), 'cookies.dat');
    const created = new Date().toISOString();
    const records = [1, 2, 3].map((n) => cookieRecord(cookieId(n), { created, auth: n === 1 ? JOE : null }));
    writeFileSync(file, records.map(liveLine).join(''), { mode: 0o600 });
    expect(await run('import', '--from', file)).toBe('3 imported; 0 known already, 0 expired, 0 damaged\n');
    expect(await run('revoke', '--authid', 'joe')).toBe('1 cookie revoked\n');
    expect(await run('import', '--from', file)).toBe('0 imported; 3 known already, 0 expired, 0 damaged\n');
    expect(await run('list')).not.toContain('joe');
    expect(await run('verify')).toBe(
      'store 1 (nats imported): 3 good, 0 damaged, 1 outdated; 2 cookies, 0 with a login, 0 expired\n',
    );
    expect(await run('compact')).toBe('store 1 (nats imported): 3 entries before, 3 now\n');
  });

  it('are taken over from a database, and from a file of Crossbar.io, without those that are over', async () => {
    const cbdir = nodeDirectory(config('moved'));
    const taken = async (into: string, from: string): Promise<string> => {
      const { code, stdout, stderr } = await runCli(['cookies', 'import', '--cbdir', into, '--from', from]);
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    const created = new Date().toISOString();
    const line = (n: number): string => liveLine(cookieRecord(cookieId(n), { created, auth: JOE }));
    const file = path.join(temporaryDirectory(), 'crossbar.dat');
    // With one that was logged out, and one of which Crossbar.io says no more than this.
    const short = line(1).replace(/"status": "\w+", |"modified": null, |"deleted": null, /g, '');
    writeFileSync(file, readFileSync(path.join(FIXTURES, 'crossbar-logout.dat'), 'utf8') + short, { mode: 0o600 });
    expect(await taken(cbdir, file)).toBe('1 imported; 0 known already, 0 expired, 0 damaged\n');
    const own = path.join(temporaryDirectory(), 'own.dat');
    writeFileSync(own, line(1) + line(2), { mode: 0o600 });
    const store = { type: 'database', path: 'db' };
    const other = nodeDirectory(nodeConfig({ realms: [REALM], websocket: { cookie: { store } } }));
    expect(await taken(other, own)).toContain('2 imported');
    expect(await taken(cbdir, path.join(other, 'db'))).toBe('1 imported; 1 known already, 0 expired, 0 damaged\n');
    const listed = await runCli(['cookies', 'list', '--cbdir', cbdir, '--json']);
    for (const n of [1, 2]) expect(listed.stdout).toContain(cookieDigest(cookieId(n)));
  });

  it('take no visitor while NATS is away: readyz says so, and is ready again when NATS is back', async () => {
    const own = await NatsServers.start(1);
    onTestFinished(() => own.stop());
    const store = { type: 'nats', bucket: 'cookies', servers: own.urls };
    const paths = { readyz: { type: 'readyz' } };
    const node = await startDaemon({
      config: nodeConfig({ realms: [REALM], websocket: { cookie: { store } }, paths }),
    });
    onTestFinished(() => node.dispose());
    const visit = async (): Promise<number> => {
      await WampClient.connect(node.url('/ws', 'ws')).then(
        (client) => client.drop(),
        () => undefined,
      );
      return (await fetch(node.url('/readyz'))).status;
    };
    expect(await visit()).toBe(200);
    await own.servers[0]?.kill();
    await expect.poll(visit).toBe(503);
    expect(await (await fetch(node.url('/readyz'))).text()).toContain('"cookies":"no new cookie can be stored"');
    await own.servers[0]?.start();
    await expect.poll(visit).toBe(200);
  });

  it('need no NATS for a check, and say within seconds that there is none', async () => {
    const store = { servers: ['nats://127.0.0.1:1'], user: 'router', password: 'a secret of NATS', connect_timeout: 1 };
    const cbdir = nodeDirectory(config('cookies', store));
    const checked = await runCli(['check', '--cbdir', cbdir]);
    expect([checked.code, checked.stderr]).toEqual([0, '']);
    const [started, verified] = [
      await runCli(['start', '--cbdir', cbdir]),
      await runCli(['cookies', 'verify', '--cbdir', cbdir]),
    ];
    expect([started.code, verified.code]).toEqual([1, 1]);
    expect(started.stdout + started.stderr).toContain('waits for NATS');
    const told = 'the cookie store in the bucket cookies of NATS cannot be opened: NATS did not answer within';
    expect(started.stderr).toContain(told);
    expect(verified.stdout).toContain(`store 1 (nats cookies): ${told} 5 s at nats://127.0.0.1:1`);
    expect([started, verified].map(({ stdout, stderr }) => stdout + stderr).join('')).not.toContain('a secret of NATS');
  });
});

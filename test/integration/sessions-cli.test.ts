/** `crossbar-ts sessions`, `registrations` and `subscriptions`, against a real node with clients of every kind. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { cookieDigest } from '../../src/cookie/digest.js';
import { ControlClient } from '../../src/node/control.js';
import { RemoteSessions } from '../../src/node/session-control.js';
import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { CliResult, Daemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig, openRealm } from '../support/node-config.js';
import { configWith, directoryWith } from '../support/node-directory.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { cookieValue, WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const BIN = path.resolve(import.meta.dirname, '../../bin/crossbar-ts.js');
const MODULES = {
  'prices.mjs': `export default async (session) => { await session.register('com.example.price', () => 1); }`,
};
const CONFIG = configWith([{ id: 'prices', module: './prices.mjs' }], {
  realms: [openRealm('realm1'), openRealm('realm2')],
  websocket: { cookie: {} },
  transports: [{ type: 'rawsocket', id: 'raw', endpoint: LOOPBACK }],
});

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ cbdir: directoryWith(MODULES), config: CONFIG });
});
afterAll(() => daemon.dispose());

function run(...args: string[]): Promise<CliResult> {
  return runCli([...args, '--cbdir', daemon.cbdir]);
}

/** What a command prints when all is well. */
async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

async function objects(...args: string[]): Promise<Record<string, unknown>[]> {
  const lines = (await printed(...args, '--json')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What a command says when it cannot do what it was asked for. */
async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([1, '']);
  return stderr;
}

async function visitor(realm = 'realm1'): Promise<JoinedClient> {
  const client = await WampClient.join(daemon.url('/ws', 'ws'), realm);
  onTestFinished(async () => {
    await client.drop();
  });
  return client;
}

async function program() {
  const port = Number(daemon.listening().find(({ transport }) => transport === 'raw')?.['port']);
  const client = await RawSocketClient.join({ port });
  onTestFinished(() => void client.wire.socket.destroy());
  return client;
}

describe('what is on a node', () => {
  it('is shown as tables: sessions of every kind, cookies by their digests', async () => {
    const [a, b] = [await visitor(), await program()];
    const cbtid = cookieValue(a.handshake.setCookie[0] ?? '');
    expect(a.welcome.authid).toBe(cbtid);
    const text = await printed('sessions', 'list', '--realm', 'realm1');
    const [headings, ...rows] = text.trimEnd().split('\n');
    expect(headings).toMatch(/^REALM +SESSION +AUTHID +ROLE +METHOD +TRANSPORT +PEER +JOINED +WORKER$/);
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
    const row = (...columns: (string | number)[]) =>
      expect.stringMatching(new RegExp(`^${['realm1', ...columns, time, 'worker001'].join(' +')}$`)) as string;
    const address = String.raw`127\.0\.0\.1:\d+`;
    expect(rows).toEqual([
      row(String.raw`\d+`, 'prices', 'anonymous', 'component', 'component', '-'),
      row(a.sessionId, cookieDigest(cbtid), 'anonymous', 'anonymous', 'websocket', address),
      row(b.sessionId, b.welcome.authid, 'anonymous', 'anonymous', 'rawsocket', address),
    ]);
    expect(text).not.toContain(cbtid);
    const all = await printed('sessions', 'get', String(a.sessionId));
    expect(all).toMatch(new RegExp(`^authid +${cookieDigest(cbtid)}$`, 'm'));
    expect(all).toMatch(/^transport\.channel_framing +websocket$/m);
    expect(all).toContain('0 registrations\n0 subscriptions\n');
    expect(all).not.toContain(cbtid);
  });

  it('is given to programs, one object per line', async () => {
    const [a, b, c] = [await visitor(), await program(), await visitor('realm2')];
    await a.ask([64, 1, { invoke: 'roundrobin' }, 'com.example.add']);
    await b.ask([64, 1, { invoke: 'roundrobin' }, 'com.example.add']);
    await b.ask([32, 2, { match: 'prefix' }, 'com.example.news']);
    const sessions = await objects('sessions', 'list');
    expect(sessions.map(({ realm, session }) => [realm, session])).toEqual([
      ['realm1', expect.any(Number)],
      ['realm1', a.sessionId],
      ['realm1', b.sessionId],
      ['realm2', c.sessionId],
    ]);
    const [first] = await objects('sessions', 'list', '--id', String(b.sessionId));
    expect(first).toEqual({
      ...{ worker: 'worker001', realm: 'realm1', session: b.sessionId, authid: b.welcome.authid },
      ...{ authrole: 'anonymous', authmethod: 'anonymous', authprovider: 'static', unsent_bytes: 0 },
      ...{ received: expect.any(Number) as number, sent: expect.any(Number) as number },
      ...{ subscriptions: expect.any(Number) as number, registrations: expect.any(Number) as number },
      transport: expect.objectContaining({ channel_framing: 'rawsocket', channel_serializer: 'json' }) as object,
      joined: expect.stringMatching(/Z$/) as string,
    });
    const add = { realm: 'realm1', uri: 'com.example.add', match: 'exact', invoke: 'roundrobin', callees: 2 };
    const [registration, ...others] = await objects('registrations', 'list', '--uri', 'com.example.a');
    expect(registration).toMatchObject({ ...add, sessions: [a.sessionId, b.sessionId] });
    expect(others).toEqual([]);
    const [subscription] = await objects('subscriptions', 'list', '--realm', 'realm1');
    expect(subscription).toMatchObject({ realm: 'realm1', uri: 'com.example.news', match: 'prefix', subscribers: 1 });
    expect(await objects('subscriptions', 'list', '--realm', 'realm2')).toEqual([]);
    const [whole] = await objects('sessions', 'get', String(b.sessionId));
    expect(whole).toMatchObject({ session: b.sessionId, registrations: [add], subscriptions: [{ match: 'prefix' }] });
    expect(await printed('sessions', 'list', '--authrole', 'nobody')).toBe('no sessions\n');
    expect(await printed('registrations', 'list', '--realm', 'realm2')).toBe('no registrations\n');
    expect(await printed('subscriptions', 'list', '--uri', 'org.')).toBe('no subscriptions\n');
  });

  it('tells how much waits for a client that does not read', async () => {
    const [slow, busy] = [await visitor(), await visitor()];
    await slow.ask([32, 1, {}, 'com.example.bulk']);
    slow.socket.pause();
    const client = await ControlClient.connect(daemon.cbdir);
    if (client === undefined) throw new Error('nobody listens');
    onTestFinished(() => client.close());
    const sessions = new RemoteSessions(client);
    let waiting: number | null = 0;
    // As soon as the system takes no more; long before the node gives the client up.
    while (waiting === 0) {
      await busy.ask([16, 1, { acknowledge: true }, 'com.example.bulk', ['x'.repeat(500_000)]]);
      waiting = (await sessions.get(slow.sessionId, {})).session.unsent_bytes;
    }
    expect(waiting).toBeGreaterThan(0);
  });

  it('may be more than somebody wants to read', async () => {
    await visitor();
    // `true` has gone before the command writes its first line.
    const command = `${process.execPath} ${BIN} sessions list --json --cbdir ${daemon.cbdir} | true`;
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stderr).toBe('');
  });
});

describe('a kill', () => {
  it('ends the session that it names, with the words of the operator', async () => {
    const [a, b] = [await visitor(), await program()];
    expect(await printed('sessions', 'kill', String(a.sessionId))).toBe('1 session killed\n');
    expect(await a.next()).toEqual([6, {}, 'wamp.close.killed']);
    const words = ['--reason', 'com.example.bye', '--message', 'go home'];
    expect(await printed('sessions', 'kill', String(b.sessionId), ...words)).toBe('1 session killed\n');
    expect(await b.next()).toEqual([6, { message: 'go home' }, 'com.example.bye']);
    expect(daemon.logs).toContainEqual(expect.objectContaining({ msg: 'sessions killed', sessions: 1 }));
    expect(await refusal('sessions', 'kill', String(a.sessionId))).toBe(
      `crossbar-ts: there is no session ${a.sessionId}\n`,
    );
  });

  it('ends all sessions of a user, of a role or of a realm', async () => {
    const [a, b, c] = [await visitor('realm2'), await visitor('realm2'), await visitor('realm2')];
    const digest = cookieDigest(a.welcome.authid);
    expect(await printed('sessions', 'kill', '--authid', digest, '--realm', 'realm2')).toBe('1 session killed\n');
    expect(await a.next()).toEqual([6, {}, 'wamp.close.killed']);
    expect(await printed('sessions', 'kill', '--authrole', 'anonymous', '--realm', 'realm2')).toBe(
      '2 sessions killed\n',
    );
    expect([await b.next(), await c.next()]).toEqual([
      [6, {}, 'wamp.close.killed'],
      [6, {}, 'wamp.close.killed'],
    ]);
    const none = 'crossbar-ts: there is no such session, none was killed\n';
    expect(await refusal('sessions', 'kill', '--authid', digest, '--realm', 'realm2')).toBe(none);
    expect(await refusal('sessions', 'kill', '--all', '--realm', 'realm2')).toBe(none);
  });

  it('of which it is not clear whom it means ends nobody', async () => {
    const a = await visitor('realm2');
    const several = 'crossbar-ts: this node has several realms: say --realm with one of "realm1", "realm2"\n';
    expect(await refusal('sessions', 'kill', '--authrole', 'anonymous')).toBe(several);
    expect(await refusal('sessions', 'kill', '--all')).toBe('crossbar-ts: say in which realm: --all needs --realm\n');
    const unclear =
      'crossbar-ts: say which sessions are meant: one of an id, --authid, --authrole and --realm with --all\n';
    expect(await refusal('sessions', 'kill', '--realm', 'realm2')).toBe(unclear);
    expect(await refusal('sessions', 'kill', '1', '--authid', 'x')).toBe(unclear);
    expect(await refusal('sessions', 'kill', 'joe')).toContain('The id of a session is a number.');
    expect(await refusal('sessions', 'list', '--realm', 'realm3')).toBe(
      'crossbar-ts: no realm "realm3" is on this node: there are "realm1", "realm2"\n',
    );
    await a.silent();
  });

  it('of a component says what it was', async () => {
    const [component] = await objects('sessions', 'list', '--authid', 'prices');
    const id = Number(component?.['session']);
    expect(await printed('sessions', 'kill', String(id))).toBe(
      `1 session killed\nsession ${id} was the component prices of the node: it is back when the node starts again\n`,
    );
    await daemon.waitForLog('component left its realm');
  });
});

describe('a node that cannot be asked', () => {
  it('does not run', async () => {
    const cbdir = nodeDirectory(CONFIG);
    for (const command of ['sessions', 'registrations', 'subscriptions']) {
      const { code, stderr } = await runCli([command, 'list', '--cbdir', cbdir]);
      expect([code, stderr]).toEqual([1, `crossbar-ts: no node runs on ${cbdir}\n`]);
    }
  });

  it('has no socket', async () => {
    const cbdir = path.join(temporaryDirectory(), 'x'.repeat(120));
    mkdirSync(cbdir);
    const deep = await startDaemon({ cbdir, config: nodeConfig({}) });
    onTestFinished(() => deep.dispose());
    const { code, stderr } = await runCli(['sessions', 'list', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `crossbar-ts: the node on ${cbdir} (pid ${deep.pid}, see node.pid there) has no control socket: its log says why\n`,
    );
  });

  it('is of an older version', async () => {
    const cbdir = temporaryDirectory();
    writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(CONFIG));
    const old = createServer((socket) => {
      socket.on('data', () => socket.end('{"error":"this node does not know the request \\"sessions.list\\""}\n'));
    });
    old.listen(path.join(cbdir, 'node.sock'));
    await once(old, 'listening');
    onTestFinished(() => void old.close());
    const { code, stderr } = await runCli(['sessions', 'list', '--cbdir', cbdir]);
    expect([code, stderr]).toEqual([
      1,
      'crossbar-ts: this node does not know the request "sessions.list": it is of an older version than this command, ' +
        'start it again to change that\n',
    ]);
  });
});

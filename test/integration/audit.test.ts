/** The audit log of the daemon: who came, who was sent away and by whom, and what becomes of log-ins when it cannot be written. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { runCli, spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig, openRealm } from '../support/node-config.js';
import { ConnectionClosed, WampClient } from '../support/wamp-client.js';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const TICKETS = { joe: { ticket: 'the secret of joe', role: 'member' } };

function configWith(audit: object): object {
  const member = { name: 'member', permissions: [{ uri: 'com.example.*', allow: { call: true } }] };
  const realm = openRealm('realm1') as { roles: object[] };
  const config = nodeConfig({
    realms: [{ ...realm, roles: [...realm.roles, member] }],
    websocket: { auth: { anonymous: { type: 'static' }, ticket: { type: 'static', principals: TICKETS } }, cookie: {} },
  });
  return { ...config, controller: { options: { audit } } };
}

type Entry = Readonly<Record<string, unknown>>;

function entriesOf(node: Daemon, name = 'audit.log'): Entry[] {
  const text = readFileSync(path.join(node.cbdir, name), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}

async function logIn(node: Daemon, ticket: string): Promise<{ client: WampClient; answer: unknown[] }> {
  const client = await WampClient.connect(node.url('/ws', 'ws'));
  onTestFinished(async () => {
    await client.drop();
  });
  client.send([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }]);
  expect((await client.next())[0]).toBe(4);
  client.send([5, ticket, {}]);
  return { client, answer: await client.next() };
}

describe('the audit log', () => {
  let node: Daemon;
  beforeAll(async () => {
    node = await startDaemon({ config: configWith({ file: 'audit.log' }) });
  });
  afterAll(() => node.dispose());

  it('says who came in and who did not, what was denied, and who was sent away by whom', async () => {
    const joe = await logIn(node, 'the secret of joe');
    const [, sessionId] = joe.answer;
    expect((await logIn(node, 'a wrong secret')).answer[0]).toBe(3);
    for (const id of [1, 2, 3]) {
      joe.client.send([48, id, { _traceparent: PARENT }, 'org.example.closed']);
      expect((await joe.client.next())[0]).toBe(8);
    }
    const other = await WampClient.join(node.url('/ws', 'ws'), 'realm1');
    expect((await other.ask([48, 1, {}, 'wamp.session.kill', [sessionId]]))[0]).toBe(50);
    const { sessionId: otherId } = other;
    expect((await runCli(['sessions', 'kill', String(otherId), '--cbdir', node.cbdir])).code).toBe(0);
    const entries = entriesOf(node);
    const facts = { realm: 'realm1', session: sessionId, authid: 'joe', role: 'member' };
    const peer = expect.stringMatching(/^127\.0\.0\.1:\d+$/) as unknown;
    const cookie = expect.stringMatching(/^[\w-]{16}$/) as unknown;
    expect(entries.slice(0, 2)).toMatchObject([
      { event: 'config loaded', config: expect.stringMatching(/config\.json$/) as unknown },
      { event: 'node started', pid: node.pid },
    ]);
    expect(entries.filter(({ authid, session }) => authid === 'joe' && session === sessionId)).toMatchObject([
      {
        ...facts,
        event: 'login',
        outcome: 'ok',
        method: 'ticket',
        provider: 'static',
        peer,
        cookie,
        transport: 'websocket',
      },
      { ...facts, event: 'permission denied', action: 'call', uri: 'org.example.closed', trace: PARENT },
      { ...facts, event: 'session killed', actor: `session ${otherId}`, reason: 'wamp.close.killed' },
    ]);
    expect(entries.filter(({ outcome, event }) => event === 'login' && outcome === 'denied')).toMatchObject([
      { realm: 'realm1', authid: 'joe', method: 'ticket', reason: 'wamp.error.not_authorized', peer },
    ]);
    expect(entries.slice(-2)).toMatchObject([
      { event: 'control', actor: 'operator', request: 'sessions.kill' },
      { event: 'session killed', session: otherId, actor: 'operator' },
    ]);
    const text = JSON.stringify(entries);
    for (const secret of ['the secret of joe', 'a wrong secret']) expect(text).not.toContain(secret);
  });

  it('has no id of a cookie in it', async () => {
    const client = await WampClient.connect(node.url('/ws', 'ws'));
    const [, cbtid = ''] = /cbtid=([^;]+)/.exec(client.handshake.setCookie.join()) ?? [];
    await client.hello('realm1');
    await client.drop();
    expect(cbtid.length).toBeGreaterThan(20);
    expect(JSON.stringify(entriesOf(node))).not.toContain(cbtid);
  });

  it('goes on in a new file after SIGUSR1, and ends with the node', async () => {
    const at = (name: string): string => path.join(node.cbdir, name);
    renameSync(at('audit.log'), at('audit.log.1'));
    node.signal('SIGUSR1');
    await node.waitForLog('audit log reopened');
    expect(await node.stop()).toBe(0);
    expect(entriesOf(node)).toMatchObject([{ event: 'permission denied', again: 2 }, { event: 'node stopped' }]);
    expect(entriesOf(node, 'audit.log.1').map(({ event }) => event)).not.toContain('node stopped');
  });
});

describe('an audit log that cannot be written', () => {
  it('lets nobody in where it is required', async () => {
    const node = await startDaemon({ config: configWith({ file: '/dev/full', events: ['login'], required: true }) });
    onTestFinished(() => node.dispose());
    const client = await WampClient.connect(node.url('/ws', 'ws'));
    await expect(client.hello('realm1')).rejects.toThrow(ConnectionClosed);
    expect(await client.closed).toEqual({ code: 1013, reason: 'log-ins cannot be recorded, please try again later' });
    const told = await node.waitForLog('audit log cannot be written');
    expect(told).toMatchObject({ level: 'error', effect: 'nobody can log in until it can be written' });
  });

  it('is told once where it is not', async () => {
    const node = await startDaemon({ config: configWith({ file: '/dev/full' }) });
    onTestFinished(() => node.dispose());
    for (let i = 0; i < 2; i++) await (await WampClient.join(node.url('/ws', 'ws'), 'realm1')).drop();
    expect(node.logs.filter(({ msg }) => msg === 'audit log cannot be written')).toHaveLength(1);
  });

  it('keeps a node from starting where it cannot even be opened', async () => {
    const cbdir = temporaryDirectory();
    writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(configWith({ file: '/dev/null/audit.log' })));
    const { code, stderr } = await runCli(['start', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toContain('the audit log /dev/null/audit.log cannot be opened');
  });
});

describe('the audit log', () => {
  it('on standard output stands beside the log, marked', async () => {
    const node = await startDaemon({ config: configWith({ stdout: true, required: true }) });
    onTestFinished(() => node.dispose());
    await (await WampClient.join(node.url('/ws', 'ws'), 'realm1')).drop();
    expect(await node.stop()).toBe(0);
    const lines = node.stdout.trim().split('\n');
    const audited = lines.filter((line) => line.startsWith('{"log":"audit","time":'));
    expect(audited.map((line) => (JSON.parse(line) as Entry)['event'])).toEqual([
      ...['config loaded', 'node started', 'login', 'node stopped'],
    ]);
    for (const line of lines) expect(line).toMatch(/^\{"(log|level)":".*\}$/);
  });

  it('and the log are below the state directory; the node directory stays as it is', async () => {
    const statedir = temporaryDirectory();
    const args = ['--statedir', statedir, '--rundir', path.join(statedir, 'run'), '--logdir', 'logs'];
    const node = spawnDaemon({ config: configWith({ file: 'logs/audit.log' }), args });
    onTestFinished(() => node.dispose());
    const patient = { timeout: 30_000 };
    await expect.poll(() => existsSync(path.join(statedir, 'logs/audit.log')), patient).toBe(true);
    await expect
      .poll(() => readFileSync(path.join(statedir, 'logs/node.log'), 'utf8'), patient)
      .toContain('node started');
    expect(readFileSync(path.join(statedir, 'logs/audit.log'), 'utf8')).toContain('"config loaded"');
    expect(readdirSync(node.cbdir)).toEqual(['config.json']);
  });

  it('has one place', async () => {
    const cbdir = temporaryDirectory();
    for (const [audit, text] of [
      [{}, 'found without a place'],
      [{ file: 'a', stdout: true }, 'found beside "file"'],
    ] as const) {
      writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(configWith(audit)));
      const { code, stdout, stderr } = await runCli(['check', '--cbdir', cbdir]);
      expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(text)]);
    }
  });
});

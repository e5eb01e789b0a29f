/**
 * Every event of the audit log, as a real daemon writes it: by WAMP, by HTTP, by commands, by signals. Every line is checked against what its
 * event may have (`test/support/audit-file.ts`), and the whole file is searched for secrets.
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { auditEntries } from '../support/audit-file.js';
import type { AuditEntry } from '../support/audit-file.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { MetricsText } from '../support/metrics-text.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig, openRealm } from '../support/node-config.js';
import { ALL_ROLES, WampClient, cookieValue } from '../support/wamp-client.js';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const TICKETS = Object.fromEntries(
  ['joe', 'mary', 'root', 'victim'].map((authid) => [
    authid,
    { ticket: `ticket-of-${authid}`, role: authid === 'root' ? 'operator' : 'member' },
  ]),
);
const FULL = { call: true, register: true, publish: true, subscribe: true };
/** What must be in no line, beside the ids of cookies. */
const SECRETS = ['ticket-of-', 'a wrong secret', 'the payload', 'cbtid'];

function configIn(directory: string, audit: object = { file: 'audit.log' }): Record<string, unknown> {
  const operator = ['com.example.', 'crossbar.cookie.', 'crossbar.monitor.', 'crossbar.monitor.session.'].map(
    (uri) => ({
      uri,
      match: 'prefix',
      allow: FULL,
    }),
  );
  const realm = openRealm('realm1') as { roles: object[] };
  const roles = [
    ...realm.roles,
    { name: 'member', permissions: [{ uri: 'com.example.', match: 'prefix', allow: FULL }] },
    { name: 'operator', permissions: [...operator, { uri: 'crossbar.monitor.cookie.', match: 'prefix', allow: FULL }] },
  ];
  const tls = { key: path.join(directory, 'server.key'), certificate: path.join(directory, 'server.pem') };
  const ticket = { type: 'static', principals: TICKETS };
  const config = nodeConfig({
    realms: [{ ...realm, roles }],
    transport: { cookie: { store: { type: 'file', filename: 'cookies.dat' }, rotate: true, rotate_grace: 0 } },
    websocket: { auth: { cookie: {}, ticket, anonymous: { type: 'static' } } },
    paths: {
      login: { type: 'login', realm: 'realm1', auth: { ticket }, options: { max_auth_failures: 1 } },
      metrics: { type: 'metrics' },
    },
    transports: [{ type: 'rawsocket', endpoint: { ...LOOPBACK, tls } }],
  });
  return { ...config, controller: { options: { audit } } };
}

describeNeeds('the openssl command', HAS_OPENSSL)('the audit log has', () => {
  let node: Daemon;
  let certificates: Certificates;
  const ids: string[] = [];
  const clients: WampClient[] = [];

  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    node = await startDaemon({ config: configIn(certificates.directory) });
    // It takes two looks, ten seconds apart; the last test waits for it.
    copyFileSync(certificates.file('client.pem'), certificates.file('new.pem'));
    copyFileSync(certificates.file('client.key'), certificates.file('new.key'));
    renameSync(certificates.file('new.key'), certificates.file('server.key'));
    renameSync(certificates.file('new.pem'), certificates.file('server.pem'));
  });
  afterAll(async () => {
    for (const client of clients) await client.drop();
    await node.dispose();
  });

  const entries = (): AuditEntry[] => auditEntries(readFileSync(path.join(node.cbdir, 'audit.log'), 'utf8'));
  const of = (event: string, facts: object = {}): AuditEntry[] =>
    entries().filter((entry) => {
      return entry.event === event && Object.entries(facts).every(([key, value]) => entry[key] === value);
    });
  const cookie = (id: string): Record<string, string> => ({ cookie: `cbtid=${id}` });

  async function connect(headers: Record<string, string> = {}): Promise<WampClient> {
    const client = await WampClient.connect(node.url('/ws', 'ws'), { headers });
    clients.push(client);
    const [line] = client.handshake.setCookie;
    if (line !== undefined) ids.push(cookieValue(line));
    return client;
  }

  async function join(authid: string): Promise<WampClient & { readonly id: number }> {
    const client = await connect();
    await client.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid }]);
    const answer = await client.ask([5, `ticket-of-${authid}`, {}]);
    expect(answer[0]).toBe(2);
    return Object.assign(client, { id: answer[1] as number });
  }

  async function post(
    to: string,
    body: object,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; id: string }> {
    const answer = await fetch(node.url(to), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', traceparent: PARENT, ...headers },
      body: JSON.stringify(body),
    });
    await answer.arrayBuffer();
    const [line = 'cbtid='] = answer.headers.getSetCookie();
    const id = cookieValue(line);
    if (id !== '') ids.push(id);
    return { status: answer.status, id };
  }

  const logIn = (authid: string, headers?: Record<string, string>) =>
    post('/login', { authid, ticket: `ticket-of-${authid}` }, headers);

  it('the start', () => {
    expect(entries().slice(0, 2)).toMatchObject([
      { event: 'config loaded', cbdir: node.cbdir },
      { event: 'node started', pid: node.pid },
    ]);
  });

  it('logins by HTTP: let in, denied and limited, and so do the metrics', async () => {
    const { id } = await logIn('joe');
    const wrong = { authid: 'mary', ticket: 'a wrong secret' };
    expect([(await post('/login', wrong)).status, (await post('/login', wrong, cookie(id))).status]).toEqual([
      401, 401,
    ]);
    expect((await post('/login', wrong)).status).toBe(429);
    expect((await post('/login', { token: 'a.b.c' })).status).toBe(401);
    const place = { realm: 'realm1', transport: 'http', path: '/login', trace: PARENT, method: 'ticket' };
    const [ok] = of('login', { authid: 'joe' });
    expect(ok).toMatchObject({ ...place, outcome: 'ok', role: 'member', provider: 'static' });
    const reason = 'wamp.error.not_authorized';
    const denied = of('login', { authid: 'mary' });
    expect(denied).toMatchObject([
      { ...place, outcome: 'denied', reason },
      // The browser had the cookie of joe.
      { ...place, outcome: 'denied', reason, cookie: ok?.['cookie'] },
      { ...place, outcome: 'limited', reason },
    ]);
    expect(denied[0]).not.toHaveProperty('cookie');
    expect(of('login', { method: 'jwt' })).toMatchObject([{ outcome: 'denied', reason: 'wamp.error.no_auth_method' }]);
    const told = new MetricsText(await (await fetch(node.url('/metrics'))).text());
    const value = (method: string, outcome: string) => told.value('wamp_authentications_total', { method, outcome });
    expect([value('ticket', 'ok'), value('ticket', 'denied'), value('ticket', 'limited')]).toEqual([1, 2, 1]);
    expect([value('none', 'denied'), value('jwt', 'denied')]).toEqual([1, 0]);
  });

  it('logouts by HTTP, and by another login', async () => {
    const first = await logIn('joe');
    const second = await logIn('root', cookie(first.id));
    await post('/login/logout', {}, cookie(second.id));
    expect(of('logout', { transport: 'http' })).toMatchObject([
      { authid: 'joe', role: 'member', reason: 'another login', path: '/login' },
      { authid: 'root', role: 'operator', realm: 'realm1', method: 'ticket', path: '/login/logout', trace: PARENT },
    ]);
  });

  it('logouts by WAMP and by a command, and a cookie that got a new id', async () => {
    const joe = await join('joe');
    const id = ids.at(-1) ?? '';
    const again = await connect(cookie(id));
    const answer = await again.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['cookie'] }]);
    const before = of('login', { session: joe.id })[0]?.['cookie'];
    const [rotated] = of('cookie rotated', { before });
    expect(rotated).toMatchObject({ authid: 'joe', realm: 'realm1', role: 'member' });
    expect(of('login', { session: answer[1] })).toMatchObject([
      { outcome: 'ok', provider: 'cookie', cookie: rotated?.['cookie'], transport: 'websocket' },
    ]);
    await again.ask([6, {}, 'wamp.close.logout']);
    expect(of('logout', { session: answer[1] })).toMatchObject([{ authid: 'joe', cookie: rotated?.['cookie'] }]);

    const mary = await join('mary');
    const args = ['sessions', 'kill', String(mary.id), '--reason', 'wamp.close.logout', '--cbdir', node.cbdir];
    expect((await runCli(args)).code).toBe(0);
    expect(of('logout', { session: mary.id })).toMatchObject([{ authid: 'mary', actor: 'operator' }]);
    expect(of('control', { id: mary.id })).toMatchObject([{ actor: 'operator', request: 'sessions.kill' }]);
  });

  it('sessions that were killed, by whom, and what was denied, once with the number of the others', async () => {
    const [root, joe] = [await join('root'), await join('joe')];
    for (let n = 1; n <= 3; n++) await joe.ask([48, n, { _traceparent: PARENT }, 'org.closed', ['the payload']]);
    expect(of('permission denied')).toMatchObject([
      { session: joe.id, authid: 'joe', action: 'call', uri: 'org.closed', trace: PARENT },
    ]);
    expect((await root.ask([48, 1, {}, 'crossbar.monitor.session.end', [], { session: joe.id }]))[0]).toBe(50);
    expect(of('session killed', { session: joe.id })).toMatchObject([{ reason: 'wamp.close.killed' }]);
    expect(of('control', { session: joe.id })).toMatchObject([{ actor: 'root', request: 'monitor.session.end' }]);
  });

  it('cookies that were revoked: by a procedure, and by a command', async () => {
    const root = await join('root');
    const { id } = await logIn('victim');
    expect(id).not.toBe('');
    expect((await root.ask([48, 1, {}, 'crossbar.cookie.revoke_by_authid', ['victim']]))[0]).toBe(50);
    await logIn('victim');
    expect((await runCli(['cookies', 'revoke', '--authid', 'victim', '--cbdir', node.cbdir])).code).toBe(0);
    expect(of('cookie revoked')).toMatchObject([
      { actor: `session ${root.id}`, authid: 'victim', count: 1 },
      { actor: 'operator', count: 1 },
    ]);
    expect(of('control', { request: 'cookies.revoke' })).toMatchObject([{ actor: 'operator', authid: 'victim' }]);
  });

  it('nothing of commands that only look', async () => {
    const before = of('control').length;
    await runCli(['top', '--once', '--cbdir', node.cbdir]);
    await runCli(['sessions', 'list', '--cbdir', node.cbdir]);
    expect(of('control')).toHaveLength(before);
  });

  it('new certificates that took the place of others by a rename, and by a reload, and what a reload has changed', async () => {
    await node.waitForLog('certificate renewed');
    expect(of('certificate changed')).toMatchObject([{ subject: 'CN=client' }]);
    const other = path.join(certificates.directory, 'other');
    mkdirSync(other);
    for (const end of ['key', 'pem'])
      copyFileSync(certificates.file(`intermediate.${end}`), path.join(other, `server.${end}`));
    const file = path.join(node.cbdir, 'config.json');
    writeFileSync(file, JSON.stringify(configIn(other)));
    node.signal('SIGHUP');
    await node.waitForLog('config reloaded');
    expect(of('certificate changed').at(-1)).toMatchObject({ subject: 'CN=intermediate' });
    const changed = ['key', 'certificate'].map((key) => `/workers/0/transports/1/endpoint/tls/${key}`);
    const [entry] = of('config reloaded');
    expect(entry).toMatchObject({ outcome: 'ok', pending: [] });
    expect(new Set(entry?.['changed'] as string[])).toEqual(new Set(changed));
    writeFileSync(file, '{');
    node.signal('SIGHUP');
    await node.waitForLog('reload refused: the config before stays in force');
    await expect.poll(() => of('config reloaded').at(-1)).toMatchObject({ outcome: 'failed', problems: 1 });
  }, 60_000);

  it('the end, the denials that were left out, and no secret', async () => {
    expect(await node.stop()).toBe(0);
    expect(entries().slice(-2)).toMatchObject([
      { event: 'permission denied', uri: 'org.closed', again: 2 },
      { event: 'node stopped', pid: node.pid },
    ]);
    const text = readFileSync(path.join(node.cbdir, 'audit.log'), 'utf8');
    expect(ids.length).toBeGreaterThan(8);
    for (const secret of [...SECRETS, ...ids]) expect(text).not.toContain(secret);
  });
});

describe('an audit log that is required and cannot be written', () => {
  it('lets nobody in by HTTP, either: no cookie is left', async () => {
    const config = configIn(temporaryDirectory(), { file: '/dev/full', required: true });
    const workers = config['workers'] as { transports: object[] }[];
    workers[0]?.transports.pop();
    const node = await startDaemon({ config });
    const body = JSON.stringify({ authid: 'joe', ticket: 'ticket-of-joe' });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(node.url('/login'), { method: 'POST', headers, body });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([503, []]);
    expect(await answer.json()).toMatchObject({ message: 'log-ins cannot be recorded, please try again later' });
    const { stdout } = await runCli(['cookies', 'list', '--json', '--cbdir', node.cbdir]);
    expect(stdout).not.toContain('joe');
    await node.dispose();
  });
});

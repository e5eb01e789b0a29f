/** Tokens of an issuer against the daemon, with autobahn-js: on WebSockets and RawSockets, until they expire. */
import autobahn from 'autobahn';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { nodeDirectory, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../support/node-config.js';
import { AUDIENCE, ISSUER, KeyServer, signed, signingKey } from '../support/tokens.js';
import type { SigningKey } from '../support/tokens.js';
import { ALL_ROLES, WampClient, within } from '../support/wamp-client.js';

autobahn.log.warn = () => undefined;

const ROOT = path.resolve(import.meta.dirname, '../..');
const REFRESH = { uri: 'crossbar.session.refresh', allow: { call: true } };
const REALM = { name: 'realm1', roles: [{ name: 'user', permissions: [...ALLOW_ALL, REFRESH] }] };

let key: SigningKey;
let server: KeyServer;
let daemon: Daemon;
const given: string[] = [];

const section = (more: object = {}): object => ({
  jwt: { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: server.url, role: 'user', leeway: 0, ...more }] },
});

beforeAll(async () => {
  key = await signingKey();
  server = await KeyServer.start(key);
  const auth = section();
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [REALM],
      websocket: { auth: { ...auth, cookie: {} }, cookie: { store: { type: 'memory' } } },
      transports: [{ type: 'rawsocket', id: 'raw', endpoint: LOOPBACK, auth }],
    }),
  });
});
afterAll(async () => {
  await daemon.dispose();
  await server.stop();
});

/** A new token that lasts some seconds. */
async function token(seconds = 300, claims = {}): Promise<string> {
  const text = await signed(key, Date.now(), { exp: Math.floor(Date.now() / 1000) + seconds, ...claims });
  given.push(text);
  return text;
}

type Options = ConstructorParameters<typeof autobahn.Connection>[0];

const rawPort = (): number =>
  Number(/:(\d+)\/$/.exec(String(daemon.listening().find((record) => record['transport'] === 'raw')?.['url']))?.[1]);

/** Where autobahn-js connects. */
const PLACES: Readonly<Record<string, () => Partial<Options>>> = {
  WebSocket: () => ({ url: daemon.url('/ws', 'ws') }),
  RawSocket: () => ({ transports: [{ type: 'rawsocket', host: '127.0.0.1', port: rawPort() }] }),
};

interface Opened {
  readonly connection: autobahn.Connection;
  readonly session: autobahn.Session;
  readonly details: autobahn.WelcomeDetails & { readonly authextra?: Readonly<Record<string, unknown>> };
  /** The reason of GOODBYE. */
  readonly ended: Promise<string | null>;
}

/** @returns the session, or the reason of ABORT. */
function open(options: Partial<Options>): Promise<Opened | string | null> {
  const connection = new autobahn.Connection({ realm: 'realm1', max_retries: 0, use_es6_promises: true, ...options });
  let end: (reason: string | null) => void;
  const ended = new Promise<string | null>((resolve) => (end = resolve));
  const opened = new Promise<Opened | string | null>((resolve) => {
    connection.onopen = (session, details) => resolve({ connection, session, details, ended });
    connection.onclose = (_reason, { reason }) => {
      resolve(reason);
      end(reason);
      return true;
    };
  });
  connection.open();
  return within(opened, 'session of autobahn-js');
}

async function enter(options: Partial<Options>): Promise<Opened> {
  const opened = await open(options);
  if (typeof opened !== 'object' || opened === null) throw new Error(`refused: ${opened}`);
  return opened;
}

describe.each(Object.entries(PLACES))('autobahn-js on a %s', (_name, place) => {
  it.each(['jwt', 'ticket'])('fetches a token when it is asked for %s', async (authmethod) => {
    const onchallenge = () => token();
    const { details, connection } = await enter({ ...place(), authmethods: [authmethod], onchallenge });
    expect(details).toMatchObject({
      ...{ authid: 'joe', authrole: 'user', authmethod: 'jwt', authprovider: ISSUER },
      authextra: { expires: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string },
    });
    connection.close();
  });

  it('sends a token at once, in `authextra`', async () => {
    const { details, connection } = await enter({
      ...place(),
      authmethods: ['jwt'],
      authextra: { token: await token() },
      onchallenge: () => expect.unreachable('no CHALLENGE is needed'),
    });
    expect(details.authid).toBe('joe');
    connection.close();
  });

  it('is refused with a token of somebody else, an expired one, and another name', async () => {
    const authmethods = ['jwt'];
    const refused = 'wamp.error.not_authorized';
    const stranger = await signed({ ...(await signingKey()), kid: key.kid }, Date.now());
    for (const text of [stranger, await token(-10), await token(300, { aud: 'other' })]) {
      expect(await open({ ...place(), authmethods, authextra: { token: text } })).toBe(refused);
    }
    const other = { ...place(), authmethods, authid: 'jim', authextra: { token: await token() } };
    expect(await open(other)).toBe(refused);
  });
});

describe('a session with a token', () => {
  const left = (id: number): Promise<LogRecord> =>
    daemon.waitForLog(({ msg, sessionId }) => msg === 'session left' && sessionId === id);

  it('ends when the token expires, within a second', async () => {
    const text = await token(2);
    const { session, details, ended } = await enter({
      ...PLACES['WebSocket']?.(),
      authmethods: ['jwt'],
      authextra: { token: text },
    });
    const { id } = session;
    expect(await within(ended, 'GOODBYE')).toBe('crossbar.close.token_expired');
    const lateMs = Date.parse(String((await left(id))['time'])) - Date.parse(String(details.authextra?.['expires']));
    expect(lateMs).toBeGreaterThanOrEqual(-5);
    expect(lateMs).toBeLessThan(1000);
  });

  it('goes on with a new token, and ends with that one', async () => {
    const { session, ended, details } = await enter({
      ...PLACES['RawSocket']?.(),
      authmethods: ['ticket'],
      onchallenge: () => token(2),
    });
    const first = Date.parse(String(details.authextra?.['expires']));
    const { expires } = (await session.call('crossbar.session.refresh', [await token(4)])) as { expires: string };
    expect(Date.parse(expires)).toBeGreaterThan(first);
    for (const bad of [await token(60, { sub: 'jim' }), 'no token']) {
      await expect(session.call('crossbar.session.refresh', [bad])).rejects.toMatchObject({
        error: 'wamp.error.invalid_argument',
      });
    }
    expect(await within(ended, 'GOODBYE')).toBe('crossbar.close.token_expired');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires) - 5);
  });

  it('is not remembered by the cookie of the browser', async () => {
    const first = await WampClient.connect(daemon.url('/ws', 'ws'));
    const cookie = first.handshake.setCookie[0]?.split(';')[0] ?? '';
    expect(cookie).toContain('cbtid=');
    const hello = { roles: ALL_ROLES, authmethods: ['jwt'], authextra: { token: await token() } };
    expect((await first.ask([1, 'realm1', hello]))[0]).toBe(2);
    const second = await WampClient.connect(daemon.url('/ws', 'ws'), { headers: { cookie } });
    const [type, , reason] = await second.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['cookie'] }]);
    expect([type, reason]).toEqual([3, 'wamp.error.no_auth_method']);
    await first.drop();
  });

  it('shows the issuer to others, and neither the token nor its end', async () => {
    const { session, connection } = await enter({
      ...PLACES['WebSocket']?.(),
      authmethods: ['jwt'],
      authextra: { token: await token() },
    });
    const details = await session.call('wamp.session.get', [session.id]);
    expect(details).toMatchObject({ authid: 'joe', authmethod: 'jwt', authprovider: ISSUER });
    expect(JSON.stringify(details)).not.toContain('eyJ');
    connection.close();
  });

  it('leaves no token in the log', () => {
    expect(given.length).toBeGreaterThan(10);
    // Header and claims of all tokens begin so, in Base64.
    expect(daemon.output).not.toContain('eyJ');
    for (const text of given) expect(daemon.output).not.toContain(text.split('.')[2]);
  });
});

describe('a node whose issuer is down', () => {
  it('starts, has clients come back, and lets them in when the issuer is up again', async () => {
    server.mode = 'failing';
    const node = await startDaemon({
      config: nodeConfig({ realms: [REALM], websocket: { auth: section({ cooldown: 1 }) } }),
    });
    const hello = async () => [
      1,
      'realm1',
      { roles: ALL_ROLES, authmethods: ['jwt'], authextra: { token: await token() } },
    ];
    const early = await WampClient.connect(node.url('/ws', 'ws'));
    early.send(await hello());
    expect((await early.closed).code).toBe(1013);
    const said = (part: string): boolean => node.logs.some(({ msg }) => msg.startsWith(part));
    expect(said('key set of a token issuer cannot be fetched, its clients are to come back')).toBe(true);
    server.mode = 'ok';
    await node.waitForLog('key set of a token issuer fetched');
    const late = await WampClient.connect(node.url('/ws', 'ws'));
    expect((await late.ask(await hello()))[0]).toBe(2);
    await late.drop();
    server.mode = 'hung';
    expect(await node.stop()).toBe(0);
    server.mode = 'ok';
    await node.dispose();
  });
});

describe('without the package jose', () => {
  it('`start` and `check` say what is missing', () => {
    const place = temporaryDirectory();
    for (const part of ['dist', 'bin', 'package.json'])
      cpSync(path.join(ROOT, part), path.join(place, part), { recursive: true });
    mkdirSync(path.join(place, 'node_modules'));
    for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
      if (name !== 'jose') symlinkSync(path.join(ROOT, 'node_modules', name), path.join(place, 'node_modules', name));
    }
    const cbdir = nodeDirectory(nodeConfig({ realms: [REALM], websocket: { auth: section() } }));
    for (const command of ['start', 'check']) {
      const args = [path.join(place, 'bin/crossbar-ts.js'), command, '--cbdir', cbdir];
      const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect([command, status]).toEqual([command, 1]);
      expect(stdout + stderr).toContain('a section "jwt" needs the npm package "jose": npm install jose@6.2.18');
    }
  });
});

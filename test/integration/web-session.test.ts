/**
 * One login for a web application and the realm: real Express with express-session, passport and connect-redis, a real Redis, and the
 * daemon. Logging in and out happens in the web application alone.
 */
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';
import fileStore from 'session-file-store';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { hasRedis, RedisServer } from '../support/redis.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';
import { SECRET, Visitor, WebApp } from '../support/web-app.js';

const ROLES = ['anonymous', 'member', 'admin'].map((name) => ({ name, permissions: ALLOW_ALL }));
const REALM = { name: 'realm1', roles: ROLES };

/** How the login of {@link WebApp} is read. */
const MAPPING = {
  authid: 'passport.user.id',
  role: { path: 'passport.user.role', map: { root: 'admin', member: 'member' } },
  extra: { name: 'passport.user.name' },
};

function sessionAuth(store: object, more: object = {}): object {
  return {
    anonymous: { type: 'static' },
    session: { type: 'express', secrets: [SECRET], store, ...MAPPING, ...more },
  };
}

const HELLO = [1, 'realm1', { roles: ALL_ROLES, authmethods: ['session', 'anonymous'] }];

/** Sends HELLO with the cookie of a visitor of the web application. @returns the client with the answer. */
async function hello(
  daemon: Daemon,
  { cookie }: Pick<Visitor, 'cookie'>,
  urlPath = '/ws',
): Promise<{ client: WampClient; answer: unknown[] }> {
  const client = await WampClient.connect(daemon.url(urlPath, 'ws'), { headers: { cookie } });
  onTestFinished(() => void client.drop());
  return { client, answer: await client.ask(HELLO) };
}

const welcome = (details: object): unknown[] => [2, expect.any(Number), details];
const MEMBER = { authrole: 'member', authmethod: 'session', authprovider: 'redis' };
const STRANGER = welcome({ authrole: 'anonymous', authmethod: 'anonymous' });
const NO_STORE = [3, { message: 'the session store is not available' }, 'wamp.error.authentication_failed'];
const UNAVAILABLE = 'session store is not available, its users are refused';
const AVAILABLE = 'session store is available again';
const goodbye = (message: string): unknown[] => [6, { message }, 'crossbar.close.session_ended'];
const LOGGED_OUT = goodbye('the login at the web application is over');
const CHANGED = goodbye('the login at the web application has changed');

/** A session of somebody who is logged in at the web application. */
async function joined(daemon: Daemon, visitor: Visitor, urlPath?: string): Promise<WampClient> {
  const { client, answer } = await hello(daemon, visitor, urlPath);
  expect(answer).toMatchObject(welcome({ authmethod: 'session' }));
  return client;
}

async function redisStoreOf(redis: RedisServer): Promise<{ store: RedisStore; end: () => void }> {
  const client = createClient({ url: redis.url(), socket: { reconnectStrategy: 20 } });
  client.on('error', () => undefined);
  await client.connect();
  return { store: new RedisStore({ client }), end: () => client.destroy() };
}

/** What a user of Redis needs for it, and no more. */
const ACL = [
  ...['reset', 'on', '>word', '%R~sess:*', '-@all'],
  ...['+get', '+pttl', '+ping', '+hello', '+auth', '+select', '+client|tracking'],
];

describeNeeds('redis-server', hasRedis)('a login of Express in Redis', () => {
  let redis: RedisServer;
  let daemon: Daemon;
  let app: WebApp;
  let endStore: () => void;
  beforeAll(async () => {
    redis = await RedisServer.start();
    await redis.client.sendCommand(['ACL', 'SETUSER', 'router', ...ACL]);
    const { store, end } = await redisStoreOf(redis);
    endStore = end;
    app = await WebApp.start({ store });
    const [nobody = 0] = await freePorts(1);
    const at = (more: object): object => ({
      type: 'websocket',
      auth: sessionAuth({ type: 'redis', url: redis.url(), ...more }),
    });
    daemon = await startDaemon({
      config: nodeConfig({
        realms: [REALM],
        websocket: at({}),
        paths: {
          acl: at({ username: 'router', password: 'word' }),
          wrong: at({ username: 'router', password: 'another word', timeout: 200 }),
          tracked: {
            type: 'websocket',
            cookie: {},
            auth: { ...sessionAuth({ type: 'redis', url: redis.url() }), cookie: {} },
          },
          absent: at({ url: `redis://127.0.0.1:${nobody}`, timeout: 200 }),
        },
      }),
    });
  });
  afterAll(async () => {
    await daemon.dispose();
    app.close();
    endStore();
    await redis.dispose();
  });

  it('is one in the realm, with its user, role and name', async () => {
    const { answer } = await hello(daemon, await app.login('42'));
    expect(answer).toMatchObject(welcome({ ...MEMBER, authid: '42', authextra: { name: 'Name of 42' } }));
    const { answer: other } = await hello(daemon, await app.login('anna', 'root'));
    expect(other).toMatchObject(welcome({ authid: 'anna', authrole: 'admin' }));
  });

  it('is none without a cookie, with one that is not signed, or for a role that nobody knows', async () => {
    const visitor = await app.login('joe');
    const forged = `connect.sid=s%3A${visitor.sid}.${'A'.repeat(43)}`;
    expect((await hello(daemon, new Visitor(''))).answer).toMatchObject(STRANGER);
    expect((await hello(daemon, { cookie: `connect.sid=${visitor.sid}` })).answer).toMatchObject(STRANGER);
    expect((await hello(daemon, { cookie: forged })).answer).toMatchObject(STRANGER);
    expect((await hello(daemon, { cookie: `${forged}; ${visitor.cookie}` })).answer).toMatchObject(welcome(MEMBER));
    expect((await hello(daemon, await app.login('joe', 'superuser'))).answer).toMatchObject(STRANGER);
  });

  it.each(['/logout', '/logout/destroy', '/logout/field'])('ends with POST %s', async (path) => {
    const visitor = await app.login('joe');
    const clients = [await joined(daemon, visitor), await joined(daemon, visitor)];
    const other = await joined(daemon, await app.login('mary'));
    const before = visitor.cookie;
    await visitor.post(path);
    for (const client of clients) {
      expect(await client.next()).toEqual(LOGGED_OUT);
      await client.closed;
    }
    await other.silent();
    expect((await hello(daemon, { cookie: before })).answer).toMatchObject(STRANGER);
  });

  it.each(['role=root', 'id=mary'])('ends when it becomes another one: %s', async (change) => {
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor);
    // Anything else that changes is no matter.
    await visitor.get('/');
    await visitor.post('/note?basket=full');
    await visitor.post(`/change?${change}`);
    expect(await client.next()).toEqual(CHANGED);
    const { authid, authrole } =
      change === 'id=mary' ? { authid: 'mary', authrole: 'member' } : { authid: 'joe', authrole: 'admin' };
    expect((await hello(daemon, visitor)).answer).toMatchObject(welcome({ authid, authrole }));
  });

  it('ends for all when Redis is emptied', async () => {
    const clients = [
      await joined(daemon, await app.login('joe')),
      await joined(daemon, await app.login('mary'), '/acl'),
    ];
    await redis.client.flushAll();
    for (const client of clients) expect(await client.next()).toEqual(LOGGED_OUT);
  });

  it('is noticed by a user of Redis who may only read the sessions', async () => {
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor, '/acl');
    await visitor.post('/logout');
    expect(await client.next()).toEqual(LOGGED_OUT);
  });

  it('lets nobody in unchecked where Redis is not there, and says once why', async () => {
    const visitor = await app.login('joe');
    for (const path of ['/absent', '/absent', '/wrong', '/wrong']) {
      expect((await hello(daemon, visitor, path)).answer).toEqual(NO_STORE);
    }
    // Who has no session cookie is no user of the web application, and needs no Redis.
    expect((await hello(daemon, new Visitor(''), '/absent')).answer).toMatchObject(STRANGER);
    const faults = daemon.logs.filter(({ msg }) => msg === UNAVAILABLE).map(({ fault }) => String(fault));
    expect(faults.map((fault) => fault.split(' ').find((word) => /^[A-Z]{6,}$/.test(word)) ?? fault).sort()).toEqual([
      'ECONNREFUSED',
      'WRONGPASS',
    ]);
  });

  it('goes on while Redis hangs, nobody new is let in, and what was missed is made up for', async () => {
    const [stays, leaves] = [await app.login('joe'), await app.login('mary')];
    const [one, two] = [await joined(daemon, stays), await joined(daemon, leaves)];
    redis.signal('SIGSTOP');
    try {
      const { answer } = await hello(daemon, stays);
      expect(answer).toEqual(NO_STORE);
      await one.silent();
    } finally {
      redis.signal('SIGCONT');
    }
    await leaves.post('/logout');
    expect(await two.next()).toEqual(LOGGED_OUT);
    await one.silent();
    expect((await hello(daemon, stays)).answer).toMatchObject(welcome(MEMBER));
  });

  it('goes on while Redis is gone, and when it is back with the session; not when it comes back empty', async () => {
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor);
    const heard = (msg: string): number => daemon.logs.filter((line) => line.msg === msg).length;
    const before = heard(AVAILABLE);
    await redis.kill();
    expect((await hello(daemon, visitor)).answer).toEqual(NO_STORE);
    await client.silent();
    await redis.restart();
    await daemon.waitForLog(() => heard(AVAILABLE) > before);
    expect((await hello(daemon, visitor)).answer).toMatchObject(welcome(MEMBER));
    await client.silent();
    await redis.kill();
    await redis.restart({ isEmpty: true });
    expect(await client.next()).toEqual(LOGGED_OUT);
    expect((await hello(daemon, visitor)).answer).toMatchObject(STRANGER);
  });

  it('is remembered by no cookie of the node', async () => {
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor, '/tracked');
    const [cbtid = ''] = (client.handshake.setCookie[0] ?? '').split(';');
    expect(cbtid).toMatch(/^cbtid=./);
    const later = await WampClient.connect(daemon.url('/tracked', 'ws'), { headers: { cookie: cbtid } });
    onTestFinished(() => void later.drop());
    expect(later.handshake.setCookie).toEqual([]);
    const answer = await later.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['cookie', 'session'] }]);
    expect([answer[0], answer[2]]).toEqual([3, 'wamp.error.no_auth_method']);
  });

  it('shows its id to nobody', async () => {
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor);
    client.send([48, 1, {}, 'wamp.session.list']);
    const [, , , [ids = []] = []] = (await client.next()) as [number, number, object, number[][]?];
    const shown: unknown[] = [daemon.output];
    for (const id of ids) shown.push(await client.ask([48, 2, {}, 'wamp.session.get', [id]]));
    expect(ids.length).toBeGreaterThan(0);
    const text = JSON.stringify(shown);
    const [, mac = ''] = /\.(.*)$/.exec(decodeURIComponent(visitor.cookie)) ?? [];
    for (const secret of [visitor.sid, mac, SECRET, 'another word']) {
      expect(secret.length).toBeGreaterThan(10);
      expect(text).not.toContain(secret);
    }
  });
});

describeNeeds('redis-server', hasRedis)('a node with sessions of Express', () => {
  it('ends in order, also where Redis hangs or was never there', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.dispose());
    const { store, end } = await redisStoreOf(redis);
    onTestFinished(end);
    const app = await WebApp.start({ store });
    onTestFinished(() => app.close());
    const at = (url: string): object => ({ type: 'websocket', auth: sessionAuth({ type: 'redis', url }) });
    const daemon = await startDaemon({
      config: nodeConfig({
        realms: [REALM],
        websocket: at(redis.url()),
        paths: { absent: at('redis://127.0.0.1:1') },
      }),
    });
    onTestFinished(() => daemon.dispose());
    await joined(daemon, await app.login('joe'));
    redis.signal('SIGSTOP');
    onTestFinished(() => redis.signal('SIGCONT'));
    expect(await daemon.stop()).toBe(0);
  });
});

describeNeeds('redis-server', hasRedis)('a login of Express that expires', () => {
  it('ends in the realm when its time is over, though Redis has many other keys to look after', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.dispose());
    await redis.client.eval("for i = 1, 100000 do redis.call('SET', 'other:' .. i, 'x', 'EX', 600) end", {});
    const { store, end } = await redisStoreOf(redis);
    onTestFinished(end);
    const app = await WebApp.start({ store, maxAge: 1500 });
    onTestFinished(() => app.close());
    const auth = sessionAuth({ type: 'redis', url: redis.url() });
    const daemon = await startDaemon({ config: nodeConfig({ realms: [REALM], websocket: { auth } }) });
    onTestFinished(() => daemon.dispose());
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor);
    const leftMs = await redis.client.pTTL(`sess:${visitor.sid}`);
    const from = performance.now();
    expect(await client.next()).toEqual(LOGGED_OUT);
    const tookMs = performance.now() - from;
    expect(leftMs).toBeGreaterThan(0);
    expect(tookMs - leftMs).toBeGreaterThan(-50);
    expect(tookMs - leftMs).toBeLessThan(1000);
  });
});

describe('a login of Express elsewhere', () => {
  it('is read from the files of session-file-store, and ends with them', async () => {
    const directory = temporaryDirectory();
    const FileStore = fileStore(session);
    const store = new FileStore({ path: directory, reapInterval: -1, logFn: () => undefined });
    const app = await WebApp.start({ store });
    onTestFinished(() => app.close());
    const auth = sessionAuth({ type: 'file', directory });
    const daemon = await startDaemon({ config: nodeConfig({ realms: [REALM], websocket: { auth } }) });
    onTestFinished(() => daemon.dispose());
    for (const path of ['/logout', '/logout/destroy', '/logout/field']) {
      const visitor = await app.login('joe');
      const { client, answer } = await hello(daemon, visitor);
      expect(answer).toMatchObject(welcome({ authid: 'joe', authmethod: 'session', authprovider: 'file' }));
      await visitor.get('/');
      await visitor.post(path);
      expect(await client.next()).toEqual(LOGGED_OUT);
    }
    const visitor = await app.login('joe');
    const client = await joined(daemon, visitor);
    await visitor.post('/change?role=root');
    expect(await client.next()).toEqual(CHANGED);
  });

  it('is asked of the web application itself where nobody else knows it', async () => {
    const asked: (string | undefined)[] = [];
    const app = await WebApp.start({ onSession: (cookie) => asked.push(cookie) });
    onTestFinished(() => app.close());
    const auth = sessionAuth({ type: 'http', url: `${app.origin}/session` });
    const daemon = await startDaemon({ config: nodeConfig({ realms: [REALM], websocket: { auth } }) });
    onTestFinished(() => daemon.dispose());
    const visitor = await app.login('joe');
    const { client, answer } = await hello(daemon, { cookie: `other=1; ${visitor.cookie}` });
    expect(answer).toMatchObject(welcome({ authid: 'joe', authmethod: 'session', authprovider: 'http' }));
    await visitor.post('/logout');
    // It is asked for every HELLO, and the answer is news for all sessions of the browser.
    await client.silent();
    expect((await hello(daemon, { cookie: asked[0] ?? '' })).answer).toMatchObject(STRANGER);
    expect(await client.next()).toEqual(LOGGED_OUT);
    expect(asked).toHaveLength(2);
    app.close();
    expect((await hello(daemon, visitor)).answer).toEqual(NO_STORE);
  });
});

/**
 * One login for a web application and the realm: real Express with express-session, passport and connect-redis, a real Redis, and the
 * daemon. Logging in and out happens in the web application alone.
 */
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
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
const goodbye = (message: string): unknown[] => [6, { message }, 'crossbar.close.session_ended'];
const LOGGED_OUT = goodbye('the login at the web application is over');

/** A session of somebody who is logged in at the web application. */
async function joined(daemon: Daemon, visitor: Visitor, urlPath?: string): Promise<WampClient> {
  const { client, answer } = await hello(daemon, visitor, urlPath);
  expect(answer).toMatchObject(welcome({ authmethod: 'session' }));
  return client;
}

async function redisStoreOf(redis: RedisServer, options: object = {}): Promise<{ store: RedisStore; end: () => void }> {
  const client = createClient({ url: redis.url(), socket: { reconnectStrategy: 20 } });
  client.on('error', () => undefined);
  await client.connect();
  return { store: new RedisStore({ client, ...options }), end: () => client.destroy() };
}

describeNeeds('redis-server', hasRedis)('a login of Express in Redis', () => {
  let redis: RedisServer;
  let daemon: Daemon;
  let app: WebApp;
  let endStore: () => void;
  beforeAll(async () => {
    redis = await RedisServer.start();
    const { store, end } = await redisStoreOf(redis);
    endStore = end;
    app = await WebApp.start({ store });
    daemon = await startDaemon({
      config: nodeConfig({
        realms: [REALM],
        websocket: { auth: sessionAuth({ type: 'redis', url: redis.url() }) },
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
    expect((await hello(daemon, new Visitor(''))).answer).toMatchObject(STRANGER);
    expect((await hello(daemon, { cookie: `connect.sid=${visitor.sid}` })).answer).toMatchObject(STRANGER);
    expect((await hello(daemon, { cookie: `connect.sid=s%3A${visitor.sid}.${'A'.repeat(43)}` })).answer).toMatchObject(
      STRANGER,
    );
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
});

/** The contract of the stores of web sessions, each with the real thing behind it: Redis alone, with TLS, behind a sentinel; files; HTTP. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import session from 'express-session';
import fileStore from 'session-file-store';
import { expect, it, onTestFinished } from 'vitest';

import { createSessionStore } from '../../src/auth/session/stores.js';
import { StoreUnavailable } from '../../src/auth/session/store.js';
import type { HttpStoreConfig } from '../../src/auth/session/store-schema.js';
import { CallFault } from '../../src/wamp/error.js';
import { sessionStoreContract } from '../contract/session-store.js';
import type { WebSessions } from '../contract/session-store.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { NOBODY_TO_ASK } from '../support/client.js';
import { recordingLog } from '../support/cookie-store.js';
import { temporaryDirectory } from '../support/daemon.js';
import { FakeClock } from '../support/realm.js';
import { describeNeeds } from '../support/needs.js';
import { freePorts } from '../support/ports.js';
import { hasRedis, RedisServer } from '../support/redis.js';

const REDIS = { type: 'redis', prefix: 'sess:', watch: true, check_interval: 60, timeout: 5000 } as const;
const LISTENER = { changed: () => undefined, allChanged: () => undefined };

/** As connect-redis writes it. */
function sessionsIn(redis: RedisServer, more: object = {}): Omit<WebSessions, 'stop'> {
  const { client } = redis;
  return {
    config: { ...REDIS, url: redis.url(), ...more },
    absent: { ...REDIS, url: 'redis://127.0.0.1:1', timeout: 200 },
    put: async (sid, value, ttlMs) => {
      const options = ttlMs === undefined ? {} : { expiration: { type: 'PX', value: ttlMs } as const };
      await client.set(`sess:${sid}`, JSON.stringify(value), options);
    },
    putText: async (sid, text) => await client.set(`sess:${sid}`, text),
    remove: async (sid) => await client.del(`sess:${sid}`),
  };
}

describeNeeds('redis-server', hasRedis)('in Redis', () => {
  sessionStoreContract({
    name: 'redis',
    tells: true,
    knowsExpiry: true,
    logsAbsence: true,
    start: async () => {
      const redis = await RedisServer.start();
      return { ...sessionsIn(redis), stop: () => redis.dispose() };
    },
  });

  sessionStoreContract({
    name: 'redis behind a sentinel',
    tells: false,
    knowsExpiry: true,
    logsAbsence: true,
    start: async () => {
      const redis = await RedisServer.start();
      const [port = 0] = await freePorts(1);
      const file = path.join(temporaryDirectory(), 'sentinel.conf');
      writeFileSync(file, `sentinel monitor mymaster 127.0.0.1 ${redis.port} 1\n`);
      const sentinel = await RedisServer.start({ port, sentinel: file });
      const nodes = [`127.0.0.1:${port}`];
      const absent = { name: 'another', nodes };
      return {
        ...sessionsIn(redis, { sentinel: { name: 'mymaster', nodes } }),
        absent: { ...REDIS, url: 'redis://127.0.0.1:1', timeout: 200, sentinel: absent },
        stop: async () => {
          await sentinel.dispose();
          await redis.dispose();
        },
      };
    },
  });

  describeNeeds('openssl', HAS_OPENSSL)('with TLS', () => {
    sessionStoreContract({
      name: 'redis with certificates on both sides',
      tells: true,
      knowsExpiry: true,
      logsAbsence: true,
      start: async () => {
        const files = new Certificates(temporaryDirectory());
        const [port = 0] = await freePorts(1);
        const redis = await RedisServer.start({
          args: [
            ...['--tls-port', String(port), '--tls-ca-cert-file', files.file('root.pem'), '--tls-auth-clients', 'yes'],
            ...['--tls-cert-file', chainFile(files), '--tls-key-file', files.file('server.key')],
          ],
        });
        const url = `rediss://127.0.0.1:${port}`;
        const tls = { certificate: files.file('client.pem'), key: files.file('client.key') };
        return {
          ...sessionsIn(redis, { url, tls: { ...tls, ca_certificates: [files.file('root.pem')] } }),
          // Nobody vouches for the server there.
          absent: { ...REDIS, url, timeout: 500, tls },
          stop: () => redis.dispose(),
        };
      },
    });
  });

  it('is given up in time when it hangs', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.dispose());
    const clock = new FakeClock();
    const { log } = recordingLog();
    const after = (ms: number, callback: () => void) => clock.after(ms, callback);
    const deps = { ...NOBODY_TO_ASK, log, clock: () => clock.now, after, listener: LISTENER };
    const store = await createSessionStore({ ...REDIS, url: redis.url(), timeout: 1000 }, deps);
    const presented = { sid: 'one', cookie: '' };
    expect(await store.read(presented)).toBeUndefined();
    redis.signal('SIGSTOP');
    onTestFinished(() => redis.signal('SIGCONT'));
    const answer = store.read(presented);
    clock.advance(1000);
    await expect(answer).rejects.toThrow('no answer within 1000 ms');
    await store.stop();
    await expect(store.read(presented)).rejects.toThrow(StoreUnavailable);
  });
});

function chainFile(files: Certificates): string {
  files.write('chain.pem', files.text('server.pem') + files.text('intermediate.pem'));
  return files.file('chain.pem');
}

sessionStoreContract({
  name: 'file',
  tells: true,
  knowsExpiry: true,
  logsAbsence: true,
  start: async () => {
    const directory = path.join(temporaryDirectory(), 'sessions');
    mkdirSync(directory);
    const store = new (fileStore(session))({ path: directory, reapInterval: -1, logFn: () => undefined });
    const config = { type: 'file', directory, ttl: 60 } as const;
    await Promise.resolve();
    return {
      config,
      absent: { ...config, directory: path.join(directory, 'none') },
      put: async (sid, value) => {
        const { __lastAccess: lastAccess } = value as { __lastAccess?: number };
        if (lastAccess !== undefined) return writeFile(path.join(directory, `${sid}.json`), JSON.stringify(value));
        await new Promise((resolve) => store.set(sid, value as session.SessionData, resolve));
      },
      putText: (sid, text) => writeFile(path.join(directory, `${sid}.json`), text),
      remove: (sid) => new Promise((resolve) => store.destroy(sid, resolve)),
      stop: () => rm(directory, { recursive: true }),
    };
  },
});

/** A web application in some other language, that knows its sessions by a cookie. */
async function application(known: ReadonlyMap<string, string>) {
  const server = createServer(({ headers }, response) => {
    const text = known.get(decodeURIComponent(headers.cookie?.split('=')[1] ?? ''));
    if (text === undefined) response.writeHead(401, { 'content-type': 'text/html' }).end('<h1>Who are you?</h1>');
    else if (text === 'hang') response.writeHead(200).flushHeaders();
    else if (text.startsWith('/')) response.writeHead(302, { location: text }).end();
    else if (/^5\d\d$/.test(text)) response.writeHead(Number(text)).end();
    else response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/me`;
  return { config: { type: 'http', url, timeout: 5000, max_age: 300 } satisfies HttpStoreConfig, stop };
}

sessionStoreContract({
  name: 'http',
  tells: false,
  knowsExpiry: false,
  trusts: true,
  logsAbsence: true,
  start: async () => {
    const known = new Map<string, string>();
    const { config, stop } = await application(known);
    return {
      config,
      absent: { ...config, url: 'http://127.0.0.1:1/me' },
      put: (sid, value) => Promise.resolve(void known.set(sid, JSON.stringify(value))),
      putText: (sid, text) => Promise.resolve(void known.set(sid, text)),
      remove: (sid) => Promise.resolve(void known.delete(sid)),
      stop: () => Promise.resolve(stop()),
    };
  },
});

it.each([
  ['leads to somewhere else', '/login', 'status 302'],
  ['has a bug', '500', 'status 500'],
  ['answers with a page', '<h1>Welcome</h1>', 'no JSON'],
  ['hangs in the middle of its answer', 'hang', 'the request failed'],
])('a web application that %s is not available', async (_what, text, fault) => {
  const { config, stop } = await application(new Map([['one', text]]));
  onTestFinished(stop);
  const { log, warnings } = recordingLog();
  const deps = { ...NOBODY_TO_ASK, log, clock: Date.now, listener: LISTENER };
  const store = await createSessionStore({ ...config, timeout: 300 }, deps);
  await expect(store.read({ sid: 'one', cookie: 'id=one' })).rejects.toThrow(fault);
  expect(warnings()).toHaveLength(1);
  expect(JSON.stringify(warnings())).not.toContain('Welcome');
});

it('a web application knows nobody by null', async () => {
  const { config, stop } = await application(new Map([['one', 'null']]));
  onTestFinished(stop);
  const { log, warnings } = recordingLog();
  const store = await createSessionStore(config, { ...NOBODY_TO_ASK, log, clock: Date.now, listener: LISTENER });
  expect(await store.read({ sid: 'one', cookie: 'id=one' })).toBeUndefined();
  expect(warnings()).toEqual([]);
});

sessionStoreContract({
  name: 'dynamic',
  tells: false,
  knowsExpiry: false,
  // The authenticator itself is told of, as everywhere.
  logsAbsence: false,
  start: () => {
    const known = new Map<string, string>();
    const config = { type: 'dynamic', authenticator: 'com.example.session', 'authenticator-realm': 'realm1' } as const;
    const absent = { ...config, authenticator: 'com.example.nobody', max_age: 300 };
    return Promise.resolve({
      config: { ...config, max_age: 300 },
      absent,
      call: (realm, _role, procedure, [asked, authid, details]) => {
        if (procedure === absent.authenticator)
          throw new CallFault('there is none', { uri: 'wamp.error.no_such_procedure' });
        expect([realm, asked, authid]).toEqual(['realm1', 'realm1', null]);
        const text = known.get((details as { session_id: string }).session_id);
        if (text === undefined)
          throw new CallFault('no', { uri: 'com.example.nobody', payload: { args: [] } as never });
        const value = parsed(text);
        return Promise.resolve({ args: [value], kwargs: undefined } as never);
      },
      put: (sid, value) => Promise.resolve(void known.set(sid, JSON.stringify(value))),
      putText: (sid, text) => Promise.resolve(void known.set(sid, text)),
      remove: (sid) => Promise.resolve(void known.delete(sid)),
      stop: () => Promise.resolve(),
    });
  },
});

/** An authenticator that fails for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CallFault('the authenticator failed');
  }
}

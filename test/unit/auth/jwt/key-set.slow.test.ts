/** The key set of an issuer, from a server that is not always what it should be. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { MAX_KEY_SET_BYTES } from '../../../../src/auth/jwt/key-fetch.js';
import { AUTH_METHODS, createAuthMethods } from '../../../../src/auth/registry.js';
import { AUTH_URIS } from '../../../../src/auth/verdict.js';
import { silentLogger } from '../../../../src/log/logger.js';
import type { Pass, Verdict } from '../../../../src/auth/method.js';
import { testAuth, UNLIMITED } from '../../../support/auth.js';
import { NOBODY_TO_ASK } from '../../../support/client.js';
import type { TestAuth } from '../../../support/auth.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { ISSUER, jwtSection, KeyServer, ownTime, signed, signingKey } from '../../../support/tokens.js';
import type { SigningKey } from '../../../support/tokens.js';

const COOLDOWN_MS = 30_000;
const REFRESH_MS = 600_000;
const NOT_NOW = { type: 'unavailable', message: 'no login with a token at the moment, please try again later' };

let key: SigningKey;
let next: SigningKey;
beforeAll(async () => {
  [key, next] = [await signingKey('ES256', 'first'), await signingKey('ES256', 'next')];
});

let server: KeyServer;
let auth: TestAuth | undefined;
beforeEach(async () => {
  server = await KeyServer.start(key);
});
afterEach(async () => {
  await auth?.method('jwt').stop?.();
  auth = undefined;
  await server.stop();
});

/** A node with one issuer, whose key set is at the server. */
async function world(more: object = {}) {
  const own = ownTime();
  const { log, entries } = recordingLog();
  const made = await testAuth(jwtSection([{ jwks: server.url, ...more }]), { ...own, log });
  auth = made;
  const { time } = own;
  const login = async (by = key, header = {}): Promise<Verdict | Pass> => {
    const token = await signed(by, time.now, {}, header);
    return made.start({ authmethod: 'jwt', authextra: { token } });
  };
  const flood = async (count: number): Promise<void> => {
    const strangers = Array.from({ length: count }, (_, i) => login(next, { kid: `unknown ${i}` }));
    for (const verdict of await Promise.all(strangers)) expect(verdict.type).not.toBe('accept');
  };
  const lines = (level: string): unknown[] =>
    entries.filter((entry) => entry.level === level).map(({ msg, fault }) => [msg, fault]);
  return { time, login, flood, lines, stop: () => made.method('jwt').stop?.() };
}

const ACCEPTED = { type: 'accept' };
const MISSING = 'key set of a token issuer cannot be fetched, its clients are to come back';
const OLD = 'key set of a token issuer cannot be fetched, the known keys go on';

describe('a server that has no key set at the moment', () => {
  it.each([
    ['broken', 'UND_ERR_SOCKET'],
    ['hung', 'no answer within 200 ms'],
    ['slow', 'no answer within 200 ms'],
    ['failing', 'the answer has the status 500'],
    ['huge', `the answer has more than ${MAX_KEY_SET_BYTES} bytes`],
    ['endless', `the answer has more than ${MAX_KEY_SET_BYTES} bytes`],
    ['redirecting', 'the answer leads elsewhere (302), which is not followed'],
    ['html', 'the answer is no JSON'],
    ['text', 'the answer is no JSON'],
    ['no keys', 'the answer is no key set'],
  ] as const)('because it is %s: clients are to come back, and come in when it is over', async (mode, fault) => {
    server.mode = mode;
    // Only where it has to pass: the first fetch of a process takes long.
    const { time, login, lines } = await world(fault.startsWith('no answer') ? { timeout: 200 } : {});
    expect(await login()).toEqual(NOT_NOW);
    expect(lines('warn')).toEqual([[MISSING, fault]]);
    expect(server.asked).toBe(1);
    // 20 MiB and more are offered, and only as much as sockets hold is taken.
    expect(server.sent).toBeLessThan(10 * 1024 * 1024);
    server.mode = 'ok';
    expect(await login()).toEqual(NOT_NOW);
    time.advance(COOLDOWN_MS);
    expect(await login()).toMatchObject(ACCEPTED);
    expect(server.asked).toBe(2);
    expect(lines('info')).toEqual([['key set of a token issuer fetched', undefined]]);
  });

  it('because nobody listens there', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    const { login, lines } = await world({ jwks: `http://127.0.0.1:${port}/` });
    expect(await login()).toEqual(NOT_NOW);
    expect(lines('warn')).toEqual([[MISSING, 'ECONNREFUSED']]);
  });

  it('keeps nobody waiting at the start, and a client only as long as one fetch takes', async () => {
    server.mode = 'hung';
    const { login } = await world({ timeout: 200 });
    const waiting = Promise.all([login(), login(), login()]);
    expect(await waiting).toEqual([NOT_NOW, NOT_NOW, NOT_NOW]);
    expect(server.asked).toBe(1);
  });

  it('is asked again by a timer, without any client', async () => {
    server.mode = 'failing';
    const { time, login, flood } = await world();
    await login();
    await flood(20);
    expect(server.asked).toBe(1);
    server.mode = 'ok';
    time.advance(COOLDOWN_MS - 1);
    expect(server.asked).toBe(1);
    time.advance(1);
    expect(await login()).toMatchObject(ACCEPTED);
    expect(server.asked).toBe(2);
  });
});

describe('known keys', () => {
  it('go on when the issuer is down, however long', async () => {
    const { time, login, lines } = await world();
    expect(await login()).toMatchObject(ACCEPTED);
    server.mode = 'failing';
    for (let tries = 1; tries <= 3; tries++) {
      time.advance(tries === 1 ? REFRESH_MS : COOLDOWN_MS);
      // An unknown key waits for the fetch that is on.
      expect((await login(next)).type).toBe('deny');
      expect(server.asked).toBe(1 + tries);
    }
    expect(await login()).toMatchObject(ACCEPTED);
    expect(lines('warn')).toEqual(Array(3).fill([OLD, 'the answer has the status 500']));
    server.mode = 'ok';
    time.advance(COOLDOWN_MS);
    expect(await login(next)).toMatchObject({ type: 'deny' });
    expect(lines('info').at(-1)).not.toEqual([OLD, undefined]);
  });

  it('are fetched anew by a timer: one that was taken back does not count any more', async () => {
    const { time, login, lines } = await world();
    expect(await login()).toMatchObject(ACCEPTED);
    server.keys = [next.jwk];
    time.advance(REFRESH_MS);
    expect(await login(next)).toMatchObject(ACCEPTED);
    expect(await login()).toMatchObject({ type: 'deny' });
    expect(server.asked).toBe(2);
    server.keys = [];
    time.advance(REFRESH_MS);
    expect((await login({ ...next, kid: 'other' })).type).toBe('deny');
    expect((await login(next)).type).toBe('deny');
    expect(lines('warn')).toEqual([['key set of a token issuer is empty', undefined]]);
  });

  it('are looked for when a token has an unknown one, and the cooldown is over', async () => {
    const { time, login } = await world();
    expect(await login()).toMatchObject(ACCEPTED);
    server.keys = [key.jwk, next.jwk];
    expect(await login(next)).toMatchObject({ type: 'deny' });
    time.advance(COOLDOWN_MS - 1);
    expect(await login(next)).toMatchObject({ type: 'deny' });
    expect(server.asked).toBe(1);
    time.advance(1);
    expect(await login(next)).toMatchObject(ACCEPTED);
    expect(await login()).toMatchObject(ACCEPTED);
    expect(server.asked).toBe(2);
  });
});

describe('a flood of unknown keys', () => {
  it('costs one fetch for each cooldown, whether it succeeds or not', async () => {
    const { time, flood, login } = await world();
    expect(await login()).toMatchObject(ACCEPTED);
    for (const [round, mode] of (['ok', 'failing', 'ok', 'broken', 'failing'] as const).entries()) {
      server.mode = mode;
      await flood(50);
      await flood(50);
      expect(server.asked).toBe(1 + round);
      time.advance(COOLDOWN_MS);
    }
    expect(await login()).toMatchObject(ACCEPTED);
  });

  it('is not over sooner because the clock was set back', async () => {
    const { time, flood } = await world();
    await flood(1);
    time.now -= 86_400_000;
    await flood(10);
    expect(server.asked).toBe(2);
    await flood(10);
    expect(server.asked).toBe(2);
  });
});

describe('stop', () => {
  it('ends the fetch that is on, and leaves no timer', async () => {
    server.mode = 'hung';
    const { time, login, stop, lines } = await world();
    const waiting = login();
    await stop();
    await stop();
    expect(await waiting).toEqual(NOT_NOW);
    expect([time.waiting, lines('warn')]).toEqual([0, []]);
    time.advance(REFRESH_MS);
    expect(server.asked).toBeLessThanOrEqual(1);
  });

  it('ends the timer', async () => {
    const { time, login, stop } = await world();
    await login();
    expect(time.waiting).toBe(1);
    await stop();
    expect(time.waiting).toBe(0);
  });
});

it('a config whose other methods cannot be set up leaves no timer', async () => {
  const own = ownTime();
  const broken = { type: 'function', module: './nosuch.js', name: 'x' };
  const config = { ...jwtSection([{ jwks: server.url }]), tls: broken };
  const types = { jwt: AUTH_METHODS.jwt, tls: AUTH_METHODS.tls } as never;
  const deps = { ...NOBODY_TO_ASK, ...own, log: silentLogger(), uris: AUTH_URIS.crossbar };
  await expect(createAuthMethods(config as never, UNLIMITED, deps, types)).rejects.toThrow('no modules');
  await expect.poll(() => own.time.waiting).toBe(0);
  own.time.advance(REFRESH_MS);
  expect(own.time.waiting).toBe(0);
});

it('the log names the issuer, and neither the token nor the address of the key set', async () => {
  const { log, entries } = recordingLog();
  const own = ownTime();
  server.mode = 'failing';
  auth = await testAuth(jwtSection([{ jwks: `${server.url}?key=hidden` }]), { ...own, log });
  const token = await signed(key, own.time.now);
  await auth.start({ authmethod: 'jwt', authextra: { token } });
  const text = JSON.stringify(entries);
  expect(text).toContain(ISSUER);
  for (const secret of [...token.split('.'), 'hidden']) expect(text).not.toContain(secret);
});

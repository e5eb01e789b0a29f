/** Who is at the other end of a transport that is no socket, and the methods that let everybody in. */
import { anonymous } from '../../src/auth/anonymous.js';
import type { AuthMethod, AuthMethods, ClientInfo } from '../../src/auth/method.js';
import type { AnonymousConfig } from '../../src/auth/schema.js';
import { AUTH_URIS } from '../../src/auth/verdict.js';
import { MemoryCookieStore } from '../../src/cookie/memory.js';
import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../src/cookie/rules.js';
import type { LiveCookie } from '../../src/cookie/live/live-cookie.js';
import { afterLong } from '../../src/auth/lease.js';
import { SharedLogins } from '../../src/auth/shared-logins.js';
import { systemScheduler } from '../../src/worker/scheduler.js';
import { silentLogger } from '../../src/log/logger.js';
import { cookieRecord } from './cookie-store.js';

const PEER = '192.0.2.1:1';

export function clientInfo(overrides: Partial<ClientInfo> = {}): ClientInfo {
  return {
    peer: PEER,
    address: '192.0.2.1',
    liveCookie: undefined,
    headers: undefined,
    tls: undefined,
    ...overrides,
  };
}

/** There is no procedure to call and no module to load. */
export const NOBODY_TO_ASK = {
  call: () => Promise.reject(new Error('the test has no procedures')),
  load: () => Promise.reject(new Error('the test has no modules')),
  admits: (): boolean => true,
  after: (ms: number, callback: () => void): (() => void) => afterLong(systemScheduler, ms, callback),
  logins: new SharedLogins(Date.now),
} as const;

/** `anonymous` alone; without waiting, which setting up several methods needs. */
export function everybody(config: Partial<AnonymousConfig> = {}): AuthMethods {
  const siblings = new Map<string, AuthMethod>();
  const deps = { log: silentLogger(), clock: Date.now, siblings, uris: AUTH_URIS.crossbar, ...NOBODY_TO_ASK };
  const method = anonymous.create({ type: 'static', role: 'anonymous', ...config }, deps);
  if (method instanceof Promise) throw new Error('anonymous is set up at once');
  return new Map([['anonymous', method]]);
}

/** The browser of a cookie, on a store of its own that does not know it. */
export function visitorOf(cbtid: string): LiveCookie {
  return new LiveCookies({
    store: new MemoryCookieStore(),
    rules: LENIENT,
    clock: Date.now,
    log: silentLogger(),
  }).enter(cookieRecord(cbtid), { authid: cbtid, isCookieId: true });
}

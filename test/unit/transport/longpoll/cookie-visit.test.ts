/** What the answers to a client of long-poll tell its browser about its cookie, and when. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/log/logger.js';
import { CookieVisit } from '../../../../src/transport/longpoll/cookie-visit.js';
import type { CookieVisitParts } from '../../../../src/transport/longpoll/cookie-visit.js';

interface World {
  readonly setCookie?: string;
  readonly lastsMs?: number;
  readonly fails?: boolean;
}

function world({ setCookie, lastsMs, fails = false }: World = {}) {
  const delivered: string[] = [];
  const liveCookie = { cbtid: 'first', isLoggedOut: false };
  const tracker = {
    delivered: ({ cbtid }: { cbtid: string }) => delivered.push(cbtid),
    presents: ({ headers }: IncomingMessage, id: string) => headers.cookie === id,
    rotated: () =>
      fails
        ? Promise.reject(new Error('disk'))
        : Promise.resolve({ record: { cbtid: 'second' }, setCookie: 'to second' }),
    cleared: (isSecure: boolean) => `cleared, ${isSecure ? 'secure' : 'plain'}`,
  };
  const tracked = { record: { cbtid: 'first', rotated: null }, setCookie, ...(lastsMs !== undefined && { lastsMs }) };
  const parts = { tracker, tracked, liveCookie, isSecure: true, log: silentLogger() };
  return { visit: new CookieVisit(parts as unknown as CookieVisitParts), liveCookie, delivered };
}

const by = (cookie: string): IncomingMessage => ({ headers: { cookie } }) as unknown as IncomingMessage;

describe('a login', () => {
  it('gives a new id, which the next answer tells, until one of them has arrived', async () => {
    const { visit, delivered } = world();
    expect(await visit.loggedIn()).toBe(true);
    expect(visit.held).toBe('second');
    const lost = visit.toTell(by('first'), false);
    expect(lost?.setCookie).toBe('to second');
    // Meanwhile the others do not tell it, too.
    expect(visit.toTell(by('first'), true)).toBeUndefined();
    lost?.done(false);
    visit.goesOn(by('first'));
    expect(delivered).toEqual([]);
    visit.toTell(by('first'), true)?.done(true);
    expect(visit.toTell(by('first'), true)).toBeUndefined();
    visit.goesOn(by('second'));
    expect(delivered).toEqual(['second']);
  });

  it('gives none where the browser has not shown yet that it took the first one', async () => {
    const { visit } = world({ setCookie: 'to first' });
    expect(await visit.loggedIn()).toBe(false);
    visit.goesOn(by('another'));
    expect(await visit.loggedIn()).toBe(false);
    visit.goesOn(by('first'));
    expect(await visit.loggedIn()).toBe(true);
  });

  it('gives none to who came with a replaced id, and none while the store fails', async () => {
    const replaced = world({ lastsMs: 1000 }).visit;
    expect([replaced.held, await replaced.loggedIn()]).toEqual([undefined, false]);
    const { visit } = world({ fails: true });
    expect([await visit.loggedIn(), visit.held]).toEqual([false, 'first']);
  });
});

describe('a logout', () => {
  it('takes the cookie away once, by an answer at once to a request that shows it', () => {
    const { visit, liveCookie } = world();
    expect(visit.toTell(by('first'), true)).toBeUndefined();
    liveCookie.isLoggedOut = true;
    expect(visit.toTell(by('first'), false)).toBeUndefined();
    // The browser has got another cookie meanwhile, by a login at a page.
    expect(visit.toTell(by('another'), true)).toBeUndefined();
    const lost = visit.toTell(by('first'), true);
    expect(lost?.setCookie).toBe('cleared, secure');
    lost?.done(false);
    visit.toTell(by('first'), true)?.done(true);
    expect(visit.toTell(by('first'), true)).toBeUndefined();
  });
});

/** A replaced cookie id that comes back: two parties with one cookie, or a browser that never got its new one. */
import type { IncomingMessage } from 'node:http';

import { beforeEach, describe, expect, it } from 'vitest';

import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { CookieTracker } from '../../../src/cookie/tracker.js';
import type { CookieRecord } from '../../../src/cookie/store.js';
import type { LiveSession } from '../../../src/cookie/live/live-cookie.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { rulesOf } from '../../../src/cookie/rules.js';
import { shortId } from '../../../src/log/logger.js';
import { cookieId, cookieRecord, CREATED, JOE, recordingLog } from '../../support/cookie-store.js';
import { cookieConfig } from '../../support/web.js';

const PLANTED = cookieId(1);
const MINUTE = 60_000;
const REUSED = 'replaced cookie came back: two parties had it, both are logged out';

let now: number;
let store: MemoryCookieStore;
let tracker: CookieTracker;
let liveCookies: LiveCookies;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  now = Date.parse(CREATED);
  store = new MemoryCookieStore();
  await store.create(cookieRecord(PLANTED, { max_age: 86_400 }));
  recorded = recordingLog();
  start();
  await liveCookies.setLogin(PLANTED, JOE);
});

/** Lets everything happen that nobody waits for. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a restart of the node leaves: nothing but the store. */
function start(): void {
  const deps = { clock: () => now, log: recorded.log };
  const config = cookieConfig({ rotate: true });
  liveCookies = new LiveCookies({ store, rules: rulesOf(config), ...deps });
  tracker = new CookieTracker({ config, liveCookies, ...deps });
}

/** Whoever comes with cookies, and keeps what he is given. */
class DealerSession {
  cookie: string;
  readonly ended: string[] = [];
  /** What it was told when it came to stay. */
  answer: CookieRecord | undefined;

  constructor(cookie: string) {
    this.cookie = cookie;
  }

  /** @returns whom the cookie lets in. */
  async visit(hears = true): Promise<string | undefined> {
    const request: unknown = { headers: { cookie: `cbtid=${this.cookie}` }, socket: {} };
    const { record, setCookie } = await tracker.resolve(request as IncomingMessage);
    const given = /^cbtid=([^;]+);/.exec(setCookie ?? '')?.[1];
    if (hears && given !== undefined) this.cookie = given;
    return record.auth?.authid;
  }

  /** Comes, and stays. */
  async stay(): Promise<string | undefined> {
    const request: unknown = { headers: { cookie: `cbtid=${this.cookie}` }, socket: {} };
    const { record } = await tracker.resolve(request as IncomingMessage);
    this.answer = record;
    const liveCookie = tracker.enter(record);
    const session: LiveSession = { id: 1, dismiss: (reason) => void this.ended.push(reason) };
    liveCookie.joined(session);
    return record.auth?.authid;
  }
}

describe('a planted cookie under which somebody logged in', () => {
  let planter: DealerSession;
  let victim: DealerSession;
  beforeEach(() => {
    planter = new DealerSession(PLANTED);
    victim = new DealerSession(PLANTED);
  });

  it('whose planter comes first logs both out with the next visit of the victim after the grace', async () => {
    expect(await planter.visit()).toBe('joe');
    expect(await victim.visit()).toBe('joe');
    expect(await planter.visit()).toBe('joe');
    expect(await planter.stay()).toBe('joe');
    now += 2 * MINUTE;
    expect(await victim.visit()).toBeUndefined();
    expect(planter.ended).toEqual(['wamp.close.logout']);
    expect(await planter.visit()).toBeUndefined();
    expect(await store.list()).toMatchObject([{ auth: null }, { auth: null }]);
    expect(recorded.warnings()).toMatchObject([{ msg: REUSED, cookieId: shortId(PLANTED), authid: 'joe' }]);
    expect(JSON.stringify(recorded.entries)).not.toContain(PLANTED);
  });

  it('whose victim comes first logs both out when the planter comes after the grace', async () => {
    expect(await victim.visit()).toBe('joe');
    expect(await planter.visit()).toBe('joe');
    expect(await victim.visit()).toBe('joe');
    now += 2 * MINUTE;
    expect(await planter.visit()).toBeUndefined();
    expect(await victim.visit()).toBeUndefined();
  });

  it.each([['planter'], ['victim']])('does so after a restart, too, when the %s came first', async (first) => {
    const [one, other] = first === 'planter' ? [planter, victim] : [victim, planter];
    await one.visit();
    await one.visit();
    start();
    now += 12 * 60 * MINUTE;
    expect(await other.visit()).toBeUndefined();
    expect(await one.visit()).toBeUndefined();
  });

  it('does so although the planter keeps his new id to himself until the victim has been moved on', async () => {
    await planter.visit();
    now += 2 * MINUTE;
    expect(await victim.visit()).toBe('joe');
    expect(await victim.visit()).toBe('joe');
    expect(await planter.visit()).toBeUndefined();
    expect(await victim.visit()).toBeUndefined();
  });

  it('does so although the planter never comes again, and only stays in the connection that told him the new id', async () => {
    expect(await planter.stay()).toBe('joe');
    tracker.delivered(planter.answer ?? cookieRecord(PLANTED));
    await turn();
    now += 2 * MINUTE;
    expect(await victim.visit()).toBeUndefined();
    expect(planter.ended).toEqual(['wamp.close.logout']);
  });

  it('does so when the planter goes on with an answer that was taken for lost', async () => {
    expect(await planter.stay()).toBe('joe');
    now += 2 * MINUTE;
    expect(await victim.visit()).toBe('joe');
    tracker.delivered(planter.answer ?? cookieRecord(PLANTED));
    await turn();
    expect(planter.ended).toEqual(['wamp.close.logout']);
    expect(await victim.visit()).toBeUndefined();
  });

  it('takes nobody for a thief because the clock was set back', async () => {
    await victim.visit();
    await victim.visit();
    now -= 60 * MINUTE;
    expect(await planter.visit()).toBeUndefined();
    expect(await victim.visit()).toBe('joe');
    expect(recorded.warnings()).toEqual([]);
  });

  it('says so once a minute, whatever the number of cookies', async () => {
    for (let n = 10; n < 20; n += 1) {
      await store.create(cookieRecord(cookieId(n)));
      await liveCookies.setLogin(cookieId(n), JOE);
      const [one, other] = [new DealerSession(cookieId(n)), new DealerSession(cookieId(n))];
      await one.visit();
      await one.visit();
      now += 2 * MINUTE;
      expect(await other.visit()).toBeUndefined();
    }
    expect(recorded.warnings()).toMatchObject([{ msg: REUSED }]);
    liveCookies.close();
    expect(recorded.warnings()).toMatchObject([{ msg: REUSED }, { msg: REUSED, omitted: 8 }]);
  });

  it('is found out however many logins ago it was replaced, up to sixteen', async () => {
    await victim.visit();
    for (let login = 1; login < 16; login += 1) {
      await victim.visit();
      await liveCookies.setLogin(victim.cookie, { ...JOE, authid: `joe${login}` });
      await victim.visit();
    }
    await victim.visit();
    now += 60 * MINUTE;
    expect(await planter.visit()).toBeUndefined();
    expect(await victim.visit()).toBeUndefined();
  });
});

describe('a browser that never got its new id', () => {
  it('is moved on when it comes back after the grace, with another one', async () => {
    const browser = new DealerSession(PLANTED);
    await browser.visit(false);
    start();
    now += 60 * MINUTE;
    expect(await browser.visit()).toBe('joe');
    expect(browser.cookie).not.toBe(PLANTED);
    expect(await browser.visit()).toBe('joe');
    expect(recorded.warnings()).toEqual([]);
  });

  it('is moved on again and again, but not for ever', async () => {
    const browser = new DealerSession(PLANTED);
    let visits = 0;
    while ((await browser.visit(false)) === 'joe') {
      visits += 1;
      now += 2 * MINUTE;
    }
    expect(visits).toBe(17);
    expect(recorded.warnings()).toEqual([]);
  });

  it('comes with all its tabs at once: one gets the new id, all are let in', async () => {
    await new DealerSession(PLANTED).visit(false);
    now += 2 * MINUTE;
    const tabs = Array.from({ length: 10 }, () => new DealerSession(PLANTED));
    expect(new Set(await Promise.all(tabs.map((tab) => tab.visit())))).toEqual(new Set(['joe']));
    const moved = tabs.filter(({ cookie }) => cookie !== PLANTED);
    expect(moved).toHaveLength(1);
    now += 2 * MINUTE;
    expect(await moved[0]?.visit()).toBe('joe');
    expect(recorded.warnings()).toEqual([]);
  });
});

describe('a replaced id', () => {
  it('does no harm beside the one of now: one browser has both, for two paths maybe', async () => {
    const browser = new DealerSession(PLANTED);
    await browser.visit();
    await browser.visit();
    now += 2 * MINUTE;
    const current = browser.cookie;
    for (const both of [`${PLANTED}; cbtid=${current}`, `${current}; cbtid=${PLANTED}`]) {
      browser.cookie = both;
      expect(await browser.visit()).toBe('joe');
      expect(browser.cookie).toBe(both);
    }
    expect(recorded.warnings()).toEqual([]);
  });

  it('does no harm where nobody is logged in any more', async () => {
    const [browser, other] = [new DealerSession(PLANTED), new DealerSession(PLANTED)];
    await browser.visit();
    await browser.visit();
    await liveCookies.setLogin(browser.cookie, null);
    now += 2 * MINUTE;
    const before = browser.cookie;
    expect(await other.visit()).toBeUndefined();
    await browser.visit();
    expect(browser.cookie).toBe(before);
    expect(recorded.warnings()).toEqual([]);
  });
});

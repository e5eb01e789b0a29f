/** Logins, logouts and new ids of cookies, with sessions that only note what happens to them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { CookieStoreError } from '../../../../src/cookie/error.js';
import { isForward } from '../../../../src/cookie/store.js';
import type { CookieEntry, CookieRecord, CookieStore } from '../../../../src/cookie/store.js';
import type { LiveCookie, LiveSession } from '../../../../src/cookie/live/live-cookie.js';
import { LiveCookies } from '../../../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../../../src/cookie/rules.js';
import type { CookieRules } from '../../../../src/cookie/rules.js';
import { cookieId, cookieRecord, CREATED, JOE, recordingLog, recordOf } from '../../../support/cookie-store.js';

const [ID, NEW_ID] = [cookieId(1), cookieId(2)];
const MARY = { ...JOE, authid: 'mary' };
const MINUTE = 60_000;

class NotedSession implements LiveSession {
  readonly ended: string[] = [];
  readonly id: number;
  readonly #liveCookie: LiveCookie;

  constructor(id: number, liveCookie: LiveCookie) {
    this.id = id;
    this.#liveCookie = liveCookie;
    liveCookie.joined(this);
  }

  dismiss(reason: string): void {
    this.ended.push(reason);
    this.#liveCookie.parted(this);
  }
}

/** A memory store of which single calls can be made to wait or to fail. */
class ObstinateStore extends MemoryCookieStore {
  failure: CookieStoreError | undefined;
  gate: Promise<void> = Promise.resolve();
  deletions = 0;

  /** What somebody else does just before a deletion. */
  intrude: (() => Promise<unknown>) | undefined;

  override async delete(cbtid: string): Promise<CookieEntry | undefined> {
    this.deletions += 1;
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const { intrude } = this;
    this.intrude = undefined;
    await intrude?.();
    return super.delete(cbtid);
  }

  override async rotate(cbtid: string, successor: string, rotated: string): Promise<CookieRecord> {
    await this.gate;
    return super.rotate(cbtid, successor, rotated);
  }

  override async update(...args: Parameters<CookieStore['update']>): Promise<CookieRecord> {
    await this.gate;
    return super.update(...args);
  }

  /** Everything waits until the returned function is called. */
  hold(): () => void {
    let open = (): void => undefined;
    this.gate = new Promise<void>((resolve) => (open = resolve));
    return open;
  }
}

describe('LiveCookies', () => {
  let now: number;
  let store: ObstinateStore;
  let liveCookies: LiveCookies;
  let recorded: ReturnType<typeof recordingLog>;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    now = Date.parse(CREATED);
    store = new ObstinateStore();
    recorded = recordingLog();
    ruledBy({});
    await store.create(cookieRecord(ID));
  });
  afterEach(() => {
    liveCookies.close();
    vi.useRealTimers();
  });

  /** A node with other rules, on the same store. */
  function ruledBy(rules: Partial<CookieRules>): void {
    liveCookies = new LiveCookies({ store, rules: { ...LENIENT, ...rules }, clock: () => now, log: recorded.log });
  }

  function enter(cbtid = ID): LiveCookie {
    return liveCookies.enter(cookieRecord(cbtid), { authid: cbtid, isCookieId: true });
  }

  function session(liveCookie: LiveCookie, id = 1): NotedSession {
    return new NotedSession(id, liveCookie);
  }

  it('is nobody whose id leads in a circle of replaced ones, and holds nobody up', async () => {
    const circle = new Map([
      [ID, { cbtid: ID, moved_to: NEW_ID, moved: CREATED }],
      [NEW_ID, { cbtid: NEW_ID, moved_to: ID, moved: CREATED }],
    ]);
    store.get = (cbtid) => Promise.resolve(circle.get(cbtid));
    expect(await liveCookies.recognise(ID, MINUTE)).toBeUndefined();
    expect(await liveCookies.setLogin(ID, JOE)).toBe(false);
    expect(await liveCookies.logOut(ID)).toBe(false);
  });

  it('is one visitor for all connections of a cookie, until the last is closed', () => {
    const [one, two] = [enter(), enter()];
    expect(one).toBe(two);
    one.left();
    expect(liveCookies.size).toBe(1);
    two.left();
    expect(liveCookies.size).toBe(0);
    expect(enter()).not.toBe(one);
  });

  describe('a login', () => {
    it('is read from the store, not from what the connection saw', async () => {
      const [one, two] = [enter(), enter()];
      expect(await two.login()).toBeUndefined();
      expect(await one.remember(JOE)).toBe(true);
      expect(await two.login()).toEqual(JOE);
      await two.remember(MARY);
      expect(await one.login()).toEqual(MARY);
      await one.forgetLogin();
      expect(await two.login()).toBeUndefined();
      expect(await liveCookies.find(ID)).toBeDefined();
    });

    it('is not remembered for a cookie that is gone', async () => {
      const liveCookie = enter();
      await store.delete(ID);
      expect(await liveCookie.remember(JOE)).toBe(false);
    });

    it('rejects when the store fails', async () => {
      vi.spyOn(store, 'update').mockRejectedValue(new CookieStoreError('disk full'));
      await expect(enter().remember(JOE)).rejects.toBeInstanceOf(CookieStoreError);
    });

    it('is gone when the cookie has expired, however long the connection has been there', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      now += 604_800_000;
      expect(await liveCookie.login()).toBeUndefined();
      expect(await liveCookie.remember(JOE)).toBe(false);
    });
  });

  describe('a connection that holds an id that was replaced', () => {
    it('attaches no login to the cookie of now, nor takes its login away', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE, ID);
      expect(await liveCookies.rotate(ID, NEW_ID)).toBeDefined();
      expect(await liveCookie.remember(MARY, ID)).toBe('outdated');
      expect(await liveCookie.forgetLogin(ID)).toBe('outdated');
      expect(await recordOf(store, NEW_ID)).toMatchObject({ auth: JOE });
      expect(await liveCookie.remember(MARY, NEW_ID)).toBe(true);
      expect(await recordOf(store, NEW_ID)).toMatchObject({ auth: MARY });
    });

    it('is nobody once no store knows its id any more', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE, ID);
      await liveCookies.rotate(ID, NEW_ID);
      await store.delete(ID);
      expect(await liveCookie.login(ID)).toBeUndefined();
      expect(await liveCookie.remember(MARY, ID)).toBe(false);
      expect(await liveCookie.login(NEW_ID)).toEqual(JOE);
    });

    it('is asked for its login with one look into the store', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const get = vi.spyOn(store, 'get');
      expect(await liveCookie.login(ID)).toEqual(JOE);
      await liveCookies.rotate(ID, NEW_ID);
      get.mockClear();
      expect(await liveCookie.login(ID)).toBe('outdated');
      expect(get).toHaveBeenCalledTimes(1);
    });
  });

  it('says which note failed when an answer with a new cookie has arrived', async () => {
    const made = cookieRecord(cookieId(3), { returned: false });
    await liveCookies.create(made);
    vi.spyOn(store, 'update').mockRejectedValue(new CookieStoreError('disk full'));
    liveCookies.delivered(made);
    await vi.waitFor(() =>
      expect(recorded.warnings()).toMatchObject([{ msg: 'it cannot be noted that new cookies have arrived' }]),
    );
  });

  it('takes over what it does not know, and undoes no logout', async () => {
    expect(await liveCookies.adopt(cookieRecord(ID, { auth: JOE, modified: CREATED }))).toBe(false);
    expect(await recordOf(store, ID)).toEqual(cookieRecord(ID));
    expect(await liveCookies.adopt(cookieRecord(NEW_ID))).toBe(true);
    expect(await recordOf(store, NEW_ID)).toEqual(cookieRecord(NEW_ID));
    vi.spyOn(store, 'create').mockRejectedValue(new CookieStoreError('cannot', { cause: new Error('disk full') }));
    await expect(liveCookies.adopt(cookieRecord(cookieId(3)))).rejects.toThrow('cannot');
  });

  describe('a logout', () => {
    it('forgets the cookie and ends all sessions but the one that asks', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const [own, other] = [session(liveCookie, 1), session(enter(), 2)];
      await liveCookie.logOut(own);
      expect(own.ended).toEqual([]);
      expect(other.ended).toEqual(['wamp.close.logout']);
      expect(await store.get(ID)).toBeUndefined();
      expect(await liveCookie.login()).toBeUndefined();
    });

    it('holds at once, before the store has it', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const other = session(enter());
      const open = store.hold();
      const done = liveCookie.logOut();
      expect(other.ended).toEqual(['wamp.close.logout']);
      expect(liveCookie.isLoggedOut).toBe(true);
      expect(await liveCookies.find(ID)).toBeUndefined();
      expect(await liveCookies.recognise(ID, MINUTE)).toBeUndefined();
      open();
      await done;
    });

    it('holds although the store fails, is told, and is tried again', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const other = session(liveCookie);
      store.failure = new CookieStoreError('disk full');
      await expect(liveCookie.logOut()).rejects.toBeInstanceOf(CookieStoreError);
      expect(other.ended).toEqual(['wamp.close.logout']);
      expect(await liveCookies.find(ID)).toBeUndefined();
      expect(await liveCookies.list()).toEqual([]);
      expect(await recordOf(store, ID)).toBeDefined();
      await vi.advanceTimersByTimeAsync(5000);
      expect(store.deletions).toBe(2);
      store.failure = undefined;
      await vi.advanceTimersByTimeAsync(5000);
      expect(await recordOf(store, ID)).toBeUndefined();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(store.deletions).toBe(3);
      expect(recorded.entries.map(({ msg }) => msg)).toEqual([
        'logout could not be stored; it holds until the node stops',
        'logout stored after all',
      ]);
      expect(JSON.stringify(recorded.entries)).not.toContain(ID);
    });

    it('reaches the id that another process put in the place of this one at the last moment', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      store.intrude = () => store.rotate(ID, NEW_ID, CREATED);
      await liveCookie.logOut();
      expect(await store.list()).toEqual([]);
      expect(await store.get(ID)).toBeUndefined();
    });

    it('reaches such an id also when it is stored later', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      store.failure = new CookieStoreError('disk full');
      await expect(liveCookie.logOut()).rejects.toBeInstanceOf(CookieStoreError);
      store.failure = undefined;
      store.intrude = () => store.rotate(ID, NEW_ID, CREATED);
      await vi.advanceTimersByTimeAsync(5000);
      expect(await store.list()).toEqual([]);
      expect(await liveCookies.find(NEW_ID)).toBeUndefined();
    });

    it('wins over a login that is being stored', async () => {
      const liveCookie = enter();
      const open = store.hold();
      const login = liveCookie.remember(JOE);
      const logout = liveCookie.logOut();
      open();
      await Promise.all([login, logout]);
      expect(await store.get(ID)).toBeUndefined();
      expect(liveCookie.isLoggedOut).toBe(true);
    });

    it('of a cookie without anybody is a logout all the same', async () => {
      expect(await liveCookies.logOut(ID)).toBe(true);
      expect(await liveCookies.logOut(ID)).toBe(false);
      expect(await liveCookies.logOut(cookieId(9))).toBe(false);
    });
  });

  describe('a new id', () => {
    it('comes once after a login, and only then', async () => {
      expect(await liveCookies.rotate(ID, NEW_ID)).toBeUndefined();
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      expect(await liveCookies.rotate(ID, NEW_ID)).toMatchObject({ cbtid: NEW_ID, auth: JOE });
      expect(await liveCookies.rotate(NEW_ID, cookieId(3))).toBeUndefined();
      expect(await liveCookies.rotate(ID, cookieId(3))).toBeUndefined();
      // In the same millisecond: a login is later than the id under which it happens.
      await liveCookie.remember(MARY);
      expect(await liveCookies.rotate(NEW_ID, cookieId(3))).toMatchObject({ auth: MARY });
    });

    it('comes once to many who ask at once', async () => {
      await liveCookies.setLogin(ID, JOE);
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => liveCookies.rotate(ID, cookieId(n + 10))));
      expect(all.filter((record) => record !== undefined)).toHaveLength(1);
      expect(await liveCookies.list()).toHaveLength(1);
    });

    it('keeps the sessions together: a logout under one id ends those of the other', async () => {
      const before = enter();
      await before.remember(JOE);
      const old = session(before, 1);
      await liveCookies.rotate(ID, NEW_ID);
      expect(before.cbtid).toBe(NEW_ID);
      const after = enter(NEW_ID);
      expect(after).toBe(before);
      await after.logOut();
      expect(old.ended).toEqual(['wamp.close.logout']);
      expect(await liveCookies.find(NEW_ID)).toBeUndefined();
      expect(await liveCookies.find(ID)).toBeUndefined();
    });

    it('is that of a connection whose cookie was looked up just before', async () => {
      const before = enter();
      await before.remember(JOE);
      await liveCookies.rotate(ID, NEW_ID);
      expect(enter(ID)).toBe(before);
      before.left();
      before.left();
      expect(enter(ID).cbtid).toBe(NEW_ID);
    });

    it('lets the old one work for the grace, and then knows it for one that was replaced', async () => {
      await liveCookies.setLogin(ID, JOE);
      await liveCookies.rotate(ID, NEW_ID);
      now += MINUTE - 1;
      expect(await liveCookies.recognise(ID, MINUTE)).toMatchObject({
        record: { cbtid: NEW_ID },
        standing: 'replaced',
      });
      now += 2;
      expect(await liveCookies.recognise(ID, MINUTE)).toMatchObject({ standing: 'lost' });
      const successor = await liveCookies.recognise(NEW_ID, MINUTE);
      expect(successor).toMatchObject({ standing: 'current', record: { returned: false } });
      if (successor !== undefined) await liveCookies.noteReturn(successor.record);
      expect(await liveCookies.recognise(ID, MINUTE)).toMatchObject({ standing: 'reused' });
      expect(await liveCookies.moveOn(NEW_ID, cookieId(3))).toBeUndefined();
    });

    it('tells at once who else has the old one, though the store cannot note that it has come', async () => {
      await liveCookies.setLogin(ID, JOE);
      await liveCookies.rotate(ID, NEW_ID);
      const update = vi.spyOn(store, 'update').mockRejectedValue(new CookieStoreError('disk full'));
      await liveCookies.noteReturn(cookieRecord(NEW_ID, { rotated: CREATED, returned: false }));
      now += 2 * MINUTE;
      expect(await liveCookies.recognise(ID, MINUTE)).toMatchObject({ standing: 'reused' });
      expect(recorded.warnings()).toMatchObject([{ msg: 'uses of cookies cannot be noted' }]);
      update.mockRestore();
      await liveCookies.noteReturn(cookieRecord(NEW_ID, { rotated: CREATED, returned: false }));
      expect(await recordOf(store, NEW_ID)).toMatchObject({ returned: true });
    });

    it('does not let the old one work when the clock has jumped', async () => {
      await liveCookies.setLogin(ID, JOE);
      await liveCookies.rotate(ID, NEW_ID);
      now -= 60 * MINUTE;
      expect(await liveCookies.recognise(ID, MINUTE)).toMatchObject({ standing: 'over' });
      expect(await liveCookies.recognise(NEW_ID, MINUTE)).toMatchObject({ standing: 'current' });
    });

    it('does not outlive a logout that came while it was given', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const open = store.hold();
      const rotation = liveCookies.rotate(ID, NEW_ID);
      await vi.advanceTimersByTimeAsync(0);
      const logout = liveCookie.logOut();
      open();
      expect((await rotation)?.cbtid).toBe(NEW_ID);
      await logout;
      expect(await store.get(NEW_ID)).toBeUndefined();
      expect(await store.get(ID)).toBeUndefined();
      expect(await enter(NEW_ID).login()).toBeUndefined();
    });

    it('is not given behind a logout', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const open = store.hold();
      const logout = liveCookie.logOut();
      const rotation = liveCookies.rotate(ID, NEW_ID);
      open();
      await logout;
      expect(await rotation).toBeUndefined();
      expect(await store.get(NEW_ID)).toBeUndefined();
    });

    it('gets the login that is being stored meanwhile', async () => {
      const liveCookie = enter();
      await liveCookie.remember(JOE);
      const open = store.hold();
      const rotation = liveCookies.rotate(ID, NEW_ID);
      const login = liveCookie.remember(MARY);
      open();
      expect([(await rotation)?.cbtid, await login]).toEqual([NEW_ID, true]);
      expect(await recordOf(store, NEW_ID)).toMatchObject({ auth: MARY });
    });
  });

  describe('use', () => {
    const seen = async (cbtid = ID): Promise<string | null | undefined> => (await recordOf(store, cbtid))?.seen;

    it('is noted nowhere where nobody asks for it', async () => {
      enter().left();
      await vi.advanceTimersByTimeAsync(86_400_000);
      expect(await seen()).toBeNull();
    });

    it('is noted while a connection is open and when it is closed, but not at every visit', async () => {
      ruledBy({ idleMs: 100 * MINUTE, sliding: false, closeExpired: false });
      const liveCookie = enter();
      now += 9 * MINUTE;
      await vi.advanceTimersByTimeAsync(9 * MINUTE);
      expect(await seen()).toBeNull();
      now += MINUTE;
      await vi.advanceTimersByTimeAsync(MINUTE);
      const first = new Date(now).toISOString();
      expect(await seen()).toBe(first);
      now += 9 * MINUTE;
      liveCookie.left();
      await vi.advanceTimersByTimeAsync(0);
      expect(await seen()).toBe(first);
      now += MINUTE;
      enter().left();
      await vi.advanceTimersByTimeAsync(0);
      expect(await seen()).toBe(new Date(now).toISOString());
      expect(vi.getTimerCount()).toBe(0);
    });

    it('keeps a cookie from expiring as long as a connection is open', async () => {
      ruledBy({ idleMs: 10 * MINUTE, sliding: false, closeExpired: true });
      const liveCookie = enter();
      const live = session(liveCookie);
      for (let minute = 0; minute < 60; minute += 1) {
        now += MINUTE;
        await vi.advanceTimersByTimeAsync(MINUTE);
      }
      expect(live.ended).toEqual([]);
      liveCookie.parted(live);
      liveCookie.left();
      await vi.advanceTimersByTimeAsync(0);
      now += 10 * MINUTE - 1;
      expect(await liveCookies.find(ID)).toBeDefined();
      now += 1;
      expect(await liveCookies.find(ID)).toBeUndefined();
    });

    it('survives a failing store', async () => {
      ruledBy({ idleMs: MINUTE, sliding: false, closeExpired: false });
      vi.spyOn(store, 'update').mockRejectedValue(new CookieStoreError('disk full'));
      enter();
      now += MINUTE;
      await vi.advanceTimersByTimeAsync(MINUTE);
      expect(recorded.warnings()).toMatchObject([{ msg: 'uses of cookies cannot be noted' }]);
    });
  });

  describe('the end of a cookie', () => {
    const WEEK = 604_800_000;

    it('leaves sessions alone, unless the config says otherwise', async () => {
      const live = session(enter());
      now += WEEK;
      await vi.advanceTimersByTimeAsync(WEEK);
      expect(live.ended).toEqual([]);
    });

    it('ends its sessions where the config says so', async () => {
      ruledBy({ sliding: false, closeExpired: true });
      const live = session(enter());
      now += WEEK - 1;
      await vi.advanceTimersByTimeAsync(WEEK - 1);
      expect(live.ended).toEqual([]);
      now += 1;
      await vi.advanceTimersByTimeAsync(1);
      expect(live.ended).toEqual(['crossbar.close.cookie_expired']);
    });

    it('does not come early because the timer fires while the clock was set back', async () => {
      ruledBy({ sliding: false, closeExpired: true });
      const live = session(enter());
      now += WEEK - 60 * MINUTE;
      await vi.advanceTimersByTimeAsync(WEEK);
      expect(live.ended).toEqual([]);
      now += 60 * MINUTE;
      await vi.advanceTimersByTimeAsync(60 * MINUTE);
      expect(live.ended).toEqual(['crossbar.close.cookie_expired']);
    });

    it('is put off by visits where it slides', async () => {
      ruledBy({ idleMs: Infinity, sliding: true, closeExpired: false });
      for (let week = 0; week < 10; week += 1) {
        now += WEEK - MINUTE;
        expect(await liveCookies.find(ID)).toBeDefined();
        liveCookies.noteUse(ID);
        await vi.advanceTimersByTimeAsync(0);
      }
      now += WEEK;
      expect(await liveCookies.find(ID)).toBeUndefined();
    });
  });

  it('lists what can come back', async () => {
    await store.create(cookieRecord(cookieId(7), { max_age: 60 }));
    await liveCookies.setLogin(ID, JOE);
    await liveCookies.rotate(ID, NEW_ID);
    expect((await liveCookies.list()).map(({ cbtid }) => cbtid).sort()).toEqual([NEW_ID, cookieId(7)].sort());
    now += MINUTE;
    expect((await liveCookies.list()).map(({ cbtid }) => cbtid)).toEqual([NEW_ID]);
    const entry = await store.get(ID);
    expect(entry !== undefined && isForward(entry)).toBe(true);
  });
});

/** What every store of web sessions promises. A new one passes this suite, see `test/integration/session-stores.test.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PresentedSession } from '../../src/auth/session/express-cookie.js';
import { StoreUnavailable } from '../../src/auth/session/store.js';
import type { SessionStore, StoreDeps } from '../../src/auth/session/store.js';
import type { SessionStoreConfig } from '../../src/auth/session/store-schema.js';
import { createSessionStore } from '../../src/auth/session/stores.js';
import { afterLong } from '../../src/auth/lease.js';
import { systemScheduler } from '../../src/worker/scheduler.js';
import { NOBODY_TO_ASK } from '../support/client.js';
import { recordingLog } from '../support/cookie-store.js';

/** The web application behind a store. */
export interface WebSessions {
  readonly config: SessionStoreConfig;
  /** The same for a place where nobody is. */
  readonly absent: SessionStoreConfig;
  /** Where the store asks by WAMP. */
  readonly call?: StoreDeps['call'];
  /** Writes a session, as the web application does. @param ttlMs how long it lasts. */
  put(sid: string, session: object, ttlMs?: number): Promise<void>;
  /** Writes something else. */
  putText(sid: string, text: string): Promise<unknown>;
  remove(sid: string): Promise<unknown>;
  stop(): Promise<void>;
}

export interface SessionStoreSubject {
  readonly name: string;
  /** It tells of changes by itself. */
  readonly tells: boolean;
  /** It tells when a session expires. */
  readonly knowsExpiry: boolean;
  /** Whoever is asked knows what has expired, and is not doubted. */
  readonly trusts?: boolean;
  /** The absence of the store is told the log by the store itself. */
  readonly logsAbsence: boolean;
  readonly start: () => Promise<WebSessions>;
}

const of = (sid: string): PresentedSession => ({ sid, cookie: `connect.sid=${encodeURIComponent(sid)}` });

/** News that a store told, to be waited for. */
class News {
  readonly told = new Set<string>();
  #waiting: (() => void)[] = [];

  readonly changed = (sid: string): void => {
    this.told.add(sid);
    for (const proceed of this.#waiting.splice(0)) proceed();
  };

  readonly allChanged = (): void => this.changed('*');

  async of(sid: string): Promise<void> {
    while (!this.told.has(sid)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.told.delete(sid);
  }
}

export function sessionStoreContract({
  name,
  tells,
  knowsExpiry,
  trusts = false,
  logsAbsence,
  start,
}: SessionStoreSubject): void {
  describe(`session store ${name}`, () => {
    const news = new News();
    const { log, entries, warnings } = recordingLog();
    let web: WebSessions;
    let store: SessionStore;
    const depsOf = (): StoreDeps => ({
      log,
      clock: Date.now,
      after: (ms, callback) => afterLong(systemScheduler, ms, callback),
      call: web.call ?? NOBODY_TO_ASK.call,
      load: NOBODY_TO_ASK.load,
      listener: news,
    });
    beforeAll(async () => {
      web = await start();
      store = await createSessionStore(web.config, depsOf());
    });
    afterAll(async () => {
      await store.stop();
      await web.stop();
    });

    it('reads a session as it was written', async () => {
      const cookie = { originalMaxAge: 60_000, httpOnly: true, path: '/' };
      await web.put('one', { cookie, user: { id: 42, name: 'Jöe' } }, 60_000);
      const before = Date.now();
      const stored = await store.read(of('one'));
      expect(stored?.user).toMatchObject({ cookie: { originalMaxAge: 60_000 }, user: { id: 42, name: 'Jöe' } });
      if (!knowsExpiry) return;
      expect(stored?.expiresMs).toBeGreaterThan(before + 50_000);
      expect(stored?.expiresMs).toBeLessThanOrEqual(Date.now() + 60_000);
    });

    it('knows nothing of one that is not there, whatever it is called', async () => {
      for (const sid of ['none', '../one', 'one/../one', '\0', ' ', 'one.json', 'ö'.repeat(200)]) {
        expect(await store.read(of(sid)), sid).toBeUndefined();
      }
    });

    it.each([
      ['no JSON', 'user=joe'],
      ['a part of JSON', '{"user":'],
      ['no object', '"joe"'],
      ['a list', '[{"user":{"id":42}}]'],
      ['larger than a session is', JSON.stringify({ user: 'joe', basket: 'x'.repeat(65_536) })],
    ])('makes nothing of what is %s', async (_what, text) => {
      await web.putText('odd', text);
      const stored = await store.read(of('odd')).catch((error: unknown) => error);
      // Where a text that is no JSON cannot be of a session at all, nobody is let in either.
      expect(stored === undefined || stored instanceof StoreUnavailable).toBe(true);
      await web.remove('odd');
    });

    it('knows when a session is over that its cookie says is over', async () => {
      const expires = new Date(Date.now() - 1000).toISOString();
      await web.put('old', { cookie: { originalMaxAge: null, expires }, user: 'joe', __lastAccess: 1 });
      expect((await store.read(of('old'))) === undefined).toBe(!trusts);
      await web.remove('old');
    });

    if (tells)
      it('tells of changes and ends of what was read', async () => {
        for (const change of [
          () => web.put('told', { user: 'mary' }, 60_000),
          () => web.put('told', { user: 'mary' }, 90_000),
          () => web.remove('told'),
        ]) {
          await store.read(of('told'));
          news.told.delete('told');
          await change();
          await news.of('told');
        }
        expect(await store.read(of('told'))).toBeUndefined();
      });

    it('says that it is not available, and once why', async () => {
      const other = await createSessionStore(web.absent, depsOf());
      const before = warnings().length;
      await expect(other.read(of('one'))).rejects.toThrow(StoreUnavailable);
      await expect(other.read(of('one'))).rejects.toThrow(StoreUnavailable);
      if (logsAbsence) {
        expect(warnings().slice(before)).toMatchObject([
          { msg: 'session store is not available, its users are refused' },
        ]);
      }
      await other.stop();
      await other.stop();
    });

    it('told the log no id and nothing of what is in a session', () => {
      expect(JSON.stringify(entries)).not.toMatch(/mary|joe|told|basket/);
    });
  });
}

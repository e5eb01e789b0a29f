/**
 * The cookies of one store as the rest of the node sees them: which are known, which have a login, which have sessions here.
 * It joins the records, which outlive the process, to the sessions of `live-cookie.ts`, which do not. There is one `LiveCookies`
 * for each store, and every change of a cookie goes through it.
 *
 * The store always decides: a login is read from it when a client asks to be let in, never from what a connection saw when
 * it was opened. Changes of one cookie happen one after the other (`cookie-queue.ts`).
 */
import { CloseUri } from '../../wamp/error.js';
import { shortId } from '../../log/logger.js';
import { RepeatedLog } from '../../log/repeated.js';
import { expiryOf, isExpired, noteEveryMs } from '../expiry.js';
import { ageOf, followed, isRotationDue, RecentRotations, timeAfter } from '../rotation.js';
import { CookieStoreError } from '../error.js';
import { inSlices } from '../slices.js';
import { isForward } from '../store.js';
import { CookieNotes } from './notes.js';
import { CookieQueue } from './cookie-queue.js';
import { tellExposed } from './exposure.js';
import { PendingLogouts } from './pending-logouts.js';
import { StoreHealth } from './store-health.js';
import { Unreturned } from './unreturned.js';
import { LiveCookie } from './live-cookie.js';
import type { Logger } from '../../log/logger.js';
import type { CookieRules } from '../rules.js';
import type { Recognised } from '../rotation.js';
import type { Compaction, CookieAuth, CookieEntry, CookieRecord, CookieStore } from '../store.js';
import type { LoginFault, LoginVoucher } from '../store.js';
import type { LiveCookieName, LiveSession } from './live-cookie.js';

/** What the live cookies of a store are made with. */
export interface LiveCookiesDeps {
  /** Must be open. */
  readonly store: CookieStore;
  readonly rules: CookieRules;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
}

const DELIVERY_NOT_NOTED = 'it cannot be noted that new cookies have arrived';

/** The one road to a cookie store: which cookies are known, have a login, have open connections. */
export class LiveCookies {
  readonly rules: CookieRules;
  readonly #store: CookieStore;
  readonly #clock: () => number;
  readonly #log: Logger;
  // cookie id -> the cookie, as long as a connection is open
  readonly #here = new Map<string, LiveCookie>();
  readonly #rotations = new RecentRotations();
  readonly #queue: CookieQueue;
  readonly #health: StoreHealth;
  readonly #logouts: PendingLogouts;
  readonly #repeated: RepeatedLog;
  readonly #unreturned: Unreturned;
  readonly #notes: CookieNotes;
  readonly #vouchers = new Set<LoginVoucher>();
  readonly #endWatch: (() => void) | undefined;

  constructor({ store, rules, clock, log }: LiveCookiesDeps) {
    this.rules = rules;
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#queue = new CookieQueue(store);
    this.#health = new StoreHealth(store, clock);
    this.#repeated = new RepeatedLog(log);
    const endHere = (id: string, except?: LiveSession): void => this.#endHere(id, except);
    this.#logouts = new PendingLogouts({ store, queue: this.#queue, clock, log, endHere });
    const isHere = (cbtid: string): boolean => this.#here.has(cbtid);
    this.#unreturned = new Unreturned({ store, max: rules.maxUnreturned, log: this.#repeated, isHere });
    this.#notes = new CookieNotes({ store, queue: this.#queue, rules, clock, log: this.#repeated });
    this.#endWatch = store.watch?.(
      (among) => (among === undefined ? [...this.#here.keys()] : among.filter(isHere)),
      // The sessions of one that is logged out already are new: the cookie has nothing to do with them.
      (cbtid) => this.#here.get(cbtid)?.isLoggedOut === false && this.#endHere(cbtid),
    );
  }

  /** How many cookies have an open connection. */
  get size(): number {
    return this.#here.size;
  }

  /** Whether new cookies cannot be stored, as far as is known (`store-health.ts`). */
  get isFailing(): boolean {
    return this.#health.isFailing;
  }

  /**
   * Stores a new cookie, also one with a login. Resolves when that is durable.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async create(record: CookieRecord): Promise<void> {
    await this.#health.create(record);
    if (record.auth === null) this.#unreturned.add(record.cbtid);
  }

  /** From now on `voucher` is asked about logins with a source. @returns a function that ends it. */
  vouch(voucher: LoginVoucher): () => void {
    this.#vouchers.add(voucher);
    return () => this.#vouchers.delete(voucher);
  }

  /** @returns what is wrong with a login that has a source; `no such method` when nobody vouches for it. */
  faultOf(login: CookieAuth): LoginFault | undefined {
    let fault: LoginFault | undefined = 'no such method';
    for (const voucher of this.#vouchers) {
      const found = voucher.faultOf(login);
      if (found === undefined) return undefined;
      if (found !== 'no such method') fault = found;
    }
    return fault;
  }

  /**
   * Imports a cookie of another store, unless its id is, or ever was, known here: no logout is undone.
   * @returns whether it was new.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async adopt(record: CookieRecord): Promise<boolean> {
    if ((await this.#store.get(record.cbtid)) !== undefined) return false;
    try {
      await this.#store.create(record);
      return true;
    } catch (error) {
      // An error without a cause: the store works, and the id is taken.
      if (error instanceof CookieStoreError && error.cause === undefined) return false;
      throw error;
    }
  }

  /** A connection was opened under a cookie. When it closes, {@link LiveCookie.left} must be called. */
  enter(record: CookieRecord, name: LiveCookieName): LiveCookie {
    const cbtid = this.#rotations.latest(record.cbtid);
    let liveCookie = this.#here.get(cbtid);
    if (liveCookie === undefined) {
      liveCookie = new LiveCookie(this, cbtid, name);
      this.#here.set(cbtid, liveCookie);
    }
    liveCookie.entered();
    liveCookie.lookAgain(this.#nextLookMs(record));
    return liveCookie;
  }

  /** The last connection under a cookie was closed. */
  forget(liveCookie: LiveCookie): void {
    if (this.#here.get(liveCookie.cbtid) === liveCookie) this.#here.delete(liveCookie.cbtid);
    if (!liveCookie.isLoggedOut) this.noteUse(liveCookie.cbtid);
  }

  /** @returns the sessions here that live under a cookie. */
  sessionsOf(cbtid: string): readonly LiveSession[] {
    return this.#here.get(cbtid)?.sessions ?? [];
  }

  /** @returns every cookie that is neither expired nor logged out. Others have their turn meanwhile. */
  async list(): Promise<readonly CookieRecord[]> {
    const alive: CookieRecord[] = [];
    await inSlices(await this.#store.list(), (record) => {
      if (this.#isAlive(record)) alive.push(record);
    });
    return alive;
  }

  /** @returns when a cookie expires, in milliseconds since 1970, if nobody uses it until then. */
  expiryOf(record: CookieRecord): number {
    const now = this.#clock();
    const seen = this.#here.has(record.cbtid) ? new Date(now).toISOString() : record.seen;
    return expiryOf({ ...record, seen }, now, this.rules);
  }

  /** @returns the record behind an id, whatever id the cookie has by now; undefined when it is unknown or expired. */
  async find(cbtid: string): Promise<CookieRecord | undefined> {
    return (await this.recognise(cbtid, Infinity))?.record;
  }

  /**
   * The login that a cookie remembers.
   * @param held the id that the asking connection holds.
   * @returns undefined without a login; `outdated` when another id has taken the place of the held one.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async loginOf(held: string): Promise<CookieAuth | 'outdated' | undefined> {
    let entry = await this.#get(held);
    // Another node may have stored the login a moment ago.
    if (entry !== undefined && !isForward(entry) && entry.auth === null) {
      entry = (await this.#store.latest?.(held)) ?? entry;
    }
    if (entry === undefined || this.#logouts.has(held)) return undefined;
    if (isForward(entry)) return 'outdated';
    if (this.#isAlive(entry)) return entry.auth ?? undefined;
    this.#discard(held);
    return undefined;
  }

  /**
   * The cookie behind an id that a request presents. An expired cookie is deleted, so that it stays expired when the clock is set
   * back. Nobody waits for that; if it fails, the next look-up tries again.
   * @param graceMs how long a replaced id still works, in milliseconds.
   * @returns undefined when no cookie is known by this id, or it has expired.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async recognise(cbtid: string, graceMs: number): Promise<Recognised | undefined> {
    const entry = await this.#get(cbtid);
    if (entry === undefined) return undefined;
    const now = this.#clock();
    const found = await followed(entry, this.#get, (forward) => ageOf(forward, now, graceMs));
    if (found === undefined || this.#isAlive(found.record)) return found;
    this.#discard(found.record.cbtid);
    return undefined;
  }

  /**
   * Stores a login with a cookie, or removes it. Resolves when that is durable.
   * @param auth null to remove the login.
   * @param held the id that the connection holds, where it is known: only the current id may change the login.
   * @returns false when the cookie is no longer known, because it was logged out; `outdated`, and nothing is changed, when
   *   another id has taken the place of the held one.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  setLogin(cbtid: string, auth: CookieAuth | null, held?: string): Promise<boolean | 'outdated'> {
    return this.#queue.take(held ?? cbtid, async (record) => {
      if (record === undefined || !this.#isAlive(record)) return false;
      if (record.auth === null && auth === null) return true;
      if (held !== undefined && record.cbtid !== held) return 'outdated';
      // The login must be later than the id, or it would not show that the cookie needs a new one (`isRotationDue`).
      const modified = timeAfter(record.rotated, this.#clock());
      await this.#store.update(record.cbtid, { auth, modified });
      this.#unreturned.remove(record.cbtid);
      return true;
    });
  }

  /**
   * Gives a cookie a new id, if it still needs one. Its sessions stay together.
   * @returns the record under its new id; undefined when another request was faster, or the cookie is gone.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  rotate(cbtid: string, successor: string): Promise<CookieRecord | undefined> {
    return this.#replace(cbtid, successor, isRotationDue, true);
  }

  /**
   * As {@link rotate}, for a browser that never got the current id.
   * @returns undefined also when a client has come with the current id meanwhile.
   */
  moveOn(cbtid: string, successor: string): Promise<CookieRecord | undefined> {
    return this.#replace(cbtid, successor, (record) => !record.returned && !this.#notes.hasReturned(cbtid), false);
  }

  #replace(
    cbtid: string,
    successor: string,
    isDue: (record: CookieRecord) => boolean,
    returned: boolean,
  ): Promise<CookieRecord | undefined> {
    return this.#queue.take(cbtid, async (record) => {
      if (record?.cbtid !== cbtid || !this.#isAlive(record) || !isDue(record)) return undefined;
      const now = this.#clock();
      const moved = await this.#store.rotate(cbtid, successor, timeAfter(record.modified, now), returned);
      this.#rotations.add(cbtid, successor, now);
      const liveCookie = this.#here.get(cbtid);
      if (liveCookie !== undefined) {
        this.#here.delete(cbtid);
        this.#here.set(successor, liveCookie);
        liveCookie.renamed(successor);
      }
      return moved;
    });
  }

  /**
   * A client came with the current id for the first time. If that id took the place of another, a client that comes with the old
   * one is a second party from now on. That must survive a crash, so it is waited for. Never rejects.
   * @param failure what the log says when the store fails.
   */
  async noteReturn(record: CookieRecord, failure?: string): Promise<void> {
    this.#unreturned.remove(record.cbtid);
    await this.#notes.noteReturn(record, failure);
  }

  /**
   * A client has read the answer that told the id of a record, which is as good as coming with it. Nobody waits.
   */
  delivered(record: CookieRecord): void {
    this.#noteDelivery(record).catch((err: unknown) => this.#repeated.say('warn', { err }, DELIVERY_NOT_NOTED));
  }

  async #noteDelivery(record: CookieRecord): Promise<void> {
    const entry = await this.#get(record.cbtid);
    // The answer was taken for lost, and another client was given the next id.
    if (entry !== undefined && isForward(entry) && entry.returned === false) {
      await this.expose(record.cbtid, (await this.find(record.cbtid)) ?? record);
    } else if (!record.returned) await this.noteReturn(record, DELIVERY_NOT_NOTED);
  }

  /**
   * Logs out a cookie that two parties have. Never rejects.
   * @param cbtid the replaced id that showed it: a client came with it.
   * @param record the record that the id leads to.
   */
  async expose(cbtid: string, record: CookieRecord): Promise<void> {
    const logs = { log: this.#log, repeated: this.#repeated };
    tellExposed(logs, cbtid, record, this.sessionsOf(record.cbtid).length);
    // A failure is logged there. The logout holds all the same, and is tried again.
    await this.logOut(record.cbtid).catch(() => false);
  }

  /**
   * Logs a browser out: deletes the cookie with its login. All sessions under it end at once, and it lets nobody in any more.
   * Resolves when that is durable.
   * @param except the session that asked for it: it ends in its own way.
   * @returns whether there was such a cookie.
   * @throws CookieStoreError (rejects) when the store fails. The logout holds all the same while the node runs, and is tried
   *   again until it is stored.
   */
  logOut(cbtid: string, except?: LiveSession): Promise<boolean> {
    return this.#logouts.logOut(cbtid, except);
  }

  /** Notes that a cookie is in use, if it is time for that. Nobody waits. */
  noteUse(cbtid: string): void {
    this.#notes.noteUse(cbtid);
  }

  /** Looks whether a cookie with an open connection has expired, and notes that it is in use. */
  look(liveCookie: LiveCookie): void {
    this.find(liveCookie.cbtid).then(
      (record) => {
        if (record !== undefined) {
          this.noteUse(record.cbtid);
          liveCookie.lookAgain(this.#nextLookMs(record));
        } else if (this.rules.closeExpired) {
          liveCookie.dismiss(CloseUri.COOKIE_EXPIRED, 'the cookie of this browser has expired');
        }
      },
      (err: unknown) => this.#log.warn({ cookieId: shortId(liveCookie.cbtid), err }, 'cookie could not be looked at'),
    );
  }

  /** Makes room in the store. @returns undefined for a store that has nothing to compact. */
  async compact(): Promise<Compaction | undefined> {
    return this.#store.compact?.();
  }

  /** Stops watching and trying, and logs what was held back. The store stays open. */
  close(): void {
    this.#endWatch?.();
    this.#logouts.close();
    this.#repeated.end();
  }

  readonly #get = async (cbtid: string): Promise<CookieEntry | undefined> => {
    const entry = await this.#store.get(cbtid);
    if (this.#logouts.has(cbtid)) return undefined;
    return entry !== undefined && this.#notes.hasReturned(cbtid) && !isForward(entry)
      ? { ...entry, returned: true }
      : entry;
  };

  /** Whether a cookie still lets a browser in. One with an open connection is in use, however long ago that was noted. */
  #isAlive(record: CookieRecord): boolean {
    if (this.#logouts.has(record.cbtid)) return false;
    const { idleMs, sliding } = this.rules;
    const isHere = this.#here.has(record.cbtid);
    return !isExpired(record, this.#clock(), { sliding, idleMs: isHere ? Infinity : idleMs });
  }

  #nextLookMs(record: CookieRecord): number {
    const { sliding, closeExpired } = this.rules;
    const now = this.#clock();
    const ends = closeExpired ? expiryOf(record, now, { sliding, idleMs: Infinity }) - now : Infinity;
    return Math.max(0, Math.min(ends, noteEveryMs(record, this.rules)));
  }

  /** Ends the sessions of a cookie that is logged out, by this process or by another one. */
  #endHere(cbtid: string, except?: LiveSession): void {
    this.#unreturned.remove(cbtid);
    const liveCookie = this.#here.get(cbtid);
    if (liveCookie === undefined) return;
    liveCookie.loggedOut();
    liveCookie.dismiss(CloseUri.LOGOUT, 'the browser was logged out', except);
  }

  #discard(cbtid: string): void {
    this.#store.delete(cbtid, this.#now(), false).catch((err: unknown) => {
      this.#log.warn({ cookieId: shortId(cbtid), err }, 'expired cookie could not be deleted');
    });
  }

  #now(): string {
    return new Date(this.#clock()).toISOString();
  }
}

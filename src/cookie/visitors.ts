/**
 * The browsers that are here: for every cookie with an open connection one `Visitor`, which knows the sessions that live
 * under the cookie. It joins records, which outlive everything, to sessions, which do not: a login is attached to the
 * cookie here, and a logout reaches all tabs. One `Visitors` per cookie store.
 *
 * The store decides, always: a login is read from it when a client asks to be let in, never from what a connection saw
 * when it was opened.
 */
import { cookieDigest } from './digest.js';
import { shortId } from '../log/logger.js';
import { isForward } from './store.js';
import type { Logger } from '../log/logger.js';
import type { CookieAuth, CookieRecord, CookieStore } from './store.js';

/** A session as its visitor sees it. */
export interface VisitorSession {
  /** The browser logged out: the session ends, and so does its connection. */
  loggedOut(): void;
}

export interface VisitorsDeps {
  /** Open. */
  readonly store: CookieStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
}

/** How long until a logout that could not be stored is tried again, in milliseconds. */
const RETRY_MS = 5000;

export class Visitors {
  readonly #store: CookieStore;
  readonly #clock: () => number;
  readonly #log: Logger;
  /** Cookie id -> its visitor, as long as a connection is open. */
  readonly #here = new Map<string, Visitor>();
  /** Ids of logouts that the store has not taken yet: as good as deleted. */
  readonly #owed = new Set<string>();
  #retry: NodeJS.Timeout | undefined;

  constructor({ store, clock, log }: VisitorsDeps) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** How many cookies have an open connection. */
  get size(): number {
    return this.#here.size;
  }

  /** A connection was opened under a cookie. Its end must be told with {@link Visitor.left}. */
  enter(cbtid: string, authid: string): Visitor {
    let visitor = this.#here.get(cbtid);
    if (visitor === undefined) {
      visitor = new Visitor(this, cbtid, authid);
      this.#here.set(cbtid, visitor);
    }
    visitor.entered();
    return visitor;
  }

  /** The last connection of a visitor was closed. */
  forget(visitor: Visitor): void {
    if (this.#here.get(visitor.cbtid) === visitor) this.#here.delete(visitor.cbtid);
  }

  /** The record of a cookie as it is now; undefined when it is unknown or logged out. */
  async find(cbtid: string): Promise<CookieRecord | undefined> {
    const entry = await this.#store.get(cbtid);
    return entry === undefined || isForward(entry) || this.#owed.has(cbtid) ? undefined : entry;
  }

  /**
   * Gives a cookie its login, or takes it away. Resolves when that is durable.
   * @returns false when the cookie is not known any more, because it was logged out.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async setLogin(cbtid: string, auth: CookieAuth | null): Promise<boolean> {
    const record = await this.find(cbtid);
    if (record === undefined) return false;
    if (record.auth === null && auth === null) return true;
    await this.#store.update(record.cbtid, { auth, modified: this.#now() });
    return true;
  }

  /**
   * Forgets a cookie, and with it the login: resolves when that is durable. Then all sessions under it end.
   * @param except the session that asked for it: it ends in its own way.
   * @returns whether there was such a cookie.
   * @throws CookieStoreError (rejects) when the store fails. The sessions have ended even so, and the cookie counts as
   *   forgotten; it is tried again until it is stored.
   */
  async logOut(cbtid: string, except?: VisitorSession): Promise<boolean> {
    const record = await this.find(cbtid);
    const current = record?.cbtid ?? cbtid;
    const visitor = this.#here.get(current);
    try {
      if (record !== undefined) await this.#store.delete(current, this.#now());
    } catch (error) {
      this.#oweDeletion(current);
      throw error;
    } finally {
      visitor?.end(except);
    }
    return record !== undefined;
  }

  /** Stops trying. */
  close(): void {
    clearTimeout(this.#retry);
  }

  #oweDeletion(cbtid: string): void {
    this.#owed.add(cbtid);
    this.#log.error({ cookieId: shortId(cbtid) }, 'logout could not be stored; it holds until the node stops');
    this.#retry ??= setTimeout(() => this.#payUp(), RETRY_MS).unref();
  }

  #payUp(): void {
    this.#retry = undefined;
    for (const cbtid of this.#owed) {
      this.#store.delete(cbtid, this.#now()).then(
        () => {
          this.#owed.delete(cbtid);
          this.#log.info({ cookieId: shortId(cbtid) }, 'logout stored after all');
        },
        () => (this.#retry ??= setTimeout(() => this.#payUp(), RETRY_MS).unref()),
      );
    }
  }

  #now(): string {
    return new Date(this.#clock()).toISOString();
  }
}

/** One browser with open connections. */
export class Visitor {
  /** What anonymous sessions of this browser are called: the cookie id, or derived from it. */
  readonly authid: string;
  readonly #visitors: Visitors;
  #cbtid: string;
  #connections = 0;
  readonly #sessions = new Set<VisitorSession>();

  /** Made by {@link Visitors.enter}. */
  constructor(visitors: Visitors, cbtid: string, authid: string) {
    this.#visitors = visitors;
    this.#cbtid = cbtid;
    this.authid = authid;
  }

  /** The cookie id: a password. */
  get cbtid(): string {
    return this.#cbtid;
  }

  /** What others may see of the cookie. */
  get digest(): string {
    return cookieDigest(this.#cbtid);
  }

  /** The login that the cookie remembers; undefined without one. */
  async login(): Promise<CookieAuth | undefined> {
    return (await this.#visitors.find(this.#cbtid))?.auth ?? undefined;
  }

  /** See {@link Visitors.setLogin}. */
  remember(login: CookieAuth): Promise<boolean> {
    return this.#visitors.setLogin(this.#cbtid, login);
  }

  /** Takes the login away and leaves the cookie: the browser is still recognised. */
  async forgetLogin(): Promise<void> {
    await this.#visitors.setLogin(this.#cbtid, null);
  }

  /** See {@link Visitors.logOut}. */
  async logOut(except?: VisitorSession): Promise<void> {
    await this.#visitors.logOut(this.#cbtid, except);
  }

  /** The cookie got another id. */
  renamed(cbtid: string): void {
    this.#cbtid = cbtid;
  }

  joined(session: VisitorSession): void {
    this.#sessions.add(session);
  }

  /** The session ended. */
  parted(session: VisitorSession): void {
    this.#sessions.delete(session);
  }

  entered(): void {
    this.#connections++;
  }

  /** The connection was closed. */
  left(): void {
    if (--this.#connections === 0) this.#visitors.forget(this);
  }

  /** Ends all sessions but one. */
  end(except: VisitorSession | undefined): void {
    for (const session of [...this.#sessions]) if (session !== except) session.loggedOut();
  }
}

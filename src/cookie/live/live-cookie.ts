/**
 * One browser with open connections, or sessions. A `LiveCookie` knows the sessions under its cookie, so that a logout reaches all of them. It
 * is made by `live-cookies.ts`, which has the records.
 *
 *     here --a logout, of whatever origin--> logged out: its sessions are ended, and its cookie lets nobody in any more
 *
 * The connections of a browser that was logged out may go on. Sessions on them may log in anew, but no cookie remembers that.
 */
import { cookieDigest } from '../digest.js';
import type { CookieAuth, LoginFault } from '../store.js';

/** A session as its cookie sees it. */
export interface LiveSession {
  readonly id: number;
  /**
   * Ends the session with GOODBYE, and its connection.
   * @param reason a URI
   * @param message one sentence for the client
   */
  dismiss(reason: string, message: string): void;
}

/** How anonymous sessions of a browser are named. */
export interface LiveCookieName {
  readonly authid: string;
  /** The `authid` is the cookie id itself: it must not be written to the log. */
  readonly isCookieId: boolean;
}

/** What a live cookie asks `LiveCookies`, which has the records. All promises reject with CookieStoreError when the store fails. */
export interface CookieKeeper {
  /** See `LiveCookies.loginOf`. */
  loginOf(held: string): Promise<CookieAuth | 'outdated' | undefined>;
  /** See `LiveCookies.faultOf`. */
  faultOf(login: CookieAuth): LoginFault | undefined;
  /** See `LiveCookies.setLogin`. */
  setLogin(cbtid: string, auth: CookieAuth | null, held?: string): Promise<boolean | 'outdated'>;
  /** See `LiveCookies.logOut`. */
  logOut(cbtid: string, except?: LiveSession): Promise<boolean>;
  /** The cookie has no connection any more, and no session. */
  forget(liveCookie: LiveCookie): void;
  /** It is time to look whether the cookie has expired. */
  look(liveCookie: LiveCookie): void;
}

/** The longest time that a timer of Node.js can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A cookie with an open connection, or a session, and the sessions that live under it. */
export class LiveCookie {
  readonly name: LiveCookieName;
  readonly #keeper: CookieKeeper;
  readonly #sessions = new Set<LiveSession>();
  #cbtid: string;
  #connections = 0;
  #isLoggedOut = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(keeper: CookieKeeper, cbtid: string, name: LiveCookieName) {
    this.#keeper = keeper;
    this.#cbtid = cbtid;
    this.name = name;
  }

  /** The cookie id: a password. */
  get cbtid(): string {
    return this.#cbtid;
  }

  /** The name of the cookie that others may see. */
  get digest(): string {
    return cookieDigest(this.#cbtid);
  }

  /** The `authid` of anonymous sessions of this browser: the cookie id, or derived from it. */
  get authid(): string {
    return this.name.authid;
  }

  /** Whether the cookie was logged out: it has been deleted, or is about to be. */
  get isLoggedOut(): boolean {
    return this.#isLoggedOut;
  }

  /** The sessions under the cookie. */
  get sessions(): readonly LiveSession[] {
    return [...this.#sessions];
  }

  /**
   * The login that the cookie remembers, read from the store; undefined without one.
   * @param held the id that the client has, as far as the node knows.
   * @returns `outdated` when another id has taken the place of the held one: the connection was opened before that, and may
   *   belong to somebody else.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async login(held = this.#cbtid): Promise<CookieAuth | 'outdated' | undefined> {
    return this.#isLoggedOut ? undefined : this.#keeper.loginOf(held);
  }

  /** @returns what is wrong with a login that a web service made; undefined when nothing is. */
  faultOf(login: CookieAuth): LoginFault | undefined {
    return this.#keeper.faultOf(login);
  }

  /** Stores a login with the cookie. @param held as for {@link login}. @returns as {@link CookieKeeper.setLogin}. */
  remember(login: CookieAuth, held?: string): Promise<boolean | 'outdated'> {
    return this.#keeper.setLogin(this.#cbtid, login, held);
  }

  /** Removes the login and keeps the cookie: the browser is still recognised. @param held as for {@link login}. */
  forgetLogin(held?: string): Promise<boolean | 'outdated'> {
    return this.#keeper.setLogin(this.#cbtid, null, held);
  }

  /** See {@link CookieKeeper.logOut}. */
  async logOut(except?: LiveSession): Promise<void> {
    await this.#keeper.logOut(this.#cbtid, except);
  }

  /** A session under the cookie was opened. */
  joined(session: LiveSession): void {
    this.#sessions.add(session);
  }

  /** The session ended. */
  parted(session: LiveSession): void {
    this.#sessions.delete(session);
    this.#forgetUnused();
  }

  /** A connection was opened. */
  entered(): void {
    this.#connections++;
  }

  /** The connection was closed. */
  left(): void {
    this.#connections -= 1;
    this.#forgetUnused();
  }

  /** The cookie has got another id. */
  renamed(cbtid: string): void {
    this.#cbtid = cbtid;
  }

  /** The cookie was logged out. */
  loggedOut(): void {
    this.#isLoggedOut = true;
    clearTimeout(this.#timer);
  }

  /** Ends all sessions but `except`. */
  dismiss(reason: string, message: string, except?: LiveSession): void {
    for (const session of this.sessions) {
      if (session === except) continue;
      this.#sessions.delete(session);
      session.dismiss(reason, message);
    }
  }

  /** Asks for a look at the record in `ms`, if it is in use then. */
  lookAgain(ms: number): void {
    clearTimeout(this.#timer);
    if (ms === Infinity || this.#isLoggedOut || !this.#isUsed) return;
    this.#timer = setTimeout(() => this.#keeper.look(this), Math.min(ms, MAX_TIMER_MS));
    this.#timer.unref();
  }

  /** A client of MQTT that is away has a session without a connection: a logout ends that, too. */
  get #isUsed(): boolean {
    return this.#connections > 0 || this.#sessions.size > 0;
  }

  #forgetUnused(): void {
    if (this.#isUsed) return;
    clearTimeout(this.#timer);
    this.#keeper.forget(this);
  }
}

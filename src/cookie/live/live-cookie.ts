/**
 * One browser with open connections: it knows the sessions that live under its cookie, so that a logout reaches all of
 * them. Records are the business of `live-cookies.ts`, which makes it.
 *
 *     here --logOut, or somebody else's--> logged out: what it had is ended, and its cookie lets nobody in any more
 *
 * Connections of a browser that logged out may go on, and carry sessions that log in anew; no cookie remembers those.
 */
import { cookieDigest } from '../digest.js';
import type { CookieAuth } from '../store.js';

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

/** What anonymous sessions of a browser are called. */
export interface LiveCookieName {
  readonly authid: string;
  /** The `authid` is the cookie id itself: it must not be written to the log. */
  readonly isCookieId: boolean;
}

/** What keeps the records: `LiveCookies`. All of it rejects with CookieStoreError when the store fails. */
export interface CookieKeeper {
  /** See `LiveCookies.loginOf`. */
  loginOf(held: string): Promise<CookieAuth | 'outdated' | undefined>;
  /** See `LiveCookies.setLogin`. */
  setLogin(cbtid: string, auth: CookieAuth | null, held?: string): Promise<boolean | 'outdated'>;
  /** See `LiveCookies.logOut`. */
  logOut(cbtid: string, except?: LiveSession): Promise<boolean>;
  /** The last connection was closed. */
  forget(liveCookie: LiveCookie): void;
  /** It is time to look at the record. */
  look(liveCookie: LiveCookie): void;
}

/** The longest time that a timer of Node.js can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A cookie with an open connection, and the sessions that live under it. */
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

  /** What others may see of the cookie. */
  get digest(): string {
    return cookieDigest(this.#cbtid);
  }

  /** What anonymous sessions of this browser are called: the cookie id, or derived from it. */
  get authid(): string {
    return this.name.authid;
  }

  /** Whether its cookie has been forgotten, or is about to be. */
  get isLoggedOut(): boolean {
    return this.#isLoggedOut;
  }

  /** The sessions under the cookie. */
  get sessions(): readonly LiveSession[] {
    return [...this.#sessions];
  }

  /**
   * The login that the cookie remembers; undefined without one.
   * @param held the id that the client has, as far as the node knows. `outdated` when another one has taken its place: whoever
   *   opened a connection before that, and waited, may be somebody else.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async login(held = this.#cbtid): Promise<CookieAuth | 'outdated' | undefined> {
    return this.#isLoggedOut ? undefined : this.#keeper.loginOf(held);
  }

  /** Attaches a login. @param held as for {@link login}. @returns what {@link CookieKeeper.setLogin} does. */
  remember(login: CookieAuth, held?: string): Promise<boolean | 'outdated'> {
    return this.#keeper.setLogin(this.#cbtid, login, held);
  }

  /** Takes the login away and leaves the cookie: the browser is still recognised. @param held as for {@link login}. */
  forgetLogin(held?: string): Promise<boolean | 'outdated'> {
    return this.#keeper.setLogin(this.#cbtid, null, held);
  }

  /** See {@link CookieKeeper.logOut}. */
  async logOut(except?: LiveSession): Promise<void> {
    await this.#keeper.logOut(this.#cbtid, except);
  }

  joined(session: LiveSession): void {
    this.#sessions.add(session);
  }

  /** The session ended. */
  parted(session: LiveSession): void {
    this.#sessions.delete(session);
  }

  /** A connection was opened. */
  entered(): void {
    this.#connections++;
  }

  /** The connection was closed. */
  left(): void {
    if (--this.#connections > 0) return;
    clearTimeout(this.#timer);
    this.#keeper.forget(this);
  }

  /** The cookie got another id. */
  renamed(cbtid: string): void {
    this.#cbtid = cbtid;
  }

  /** The cookie is forgotten. */
  loggedOut(): void {
    this.#isLoggedOut = true;
    clearTimeout(this.#timer);
  }

  /** Ends all sessions but one. */
  dismiss(reason: string, message: string, except?: LiveSession): void {
    for (const session of this.sessions) {
      if (session === except) continue;
      this.#sessions.delete(session);
      session.dismiss(reason, message);
    }
  }

  /** Has the record looked at in a while, as long as a connection is open. */
  lookAgain(ms: number): void {
    clearTimeout(this.#timer);
    if (ms === Infinity || this.#isLoggedOut || this.#connections === 0) return;
    this.#timer = setTimeout(() => this.#keeper.look(this), Math.min(ms, MAX_TIMER_MS));
    this.#timer.unref();
  }
}

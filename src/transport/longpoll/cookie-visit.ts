/**
 * The cookie of one client of long-poll. Unlike a WebSocket, each answer can carry a cookie: the new id is told right after a login, and
 * a logout takes the cookie away from the browser.
 *
 * The cookie is taken away by answers to requests that come after the logout, at once, and with the cookie that was logged out: the
 * browser may have got another one meanwhile, by a login at a page.
 */
import type { IncomingMessage } from 'node:http';
import type { CookieRecord } from '../../cookie/store.js';
import type { CookieTracker, Tracked } from '../../cookie/tracker.js';
import type { LiveCookie } from '../../cookie/live/live-cookie.js';
import type { Logger } from '../../log/logger.js';

/** A `Set-Cookie` for one answer. */
export interface CookieToTell {
  readonly setCookie: string;
  /** The answer has left, or was lost. */
  done(isSent: boolean): void;
}

/** What it works with. */
export interface CookieVisitParts {
  readonly tracker: CookieTracker;
  readonly tracked: Tracked;
  readonly liveCookie: LiveCookie;
  /** Whether the browser came over TLS. */
  readonly isSecure: boolean;
  readonly log: Logger;
}

/** One for each client of a place where cookies are tracked. */
export class CookieVisit {
  readonly #parts: CookieVisitParts;
  /** The id that the browser has, or gets; undefined when it came with one that was replaced. */
  #held: string | undefined;
  /** Whether the browser has shown that it has that id. */
  #isPresented: boolean;
  /** What the next answer tells. */
  #next: { readonly record: CookieRecord; readonly setCookie: string } | undefined;
  /** What the last answer told: a request behind it shows that it has arrived. */
  #told: CookieRecord | undefined;
  #isCleared = false;

  /** @param parts the answer to `/open` tells `tracked.setCookie`. */
  constructor(parts: CookieVisitParts) {
    this.#parts = parts;
    const { record, setCookie, lastsMs } = parts.tracked;
    this.#held = lastsMs === undefined ? record.cbtid : undefined;
    this.#isPresented = setCookie === undefined || record.rotated !== null;
    if (setCookie !== undefined && record.rotated !== null) this.#told = record;
  }

  /** The id by which the client may do something with the login of the cookie. */
  get held(): string | undefined {
    return this.#held;
  }

  /** The next request has come. */
  goesOn(req: IncomingMessage): void {
    const { tracker } = this.#parts;
    if (this.#told !== undefined) tracker.delivered(this.#told);
    this.#told = undefined;
    if (!this.#isPresented && this.#held !== undefined) this.#isPresented = tracker.presents(req, this.#held);
  }

  /**
   * The client has a session, so maybe a login. Never rejects.
   * @returns whether the next answer has something to tell.
   */
  async loggedIn(): Promise<boolean> {
    const { tracker, isSecure, log } = this.#parts;
    if (this.#held === undefined || !this.#isPresented) return false;
    try {
      this.#next = (await tracker.rotated(this.#held, isSecure)) ?? this.#next;
    } catch (err) {
      log.warn({ err }, 'cookie could not get a new id');
    }
    if (this.#next !== undefined) this.#held = this.#next.record.cbtid;
    return this.#next !== undefined;
  }

  /**
   * @param isAtOnce whether the answer follows the request without a wait.
   * @returns what the answer has to tell.
   */
  toTell(req: IncomingMessage, isAtOnce: boolean): CookieToTell | undefined {
    if (this.#parts.liveCookie.isLoggedOut) return isAtOnce ? this.#toClear(req) : undefined;
    const next = this.#next;
    if (next === undefined) return undefined;
    this.#next = undefined;
    const done = (isSent: boolean): void => {
      if (isSent) this.#told = next.record;
      else this.#next = next;
    };
    return { setCookie: next.setCookie, done };
  }

  #toClear(req: IncomingMessage): CookieToTell | undefined {
    const { tracker, liveCookie, isSecure } = this.#parts;
    const ids = [liveCookie.cbtid, this.#held];
    if (this.#isCleared || !ids.some((id) => id !== undefined && tracker.presents(req, id))) return undefined;
    const done = (isSent: boolean): void => {
      this.#isCleared ||= isSent;
    };
    return { setCookie: tracker.cleared(isSecure), done };
  }
}

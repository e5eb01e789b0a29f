/**
 * Who makes and ends logins over HTTP, whatever proved the user: a ticket, a token, a provider. A login is always a new cookie. The
 * one that the browser had before never becomes a logged-in one, so nobody who planted or saw it is logged in (session fixation).
 *
 *     open:  new record with the login, durable -> the answer tells its id -> the presented cookies are logged out
 *                  | the store fails: rejects, nothing has changed
 *                  | the client has left, or it cannot be recorded: the new record is taken back, nothing has changed
 *     close: the presented cookies are logged out, durable -> the answer takes the cookie away
 *
 * The old sessions end after the answer, because their pages connect again at once, and would still have the old cookie. It knows
 * no paths, origins or bodies.
 */
import { isoTime } from '../../cookie/time.js';
import { CookieStoreError } from '../../cookie/error.js';
import { isSecure } from '../../transport/peer.js';
import type { Deny, Unavailable } from '../../auth/method.js';
import type { MappedUser } from '../../auth/mapping/mapping.js';
import type { CookieAuth, CookieRecord, LoginSource } from '../../cookie/store.js';
import type { CookieTracker } from '../../cookie/tracker.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';

/** A user who has proved who they are. */
export interface NewLogin {
  readonly user: MappedUser & { readonly realm: string };
  /** What WELCOME tells as `authmethod`. */
  readonly authmethod: string;
  /** Where the user is from, as WELCOME would tell; undefined where the source names a provider. */
  readonly authprovider?: string;
  /** Always there, also without a key: who made the login is asked whether it still counts. */
  readonly source: LoginSource;
  /** See {@link CookieAuth.credential}. */
  readonly credential?: string;
  /** When the login ends, in milliseconds since 1970; undefined: with its cookie. */
  readonly expiresMs?: number;
}

/** A login, and the cookie that remembers it. */
export interface Present {
  readonly record: CookieRecord;
  readonly auth: CookieAuth;
}

/** Who wants to be logged in, as far as it is known and may be written down. */
export interface Wish {
  readonly realm?: string | undefined;
  readonly authid?: string | undefined;
  /** As the client names it, or that of a provider. */
  readonly method: string;
  /** The name of an identity provider. */
  readonly provider?: string | undefined;
  /** Whether the method is one of the config: strangers must not make up names for what is counted. */
  readonly isKnown: boolean;
}

/** What hears of what comes of a request (`report.ts`). */
export interface DeskReport {
  /**
   * Somebody is logged in now, by a new cookie.
   * @returns false when that must not be, because it cannot be written down: the cookie is taken back.
   */
  loggedIn(login: NewLogin, record: CookieRecord): boolean;
  /** Somebody is not logged in. Never rejects. */
  refused(wish: Wish, verdict: Deny | Unavailable): Promise<void>;
  /** A cookie is logged out. @param end why, and who wanted it, where it is not the browser itself. */
  loggedOut(record: CookieRecord, end?: { readonly reason?: string; readonly actor?: string }): void;
}

const NOBODY_IS_TOLD: DeskReport = {
  loggedIn: () => true,
  refused: () => Promise.resolve(),
  loggedOut: () => undefined,
};

export interface LoginDeskDeps {
  readonly tracker: CookieTracker;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** @returns whether there is such a realm, with such a role. */
  readonly admits: (realm: string, role: string) => boolean;
}

/** Makes and ends the logins of one `cookie` section. */
export class LoginDesk {
  readonly #deps: LoginDeskDeps;

  constructor(deps: LoginDeskDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a new cookie with the login and appends its `Set-Cookie` to the answer, which the caller sends. When it is sent, the
   * cookies that the browser had before are logged out, and their sessions end. A login that may not be told of is taken back.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async open(
    request: WebRequest,
    res: WebResponse,
    login: NewLogin,
    report: DeskReport = NOBODY_IS_TOLD,
  ): Promise<CookieRecord> {
    try {
      return await this.#open(request, res, login, report);
    } catch (error) {
      if (error instanceof CookieStoreError)
        await report.refused(wishOf(login), unavailable('the cookie store failed'));
      throw error;
    }
  }

  async #open({ req }: WebRequest, res: WebResponse, login: NewLogin, report: DeskReport): Promise<CookieRecord> {
    const { tracker } = this.#deps;
    const presented = await tracker.allPresented(req);
    const { record, setCookie } = await tracker.logIn(authOf(login), isSecure(req));
    if (res.closed) await report.refused(wishOf(login), unavailable('the client has left'));
    if (res.closed || !report.loggedIn(login, record)) {
      await this.#logOut([record]);
      return record;
    }
    res.appendHeader('Set-Cookie', setCookie);
    // Also when the answer was cut: the browser may have read its head.
    res.once('close', () => {
      for (const each of presented) if (each.auth !== null) report.loggedOut(each, { reason: 'another login' });
      void this.#logOut(presented);
    });
    return record;
  }

  /**
   * Logs the presented cookies out, and appends the `Set-Cookie` that takes them away; also for a browser without one.
   * @returns the login that the browser had.
   * @throws CookieStoreError (rejects) when the store fails. A logout that was begun holds all the same.
   */
  async close(request: WebRequest, res: WebResponse, report = NOBODY_IS_TOLD): Promise<CookieAuth | undefined> {
    const { tracker } = this.#deps;
    const login = await this.whoami(request);
    const presented = await tracker.allPresented(request.req);
    // Before the store is asked: if it fails, the browser is rid of the cookie, and the node logs it out all the same.
    res.appendHeader('Set-Cookie', tracker.cleared(isSecure(request.req)));
    for (const record of presented) {
      report.loggedOut(record);
      await tracker.logOut(record);
    }
    return login;
  }

  /**
   * @returns the login of the cookie that the browser holds; undefined for a replaced id, and for a login that has expired or does
   *   not count any more.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async whoami(request: WebRequest): Promise<CookieAuth | undefined> {
    return (await this.present(request))?.auth;
  }

  /** As {@link whoami}, with the cookie. */
  async present({ req }: WebRequest): Promise<Present | undefined> {
    const presented = await this.#deps.tracker.presented(req);
    const auth = presented?.record.auth;
    if (presented?.isHeld !== true || auth === null || auth === undefined || !this.#counts(auth)) return undefined;
    return { record: presented.record, auth };
  }

  /** @returns when a login ends if nothing is done with it, in milliseconds since 1970. */
  expiryOf({ record, auth }: Present): number {
    const { expires } = auth.source ?? {};
    return Math.min(this.#deps.tracker.expiryOf(record), expires === undefined ? Infinity : Date.parse(expires));
  }

  /**
   * Ends every login that fits, with its sessions.
   * @param onEnd called for each.
   * @returns how many.
   * @throws CookieStoreError (rejects) when the store fails. The logouts hold all the same.
   */
  async endWhere(
    fits: (auth: CookieAuth) => boolean,
    onEnd: (record: CookieRecord) => void = () => undefined,
  ): Promise<number> {
    const { tracker } = this.#deps;
    const ending = (await tracker.logins()).filter(({ auth }) => auth !== null && fits(auth));
    for (const record of ending) onEnd(record);
    const ended = await Promise.allSettled(ending.map((record) => tracker.logOut(record)));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
    return ended.filter((each) => each.status === 'fulfilled' && each.value).length;
  }

  #counts(auth: CookieAuth): boolean {
    const { source, authrealm, authrole } = auth;
    if (source?.expires !== undefined && Date.parse(source.expires) <= this.#deps.clock()) return false;
    if (!this.#deps.admits(authrealm, authrole)) return false;
    return source === undefined || this.#deps.tracker.faultOf(auth) === undefined;
  }

  async #logOut(records: readonly CookieRecord[]): Promise<void> {
    for (const record of records) {
      try {
        await this.#deps.tracker.logOut(record);
      } catch (error) {
        // It holds all the same: `PendingLogouts` has logged it, and tries again.
        if (!(error instanceof CookieStoreError)) throw error;
      }
    }
  }
}

function wishOf({ user: { realm, authid }, authmethod: method, source: { provider } }: NewLogin): Wish {
  return { realm, authid, method, provider, isKnown: true };
}

function unavailable(message: string): Unavailable {
  return { type: 'unavailable', message };
}

function authOf({ user, authmethod, source, credential, expiresMs }: NewLogin): CookieAuth {
  const { authid, authrole, realm: authrealm, authextra = null } = user;
  return {
    ...{ authid, authrole, authmethod, authrealm, authextra },
    ...(credential !== undefined && { credential }),
    source: expiresMs === undefined ? source : { ...source, expires: isoTime(expiresMs) },
  };
}

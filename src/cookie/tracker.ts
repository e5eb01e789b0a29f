/**
 * Recognises the browser behind an HTTP request by its cookie, and makes a new cookie for a browser that has no valid one. The
 * same code serves WebSocket upgrades and plain requests. It never sends anything: the caller puts `setCookie` into its answer,
 * and refuses the client when the store fails.
 */
import type { IncomingMessage } from 'node:http';

import { auditOf } from '../log/audit.js';
import { shortId } from '../log/logger.js';
import { cookieDigest } from './digest.js';
import { drawBytes } from '../system/random.js';
import { derivedAuthid } from './digest.js';
import { expiryOf, isRenewalDue } from './expiry.js';
import { clearedCookie, presentedIds, setCookie } from './header.js';
import { isRotationDue } from './rotation.js';
import { isoTime } from './time.js';
import type { Logger } from '../log/logger.js';
import type { CookieConfig } from './schema.js';
import type { CookieAuth, CookieRecord, LoginFault, LoginVoucher } from './store.js';
import type { LiveCookie } from './live/live-cookie.js';
import type { PresentedId } from './header.js';
import type { Recognised } from './rotation.js';
import type { LiveCookies } from './live/live-cookies.js';

/** What of a request tells who sent it. */
export type CookieRequest = Pick<IncomingMessage, 'headers' | 'socket'>;

/** What a tracker is made with. */
export interface CookieTrackerOptions {
  readonly config: CookieConfig;
  /** Of the store that the section names. */
  readonly liveCookies: LiveCookies;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Whether a browser came over TLS; default: whether the connection of its request is TLS. */
  readonly isSecure?: (req: CookieRequest) => boolean;
}

/** The browser that a request comes from. */
export interface Tracked {
  /** The record of its cookie, durable. */
  readonly record: CookieRecord;
  /** The value of the `Set-Cookie` header to send; undefined when the browser has its cookie already. */
  readonly setCookie: string | undefined;
  /**
   * Only for a client that came with a replaced id: in so many milliseconds, at most, the id is worth nothing any more. The
   * real browser has the new one by then, and comes back with it.
   */
  readonly lastsMs?: number;
}

/** The cookie that a request presents. */
export interface Presented {
  readonly record: CookieRecord;
  /** Whether the browser has the current id. If not, nothing may be given to it that it did not have before. */
  readonly isHeld: boolean;
}

/** What else is known of a request. */
export interface ResolveOptions {
  /** Whether the browser came over TLS; default: what the tracker was told to go by. */
  readonly secureConnection?: boolean;
}

/** A cookie that the store knows. */
interface Known {
  readonly record: CookieRecord;
  /** The browser has, or gets, the current id. */
  readonly isCurrent: boolean;
  /** The browser needs a `Set-Cookie`: for a new id, a new signature or a longer life. */
  readonly isRenewed: boolean;
}

/** Finds the cookie of a request, or makes one, by one `cookie` section of the config. */
export class CookieTracker {
  readonly #config: CookieConfig;
  readonly #liveCookies: LiveCookies;
  readonly #clock: () => number;
  readonly #log: Logger;
  readonly #isSecure: (req: CookieRequest) => boolean;

  constructor({ config, liveCookies, clock, log, isSecure = isTls }: CookieTrackerOptions) {
    this.#isSecure = isSecure;
    this.#config = config;
    this.#liveCookies = liveCookies;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Finds the first cookie of the request that the store knows and that has not expired, else makes a new one. An id that
   * the store does not know is never adopted. Requests that a browser sends at the same time before it has a cookie get
   * one each: nothing shows that they belong together.
   *
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async resolve(req: CookieRequest, options: ResolveOptions = {}): Promise<Tracked> {
    const { cookie } = req.headers;
    const known = cookie === undefined ? undefined : await this.#find(cookie);
    if (known?.isCurrent === false) {
      return { record: known.record, setCookie: undefined, lastsMs: this.#config.rotate_grace * 1000 };
    }
    if (known?.isRenewed === false) return { record: known.record, setCookie: undefined };
    const record = known?.record ?? (await this.#create());
    const secureConnection = options.secureConnection ?? this.#isSecure(req);
    const maxAge = this.#remainingSeconds(record);
    return { record, setCookie: setCookie(record.cbtid, this.#config, { secureConnection, maxAge }) };
  }

  /**
   * Finds the cookie of a request as {@link resolve} does, and makes and changes nothing.
   * @returns undefined for a browser without a cookie that is known.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async presented(req: CookieRequest): Promise<Presented | undefined> {
    const { cookie } = req.headers;
    if (cookie === undefined) return undefined;
    for (const { cbtid } of presentedIds([cookie], this.#config)) {
      const found = await this.#liveCookies.recognise(cbtid, this.#config.rotate_grace * 1000);
      if (found?.standing === 'current') return { record: found.record, isHeld: true };
      if (found?.standing === 'replaced') return { record: found.record, isHeld: false };
    }
    return undefined;
  }

  /**
   * @returns every cookie that a request presents, whatever the ids are worth: for a logout.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async allPresented(req: CookieRequest): Promise<readonly CookieRecord[]> {
    const { cookie } = req.headers;
    const found = new Map<string, CookieRecord>();
    for (const { cbtid } of cookie === undefined ? [] : presentedIds([cookie], this.#config)) {
      const record = await this.#liveCookies.find(cbtid);
      if (record !== undefined) found.set(record.cbtid, record);
    }
    return [...found.values()];
  }

  /**
   * Makes a new cookie that is logged in. The one that the browser had before stays: the caller logs it out. So nobody who planted
   * or saw that one is logged in.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async logIn(
    auth: CookieAuth,
    secureConnection: boolean,
  ): Promise<Pick<Tracked, 'record'> & { readonly setCookie: string }> {
    const created = isoTime(this.#clock());
    // As if it had been rotated already: the id was made for this login.
    const record = await this.#create({ auth, modified: created, rotated: created, created });
    const maxAge = this.#remainingSeconds(record);
    return { record, setCookie: setCookie(record.cbtid, this.#config, { secureConnection, maxAge }) };
  }

  /**
   * Gives a cookie its new id right after a login, where one is due, so that nobody who planted or saw the old one is logged in
   * for longer than it takes to tell the browser. The browser must have come with the id.
   *
   * @returns undefined when no new id is due, or the cookie has got one meanwhile.
   * @throws CookieStoreError (rejects) when the store fails: the next handshake tries again.
   */
  async rotated(
    cbtid: string,
    secureConnection: boolean,
  ): Promise<(Pick<Tracked, 'record'> & { readonly setCookie: string }) | undefined> {
    if (this.#config.rotate !== true) return undefined;
    const record = await this.#liveCookies.rotate(cbtid, newCookieId(this.#config.length));
    if (record === undefined) return undefined;
    this.#tellRotated(cbtid, record);
    const maxAge = this.#remainingSeconds(record);
    return { record, setCookie: setCookie(record.cbtid, this.#config, { secureConnection, maxAge }) };
  }

  /** Whether a request comes with an id, whatever that is worth. */
  presents({ headers: { cookie } }: CookieRequest, cbtid: string): boolean {
    return cookie !== undefined && presentedIds([cookie], this.#config).some((presented) => presented.cbtid === cbtid);
  }

  /** Logs a cookie out, with all its sessions. See `LiveCookies.logOut`. */
  logOut({ cbtid }: CookieRecord): Promise<boolean> {
    return this.#liveCookies.logOut(cbtid);
  }

  /** @returns the value of the `Set-Cookie` header that takes the cookie away from the browser. */
  cleared(secureConnection: boolean): string {
    return clearedCookie(this.#config, secureConnection);
  }

  /** See `LiveCookies.vouch`. */
  vouch(voucher: LoginVoucher): () => void {
    return this.#liveCookies.vouch(voucher);
  }

  /** See `LiveCookies.faultOf`. */
  faultOf(login: CookieAuth): LoginFault | undefined {
    return this.#liveCookies.faultOf(login);
  }

  /** @returns the login of a cookie, unless it has expired or the service that made it does not vouch for it any more. */
  loginOf({ auth }: CookieRecord): CookieAuth | undefined {
    if (auth?.source === undefined) return auth ?? undefined;
    const { expires } = auth.source;
    const isOver = expires !== undefined && Date.parse(expires) <= this.#clock();
    return isOver || this.faultOf(auth) !== undefined ? undefined : auth;
  }

  /** See `LiveCookies.expiryOf`. */
  expiryOf(record: CookieRecord): number {
    return this.#liveCookies.expiryOf(record);
  }

  /** @returns every login that the store knows. */
  async logins(): Promise<readonly CookieRecord[]> {
    return (await this.#liveCookies.list()).filter(({ auth }) => auth !== null);
  }

  /** A connection of this browser was opened. @returns what joins it to the other connections of the browser. */
  enter(record: CookieRecord): LiveCookie {
    const { cbtid } = record;
    const isDerived = this.#config.authid === 'derived';
    return this.#liveCookies.enter(record, {
      authid: isDerived ? derivedAuthid(cbtid) : cbtid,
      isCookieId: !isDerived,
    });
  }

  /** A client goes on with the answer that told the id of `record`: the answer has arrived. */
  delivered(record: CookieRecord): void {
    this.#liveCookies.delivered(record);
  }

  async #find(header: string): Promise<Known | undefined> {
    // Node.js joins several Cookie lines with "; ", which is also what separates the cookies of one line.
    const ids = presentedIds([header], this.#config);
    for (const { cbtid, isOutdated } of ids) {
      const known = await this.#lookUp(cbtid, ids);
      if (known !== undefined) return { ...known, isRenewed: known.isRenewed || (known.isCurrent && isOutdated) };
    }
    return undefined;
  }

  /** @param beside what else the request presents: a client that also has the current id is no second party. */
  async #lookUp(cbtid: string, beside: readonly PresentedId[]): Promise<Known | undefined> {
    const found = await this.#liveCookies.recognise(cbtid, this.#config.rotate_grace * 1000);
    if (found === undefined) return undefined;
    const { record, standing } = found;
    if (standing !== 'current' && !beside.some((other) => other.cbtid === record.cbtid)) {
      return this.#byReplaced(cbtid, found, beside);
    }
    this.#liveCookies.noteUse(record.cbtid);
    if (this.#config.rotate === true && isRotationDue(record)) return this.#rotate(record, beside);
    if (!record.returned) await this.#liveCookies.noteReturn(record);
    return { record, isCurrent: true, isRenewed: this.#config.sliding && isRenewalDue(record, this.#clock()) };
  }

  /** The cookie behind a replaced id. */
  async #byReplaced(
    cbtid: string,
    { record, standing }: Recognised,
    beside: readonly PresentedId[],
  ): Promise<Known | undefined> {
    if (standing === 'replaced') {
      this.#liveCookies.noteUse(record.cbtid);
      // The new id is not told: the client may be somebody who planted the old one.
      return { record, isCurrent: false, isRenewed: false };
    }
    // A cookie without a login gives nothing away.
    if (record.auth === null || standing === 'over') return undefined;
    if (standing === 'reused') {
      await this.#liveCookies.expose(cbtid, record);
      return undefined;
    }
    const moved = await this.#liveCookies.moveOn(record.cbtid, newCookieId(this.#config.length));
    if (moved === undefined) return this.#lookUp(cbtid, beside);
    this.#tellRotated(record.cbtid, moved);
    return { record: moved, isCurrent: true, isRenewed: true };
  }

  async #rotate(record: CookieRecord, beside: readonly PresentedId[]): Promise<Known | undefined> {
    try {
      const moved = await this.#liveCookies.rotate(record.cbtid, newCookieId(this.#config.length));
      if (moved !== undefined) {
        this.#tellRotated(record.cbtid, moved);
        return { record: moved, isCurrent: true, isRenewed: true };
      }
    } catch (err) {
      // The browser stays known by its id; the next handshake tries again.
      this.#log.warn({ cookieId: shortId(record.cbtid), err }, 'cookie could not get a new id');
      return { record, isCurrent: true, isRenewed: false };
    }
    // Another request of the browser was faster, and gets the new id; or the browser was logged out.
    return this.#lookUp(record.cbtid, beside);
  }

  /** A cookie has got a new id. */
  #tellRotated(before: string, { cbtid, auth }: CookieRecord): void {
    const audit = auditOf(this.#log);
    if (audit === undefined) return;
    const { authrealm: realm, authid, authrole: role } = auth ?? {};
    const cookie = cookieDigest(cbtid);
    audit.record({ event: 'cookie rotated', realm, authid, role, cookie, about: { before: cookieDigest(before) } });
  }

  async #create(parts: Partial<CookieRecord> = {}): Promise<CookieRecord> {
    const record: CookieRecord = {
      cbtid: newCookieId(this.#config.length),
      created: isoTime(this.#clock()),
      modified: null,
      max_age: this.#config.max_age,
      auth: null,
      seen: null,
      rotated: null,
      returned: false,
      ...parts,
    };
    await this.#liveCookies.create(record);
    this.#log.debug({ cookieId: shortId(record.cbtid) }, 'cookie created');
    return record;
  }

  /** For how long the browser should keep the cookie. */
  #remainingSeconds(record: CookieRecord): number {
    if (this.#config.sliding) return record.max_age;
    const now = this.#clock();
    return Math.ceil((expiryOf(record, now, { sliding: false, idleMs: Infinity }) - now) / 1000);
  }
}

/** @returns a new id of `length` Base64 characters, 6 random bits each. */
export function newCookieId(length: number): string {
  return drawBytes(Math.ceil((length * 6) / 8))
    .toString('base64')
    .slice(0, length);
}

function isTls({ socket }: CookieRequest): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

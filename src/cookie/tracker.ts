/**
 * Recognises the browser behind an HTTP request by its cookie, and gives it one when it has none that counts. The same
 * code serves WebSocket upgrades and plain requests. It never sends anything: the caller puts `setCookie` into its
 * answer, and refuses the client when the store fails.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { shortId } from '../log/logger.js';
import { derivedAuthid } from './digest.js';
import { isExpired } from './expiry.js';
import { cookieValues, setCookie } from './header.js';
import type { Logger } from '../log/logger.js';
import type { CookieConfig } from './schema.js';
import type { CookieRecord, CookieStore } from './store.js';
import type { Visitor, Visitors } from './visitors.js';

export interface CookieTrackerOptions {
  readonly config: CookieConfig;
  /** Open. */
  readonly store: CookieStore;
  /** Of the same store. */
  readonly visitors: Visitors;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
}

/** Who a request comes from. */
export interface Tracked {
  readonly record: CookieRecord;
  /** The value of the `Set-Cookie` header to send; undefined when the browser has its cookie already. */
  readonly setCookie: string | undefined;
}

export interface ResolveOptions {
  /** Whether the browser came over TLS; by default, whether this connection is TLS. */
  readonly secureConnection?: boolean;
}

export class CookieTracker {
  readonly #config: CookieConfig;
  readonly #store: CookieStore;
  readonly #visitors: Visitors;
  readonly #clock: () => number;
  readonly #log: Logger;

  constructor({ config, store, visitors, clock, log }: CookieTrackerOptions) {
    this.#config = config;
    this.#store = store;
    this.#visitors = visitors;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * The first cookie of the request that the store knows and that is not expired, or else a new one. An id that a
   * client presents is never adopted. Requests that a browser sends at the same time before it has a cookie get one
   * each: nothing shows that they belong together.
   *
   * @throws CookieStoreError when the store fails.
   */
  async resolve(req: IncomingMessage, options: ResolveOptions = {}): Promise<Tracked> {
    const known = await this.#find(req.headers.cookie ?? '');
    if (known !== undefined) return { record: known, setCookie: undefined };
    const record = await this.#create();
    const isSecure = options.secureConnection ?? isTls(req);
    return { record, setCookie: setCookie(record.cbtid, this.#config, isSecure) };
  }

  /** A connection of this browser was opened: its sessions are found through the visitor. */
  enter({ cbtid }: CookieRecord): Visitor {
    return this.#visitors.enter(cbtid, this.#config.authid === 'derived' ? derivedAuthid(cbtid) : cbtid);
  }

  async #find(header: string): Promise<CookieRecord | undefined> {
    const { name, length } = this.#config;
    // Node has joined several Cookie lines with "; ", which is how one line separates its cookies.
    for (const cbtid of cookieValues([header], name, length)) {
      const record = await this.#visitors.find(cbtid);
      if (record === undefined) continue;
      if (!isExpired(record, this.#clock())) return record;
      this.#forget(cbtid);
    }
    return undefined;
  }

  async #create(): Promise<CookieRecord> {
    const record: CookieRecord = {
      cbtid: newCookieId(this.#config.length),
      created: this.#now(),
      modified: null,
      max_age: this.#config.max_age,
      auth: null,
      seen: null,
      rotated: null,
    };
    await this.#store.create(record);
    this.#log.debug({ cookieId: shortId(record.cbtid) }, 'cookie created');
    return record;
  }

  /**
   * Takes an expired cookie out of the store, so that no clock set back can revive it. The client does not wait for
   * that; if it fails, the next look-up finds the cookie expired again.
   */
  #forget(cbtid: string): void {
    this.#store.delete(cbtid, this.#now()).catch((err: unknown) => {
      this.#log.warn({ cookieId: shortId(cbtid), err }, 'expired cookie could not be deleted');
    });
  }

  #now(): string {
    return new Date(this.#clock()).toISOString();
  }
}

/** @returns base64 characters of the system's randomness, 6 bits each. */
export function newCookieId(length: number): string {
  return randomBytes(Math.ceil((length * 6) / 8))
    .toString('base64')
    .slice(0, length);
}

function isTls({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/**
 * The cookies of a worker for those who manage it: who could come back, and how to keep somebody from it. Cookies are
 * named by their digests; no id leaves this file.
 */
import { setImmediate } from 'node:timers/promises';
import { cookieDigest } from './digest.js';
import type { CookieRecord } from './store.js';
import type { LiveCookies } from './live/live-cookies.js';

/** A cookie as it is shown. */
export interface CookieSummary {
  readonly digest: string;
  /** UTC, ISO 8601 with milliseconds and `Z`; {@link expires} if nobody uses it until then. */
  readonly created: string;
  readonly expires: string;
  /** The login that it remembers; all four are null without one. */
  readonly authid: string | null;
  readonly authrole: string | null;
  readonly authmethod: string | null;
  readonly authrealm: string | null;
  /** The ids of the sessions that live under it. */
  readonly sessions: readonly number[];
}

/** Which cookies are meant. */
export interface CookieFilter {
  /** Those with a login of this user; by default all. */
  readonly authid?: string | undefined;
}

export interface CookiePage extends CookieFilter {
  readonly limit: number;
  readonly offset: number;
}

interface Found {
  readonly record: CookieRecord;
  readonly liveCookies: LiveCookies;
}

/** So many cookies are looked at before others get their turn. */
const SLICE = 500;

/** The cookies of one worker: listed, counted and revoked by digest. */
export class CookieDirectory {
  readonly #all = new Set<LiveCookies>();

  /** Cookies of one more store. */
  add(liveCookies: LiveCookies): void {
    this.#all.add(liveCookies);
  }

  async count(filter: CookieFilter): Promise<number> {
    return (await this.#select(filter)).length;
  }

  /** In no particular order, but as long as nothing changes in the same one. */
  async list({ limit, offset, ...filter }: CookiePage): Promise<CookieSummary[]> {
    const summaries: CookieSummary[] = [];
    for (const found of (await this.#select(filter)).slice(offset, offset + limit)) {
      summaries.push(summaryOf(found));
      if (summaries.length % SLICE === 0) await setImmediate();
    }
    return summaries;
  }

  async get(digest: string): Promise<CookieSummary | undefined> {
    const found = await this.#find(digest);
    return found && summaryOf(found);
  }

  /** Logs a browser out. @returns false when there is no such cookie. */
  async revoke(digest: string): Promise<boolean> {
    const found = await this.#find(digest);
    return found !== undefined && found.liveCookies.logOut(found.record.cbtid);
  }

  /** Logs a user out, wherever he is. @returns how many cookies that were. Rejects after it has tried all. */
  async revokeByAuthid(authid: string): Promise<number> {
    const selected = await this.#select({ authid });
    const results = await Promise.allSettled(
      selected.map(({ record, liveCookies }) => liveCookies.logOut(record.cbtid)),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return results.filter((result) => result.status === 'fulfilled' && result.value).length;
  }

  async #select({ authid }: CookieFilter): Promise<readonly Found[]> {
    const lists = await Promise.all(
      [...this.#all].map(async (liveCookies) => (await liveCookies.list()).map((record) => ({ record, liveCookies }))),
    );
    const all = lists.flat();
    return authid === undefined ? all : all.filter(({ record }) => record.auth?.authid === authid);
  }

  async #find(digest: string): Promise<Found | undefined> {
    let looked = 0;
    for (const found of await this.#select({})) {
      if (cookieDigest(found.record.cbtid) === digest) return found;
      if (++looked % SLICE === 0) await setImmediate();
    }
    return undefined;
  }
}

function summaryOf({ record, liveCookies }: Found): CookieSummary {
  const { authid = null, authrole = null, authmethod = null, authrealm = null } = record.auth ?? {};
  return {
    digest: cookieDigest(record.cbtid),
    created: record.created,
    expires: new Date(liveCookies.expiryOf(record)).toISOString(),
    authid,
    authrole,
    authmethod,
    authrealm,
    sessions: liveCookies.sessionsOf(record.cbtid).map(({ id }) => id),
  };
}

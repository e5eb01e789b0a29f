/**
 * What a store of web sessions is: it reads, and never writes. To add one: a file that exports a {@link SessionStoreType}, a line in
 * `stores.ts`, its variant in `store-schema.ts`, and a line in `test/unit/auth/session/stores.test.ts`.
 */
import { sayRepeated } from '../../log/repeated.js';
import { parseUser } from '../mapping/mapping.js';
import { isDict } from '../../wamp/payload.js';
import type { RepeatedLogDeps } from '../../log/repeated.js';
import type { Dict } from '../../wamp/payload.js';
import type { AuthDeps } from '../method.js';
import type { PresentedSession } from './express-cookie.js';

/** A session as the web application has it. */
export interface StoredSession {
  /** The JSON of the session. */
  readonly user: Dict;
  /** When it expires, in milliseconds since 1970; undefined where the store does not know. */
  readonly expiresMs: number | undefined;
}

/** Keeps the sessions of a web application. */
export interface SessionStore {
  /** After how many milliseconds a session that is watched is read again, whatever the store told. */
  readonly recheckMs: number;
  /** The same after a read that failed. */
  readonly retryMs: number;
  /**
   * @returns undefined when there is no such session, or none that can be read.
   * @throws StoreUnavailable (rejects), and nothing else, when nobody knows. It has been logged.
   */
  read(session: PresentedSession): Promise<StoredSession | undefined>;
  /** Closes connections and ends timers. Idempotent; never rejects. */
  stop(): void | Promise<void>;
}

/** What a store tells of itself, where it can. Neither method throws. */
export interface StoreListener {
  /** The session may have changed, or be gone. */
  changed(sid: string): void;
  /** All may have: nobody knows what happened meanwhile. */
  allChanged(): void;
}

/** What stores get from the node. */
export type StoreDeps = Pick<AuthDeps, 'log' | 'repeated' | 'clock' | 'after' | 'call' | 'load'> & {
  readonly listener: StoreListener;
};

/** What the file of each store exports. `C` is its checked section. */
export interface SessionStoreType<C> {
  /** The word in `type`. */
  readonly type: string;
  /** Waits for nobody: a store that is down does not keep the node from starting. @throws (rejects) when a package or file is missing. */
  create(config: C, deps: StoreDeps): Promise<SessionStore>;
}

/** The store cannot be asked at the moment, or does not answer. */
export class StoreUnavailable extends Error {
  readonly code = 'ERR_SESSION_STORE';
  override readonly name = 'StoreUnavailable';
}

/** Sessions are small; what is larger is no session, or a mistake. In characters of JSON. */
export const MAX_SESSION_CHARACTERS = 65_536;

/** Why such a session is none. */
export const TOO_LARGE = 'it is larger than 64 KiB';

/** @returns the session in a text; undefined when there is none in it, which is told the log. */
export function sessionIn(text: string, store: string, deps: RepeatedLogDeps): Dict | undefined {
  if (text.length > MAX_SESSION_CHARACTERS) return tellUnreadable(store, TOO_LARGE, deps);
  return parseUser(text) ?? tellUnreadable(store, 'it is no JSON object', deps);
}

/** What is read belongs to somebody, but names nobody. */
export function tellUnreadable(store: string, fault: string, deps: RepeatedLogDeps): undefined {
  sayRepeated(deps, 'warn', { store, fault }, 'web session cannot be read');
  return undefined;
}

/** @returns the `cookie.expires` of express-session, in milliseconds since 1970. */
export function cookieExpiry({ cookie }: Dict): number | undefined {
  const expires = isDict(cookie) ? cookie['expires'] : undefined;
  const expiresMs = typeof expires === 'string' ? Date.parse(expires) : NaN;
  return Number.isNaN(expiresMs) ? undefined : expiresMs;
}

/** @returns the session, unless it has expired. */
export function unexpired(user: Dict, expiresMs: number | undefined, nowMs: number): StoredSession | undefined {
  return expiresMs !== undefined && expiresMs <= nowMs ? undefined : { user, expiresMs };
}

/** @returns what the promise gives, or a rejection after so many milliseconds; what comes later is dropped. */
export function withinTime<T>(promise: Promise<T>, ms: number, after: StoreDeps['after']): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(ms, () => reject(new StoreUnavailable(`no answer within ${ms} ms`)));
    promise.finally(cancel).then(resolve, reject);
  });
}

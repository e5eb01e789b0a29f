/**
 * The web sessions behind open WAMP sessions. Each is read again whenever it may have changed, when it expires, and now and then;
 * a WAMP session goes on as long as its web session is there and is that of the same user, in the same role.
 *
 *     HELLO: enter --reads--> nobody, or a user with a lease
 *     WELCOME: the lease begins --> watched: told of a change, expired, or not read for long --reads--> the same user: goes on
 *                                                                                            \-> else GOODBYE
 *
 * What changes while a session is being read is not lost: it is noted from the beginning of the read on. It knows no store by name.
 */
import { createHash } from 'node:crypto';
import { CloseUri } from '../../wamp/error.js';
import { DETACHED } from '../lease.js';
import { isSameUser, mapUser } from '../mapping/mapping.js';
import { StoreUnavailable } from './store.js';
import type { Logger } from '../../log/logger.js';
import type { Lease, LeasedSession, LeaseTimes } from '../lease.js';
import type { MappedUser } from '../mapping/mapping.js';
import type { MappingConfig } from '../mapping/schema.js';
import type { PresentedSession } from './express-cookie.js';
import type { SessionStore, StoredSession, StoreListener } from './store.js';

/** How many reads for sessions that are open may be under way. */
const MAX_READS = 100;

/** How often a session is read that changes while it is being read, before it is let in and read again behind WELCOME. */
const MAX_ATTEMPTS = 3;

/** After a verdict WELCOME follows at once, unless the client has gone. */
const HOLD_MS = 10_000;

/** A user that is let in, with what his session is lent under. */
export interface Entered {
  readonly user: MappedUser;
  readonly lease: Lease;
}

interface WatchedSession {
  readonly presented: PresentedSession;
  /** WAMP session -> whom it was let in as */
  readonly members: Map<LeasedSession, MappedUser>;
  /** HELLOs that are on their way. */
  holds: number;
  /** Counts the news of changes. */
  version: number;
  /** Calls off the next read. */
  cancel: () => void;
}

interface WatchedSessionsConfig extends MappingConfig {
  readonly close_ended: boolean;
}

interface WatchedSessionsDeps extends LeaseTimes {
  readonly log: Logger;
}

export class WatchedSessions implements StoreListener {
  readonly #config: WatchedSessionsConfig;
  readonly #deps: WatchedSessionsDeps;
  #store: SessionStore | undefined;
  #isStopped = false;
  /** The store is closed. */
  #isClosed = false;
  /** sid -> session; only those with members or holds */
  readonly #sessions = new Map<string, WatchedSession>();
  /** To be read, in order. */
  readonly #due = new Set<WatchedSession>();
  readonly #reading = new Set<WatchedSession>();

  constructor(config: WatchedSessionsConfig, deps: WatchedSessionsDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** @param store is asked from now on. It may tell of changes before. */
  use(store: SessionStore): void {
    this.#store = store;
  }

  /** How many web sessions are kept. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Reads a session for a HELLO.
   * @returns undefined when it is nobody's.
   * @throws StoreUnavailable (rejects)
   */
  async enter(presented: PresentedSession): Promise<Entered | undefined> {
    if (!this.#config.close_ended) {
      const user = this.#userOf(await this.#read(presented));
      return user && { user, lease: DETACHED };
    }
    const watched = this.#held(presented);
    const release = once(() => this.#release(watched));
    try {
      const { version, stored } = await this.#readUnchanged(watched);
      const user = this.#userOf(stored);
      // Where the store does not tell of changes, the answer is news for the other sessions, too.
      this.#judge(watched, user);
      if (user === undefined) return release();
      const stopWaiting = this.#deps.after(HOLD_MS, release);
      const begin = (session: LeasedSession): (() => void) => {
        const isUnchanged = watched.version === version && this.#sessions.get(presented.sid) === watched;
        const end = this.#begun(presented, session, user, isUnchanged ? stored : 'changed');
        stopWaiting();
        release();
        return end;
      };
      return { user, lease: { begin } };
    } catch (error) {
      release();
      throw error;
    }
  }

  changed(sid: string): void {
    const watched = this.#sessions.get(sid);
    if (watched === undefined) return;
    watched.version += 1;
    this.#look(watched);
  }

  allChanged(): void {
    for (const watched of this.#sessions.values()) {
      watched.version += 1;
      this.#due.add(watched);
    }
    this.#readDue();
  }

  /** The sessions that are open are watched as long as they last, and the store is closed behind the last. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if ([...this.#sessions.values()].some(({ members }) => members.size > 0)) return;
    this.#isClosed = true;
    await this.#store?.stop();
  }

  async #readUnchanged(watched: WatchedSession): Promise<{ version: number; stored: StoredSession | undefined }> {
    for (let attempt = 1; ; attempt += 1) {
      const { version } = watched;
      const stored = await this.#read(watched.presented);
      if (watched.version === version || attempt === MAX_ATTEMPTS) return { version, stored };
    }
  }

  async #read(presented: PresentedSession): Promise<StoredSession | undefined> {
    if (this.#store === undefined) throw new StoreUnavailable('the store is not there yet');
    return this.#store.read(presented);
  }

  #userOf(stored: StoredSession | undefined): MappedUser | undefined {
    return stored && mapUser(stored.user, this.#config);
  }

  #held(presented: PresentedSession): WatchedSession {
    const known = this.#sessions.get(presented.sid);
    const watched = known ?? { presented, members: new Map(), holds: 0, version: 0, cancel: () => undefined };
    watched.holds += 1;
    this.#sessions.set(presented.sid, watched);
    return watched;
  }

  #release(watched: WatchedSession): void {
    watched.holds -= 1;
    this.#dropIfUnused(watched);
  }

  #dropIfUnused(watched: WatchedSession): void {
    if (watched.members.size > 0) return;
    watched.cancel();
    this.#due.delete(watched);
    if (watched.holds > 0) return;
    this.#sessions.delete(watched.presented.sid);
    if (this.#isStopped) void this.stop();
  }

  /** @param stored what was read; `changed` when it may not be that any more. */
  #begun(
    presented: PresentedSession,
    session: LeasedSession,
    user: MappedUser,
    stored: StoredSession | 'changed' | undefined,
  ): () => void {
    if (this.#isClosed) {
      session.dismiss(CloseUri.SESSION_ENDED, 'the login cannot be watched any more, please connect again');
      return () => undefined;
    }
    const watched = this.#held(presented);
    watched.members.set(session, user);
    watched.holds -= 1;
    if (stored === 'changed') this.#look(watched);
    else this.#readLater(watched, this.#msUntilRead(stored));
    return () => {
      watched.members.delete(session);
      this.#dropIfUnused(watched);
    };
  }

  #look(watched: WatchedSession): void {
    if (watched.members.size === 0) return;
    this.#due.add(watched);
    this.#readDue();
  }

  #readDue(): void {
    for (const watched of this.#due) {
      if (this.#reading.size >= MAX_READS) return;
      // It is read once more when that read is done: its answer may be from before the change.
      if (this.#reading.has(watched)) continue;
      this.#due.delete(watched);
      if (watched.members.size > 0) void this.#readAgain(watched);
    }
  }

  async #readAgain(watched: WatchedSession): Promise<void> {
    this.#reading.add(watched);
    watched.cancel();
    let nextMs = this.#store?.retryMs ?? 0;
    try {
      const stored = await this.#read(watched.presented);
      nextMs = this.#msUntilRead(stored);
      this.#judge(watched, this.#userOf(stored));
    } catch (error) {
      // Sessions that are there go on while nobody knows.
      if (!(error instanceof StoreUnavailable)) this.#deps.log.error({ err: error }, 'web session cannot be checked');
    } finally {
      this.#reading.delete(watched);
      if (watched.members.size > 0) this.#readLater(watched, nextMs);
      this.#readDue();
    }
  }

  #msUntilRead(stored: StoredSession | undefined): number {
    const recheckMs = this.#store?.recheckMs ?? 0;
    if (stored?.expiresMs === undefined) return recheckMs;
    // One more, so that it has expired then also where a millisecond is cut off.
    return Math.min(recheckMs, Math.max(0, stored.expiresMs - this.#deps.clock()) + 1);
  }

  #readLater(watched: WatchedSession, ms: number): void {
    watched.cancel();
    watched.cancel = this.#deps.after(ms, () => this.#look(watched));
  }

  /** Ends the sessions that are not those of the user any more. */
  #judge(watched: WatchedSession, user: MappedUser | undefined): void {
    for (const [session, member] of [...watched.members]) {
      if (user !== undefined && isSameUser(member, user)) continue;
      const why = user === undefined ? 'logged out' : 'another user';
      const { sid } = watched.presented;
      this.#deps.log.info({ sessionId: session.id, webSession: digestOf(sid), why }, 'web session ended');
      session.dismiss(CloseUri.SESSION_ENDED, ENDED[why]);
    }
  }
}

const ENDED = {
  'logged out': 'the login at the web application is over',
  'another user': 'the login at the web application has changed',
} as const;

/** @returns a function that runs only the first time. */
function once(run: () => void): () => undefined {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}

/** An id is a password: the log only tells two apart. */
function digestOf(sid: string): string {
  return createHash('sha256').update(sid).digest('hex').slice(0, 12);
}

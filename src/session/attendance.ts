/**
 * Waits for procedures that decide about clients (authenticators, authorizers) and are not registered: after a restart their
 * callees may come back later than the others. The registration ends the wait. Waits are bounded in time, in number and in
 * bytes; the longest one makes room.
 */
import type { RealmAccess } from '../router/access.js';
import type { Scheduler } from '../router/observer.js';

/** How long a missing procedure is waited for: a client that lost its connection tries again within seconds. */
export const ATTENDANCE_MS = 5000;
/** How many waits there may be at a time. */
export const MAX_ATTENDING = 1000;
/** How many bytes they may hold: what their clients said of themselves. */
export const MAX_ATTENDING_BYTES = 16 * 1024 * 1024;

interface Wait {
  readonly bytes: number;
  /** Ends the wait. */
  readonly end: (isThere: boolean) => void;
}

export class Attendance {
  readonly #realm: RealmAccess;
  readonly #scheduler: Scheduler;
  // In the order in which they came.
  readonly #waits = new Set<Wait>();
  #bytes = 0;

  constructor(realm: RealmAccess, scheduler: Scheduler) {
    this.#realm = realm;
    this.#scheduler = scheduler;
  }

  /** How many wait. */
  get size(): number {
    return this.#waits.size;
  }

  isThere(procedure: string): boolean {
    return this.#realm.hasCallee(procedure);
  }

  /**
   * @param bytes what is held meanwhile.
   * @returns whether the procedure came in time.
   */
  wait(procedure: string, bytes = 0): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isThere: boolean): void => {
        if (!this.#waits.delete(wait)) return;
        this.#bytes -= bytes;
        stopClock();
        forget();
        resolve(isThere);
      };
      const wait: Wait = { bytes, end };
      const stopClock = this.#scheduler.after(ATTENDANCE_MS, () => end(false));
      const forget = this.#realm.expectCallee(procedure, () => end(true));
      this.#waits.add(wait);
      this.#bytes += bytes;
      this.#makeRoom();
    });
  }

  /** Ends all waits. */
  stop(): void {
    for (const { end } of this.#waits) end(false);
  }

  #makeRoom(): void {
    for (const { end } of this.#waits) {
      if (this.#waits.size <= MAX_ATTENDING && this.#bytes <= MAX_ATTENDING_BYTES) return;
      end(false);
    }
  }
}

/**
 * What the router keeps on behalf of a session, counted in bytes: calls that wait for a callee or may be sent to another
 * one, testaments, subscriptions and registrations with their patterns. Whatever a client can make the router keep is
 * charged here before it is kept, and given back when it is let go.
 *
 * A session may have `perSession`. All together may have `inAll`; beyond that nobody gets more than `reserved`, so that
 * many greedy sessions do not take the place of modest ones. What is sent to a client and not read by it is not in here:
 * that is bounded by its transport (`transport/outbox.ts`).
 *
 * The account is a plain number of the session (`RouterSession.keptBytes`), so a session that keeps nothing costs nothing.
 */

/** Somebody for whom bytes are kept. */
export interface Charged {
  /** How many bytes are kept for it; changed by {@link Budget} only. */
  keptBytes: number;
}

export interface BudgetLimits {
  /** The most for one session. */
  readonly perSession: number;
  /** The most for all sessions together. */
  readonly inAll: number;
  /** What every session may have, however much all have together. */
  readonly reserved: number;
}

export const BUDGET_LIMITS: BudgetLimits = {
  // As much as may wait to be read by a client.
  perSession: 16 * 1024 * 1024,
  inAll: 256 * 1024 * 1024,
  reserved: 64 * 1024,
};

export class Budget {
  readonly limits: BudgetLimits;
  #inAll = 0;

  constructor(limits: BudgetLimits = BUDGET_LIMITS) {
    this.limits = limits;
  }

  /** How many bytes are kept for all sessions. */
  get keptBytes(): number {
    return this.#inAll;
  }

  /** Charges a session. @returns false when it would have too much: then nothing is charged, and nothing may be kept. */
  take(session: Charged, bytes: number): boolean {
    const { perSession, inAll, reserved } = this.limits;
    const kept = session.keptBytes + bytes;
    if (kept > perSession || (kept > reserved && this.#inAll + bytes > inAll)) return false;
    session.keptBytes = kept;
    this.#inAll += bytes;
    return true;
  }

  /** Gives back what {@link take} charged. */
  give(session: Charged, bytes: number): void {
    session.keptBytes -= bytes;
    this.#inAll -= bytes;
  }
}

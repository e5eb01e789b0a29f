/**
 * What the router keeps on behalf of a session, counted in bytes: calls that wait for a callee or may be sent to another
 * one, testaments, subscriptions and registrations with their patterns. Whatever a client can make the router keep is
 * charged here before it is kept, and given back when it is let go.
 *
 * A session may have `perSession`. All together may have `inAll`; beyond that nobody gets more than `reserved`, so that
 * many greedy sessions do not take the place of modest ones. What is sent to a client and not read by it is not in here:
 * that is bounded by its transport (`transport/outbox/outbox.ts`).
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

/** How many bytes a router keeps, for each session and for all, unless the config says otherwise. */
export const BUDGET_LIMITS: BudgetLimits = {
  // As much as may wait to be read by a client.
  perSession: 16 * 1024 * 1024,
  inAll: 256 * 1024 * 1024,
  reserved: 64 * 1024,
};

export class Budget {
  readonly limits: BudgetLimits;
  /** What all have, here and in the budgets that share it. */
  readonly #pot: { bytes: number };

  /** @param shared another budget with the same whole: realms of a router may give their sessions more or less. */
  constructor(limits: BudgetLimits = BUDGET_LIMITS, shared?: Budget) {
    this.limits = limits;
    this.#pot = shared === undefined ? { bytes: 0 } : shared.#pot;
  }

  /** How many bytes are kept for all sessions. */
  get keptBytes(): number {
    return this.#pot.bytes;
  }

  /** Charges a session. @returns false when it would have too much: then nothing is charged, and nothing may be kept. */
  take(session: Charged, bytes: number): boolean {
    const { perSession, inAll, reserved } = this.limits;
    const kept = session.keptBytes + bytes;
    if (kept > perSession || (kept > reserved && this.#pot.bytes + bytes > inAll)) return false;
    session.keptBytes = kept;
    this.#pot.bytes += bytes;
    return true;
  }

  /**
   * As {@link take}, for what would be good to keep but can be done without: it takes no more than half of what the session
   * may have, so that the rest stays for what cannot.
   */
  takeSpare(session: Charged, bytes: number): boolean {
    const { perSession, inAll, reserved } = this.limits;
    const most = this.#pot.bytes * 2 > inAll ? reserved : perSession;
    return (session.keptBytes + bytes) * 2 <= most && this.take(session, bytes);
  }

  /** Gives back what {@link take} charged. */
  give(session: Charged, bytes: number): void {
    session.keptBytes -= bytes;
    this.#pot.bytes -= bytes;
  }
}

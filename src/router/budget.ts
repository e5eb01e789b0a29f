/**
 * How many bytes the router keeps for a session: calls that wait for a callee or may be sent to another one, testaments,
 * subscriptions and registrations with their patterns. Everything that a client can make the router keep is charged to its
 * session first, and given back when it is dropped.
 *
 * A session may have `perSession`, and all together `inAll`. When that is used up, a session gets no more than `reserved`: so
 * many greedy sessions leave room for modest ones. Messages that a client has not read are not counted here: its transport
 * bounds them (`transport/outbox/outbox.ts`).
 *
 * The account is a plain number of the session (`RouterSession.keptBytes`), so a session that keeps nothing costs nothing.
 */

/** A session, as the budget sees it. */
export interface Charged {
  /** How many bytes are kept for it; changed by {@link Budget} only. */
  keptBytes: number;
}

export interface BudgetLimits {
  /** The most for one session. */
  readonly perSession: number;
  /** The most for all sessions together. */
  readonly inAll: number;
  /** What every session may have, even when `inAll` is used up. */
  readonly reserved: number;
}

/** How many bytes a router keeps, for each session and for all, unless the config says otherwise. */
export const BUDGET_LIMITS: BudgetLimits = {
  // The same as the default of `max_unsent_bytes`.
  perSession: 16 * 1024 * 1024,
  inAll: 256 * 1024 * 1024,
  reserved: 64 * 1024,
};

/** The account of what is kept for sessions. */
export class Budget {
  #limits: BudgetLimits;
  /** The bytes of all sessions, of this budget and of those that share it. */
  readonly #pot: { bytes: number };

  /** @param shared a budget to share `inAll` with: the realms of a router may differ in `perSession`. */
  constructor(limits: BudgetLimits = BUDGET_LIMITS, shared?: Budget) {
    this.#limits = limits;
    this.#pot = shared === undefined ? { bytes: 0 } : shared.#pot;
  }

  get limits(): BudgetLimits {
    return this.#limits;
  }

  /** From now on a session may have so many bytes. What it has beyond that is not taken from it. */
  limit(perSession: number): void {
    this.#limits = { ...this.#limits, perSession };
  }

  /** How many bytes are kept for all sessions. */
  get keptBytes(): number {
    return this.#pot.bytes;
  }

  /** Charges a session. @returns false when it would exceed a limit: then nothing is charged, and nothing may be kept. */
  take(session: Charged, bytes: number): boolean {
    const { perSession, inAll, reserved } = this.#limits;
    const kept = session.keptBytes + bytes;
    if (kept > perSession || (kept > reserved && this.#pot.bytes + bytes > inAll)) return false;
    session.keptBytes = kept;
    this.#pot.bytes += bytes;
    return true;
  }

  /**
   * As {@link take}, for what is useful but not necessary to keep. It uses at most half of what the session may have, so that
   * the rest stays for what is necessary.
   */
  takeSpare(session: Charged, bytes: number): boolean {
    const { perSession, inAll, reserved } = this.#limits;
    const most = this.#pot.bytes * 2 > inAll ? reserved : perSession;
    return (session.keptBytes + bytes) * 2 <= most && this.take(session, bytes);
  }

  /** Gives back what {@link take} charged. */
  give(session: Charged, bytes: number): void {
    session.keptBytes -= bytes;
    this.#pot.bytes -= bytes;
  }
}

/**
 * Decisions of an authorizer for one session that it allowed to be used again. Bounded in time, so that it may change its
 * mind, and in number, because the client chooses the URIs.
 */
import type { Scheduler } from '../../router/observer.js';
import type { Permission } from '../../router/permission.js';

/** How long a decision holds, in milliseconds. Crossbar.io keeps them for ever. */
export const DECISION_LIFETIME_MS = 60_000;
/** How many decisions are kept for one session; the oldest makes room. */
export const MAX_DECISIONS = 1000;

interface Decision {
  readonly permission: Permission;
  /** When it does not hold any more, as the scheduler counts. */
  readonly expires: number;
  /** Of the authorizers of the realm: a decision of one that is gone no longer counts. */
  readonly version: number;
}

export class DecisionCache {
  readonly #scheduler: Scheduler;
  // request -> decision, the oldest first
  readonly #decisions = new Map<string, Decision>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** @param version of the authorizers of the realm, as it is now. */
  find(key: string, version: number): Permission | undefined {
    const decision = this.#decisions.get(key);
    if (decision === undefined) return undefined;
    if (decision.version === version && decision.expires > this.#scheduler.elapsed()) return decision.permission;
    this.#decisions.delete(key);
    return undefined;
  }

  /** @param version of the authorizers of the realm when the question was put. */
  keep(key: string, permission: Permission, version: number): void {
    this.#decisions.delete(key);
    this.#decisions.set(key, { permission, expires: this.#scheduler.elapsed() + DECISION_LIFETIME_MS, version });
    if (this.#decisions.size <= MAX_DECISIONS) return;
    for (const oldest of this.#decisions.keys()) {
      this.#decisions.delete(oldest);
      break;
    }
  }
}

/**
 * SUBSCRIBEs that wait for the uplink, because this node did not receive the events of their pattern before. The session is
 * not subscribed meanwhile: no EVENT may come before SUBSCRIBED (section "Ordering Guarantees"). Later requests of the session
 * are served at once: that section says nothing of the order of answers. Sessions that ask for the same pattern wait for the
 * same answer, and are subscribed in the order in which they asked.
 */
import type { RouterSession } from '../session.js';
import type { Subscription } from './subscriptions.js';

/** A SUBSCRIBE that waits. */
export interface Asked {
  readonly session: RouterSession;
  readonly requestId: number;
  readonly getRetained: boolean;
}

/** A pattern that the uplink was asked for. */
export interface PendingSubscription {
  /** It has no members before the answer. */
  readonly subscription: Subscription;
  /** In order; never empty. */
  asked: Asked[];
}

export class PendingSubscriptions {
  // Two views of one relation.
  // match policy and URI -> what waits for it
  readonly #byPattern = new Map<string, PendingSubscription>();
  // session -> what it waits for
  readonly #bySession = new Map<RouterSession, Set<PendingSubscription>>();

  /** How many patterns the uplink was asked for. */
  get size(): number {
    return this.#byPattern.size;
  }

  get(subscription: Pick<Subscription, 'match' | 'uri'>): PendingSubscription | undefined {
    return this.#byPattern.get(keyOf(subscription));
  }

  countOf(session: RouterSession): number {
    return this.#bySession.get(session)?.size ?? 0;
  }

  isWaiting(session: RouterSession, pending: PendingSubscription): boolean {
    return this.#bySession.get(session)?.has(pending) === true;
  }

  begin(subscription: Subscription): PendingSubscription {
    const pending = { subscription, asked: [] };
    this.#byPattern.set(keyOf(subscription), pending);
    return pending;
  }

  add(pending: PendingSubscription, asked: Asked): void {
    pending.asked.push(asked);
    const own = this.#bySession.get(asked.session) ?? new Set();
    this.#bySession.set(asked.session, own.add(pending));
  }

  /** The uplink has answered. @returns false when the sessions have left; those that asked later get an answer of their own. */
  end(pending: PendingSubscription): boolean {
    if (this.#byPattern.get(keyOf(pending.subscription)) !== pending) return false;
    this.#byPattern.delete(keyOf(pending.subscription));
    for (const { session } of pending.asked) this.#drop(session, pending);
    return true;
  }

  /** Removes a session that has left. @returns what it waited for, and whether it was the last to do so. */
  leave(session: RouterSession): { readonly subscription: Subscription; readonly isLast: boolean }[] {
    const left = [...(this.#bySession.get(session) ?? [])];
    this.#bySession.delete(session);
    return left.map((pending) => {
      pending.asked = pending.asked.filter((each) => each.session !== session);
      const isLast = pending.asked.length === 0;
      if (isLast) this.#byPattern.delete(keyOf(pending.subscription));
      return { subscription: pending.subscription, isLast };
    });
  }

  #drop(session: RouterSession, pending: PendingSubscription): void {
    const own = this.#bySession.get(session);
    if (own?.delete(pending) === true && own.size === 0) this.#bySession.delete(session);
  }
}

function keyOf({ match, uri }: Pick<Subscription, 'match' | 'uri'>): string {
  return `${match} ${uri}`;
}

/**
 * REGISTERs that wait for the uplink, which asks the other nodes. One is asked about at a time for each pattern: those that
 * come for the same pattern meanwhile, of any session, wait in order and are served behind it. So what is decided about one
 * is known when the next is looked at, as on a node alone.
 */
import type { Register } from '../../wamp/message.js';
import type { RouterSession } from '../session.js';
import type { RegistrationClaim, WantedPattern } from '../uplink.js';

/** A REGISTER that waits. */
export interface AskedRegistration {
  readonly session: RouterSession;
  readonly message: Register;
}

/** A pattern that is asked about. */
export interface PendingRegistration {
  readonly asked: AskedRegistration;
  /** What the uplink was told of it. */
  readonly claim: RegistrationClaim;
  /** What waits behind it, in order. */
  readonly behind: Set<AskedRegistration>;
}

export class PendingRegistrations {
  // Two views of one relation.
  // match policy and URI -> what is asked about
  readonly #byPattern = new Map<string, PendingRegistration>();
  // session -> its REGISTERs that wait, and what each waits for; no map is empty
  readonly #bySession = new Map<RouterSession, Map<AskedRegistration, PendingRegistration>>();

  /** How many patterns are asked about. */
  get size(): number {
    return this.#byPattern.size;
  }

  get(pattern: WantedPattern): PendingRegistration | undefined {
    return this.#byPattern.get(keyOf(pattern));
  }

  /** @returns how many REGISTERs of a session wait. */
  countOf(session: RouterSession): number {
    return this.#bySession.get(session)?.size ?? 0;
  }

  begin(asked: AskedRegistration, claim: RegistrationClaim): PendingRegistration {
    const pending = { asked, claim, behind: new Set<AskedRegistration>() };
    this.#byPattern.set(keyOf(claim), pending);
    this.#note(asked, pending);
    return pending;
  }

  wait(asked: AskedRegistration, pending: PendingRegistration): void {
    pending.behind.add(asked);
    this.#note(asked, pending);
  }

  /** The answer is there, or nobody waits for it any more. @returns false when that was so before. */
  end(pending: PendingRegistration): boolean {
    if (this.#byPattern.get(keyOf(pending.claim)) !== pending) return false;
    this.#byPattern.delete(keyOf(pending.claim));
    this.#drop(pending.asked);
    return true;
  }

  /** A REGISTER that waited behind another is served. */
  next(asked: AskedRegistration, pending: PendingRegistration): void {
    pending.behind.delete(asked);
    this.#drop(asked);
  }

  /** A session is gone. @returns its REGISTERs that waited, and what each waited for. */
  leave(session: RouterSession): ReadonlyMap<AskedRegistration, PendingRegistration> {
    const left = this.#bySession.get(session) ?? new Map<AskedRegistration, PendingRegistration>();
    for (const [asked, pending] of left) pending.behind.delete(asked);
    this.#bySession.delete(session);
    return left;
  }

  #note(asked: AskedRegistration, pending: PendingRegistration): void {
    const own = this.#bySession.get(asked.session) ?? new Map<AskedRegistration, PendingRegistration>();
    this.#bySession.set(asked.session, own.set(asked, pending));
  }

  #drop(asked: AskedRegistration): void {
    const own = this.#bySession.get(asked.session);
    if (own?.delete(asked) === true && own.size === 0) this.#bySession.delete(asked.session);
  }
}

function keyOf({ match, uri }: WantedPattern): string {
  return `${match} ${uri}`;
}

/**
 * All registrations of a realm: who is registered, and which registration a call goes to (section "Pattern-based
 * Registrations"): the exact one, else the one with the longest prefix, else the best wildcard.
 *
 * URIs of the router itself (`wamp.`) are never looked up among patterns, so no pattern can take them over.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { isReservedUri, quoted } from '../../wamp/uri.js';
import { PatternIndex } from '../pattern-index.js';
import { Registration } from './registration.js';
import type { InvocationPolicy, RegisterOptions } from '../../wamp/message.js';
import type { Match } from '../../wamp/uri.js';
import type { Callee, DealerSession } from './call-state.js';
import type { IdsByMatch } from '../observer.js';
import type { CountByMatch } from '../pattern-index.js';
import type { AdmittedStanding, RegistrationClaim } from '../uplink.js';

export interface RegistrationsDeps {
  /** Gives a registration its id, where the other nodes have not agreed on one. */
  readonly newId: () => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

export class Registrations {
  readonly #deps: RegistrationsDeps;
  // Two views of one relation, always changed together with `DealerSession.callees`; a registration without callees is in none.
  // procedure or pattern -> registration
  readonly #index = new PatternIndex<Registration>();
  // registration id -> registration
  readonly #byId = new Map<number, Registration>();

  constructor(deps: RegistrationsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: number): Registration | undefined {
    return this.#byId.get(id);
  }

  lookup(uri: string, match: Match): Registration | undefined {
    return this.#index.get(match, uri);
  }

  /** @returns the one registration that a call of `uri` goes to. */
  best(uri: string): Registration | undefined {
    const exact = this.#index.exact(uri);
    if (exact !== undefined || !this.#index.hasPatterns || isReservedUri(uri)) return exact;
    return this.#index.longestPrefix(uri) ?? this.#index.bestWildcard(uri);
  }

  /** How many registrations there are, by match policy. */
  get byMatch(): CountByMatch {
    return this.#index.sizes;
  }

  /** All there are, in order of creation. */
  get byId(): ReadonlyMap<number, Registration> {
    return this.#byId;
  }

  list(): IdsByMatch {
    const ids: Record<Match, number[]> = { exact: [], prefix: [], wildcard: [] };
    for (const { id, match } of this.#byId.values()) ids[match].push(id);
    return ids;
  }

  /**
   * @param among what the nodes have agreed on; undefined where nobody was asked.
   * @returns a registration that has no callee yet; the caller adds the first one at once.
   */
  create(
    uri: string,
    { match = 'exact', invoke = 'single' }: RegisterOptions,
    among?: Pick<AdmittedStanding, 'createdMs' | 'id'>,
  ): Registration {
    const { id, createdMs } = among ?? { id: this.#deps.newId(), createdMs: this.#deps.clock() };
    const registration = new Registration({ id, created: new Date(createdMs).toISOString(), uri, match, invoke });
    this.#index.set(match, uri, registration);
    this.#byId.set(registration.id, registration);
    return registration;
  }

  /**
   * Adds a session to the callees of a registration.
   * @param claim what the other nodes were told.
   * @param place see {@link Callee}; by default behind all others.
   */
  join(
    registration: Registration,
    party: DealerSession,
    options: RegisterOptions,
    claim: RegistrationClaim | undefined,
    place = Infinity,
  ): Callee {
    const callee = {
      party,
      registration,
      claim,
      place,
      disclose: options.disclose_caller === true,
      forwardTimeout: options.forward_timeout === true && party.session.announced('callee', 'call_timeout'),
      // 0 asks for no limit, as leaving it out does.
      concurrency: options.concurrency === undefined || options.concurrency === 0 ? Infinity : options.concurrency,
      running: 0,
    };
    registration.add(callee);
    party.callees.set(registration, callee);
    return callee;
  }

  /** @returns whether the registration went with its last callee. */
  leave(callee: Callee): boolean {
    const { party, registration } = callee;
    party.callees.delete(registration);
    registration.remove(callee);
    if (registration.members.length > 0) return false;
    this.#index.delete(registration.match, registration.uri);
    this.#byId.delete(registration.id);
    return true;
  }
}

/**
 * Whether one more callee may share a registration.
 * @throws WampError when it may not: only registrations with the same policy are shared, and `single` never is.
 */
export function checkShared(registration: Registration, asked: InvocationPolicy): void {
  const { invoke, uri } = registration;
  if (invoke === 'single') {
    throw new WampError(ErrorUri.PROCEDURE_ALREADY_EXISTS, `procedure ${quoted(uri)} is already registered`);
  }
  if (invoke !== asked) {
    throw new WampError(
      ErrorUri.PROCEDURE_EXISTS_WITH_DIFFERENT_POLICY,
      `procedure ${quoted(uri)} is registered with invoke "${invoke}", "${asked}" was asked for`,
    );
  }
}

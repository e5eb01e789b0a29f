/**
 * The procedures of a realm that decide about others: the authenticators and authorizers of the config. Their callees see
 * tickets and decide who is let in. So each procedure belongs to one role: the one that the config names, else the first that
 * registers it while the node runs. Other roles cannot register it, take it over or share it. While it has no callee, calls
 * would go to a pattern that covers it; the router does not ask the callees of such a pattern if they have another role.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';
import type { Role } from './role.js';
import type { RouterSession } from './session.js';

/** A procedure that decides. */
export interface Decider {
  readonly procedure: string;
  /** Undefined: it is called on the realm that the client asks for, which may be any. */
  readonly realm: string | undefined;
  /** The role that may register it; undefined where the config names none. */
  readonly role: string | undefined;
}

/** @returns the procedures that decide on a realm: the authorizers of its roles, and the `authenticators` that are for it. */
export function decidersOf(
  realm: string,
  roles: Iterable<Pick<Role, 'authorizer' | 'authorizerCalleeRole'>>,
  authenticators: readonly Decider[] = [],
): Omit<Decider, 'realm'>[] {
  const authorizers = [...roles].flatMap(({ authorizer: procedure, authorizerCalleeRole: role }) => {
    return procedure === undefined ? [] : [{ procedure, role }];
  });
  return [...authorizers, ...authenticators.filter((each) => each.realm === undefined || each.realm === realm)];
}

/** Which role each procedure that decides belongs to. */
export class Deciders {
  // procedure -> the roles that may register it: those of the config, or the first that did; empty until then
  readonly #roles = new Map<string, Set<string>>();
  /** Those of {@link #roles} for which the config names no role. */
  readonly #unnamed = new Set<string>();

  constructor(deciders: Iterable<Omit<Decider, 'realm'>> = []) {
    this.replace(deciders);
  }

  /**
   * Replaces the procedures that decide. A procedure for which the config names no role, neither before nor now, stays with
   * the role that registered it first.
   */
  replace(deciders: Iterable<Omit<Decider, 'realm'>>): void {
    const before = new Map([...this.#roles].filter(([procedure]) => this.#unnamed.has(procedure)));
    this.#roles.clear();
    this.#unnamed.clear();
    for (const { procedure, role } of deciders) {
      const roles = this.#roles.get(procedure) ?? new Set();
      this.#roles.set(procedure, role === undefined ? roles : roles.add(role));
    }
    for (const [procedure, roles] of this.#roles) {
      if (roles.size > 0) continue;
      this.#unnamed.add(procedure);
      for (const role of before.get(procedure) ?? []) roles.add(role);
    }
  }

  /**
   * Checks what is registered already, after {@link replace}. A procedure without a role now belongs to the role of its first
   * callee.
   * @param lookup finds the registration of exactly this procedure.
   * @returns the callees that could not register it now.
   */
  recheck(lookup: (procedure: string) => RegistrationView | undefined): (readonly [RegistrationView, RouterSession])[] {
    const foreign: (readonly [RegistrationView, RouterSession])[] = [];
    for (const [procedure, roles] of this.#roles) {
      const registration = lookup(procedure);
      if (registration === undefined) continue;
      const [first] = registration.callees;
      if (roles.size === 0 && first !== undefined) roles.add(first.authrole);
      for (const callee of registration.callees) {
        if (!roles.has(callee.authrole)) foreign.push([registration, callee]);
      }
    }
    return foreign;
  }

  /** @throws WampError when the session may not register the procedure. */
  check({ authrole }: Pick<RouterSession, 'authrole'>, { uri, match }: Pick<RegistrationView, 'uri' | 'match'>): void {
    if (match !== 'exact' || this.#isFor(uri, authrole)) return;
    const text = `${quoted(uri)} decides about others, and is not for role "${authrole}" to register`;
    throw new WampError(ErrorUri.NOT_AUTHORIZED, text);
  }

  /** @returns whether the router may ask the callees of this registration, to which calls of `procedure` go. */
  trusts(procedure: string, { callees }: RegistrationView): boolean {
    return callees.every(({ authrole }) => this.#isFor(procedure, authrole));
  }

  /** @returns an observer that notes which role registers a procedure first, and then calls `inner`. */
  before(inner: RegistrationObserver): RegistrationObserver {
    return {
      created: (session, registration) => {
        const roles = registration.match === 'exact' ? this.#roles.get(registration.uri) : undefined;
        if (roles?.size === 0) roles.add(session.authrole);
        inner.created(session, registration);
      },
      joined: (session, registration) => inner.joined(session, registration),
      left: (session, registration) => inner.left(session, registration),
      deleted: (session, registration) => inner.deleted(session, registration),
    };
  }

  #isFor(procedure: string, role: string): boolean {
    const roles = this.#roles.get(procedure);
    return roles === undefined || roles.size === 0 || roles.has(role);
  }
}

/**
 * The procedures of a realm that decide about others: authenticators and authorizers of the config. Whoever provides one sees
 * tickets and says who comes in, so it belongs to one role: that of the config, else the first that registers it while the
 * node runs. Nobody else can register it then, take it over or share it; and a pattern of somebody else, which calls would go
 * to while it is away, is not asked.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';
import type { RouterSession } from './session.js';

/** A procedure that decides. */
export interface Decider {
  readonly procedure: string;
  /** Undefined: the realm that a client asks for, so any. */
  readonly realm: string | undefined;
  /** The role that provides it, where the config says so. */
  readonly role: string | undefined;
}

export class Deciders {
  // procedure -> the roles that may provide it: those of the config, or the first one; empty until then
  readonly #roles = new Map<string, Set<string>>();

  constructor(deciders: Iterable<Omit<Decider, 'realm'>>) {
    for (const { procedure, role } of deciders) {
      const roles = this.#roles.get(procedure) ?? new Set();
      this.#roles.set(procedure, role === undefined ? roles : roles.add(role));
    }
  }

  get isEmpty(): boolean {
    return this.#roles.size === 0;
  }

  /** @throws WampError when the session may not register the procedure. */
  check({ authrole }: RouterSession, { uri, match }: Pick<RegistrationView, 'uri' | 'match'>): void {
    if (match !== 'exact' || this.#isFor(uri, authrole)) return;
    const text = `${quoted(uri)} decides about others, and is not for role "${authrole}" to register`;
    throw new WampError(ErrorUri.NOT_AUTHORIZED, text);
  }

  /** @returns whether the router may ask the callees of this registration, to which calls of `procedure` go. */
  trusts(procedure: string, { callees }: RegistrationView): boolean {
    return callees.every(({ authrole }) => this.#isFor(procedure, authrole));
  }

  /** @returns an observer that notes whom a procedure belongs to, and hands on to `inner`. */
  before(inner: RegistrationObserver): RegistrationObserver {
    if (this.isEmpty) return inner;
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

/**
 * Notices when the procedures that decide for a realm's roles come, change and go: what they decided before no longer
 * counts then.
 */
import { covers } from './pattern-relations.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';
import type { RoleConfig } from './schema.js';
import type { RouterSession } from './session.js';

export class AuthorizerWatch {
  readonly #procedures: ReadonlySet<string>;
  #version = 0;

  constructor(roles: readonly RoleConfig[]) {
    const procedures = roles.map(({ authorizer }) => authorizer).filter((procedure) => procedure !== undefined);
    this.#procedures = new Set(procedures);
  }

  /** Another one whenever an authorizer of the realm may be another one. */
  get version(): number {
    return this.#version;
  }

  /** @returns an observer that looks first, and then hands on to `inner`. */
  before(inner: RegistrationObserver): RegistrationObserver {
    if (this.#procedures.size === 0) return inner;
    const then =
      (what: keyof RegistrationObserver) =>
      (session: RouterSession, registration: RegistrationView): void => {
        this.#look(registration);
        inner[what](session, registration);
      };
    return { created: then('created'), joined: then('joined'), left: then('left'), deleted: then('deleted') };
  }

  #look(registration: RegistrationView): void {
    for (const uri of this.#procedures) {
      if (covers(registration, { uri, match: 'exact' })) this.#version++;
    }
  }
}

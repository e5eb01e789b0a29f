/**
 * Notices when the procedures that decide for a realm's roles come, change and go: what they decided before no longer
 * counts then.
 */
import { covers } from './pattern-relations.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';
import type { Role } from './role.js';
import type { RouterSession } from './session.js';

export class AuthorizerWatch {
  #procedures: ReadonlySet<string> = new Set();
  #version = 0;

  /** Another one whenever an authorizer of the realm may be another one. */
  get version(): number {
    return this.#version;
  }

  /** The roles are these from now on. What was decided before no longer counts. */
  watch(roles: Iterable<Pick<Role, 'authorizer'>>): void {
    this.#version++;
    this.#procedures = new Set([...roles].map(({ authorizer }) => authorizer).filter((uri) => uri !== undefined));
  }

  /** @returns an observer that looks first, and then hands on to `inner`. */
  before(inner: RegistrationObserver): RegistrationObserver {
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

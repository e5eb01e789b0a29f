/**
 * Notices when the authorizers of a realm's roles are registered, change their callees or are unregistered. Decisions that
 * were kept until then are outdated.
 */
import { covers } from './pattern-relations.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';
import type { Role } from './role.js';
import type { RouterSession } from './session.js';

/** A version number for the decisions of a realm's authorizers. */
export class AuthorizerWatch {
  #procedures: ReadonlySet<string> = new Set();
  #version = 0;

  /** Changes whenever an authorizer of the realm may have changed. */
  get version(): number {
    return this.#version;
  }

  /** Watches the authorizers of these roles from now on. Changes the version. */
  watch(roles: Iterable<Pick<Role, 'authorizer'>>): void {
    this.#version++;
    this.#procedures = new Set([...roles].map(({ authorizer }) => authorizer).filter((uri) => uri !== undefined));
  }

  /** @returns an observer that changes the version where necessary, and then calls `inner`. */
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

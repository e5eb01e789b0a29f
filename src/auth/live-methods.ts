/**
 * The authentication methods of a transport, behind an object that stays while the methods are replaced. Open sessions are not
 * touched, and a client that is in the middle of a method goes on with it.
 */
import type { AuthMethod, AuthMethodLookup } from './method.js';

/** The authentication methods of a transport, which can be replaced while it runs. */
export class LiveAuthMethods implements AuthMethodLookup {
  #current: AuthMethodLookup;

  constructor(methods: AuthMethodLookup) {
    this.#current = methods;
  }

  /** Takes effect with the next HELLO. */
  replace(methods: AuthMethodLookup): void {
    this.#current = methods;
  }

  get(name: string): AuthMethod | undefined {
    return this.#current.get(name);
  }

  has(name: string): boolean {
    return this.#current.has(name);
  }
}

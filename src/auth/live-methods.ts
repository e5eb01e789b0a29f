/**
 * The authentication methods of a transport, behind an object that stays: a node that runs can be given others. Sessions
 * that are on are not touched, and a client that is in the middle of a method goes on with it.
 */
import type { AuthMethod, AuthMethodLookup } from './method.js';

/** The authentication methods of a transport, which can be exchanged while it runs. */
export class LiveAuthMethods implements AuthMethodLookup {
  #current: AuthMethodLookup;

  constructor(methods: AuthMethodLookup) {
    this.#current = methods;
  }

  /** What the next HELLO finds. */
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

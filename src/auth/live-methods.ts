/**
 * The authentication methods of a transport, behind an object that stays while the methods are replaced. Open sessions are not
 * touched, and a client that is in the middle of a method goes on with it.
 */
import type { AuthMethod, AuthMethodLookup } from './method.js';

/** What several share that follow each other: the last one says which methods are in force. */
interface InForce {
  methods: AuthMethodLookup;
}

/** The authentication methods of a transport, which can be replaced while it runs. */
export class LiveAuthMethods implements AuthMethodLookup {
  #inForce: InForce;

  constructor(methods: AuthMethodLookup) {
    this.#inForce = { methods };
  }

  /** What is asked now: another object when the methods are others. */
  get current(): AuthMethodLookup {
    return this.#inForce.methods;
  }

  /** Takes effect with the next HELLO. */
  replace(methods: AuthMethodLookup): void {
    this.#inForce.methods = methods;
  }

  /** The methods of a successor hold from now on, and those of its successors: there is no chain of all that were in between. */
  follow(successor: LiveAuthMethods): void {
    this.#inForce.methods = successor.#inForce.methods;
    successor.#inForce = this.#inForce;
  }

  get(name: string): AuthMethod | undefined {
    return this.current.get(name);
  }

  has(name: string): boolean {
    return this.current.has(name);
  }
}

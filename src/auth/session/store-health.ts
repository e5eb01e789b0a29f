/** Says once that a store of web sessions is not available, and once that it is again, however often it is asked meanwhile. */
import { messageOf } from '../../system/error.js';
import { StoreUnavailable } from './store.js';
import type { StoreDeps } from './store.js';

/** Of one store. */
export class StoreHealth {
  readonly #log: StoreDeps['log'];
  readonly #store: string;
  /** What was said since the store was available last. */
  readonly #said = new Set<string>();

  /** @param store the word of the config for it. */
  constructor(store: string, log: StoreDeps['log']) {
    this.#store = store;
    this.#log = log;
  }

  /** It failed. Each reason is told once. */
  failed(error: unknown): void {
    // That nobody answers is no news where it is known why.
    if (error instanceof StoreUnavailable && this.#said.size > 0) return;
    const fault = faultOf(error);
    if (this.#said.has(fault) || this.#said.size >= MAX_SAID) return;
    this.#said.add(fault);
    this.#log.warn({ store: this.#store, fault }, 'session store is not available, its users are refused');
  }

  /** It answered. */
  answered(): void {
    if (this.#said.size === 0) return;
    this.#said.clear();
    this.#log.info({ store: this.#store }, 'session store is available again');
  }
}

/** Reasons are few; a text with a number in it could make them many. */
const MAX_SAID = 5;
const MAX_FAULT_CHARACTERS = 300;

/** Several addresses of one host give an error that has no text of its own. */
function faultOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return messageOf(first).slice(0, MAX_FAULT_CHARACTERS);
}

/**
 * Who hears of the callees of nodes that are gone, once this node has cleaned up behind them. That may be before their realm is there: a
 * node that was killed and comes back at once cleans up behind its own earlier life while it starts. So what nobody hears is kept until
 * the realm is there, or until there is too much of it: this node may never have the realm.
 */
import type { HeldEntry } from './entry.js';

/** Of a realm that is not there, so many are kept. */
const MAX_UNTOLD = 10_000;

/** @param isLast whether there is no other callee, see `publicCallees` */
export type LostCallee = (entry: HeldEntry, isLast: boolean) => void;

export class LostCallees {
  readonly #listeners = new Map<string, LostCallee>();
  // realm that is not there -> what it will hear
  readonly #untold = new Map<string, Parameters<LostCallee>[]>();

  tell(entry: HeldEntry, isLast: boolean): void {
    const listener = this.#listeners.get(entry.realm);
    if (listener !== undefined) return listener(entry, isLast);
    const untold = this.#untold.get(entry.realm) ?? [];
    this.#untold.set(entry.realm, untold);
    if (untold.length < MAX_UNTOLD) untold.push([entry, isLast]);
  }

  /** The realm is there: what happened before is told at once. */
  listen(realm: string, listener: LostCallee): void {
    this.#listeners.set(realm, listener);
    const untold = this.#untold.get(realm) ?? [];
    this.#untold.delete(realm);
    for (const each of untold) listener(...each);
  }

  /** The realm is gone. */
  unlisten(realm: string): void {
    this.#listeners.delete(realm);
  }
}

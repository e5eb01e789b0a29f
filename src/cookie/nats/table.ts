/**
 * The cookies of a bucket, as the changes that were told so far left them. Every node gets the same changes in the same order, so all
 * decide alike. Pure.
 *
 *     nothing --version 0--> record --version n--> record ... --> forward --> gone
 *                                                         \--------------------> gone
 *
 * Versions are told in order. One that is not above the last counts as nothing: a slow node wrote it after others had erased the
 * old ones.
 */
import { isExpired } from '../expiry.js';
import { isForward, MAX_FORWARDS } from '../store.js';
import { decodeVersion, hashOf, isGone, textOf } from './values.js';
import type { CookieEntry, CookieRecord } from '../store.js';
import type { Gone, Held } from './values.js';

/** What is known of one id. */
export interface Slot {
  /** The last version; -1 before the first. */
  version: number;
  /** The lowest version that is still in the bucket. */
  first: number;
  /** Undefined where the last version cannot be read. */
  held: Held | undefined;
  /** When the browser was last seen, by a note apart from the versions. */
  seen: string | null;
  /** The hash of the id that this one takes the place of, as long as it does not do so yet. */
  waitsFor: string | undefined;
  /** The hash of the id whose place this one took. */
  from: string | undefined;
  /** When the last version came, in milliseconds since 1970. */
  at: number;
  /** What tells the last version from others of its number, and the one before it; 0: none was told. */
  print: number;
  printBefore: number;
}

/** Why keys may be erased: all of an id, or the versions that later ones replaced. */
export type Outdated = 'all' | 'replaced';

/**
 * How long old versions, and marks, stay for nodes that are slow, in milliseconds: far longer than a request takes, and than clocks are
 * apart.
 */
export const MARGIN_MS = 60 * 60 * 1000;

export class Table {
  // hash of an id -> what is known of it
  readonly #slots = new Map<string, Slot>();

  get size(): number {
    return this.#slots.size;
  }

  slots(): IterableIterator<[string, Slot]> {
    return this.#slots.entries();
  }

  at(hash: string): Slot | undefined {
    return this.#slots.get(hash);
  }

  /** @returns the record or forward of an id; undefined when there is none, also where a mark says that it is gone. */
  entry(hash: string): CookieEntry | undefined {
    const slot = this.#slots.get(hash);
    const held = slot?.held;
    return slot === undefined || held === undefined || isGone(held) || slot.waitsFor !== undefined ? undefined : held;
  }

  drop(hash: string): void {
    this.#slots.delete(hash);
  }

  /**
   * A version was told.
   * @param value undefined: somebody deleted it by hand.
   * @returns the mark, where a cookie is gone by it.
   */
  version(hash: string, version: number, value: Uint8Array | undefined, nowMs: number): Gone | undefined {
    const slot = this.#slot(hash, nowMs);
    if (value === undefined) {
      if (version >= slot.version) this.#slots.delete(hash);
      return undefined;
    }
    // A successor that does not count yet may be written again, by the one node that knows of it.
    if (version < slot.version || (version === slot.version && slot.waitsFor === undefined)) return undefined;
    if (slot.version === -1) slot.first = version;
    const { held, from } = decodeVersion(value);
    const isWaiting = from !== undefined && !this.#leadsTo(from, hash);
    const printBefore = version === slot.version + 1 ? slot.print : version === slot.version ? slot.printBefore : 0;
    const print = printOf(value);
    Object.assign(slot, { version, held, waitsFor: isWaiting ? from : undefined, at: nowMs, print, printBefore });
    if (from !== undefined) slot.from = from;
    this.#mergeSeen(slot);
    if (held === undefined) return undefined;
    if (isGone(held)) return held;
    if (isForward(held)) this.#moved(hash, hashOf(held.moved_to), nowMs);
    return undefined;
  }

  /** A browser was seen. */
  seen(hash: string, value: Uint8Array | undefined, nowMs: number): void {
    if (value === undefined) return;
    const slot = this.#slot(hash, nowMs);
    slot.seen = later(slot.seen, textOf(value));
    this.#mergeSeen(slot);
  }

  /** @returns the id that is gone, and those whose place it took, one after the other. */
  idsOf(hash: string): string[] {
    const ids: string[] = [];
    let slot = this.#slots.get(hash);
    for (let steps = 0; steps <= MAX_FORWARDS && slot?.held !== undefined; steps += 1) {
      ids.push(isGone(slot.held) ? slot.held.gone : slot.held.cbtid);
      slot = slot.from === undefined ? undefined : this.#slots.get(slot.from);
    }
    return ids;
  }

  /** @returns the record that an id leads to. */
  end(hash: string): CookieRecord | undefined {
    let entry = this.entry(hash);
    for (let steps = 0; steps < MAX_FORWARDS && entry !== undefined && isForward(entry); steps += 1) {
      entry = this.entry(hashOf(entry.moved_to));
    }
    return entry === undefined || isForward(entry) ? undefined : entry;
  }

  /** @returns what of an id may be erased; undefined: nothing. */
  outdated(hash: string, slot: Slot, nowMs: number): Outdated | undefined {
    const { held, at, version, first } = slot;
    const isOld = nowMs - at > MARGIN_MS;
    // Only a note that came too late, or the successor of a rotation that did not happen.
    if (version === -1 || slot.waitsFor !== undefined) return isOld ? 'all' : undefined;
    // Damaged: for `crossbar-ts cookies verify`.
    if (held === undefined) return undefined;
    if (isGone(held)) return nowMs > held.until && !this.#isVouched(hash, held.movedTo) ? 'all' : undefined;
    if (isForward(held)) {
      const isNeeded = this.end(hash) !== undefined || this.#isVouched(hash, hashOf(held.moved_to));
      return isOld && !isNeeded ? 'all' : undefined;
    }
    if (isExpired(held, nowMs - MARGIN_MS)) return 'all';
    return isOld && first < version ? 'replaced' : undefined;
  }

  /** The first version of the successor counts only as long as this id leads there. */
  #isVouched(hash: string, movedTo: string | undefined): boolean {
    const successor = movedTo === undefined ? undefined : this.#slots.get(movedTo);
    return successor?.version === 0 && successor.from === hash;
  }

  #slot(hash: string, nowMs: number): Slot {
    let slot = this.#slots.get(hash);
    if (slot === undefined) {
      slot = {
        ...{ version: -1, first: 0, held: undefined, seen: null, waitsFor: undefined, from: undefined, at: nowMs },
        ...{ print: 0, printBefore: 0 },
      };
      this.#slots.set(hash, slot);
    }
    return slot;
  }

  #leadsTo(from: string, hash: string): boolean {
    const held = this.#slots.get(from)?.held;
    if (held === undefined) return false;
    if (isGone(held)) return held.movedTo === hash;
    return isForward(held) && hashOf(held.moved_to) === hash;
  }

  #moved(hash: string, successor: string, nowMs: number): void {
    const slot = this.#slot(successor, nowMs);
    slot.from = hash;
    if (slot.waitsFor === hash) slot.waitsFor = undefined;
  }

  #mergeSeen(slot: Slot): void {
    const { held, seen } = slot;
    if (seen === null || held === undefined || isGone(held) || isForward(held)) return;
    const latest = later(held.seen, seen);
    if (latest !== held.seen) slot.held = { ...held, seen: latest };
  }
}

/** FNV-1a, in 30 bits: such a number takes no memory of its own. */
function printOf(value: Uint8Array): number {
  let print = 0x811c9dc5;
  for (const octet of value) print = Math.imul(print ^ octet, 0x01000193);
  return (print >>> 2) + 1;
}

/** @returns the later of two times, ISO 8601. */
function later(one: string | null, other: string): string {
  return one !== null && one > other ? one : other;
}

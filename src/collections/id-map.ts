/**
 * A map from ids to what is under way, for what comes and goes with every message. It does what a `Map` does, with one
 * difference: a `Map` that is written to makes itself anew every few entries, and leaves the old table pointing to the new
 * one. V8 lets old tables that were there for a while keep everything alive that passed through the later ones, until the
 * next full collection: with a `Map` half of all calls outlive their end. This one changes its table in place.
 *
 * Open addressing with linear probing; what is taken out leaves no mark, because those behind it move up (Knuth, The Art of
 * Computer Programming, volume 3, section 6.4, algorithm R).
 */

/** Slots of a table that is not empty; always a power of two. */
const MIN_SLOTS = 8;
/** A table that was larger than this is given back when it is empty. */
const MAX_KEPT_SLOTS = 1024;
/** 2^32 divided by the golden ratio, and another prime of its kind: spread ids over the table. */
const SPREAD_LOW = 0x9e3779b1;
const SPREAD_HIGH = 0x85ebca77;
const WORD = 4_294_967_296;
/** Clients choose ids: nobody may know which of them want the same slot. */
const SECRET_LOW = Math.floor(Math.random() * WORD);
const SECRET_HIGH = Math.floor(Math.random() * WORD);

/** See above. Ids are integers that are safe. */
export class IdMap<T extends object> {
  /** Which id a slot holds; says nothing about an empty slot. */
  #ids: number[] = [];
  #items: (T | undefined)[] = [];
  #size = 0;
  /** How many bits of a hash are too many. */
  #shift = 32;

  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  get(id: number): T | undefined {
    return this.#size === 0 ? undefined : this.#items[this.#find(id)];
  }

  set(id: number, item: T): void {
    if (this.#size * 2 >= this.#items.length) this.#resize(Math.max(MIN_SLOTS, this.#items.length * 2));
    const slot = this.#find(id);
    if (this.#items[slot] === undefined) this.#size += 1;
    this.#ids[slot] = id;
    this.#items[slot] = item;
  }

  /** @returns whether there was something. */
  delete(id: number): boolean {
    if (this.#size === 0) return false;
    const slot = this.#find(id);
    if (this.#items[slot] === undefined) return false;
    this.#size -= 1;
    if (this.#size === 0 && this.#items.length > MAX_KEPT_SLOTS) this.#clear();
    else this.#close(slot);
    return true;
  }

  /** @returns all items, in no order: a list of its own, which later changes of the map leave alone. */
  values(): T[] {
    return this.#items.filter((item) => item !== undefined);
  }

  #clear(): void {
    this.#ids = [];
    this.#items = [];
  }

  /** The upper bits of the product are the good ones. */
  #home(id: number): number {
    const high = (id / WORD) | 0;
    const hash = Math.imul(id ^ SECRET_LOW, SPREAD_LOW) ^ Math.imul(high ^ SECRET_HIGH, SPREAD_HIGH);
    return hash >>> this.#shift;
  }

  /** @returns the slot of the id, or the empty one where it would go. There is always an empty one. */
  #find(id: number): number {
    const items = this.#items;
    const mask = items.length - 1;
    let slot = this.#home(id);
    while (items[slot] !== undefined && this.#ids[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  /** Empties a slot, and moves up those behind it that would not be found any more. */
  #close(slot: number): void {
    const items = this.#items;
    const ids = this.#ids;
    const mask = items.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; ; next = (next + 1) & mask) {
      const item = items[next];
      const id = ids[next] ?? 0;
      if (item === undefined) break;
      // It may stay if its home lies behind the hole.
      if (((next - this.#home(id)) & mask) < ((next - hole) & mask)) continue;
      items[hole] = item;
      ids[hole] = id;
      hole = next;
    }
    items[hole] = undefined;
  }

  #resize(slots: number): void {
    const ids = this.#ids;
    const items = this.#items;
    this.#ids = new Array<number>(slots).fill(0);
    this.#items = new Array<T | undefined>(slots).fill(undefined);
    this.#shift = 32 - Math.log2(slots);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (item === undefined) continue;
      const id = ids[i] ?? 0;
      const slot = this.#find(id);
      this.#ids[slot] = id;
      this.#items[slot] = item;
    }
  }
}

/**
 * A map and a set for what comes and goes all the time, such as connections. They do what `Map` and `Set` do, in the same order, also
 * while somebody goes through them. The difference is what they leave behind. A `Map` that is written to makes itself anew every few
 * entries, and V8 lets its old tables keep alive what passed through the later ones (`id-map.ts`): of each connection that came and went
 * everything outlived its end. These change in place.
 *
 * An entry that was taken out points to the one before it, so that whoever stands there finds the way; never to a later one.
 */
import { IdMap } from './id-map.js';

/** A number, which is its own id, or an object, which gets one. */
type Key = number | object;

const SERIAL = Symbol('serial');

interface Numbered {
  [SERIAL]?: number | undefined;
}

let lastSerial = 0;

function idOf(key: Key): number {
  return typeof key === 'number' ? key : serialOf(key);
}

function serialOf(key: Numbered): number {
  return (key[SERIAL] ??= ++lastSerial);
}

class Entry<K, V> {
  key: K | undefined;
  value: V | undefined;
  before: Entry<K, V> | undefined;
  next: Entry<K, V> | undefined;
  isGone = false;

  constructor(key: K | undefined, value: V | undefined, before: Entry<K, V> | undefined) {
    this.key = key;
    this.value = value;
    this.before = before;
  }
}

/** Keys of one map are all numbers, or all objects that can be extended. */
export class InPlaceMap<K extends Key, V> {
  readonly #entries = new IdMap<Entry<K, V>>();
  /** Stands before the first entry. */
  readonly #start = new Entry<K, V>(undefined, undefined, undefined);
  #last = this.#start;

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(idOf(key));
  }

  get(key: K): V | undefined {
    return this.#entries.get(idOf(key))?.value;
  }

  /** What is there already keeps its place. */
  set(key: K, value: V): this {
    const id = idOf(key);
    const known = this.#entries.get(id);
    if (known !== undefined) {
      known.value = value;
      return this;
    }
    const entry = new Entry<K, V>(key, value, this.#last);
    this.#last.next = entry;
    this.#last = entry;
    this.#entries.set(id, entry);
    return this;
  }

  /** @returns whether it was there. */
  delete(key: K): boolean {
    const id = idOf(key);
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    const { before = this.#start, next } = entry;
    before.next = next;
    if (next === undefined) this.#last = before;
    else next.before = before;
    entry.isGone = true;
    entry.key = undefined;
    entry.value = undefined;
    entry.next = undefined;
    return true;
  }

  clear(): void {
    for (const key of this.keys()) this.delete(key);
  }

  /** @returns the key that is there for longest. */
  get firstKey(): K | undefined {
    return this.#start.next?.key;
  }

  *entries(): Generator<[K, V], undefined> {
    for (let entry = this.#behind(this.#start); entry !== undefined; entry = this.#behind(entry)) {
      yield [entry.key as K, entry.value as V];
    }
  }

  *keys(): Generator<K, undefined> {
    for (let entry = this.#behind(this.#start); entry !== undefined; entry = this.#behind(entry)) yield entry.key as K;
  }

  *values(): Generator<V, undefined> {
    for (let entry = this.#behind(this.#start); entry !== undefined; entry = this.#behind(entry)) {
      yield entry.value as V;
    }
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: InPlaceMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  #behind(entry: Entry<K, V>): Entry<K, V> | undefined {
    let place = entry;
    while (place.isGone) place = place.before ?? this.#start;
    return place.next;
  }
}

/** Members are objects that can be extended. */
export class InPlaceSet<T extends object> {
  readonly #map = new InPlaceMap<T, true>();

  get size(): number {
    return this.#map.size;
  }

  has(member: T): boolean {
    return this.#map.has(member);
  }

  /** What is there already keeps its place. */
  add(member: T): this {
    this.#map.set(member, true);
    return this;
  }

  /** @returns whether it was there. */
  delete(member: T): boolean {
    return this.#map.delete(member);
  }

  /** @returns the member that is there for longest. */
  get first(): T | undefined {
    return this.#map.firstKey;
  }

  [Symbol.iterator](): Generator<T, undefined> {
    return this.#map.keys();
  }
}

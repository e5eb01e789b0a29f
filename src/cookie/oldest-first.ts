/**
 * A Map that knows its oldest keys. V8 leaves deleted entries in the table of a Map until it rebuilds the table, and each
 * iteration from the head walks over all of them: a millisecond for 20,000. So this one keeps its iterator.
 *
 *     deleted ones | oldest(0) oldest(1) ... | the iterator stands here | younger ones
 *
 * A kept iterator also keeps the tables that the Map has outgrown since the iterator last moved. So it is dropped after as many
 * changes as the Map has entries; the walk of the next iterator costs no more than those changes did.
 */

/** How often a small Map may change before its iterator is dropped. */
const MIN_CHANGES = 1000;

/** A Map that knows its oldest keys. Takes no entries when it is made: they would be set before its fields exist. */
export class OldestFirst<K, V> extends Map<K, V> {
  // all entries before the iterator that are still there, in order
  #oldest: K[] = [];
  #iterator: MapIterator<K> | undefined;
  // since the iterator moved
  #changes = 0;

  /**
   * @param index 0 for the oldest key, 1 for the second; a few at most.
   * @returns undefined when there are not so many. Age counts from the `set` of a new key: a key that is deleted and set again
   *   is the youngest.
   */
  oldest(index: number): K | undefined {
    while (this.#oldest.length <= index) {
      this.#iterator ??= this.keys();
      const next = this.#iterator.next();
      this.#changes = 0;
      if (next.done === true) {
        // An iterator that was at the end stays there, whatever is added.
        this.#letGo();
        return undefined;
      }
      this.#oldest.push(next.value);
    }
    return this.#oldest[index];
  }

  override set(key: K, value: V): this {
    super.set(key, value);
    this.#changed();
    return this;
  }

  override delete(key: K): boolean {
    const isGone = super.delete(key);
    if (!isGone) return false;
    const index = this.#oldest.indexOf(key);
    if (index !== -1) this.#oldest.splice(index, 1);
    this.#changed();
    return true;
  }

  override clear(): void {
    super.clear();
    this.#letGo();
  }

  #changed(): void {
    if (this.#iterator === undefined) return;
    this.#changes += 1;
    if (this.#changes > Math.max(MIN_CHANGES, this.size)) this.#letGo();
  }

  #letGo(): void {
    this.#iterator = undefined;
    this.#oldest = [];
    this.#changes = 0;
  }
}

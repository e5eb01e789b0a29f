/**
 * A dictionary that is being written, entry by entry. Where a key comes twice, the last entry counts: no format lets a
 * reader expect that, and some readers refuse it. Keys are compared as the bytes they are written as.
 */

/** Up to so many keys are compared one by one. */
const FEW = 8;
/** What grew beyond this is not kept for the next dictionary. */
const MAX_KEPT = 1024;

export class OpenDict {
  /** Where its first byte is. */
  start = 0;
  /** How many entries were written, repeated ones included. */
  written = 0;
  /** Where each entry starts, and where its key ends. */
  #starts: number[] = [];
  #keyEnds: number[] = [];
  /** key -> its last entry; from a number of entries on */
  #byKey: Map<string, number> | undefined;
  /** The entries that count no longer. */
  #overruled: Set<number> | undefined;

  /** Starts over. */
  open(start: number): void {
    this.start = start;
    this.written = 0;
    this.#byKey = undefined;
    this.#overruled = undefined;
    if (this.#starts.length > MAX_KEPT) {
      this.#starts = [];
      this.#keyEnds = [];
    }
  }

  /** Whether the next key is looked up in a map. */
  get isLarge(): boolean {
    return this.written >= FEW;
  }

  /** How many entries count. */
  get count(): number {
    return this.written - (this.#overruled?.size ?? 0);
  }

  startEntry(at: number): void {
    this.#starts[this.written] = at;
  }

  /** The key of the entry that was started last stands in `buffer` up to `end`. */
  endKey(buffer: Buffer, end: number): void {
    const index = this.written++;
    this.#keyEnds[index] = end;
    if (index === 0) return;
    const before = index < FEW ? this.#find(buffer, index) : this.#look(buffer, index);
    if (before >= 0) (this.#overruled ??= new Set()).add(before);
  }

  /** Takes out the entries that do not count. @returns where the last one ends then. */
  compact(buffer: Buffer, end: number): number {
    const overruled = this.#overruled;
    if (overruled === undefined) return end;
    let to = this.#at(0);
    for (let index = 0; index < this.written;) {
      if (overruled.has(index)) {
        index++;
        continue;
      }
      const from = this.#at(index);
      while (index < this.written && !overruled.has(index)) index++;
      const behind = index < this.written ? this.#at(index) : end;
      buffer.copyWithin(to, from, behind);
      to += behind - from;
    }
    return to;
  }

  /** @returns the entry before `index` that has the same key and still counts, or -1. */
  #find(buffer: Buffer, index: number): number {
    const start = this.#at(index);
    const length = this.#keyEnd(index) - start;
    for (let other = index - 1; other >= 0; other--) {
      const from = this.#at(other);
      if (this.#keyEnd(other) - from !== length || this.#overruled?.has(other)) continue;
      let same = 0;
      while (same < length && buffer[from + same] === buffer[start + same]) same++;
      if (same === length) return other;
    }
    return -1;
  }

  #look(buffer: Buffer, index: number): number {
    let byKey = this.#byKey;
    if (byKey === undefined) {
      byKey = this.#byKey = new Map();
      for (let other = 0; other < index; other++) byKey.set(this.#key(buffer, other), other);
    }
    const key = this.#key(buffer, index);
    const before = byKey.get(key) ?? -1;
    byKey.set(key, index);
    return before;
  }

  #key(buffer: Buffer, index: number): string {
    return buffer.toString('latin1', this.#at(index), this.#keyEnd(index));
  }

  #at(index: number): number {
    return this.#starts[index] as number;
  }

  #keyEnd(index: number): number {
    return this.#keyEnds[index] as number;
  }
}

/**
 * What a cookie file holds, in memory: what its lines add up to while it is read, and its state afterwards. The last
 * record of an id wins, and a deleted id stays deleted whatever follows. It knows nothing of files.
 */
import { leadsToRecord, sweepForwards } from '../forwards.js';
import { OldestFirst } from '../oldest-first.js';
import { isForward } from '../store.js';
import type { FileEntry } from './line.js';
import type { CookieEntry, CookieForward, CookieRecord } from '../store.js';

/**
 * What is known of one id; `deleted` as long as the file has a line that says so, `dropped` where it is forgotten without
 * one.
 */
export type KnownSlot = CookieEntry | 'deleted' | 'dropped';
export type FileSlot = KnownSlot | undefined;

export class CookieTable {
  // id -> live record, in the order of creation or, where that is kept, of the last visit
  readonly #records = new OldestFirst<string, CookieRecord>();
  // old id -> where its record went; all of them are in #tombstones
  readonly #forwards = new Map<string, CookieForward>();
  // ids with a `deleted` line in the file; none of them is in #records
  readonly #tombstones = new Set<string>();

  get records(): OldestFirst<string, CookieRecord> {
    return this.#records;
  }

  get forwards(): ReadonlyMap<string, CookieForward> {
    return this.#forwards;
  }

  at(cbtid: string): FileSlot {
    return this.#entry(cbtid) ?? (this.#tombstones.has(cbtid) ? 'deleted' : undefined);
  }

  /** Sets what is known of an id that is not over. */
  set(cbtid: string, slot: KnownSlot): void {
    if (slot === 'dropped') this.drop(cbtid);
    else if (slot === 'deleted') this.#end(cbtid);
    else if (isForward(slot)) this.#end(cbtid, slot);
    else this.#put(slot);
  }

  /** Takes the next line of the file into account. */
  read(entry: FileEntry): void {
    const { cbtid } = entry;
    if (entry.record !== undefined) {
      const { record, rotatedFrom } = entry;
      this.#putUnlessOver(record);
      if (rotatedFrom !== undefined && !this.#tombstones.has(rotatedFrom.cbtid))
        this.#end(rotatedFrom.cbtid, rotatedFrom);
      return;
    }
    const { forward, successor } = entry;
    if (this.#tombstones.has(cbtid)) {
      if (forward === undefined) this.#forwards.delete(cbtid);
      return; // the second line of a rotation, as a rule
    }
    this.#end(cbtid, forward);
    if (successor !== undefined) this.#putUnlessOver(successor);
  }

  /** Forgets a record without a trace. */
  drop(cbtid: string): void {
    this.#records.delete(cbtid);
  }

  /** A few forwards are looked at, and those that lead nowhere dropped; the ids stay taken. */
  sweepForwards(): void {
    sweepForwards(this.#forwards, this.#entry);
  }

  /** As {@link sweepForwards}, with all of them. */
  dropLostForwards(): void {
    for (const [cbtid, forward] of this.#forwards) {
      if (!leadsToRecord(forward, this.#entry)) this.#forwards.delete(cbtid);
    }
  }

  /** The file was rewritten and says nothing of deleted ids any longer. */
  forgetDeleted(): void {
    this.#tombstones.clear();
    for (const cbtid of this.#forwards.keys()) this.#tombstones.add(cbtid);
  }

  readonly #entry = (cbtid: string): CookieEntry | undefined => this.#records.get(cbtid) ?? this.#forwards.get(cbtid);

  #putUnlessOver(record: CookieRecord): void {
    if (!this.#tombstones.has(record.cbtid)) this.#put(record);
  }

  #put(record: CookieRecord): void {
    const { cbtid } = record;
    const known = this.#records.get(cbtid);
    if (known !== undefined && known.seen !== record.seen) this.#records.delete(cbtid); // to the young end
    this.#records.set(cbtid, record);
  }

  #end(cbtid: string, forward?: CookieForward): void {
    this.#records.delete(cbtid);
    this.#tombstones.add(cbtid);
    if (forward === undefined) this.#forwards.delete(cbtid);
    else this.#forwards.set(cbtid, forward);
  }
}

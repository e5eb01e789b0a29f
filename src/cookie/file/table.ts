/**
 * The content of a cookie file in memory: how its lines add up while it is read, and its state afterwards. The last record of
 * an id wins, and a deleted id stays deleted whatever follows. It knows nothing of files.
 */
import { leadsToRecord, sweepForwards } from '../forwards.js';
import { OldestFirst } from '../oldest-first.js';
import { isForward } from '../store.js';
import type { FileEntry } from './line.js';
import type { CookieEntry, CookieForward, CookieRecord } from '../store.js';

/**
 * The state of one id. `deleted`: the file has a line that says so. `dropped`: it is forgotten without such a line.
 */
export type KnownSlot = CookieEntry | 'deleted' | 'dropped';
/** The same; undefined for an id that the file does not have. */
export type FileSlot = KnownSlot | undefined;

/** The records and forwards of a cookie file, by id. */
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

  /** Sets the state of an id. */
  set(cbtid: string, slot: KnownSlot): void {
    if (slot === 'dropped') this.drop(cbtid);
    else if (slot === 'deleted') this.#end(cbtid);
    else if (isForward(slot)) this.#end(cbtid, slot);
    else this.#put(slot);
  }

  /** Adds the next line of the file. */
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
      return; // usually the second line of a rotation
    }
    this.#end(cbtid, forward);
    if (successor !== undefined) this.#putUnlessOver(successor);
  }

  /** Forgets a record, without a line in the file. */
  drop(cbtid: string): void {
    this.#records.delete(cbtid);
  }

  /** Drops forwards that lead nowhere, among the next few; their ids stay taken. */
  sweepForwards(): void {
    sweepForwards(this.#forwards, this.#entry);
  }

  /** As {@link sweepForwards}, with all of them. */
  dropLostForwards(): void {
    for (const [cbtid, forward] of this.#forwards) {
      if (!leadsToRecord(forward, this.#entry)) this.#forwards.delete(cbtid);
    }
  }

  /** The file was rewritten, and has no lines of deleted ids any more. */
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

/**
 * The operations of the file store as changes of its file: the lines to append, and the state after them. Pure; nothing takes
 * effect before the lines are on the disk (`store.ts`).
 */
import { withChange } from '../record-copy.js';
import { forwardTo } from '../forwards.js';
import { deletedLine, forwardEndLine, liveLine, rotationLines } from './line.js';
import { CookieStoreError } from '../error.js';
import { isForward, isUnreturned } from '../store.js';
import type { FileSlot, KnownSlot } from './table.js';
import type { CookieChange, CookieEntry, CookieRecord } from '../store.js';

/** Tells an operation the state of any id. */
export type LookUp = (cbtid: string) => FileSlot;

/** The result of an operation. */
export interface Outcome {
  readonly lines: readonly string[];
  /** The new states of the ids in the lines. */
  readonly slots: readonly (readonly [cbtid: string, slot: KnownSlot])[];
  /** What the caller gets. */
  readonly entry: CookieEntry | undefined;
}

/** One operation. @throws CookieStoreError to refuse it; the others of the batch go on. */
export type Change = (at: LookUp) => Outcome;

const NOTHING: Outcome = { lines: [], slots: [], entry: undefined };

/** @param record made by `ownRecord`: nobody else can change it. */
export function creation(record: CookieRecord): Change {
  return (at) => {
    mustBeFree(at, record.cbtid);
    return { lines: [liveLine(record)], slots: [[record.cbtid, record]], entry: record };
  };
}

/** @param change made by `ownChange`: nobody else can change it. */
export function alteration(cbtid: string, change: CookieChange): Change {
  return (at) => {
    const record = known(at, cbtid);
    const changed = withChange(record, change);
    if (changed === record) return { lines: [], slots: [], entry: record };
    return { lines: [liveLine(changed)], slots: [[cbtid, changed]], entry: changed };
  };
}

/** @param returned whether a browser ever came with the old id. */
export function rotation(cbtid: string, successor: string, rotated: string, returned: boolean): Change {
  return (at) => {
    const old = known(at, cbtid);
    mustBeFree(at, successor);
    const record = { ...old, cbtid: successor, rotated, returned: false };
    const forward = forwardTo(record, cbtid, returned);
    return {
      lines: rotationLines(old, record, forward),
      slots: [
        [successor, record],
        [cbtid, forward],
      ],
      entry: record,
    };
  };
}

export function deletion(cbtid: string, deleted: string): Change {
  return (at) => {
    const slot = at(cbtid);
    if (slot === undefined || typeof slot === 'string') return NOTHING;
    const line = isForward(slot) ? forwardEndLine(slot, deleted) : deletedLine(slot, deleted);
    return { lines: [line], slots: [[cbtid, 'deleted']], entry: slot };
  };
}

/** Writes no line: a crash may bring the record back, as worthless as before. */
export function eviction(cbtid: string): Change {
  return (at) => {
    const slot = at(cbtid);
    if (slot === undefined || typeof slot === 'string' || isForward(slot) || !isUnreturned(slot)) return NOTHING;
    return { lines: [], slots: [[cbtid, 'dropped']], entry: undefined };
  };
}

function known(at: LookUp, cbtid: string): CookieRecord {
  const slot = at(cbtid);
  if (slot === undefined || typeof slot === 'string' || isForward(slot)) {
    throw new CookieStoreError('this cookie is not known');
  }
  return slot;
}

function mustBeFree(at: LookUp, cbtid: string): void {
  if (at(cbtid) !== undefined) throw new CookieStoreError('this cookie id is taken');
}

/** An operation that waits for its batch. */
export interface Operation {
  readonly change: Change;
  readonly resolve: (entry: CookieEntry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The result of a batch. */
export interface Staged {
  readonly slots: ReadonlyMap<string, KnownSlot>;
  readonly lines: readonly string[];
  readonly accepted: readonly { readonly operation: Operation; readonly entry: CookieEntry | undefined }[];
}

/** Works out a batch in order, without side effects; operations that are refused reject at once. */
export function stage(batch: readonly Operation[], before: LookUp): Staged {
  const slots = new Map<string, KnownSlot>();
  const lines: string[] = [];
  const accepted: Staged['accepted'][number][] = [];
  const at: LookUp = (cbtid) => slots.get(cbtid) ?? before(cbtid);
  for (const operation of batch) {
    try {
      const outcome = operation.change(at);
      for (const [cbtid, slot] of outcome.slots) slots.set(cbtid, slot);
      lines.push(...outcome.lines);
      accepted.push({ operation, entry: outcome.entry });
    } catch (error) {
      operation.reject(error);
    }
  }
  return { slots, lines, accepted };
}

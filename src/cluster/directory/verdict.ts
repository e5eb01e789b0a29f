/**
 * Who becomes a callee. All nodes see all who ask in the same order, so each decides for its own, without asking anybody:
 *
 *     asks (the key is written) -> somebody asked before, and nobody knows yet whether it is a callee  -> waits for that
 *                               -> there is a callee, and it does not share with this one              -> refused: the key is deleted
 *                               -> there is a callee of another pattern, which has the same id         -> refused, too
 *                               -> else                                                                -> held: the key is written again
 *
 * Whoever uses force is held at once, and all whose place is smaller are over.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { quoted } from '../../wamp/uri.js';
import { isSamePattern } from '../pattern-id.js';
import type { CalleeEntry } from './entry.js';

export type Verdict = 'wait' | 'held' | 'clash' | WampError;

/** @param others of the same group. @returns what becomes of one that asks. */
export function verdictOn(asking: CalleeEntry, others: Iterable<CalleeEntry>): Verdict {
  const { invoke, force } = asking.claim;
  let waits = false;
  for (const other of others) {
    if (other.place >= asking.place) continue;
    const isOfAnother = !isSamePattern(other.claim, asking.claim);
    if (force && !isOfAnother) continue;
    if (isOfAnother && other.isHeld) return 'clash';
    const refusal = refusalBy(other, invoke, asking.claim.uri);
    if (!other.isHeld) waits = true;
    else if (refusal !== undefined) return refusal;
  }
  return waits ? 'wait' : 'held';
}

/** @returns the place below which all are over: that of the last one that used force. */
export function forcedPlace(entries: Iterable<CalleeEntry>): number {
  let place = 0;
  for (const entry of entries) if (entry.isHeld && entry.claim.force) place = Math.max(place, entry.place);
  return place;
}

/**
 * Who is the first callee of a registration, and who the last one, is told by the order of the changes, which all nodes see alike: a
 * callee is there from the change that makes it one until its key is deleted, be its node alive or not. So of all nodes one knows that
 * it is for it to tell: the node of the callee, or the one that cleans up behind that.
 *
 * @returns the callees that are there, in this sense.
 */
export function publicCallees(group: ReadonlyMap<string, CalleeEntry> | undefined): readonly CalleeEntry[] {
  const entries = [...(group?.values() ?? [])];
  const least = forcedPlace(entries);
  return entries.filter(({ isHeld, place }) => isHeld && place >= least);
}

/** @returns what one is told that asked before another one used force. */
export function takenByForce(uri: string): WampError {
  return new WampError(ErrorUri.PROCEDURE_ALREADY_EXISTS, `procedure ${quoted(uri)} was registered by force meanwhile`);
}

function refusalBy({ claim }: CalleeEntry, asked: string, uri: string): WampError | undefined {
  if (claim.invoke === 'single') {
    return new WampError(ErrorUri.PROCEDURE_ALREADY_EXISTS, `procedure ${quoted(uri)} is already registered`);
  }
  if (claim.invoke === asked) return undefined;
  return new WampError(
    ErrorUri.PROCEDURE_EXISTS_WITH_DIFFERENT_POLICY,
    `procedure ${quoted(uri)} is registered with invoke "${claim.invoke}", "${asked}" was asked for`,
  );
}

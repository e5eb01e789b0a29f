/**
 * Who becomes a callee. All nodes see all who ask in the same order, so each decides for its own, without asking anybody:
 *
 *     asks (the key is written) -> somebody asked before, and nobody knows yet whether it is a callee  -> waits for that
 *                               -> there is a callee, and it does not share with this one              -> refused: the key is deleted
 *                               -> there is a callee of another pattern, which has the same id         -> refused, too
 *                               -> else                                                                -> held: the key is written again
 *
 * Whoever uses force is held at once, and all whose place is smaller are over.
 *
 * Whoever finds no callee begins a registration, and so does whoever uses force; all others take over its birth, and with it its id
 * (see `Birth`). The last birth counts: a callee with an earlier one is over.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { quoted } from '../../wamp/uri.js';
import { isSamePattern } from '../pattern-id.js';
import { isHeld } from './entry.js';
import type { RegistrationStanding } from '../../router/uplink.js';
import type { Birth, CalleeEntry, HeldEntry } from './entry.js';

export type Verdict = 'wait' | 'held' | 'clash' | WampError;

/** @param others of the same group. @returns what becomes of one that asks. */
export function verdictOn(asking: CalleeEntry, others: Iterable<CalleeEntry>): Verdict {
  const { invoke, force } = asking.claim;
  let waits = false;
  for (const other of others) {
    if (other.place >= asking.place) continue;
    const isOfAnother = !isSamePattern(other.claim, asking.claim);
    if (force && !isOfAnother) continue;
    if (isOfAnother && isHeld(other)) return 'clash';
    const refusal = refusalBy(other, invoke, asking.claim.uri);
    if (!isHeld(other)) waits = true;
    else if (refusal !== undefined) return refusal;
  }
  return waits ? 'wait' : 'held';
}

/** @returns the last birth among some of a group: what is of an earlier one is over. Undefined: there is no callee. */
export function lastBirth(entries: Iterable<CalleeEntry>): Birth | undefined {
  let last: Birth | undefined;
  for (const { birth } of entries) if (birth !== undefined && birth.place >= (last?.place ?? 0)) last = birth;
  return last;
}

/** @returns those of a group that are callees. @param entries the ones that count */
export function calleesIn(entries: readonly CalleeEntry[]): readonly HeldEntry[] {
  const place = lastBirth(entries)?.place;
  return entries.filter(isHeld).filter(({ birth }) => birth.place === place);
}

/**
 * Who is the first callee of a registration, and who the last one, is told by the order of the changes, which all nodes see alike: a
 * callee is there from the change that makes it one until its key is deleted, be its node alive or not. So of all nodes one knows that
 * it is for it to tell: the node of the callee, or the one that cleans up behind that.
 *
 * @returns the callees that are there, in this sense.
 */
export function publicCallees(group: ReadonlyMap<string, CalleeEntry> | undefined): readonly HeldEntry[] {
  return calleesIn([...(group?.values() ?? [])]);
}

/** How the registration of a callee began, as all are told. */
export type Beginning = Pick<RegistrationStanding, 'isFirst' | 'replaced'>;

/**
 * @param key of one that became a callee.
 * @param there the public callees before.
 * @param now those that there are with it.
 */
export function beginningOf(key: string, there: readonly HeldEntry[], now: readonly HeldEntry[]): Beginning {
  const isFirst = now.every((entry) => entry.key === key);
  const last = isFirst ? there.at(-1) : undefined;
  return { isFirst, replaced: last && { session: last.claim.callee.id, registration: last.birth.id } };
}

/** @returns what one is told that asked before another one used force. */
export function takenByForce(uri: string): WampError {
  return new WampError(ErrorUri.PROCEDURE_ALREADY_EXISTS, `procedure ${quoted(uri)} was registered by force meanwhile`);
}

/** @returns what one is told that had a registration before its node was away, and finds that it began anew. */
export function begunAnew(uri: string): WampError {
  return new WampError(ErrorUri.PROCEDURE_ALREADY_EXISTS, `procedure ${quoted(uri)} was registered anew meanwhile`);
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

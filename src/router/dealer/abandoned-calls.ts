/**
 * Calls that ended while their caller had more to send (section "Progressive Call Invocations"): the rest is on its way, and
 * must not be taken for a new call.
 */
import type { Call } from '../../wamp/message.js';
import type { DealerSession } from './call-state.js';

/** How many are remembered, per caller. */
const MAX_ABANDONED_CALLS = 1000;

/** Remembers a call that is over, or was refused, and of which more comes: `progress` said so. */
export function abandon(caller: DealerSession, callId: number): void {
  const abandoned = (caller.abandoned ??= new Set());
  abandoned.add(callId);
  if (abandoned.size <= MAX_ABANDONED_CALLS) return;
  const [oldest] = abandoned;
  if (oldest !== undefined) abandoned.delete(oldest);
}

/** @returns whether a CALL belongs to a call that is over; the last one says so. */
export function isRest(abandoned: Set<number>, { requestId, options }: Call): boolean {
  return options.progress === true ? abandoned.has(requestId) : abandoned.delete(requestId);
}

/** How a session is counted: its messages by type, and how it left its realm. */
import { CloseUri } from '../wamp/error.js';
import type { LeaveReason } from '../metrics/realm-counts.js';
import type { ClientMessage, RouterMessage } from '../wamp/message.js';
import type { CloseCause } from './transport.js';

const FAREWELLS: ReadonlyMap<string, LeaveReason> = new Map<string, LeaveReason>([
  [CloseUri.LOGOUT, 'logout'],
  [CloseUri.COOKIE_EXPIRED, 'expired'],
  [CloseUri.SESSION_ENDED, 'expired'],
  [CloseUri.TOKEN_EXPIRED, 'expired'],
  [CloseUri.SYSTEM_SHUTDOWN, 'shutdown'],
]);

/** @param reason of a GOODBYE of the router. @returns what it is counted as. */
export function farewellOf(reason: string): LeaveReason {
  return FAREWELLS.get(reason) ?? 'killed';
}

/** @returns what an ABORT of the router is counted as. */
export function abortOf(cause: CloseCause): LeaveReason {
  if (cause === 'protocol_violation') return 'violation';
  return cause === 'internal_error' ? 'error' : 'killed';
}

/** Counts a message. @param counts message type -> how many */
export function count(counts: Float64Array, { type }: ClientMessage | RouterMessage): void {
  counts[type] = (counts[type] ?? 0) + 1;
}

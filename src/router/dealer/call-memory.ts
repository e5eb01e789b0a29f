/**
 * What calls make the router keep, charged to their callers (`budget.ts`): each call as such, and its message where that may
 * have to be sent (once more), because the call waits for room or another callee may take it over.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { CALL_BYTES, messageWeight } from '../weight.js';
import type { Call } from '../../wamp/message.js';
import type { Budget } from '../budget.js';
import type { RouterSession } from '../session.js';
import type { CallTarget, InFlight } from './call-state.js';

/** Calls of one registration that wait until a callee has room, and messages of one of them. */
export const MAX_QUEUED_CALLS = 1000;

export const WAITS_TOO_MUCH = 'all callees are busy, and what this session has waiting is as much as it may';
const KEPT_TOO_MUCH = 'the router keeps as much for this session as it may';

export class CallMemory {
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /**
   * Charges the caller for a call, and for what it says where it has to be kept.
   * @returns what of that is for the message; 0: it is not kept.
   * @throws WampError when the call would have to wait, and the caller has too much that waits.
   */
  charge(caller: RouterSession, message: Call, waits: boolean, { invoke }: CallTarget): number {
    const budget = this.#budget;
    const bytes = waits || invoke !== 'single' ? messageWeight(message.procedure, message.payload, message.options) : 0;
    if (!budget.take(caller, waits ? CALL_BYTES + bytes : CALL_BYTES)) {
      throw new WampError(ErrorUri.MAX_CONCURRENCY_REACHED, waits ? WAITS_TOO_MUCH : KEPT_TOO_MUCH);
    }
    // Without its message a call has no second chance with another callee: better than none at all.
    return waits || (bytes > 0 && budget.takeSpare(caller, bytes)) ? bytes : 0;
  }

  /** Keeps what follows the first message of a call that waits. @returns false when there is too much of it. */
  keepMore(call: InFlight, message: Call): boolean {
    const backlog = (call.backlog ??= []);
    const bytes = messageWeight(message.procedure, message.payload, message.options);
    if (backlog.length >= MAX_QUEUED_CALLS || !this.#budget.take(call.caller.session, bytes)) return false;
    call.charged += bytes;
    backlog.push(detached(message));
    return true;
  }

  /** Lets go of what was kept to be sent (once more). */
  forget(call: InFlight): void {
    call.message = undefined;
    if (call.charged === 0) return;
    this.#budget.give(call.caller.session, call.charged);
    call.charged = 0;
  }

  /** The call is over: nothing stays of it. */
  end(call: InFlight): void {
    call.message = undefined;
    this.#budget.give(call.caller.session, CALL_BYTES + call.charged);
    call.charged = 0;
  }
}

/** @returns the message in memory of its own: it must not keep the buffer that it came in. */
export function detached(message: Call): Call {
  const payload = message.payload.detach?.();
  return payload === undefined ? message : { ...message, payload };
}

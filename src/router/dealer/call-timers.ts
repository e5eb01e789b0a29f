/** How long calls may take (section "Call Timeouts"): as long as their callers say, unless the callee keeps the time itself. */
import { Deadlines } from './deadlines.js';
import type { CallOptions } from '../../wamp/message.js';
import type { Scheduler } from '../observer.js';
import type { InFlight } from './call-state.js';

export class CallTimers {
  readonly #deadlines: Deadlines<InFlight>;

  /** @param expired called for a call that takes longer; it has no deadline any more then. */
  constructor(scheduler: Scheduler, expired: (call: InFlight) => void) {
    this.#deadlines = new Deadlines(scheduler, (call) => {
      call.deadline = undefined;
      expired(call);
    });
  }

  /** How many run. */
  get size(): number {
    return this.#deadlines.size;
  }

  /** The call waits for room, or is sent to a callee; the time runs from the first of them. */
  start(call: InFlight, { timeout }: CallOptions): void {
    if (timeout === undefined || timeout === 0) return;
    if (call.callee?.forwardTimeout === true) this.stop(call);
    else call.deadline ??= this.#deadlines.set(call, timeout);
  }

  /** A part of the answer is there: the time for the next part begins. */
  restart({ deadline }: InFlight): void {
    if (deadline !== undefined) this.#deadlines.restart(deadline);
  }

  stop(call: InFlight): void {
    if (call.deadline !== undefined) this.#deadlines.clear(call.deadline);
    call.deadline = undefined;
  }
}

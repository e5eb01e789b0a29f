/**
 * Calls in flight (sections "Calling and Invocations", "Call Canceling", "Call Timeouts", "Progressive Call Results",
 * "Progressive Call Invocations", "Call Rerouting"). Every call ends once, in `#end`:
 *
 *     CALL -> [waits for room] -> [invoked] -> YIELD or ERROR of the callee  -> RESULT or ERROR to the caller
 *                                           -> ERROR `wamp.error.unavailable` -> the next callee, if there is one
 *                                           -> its node has no room           -> the next callee, or waits at one
 *                                           -> CANCEL, timeout                -> INTERRUPT to the callee, ERROR
 *                                           -> the callee leaves              -> ERROR `wamp.error.canceled`
 *                                           -> the caller leaves              -> INTERRUPT to the callee
 */
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { nextId } from '../../wamp/id.js';
import { CALL, ERROR, NO_DETAILS, RESULT } from '../../wamp/message.js';
import { payloadOf } from '../../wamp/payload.js';
import { abandon, isRest } from './abandoned-calls.js';
import { CallDurations } from './call-durations.js';
import { CallMemory, MAX_QUEUED_CALLS, WAITS_TOO_MUCH, detached } from './call-memory.js';
import { countCalls, newCall, waitingWith } from './call-state.js';
import { CallTimers } from './call-timers.js';
import { checkPassthru, continuationOf, interrupt, invocationOf, resultDetails, unsupportedBy } from './invocation.js';
import { isOnTrial, isRefusedByAll, nextCallee } from './next-callee.js';
import { isFree } from './registration.js';
import { PASSTHRU_FEATURE, isPassthru } from '../passthru.js';
import type { Call, Cancel, ErrorMessage, Yield } from '../../wamp/message.js';
import type { CallOutcome, RealmCounts } from '../../metrics/realm-counts.js';
import type { RandomId } from '../../wamp/id.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Budget } from '../budget.js';
import type { Callee, CallTarget, DealerSession, InFlight, Parties } from './call-state.js';
import type { Scheduler } from '../observer.js';
import type { RouterSession } from '../session.js';

/** Calls of one session that are not answered; a bound on what a caller that only calls can make the router keep. */
export const MAX_PENDING_CALLS = 10_000;

const NOBODY = 'no callee is available';

export interface CallsDeps {
  readonly randomId: RandomId;
  readonly scheduler: Scheduler;
  readonly budget: Budget;
  readonly counts: RealmCounts;
  /** @see DealerDeps */
  readonly cancelWithoutError: boolean;
}

export class Calls {
  readonly #deps: CallsDeps;
  /** @see DealerDeps */
  cancelWithoutError: boolean;
  readonly #parties: Parties;
  readonly #timers: CallTimers;
  readonly #memory: CallMemory;
  readonly #durations: CallDurations;
  readonly #counts: RealmCounts;

  constructor(parties: Parties, deps: CallsDeps) {
    this.#parties = parties;
    this.#deps = deps;
    this.#counts = deps.counts;
    this.cancelWithoutError = deps.cancelWithoutError;
    this.#memory = new CallMemory(deps.budget);
    this.#durations = new CallDurations(deps.counts, deps.scheduler);
    this.#timers = new CallTimers(deps.scheduler, (call) => this.#overdue(call));
  }

  /** How many calls are not over, how many of them wait for room, and how many have a deadline. For occasional use. */
  get stats(): { readonly calls: number; readonly queuedCalls: number; readonly timedCalls: number } {
    return { ...countCalls(this.#parties), timedCalls: this.#timers.size };
  }

  /**
   * A CALL that goes on with a call that is there, or the rest of one that is over.
   * @returns whether it was that; else it begins a call.
   * @throws ProtocolViolation when the id is that of a call that the caller said all of.
   */
  continues(caller: DealerSession, message: Call): boolean {
    const call = caller.calls.get(message.requestId);
    if (call !== undefined) this.#continue(call, message);
    return call !== undefined || (caller.abandoned !== undefined && isRest(caller.abandoned, message));
  }

  /** @param disclose the config shows the caller to the callee. @throws WampError */
  begin(caller: DealerSession, registration: CallTarget, message: Call, disclose: boolean): void {
    checkPassthru(caller.session, 'caller', message.options);
    if (caller.calls.size >= MAX_PENDING_CALLS) {
      throw new WampError(ErrorUri.MAX_CONCURRENCY_REACHED, `${MAX_PENDING_CALLS} calls of this session wait already`);
    }
    const callee = registration.next(this.#deps.randomId);
    if (callee === undefined && registration.queue.size >= MAX_QUEUED_CALLS) {
      throw new WampError(
        ErrorUri.MAX_CONCURRENCY_REACHED,
        `all callees are busy and ${MAX_QUEUED_CALLS} calls wait already`,
      );
    }
    this.#start({ caller, registration, disclose, only: undefined }, callee, message);
  }

  /**
   * A call that another node hands over, for a callee of this node that it chose: see `Elsewhere.forward`.
   * @throws WampError when there are too many calls. The callee was not asked.
   */
  forward(caller: DealerSession, callee: Callee, message: Call, mayWait: boolean): boolean {
    const { registration } = callee;
    const hasRoom = isFree(callee);
    if (!hasRoom && !mayWait) return false;
    if (caller.calls.size >= MAX_PENDING_CALLS || (!hasRoom && registration.forwarded.size >= MAX_QUEUED_CALLS)) {
      throw new WampError(ErrorUri.MAX_CONCURRENCY_REACHED, 'too many calls wait already');
    }
    this.#start({ caller, registration, disclose: false, only: callee }, hasRoom ? callee : undefined, message);
    return true;
  }

  /** @param callee that has room; undefined where the call waits. @throws WampError when the caller has too much that waits. */
  #start(
    about: Pick<InFlight, 'caller' | 'registration' | 'disclose' | 'only'>,
    callee: Callee | undefined,
    message: Call,
  ): void {
    const { caller, registration } = about;
    const charged = this.#memory.charge(caller.session, message, callee === undefined, registration);
    const call = newCall(about, message, charged === 0 ? undefined : detached(message), charged);
    this.#counts.callsInFlight += 1;
    this.#durations.begin(call, message.procedure);
    caller.calls.set(call.callId, call);
    registration.calls++;
    if (callee !== undefined) return this.#invoke(call, callee, message);
    waitingWith(call).add(call);
    this.#timers.start(call, message.options);
  }

  onCancel(session: RouterSession, { requestId, options }: Cancel): void {
    const call = this.#parties.get(session)?.calls.get(requestId);
    if (call === undefined || call.killed) return;
    const { mode = 'killnowait' } = options;
    if (mode === 'kill' && interrupt(call, mode)) {
      call.killed = true;
      return;
    }
    if (mode === 'killnowait') interrupt(call, mode);
    // With `kill` the caller waits for an answer, also where the callee cannot be told to stop and the config wants no ERROR.
    if (!this.cancelWithoutError || mode === 'kill') {
      return this.#fail(call, ErrorUri.CANCELED, payloadOf(['the call was canceled']), 'canceled');
    }
    this.#end(call, 'canceled');
    this.fill(call.registration);
  }

  onYield(session: RouterSession, { requestId, options, payload }: Yield): void {
    const call = this.#invocation(session, requestId);
    checkPassthru(session, 'callee', options);
    if (call === undefined) return;
    const progress = options.progress === true;
    if (progress && !call.progressive) return;
    if (!this.#passes(call, options)) return;
    const message = {
      type: RESULT,
      requestId: call.callId,
      details: resultDetails(options, progress),
      payload,
    } as const;
    const { session: caller } = call.caller;
    if (progress) {
      // The caller has seen a part of the answer: no other callee can begin again.
      this.#memory.forget(call);
      this.#timers.restart(call);
    } else {
      this.#end(call, 'result');
    }
    caller.send(message);
    if (!progress) this.fill(call.registration);
  }

  onError(session: RouterSession, { requestId, details, error, payload }: ErrorMessage): void {
    const call = this.#invocation(session, requestId);
    checkPassthru(session, 'callee', details);
    if (call === undefined) return;
    if (error === ErrorUri.UNAVAILABLE && !call.killed && call.only === undefined) {
      if (call.registration.invoke === 'single')
        return this.#fail(call, ErrorUri.NO_AVAILABLE_CALLEE, payload, 'no_callee');
      if (call.message !== undefined) return this.#reroute(call, payload);
    }
    if (!this.#passes(call, details)) return;
    this.#fail(call, error, payload, call.killed ? 'canceled' : 'error', resultDetails(details, false));
  }

  /** The node of a callee had no room for a call: see `Elsewhere.busy`. */
  onBusy(session: RouterSession, requestId: number): void {
    const call = this.#parties.get(session)?.invocations.get(requestId);
    if (call?.callee === undefined) return;
    if (call.killed) return this.#fail(call, ErrorUri.CANCELED, payloadOf(['the call was canceled']), 'canceled');
    (call.busy ??= []).push(call.callee);
    this.#handOn(call, payloadOf([NOBODY]));
  }

  /** Hands calls that wait to callees that have room. */
  fill(registration: CallTarget): void {
    if (registration.forwarded.size > 0) this.#fillForwarded(registration);
    const { queue } = registration;
    if (queue.size === 0) return;
    for (const call of queue) {
      const callee = nextCallee(call, this.#deps.randomId);
      if (callee !== undefined && call.message !== undefined) {
        queue.delete(call);
        this.#invoke(call, callee, call.message);
      } else if (isRefusedByAll(call)) {
        this.#fail(call, ErrorUri.NO_AVAILABLE_CALLEE, payloadOf([NOBODY]), 'no_callee');
      } else if (call.refused === undefined && call.busy === undefined) {
        return;
      }
    }
  }

  /** A callee is gone: the calls that wait for it alone go back, because their node may have another one. */
  failForwarded(callee: Callee): void {
    for (const call of callee.registration.forwarded) {
      if (call.only !== callee) continue;
      const payload = payloadOf(['the callee left before it had room for the call']);
      this.#fail(call, ErrorUri.UNAVAILABLE, payload, 'callee_gone');
    }
  }

  /** The last callee of a registration is gone: nobody will have room for the calls that wait. */
  failQueue(registration: CallTarget): void {
    for (const call of registration.queue) {
      const payload = payloadOf(['the last callee left before it had room for the call']);
      this.#fail(call, ErrorUri.CANCELED, payload, 'callee_gone');
    }
  }

  /** Forgets the calls of a session that is gone and that wait for room: nothing will be sent for them. */
  removeQueued(party: DealerSession): void {
    for (const call of party.calls.values()) if (call.callee === undefined) this.#end(call, 'caller_gone');
  }

  /** The router ends: what the caller waits for is answered while it can hear it. @param reason for people */
  cancelAll(caller: DealerSession, reason: string): void {
    // Those that wait for room first: they are not to get it. One end may be the end of another.
    for (const isQueued of [true, false]) {
      for (const call of caller.calls.values()) {
        if ((call.callee === undefined) !== isQueued || caller.calls.get(call.callId) !== call) continue;
        if (!call.killed) interrupt(call, 'killnowait');
        this.#fail(call, ErrorUri.CANCELED, payloadOf([reason]), 'canceled');
      }
    }
  }

  /** Forgets a session that is gone, after its registrations: the calls it made, the calls it was to answer. */
  remove(party: DealerSession): void {
    for (const call of party.calls.values()) {
      if (!call.killed && call.callee?.party !== party) interrupt(call, 'killnowait');
      this.#end(call, 'caller_gone');
      this.fill(call.registration);
    }
    for (const call of party.invocations.values()) {
      this.#fail(call, ErrorUri.CANCELED, payloadOf(['the callee left before it answered']), 'callee_gone');
    }
  }

  #fillForwarded({ forwarded }: CallTarget): void {
    for (const call of forwarded) {
      if (call.only === undefined || call.message === undefined || !isFree(call.only)) continue;
      forwarded.delete(call);
      this.#invoke(call, call.only, call.message);
    }
  }

  #continue(call: InFlight, message: Call): void {
    if (!call.sending) {
      throw new ProtocolViolation(`CALL.Request ${call.callId} is in use by a call that is not answered yet`);
    }
    checkPassthru(call.caller.session, 'caller', message.options);
    call.sending = message.options.progress === true;
    const { callee } = call;
    if (callee !== undefined) return this.#sendMore(call, callee, message);
    if (this.#memory.keepMore(call, message)) return;
    this.#fail(call, ErrorUri.MAX_CONCURRENCY_REACHED, payloadOf([WAITS_TOO_MUCH]));
  }

  #sendMore(call: InFlight, callee: Callee, message: Call): void {
    // A part of the call is with this callee: no other can take over.
    this.#memory.forget(call);
    const lacking = unsupportedBy(callee.party.session, message.options);
    if (lacking !== undefined) {
      interrupt(call, 'killnowait');
      return this.#fail(call, ErrorUri.FEATURE_NOT_SUPPORTED, payloadOf([lacking]));
    }
    callee.party.session.send(continuationOf(call, message));
  }

  #invoke(call: InFlight, callee: Callee, message: Call): void {
    const { party } = callee;
    const lacking = unsupportedBy(party.session, message.options);
    if (lacking !== undefined) return this.#fail(call, ErrorUri.FEATURE_NOT_SUPPORTED, payloadOf([lacking]));
    const { registration, backlog } = call;
    call.callee = callee;
    call.invocationId = party.lastInvocationId = nextId(party.lastInvocationId);
    // Not only where the callee announced it: many clients can do it and do not say so, or say so for another role.
    call.progressive = message.options.receive_progress === true;
    if (registration.invoke === 'single' && backlog === undefined) this.#memory.forget(call);
    callee.running++;
    party.invocations.set(call.invocationId, call);
    this.#timers.start(call, message.options);
    const invocation = invocationOf(call, callee, message);
    if (isOnTrial(call, callee)) party.session.tryInvoke?.(invocation);
    else party.session.send(invocation);
    if (backlog === undefined) return;
    call.backlog = undefined;
    for (const more of backlog) if (call.callee === callee) this.#sendMore(call, callee, more);
  }

  /** The callee refused the call: the next one gets it. */
  #reroute(call: InFlight, payload: Payload): void {
    if (call.callee === undefined) return;
    (call.refused ??= []).push(call.callee);
    // The others may have room by now.
    call.busy = undefined;
    this.#handOn(call, payload);
  }

  /** @param payload for the caller where nobody is left. */
  #handOn(call: InFlight, payload: Payload): void {
    const { callee, registration, message } = call;
    if (callee !== undefined) this.#release(call, callee);
    const next = nextCallee(call, this.#deps.randomId);
    if (next !== undefined && message !== undefined) this.#invoke(call, next, message);
    else if (message === undefined || isRefusedByAll(call))
      this.#fail(call, ErrorUri.NO_AVAILABLE_CALLEE, payload, 'no_callee');
    else registration.queue.add(call);
    this.fill(registration);
  }

  /**
   * @returns the call that the callee's `requestId` stands for; undefined when it is over, which is no fault: the answer
   * and the end of the call may cross.
   * @throws ProtocolViolation when this session was never sent such an invocation.
   */
  #invocation(session: RouterSession, requestId: number): InFlight | undefined {
    const party = this.#parties.get(session);
    if (party === undefined || requestId > party.lastInvocationId) {
      throw new ProtocolViolation(`no invocation ${requestId} was ever sent to this session`);
    }
    return party.invocations.get(requestId);
  }

  /** @returns whether the caller can read a payload of this kind; when not, the call ends. */
  #passes(call: InFlight, options: Dict): boolean {
    if (!isPassthru(options) || call.caller.session.announced('caller', PASSTHRU_FEATURE)) return true;
    if (options.progress === true) interrupt(call, 'killnowait');
    this.#fail(call, ErrorUri.FEATURE_NOT_SUPPORTED, payloadOf([`the caller did not announce ${PASSTHRU_FEATURE}`]));
    return false;
  }

  #overdue(call: InFlight): void {
    if (!call.killed) interrupt(call, 'killnowait');
    this.#fail(call, ErrorUri.TIMEOUT, payloadOf(['the call was not answered in time']), 'timeout');
  }

  #fail(
    call: InFlight,
    error: string,
    payload: Payload,
    outcome: CallOutcome = 'error',
    details: Dict = NO_DETAILS,
  ): void {
    this.#end(call, outcome);
    call.caller.session.send({ type: ERROR, requestType: CALL, requestId: call.callId, details, error, payload });
    this.fill(call.registration);
  }

  /** Takes a call out of everything that knows it. */
  #end(call: InFlight, outcome: CallOutcome): void {
    this.#counts.calls[outcome] += 1;
    this.#counts.callsInFlight -= 1;
    this.#durations.end(call);
    this.#memory.end(call);
    const { caller, callId, callee } = call;
    caller.calls.delete(callId);
    if (callee === undefined) waitingWith(call).delete(call);
    else this.#release(call, callee);
    if (call.deadline !== undefined) this.#timers.stop(call);
    if (call.sending) abandon(caller, callId);
  }

  #release(call: InFlight, callee: Callee): void {
    callee.party.invocations.delete(call.invocationId);
    callee.running--;
    call.callee = undefined;
  }
}

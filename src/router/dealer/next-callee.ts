/**
 * Which callee gets a call next. This node knows how much room its own callees have, and of those of other nodes only how many of its
 * own calls they have: so a call to one of several is sent there on trial, and refused when there is no room. Nobody is asked twice.
 */
import type { RandomId } from '../../wamp/id.js';
import type { Callee, InFlight } from './call-state.js';

/**
 * @returns the callee that the policy wants, of those that have not refused the call. One that had no room comes again when all the
 *   others had none: then the call waits there. Undefined where the call has to wait here, or nobody is left.
 */
export function nextCallee(call: InFlight, randomId: RandomId): Callee | undefined {
  const { registration, refused, busy } = call;
  if (busy === undefined) return registration.next(randomId, refused);
  const next = registration.next(randomId, refused === undefined ? busy : [...refused, ...busy]);
  const isBusy = (member: Callee): boolean => busy.includes(member) || refused?.includes(member) === true;
  return next ?? (registration.members.every(isBusy) ? registration.next(randomId, refused) : undefined);
}

/** @returns whether every callee that there is has refused a call. */
export function isRefusedByAll({ registration, refused }: InFlight): boolean {
  return refused !== undefined && registration.members.every((member) => refused.includes(member));
}

/**
 * @returns whether the node of a callee may send the call back when there is no room. What has only one callee waits there, in order;
 *   and so does a call that the caller has not said all of, because the rest would have to go back, too.
 */
export function isOnTrial({ registration, only, message, busy, sending }: InFlight, callee: Callee): boolean {
  if (callee.concurrency === Infinity || callee.party.session.tryInvoke === undefined) return false;
  if (only !== undefined || message === undefined || sending) return false;
  return registration.members.length > 1 && busy?.includes(callee) !== true;
}

/**
 * The details of INVOCATION and RESULT, the features that sessions need to send a call or to get one, and INTERRUPT. A plain
 * call needs no details and gets the shared empty ones.
 */
import { ProtocolViolation } from '../../wamp/error.js';
import { INTERRUPT, INVOCATION, NO_DETAILS } from '../../wamp/message.js';
import { PASSTHRU_FEATURE, isPassthru, passthrough } from '../passthru.js';
import { traceIn } from '../../wamp/trace.js';
import type { Call, CallOptions, Invocation } from '../../wamp/message.js';
import type { Dict } from '../../wamp/payload.js';
import type { Callee, InFlight } from './call-state.js';
import type { RouterSession } from '../session.js';

/** @returns the first message of a call, for a callee that has been chosen. */
export function invocationOf(call: InFlight, callee: Callee, message: Call): Invocation {
  const { invocationId: requestId, registration, only } = call;
  // Of a call that another node hands over the details are written.
  const details = only === undefined ? invocationDetails(call, callee, message) : message.options;
  return { type: INVOCATION, requestId, registration: registration.id, details, payload: message.payload };
}

/** @returns what follows the first message of a call. */
export function continuationOf({ invocationId: requestId, registration }: InFlight, message: Call): Invocation {
  const details = continuationDetails(message.options);
  return { type: INVOCATION, requestId, registration: registration.id, details, payload: message.payload };
}

/** @returns INVOCATION.Details of the first message of a call. */
function invocationDetails(call: InFlight, callee: Callee, { options, procedure }: Call): Dict {
  let details: Record<string, unknown> | undefined;
  if (call.disclose || callee.disclose) {
    const { id, authid, authrole } = call.caller.session;
    details = { caller: id, caller_authid: authid, caller_authrole: authrole };
  }
  if (call.registration.match !== 'exact') (details ??= {}).procedure = procedure;
  if (call.progressive) (details ??= {}).receive_progress = true;
  if (options.progress === true) (details ??= {}).progress = true;
  if (callee.forwardTimeout && options.timeout !== undefined && options.timeout > 0) {
    (details ??= {}).timeout = options.timeout;
  }
  const attributes = passthrough(options);
  if (attributes !== undefined) Object.assign((details ??= {}), attributes);
  const trace = traceIn(options);
  if (trace !== undefined) Object.assign((details ??= {}), trace);
  return details ?? NO_DETAILS;
}

/** @returns INVOCATION.Details of the messages after the first: of their options, only `progress` and the trace are read. */
function continuationDetails(options: CallOptions): Dict {
  const details = withProgress(options, options.progress === true);
  const trace = traceIn(options);
  return trace === undefined ? details : { ...details, ...trace };
}

/** @returns the details of RESULT, or of ERROR, that go with what the callee said. */
export function resultDetails(options: Dict, progress: boolean): Dict {
  return withProgress(options, progress);
}

function withProgress(options: Dict, progress: boolean): Dict {
  const attributes = passthrough(options);
  if (!progress) return attributes ?? NO_DETAILS;
  return attributes === undefined ? PROGRESS : { progress, ...attributes };
}

const PROGRESS: Dict = Object.freeze({ progress: true });

/** @returns why a callee cannot be sent a message with these options, or undefined when it can. */
export function unsupportedBy(callee: RouterSession, options: CallOptions): string | undefined {
  if (
    options.progress === true &&
    !(callee.announced('callee', 'progressive_call_invocations') && callee.announced('callee', 'call_canceling'))
  ) {
    return 'the callee did not announce progressive_call_invocations and call_canceling';
  }
  if (isPassthru(options) && !callee.announced('callee', PASSTHRU_FEATURE)) {
    return `the callee did not announce ${PASSTHRU_FEATURE}`;
  }
  return undefined;
}

/** @returns whether the callee was told to stop: it can be, and it has been asked. */
export function interrupt({ callee, invocationId }: InFlight, mode: 'kill' | 'killnowait'): boolean {
  if (callee?.party.session.announced('callee', 'call_canceling') !== true) return false;
  callee.party.session.send({ type: INTERRUPT, requestId: invocationId, options: { mode } });
  return true;
}

/** @throws ProtocolViolation when a session uses what it did not announce (section "Payload Passthru Mode"). */
export function checkPassthru(session: RouterSession, role: 'caller' | 'callee', options: Dict): void {
  if (isPassthru(options) && !session.announced(role, PASSTHRU_FEATURE)) {
    throw new ProtocolViolation(`the ${role} uses ${PASSTHRU_FEATURE}, which it did not announce`);
  }
}

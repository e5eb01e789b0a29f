/**
 * Trace context (W3C Recommendation "Trace Context"): which larger action a CALL or a PUBLISH is a part of. Clients say it in the
 * options `_traceparent` and `_tracestate`, programs behind the HTTP bridge in the headers of that name. The router passes both on to
 * INVOCATION and EVENT as they are, and makes no part of a trace itself: a broker that only passes on must not change the parent.
 *
 * What has another form is dropped, as the recommendation demands. Pure.
 */
import type { Dict } from './payload.js';

/** The options, and the details, of a trace. */
export interface Trace extends Dict {
  /** 55 octets: version, id of the trace, id of the parent, flags. */
  readonly _traceparent: string;
  /** At most 512 octets: what the parties to the trace keep in it. */
  readonly _tracestate?: string;
}

/** Neither id is all zeros, and the version is not `ff`. */
const PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const MAX_STATE = 512;
const MAX_MEMBERS = 32;
const MEMBER = /^[\t ]*(?:[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~][\t ]*)?$/;

/** @returns what options say of a trace; undefined where they say nothing, or nothing that can be read. */
export function traceIn(options: Dict): Trace | undefined {
  // The only thing that is done for messages without.
  if (options._traceparent === undefined) return undefined;
  return traceOf(options._traceparent, options._tracestate);
}

/** @returns what two headers say. @param headers names in lower case. */
export function traceInHeaders(headers: Readonly<Record<string, unknown>>): Trace | undefined {
  const { traceparent, tracestate } = headers;
  return traceparent === undefined ? undefined : traceOf(traceparent, tracestate);
}

/** @returns what the log calls `trace`: the parent, by which the action is found elsewhere. */
export function traceFacts(options: Dict): { readonly trace?: string } {
  const trace = traceIn(options);
  return trace === undefined ? {} : { trace: trace._traceparent };
}

function traceOf(parent: unknown, state: unknown): Trace | undefined {
  if (typeof parent !== 'string' || parent.length !== 55 || !PARENT.test(parent)) return undefined;
  return isState(state) ? { _traceparent: parent, _tracestate: state } : { _traceparent: parent };
}

function isState(state: unknown): state is string {
  if (typeof state !== 'string' || state === '' || state.length > MAX_STATE) return false;
  const members = state.split(',');
  return members.length <= MAX_MEMBERS && members.every((member) => MEMBER.test(member));
}

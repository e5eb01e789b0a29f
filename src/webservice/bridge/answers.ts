/**
 * What the HTTP bridge answers: compact JSON that no cache keeps. Errors have the form of Crossbar.io, which client libraries know:
 * `{"error": ..., "args": [...], "kwargs": {...}}`. Of a request that is refused it says why in a sentence; for what WAMP refuses it
 * has the URI.
 */
import type { Answer } from '../../http/answer.js';
import { payloadTexts } from '../../serializer/json/members.js';
import type { Refusal } from '../../transport/refusal.js';
import { ErrorUri, WampError } from '../../wamp/error.js';
import { payloadOf } from '../../wamp/payload.js';
import type { Payload } from '../../wamp/payload.js';

/** An ERROR, or what stands for one. */
export interface Failed {
  /** The URI. */
  readonly error: string;
  readonly payload: Payload;
}

/** @param body is JSON. */
export function jsonAnswer(status: number, body: string): Answer {
  return { status, type: 'application/json; charset=utf-8', body, headers: { 'Cache-Control': 'no-store' } };
}

/** A request that was not carried out. */
export function refusalAnswer({ status, text, headers = {} }: Refusal): Answer {
  const answer = jsonAnswer(status, JSON.stringify({ error: text, args: [], kwargs: {} }));
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** A bug of ours: the log knows more. */
export const UNEXPECTED: Answer = jsonAnswer(
  500,
  JSON.stringify({ error: ErrorUri.RUNTIME_ERROR, args: ['something went wrong in the node'], kwargs: {} }),
);

/** The result of a call. */
export function resultAnswer(payload: Payload): Answer {
  const { args, kwargs } = payloadTexts(payload);
  if (kwargs === undefined) return jsonAnswer(200, `{"args":${args ?? '[null]'}}`);
  return jsonAnswer(200, args === undefined ? `{"kwargs":${kwargs}}` : `{"args":${args},"kwargs":${kwargs}}`);
}

/** @param asStatus whether the status tells what went wrong: not with Crossbar.io, and so not with its clients. */
export function errorAnswer({ error, payload }: Failed, asStatus: boolean): Answer {
  const { args = '[]', kwargs = '{}' } = textsOfError(payload);
  const status = asStatus ? (STATUSES[error] ?? 500) : 200;
  return jsonAnswer(status, `{"error":${JSON.stringify(error)},"args":${args},"kwargs":${kwargs}}`);
}

const STATUSES: Readonly<Record<string, number>> = {
  [ErrorUri.NO_SUCH_PROCEDURE]: 404,
  [ErrorUri.NOT_AUTHORIZED]: 403,
  [ErrorUri.TIMEOUT]: 504,
  [ErrorUri.CANCELED]: 504,
};

/** An ERROR whose payload cannot be said in JSON is told without it. */
function textsOfError(payload: Payload): ReturnType<typeof payloadTexts> {
  try {
    return payloadTexts(payload);
  } catch (error) {
    if (!(error instanceof WampError)) throw error;
    return { args: undefined, kwargs: undefined };
  }
}

/** @returns what a router would say of a payload that cannot be translated. */
export function failedOf({ uri, args, kwargs }: WampError): Failed {
  return { error: uri, payload: payloadOf(args, kwargs) };
}

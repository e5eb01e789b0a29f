/** The answers of procedures of the router that have to wait for something. */
import { ErrorUri, WampError } from '../wamp/error.js';
import { payloadOf } from '../wamp/payload.js';
import type { Later } from '../router/observer.js';

/**
 * @param work gives the one value of the RESULT.
 * @param failureOf makes the ERROR of what it rejects with.
 */
export function answerLater(work: () => Promise<unknown>, failureOf: (error: unknown) => WampError): Later {
  return (reply, fail) => {
    work().then(
      (result) => reply(payloadOf([result])),
      (error: unknown) => fail(failureOf(error)),
    );
  };
}

/** @returns the ERROR for a fault of ours: the caller learns nothing of it. */
export function internalError(): WampError {
  return new WampError(ErrorUri.RUNTIME_ERROR, 'internal error');
}

/**
 * The component `callee`: a procedure whose calls are HTTP requests to a server of the config. Arguments, results and errors are those
 * of `RESTCallee` of Crossbar.io. An answer of any status is a result.
 *
 *     call -> too many are under way: `wamp.error.unavailable`, which the dealer makes `wamp.error.no_available_callee`
 *          -> wrong arguments, no answer: `wamp.error.runtime_error` with a sentence
 *          -> the caller does not want it any more, or the session ends: the request is given up
 */
import { CallError } from '../../client/api.js';
import type { ComponentFunction, ComponentHooks } from '../../client/api.js';
import { RepeatedLog } from '../../log/repeated.js';
import { ErrorUri } from '../../wamp/error.js';
import { requestOf } from './arguments.js';
import { REQUEST_LIMITS, RequestFailed, send } from './request.js';
import type { RequestLimits } from './request.js';
import type { CalleeExtra } from './schema.js';
import { headerLists, textOf } from './text.js';

/** What a callee may take. */
export interface CalleeLimits extends RequestLimits {
  /** How many requests may be under way. */
  readonly maxRequests: number;
}

const LIMITS: CalleeLimits = { ...REQUEST_LIMITS, maxRequests: 100 };

/** @returns the component with these limits. */
export function calleeWith(limits: CalleeLimits): ComponentFunction {
  return async (session, { extra, log }): Promise<ComponentHooks> => {
    // The check of the config has shown it.
    const config = extra as CalleeExtra;
    const repeated = new RepeatedLog(log);
    let pending = 0;
    await session.register(config.procedure, async (args, kwargs, { signal }) => {
      if (pending >= limits.maxRequests) {
        repeated.say('warn', { requests: pending }, 'call of an HTTP server refused: too many requests are under way');
        throw new CallError(ErrorUri.UNAVAILABLE, [`${limits.maxRequests} requests are under way already`]);
      }
      pending += 1;
      try {
        const request = requestOf(args, kwargs, config);
        const { status, headers, bytes } = await send(request, signal, limits);
        return { code: status, content: textOf(bytes, headers.get('content-type')), headers: headerLists(headers) };
      } catch (err) {
        if (!(err instanceof RequestFailed)) throw err;
        log.debug({ err }, 'request to an HTTP server failed');
        throw new CallError(ErrorUri.RUNTIME_ERROR, [err.message]);
      } finally {
        pending -= 1;
      }
    });
    return { stop: () => repeated.end() };
  };
}

/** The component. */
export const callee = calleeWith(LIMITS);

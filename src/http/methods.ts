/**
 * The methods of HTTP: which of them reach a service. A service gets its requests through {@link serve}, so that
 * no service looks at methods itself and all of them refuse in the same way.
 */
import type { WebResponse } from './response.js';
import type { WebRequest, WebService } from './service.js';
import { sendEmpty, sendStatus } from './answer.js';

/** What a service takes that does not say it. */
export const READ_ONLY: readonly string[] = ['GET', 'HEAD'];

/**
 * Lets a service answer, if it takes the method of the request. If not, OPTIONS is answered with what it takes and anything
 * else with 405; the service hears nothing of it.
 */
export function serve(service: WebService, request: WebRequest, res: WebResponse): void | Promise<void> {
  const { methods = READ_ONLY } = service;
  const { method = '' } = request.req;
  if (methods === 'any' || methods.includes(method)) return service.handle(request, res);
  const headers = { Allow: [...new Set([...methods, 'OPTIONS'])].join(', ') };
  if (method === 'OPTIONS') sendEmpty(res, 204, headers);
  else sendStatus(res, 405, undefined, headers);
}

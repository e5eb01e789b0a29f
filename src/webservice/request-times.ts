/**
 * How long requests may take to arrive. Until the headers are through nobody knows which service a request is for, so the most
 * generous times of a transport hold for all of its services. Pure.
 */

/** In milliseconds. */
export interface RequestTimes {
  /** Until the headers are there; 0 for no limit, not even for the body. Default: 10 s. */
  readonly headersMs?: number;
  /** From then on until the body is there: no less than what a `BodyReader` of the service waits for. Default: 20 s. */
  readonly bodyMs?: number;
}

const HEADERS_MS = 10_000;

/** Where no service takes bodies they are read all the same, and dropped. */
const BODY_MS = 20_000;

/** @param times of each service, as far as it has a say. */
export function longestTimes(times: readonly RequestTimes[]): Required<RequestTimes> {
  const headers = times.flatMap(({ headersMs }) => headersMs ?? []);
  const headersMs = headers.includes(0) ? 0 : Math.max(...(headers.length === 0 ? [HEADERS_MS] : headers));
  return { headersMs, bodyMs: Math.max(BODY_MS, ...times.map(({ bodyMs = 0 }) => bodyMs)) };
}

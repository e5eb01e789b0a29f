/**
 * The request by which a client of HTTP comes: what is kept of it for the authentication methods, and for how long a connection may
 * stay that came with the id of a cookie that was replaced.
 */
import type { Tracked } from '../../cookie/tracker.js';
import type { LiveCookie } from '../../cookie/live/live-cookie.js';
import type { SessionDeps } from '../../session/deps.js';
import type { HttpClient } from '../peer.js';
import type { RequestHead } from '../request-head.js';
import type { HostedTransport } from '../transport-host.js';

/** What is looked at of a request. */
export type VisitRequest = Pick<RequestHead, 'url' | 'headers'>;

/**
 * @param tracked undefined where cookies are not tracked.
 * @returns what authentication methods learn of a request. Headers take memory, so they are kept only for those who look at them.
 */
export function visitorOf(
  req: VisitRequest,
  sessions: SessionDeps,
  tracked: Tracked | undefined,
  liveCookie: LiveCookie | undefined,
): HttpClient {
  const isKept = sessions.sharing?.keepsHandshake ?? sessions.keepsHandshake === true;
  const headers = isKept ? { ...req.headers } : undefined;
  const query = isKept ? queryOf(req) : undefined;
  const heldCookie = tracked?.lastsMs === undefined ? tracked?.record.cbtid : undefined;
  return { liveCookie, heldCookie, headers, query };
}

/** @returns the query of the URL with its `?`; empty without one. */
function queryOf({ url = '' }: VisitRequest): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start);
}

/** Somebody came with an id that was replaced, which is worth something for a while only. Who has gone before is not kept until then. */
export function endLater(connection: Pick<HostedTransport, 'evict'>, ms: number): void {
  const there = new WeakRef(connection);
  setTimeout(() => there.deref()?.evict('the cookie of this browser was replaced, please connect again'), ms).unref();
}

/**
 * Who a session is, for those who ask: other clients, its authorizer, its own client, the log. Pure functions of the principal
 * that authentication named, and of the connection.
 */
import { shortId, shown } from '../log/logger.js';
import { faultOfPrincipal } from '../auth/standing.js';
import type { AuthMethodLookup, ClientInfo, Principal } from '../auth/method.js';
import type { LiveCookie } from '../cookie/live/live-cookie.js';
import type { SessionDetails } from '../router/session.js';
import type { Dict } from '../wamp/payload.js';
import type { SessionTransport } from './transport.js';

/** @returns what others may learn (section "Session Meta API"). A cookie is shown by its digest. */
export function detailsOf(
  session: number,
  { realm, authid, authrole, authmethod, authprovider }: Principal,
  { facts, client }: Pick<SessionTransport, 'facts' | 'client'>,
): SessionDetails {
  const transport = client.liveCookie === undefined ? facts : { ...facts, http_cbtid: client.liveCookie.digest };
  return { session, realm, authid, authrole, authmethod, authprovider, transport };
}

/** @param proof see {@link Accept.proof}. @returns WELCOME.Details but for the roles of the router. */
export function welcomeDetails(principal: Principal, proof: Dict | undefined): Dict {
  const { realm, authid, authrole, authmethod, authprovider, authextra } = principal;
  const details = { realm, authid, authrole, authmethod, authprovider };
  if (authextra === undefined && proof === undefined) return details;
  return { ...details, authextra: { ...authextra, ...proof } };
}

/** @returns why the client would not be let in any more as whom it is; undefined when it would. */
export function faultOf(who: Principal, methods: AuthMethodLookup, { liveCookie }: ClientInfo): string | undefined {
  return faultOfPrincipal(who, methods, liveCookie);
}

/** @returns the authid as it may be written to the log: not where it is a cookie id. */
export function shownAuthid(authid: string, { liveCookie }: ClientInfo): string {
  return isCookieId(authid, liveCookie) ? shortId(authid) : authid;
}

/** @returns the authid that a client asks for as it may be written to the log. */
export function shownWish(authid: string, { liveCookie, heldCookie }: ClientInfo): string {
  return authid === heldCookie || authid === liveCookie?.cbtid ? shortId(authid) : shown(authid);
}

/** @returns how the operator sees a session: by its authid, or by the digest of the cookie whose id that is. */
export function nameOf(authid: string, { liveCookie }: ClientInfo): string {
  return isCookieId(authid, liveCookie) ? liveCookie.digest : authid;
}

function isCookieId(authid: string, liveCookie: LiveCookie | undefined): liveCookie is LiveCookie {
  return liveCookie?.name.isCookieId === true && liveCookie.authid === authid;
}

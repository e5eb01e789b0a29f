/**
 * `POST <login>/ticket`: a one-time ticket for a WebSocket that has no cookie, for the user of the cookie that the request has. It
 * is bound to the page and to the cookie.
 */
import { cookieDigest } from '../../cookie/digest.js';
import { isSecure } from '../../transport/peer.js';
import { ErrorUri } from '../../wamp/error.js';
import type { IncomingMessage } from 'node:http';
import type { IssuedTicket, OneTimeTickets } from '../../auth/one-time/tickets.js';
import type { Failure } from './answers.js';
import type { Present } from './desk.js';

const NOBODY: Failure = {
  status: 401,
  error: ErrorUri.NOT_AUTHORIZED,
  message: 'nobody is logged in here: tickets are for those who have logged in at this service',
};

/** All WebSockets that take tickets may have gone from a config that was reloaded. */
const NO_TAKER: Failure = {
  status: 503,
  error: ErrorUri.UNAVAILABLE,
  message: 'no WebSocket takes one-time tickets',
};

/** @returns the ticket, or why there is none. */
export function ticketFor(
  present: Present | undefined,
  req: IncomingMessage,
  tickets: OneTimeTickets,
): IssuedTicket | Failure {
  // Of a login that a WebSocket made, only that WebSocket knows whether it still counts.
  if (present?.auth.source === undefined) return NOBODY;
  const { authid, authrole, authrealm: realm, authextra } = present.auth;
  const user = { realm, authid, authrole, ...(authextra !== null && { authextra }) };
  return tickets.issueFor(user, { origin: pageOf(req), cookie: cookieDigest(present.record.cbtid) }) ?? NO_TAKER;
}

/** @returns the origin of the page that asks; undefined for a program, which is none. */
function pageOf(req: IncomingMessage): string | undefined {
  const { origin, host = '' } = req.headers;
  // A page that hides its origin from us is one of ours: no other one is let through.
  return origin === 'null' ? `${isSecure(req) ? 'https' : 'http'}://${host}` : origin;
}

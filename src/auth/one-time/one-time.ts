/**
 * One-time tickets (`auth.one_time`): the client shows one that was issued to it a moment ago (`tickets.ts`), by the shared name
 * `ticket` (`auth/shared-ticket.ts`). To look at a ticket uses it up. Who learns why it was refused could learn what it was for,
 * so there is one denial for all reasons.
 *
 *     a ticket of the URL or a subprotocol  -> no CHALLENGE; comes before all that HELLO offers
 *     `authextra.ticket` of HELLO           -> no CHALLENGE
 *     else CHALLENGE -> AUTHENTICATE
 */
import { cookieDigest } from '../../cookie/digest.js';
import { anyIds } from '../../cookie/header.js';
import { sayRepeated } from '../../log/repeated.js';
import { DETACHED } from '../lease.js';
import { denied } from '../verdict.js';
import { originOf } from './origin.js';
import { isOneTimeTicket } from './tickets.js';
import type { AuthDeps, AuthMethod, AuthMethodType, AuthRequest, ClientInfo, Pass, Verdict } from '../method.js';
import type { OneTimeConfig } from './schema.js';
import type { TicketGrant } from './tickets.js';

type Way = OneTimeConfig['from'][number];

/** What stands before a ticket in the name of a subprotocol, as Kubernetes has it for its tokens. */
const BEARER = 'base64url.bearer.wamp.';

const PASS: Pass = { type: 'pass' };

/** A ticket that came with the handshake. */
interface Presented {
  readonly way: Way;
  readonly ticket: string;
}

export const oneTime: AuthMethodType<OneTimeConfig> = {
  type: 'one_time',
  wantsHandshake: true,

  create(config, deps): AuthMethod {
    const stop = deps.logins.tickets.accept({
      ttlMs: config.ttl * 1000,
      max: config.max,
      onDropped: () =>
        sayRepeated(deps, 'warn', { max: config.max }, 'one-time tickets were dropped unused, there are too many'),
    });
    return {
      // Clients call it `ticket`; its own name is that of the sessions that it lets in.
      start: () => PASS,
      stop,
      ticketReader: {
        presented: (client) => presentedBy(client, config)?.ticket,
        read: (ticket, request, { client }) => read(ticket, request, client, config, deps),
      },
    };
  },
};

function read(
  ticket: string,
  request: AuthRequest,
  client: ClientInfo,
  config: OneTimeConfig,
  { logins, uris }: AuthDeps,
): Verdict | Pass {
  if (!isOneTimeTicket(ticket)) return PASS;
  const grant = logins.tickets.take(ticket);
  const isAllowed = config.from.includes(wayOf(request, client, config));
  if (grant === undefined || !isAllowed || !isMeantFor(grant, request) || !isHeldBy(grant, client, config)) {
    return denied(uris);
  }
  const principal = { ...grant.user, authmethod: 'one_time', authprovider: 'one_time' };
  return { type: 'accept', principal, lease: DETACHED };
}

/** A client need not say who it is. If it does, it must be right. */
function isMeantFor({ user }: TicketGrant, { realm, authid }: AuthRequest): boolean {
  return (authid === undefined || authid === user.authid) && (realm === '' || realm === user.realm);
}

function isHeldBy(
  { origin, cookie }: TicketGrant,
  { headers }: ClientInfo,
  { bind_origin: bindsOrigin, bind_cookie: bindsCookie }: OneTimeConfig,
): boolean {
  if (bindsOrigin && origin !== undefined && originOf(String(headers?.['origin'])) !== origin) return false;
  if (!bindsCookie || cookie === undefined) return true;
  // The id that the browser came with, also where it gets another one in exchange, or nobody else looks at cookies.
  return anyIds(String(headers?.['cookie'])).some((cbtid) => cookieDigest(cbtid) === cookie);
}

/** How a ticket came: `SharedTicket` asks for those of the handshake first, then for those of HELLO. */
function wayOf({ authextra }: AuthRequest, client: ClientInfo, config: OneTimeConfig): Way {
  const presented = presentedBy(client, config);
  if (presented !== undefined) return presented.way;
  return typeof (authextra?.['ticket'] ?? authextra?.['token']) === 'string' ? 'authextra' : 'challenge';
}

/**
 * Where tickets may come with the handshake, whatever stands there is taken for one: who brings a wrong ticket is not let in as
 * somebody else. Elsewhere only what has the form of a ticket is one: the rest is the business of the application.
 */
function presentedBy(
  { query = '', headers = {} }: ClientInfo,
  { from, parameter }: OneTimeConfig,
): Presented | undefined {
  const found: readonly (readonly [Way, string | undefined])[] = [
    ['query', query === '' ? undefined : (new URLSearchParams(query).get(parameter) ?? undefined)],
    ['subprotocol', ticketOfSubprotocol(headers['sec-websocket-protocol'])],
  ];
  for (const [way, ticket] of found) {
    if (ticket !== undefined && (from.includes(way) || isOneTimeTicket(ticket))) return { way, ticket };
  }
  return undefined;
}

function ticketOfSubprotocol(header: unknown): string | undefined {
  if (typeof header !== 'string' || !header.includes(BEARER)) return undefined;
  const names = header.split(',').map((name) => name.trim());
  const encoded = names.find((name) => name.startsWith(BEARER))?.slice(BEARER.length);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString();
}

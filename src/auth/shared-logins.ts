/**
 * What the authentication methods, web services and procedures of one worker share about logins: a ticket is issued by a service
 * and taken by a method, a session is prolonged by a procedure and knows its method.
 */
import type { Dict } from '../wamp/payload.js';
import { RefusedLogins } from './refused/refused-logins.js';
import { OneTimeTickets } from './one-time/tickets.js';

/** Takes a new token for a session. @returns what the client is told. Rejects with a WampError when the token does not fit. */
export type Renew = (token: string) => Promise<Dict>;

/** Of one worker. */
export class SharedLogins {
  readonly tickets: OneTimeTickets;
  /** Who was not let in. */
  readonly refused: RefusedLogins;
  /** Sessions whose login can be prolonged: session id -> how. */
  readonly renewals = new Map<number, Renew>();

  /** @param clock milliseconds since 1970. */
  constructor(clock: () => number) {
    this.tickets = new OneTimeTickets({ clock });
    this.refused = new RefusedLogins(clock);
  }
}

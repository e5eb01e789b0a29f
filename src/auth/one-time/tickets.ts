/**
 * One-time tickets: issued to somebody who is logged in elsewhere, taken once. Only their digests are kept, in memory.
 */
import { createHash } from 'node:crypto';
import { drawBytes } from '../../system/random.js';
import type { Dict } from '../../wamp/payload.js';

/** Who the holder of a ticket is. */
export interface TicketUser {
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authextra?: Dict;
}

/** What a ticket is good for. */
export interface TicketGrant {
  readonly user: TicketUser;
  /** From which page it may be used, as browsers write origins; undefined for any. */
  readonly origin: string | undefined;
  /** The digest of the cookie that its holder must have (`cookie/digest.ts`); undefined for any. */
  readonly cookie: string | undefined;
  /** In milliseconds since 1970. */
  readonly expiresMs: number;
}

/** How many tickets are kept. */
export interface TicketLimits {
  readonly max: number;
  /** For one `authid` of a realm. */
  readonly perUser: number;
}

export interface OneTimeTicketsDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** The tickets of one worker that nobody has used yet. */
export class OneTimeTickets {
  readonly #clock: () => number;
  // SHA-256 of the ticket in Base64 -> what it is good for, oldest first
  readonly #grants = new Map<string, TicketGrant>();

  constructor({ clock }: OneTimeTicketsDeps) {
    this.#clock = clock;
  }

  /** How many are kept. */
  get size(): number {
    return this.#grants.size;
  }

  /** @returns the ticket, 43 characters of base64url: a password. The oldest make room for it. */
  issue(grant: TicketGrant): string {
    const ticket = drawBytes(32).toString('base64url');
    this.#grants.set(digestOf(ticket), grant);
    return ticket;
  }

  /** Takes a ticket: it is gone, whatever is decided then. @returns undefined when it is unknown or has expired. */
  take(ticket: string): TicketGrant | undefined {
    const digest = digestOf(ticket);
    const grant = this.#grants.get(digest);
    this.#grants.delete(digest);
    return grant === undefined || grant.expiresMs <= this.#clock() ? undefined : grant;
  }
}

function digestOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}

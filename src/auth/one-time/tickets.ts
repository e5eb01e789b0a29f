/**
 * One-time tickets: issued to somebody who is logged in elsewhere, taken once. Only their digests are kept, in memory; a restart
 * forgets them, and the page asks for another one. What they take is bounded: the oldest make room for new ones.
 */
import { createHash } from 'node:crypto';
import { drawBytes } from '../../system/random.js';
import { originOf } from './origin.js';
import type { Dict } from '../../wamp/payload.js';

/** Who the holder of a ticket is. */
export interface TicketUser {
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authextra?: Dict;
}

/** What a ticket is bound to. */
export interface TicketBonds {
  /** From which pages it may be used (`originOf`); undefined for any. */
  readonly origin?: string | undefined;
  /** The digest of the cookie that its holder must have (`cookie/digest.ts`); undefined for any. */
  readonly cookie?: string | undefined;
}

/** What a ticket is good for. */
export interface TicketGrant extends TicketBonds {
  readonly user: TicketUser;
  /** In milliseconds since 1970. */
  readonly expiresMs: number;
}

/** What is asked of a new ticket. */
export interface TicketRequest extends TicketBonds {
  /** How long it is good for; default: as the config says. */
  readonly ttlMs?: number | undefined;
}

/** A new ticket, as its holder is told. */
export interface IssuedTicket {
  /** A password. */
  readonly ticket: string;
  /** In seconds. */
  readonly expires_in: number;
}

/** What a section of the config says of the tickets that it takes. */
export interface TicketTerms {
  /** How long a ticket is good for, where whoever issues it does not say. */
  readonly ttlMs: number;
  /** How many are kept. */
  readonly max: number;
  /** A ticket that somebody could still have used had to make room. */
  readonly onDropped?: () => void;
}

export interface OneTimeTicketsDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

interface Kept {
  readonly grant: TicketGrant;
  /** The user as a key. */
  readonly holder: string;
  /** What it says of the user. */
  readonly bytes: number;
}

/** What tickets begin with. So no password is taken for one, and whoever finds one in a log knows what it was. */
const PREFIX = 'once-';
const FORM = /^once-[A-Za-z0-9_-]{43}$/;

/** Where no section says it. */
const DEFAULT_MAX = 10_000;
/** For one `authid` of a realm: a page needs one at a time, and a user has some tabs. */
const MAX_PER_USER = 20;
/** What all together say of their holders: one may say as much as a message holds. Each takes some 500 bytes beside that. */
const MAX_BYTES = 16_777_216;
/** So many are looked at with each that comes or goes, so that expired ones do not stay. */
const LOOKED_AT = 4;

/** @returns whether a text has the form of a ticket, whoever made it up. */
export function isOneTimeTicket(text: string): boolean {
  return FORM.test(text);
}

/** The tickets of one worker that nobody has used yet. */
export class OneTimeTickets {
  readonly #clock: () => number;
  readonly #sections = new Set<TicketTerms>();
  // All indexes change in #keep and #drop.
  /** SHA-256 of the ticket in Base64 -> what it is good for, oldest first */
  readonly #kept = new Map<string, Kept>();
  /** holder -> their tickets, oldest first */
  readonly #byHolder = new Map<string, Set<string>>();
  #bytes = 0;
  /** Goes round, a few steps at a time. */
  #round = this.#kept.entries();

  constructor({ clock }: OneTimeTicketsDeps) {
    this.#clock = clock;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** Of how many users tickets are kept. */
  get holders(): number {
    return this.#byHolder.size;
  }

  /** A transport takes tickets from now on. @returns what is called when it does so no more. */
  accept(section: TicketTerms): () => void {
    this.#sections.add(section);
    return () => void this.#sections.delete(section);
  }

  /**
   * Makes a ticket for somebody who is logged in.
   * @returns undefined where no transport takes any.
   */
  issueFor(user: TicketUser, { ttlMs, origin, cookie }: TicketRequest = {}): IssuedTicket | undefined {
    if (this.#sections.size === 0) return undefined;
    // Nobody knows yet where it will be used.
    const lifeMs = ttlMs ?? Math.max(...[...this.#sections].map((section) => section.ttlMs));
    const page = origin === undefined ? undefined : (originOf(origin) ?? origin);
    const ticket = this.issue({ user, origin: page, cookie, expiresMs: this.#clock() + lifeMs });
    return { ticket, expires_in: Math.floor(lifeMs / 1000) };
  }

  /** @returns the ticket, 48 characters of base64url: a password. The oldest make room for it. */
  issue(grant: TicketGrant): string {
    const ticket = `${PREFIX}${drawBytes(32).toString('base64url')}`;
    this.#sweep();
    this.#keep(digestOf(ticket), grant);
    return ticket;
  }

  /** Takes a ticket: it is gone, whatever is decided then. @returns undefined when it is unknown or has expired. */
  take(ticket: string): TicketGrant | undefined {
    this.#sweep();
    const digest = digestOf(ticket);
    const kept = this.#kept.get(digest);
    if (kept === undefined) return undefined;
    this.#drop(digest, kept);
    return this.#isOver(kept) ? undefined : kept.grant;
  }

  #keep(digest: string, grant: TicketGrant): void {
    const { realm, authid } = grant.user;
    const kept = { grant, holder: JSON.stringify([realm, authid]), bytes: 2 * sizeOf(grant.user) };
    const own = this.#byHolder.get(kept.holder) ?? new Set();
    own.add(digest);
    this.#byHolder.set(kept.holder, own);
    this.#kept.set(digest, kept);
    this.#bytes += kept.bytes;
    if (own.size > MAX_PER_USER) this.#dropOldest(own.values());
    while (this.#kept.size > this.#max || this.#bytes > MAX_BYTES) {
      const dropped = this.#dropOldest(this.#kept.keys());
      if (dropped !== undefined && !this.#isOver(dropped)) for (const { onDropped } of this.#sections) onDropped?.();
    }
  }

  #dropOldest(digests: Iterator<string>): Kept | undefined {
    const { value: digest = '' } = digests.next() as { readonly value?: string };
    const kept = this.#kept.get(digest);
    if (kept !== undefined) this.#drop(digest, kept);
    return kept;
  }

  #drop(digest: string, { holder, bytes }: Kept): void {
    this.#kept.delete(digest);
    this.#bytes -= bytes;
    const own = this.#byHolder.get(holder);
    own?.delete(digest);
    if (own?.size === 0) this.#byHolder.delete(holder);
  }

  /** Looks at a few, the next ones of a round through all of them: constant work, and none stays for long. */
  #sweep(): void {
    for (let looked = 0; looked < LOOKED_AT; looked += 1) {
      const { value, done } = this.#round.next();
      if (done === true) {
        this.#round = this.#kept.entries();
        return;
      }
      const [digest, kept] = value;
      if (this.#isOver(kept)) this.#drop(digest, kept);
    }
  }

  #isOver({ grant }: Kept): boolean {
    return grant.expiresMs <= this.#clock();
  }

  get #max(): number {
    return this.#sections.size === 0 ? DEFAULT_MAX : Math.max(...[...this.#sections].map(({ max }) => max));
  }
}

function digestOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}

/** @returns characters of JSON, roughly. */
function sizeOf(user: TicketUser): number {
  return JSON.stringify(user, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).length;
}

/**
 * The last logins that were refused, for the operator who looks. Strangers can cause as many as they like, so there is a bound on
 * how many are kept and on every text. Nothing secret is: no ticket, no signature, no cookie.
 */
import { shortId } from '../../log/logger.js';

/** A login that was refused. */
export interface RefusedLogin {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** What the client asked for, as far as it said so; at most {@link MAX_TEXT} characters each. */
  readonly realm: string | null;
  readonly authid: string | null;
  readonly authmethods: readonly string[];
  /** The address of the client. */
  readonly peer: string;
  /** The URI of the ABORT. */
  readonly reason: string;
}

/** What is looked at of a client. */
export interface RefusedClient {
  readonly peer: string;
  /** The ids of its cookie, which are passwords. */
  readonly heldCookie?: string | undefined;
  readonly liveCookie: { readonly cbtid: string } | undefined;
}

/** So many are kept. */
const MAX_KEPT = 100;
/** Characters of what a stranger said. */
const MAX_TEXT = 128;
/** Methods that a client offered. */
const MAX_METHODS = 8;

/** Of one worker. */
export class RefusedLogins {
  readonly #clock: () => number;
  /** A ring: the oldest is at {@link #next} when it is full. */
  readonly #kept: RefusedLogin[] = [];
  #next = 0;
  #count = 0;

  /** @param clock milliseconds since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** How many there were, also those that are forgotten. */
  get count(): number {
    return this.#count;
  }

  /** @param asked what the client said in its HELLO. @param client who said it. */
  add(asked: Readonly<Record<string, unknown>>, client: RefusedClient, { reason }: { readonly reason: string }): void {
    const { realm, authid, authmethods } = asked;
    this.#count++;
    this.#kept[this.#next] = {
      atMs: this.#clock(),
      realm: toldText(realm),
      authid: isCookieOf(authid, client) ? shortId(authid) : toldText(authid),
      authmethods: toldList(authmethods),
      peer: client.peer,
      reason: toldText(reason) ?? '',
    };
    this.#next = (this.#next + 1) % MAX_KEPT;
  }

  /** The newest first. */
  list(): readonly RefusedLogin[] {
    return [...this.#kept.slice(0, this.#next).reverse(), ...this.#kept.slice(this.#next).reverse()];
  }
}

/** With Crossbar.io the `authid` of a visitor may be the id of the cookie: clients tell it again. */
function isCookieOf(authid: unknown, { liveCookie, heldCookie }: RefusedClient): authid is string {
  return typeof authid === 'string' && (authid === liveCookie?.cbtid || authid === heldCookie);
}

function toldList(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_METHODS).flatMap((item: unknown) => toldText(item) ?? []);
}

/** A copy: a part of a string would keep the whole one in memory. */
function toldText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.length <= MAX_TEXT ? value : `${value.slice(0, MAX_TEXT - 1)}…`;
  return Buffer.from(text).toString();
}

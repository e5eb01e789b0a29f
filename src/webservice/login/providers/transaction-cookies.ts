/**
 * The cookies of transactions in one browser. Each tab has its own. A browser keeps few of them, because all come with every request
 * for the provider, and the headers of a request are bounded.
 */
import { parseCookie, stringifySetCookie } from 'cookie';
import { TRANSACTION_MS, isTransactionName, transactionName } from './transaction.js';
import type { Transaction, TransactionSeal } from './transaction.js';

/** How many logins may be under way in one browser at one provider; the oldest make room. */
const MAX_TRANSACTIONS = 5;
/** How many characters they may have together. The headers of a request have 16 KiB. */
const MAX_CHARACTERS = 6144;
/** Of cookies that somebody planted so many are cleared with one answer. */
const MAX_CLEARED = 16;

/** Where the cookies count. */
export interface TransactionScope {
  /** The name of the provider. */
  readonly provider: string;
  /** The URL path of the provider, as browsers see it. */
  readonly path: string;
  /** Whether browsers come over TLS. */
  readonly secure: boolean;
}

export interface TransactionCookiesDeps {
  readonly seal: TransactionSeal;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Writes and reads the cookies of transactions. */
export class TransactionCookies {
  readonly #seal: TransactionSeal;
  readonly #clock: () => number;

  constructor({ seal, clock }: TransactionCookiesDeps) {
    this.#seal = seal;
    this.#clock = clock;
  }

  /**
   * @param header the `Cookie` header.
   * @returns the values of `Set-Cookie` headers: for the new transaction, and for those that make room.
   */
  begin(
    state: string,
    transaction: Omit<Transaction, 'begunMs'>,
    header: string | undefined,
    scope: TransactionScope,
  ): string[] {
    const name = transactionName(state);
    const value = this.#seal.seal({ ...transaction, begunMs: this.#clock() }, name, scope.provider);
    const others = this.#newestFirst(header, scope);
    let room = MAX_CHARACTERS - value.length;
    const kept = new Set<string>();
    for (const other of others) {
      room -= other.length;
      if (other.begunMs === undefined || room < 0 || kept.size === MAX_TRANSACTIONS - 1) break;
      kept.add(other.name);
    }
    const superfluous = others.filter((other) => !kept.has(other.name)).slice(0, MAX_CLEARED);
    return [
      ...superfluous.map((other) => this.clear(other.name, scope)),
      setCookie(name, value, TRANSACTION_MS / 1000, scope),
    ];
  }

  /** @returns the transaction of a `state`; undefined where the browser has none that is in force. */
  find(state: string, header: string | undefined, { provider }: TransactionScope): Transaction | undefined {
    const name = transactionName(state);
    const value = parseCookie(header ?? '', { decode: asIs })[name];
    return value === undefined ? undefined : this.#seal.open(value, name, provider, this.#clock());
  }

  /** @returns the value of the `Set-Cookie` header that takes a transaction away. @param name of its cookie. */
  clear(name: string, scope: TransactionScope): string {
    return setCookie(name, '', 0, scope);
  }

  /** All that the browser has; those that are none or over come last. */
  #newestFirst(header: string | undefined, { provider }: TransactionScope): Held[] {
    return Object.entries(parseCookie(header ?? '', { decode: asIs }))
      .filter(([name]) => isTransactionName(name))
      .map(([name, value = '']) => ({
        name,
        length: value.length,
        begunMs: this.#seal.open(value, name, provider, this.#clock())?.begunMs,
      }))
      .sort((one, other) => (other.begunMs ?? 0) - (one.begunMs ?? 0));
  }
}

interface Held {
  readonly name: string;
  /** In characters. */
  readonly length: number;
  /** Undefined where the value is no transaction, or its time is over. */
  readonly begunMs: number | undefined;
}

/** `Lax`, because the browser comes back from another site: with `Strict` the cookie would stay at home. */
function setCookie(name: string, value: string, maxAge: number, { path, secure }: TransactionScope): string {
  const attributes = { name, value, maxAge, path, httpOnly: true, sameSite: 'lax', secure } as const;
  return stringifySetCookie(attributes, { encode: asIs });
}

function asIs(value: string): string {
  return value;
}

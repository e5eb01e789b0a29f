/**
 * A session that was opened with a token: it ends when the token expires, unless `crossbar.session.refresh` takes a new token of
 * the same user before.
 */
import { CloseUri, ErrorUri, WampError } from '../../wamp/error.js';
import { isSameUser } from '../mapping/mapping.js';
import type { Dict } from '../../wamp/payload.js';
import type { Lease, LeasedSession, LeaseTimes } from '../lease.js';
import type { Deny, Unavailable } from '../method.js';
import type { Renew } from '../shared-logins.js';
import type { TokenUser } from './issuer.js';

/** How tokens are looked at. */
export interface LeaseTerms extends LeaseTimes {
  /** Whether a session ends with its token. */
  readonly closes: boolean;
  /** Session id -> how it is prolonged. */
  readonly renewals: Map<number, Renew>;
  /** Checks another token. */
  readonly read: (token: string) => Promise<TokenUser | Deny | Unavailable>;
}

/** @returns the lease of a login by a token. */
export function tokenLease(first: TokenUser, terms: LeaseTerms): Lease {
  return {
    ...(terms.closes && { untilMs: first.countsUntilMs }),
    begin(session) {
      const loan = new Loan(session, first, terms);
      return () => loan.end();
    },
  };
}

/** @returns what a client is told of the end of its login, ISO 8601. */
export function expiryOf({ expiresMs }: TokenUser): string {
  return new Date(expiresMs).toISOString();
}

/** Runs as long as its session. */
class Loan {
  readonly #session: LeasedSession;
  readonly #terms: LeaseTerms;
  #token: TokenUser;
  #isOver = false;
  #stopTimer = (): void => undefined;

  constructor(session: LeasedSession, token: TokenUser, terms: LeaseTerms) {
    this.#session = session;
    this.#token = token;
    this.#terms = terms;
    terms.renewals.set(session.id, (text) => this.#renew(text));
    this.#wait();
  }

  end(): void {
    this.#isOver = true;
    this.#stopTimer();
    this.#terms.renewals.delete(this.#session.id);
  }

  #wait(): void {
    const { closes, after, clock } = this.#terms;
    this.#stopTimer();
    if (!closes) return;
    this.#stopTimer = after(Math.max(0, this.#token.countsUntilMs - clock()), () =>
      this.#session.dismiss(CloseUri.TOKEN_EXPIRED, 'the token has expired'),
    );
  }

  async #renew(text: string): Promise<Dict> {
    const token = await this.#terms.read(text);
    if (token.type === 'unavailable') throw new WampError(ErrorUri.UNAVAILABLE, token.message);
    if (token.type === 'deny') throw new WampError(ErrorUri.INVALID_ARGUMENT, token.message);
    if (!isSameLogin(token, this.#token)) {
      const text =
        'this token does not prolong the session: issuer, subject, authid, role and realm must stay the same';
      throw new WampError(ErrorUri.INVALID_ARGUMENT, text);
    }
    if (this.#isOver) throw new WampError(ErrorUri.CANCELED, 'the session is over');
    // Answers may come in another order than the questions: a session never gets shorter.
    if (token.countsUntilMs > this.#token.countsUntilMs) this.#token = token;
    this.#wait();
    return { expires: this.#terms.closes ? expiryOf(this.#token) : null };
  }
}

/** Issuer and subject say who somebody is; a session never changes what it may do. */
function isSameLogin(one: TokenUser, other: TokenUser): boolean {
  return one.issuer === other.issuer && one.subject === other.subject && isSameUser(one.user, other.user);
}

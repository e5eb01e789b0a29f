/**
 * Slows the guessing of secrets down. Failed authentications are counted. After too many within a minute further attempts are
 * refused for the rest of the minute, also with the right secret, each after a pause. Failures are counted by address and
 * `authid` together, so that nobody can lock out a user at another address; and by address alone, against clients that try
 * one password with many names. An attempt counts from its beginning, so that many at the same time do not get past the limit.
 *
 * Behind a proxy on this machine all clients have the same address, which is empty. So that one client does not lock out the
 * others, one attempt every two seconds is let through beyond the limit, whichever client makes it.
 */
import { createHash } from 'node:crypto';
import { ErrorUri } from '../wamp/error.js';
import { saslprep } from './scram/saslprep.js';
import { deny } from './verdict.js';
import type { AuthContext, AuthMethod, AuthRequest, Challenge, Pass, Verdict } from './method.js';
import type { AuthDeps } from './method.js';

export interface FailureLimitOptions {
  /** How often one address may fail as one authid within a minute; 0 is no limit. */
  readonly max_auth_failures: number;
  /** How often one address may fail within a minute; 0 is no limit. */
  readonly max_auth_failures_per_address: number;
}

export interface FailureLimitDeps extends Pick<AuthDeps, 'log' | 'uris'> {
  /** Milliseconds, of a clock that only goes forward. */
  readonly clock: () => number;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

const WINDOW_MS = 60_000;
/** How often an attempt beyond the limit is let through for clients without an address. */
const LET_THROUGH_MS = 2000;
/** How long a client waits for the refusal. */
const PAUSE_MS = 1000;
/** Attackers have many addresses, which must not fill the memory. The oldest counts are dropped first. */
const MAX_ENTRIES = 100_000;
/** An authid may be as long as a message. */
const MAX_LOGGED_AUTHID = 100;

/** Counts within a minute of the first failure. */
interface Count {
  since: number;
  failures: number;
  /** Attempts that have no verdict yet. */
  pending: number;
  /** When an attempt beyond the limit was looked at last. */
  letThroughAt: number;
}

interface Limit {
  readonly key: string;
  readonly max: number;
  /** Whether an attempt is let through every {@link LET_THROUGH_MS} although the limit is reached. */
  readonly isLeaky: boolean;
}

/** Counts the failed authentications of one transport, and refuses attempts beyond its limits. */
export class FailureLimit {
  readonly #options: FailureLimitOptions;
  readonly #deps: FailureLimitDeps;
  // `keyOf` or address -> how often it failed, in the order of the first failure
  readonly #counts = new Map<string, Count>();

  constructor(options: FailureLimitOptions, deps: FailureLimitDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** How many counts are kept. */
  get size(): number {
    return this.#counts.size;
  }

  /** @returns the method, behind this limit. */
  guard(method: AuthMethod): AuthMethod {
    const start = (request: AuthRequest, context: AuthContext): Verdict | Pass | Promise<Verdict | Pass> =>
      this.#attempt(request, context, () => method.start(request, context));
    return {
      start,
      ...(method.faultOf && { faultOf: (login, liveCookie) => method.faultOf?.(login, liveCookie) }),
      ...(method.isPresented && { isPresented: (client) => method.isPresented?.(client) === true }),
      ...(method.stop && { stop: () => method.stop?.() }),
    };
  }

  #attempt<V extends Verdict | Pass>(
    request: AuthRequest,
    context: AuthContext,
    ask: () => V | Promise<V>,
    wasLetThrough = false,
  ): V | Verdict | Promise<V | Verdict> {
    const limits = this.#limits(request, context);
    const isBeyond = !wasLetThrough && limits.some((limit) => this.#isReached(limit));
    if (isBeyond && !limits.every((limit) => this.#letsThrough(limit))) return this.#refuse(limits);
    this.#begin(limits);
    let verdict: V | Promise<V>;
    try {
      verdict = ask();
    } catch (error) {
      this.#settle(limits);
      throw error;
    }
    const judge = (given: V): V | Verdict => {
      this.#settle(limits);
      return this.#judge(given, request, context, wasLetThrough || isBeyond);
    };
    if (!(verdict instanceof Promise)) return judge(verdict);
    return verdict.then(judge, (error: unknown) => {
      this.#settle(limits);
      throw error;
    });
  }

  #judge<V extends Verdict | Pass>(
    verdict: V,
    request: AuthRequest,
    context: AuthContext,
    wasLetThrough: boolean,
  ): V | Verdict {
    if (verdict.type === 'challenge') return this.#guardAnswer(verdict, request, context, wasLetThrough);
    if (verdict.type === 'accept') this.#forgive(keyOf(request, context));
    // A broken authenticator is not the client's fault.
    if (verdict.type === 'deny' && verdict.reason !== ErrorUri.AUTHENTICATION_FAILED) this.#count(request, context);
    return verdict;
  }

  /** An answer is an attempt of its own: the limit may have been reached since the challenge. Only one answer is looked at. */
  #guardAnswer(challenge: Challenge, request: AuthRequest, context: AuthContext, wasLetThrough: boolean): Challenge {
    let isAnswered = false;
    const resume: Challenge['resume'] = (signature, extra) => {
      if (isAnswered) return deny(this.#deps.uris.denied, 'the challenge was answered already');
      isAnswered = true;
      return this.#attempt(request, context, () => challenge.resume(signature, extra), wasLetThrough);
    };
    return { ...challenge, resume };
  }

  /** Clients that only came at the same time, such as after a restart, did nothing wrong, and are to come back. */
  async #refuse(limits: readonly Limit[]): Promise<Verdict> {
    const hasFailed = limits.some(({ key, max }) => (this.#countOf(key)?.failures ?? 0) >= max);
    await this.#deps.pause(PAUSE_MS);
    if (!hasFailed) {
      const message = 'too many logins at the same time, please try again later';
      return { type: 'unavailable', isLimit: true, message };
    }
    const refusal = deny(this.#deps.uris.denied, 'too many failed authentications; please try again in a minute');
    return { ...refusal, retryAfterMs: WINDOW_MS };
  }

  #isReached({ key, max }: Limit): boolean {
    const count = this.#countOf(key);
    return count !== undefined && count.failures + count.pending >= max;
  }

  /** @returns whether an attempt is let through although the limit is reached. The answer to its challenge is, too. */
  #letsThrough(limit: Limit): boolean {
    if (!this.#isReached(limit)) return true;
    const count = this.#countOf(limit.key);
    const now = this.#deps.clock();
    if (count === undefined || !limit.isLeaky || now - count.letThroughAt < LET_THROUGH_MS) return false;
    count.letThroughAt = now;
    return true;
  }

  /** @returns the count, without the failures of an earlier minute; undefined when nothing is counted. */
  #countOf(key: string): Count | undefined {
    const count = this.#counts.get(key);
    if (count !== undefined && this.#deps.clock() - count.since >= WINDOW_MS) count.failures = 0;
    return count;
  }

  #begin(limits: readonly Limit[]): void {
    for (const { key } of limits) {
      const count = this.#countOf(key) ?? this.#newCount(key);
      count.pending += 1;
    }
  }

  #settle(limits: readonly Limit[]): void {
    for (const { key } of limits) {
      const count = this.#counts.get(key);
      if (count === undefined) continue;
      count.pending -= 1;
      if (count.pending <= 0 && count.failures === 0) this.#counts.delete(key);
    }
  }

  #forgive(key: string): void {
    const count = this.#counts.get(key);
    if (count === undefined) return;
    count.failures = 0;
    if (count.pending <= 0) this.#counts.delete(key);
  }

  #count(request: AuthRequest, context: AuthContext): void {
    const { authmethod, authid } = request;
    const { peer } = context.client;
    this.#deps.log.info({ authmethod, authid: authid?.slice(0, MAX_LOGGED_AUTHID), peer }, 'authentication failed');
    for (const { key } of this.#limits(request, context)) this.#countFor(key);
  }

  #countFor(key: string): void {
    const count = this.#countOf(key) ?? this.#newCount(key);
    count.failures += 1;
    if (count.failures > 1) return;
    count.since = this.#deps.clock();
    // At the end, because the order is that of the first failure.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    this.#forgetOldest();
  }

  #newCount(key: string): Count {
    const count: Count = { since: this.#deps.clock(), failures: 0, pending: 0, letThroughAt: -Infinity };
    this.#counts.set(key, count);
    return count;
  }

  #forgetOldest(): void {
    const now = this.#deps.clock();
    for (const [key, { since }] of this.#counts) {
      if (now - since < WINDOW_MS && this.#counts.size <= MAX_ENTRIES) return;
      this.#counts.delete(key);
    }
  }

  /** @returns what an attempt counts for: address and authid, and the address alone, as far as they are known. */
  #limits(request: AuthRequest, context: AuthContext): readonly Limit[] {
    const { max_auth_failures: perPrincipal, max_auth_failures_per_address: perAddress } = this.#options;
    const { address } = context.client;
    const limits: Limit[] = [];
    if (request.authid !== undefined && perPrincipal > 0) {
      limits.push({ key: keyOf(request, context), max: perPrincipal, isLeaky: address === '' });
    }
    if (address !== '' && perAddress > 0) {
      limits.push({ key: `address ${address}`, max: perAddress, isLeaky: false });
    }
    return limits;
  }
}

/**
 * @returns a key of fixed length for address and authid. Names that SCRAM takes for the same share one: `jo\u00ADe` is `joe`, and
 *   would allow ten more guesses otherwise.
 */
function keyOf({ authid = '' }: AuthRequest, { client: { address } }: AuthContext): string {
  return createHash('sha256')
    .update(JSON.stringify([address, saslprep(authid) ?? authid]))
    .digest('base64');
}

/**
 * Guessing takes time: failed authentications are counted, and whoever has had too many within a minute is refused for the
 * rest of it, the right secret included, and after a pause that slows the guesses down. It is counted by address and
 * `authid` together, so that nobody can lock out somebody at another address; and by address alone, for those who try one
 * password on many names.
 */
import { createHash } from 'node:crypto';
import { ErrorUri } from '../wamp/error.js';
import { deny } from './verdict.js';
import type { AuthContext, AuthMethod, AuthRequest, Challenge, Pass, Verdict } from './method.js';
import type { AuthDeps } from './method.js';

export interface FailureLimitOptions {
  /** How often one address may fail as one authid within a minute; 0 is no limit. */
  readonly max_auth_failures: number;
  /** How often one address may fail within a minute; 0 is no limit. */
  readonly max_auth_failures_per_address: number;
}

export interface FailureLimitDeps extends Pick<AuthDeps, 'log' | 'uris' | 'clock'> {
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

const WINDOW_MS = 60_000;
/** How long a client waits for the refusal. */
const PAUSE_MS = 1000;
/** Attackers have many addresses; what is counted of them must not fill our memory. The oldest counts go first. */
const MAX_ENTRIES = 100_000;
/** An authid may be as long as a message. */
const MAX_LOGGED_AUTHID = 100;

/** Counts within a minute of the first failure. */
interface Count {
  readonly since: number;
  failures: number;
}

type Limit = readonly [key: string, max: number];

export class FailureLimit {
  readonly #options: FailureLimitOptions;
  readonly #deps: FailureLimitDeps;
  /** digest of who failed -> how often, in the order of the first failure */
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
    if (method.knows === undefined) return { start };
    return { start, knows: (login) => method.knows?.(login) === true };
  }

  #attempt<V extends Verdict | Pass>(
    request: AuthRequest,
    context: AuthContext,
    ask: () => V | Promise<V>,
  ): V | Verdict | Promise<V | Verdict> {
    if (this.#isExhausted(request, context)) return this.#refuse();
    const verdict = ask();
    const judge = (given: V): V | Verdict => this.#judge(given, request, context);
    return verdict instanceof Promise ? verdict.then(judge) : judge(verdict);
  }

  #judge<V extends Verdict | Pass>(verdict: V, request: AuthRequest, context: AuthContext): V | Verdict {
    if (verdict.type === 'challenge') return this.#guardAnswer(verdict, request, context);
    if (verdict.type === 'accept') this.#counts.delete(keyOf(request, context));
    // That an authenticator is broken is not the client's doing.
    if (verdict.type === 'deny' && verdict.reason !== ErrorUri.AUTHENTICATION_FAILED) this.#count(request, context);
    return verdict;
  }

  /** The limit may have been reached since the challenge; and an answer is looked at once, whatever the session does. */
  #guardAnswer(challenge: Challenge, request: AuthRequest, context: AuthContext): Challenge {
    let isAnswered = false;
    const resume: Challenge['resume'] = (signature, extra) => {
      if (isAnswered) return deny(this.#deps.uris.denied, 'the challenge was answered already');
      isAnswered = true;
      return this.#attempt(request, context, () => challenge.resume(signature, extra));
    };
    return { ...challenge, resume };
  }

  async #refuse(): Promise<Verdict> {
    await this.#deps.pause(PAUSE_MS);
    return deny(this.#deps.uris.denied, 'too many failed authentications; please try again in a minute');
  }

  #isExhausted(request: AuthRequest, context: AuthContext): boolean {
    return this.#limits(request, context).some(([key, max]) => max > 0 && this.#failuresOf(key) >= max);
  }

  #failuresOf(key: string): number {
    const count = this.#counts.get(key);
    return count !== undefined && this.#deps.clock() - count.since < WINDOW_MS ? count.failures : 0;
  }

  #count(request: AuthRequest, context: AuthContext): void {
    const { authmethod, authid } = request;
    const { peer } = context.client;
    this.#deps.log.info({ authmethod, authid: authid?.slice(0, MAX_LOGGED_AUTHID), peer }, 'authentication failed');
    for (const [key, max] of this.#limits(request, context)) if (max > 0) this.#countFor(key);
  }

  #countFor(key: string): void {
    const failures = this.#failuresOf(key);
    if (failures > 0) {
      const count = this.#counts.get(key);
      if (count !== undefined) count.failures = failures + 1;
      return;
    }
    // Behind all others, where a new one belongs.
    this.#counts.delete(key);
    this.#counts.set(key, { since: this.#deps.clock(), failures: 1 });
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    const now = this.#deps.clock();
    for (const [key, { since }] of this.#counts) {
      if (now - since < WINDOW_MS && this.#counts.size <= MAX_ENTRIES) return;
      this.#counts.delete(key);
    }
  }

  /** What an attempt counts for: whoever the client says it is, and where it is, as far as both are known. */
  #limits(request: AuthRequest, context: AuthContext): readonly Limit[] {
    const { max_auth_failures: perPrincipal, max_auth_failures_per_address: perAddress } = this.#options;
    const { address } = context.client;
    const limits: Limit[] = [];
    if (request.authid !== undefined) limits.push([keyOf(request, context), perPrincipal]);
    if (address !== '') limits.push([`address ${address}`, perAddress]);
    return limits;
  }
}

/** Of one length, whatever the client says. */
function keyOf({ authid = '' }: AuthRequest, { client: { address } }: AuthContext): string {
  return createHash('sha256')
    .update(JSON.stringify([address, authid]))
    .digest('base64');
}

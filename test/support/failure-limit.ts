/** A method of authentication behind a limit of failures. */
import { expect } from 'vitest';

import { FailureLimit } from '../../src/auth/failure-limit.js';
import type { AuthMethod, AuthRequest, Challenge, Pass, Verdict } from '../../src/auth/method.js';
import { accept, AUTH_URIS, denied } from '../../src/auth/verdict.js';
import { silentLogger } from '../../src/log/logger.js';
import { clientInfo } from './client.js';

export const REFUSED = {
  type: 'deny',
  reason: 'wamp.error.not_authorized',
  message: expect.stringContaining('too many') as string,
  retryAfterMs: 60_000,
};

/** Right is the answer `right`. @param onAnswer is called for every answer that is looked at. */
export function methodWithRightAnswer(onAnswer: () => void = () => undefined): AuthMethod {
  return {
    start({ realm, authid = '' }): Challenge {
      const principal = { realm, authid, authrole: 'user', authmethod: 'ticket', authprovider: 'static' };
      const resume = (signature: string): Verdict => {
        onAnswer();
        return signature === 'right' ? accept(principal) : denied(AUTH_URIS.crossbar);
      };
      return { type: 'challenge', authmethod: 'ticket', extra: {}, resume };
    },
  };
}

interface Surroundings {
  readonly clock: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

export function limitedMethod(
  method: AuthMethod,
  [perPrincipal, perAddress]: readonly [perPrincipal: number, perAddress: number],
  surroundings: Surroundings,
) {
  const options = { max_auth_failures: perPrincipal, max_auth_failures_per_address: perAddress };
  const limit = new FailureLimit(options, { log: silentLogger(), uris: AUTH_URIS.crossbar, ...surroundings });
  const guarded = limit.guard(method);
  const start = async (authid: string | undefined, address = '192.0.2.1'): Promise<Verdict | Pass> => {
    const request: AuthRequest = { realm: 'realm1', authmethod: 'ticket', authid, authextra: undefined };
    return guarded.start(request, { sessionId: 1, client: clientInfo({ address }), facts: () => ({}) });
  };
  const login = async (authid: string | undefined, signature: string, address?: string): Promise<Verdict | Pass> => {
    const verdict = await start(authid, address);
    return verdict.type === 'challenge' ? verdict.resume(signature, {}) : verdict;
  };
  return { limit, start, login };
}

export async function times<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < count; i++) results.push(await work(i));
  return results;
}

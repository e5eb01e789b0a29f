/** Authentication methods without a session around them: what a client says, and what a method makes of it. */
import { createAuthMethods } from '../../src/auth/registry.js';
import { AUTH_URIS } from '../../src/auth/verdict.js';
import type { AuthDeps, AuthMethod, AuthRequest, Challenge, ClientInfo, Pass, Verdict } from '../../src/auth/method.js';
import type { AuthOptions } from '../../src/auth/options-schema.js';
import { silentLogger } from '../../src/log/logger.js';
import type { Logger } from '../../src/log/logger.js';
import { clientInfo, NOBODY_TO_ASK } from './client.js';

/** Failures without limit: the tests of methods fail often. */
export const UNLIMITED: AuthOptions = {
  auth_error_uris: 'crossbar',
  max_auth_failures: 0,
  max_auth_failures_per_address: 0,
};

export const SESSION_ID = 3251278072152162;
export const NOW = Date.parse('2026-11-21T12:00:00.123Z');

export interface TestAuth {
  /** What a method says to a HELLO. */
  start(
    request: Partial<AuthRequest> & { readonly authmethod: string },
    client?: Partial<ClientInfo>,
  ): Promise<Verdict | Pass>;
  method(name: string): AuthMethod;
}

interface TestAuthParts extends Partial<Pick<AuthDeps, 'call' | 'load' | 'clock' | 'after' | 'logins'>> {
  readonly options?: Partial<AuthOptions>;
  readonly log?: Logger;
}

/** Sets up the methods of an `auth` section. */
export async function testAuth(
  config: object,
  { options = {}, log = silentLogger(), ...others }: TestAuthParts = {},
): Promise<TestAuth> {
  const all = { ...UNLIMITED, ...options };
  const deps = { log, clock: () => NOW, uris: AUTH_URIS[all.auth_error_uris], ...NOBODY_TO_ASK, ...others };
  const methods = await createAuthMethods(config, all, deps);
  const method = (name: string): AuthMethod => {
    const found = methods.get(name);
    if (found === undefined) throw new Error(`the test has no method ${name}`);
    return found;
  };
  return {
    method,
    start: async (request, client = {}) =>
      method(request.authmethod).start(
        { realm: 'realm1', authid: undefined, authextra: undefined, ...request },
        { sessionId: SESSION_ID, client: clientInfo(client), facts: () => ({ peer: '192.0.2.1:1' }) },
      ),
  };
}

/** @throws when it is something else */
export function asChallenge(verdict: Verdict | Pass): Challenge {
  if (verdict.type !== 'challenge') throw new Error(`expected a challenge, got ${JSON.stringify(verdict)}`);
  return verdict;
}

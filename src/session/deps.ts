/**
 * What all sessions of one transport share: made once, when the transport is set up.
 */
import { createAuthMethods } from '../auth/registry.js';
import type { AuthMethods } from '../auth/method.js';
import type { AuthConfig } from '../auth/schema.js';
import type { Logger } from '../log/logger.js';
import type { Router } from '../router/router.js';

export interface SessionDeps {
  readonly router: Router;
  /** name in HELLO -> method */
  readonly authMethods: AuthMethods;
  readonly log: Logger;
}

/** @param auth the `auth` section of the transport. Rejects when one of its methods cannot be set up. */
export async function createSessionDeps(
  auth: AuthConfig | undefined,
  { router, log }: Pick<SessionDeps, 'router' | 'log'>,
): Promise<SessionDeps> {
  return { router, authMethods: await createAuthMethods(auth, { log, clock: router.clock }), log };
}

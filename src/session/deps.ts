/**
 * What all sessions of one transport share: made once, when the transport is set up.
 */
import { createAuthMethods } from '../auth/registry.js';
import type { AuthMethod } from '../auth/method.js';
import type { AuthConfig } from '../auth/schema.js';
import type { Logger } from '../log/logger.js';
import type { Router } from '../router/router.js';

export interface SessionDeps {
  readonly router: Router;
  /** config word -> method */
  readonly authMethods: ReadonlyMap<string, AuthMethod>;
  readonly log: Logger;
}

/** @param auth the `auth` section of the transport. */
export function createSessionDeps(auth: AuthConfig | undefined, router: Router, log: Logger): SessionDeps {
  return { router, authMethods: createAuthMethods(auth), log };
}

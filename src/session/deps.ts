/**
 * What all sessions of one transport share: made once, when the transport is set up.
 */
import { createAuthMethods } from '../auth/registry.js';
import { AUTH_URIS } from '../auth/verdict.js';
import type { AuthMethods } from '../auth/method.js';
import type { AuthOptions } from '../auth/options-schema.js';
import type { AuthConfig } from '../auth/schema.js';
import type { AuthUris } from '../auth/verdict.js';
import type { Logger } from '../log/logger.js';
import type { Router } from '../router/router.js';

export interface SessionDeps {
  readonly router: Router;
  /** name in HELLO -> method */
  readonly authMethods: AuthMethods;
  /** What refusals are called; by default as Crossbar.io does. */
  readonly authUris?: AuthUris;
  readonly log: Logger;
}

/** What a transport says of authentication. */
export interface AuthSections {
  readonly auth?: AuthConfig | undefined;
  readonly options: AuthOptions;
}

/** @param config the transport's. Rejects when one of its authentication methods cannot be set up. */
export async function createSessionDeps(
  { auth, options }: AuthSections,
  { router, log }: Pick<SessionDeps, 'router' | 'log'>,
): Promise<SessionDeps> {
  const authUris = AUTH_URIS[options.auth_error_uris];
  const authMethods = await createAuthMethods(auth, options, { log, clock: router.clock, uris: authUris });
  return { router, authMethods, authUris, log };
}

/**
 * What all sessions of one transport share: made once, when the transport is set up.
 */
import { RepeatedLog } from '../log/repeated.js';
import { createAuthMethods } from '../auth/registry.js';
import { AUTH_URIS } from '../auth/verdict.js';
import { InternalCallers } from './internal-callers.js';
import type { AuthMethods, LoadFunction } from '../auth/method.js';
import type { AuthOptions } from '../auth/options-schema.js';
import type { AuthConfig } from '../auth/schema.js';
import type { AuthUris } from '../auth/verdict.js';
import type { RepeatedLogDeps } from '../log/repeated.js';
import type { Router } from '../router/router.js';

/** What a session is made with: the router, who may enter, and the limits of its transport. */
export interface SessionDeps extends RepeatedLogDeps {
  readonly router: Router;
  /** name in HELLO -> method */
  readonly authMethods: AuthMethods;
  /** What refusals are called; by default as Crossbar.io does. */
  readonly authUris?: AuthUris;
}

/** What a transport says of authentication. */
export interface AuthSections {
  readonly auth?: AuthConfig | undefined;
  readonly options: AuthOptions;
}

/** What the node gives. */
export interface SessionParts extends Pick<SessionDeps, 'router' | 'log'> {
  readonly load: LoadFunction;
}

/** @returns whether somebody else is asked who a client is, who should see all that is known of it. */
export function asksAuthenticator(auth: AuthConfig | undefined): boolean {
  return Object.values(auth ?? {}).some((section: object) => 'type' in section && section.type !== 'static');
}

/** @param config the transport's. Rejects when one of its authentication methods cannot be set up. */
export async function createSessionDeps(
  { auth, options }: AuthSections,
  { router, log, load }: SessionParts,
): Promise<SessionDeps> {
  const authUris = AUTH_URIS[options.auth_error_uris];
  const repeated = new RepeatedLog(log);
  const calls = new InternalCallers(router, repeated);
  const authMethods = await createAuthMethods(auth, options, {
    log,
    repeated,
    clock: router.clock,
    uris: authUris,
    call: (...call) => calls.call(...call),
    load,
    admits: (realm, role) => router.realm(realm)?.role(role) !== undefined,
  });
  return { router, authMethods, authUris, log, repeated };
}

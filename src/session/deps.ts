/**
 * What the sessions of one transport share. It is made once, when the transport is set up.
 */
import { RepeatedLog } from '../log/repeated.js';
import { LiveAuthMethods } from '../auth/live-methods.js';
import { authSectionsOf, createAuthMethods, stopAuthMethods, wantsHandshake } from '../auth/registry.js';
import { PROXY_METHODS } from '../auth/proxy-schema.js';
import { AUTH_URIS } from '../auth/verdict.js';
import { afterLong } from '../auth/lease.js';
import { roleOf } from '../router/access.js';
import { InternalCallers } from './internal-callers.js';
import type { AuthMethodLookup, LoadFunction } from '../auth/method.js';
import type { AuthOptions } from '../auth/options-schema.js';
import type { AuthConfig } from '../auth/schema.js';
import type { AuthUris } from '../auth/method.js';
import type { RefusedLogins } from '../auth/refused/refused-logins.js';
import type { SharedLogins } from '../auth/shared-logins.js';
import type { AuthMethodTypes } from '../auth/registry.js';
import type { RepeatedLogDeps } from '../log/repeated.js';
import type { TransportCounts } from '../metrics/transport-counts.js';
import type { RouterAccess } from '../router/access.js';
import type { ConnectionSession, SessionTransport } from './transport.js';

/** What a session is made with: the router, who may enter, and the limits of its transport. */
export interface SessionDeps extends RepeatedLogDeps {
  readonly router: RouterAccess;
  /** name in HELLO -> method */
  readonly authMethods: AuthMethodLookup;
  /** The reason URIs of refusals; by default those of Crossbar.io. */
  readonly authUris?: AuthUris;
  /** Remembers who was not let in, for the operator; by default nobody does. */
  readonly refusedLogins?: Pick<RefusedLogins, 'add'>;
  /** Whether a method looks at the headers and the query of handshakes, which take memory. Default: no. */
  readonly keepsHandshake?: boolean;
  /** Releases what the methods hold. Idempotent; never rejects. */
  stop?(): Promise<void>;
  /** What is counted of the transport; by default nobody looks at it. */
  readonly counts?: TransportCounts | undefined;
  /** Its clients are part of the node: they stay while the node may not serve their realm, and may join it then. */
  readonly isOfNode?: true;
  /** Where the sessions are in another process: makes what stands for the one of a connection. */
  readonly open?: (transport: SessionTransport) => ConnectionSession;
  /** Where clients may also want to go; undefined where there is one router only. */
  readonly sharing?: RealmSharing;
}

/** Several routers behind one place. */
export interface RealmSharing {
  /**
   * @returns what a session on the realm is made with; `not yet` while the realm may still come; undefined where no router has it.
   */
  depsFor(realm: string): SessionDeps | 'not yet' | undefined;
  /** Whether one of the routers looks at handshakes. */
  readonly keepsHandshake: boolean;
}

/** The same, for the transport that made them. */
export interface LiveSessionDeps extends SessionDeps {
  /**
   * Takes other principals and limits for the clients that come from now on; sessions that are on stay. Failures that were
   * counted are forgotten, `auth_error_uris` stays as it was. Rejects when a method cannot be set up: then all is as before.
   */
  renewAuth(sections: AuthSections): Promise<void>;
  /** The clients that come from now on are judged as those of `successor`; sessions that are on keep the methods that let them in. */
  follow(successor: LiveSessionDeps): void;
  readonly authMethods: LiveAuthMethods;
}

/** The parts of a transport's config that say who may enter. */
export interface AuthSections {
  readonly auth?: AuthConfig | undefined;
  readonly options: AuthOptions;
}

/** What the words of a config stand for, as far as sessions go. */
export interface SessionFamilies {
  readonly methods: AuthMethodTypes;
}

/** What the node gives for it. */
export interface SessionParts extends Pick<SessionDeps, 'router' | 'log' | 'counts'> {
  readonly families: SessionFamilies;
  readonly load: LoadFunction;
  /** What the methods and services of the worker share. */
  readonly logins: SharedLogins;
}

/** @returns the words of the methods by which clients are let in. */
export function authWordsOf({ auth }: Pick<AuthSections, 'auth'>): string[] {
  return Object.keys(authSectionsOf(auth)).filter((word) => !PROXY_METHODS.has(word));
}

/** @returns whether there is such a realm, with such a role; not of a built-in role, which is never remembered. */
export function admits(router: RouterAccess, realm: string, role: string): boolean {
  return roleOf(router, realm, role)?.isBuiltIn === false;
}

/** @param config the transport's. Rejects when one of its authentication methods cannot be set up. */
export async function createSessionDeps(
  sections: AuthSections,
  { router, log, load, families, logins, counts }: SessionParts,
): Promise<LiveSessionDeps> {
  const authUris = AUTH_URIS[sections.options.auth_error_uris];
  const repeated = new RepeatedLog(log);
  const calls = new InternalCallers(router, repeated);
  const deps: Parameters<typeof createAuthMethods>[2] = {
    log,
    repeated,
    clock: router.clock,
    after: (ms, callback) => afterLong(router.scheduler, ms, callback),
    logins,
    uris: authUris,
    call: (...call) => calls.call(...call),
    load,
    admits: (realm, role) => admits(router, realm, role),
  };
  const create = ({ auth, options }: AuthSections) => createAuthMethods(auth, options, deps, families.methods);
  let current = await create(sections);
  const authMethods = new LiveAuthMethods(current);
  const renewAuth = async (changed: AuthSections): Promise<void> => {
    const before = current;
    current = await create(changed);
    authMethods.replace(current);
    await stopAuthMethods(before);
  };
  const follow = ({ authMethods: successor }: LiveSessionDeps): void => authMethods.follow(successor);
  const stop = (): Promise<void> => stopAuthMethods(current);
  const keepsHandshake = wantsHandshake(sections.auth, families.methods);
  const refusedLogins = logins.refused;
  return {
    ...{ router, authMethods, authUris, log, repeated, refusedLogins, keepsHandshake, counts },
    ...{ renewAuth, follow, stop },
  };
}

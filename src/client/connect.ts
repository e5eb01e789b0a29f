/**
 * The one way into a realm for code of this process: components of the config, and programs that embed a node
 * (`node.connect`). No socket and no serializer: the client says HELLO as any other, and a method of its own lets it in as
 * the principal that it was made for. Its role decides what it may do.
 */
import { AUTH_URIS } from '../auth/verdict.js';
import { RepeatedLog } from '../log/repeated.js';
import { LocalTransport } from './local-transport.js';
import { InProcessSession } from './session.js';
import type { AuthMethod } from '../auth/method.js';
import type { Logger } from '../log/logger.js';
import type { Router } from '../router/router.js';
import type { UriRule } from '../wamp/uri.js';
import type { ClientSession } from './api.js';

/** What code of this process is to the others: the `authmethod` and the peer of its sessions. Clients cannot offer it. */
export type LocalKind = 'component' | 'local';

/** The router that a client connects to. */
export interface LocalParts {
  readonly router: Router;
  /** Of the realm. */
  readonly uriRule: UriRule;
  readonly log: Logger;
}

/** Whom the session belongs to. */
export interface LocalPrincipal {
  readonly realm: string;
  readonly role: string;
  readonly authid: string;
  /** Default: `local`. */
  readonly kind?: LocalKind;
}

/** A session that has joined its realm. */
export interface LocalClient {
  readonly session: ClientSession;
  /** Resolves with the reason when the session is over. */
  readonly over: Promise<string>;
  /** Begins the end of the session, with GOODBYE `wamp.close.system_shutdown`: the node stops. */
  shutdown(): void;
}

/**
 * Joins a realm.
 *
 * @throws CallError (rejects) `wamp.error.no_such_realm` or `wamp.error.no_such_role`.
 */
export async function connectLocal(
  { router, uriRule, log }: LocalParts,
  principal: LocalPrincipal,
): Promise<LocalClient> {
  const { realm, kind = 'local' } = principal;
  const owner = kind === 'component' ? 'a component' : 'a local client';
  const session: InProcessSession = new InProcessSession({
    tell: (message) => transport.tell(message),
    uriRule,
    log,
    owner,
  });
  const authMethods = new Map([[kind, admitting(principal, kind)]]);
  const repeated = new RepeatedLog(log);
  const deps = { router, authMethods, authUris: AUTH_URIS.wamp, log, repeated };
  const transport = new LocalTransport(session, deps, kind);
  await session.join(realm, { authmethods: [kind] });
  void session.over.then(() => repeated.end());
  return { session, over: session.over, shutdown: () => transport.shutdown() };
}

/** @returns the method that lets in exactly this principal. */
export function admitting({ realm, role, authid }: LocalPrincipal, kind: LocalKind): AuthMethod {
  const principal = { realm, authid, authrole: role, authmethod: kind, authprovider: 'static' };
  return { start: () => ({ type: 'accept', principal }) };
}

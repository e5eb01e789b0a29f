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
import type { RouterAccess } from '../router/access.js';
import type { ClientSession } from './api.js';
import type { Relayed, Relaying } from './relay.js';

/** What code of this process is to the others: the `authmethod` and the peer of its sessions. Clients cannot offer it. */
export type LocalKind = 'component' | 'local' | 'service';

/** Whose sessions they are, in lines of the log. */
const OWNERS: Readonly<Record<LocalKind, string>> = {
  component: 'a component',
  local: 'a local client',
  service: 'a web service',
};

/** The router that a client connects to. */
export interface LocalParts {
  readonly router: RouterAccess;
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
  /** Asks for others, with their payloads as they are. */
  relay(relayed: Relayed): Relaying;
  /** Begins the end of the session, with GOODBYE `wamp.close.system_shutdown`: the node stops. */
  shutdown(): void;
}

/**
 * Joins a realm.
 *
 * @throws CallError (rejects) `wamp.error.no_such_realm` or `wamp.error.no_such_role`.
 */
export async function connectLocal({ router, log }: LocalParts, principal: LocalPrincipal): Promise<LocalClient> {
  const { realm, kind = 'local' } = principal;
  const session: InProcessSession = new InProcessSession({
    tell: (message) => transport.tell(message),
    // Without the realm it does not come so far.
    uriRule: router.realm(realm)?.uriRule ?? 'loose',
    log,
    owner: OWNERS[kind],
  });
  const authMethods = new Map([[kind, admitting(principal, kind)]]);
  const repeated = new RepeatedLog(log);
  const deps = { router, authMethods, authUris: AUTH_URIS.wamp, log, repeated, isOfNode: true } as const;
  const transport = new LocalTransport(session, deps, kind);
  await session.join(realm, { authmethods: [kind] });
  void session.over.then(() => repeated.end());
  return {
    session,
    over: session.over,
    relay: (relayed) => session.relay(relayed),
    shutdown: () => transport.shutdown(),
  };
}

/** @returns the method that lets in exactly this principal. */
export function admitting({ realm, role, authid }: LocalPrincipal, kind: LocalKind): AuthMethod {
  const principal = { realm, authid, authrole: role, authmethod: kind, authprovider: 'static' };
  return { start: () => ({ type: 'accept', principal }), faultOf: () => undefined };
}

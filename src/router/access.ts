/**
 * The part of router and realm that a session uses. Another object with these members can take their place: in a process that
 * only holds connections, for example.
 */
import type { Realm } from './realm.js';
import type { Role } from './role.js';
import type { Router } from './router.js';

/** A realm as its sessions see it; {@link Realm} has the contracts. */
export type RealmAccess = Pick<
  Realm,
  | 'announcement'
  | 'authorizersVersion'
  | 'cancelCalls'
  | 'counts'
  | 'expectCallee'
  | 'forget'
  | 'goodbyeReason'
  | 'hasCallee'
  | 'hasCalls'
  | 'isCallee'
  | 'isCalling'
  | 'join'
  | 'leave'
  | 'mayServe'
  | 'name'
  | 'receive'
  | 'role'
  | 'uriRule'
>;

/** A router as its sessions see it. */
export interface RouterAccess extends Pick<Router, 'clock' | 'newSessionId' | 'scheduler'> {
  realm(name: string): RealmAccess | undefined;
  /**
   * Where it is there: which roles of which realms clients can join here. Others are for them as if they did not exist.
   * @param role any, where it is left out.
   */
  leadsTo?(realm: string, role?: string): boolean;
}

/** @returns the realm, if clients can join it here. */
export function realmOf(router: RouterAccess, realm: string): RealmAccess | undefined {
  return router.leadsTo?.(realm) === false ? undefined : router.realm(realm);
}

/** @returns the role of a realm, if clients can join the realm in this role here. */
export function roleOf(router: RouterAccess, realm: string, role: string): Role | undefined {
  return router.leadsTo?.(realm, role) === false ? undefined : router.realm(realm)?.role(role);
}

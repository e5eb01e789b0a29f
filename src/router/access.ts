/**
 * The part of router and realm that a session uses. Another object with these members can take their place: in a process that
 * only holds connections, for example.
 */
import type { Realm } from './realm.js';
import type { Router } from './router.js';

/** A realm as its sessions see it; {@link Realm} has the contracts. */
export type RealmAccess = Pick<
  Realm,
  | 'announcement'
  | 'authorizersVersion'
  | 'expectCallee'
  | 'forget'
  | 'goodbyeReason'
  | 'hasCallee'
  | 'hasCalls'
  | 'isCallee'
  | 'isCalling'
  | 'join'
  | 'leave'
  | 'name'
  | 'receive'
  | 'role'
>;

/** A router as its sessions see it. */
export interface RouterAccess extends Pick<Router, 'clock' | 'newSessionId' | 'scheduler'> {
  realm(name: string): RealmAccess | undefined;
}

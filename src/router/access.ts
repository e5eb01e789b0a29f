/**
 * What a session uses of its router and realm, and nothing else: whatever has this can stand in for them, in a process that
 * only holds connections, for one.
 */
import type { Realm } from './realm.js';
import type { Router } from './router.js';

/** A realm as its sessions see it. */
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

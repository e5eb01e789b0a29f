/** What the sessions of a role hold and its new rules forbid: it is revoked (sections "Subscription Revocation", "Registration Revocation"). */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { authorize } from '../authorize.js';
import type { Match } from '../../wamp/uri.js';
import type { Role } from '../role.js';
import type { RouterSession } from '../session.js';

/** What a session holds, of one kind. */
interface Held {
  of(session: RouterSession): readonly { readonly id: number; readonly uri: string; readonly match: Match }[];
  revoke(id: number, session: RouterSession, reason?: string): boolean;
}

/** @returns how many subscriptions and registrations were revoked. */
export function revokeForbidden(
  role: Role,
  sessions: Iterable<RouterSession>,
  directories: Readonly<Record<'subscribe' | 'register', Held>>,
): number {
  // It has no rules, and cannot be asked here.
  if (role.authorizer !== undefined) return 0;
  let revoked = 0;
  for (const session of sessions) {
    if (session.role !== role) continue;
    for (const action of ['subscribe', 'register'] as const) {
      const held = directories[action];
      for (const { id, uri, match } of held.of(session)) {
        if (isAllowed(session, action, uri, match)) continue;
        if (held.revoke(id, session, ErrorUri.NOT_AUTHORIZED)) revoked += 1;
      }
    }
  }
  return revoked;
}

function isAllowed(session: RouterSession, action: 'subscribe' | 'register', uri: string, match: Match): boolean {
  try {
    authorize(session, action, uri, match);
    return true;
  } catch (error) {
    if (error instanceof WampError) return false;
    throw error;
  }
}

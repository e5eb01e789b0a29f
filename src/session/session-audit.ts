/** What of a session gets into the audit log: who came in and who did not, logouts, who was sent away, and what was denied. */
import { cookieDigest } from '../cookie/digest.js';
import { auditOf } from '../log/audit.js';
import type { AuditRecord } from '../log/audit.js';
import type { Deny, Principal, Unavailable } from '../auth/method.js';
import type { Denial } from '../router/permission.js';
import type { SessionDeps } from './deps.js';
import type { LoggedSession } from './session-log.js';
import { shownAuthid } from './identity.js';
import { auditedOutcome } from './outcome.js';
import type { SessionTransport } from './transport.js';

type Log = Pick<SessionDeps, 'log'>;

/** A session as the audit log names it. */
export interface AuditedSession extends LoggedSession {
  readonly transport: Pick<SessionTransport, 'client' | 'facts'>;
}

/** @returns false when it may not be let in, because the entry that is required cannot be written. */
export function auditLogin({ log }: Log, session: AuditedSession, principal: Principal): boolean {
  const audit = auditOf(log);
  if (audit === undefined) return true;
  const { realm, authid, authrole: role, authmethod: method, authprovider: provider } = principal;
  const names = { realm, authid: shownAuthid(authid, session.transport.client), role, method, provider };
  const entry = { event: 'login', ...names, ...factsOf(session) } as const;
  if (audit.record({ ...entry, outcome: 'ok' })) return true;
  // The first one is written, too, when the file can be written again.
  audit.record({ ...entry, outcome: 'failed', reason: 'it could not be recorded' });
  return false;
}

/** @param asked what the client asked for, as far as it may be logged. */
export function auditRefusal(
  { log }: Log,
  session: AuditedSession,
  asked: Readonly<Record<string, unknown>>,
  verdict: Deny | Unavailable,
): void {
  const { realm, authid, authmethods: methods } = asked as { realm?: string; authid?: string; authmethods?: string[] };
  const names = { realm, authid, method: methods?.join(' ') };
  auditOf(log)?.record({ event: 'login', ...auditedOutcome(verdict), ...names, ...factsOf(session) });
}

/** A logout, by a client or by somebody else, or the end that somebody else put to a session. */
export function auditEnd(
  { log }: Log,
  session: AuditedSession,
  end: Pick<AuditRecord, 'event' | 'reason' | 'realm' | 'actor'>,
): void {
  auditOf(log)?.record({ ...end, ...namesOf(session), ...factsOf(session) });
}

/** See {@link auditEnd}. @param trace of the request. */
export function auditDenial(
  { log }: Log,
  session: AuditedSession,
  realm: string | undefined,
  { action, uri, match, trace }: Denial & { readonly trace?: string | undefined },
): void {
  const about = { action, uri, ...(match === 'exact' ? {} : { match }) };
  const entry = { event: 'permission denied', outcome: 'denied', realm, trace, about } as const;
  auditOf(log)?.record({ ...entry, ...namesOf(session), ...factsOf(session) });
}

function namesOf({ authid, authrole, transport }: AuditedSession): Pick<AuditRecord, 'authid' | 'role'> {
  return { authid: shownAuthid(authid, transport.client), role: authrole };
}

function factsOf({ id, transport: { client, facts } }: AuditedSession): Omit<AuditRecord, 'event'> {
  const { via, channel_framing: framing } = facts;
  const { liveCookie } = client;
  return {
    session: id,
    peer: client.peer,
    via,
    transport: framing,
    cookie: liveCookie === undefined ? undefined : cookieDigest(liveCookie.cbtid),
  };
}

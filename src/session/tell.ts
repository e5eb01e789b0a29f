/** What more than the log is told of: who was not let in, and what was denied. */
import type { Deny, Unavailable } from '../auth/method.js';
import type { Denial } from '../router/permission.js';
import type { SessionDeps } from './deps.js';
import { auditDenial, auditRefusal } from './session-audit.js';
import type { AuditedSession } from './session-audit.js';
import { factsOf, sayDenied, sayRefused } from './session-log.js';

/**
 * A login was refused: told to the log, the audit log and the monitor. What could not be decided on is for the audit log alone.
 * @param asked what the client asked for.
 */
export function tellRefused(
  deps: SessionDeps,
  session: AuditedSession,
  asked: Readonly<Record<string, unknown>>,
  verdict: Deny | Unavailable,
): void {
  if (verdict.type === 'deny') {
    sayRefused(deps, factsOf(session, undefined), asked, verdict);
    deps.refusedLogins?.add(asked, session.transport.client, verdict);
  }
  auditRefusal(deps, session, asked, verdict);
}

/** Something was denied to a session: told to the log and the audit log. @param trace of the request. */
export function tellDenied(
  deps: SessionDeps,
  session: AuditedSession,
  realm: string | undefined,
  { trace, ...denial }: Denial & { readonly trace?: string | undefined },
): void {
  sayDenied(deps, { ...factsOf(session, realm), ...(trace !== undefined && { trace }) }, denial);
  auditDenial(deps, session, realm, { ...denial, trace });
}

/** What came of a login that nobody was let in by, as it is counted and written down. Pure. */
import { ErrorUri } from '../wamp/error.js';
import type { Deny, Unavailable } from '../auth/method.js';
import type { AuditRecord } from '../log/audit.js';
import type { LoginOutcome } from '../metrics/login-counts.js';

/** For a browser that another session logged out while this one was on its way. */
export const LOGGED_OUT: Deny = {
  type: 'deny',
  reason: ErrorUri.AUTHENTICATION_FAILED,
  message: 'the browser was logged out in the meantime',
};

/** @returns the outcome for the metrics. A broken authenticator decides nothing. */
export function outcomeOf(verdict: Deny | Unavailable): LoginOutcome {
  if (verdict.type === 'unavailable') return verdict.isLimit === true ? 'limited' : 'error';
  const { reason, retryAfterMs } = verdict;
  if (verdict === LOGGED_OUT) return 'denied';
  if (retryAfterMs !== undefined) return 'limited';
  return reason === ErrorUri.AUTHENTICATION_FAILED ? 'error' : 'denied';
}

/** @returns the same for the audit log, with the reason. */
export function auditedOutcome(verdict: Deny | Unavailable): Pick<AuditRecord, 'outcome' | 'reason'> {
  if (verdict.type === 'unavailable') {
    return { outcome: verdict.isLimit === true ? 'limited' : 'failed', reason: verdict.message };
  }
  return { outcome: verdict.retryAfterMs === undefined ? 'denied' : 'limited', reason: verdict.reason };
}

/** The text for a logout that the cookie store failed to store. */
export const NOT_STORED = 'the logout holds as long as the router runs, but could not be stored';

/** The text for a login that the audit log does not take. */
export const NO_AUDIT = 'log-ins cannot be recorded, please try again later';

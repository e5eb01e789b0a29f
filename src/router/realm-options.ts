/** What the config of a realm sets for its broker and its dealer: limits, and deviations from the specification. */
import { RETENTION_LIMITS } from './broker/retention-limits.js';
import { BUDGET_LIMITS, Budget } from './budget.js';
import { CloseUri } from '../wamp/error.js';
import type { RealmConfig } from './schema.js';

/** How many subscriptions, and how many registrations, a session may have. */
const MAX_SESSION_ENTRIES = 10_000;

/** @param whole the budget of all realms of the router; undefined: the realm has one of its own. */
export function optionsOf({ options, compat }: RealmConfig, whole: Budget | undefined) {
  const {
    uri_check: uriRule = 'loose',
    max_retained_events: events = RETENTION_LIMITS.events,
    max_retained_bytes: bytes = RETENTION_LIMITS.bytes,
    max_session_subscriptions: maxSubscriptions = MAX_SESSION_ENTRIES,
    max_session_registrations: maxRegistrations = MAX_SESSION_ENTRIES,
    max_session_bytes: maxBytes,
  } = options ?? {};
  return {
    uriRule,
    retention: { events, bytes },
    maxSubscriptions,
    maxRegistrations,
    budget: budgetOf(maxBytes, whole),
    cancelWithoutError: compat?.cancel_without_error === true,
    emptyEligibleAdmitsAll: compat?.empty_eligible_admits_all === true,
    ignoreDiscloseMe: compat?.ignore_disclose_me === true,
  };
}

/** The budget of one realm. What a session may have is set for each realm; what all may have is set for the router. */
function budgetOf(maxBytes: number | undefined, whole: Budget | undefined): Budget {
  const { limits } = whole ?? { limits: BUDGET_LIMITS };
  return new Budget({ ...limits, perSession: maxBytes ?? limits.perSession }, whole);
}

/** @returns the reason in the answer to a GOODBYE. */
export function goodbyeReasonOf({ compat }: RealmConfig): string {
  return compat?.goodbye_with_normal === true ? CloseUri.NORMAL : CloseUri.GOODBYE_AND_OUT;
}

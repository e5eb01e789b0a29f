/**
 * `wamp.subscription.*` and `wamp.registration.*`: show subscriptions and registrations, and remove sessions from them
 * (sections "Subscription Meta API", "Registration Meta API"; `remove_subscriber` and `remove_callee` are Crossbar.io's).
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { NO_PAYLOAD, payloadOf } from '../../wamp/payload.js';
import { isValidUri, quoted } from '../../wamp/uri.js';
import { registrationDetails, subscriptionDetails } from './events.js';
import { CallArguments, DICT, ID, STRING, invalid } from './procedure.js';
import type { Call } from '../../wamp/message.js';
import type { Match, UriRule } from '../../wamp/uri.js';
import type { RegistrationDirectory, SubscriptionDirectory } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { ProcedureTable } from './procedure.js';

export interface DirectoryProcedureDeps {
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly uriRule: () => UriRule;
}

/** @param directory asked anew for every call. */
export function subscriptionProcedures(
  directory: () => SubscriptionDirectory,
  deps: DirectoryProcedureDeps,
): ProcedureTable {
  const entries = entriesOf(directory, 'subscription', ErrorUri.NO_SUCH_SUBSCRIPTION);
  return {
    'wamp.subscription.list': (_caller, call) => listed(call, directory),
    'wamp.subscription.lookup': (_caller, call) => lookedUp(call, 'topic', directory),

    'wamp.subscription.match': (_caller, call) => {
      const topic = new CallArguments(call, ['topic']).required('topic', STRING);
      const ids = directory()
        .matching(topic)
        .map(({ id }) => id);
      return payloadOf([ids.length === 0 ? null : ids]);
    },

    'wamp.subscription.get': (_caller, call) => payloadOf([subscriptionDetails(entries.only(call))]),
    'wamp.subscription.list_subscribers': (_caller, call) => payloadOf([idsOf(entries.only(call).subscribers)]),
    'wamp.subscription.count_subscribers': (_caller, call) => payloadOf([entries.only(call).subscribers.length]),
    'wamp.subscription.remove_subscriber': (_caller, call) => entries.remove(call, deps),
  };
}

/** @param directory asked anew for every call. */
export function registrationProcedures(
  directory: () => RegistrationDirectory,
  deps: DirectoryProcedureDeps,
): ProcedureTable {
  const entries = entriesOf(directory, 'registration', ErrorUri.NO_SUCH_REGISTRATION);
  return {
    'wamp.registration.list': (_caller, call) => listed(call, directory),
    'wamp.registration.lookup': (_caller, call) => lookedUp(call, 'procedure', directory),

    'wamp.registration.match': (_caller, call) => {
      const procedure = new CallArguments(call, ['procedure']).required('procedure', STRING);
      return payloadOf([directory().best(procedure)?.id ?? null]);
    },

    'wamp.registration.get': (_caller, call) => payloadOf([registrationDetails(entries.only(call))]),
    'wamp.registration.list_callees': (_caller, call) => payloadOf([idsOf(entries.only(call).callees)]),
    'wamp.registration.count_callees': (_caller, call) => payloadOf([entries.only(call).callees.length]),
    'wamp.registration.remove_callee': (_caller, call) => entries.remove(call, deps),
  };
}

/** What the two directories have in common. */
interface Directory<View> {
  list(): unknown;
  lookup(uri: string, match: Match): (View & { readonly id: number }) | undefined;
  get(id: number): View | undefined;
  revoke(id: number, session: RouterSession, reason?: string): boolean;
}

function listed(call: Call, directory: () => Directory<unknown>) {
  new CallArguments(call, []);
  return payloadOf([directory().list()]);
}

function lookedUp(call: Call, parameter: string, directory: () => Directory<unknown>) {
  const args = new CallArguments(call, [parameter, 'options']);
  const uri = args.required(parameter, STRING);
  const match = args.optional('options', DICT)?.match ?? 'exact';
  if (!isMatch(match)) throw invalid(`${call.procedure}: options.match must be exact, prefix or wildcard`);
  return payloadOf([directory().lookup(uri, match)?.id ?? null]);
}

/** What procedures about one subscription or registration share: the first argument is its id. */
function entriesOf<View>(directory: () => Directory<View>, parameter: string, unknownUri: string) {
  const unknown = (text: string): WampError => new WampError(unknownUri, text);
  const find = (id: number): View => {
    const view = directory().get(id);
    if (view === undefined) throw unknown(`no ${parameter} with id ${id} is in this realm`);
    return view;
  };
  return {
    /** @returns the entry whose id is the only argument. @throws WampError */
    only: (call: Call): View => find(new CallArguments(call, [parameter]).required(parameter, ID)),

    /** Removes a session from the entry. @throws WampError */
    remove(call: Call, { sessions, uriRule }: DirectoryProcedureDeps) {
      const args = new CallArguments(call, [parameter, 'session', 'reason']);
      const id = args.required(parameter, ID);
      const sessionId = args.required('session', ID);
      const reason = args.optional('reason', STRING);
      if (reason !== undefined && !isValidUri(reason, uriRule())) {
        throw new WampError(ErrorUri.INVALID_URI, `invalid reason URI ${quoted(reason)}`);
      }
      find(id);
      const session = sessions.get(sessionId);
      if (session === undefined) {
        throw new WampError(ErrorUri.NO_SUCH_SESSION, `no session with id ${sessionId} is in this realm`);
      }
      if (!directory().revoke(id, session, reason)) {
        throw unknown(`session ${sessionId} does not hold ${parameter} ${id}`);
      }
      return NO_PAYLOAD;
    },
  };
}

function idsOf(sessions: readonly RouterSession[]): readonly number[] {
  return sessions.map(({ id }) => id);
}

function isMatch(value: unknown): value is Match {
  return value === 'exact' || value === 'prefix' || value === 'wildcard';
}

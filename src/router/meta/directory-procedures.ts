/**
 * `wamp.subscription.*` and `wamp.registration.*`: show subscriptions and registrations, and remove sessions from them
 * (sections "Subscription Meta API", "Registration Meta API"; `remove_subscriber` and `remove_callee` are Crossbar.io's).
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { NO_PAYLOAD, isDict, payloadOf } from '../../wamp/payload.js';
import { isValidUri, quoted } from '../../wamp/uri.js';
import { registrationDetails, subscriptionDetails } from './events.js';
import { CallArguments, DICT, ID, STRING, invalid } from './procedure.js';
import type { Call } from '../../wamp/message.js';
import { anyOf, joinedList, spread, sumOf } from './spread.js';
import type { Dict } from '../../wamp/payload.js';
import type { Match, UriRule } from '../../wamp/uri.js';
import type { RegistrationDirectory, SubscriptionDirectory } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { MetaAnswer } from '../uplink.js';
import type { ProcedureTable } from './procedure.js';
import type { SpreadTable } from './spread.js';

export interface DirectoryProcedureDeps {
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly uriRule: () => UriRule;
}

/**
 * A subscription is one for all nodes, and each node knows its own subscribers.
 * @param directory asked anew for every call.
 */
export function subscriptionProcedures(
  directory: () => SubscriptionDirectory,
  deps: DirectoryProcedureDeps,
): SpreadTable {
  const entries = entriesOf(directory, 'subscription', ErrorUri.NO_SUCH_SUBSCRIPTION);
  return {
    'wamp.subscription.list': spread({
      question: (_caller, call) => noArguments(call),
      answer: () => ({ lists: directory().list() }),
      result: (answers) => {
        const list = (match: Match): readonly number[] => distinct(joinedList(answers, match), answers.length);
        return payloadOf([{ exact: list('exact'), prefix: list('prefix'), wildcard: list('wildcard') }]);
      },
    }),

    'wamp.subscription.lookup': spread({
      question: (_caller, call) => patternIn(call, 'topic'),
      answer: ({ uri, match }) => ids(directory().lookup(uri, match)),
      result: (answers) => payloadOf([joinedList(answers, 'ids')[0] ?? null]),
    }),

    'wamp.subscription.match': spread({
      question: (_caller, call) => ({ topic: new CallArguments(call, ['topic']).required('topic', STRING) }),
      answer: ({ topic }) => ids(...directory().matching(topic)),
      result: (answers) => {
        const found = distinct(joinedList(answers, 'ids'), answers.length);
        return payloadOf([found.length === 0 ? null : found]);
      },
    }),

    'wamp.subscription.get': spread({
      question: (_caller, call) => entries.idIn(call),
      answer: ({ id }) => {
        const found = directory().get(id);
        return found === undefined ? {} : { facts: { details: subscriptionDetails(found) } };
      },
      result: (answers, { id }) => {
        const details = answers.map(({ facts }) => facts?.['details']).filter(isDict);
        // They differ in nothing but when they were created.
        const [first] = details.sort((a, b) => (String(a['created']) < String(b['created']) ? -1 : 1));
        if (first === undefined) throw entries.unknown(id);
        return payloadOf([first]);
      },
    }),

    ...subscribers(directory),
    'wamp.subscription.remove_subscriber': entries.removal(deps),
  };
}

function subscribers(directory: () => SubscriptionDirectory): SpreadTable {
  const entries = entriesOf(directory, 'subscription', ErrorUri.NO_SUCH_SUBSCRIPTION);
  return {
    'wamp.subscription.list_subscribers': spread({
      question: (_caller, call) => entries.idIn(call),
      answer: ({ id }) => {
        const found = directory().get(id);
        return found === undefined ? {} : { lists: { ids: idsOf(found.subscribers) }, facts: { has: true } };
      },
      result: (answers, { id }) => {
        if (!anyOf(answers, 'has')) throw entries.unknown(id);
        return payloadOf([joinedList(answers, 'ids')]);
      },
    }),

    'wamp.subscription.count_subscribers': spread({
      question: (_caller, call) => entries.idIn(call),
      answer: ({ id }) => {
        const found = directory().get(id);
        return found === undefined ? {} : { facts: { has: true, count: found.subscriberCount } };
      },
      result: (answers, { id }) => {
        if (!anyOf(answers, 'has')) throw entries.unknown(id);
        return payloadOf([sumOf(answers, 'count')]);
      },
    }),
  };
}

/**
 * Every node knows the callees of all nodes: so one answers for all.
 * @param directory asked anew for every call.
 */
export function registrationProcedures(directory: () => RegistrationDirectory): ProcedureTable {
  const entries = entriesOf(directory, 'registration', ErrorUri.NO_SUCH_REGISTRATION);
  return {
    'wamp.registration.list': (_caller, call) => {
      noArguments(call);
      return payloadOf([directory().list()]);
    },

    'wamp.registration.lookup': (_caller, call) => {
      const { uri, match } = patternIn(call, 'procedure');
      return payloadOf([directory().lookup(uri, match)?.id ?? null]);
    },

    'wamp.registration.match': (_caller, call) => {
      const procedure = new CallArguments(call, ['procedure']).required('procedure', STRING);
      return payloadOf([directory().best(procedure)?.id ?? null]);
    },

    'wamp.registration.get': (_caller, call) => payloadOf([registrationDetails(entries.only(call))]),
    'wamp.registration.list_callees': (_caller, call) => payloadOf([idsOf(entries.only(call).callees)]),
    'wamp.registration.count_callees': (_caller, call) => payloadOf([entries.only(call).callees.length]),
  };
}

/** What only the node of a callee can do. @param directory asked anew for every call. */
export function registrationsOfAll(directory: () => RegistrationDirectory, deps: DirectoryProcedureDeps): SpreadTable {
  const entries = entriesOf(directory, 'registration', ErrorUri.NO_SUCH_REGISTRATION);
  return { 'wamp.registration.remove_callee': entries.removal(deps) };
}

/** What the two directories have in common. */
interface Directory<View> {
  get(id: number): View | undefined;
  revoke(id: number, session: RouterSession, reason?: string): boolean;
}

function noArguments(call: Call): Dict {
  new CallArguments(call, []);
  return {};
}

/** @returns the pattern that a call asks for. @throws WampError */
function patternIn(call: Call, parameter: string) {
  const args = new CallArguments(call, [parameter, 'options']);
  const uri = args.required(parameter, STRING);
  const match = args.optional('options', DICT)?.match ?? 'exact';
  if (!isMatch(match)) throw invalid(`${call.procedure}: options.match must be exact, prefix or wildcard`);
  return { uri, match };
}

/** What procedures about one subscription or registration share: the first argument is its id. */
function entriesOf<View>(directory: () => Directory<View>, parameter: string, unknownUri: string) {
  const unknown = (id: number): WampError =>
    new WampError(unknownUri, `no ${parameter} with id ${id} is in this realm`);
  const idIn = (call: Call) => ({ id: new CallArguments(call, [parameter]).required(parameter, ID) });
  return {
    unknown,
    /** @returns the id that is the only argument. @throws WampError */
    idIn,

    /** @returns the entry whose id is the only argument. @throws WampError */
    only: (call: Call): View => {
      const { id } = idIn(call);
      const view = directory().get(id);
      if (view === undefined) throw unknown(id);
      return view;
    },

    /** Removes a session from the entry: the node of the session does it, and all tell whether they know the two. */
    removal: ({ sessions, uriRule }: DirectoryProcedureDeps) =>
      spread({
        question: (_caller, call) => {
          const args = new CallArguments(call, [parameter, 'session', 'reason']);
          const id = args.required(parameter, ID);
          const sessionId = args.required('session', ID);
          const reason = args.optional('reason', STRING) ?? null;
          if (reason !== null && !isValidUri(reason, uriRule())) {
            throw new WampError(ErrorUri.INVALID_URI, `invalid reason URI ${quoted(reason)}`);
          }
          return { id, sessionId, reason };
        },
        answer: ({ id, sessionId, reason }) => {
          const session = sessions.get(sessionId);
          const known = directory().get(id) !== undefined;
          const removed = known && session !== undefined && directory().revoke(id, session, reason ?? undefined);
          return { facts: { known, present: session !== undefined, removed } };
        },
        result: (answers, { id, sessionId }) => {
          if (anyOf(answers, 'removed')) return NO_PAYLOAD;
          if (!anyOf(answers, 'known')) throw unknown(id);
          if (anyOf(answers, 'present'))
            throw new WampError(unknownUri, `session ${sessionId} does not hold ${parameter} ${id}`);
          throw new WampError(ErrorUri.NO_SUCH_SESSION, `no session with id ${sessionId} is in this realm`);
        },
      }),
  };
}

function ids(...views: readonly ({ readonly id: number } | undefined)[]): MetaAnswer {
  return { lists: { ids: views.flatMap((view) => view?.id ?? []) } };
}

/** @param nodes how many have told: of one node nothing comes twice. */
function distinct(list: readonly number[], nodes: number): readonly number[] {
  return nodes === 1 ? list : [...new Set(list)];
}

function idsOf(sessions: readonly RouterSession[]): readonly number[] {
  return sessions.map(({ id }) => id);
}

function isMatch(value: unknown): value is Match {
  return value === 'exact' || value === 'prefix' || value === 'wildcard';
}

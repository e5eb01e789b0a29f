/**
 * `wamp.session.*`: show the sessions of the realm, and end them (section "Session Meta API"). A session cannot kill itself: it
 * has GOODBYE for that.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { NO_PAYLOAD, payloadOf } from '../../wamp/payload.js';
import { checkedFarewell, killInTurns } from './killing.js';
import { CallArguments, ID, STRING, STRINGS } from './procedure.js';
import { anyOf, joinedList, spread, sumOf } from './spread.js';
import type { Call } from '../../wamp/message.js';
import type { UriRule } from '../../wamp/uri.js';
import type { Scheduler } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { MetaAnswer } from '../uplink.js';
import type { Farewell, Perform } from './killing.js';
import type { LaterAnswer, SpreadTable } from './spread.js';

export interface SessionProcedureDeps {
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly uriRule: () => UriRule;
  readonly scheduler: Scheduler;
  /** Runs `action`, in which `sessions` end, without meta events and without their testaments. */
  readonly quietly: (sessions: readonly RouterSession[], action: () => void) => void;
}

/** What is to be killed: nothing of it is undefined, so that it can be sent. */
interface Kill {
  readonly [key: string]: unknown;
  /** The session id, authid or authrole. */
  readonly wanted: string | number;
  /** The caller, which stays. */
  readonly except: number;
  readonly words: Farewell;
}

type Test<Wanted> = (session: RouterSession, wanted: Wanted) => boolean;

/** `wamp.session.*`, apart from testaments. */
export function sessionProcedures(deps: SessionProcedureDeps): SpreadTable {
  return { ...showing(deps), ...killing(deps) };
}

function showing({ sessions }: SessionProcedureDeps): SpreadTable {
  return {
    'wamp.session.count': spread({
      question: rolesIn,
      answer: (question) => ({ facts: { count: withRoles(sessions, question).length } }),
      result: (answers) => payloadOf([sumOf(answers, 'count')]),
    }),

    'wamp.session.list': spread({
      question: rolesIn,
      answer: (question) => ({ lists: { ids: withRoles(sessions, question).map(({ id }) => id) } }),
      result: (answers) => payloadOf([joinedList(answers, 'ids')]),
    }),

    'wamp.session.get': spread({
      question: (_caller, call) => ({ id: new CallArguments(call, ['session']).required('session', ID) }),
      about: ({ id }) => id,
      answer: ({ id }) => detailsOf(sessions.get(id)),
      result: (answers, { id }) => {
        const details = answers.find(({ facts }) => facts?.['details'] !== undefined)?.facts?.['details'];
        if (details === undefined) throw noSuchSession(`no session with id ${id} is in this realm`);
        return payloadOf([details]);
      },
    }),
  };
}

function killing({ sessions, uriRule, scheduler, quietly }: SessionProcedureDeps): SpreadTable {
  const killed = (question: Kill, test: Test<Kill['wanted']>, perform?: Perform): LaterAnswer => {
    const { wanted, except, words } = question;
    const victims = [...sessions.values()].filter((session) => session.id !== except && test(session, wanted));
    const answer = { lists: { killed: victims.map(({ id }) => id) } };
    return (reply) => killInTurns(victims, { words, scheduler, perform }, (failure) => reply(failure ?? answer));
  };

  /** Kills those for whom what the caller names is what they have. */
  const killWhere = (parameter: 'authid' | 'authrole', resultOf: (ids: readonly number[]) => unknown) =>
    spread<Kill>({
      question: (caller, call) => {
        const args = new CallArguments(call, [parameter, ...FAREWELL]);
        const wanted = args.required(parameter, STRING);
        return { wanted, except: caller.id, words: farewell(args, uriRule(), caller) };
      },
      answer: (question) => killed(question, (session, wanted) => session[parameter] === wanted),
      result: (answers) => payloadOf([resultOf(joinedList(answers, 'killed'))]),
    });

  return {
    'wamp.session.kill': spread<Kill>({
      question: (caller, call) => {
        const args = new CallArguments(call, ['session', ...FAREWELL]);
        const wanted = args.required('session', ID);
        return { wanted, except: caller.id, words: farewell(args, uriRule(), caller) };
      },
      about: ({ wanted }) => Number(wanted),
      answer: ({ wanted, except, words }) => {
        const victim = sessions.get(Number(wanted));
        if (victim === undefined || victim.id === except) return {};
        return (reply) =>
          killInTurns([victim], { words, scheduler }, (failure) => reply(failure ?? { facts: { killed: true } }));
      },
      result: (answers, { wanted }) => {
        if (anyOf(answers, 'killed')) return NO_PAYLOAD;
        throw noSuchSession(`no session with id ${wanted} is in this realm, other than your own`);
      },
    }),

    'wamp.session.kill_by_authid': killWhere('authid', (ids) => ids),
    'wamp.session.kill_by_authrole': killWhere('authrole', ({ length }) => length),

    'wamp.session.kill_all': spread<Kill>({
      question: (caller, call) => {
        const words = farewell(new CallArguments(call, FAREWELL), uriRule(), caller);
        return { wanted: '', except: caller.id, words };
      },
      answer: (question) => killed(question, () => true, quietly),
      result: (answers) => payloadOf([joinedList(answers, 'killed').length]),
    }),
  };
}

/** The parameters of every kind of kill. */
const FAREWELL = ['reason', 'message'] as const;

/** @throws WampError `wamp.error.invalid_uri` when the reason is not a URI. */
function farewell(args: CallArguments, uriRule: UriRule, { id }: RouterSession): Farewell {
  const wanted = { reason: args.optional('reason', STRING), message: args.optional('message', STRING) };
  return { ...checkedFarewell(wanted, uriRule), by: `session ${id}` };
}

function detailsOf(session: RouterSession | undefined): MetaAnswer {
  return session === undefined ? {} : { facts: { details: session.details } };
}

/** @returns the roles that the caller lists; null without a list. */
function rolesIn(_caller: RouterSession, call: Call) {
  return { roles: new CallArguments(call, ['filter_authroles']).optional('filter_authroles', STRINGS) ?? null };
}

/** @returns the sessions with the roles that the caller lists; without a list, all sessions. */
function withRoles(
  sessions: ReadonlyMap<number, RouterSession>,
  { roles }: { readonly roles: readonly string[] | null },
): readonly RouterSession[] {
  const all = [...sessions.values()];
  return roles === null ? all : all.filter(({ authrole }) => roles.includes(authrole));
}

function noSuchSession(text: string): WampError {
  return new WampError(ErrorUri.NO_SUCH_SESSION, text);
}

/**
 * `wamp.session.*`: show the sessions of the realm, and end them (section "Session Meta API"). A session cannot kill itself: it
 * has GOODBYE for that.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { NO_PAYLOAD, payloadOf } from '../../wamp/payload.js';
import { checkedFarewell, killInTurns } from './killing.js';
import { CallArguments, ID, STRING, STRINGS } from './procedure.js';
import type { Call } from '../../wamp/message.js';
import type { UriRule } from '../../wamp/uri.js';
import type { Later, Scheduler } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { Payload } from '../../wamp/payload.js';
import type { Farewell, Perform } from './killing.js';
import type { ProcedureTable } from './procedure.js';

export interface SessionProcedureDeps {
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly uriRule: () => UriRule;
  readonly scheduler: Scheduler;
  /** Runs `action`, in which `sessions` end, without meta events and without their testaments. */
  readonly quietly: (sessions: readonly RouterSession[], action: () => void) => void;
}

export function sessionProcedures({ sessions, uriRule, scheduler, quietly }: SessionProcedureDeps): ProcedureTable {
  const others = (caller: RouterSession, test: (session: RouterSession) => boolean) =>
    [...sessions.values()].filter((session) => session !== caller && test(session));

  const killEach =
    (victims: readonly RouterSession[], words: Farewell, result: Payload, perform?: Perform): Later =>
    (reply, fail) =>
      killInTurns(victims, { words, scheduler, perform }, (failure) => {
        if (failure === undefined) reply(result);
        else fail(failure);
      });

  return {
    'wamp.session.count': (_caller, call) => payloadOf([withRoles(sessions, call).length]),

    'wamp.session.list': (_caller, call) => payloadOf([withRoles(sessions, call).map(({ id }) => id)]),

    'wamp.session.get': (_caller, call) => {
      const id = new CallArguments(call, ['session']).required('session', ID);
      const session = sessions.get(id);
      if (session === undefined) throw noSuchSession(`no session with id ${id} is in this realm`);
      return payloadOf([session.details]);
    },

    'wamp.session.kill': (caller, call) => {
      const args = new CallArguments(call, ['session', ...FAREWELL]);
      const id = args.required('session', ID);
      const words = farewell(args, uriRule(), caller);
      const victim = sessions.get(id);
      if (victim === undefined || victim === caller) {
        throw noSuchSession(`no session with id ${id} is in this realm, other than your own`);
      }
      return killEach([victim], words, NO_PAYLOAD);
    },

    'wamp.session.kill_by_authid': (caller, call) => {
      const args = new CallArguments(call, ['authid', ...FAREWELL]);
      const wanted = args.required('authid', STRING);
      const victims = others(caller, ({ authid }) => authid === wanted);
      return killEach(victims, farewell(args, uriRule(), caller), payloadOf([victims.map(({ id }) => id)]));
    },

    'wamp.session.kill_by_authrole': (caller, call) => {
      const args = new CallArguments(call, ['authrole', ...FAREWELL]);
      const wanted = args.required('authrole', STRING);
      const victims = others(caller, ({ authrole }) => authrole === wanted);
      return killEach(victims, farewell(args, uriRule(), caller), payloadOf([victims.length]));
    },

    'wamp.session.kill_all': (caller, call) => {
      const words = farewell(new CallArguments(call, FAREWELL), uriRule(), caller);
      const victims = others(caller, () => true);
      return killEach(victims, words, payloadOf([victims.length]), quietly);
    },
  };
}

/** The parameters of every kind of kill. */
const FAREWELL = ['reason', 'message'] as const;

/** @throws WampError `wamp.error.invalid_uri` when the reason is not a URI. */
function farewell(args: CallArguments, uriRule: UriRule, { id }: RouterSession): Farewell {
  const wanted = { reason: args.optional('reason', STRING), message: args.optional('message', STRING) };
  return { ...checkedFarewell(wanted, uriRule), by: `session ${id}` };
}

/** @returns the sessions with the roles that the caller lists; without a list, all sessions. */
function withRoles(sessions: ReadonlyMap<number, RouterSession>, call: Call): readonly RouterSession[] {
  const roles = new CallArguments(call, ['filter_authroles']).optional('filter_authroles', STRINGS);
  const all = [...sessions.values()];
  return roles === undefined ? all : all.filter(({ authrole }) => roles.includes(authrole));
}

function noSuchSession(text: string): WampError {
  return new WampError(ErrorUri.NO_SUCH_SESSION, text);
}

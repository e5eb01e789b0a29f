/**
 * `crossbar.monitor.*`: the node for its operators, on every realm, and all of the node, whatever the realm. Only roles with a rule
 * that names them may call them. What ends sessions needs a rule that names `crossbar.monitor.session.` or
 * `crossbar.monitor.cookie.`: one for `crossbar.monitor.` only lets look (`router/authorize.ts`).
 */
import { CookieStoreError } from '../cookie/error.js';
import { CallArguments } from '../router/meta/procedure.js';
import { mayManage } from '../router/authorize.js';
import { answerLater, internalError } from '../session/answer-later.js';
import { ErrorUri, WampError } from '../wamp/error.js';
import type { Logger } from '../log/logger.js';
import type { ProcedureTable } from '../router/meta/procedure.js';
import type { Later } from '../router/observer.js';
import type { RouterSession } from '../router/session.js';
import type { Call } from '../wamp/message.js';
import type { Monitor } from './monitor.js';
import type { MonitorActor } from './source.js';
import type { Asked } from './wish.js';

const END = 'crossbar.monitor.session.end';
const LOG_OUT = 'crossbar.monitor.cookie.logout';

/** What is only looked at: the name of the procedure behind `crossbar.monitor.`. */
const LOOKS = ['sessions', 'topics', 'procedures', 'refusals', 'cookies', 'certificates'] as const;

/** @returns the procedures for one worker. */
export function monitorProcedures(monitor: Monitor, log: Logger): ProcedureTable {
  const later = (work: () => Promise<unknown>): Later => answerLater(work, (error) => failureOf(error, log));
  const looks = LOOKS.map((name) => {
    const look = (_caller: RouterSession, call: Call): Later => {
      const asked = askedOf(call);
      return later(() => monitor[name](asked));
    };
    return [`crossbar.monitor.${name}`, look] as const;
  });
  return {
    ...Object.fromEntries(looks),

    /** Also says what the caller may do, so that a page shows no button that does nothing. */
    'crossbar.monitor.summary': (caller, call) => {
      const asked = askedOf(call);
      const may = { end_sessions: mayManage(caller.role, END), log_out: mayManage(caller.role, LOG_OUT) };
      return later(async () => ({ ...(await monitor.summary(asked)), may }));
    },

    [END]: (caller, call) => {
      const [asked, by] = [askedOf(call), actorOf(caller)];
      return later(() => monitor.endSession(asked, by));
    },

    [LOG_OUT]: (caller, call) => {
      const [asked, by] = [askedOf(call), actorOf(caller)];
      return later(() => monitor.logOut(asked, by));
    },
  };
}

/** By name only. */
function askedOf(call: Call): Asked {
  return new CallArguments(call, []).kwargs ?? {};
}

/** Before the call is carried out: the caller may end itself. */
function actorOf(caller: RouterSession): MonitorActor {
  return { session: caller.id, realm: caller.details.realm, authid: caller.status.name };
}

function failureOf(error: unknown, log: Logger): WampError {
  if (error instanceof WampError) return error;
  log.error({ err: error }, 'a look by the monitor failed');
  if (error instanceof CookieStoreError) return new WampError(ErrorUri.UNAVAILABLE, 'the cookie store failed');
  return internalError();
}

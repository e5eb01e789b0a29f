/** The procedures of the router about logins, on every realm. Only roles with a permission rule that names them may call them. */
import { CallArguments, DICT, STRING, invalid } from '../router/meta/procedure.js';
import { ErrorUri, WampError } from '../wamp/error.js';
import { payloadOf } from '../wamp/payload.js';
import { originOf } from '../auth/one-time/origin.js';
import { answerLater, internalError } from './answer-later.js';
import type { SharedLogins } from '../auth/shared-logins.js';
import type { Logger } from '../log/logger.js';
import type { TicketRequest, TicketUser } from '../auth/one-time/tickets.js';
import type { Kind, ProcedureTable } from '../router/meta/procedure.js';
import type { RouterSession } from '../router/session.js';
import type { Call } from '../wamp/message.js';

export interface LoginProcedureDeps {
  readonly logins: SharedLogins;
  /** @returns whether there is such a realm, with such a role; not of a built-in role. */
  readonly admits: (realm: string, role: string) => boolean;
  readonly log: Logger;
}

/** How long a ticket may be good for, in seconds: as `ttl` of the config. */
const SECONDS: Kind<number> = {
  is: (value): value is number => Number.isInteger(value) && Number(value) >= 5 && Number(value) <= 300,
  text: 'a number of seconds from 5 to 300',
};
/** It goes into every message that discloses its session. */
const NAME: Kind<string> = {
  is: (value): value is string => typeof value === 'string' && value !== '' && value.length <= 1024,
  text: 'a string of 1 to 1024 characters',
};
const ORIGIN: Kind<string> = {
  is: (value): value is string => typeof value === 'string' && originOf(value) !== undefined,
  text: 'an origin as browsers write it, such as "https://example.com"',
};

/** @returns the procedures for one worker. */
export function loginProcedures({ logins, admits, log }: LoginProcedureDeps): ProcedureTable {
  const failureOf = (error: unknown): WampError => {
    if (error instanceof WampError) return error;
    log.error({ err: error }, 'prolonging a login failed');
    return internalError();
  };

  return {
    'crossbar.session.refresh': (caller, call) => {
      const token = new CallArguments(call, ['token']).required('token', STRING);
      const renew = logins.renewals.get(caller.id);
      if (renew === undefined)
        throw new WampError(ErrorUri.INVALID_ARGUMENT, 'this session was not opened with a token');
      return answerLater(() => renew(token), failureOf);
    },

    'crossbar.ticket.issue': (caller, call) => {
      const { user, request } = ticketWish(caller, call);
      if (!admits(user.realm, user.authrole)) {
        throw invalid(`${call.procedure}: there is no such realm, or it has no such role for others`);
      }
      const issued = logins.tickets.issueFor(user, request);
      if (issued === undefined) {
        const text = `${call.procedure}: no transport of this worker has "one_time" in its "auth", so nobody could use a ticket`;
        throw new WampError(ErrorUri.UNAVAILABLE, text);
      }
      const { realm, authid, authrole } = user;
      log.debug({ realm, authid, authrole, by: caller.id }, 'one-time ticket issued');
      return payloadOf([issued]);
    },
  };
}

/** @throws WampError */
function ticketWish(caller: RouterSession, call: Call): { readonly user: TicketUser; readonly request: TicketRequest } {
  const args = new CallArguments(call, ['authid', 'role', 'realm', 'extra', 'origin', 'ttl']);
  const user = {
    authid: args.required('authid', NAME),
    authrole: args.required('role', STRING),
    realm: args.optional('realm', STRING) ?? caller.details.realm,
  };
  const authextra = args.optional('extra', DICT);
  const seconds = args.optional('ttl', SECONDS);
  return {
    user: authextra === undefined ? user : { ...user, authextra },
    request: {
      origin: args.optional('origin', ORIGIN),
      ttlMs: seconds === undefined ? undefined : seconds * 1000,
    },
  };
}

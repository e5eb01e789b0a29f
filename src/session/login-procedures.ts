/** The procedures of the router about logins, on every realm. Only roles with a permission rule that names them may call them. */
import { CallArguments, STRING } from '../router/meta/procedure.js';
import { ErrorUri, WampError } from '../wamp/error.js';
import { answerLater, internalError } from './answer-later.js';
import type { SharedLogins } from '../auth/shared-logins.js';
import type { Logger } from '../log/logger.js';
import type { ProcedureTable } from '../router/meta/procedure.js';

/** @returns the procedures for one worker. */
export function loginProcedures(logins: SharedLogins, log: Logger): ProcedureTable {
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
  };
}

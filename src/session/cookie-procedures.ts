/**
 * `crossbar.cookie.*`: the cookies of the node for those who manage it, on every realm. Only roles with a permission rule
 * that names them may call them: see `router/role.ts`.
 */
import { CookieStoreError } from '../cookie/error.js';
import { CallArguments, STRING, invalid } from '../router/meta/procedure.js';
import { ErrorUri, WampError } from '../wamp/error.js';
import { answerLater, internalError } from './answer-later.js';
import type { CookieSelection, ManagedCookies } from '../cookie/management.js';
import { auditOf } from '../log/audit.js';
import type { Logger } from '../log/logger.js';
import type { Kind, ProcedureTable } from '../router/meta/procedure.js';
import type { Later } from '../router/observer.js';
import type { RouterSession } from '../router/session.js';
import type { Call } from '../wamp/message.js';

/** How many cookies are listed at once, unless the caller asks for fewer. */
const MAX_LISTED = 1000;

const COUNT: Kind<number> = {
  is: (value): value is number => Number.isInteger(value) && Number(value) >= 0,
  text: 'a number from 0',
};

/** @returns the procedures `crossbar.cookie.*` for one worker. */
export function cookieProcedures(cookies: ManagedCookies, log: Logger): ProcedureTable {
  const later = (work: () => Promise<unknown>): Later => answerLater(work, (error) => failureOf(error, log));
  const revoke = async ({ id }: RouterSession, selection: CookieSelection): Promise<number> => {
    const count = await cookies.revoke(selection);
    if (count > 0) log.info({ sessionId: id, cookies: count }, 'cookies revoked');
    const entry = { event: 'cookie revoked', actor: `session ${id}`, about: { ...selection, count } } as const;
    if (count > 0) auditOf(log)?.record(entry);
    return count;
  };

  return {
    'crossbar.cookie.count': (_caller, call) => {
      const authid = new CallArguments(call, ['authid']).optional('authid', STRING);
      return later(() => cookies.count({ authid }));
    },

    'crossbar.cookie.list': (_caller, call) => {
      const args = new CallArguments(call, ['authid', 'limit', 'offset']);
      const authid = args.optional('authid', STRING);
      const limit = args.optional('limit', COUNT) ?? MAX_LISTED;
      const offset = args.optional('offset', COUNT) ?? 0;
      if (limit > MAX_LISTED) throw invalid(`${call.procedure}: "limit" must be at most ${MAX_LISTED}`);
      return later(() => cookies.list({ authid }, { limit, offset }));
    },

    'crossbar.cookie.get': (_caller, call) => {
      const digest = digestOf(call);
      return later(async () => known(await cookies.get(digest)));
    },

    'crossbar.cookie.revoke': (caller, call) => {
      const digest = digestOf(call);
      return later(async () => known((await revoke(caller, { digest })) > 0 || undefined));
    },

    'crossbar.cookie.revoke_by_authid': (caller, call) => {
      const authid = new CallArguments(call, ['authid']).required('authid', STRING);
      return later(() => revoke(caller, { authid }));
    },
  };
}

function digestOf(call: Call): string {
  return new CallArguments(call, ['digest']).required('digest', STRING);
}

/** @throws WampError for a cookie that is not there. */
function known<T>(found: T | undefined): T {
  if (found === undefined) throw new WampError(ErrorUri.NO_SUCH_COOKIE, 'no cookie with this digest is known');
  return found;
}

function failureOf(error: unknown, log: Logger): WampError {
  if (error instanceof WampError) return error;
  log.error({ err: error }, 'management of cookies failed');
  if (error instanceof CookieStoreError) return new WampError(ErrorUri.UNAVAILABLE, 'the cookie store failed');
  return internalError();
}

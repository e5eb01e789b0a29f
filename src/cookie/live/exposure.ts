/** What is told of a cookie that two parties have: the log gets a line a minute, and the audit log each one. */
import { auditOf } from '../../log/audit.js';
import { shortId } from '../../log/logger.js';
import { cookieDigest } from '../digest.js';
import type { Logger } from '../../log/logger.js';
import type { RepeatedLog } from '../../log/repeated.js';
import type { CookieRecord } from '../store.js';

const REUSED = 'replaced cookie came back: two parties had it, both are logged out';
const REUSED_REMEDY =
  'nothing, if a browser came back with old data (restored profile, crash); else somebody planted or copied the cookie: use TLS and a cookie name that begins with "__Host-"';

/** Where it is told. */
export interface ExposureLogs {
  readonly log: Logger;
  readonly repeated: RepeatedLog;
}

/**
 * @param replaced the id that showed it: a client came with it.
 * @param record the record that the id leads to.
 * @param sessions how many live under it.
 */
export function tellExposed(
  { log, repeated }: ExposureLogs,
  replaced: string,
  record: CookieRecord,
  sessions: number,
): void {
  const { authid, authrole: role, authrealm: realm } = record.auth ?? {};
  repeated.say('warn', { cookieId: shortId(replaced), authid, sessions, remedy: REUSED_REMEDY }, REUSED);
  const names = { realm, authid, role, cookie: cookieDigest(record.cbtid) };
  auditOf(log)?.record({ event: 'cookie revoked', actor: 'node', reason: 'two parties have it', ...names });
}

/**
 * One line of the cookie file, from record to text and back. The format is Crossbar.io's. Reading also takes the older shapes
 * that Crossbar.io has written over the years. It knows nothing of files.
 */
import { deepFreeze } from '../record-copy.js';
import { forwardTo } from '../forwards.js';
import { isSealIntact } from './checksum.js';
import { pythonJson, pythonMember } from './python-json.js';
import type { CookieAuth, CookieForward, CookieRecord, LoginSource } from '../store.js';

/** What a good line says of one id. */
export type FileEntry =
  | {
      readonly cbtid: string;
      readonly record: CookieRecord;
      /** The forward from the id whose place this one took. */
      readonly rotatedFrom?: CookieForward;
    }
  | {
      readonly cbtid: string;
      /** The id is deleted or replaced. */
      readonly record: undefined;
      readonly forward?: CookieForward;
      /** The record under its new id, as this line repeats it. */
      readonly successor?: CookieRecord;
      /** Something else in the line is wrong. */
      readonly isDamaged?: true;
    };

const STATUS_WORDS: readonly unknown[] = ['created', 'modified', 'deleted', null, undefined];
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const NO_LOGIN: Pick<CookieAuth, 'credential' | 'source'> = {};
const NO_AUTH = { authid: null, authrole: null, authmethod: null, authrealm: null, authextra: null };

/** Every key that a line of ours or of Crossbar.io may have. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...['cbtid', 'id', 'status', 'created', 'modified', 'deleted', 'max_age', ...Object.keys(NO_AUTH)],
  ...[
    'credential',
    'source',
    'seen',
    'rotated',
    'rotated_from',
    'from_returned',
    'moved_to',
    'moved',
    'returned',
    'crc',
  ],
]);

/** @returns the line of a live record, with the line feed. */
export function liveLine(record: CookieRecord): string {
  return formatLine(liveStatus(record), record, { deleted: null });
}

/** @returns the line that ends a record; like Crossbar.io's it repeats the last login. */
export function deletedLine(record: CookieRecord, deleted: string): string {
  return formatLine('deleted', record, { deleted });
}

/**
 * The two lines of a rotation, to be written at once: the line of the new id, and the deletion of the old one. Each has
 * everything, so that the rotation happened or did not, whatever a crash leaves of the two. Readers take the first line that
 * they can read.
 *
 * @param successor the record under its new id, with `rotated`.
 */
export function rotationLines(old: CookieRecord, successor: CookieRecord, forward: CookieForward): string[] {
  const { moved_to, moved, returned } = forward;
  const [lost, extra] = [
    returned === false ? { from_returned: returned } : {},
    { moved_to, moved, ...(returned === false ? { returned } : {}) },
  ];
  return [
    formatLine(liveStatus(successor), successor, { deleted: null, extra: { rotated_from: old.cbtid, ...lost } }),
    formatLine('deleted', { ...old, returned: true }, { deleted: forward.moved, extra }),
  ];
}

/** @returns the line of a forward in a rewritten file. It does not repeat the record, which may be gone by then. */
export function forwardLine({ cbtid, ...move }: CookieForward): string {
  const members = { cbtid, status: 'deleted', created: null, modified: null, deleted: move.moved, max_age: null };
  return `${pythonJson({ ...members, ...NO_AUTH, ...move })}\n`;
}

/** @returns the line that ends a forward. */
export function forwardEndLine({ cbtid }: CookieForward, deleted: string): string {
  const members = { cbtid, status: 'deleted', created: null, modified: null, deleted, max_age: null };
  return `${pythonJson({ ...members, ...NO_AUTH })}\n`;
}

function liveStatus({ modified, auth }: CookieRecord): string {
  return modified === null && auth === null ? 'created' : 'modified';
}

interface RestOfLine {
  readonly deleted: string | null;
  readonly extra?: Readonly<Record<string, string | boolean>>;
}

/** Writes Crossbar.io's keys in its order, and behind them those of ours that are not at their default. */
function formatLine(status: string, record: CookieRecord, { deleted, extra }: RestOfLine): string {
  const { cbtid, created, modified, max_age, seen, rotated, returned } = record;
  const { authid, authrole, authmethod, authrealm, authextra } = record.auth ?? NO_AUTH;
  const { credential, source } = record.auth ?? NO_LOGIN;
  // Built by hand, because a busy node writes thousands of lines in a second.
  let line =
    `{"cbtid": ${pythonJson(cbtid)}, "status": "${status}", "created": ${pythonJson(created)}` +
    `, "modified": ${pythonJson(modified)}, "deleted": ${pythonJson(deleted)}, "max_age": ${pythonJson(max_age)}` +
    `, "authid": ${pythonJson(authid)}, "authrole": ${pythonJson(authrole)}, "authmethod": ${pythonJson(authmethod)}` +
    `, "authrealm": ${pythonJson(authrealm)}, "authextra": ${pythonJson(authextra)}`;
  if (credential !== undefined) line += `, "credential": ${pythonJson(credential)}`;
  if (source !== undefined) line += `, "source": ${pythonJson(source)}`;
  if (seen !== null) line += `, "seen": ${pythonJson(seen)}`;
  if (rotated !== null) line += `, "rotated": ${pythonJson(rotated)}`;
  if (!returned) line += ', "returned": false';
  for (const key in extra) line += `, ${pythonMember(key, extra[key])}`;
  return `${line}}\n`;
}

/**
 * Reads a line without its line feed.
 *
 * - Before version 22.4 Crossbar.io called the id `id` and wrote no `status`, `modified` and `deleted`; its purged
 *   files still lack them.
 * - A login counts only when it is whole: old records without `authrealm` keep their cookie and lose the login.
 * - A line that says `deleted` is believed as soon as its id can be read, whatever else is wrong with it: a cookie that
 *   was logged out must not come back because its last line was damaged.
 * - A checksum must be right. A line without one is taken as it is: Crossbar.io writes none.
 *
 * @param isStrict whether all lines should have checksums. Then a line without one may have no unknown key, because that could be
 *   the rest of a damaged checksum.
 * @returns undefined when the line is damaged.
 */
export function parseLine(line: string, isStrict = false): FileEntry | undefined {
  const value = parseObject(line);
  if (value === undefined) return undefined;
  const cbtid = value['cbtid'] ?? value['id'];
  if (typeof cbtid !== 'string' || cbtid === '') return undefined;
  const isIntact =
    'crc' in value ? isSealIntact(line) : !isStrict || Object.keys(value).every((key) => KNOWN_KEYS.has(key));
  if (value['status'] === 'deleted' || Boolean(value['deleted'])) {
    return isIntact ? parseDeletion(cbtid, value) : { cbtid, record: undefined, isDamaged: true };
  }
  return isIntact ? parseLive(cbtid, value) : undefined;
}

function parseLive(cbtid: string, value: Readonly<Record<string, unknown>>): FileEntry | undefined {
  const record = parseRecord(cbtid, value);
  if (record === undefined) return undefined;
  const { rotated_from, from_returned } = value;
  if (rotated_from === undefined) return { cbtid, record };
  if (typeof rotated_from !== 'string' || rotated_from === '' || rotated_from === cbtid) return undefined;
  const { rotated } = record;
  if (rotated === null) return undefined;
  return { cbtid, record, rotatedFrom: forwardTo({ cbtid, rotated }, rotated_from, from_returned !== false) };
}

function parseDeletion(cbtid: string, value: Readonly<Record<string, unknown>>): FileEntry {
  const { moved_to, moved, returned } = value;
  if (typeof moved_to !== 'string' || moved_to === '' || moved_to === cbtid || !isTimestamp(moved)) {
    return { cbtid, record: undefined };
  }
  const forward = forwardTo({ cbtid: moved_to, rotated: moved }, cbtid, returned !== false);
  const record = parseRecord(moved_to, value);
  const successor = record && { ...record, rotated: moved, returned: false };
  return { cbtid, record: undefined, forward, ...(successor && { successor }) };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // not JSON: the caller sets the line aside
  }
  return isObject(value) ? value : undefined;
}

function parseRecord(cbtid: string, value: Readonly<Record<string, unknown>>): CookieRecord | undefined {
  const { status, created, modified = null, max_age, seen = null, rotated = null, returned = true } = value;
  if (!STATUS_WORDS.includes(status)) return undefined;
  if (!isTimestamp(created) || !isTimestampOrNull(modified)) return undefined;
  if (!isTimestampOrNull(seen) || !isTimestampOrNull(rotated)) return undefined;
  if (typeof max_age !== 'number' || max_age < 0) return undefined;
  if (typeof returned !== 'boolean') return undefined;
  const auth = parseAuth(value);
  return auth === undefined ? undefined : { cbtid, created, modified, max_age, auth, seen, rotated, returned };
}

/** @returns null without a login or with an incomplete one, undefined when a value has the wrong type. */
function parseAuth(value: Readonly<Record<string, unknown>>): CookieAuth | null | undefined {
  const { authid = null, authrole = null, authmethod = null, authrealm = null, authextra = null } = value;
  if (!isTextOrNull(authid) || !isTextOrNull(authrole) || !isTextOrNull(authmethod) || !isTextOrNull(authrealm)) {
    return undefined;
  }
  if (authextra !== null && !isObject(authextra)) return undefined;
  const { credential } = value;
  if (credential !== undefined && typeof credential !== 'string') return undefined;
  const { source } = value;
  if (source !== undefined && !isLoginSource(source)) return undefined;
  if (authid === null || authrole === null || authmethod === null || authrealm === null) return null;
  const auth = { authid, authrole, authmethod, authrealm, authextra };
  return deepFreeze({
    ...auth,
    ...(credential !== undefined && { credential }),
    ...(source !== undefined && { source }),
  });
}

function isLoginSource(value: unknown): value is LoginSource {
  if (!isObject(value)) return false;
  const { provider, issuer, subject, sid, expires } = value;
  return [provider, issuer, subject, sid, expires].every((text) => text === undefined || typeof text === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isTimestampOrNull(value: unknown): value is string | null {
  return value === null || isTimestamp(value);
}

function isTimestamp(value: unknown): value is string {
  return typeof value === 'string' && TIMESTAMP.test(value) && Number.isFinite(Date.parse(value));
}

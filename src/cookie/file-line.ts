/**
 * One line of the cookie file: record in, text out and back. The format is Crossbar.io's; reading also takes the older
 * shapes that Crossbar.io wrote over the years. It knows nothing of files.
 */
import { deepFreeze } from './auth-value.js';
import { pythonJson } from './python-json.js';
import type { CookieAuth, CookieRecord } from './store.js';

/** What a good line says. */
export type FileEntry =
  { readonly cbtid: string; readonly record: CookieRecord } | { readonly cbtid: string; readonly record: undefined };

const STATUS_WORDS: readonly unknown[] = ['created', 'modified', 'deleted', null, undefined];
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const NO_AUTH = { authid: null, authrole: null, authmethod: null, authrealm: null, authextra: null };

/** @returns the line of a live record, with the line feed. */
export function liveLine(record: CookieRecord): string {
  const status = record.modified === null && record.auth === null ? 'created' : 'modified';
  return formatLine(status, record, null);
}

/** @returns the line that ends a record; like Crossbar.io's it repeats the last login. */
export function deletedLine(record: CookieRecord, deleted: string): string {
  return formatLine('deleted', record, deleted);
}

function formatLine(status: string, record: CookieRecord, deleted: string | null): string {
  const { cbtid, created, modified, max_age } = record;
  const { authid, authrole, authmethod, authrealm, authextra } = record.auth ?? NO_AUTH;
  const members = { cbtid, status, created, modified, deleted, max_age };
  return `${pythonJson({ ...members, authid, authrole, authmethod, authrealm, authextra })}\n`;
}

/**
 * Reads a line without its line feed.
 *
 * - Before version 22.4 Crossbar.io called the id `id` and wrote no `status`, `modified` and `deleted`; its purged
 *   files still lack them.
 * - A login counts only when it is whole: old records without `authrealm` keep their cookie and lose the login.
 * - A line that says `deleted` is believed as soon as its id can be read, whatever else is wrong with it: a cookie that
 *   was logged out must not come back because its last line was damaged.
 *
 * @returns undefined when the line is damaged.
 */
export function parseLine(line: string): FileEntry | undefined {
  const value = parseObject(line);
  if (value === undefined) return undefined;
  const cbtid = value['cbtid'] ?? value['id'];
  if (typeof cbtid !== 'string' || cbtid === '') return undefined;
  if (value['status'] === 'deleted' || Boolean(value['deleted'])) return { cbtid, record: undefined };
  const record = parseRecord(cbtid, value);
  return record === undefined ? undefined : { cbtid, record };
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
  const { status, created, modified = null, max_age } = value;
  if (!STATUS_WORDS.includes(status)) return undefined;
  if (!isTimestamp(created) || !(modified === null || isTimestamp(modified))) return undefined;
  if (typeof max_age !== 'number' || max_age < 0) return undefined;
  const auth = parseAuth(value);
  return auth === undefined ? undefined : { cbtid, created, modified, max_age, auth };
}

/** @returns null for no login or an incomplete one, undefined for one of wrong types. */
function parseAuth(value: Readonly<Record<string, unknown>>): CookieAuth | null | undefined {
  const { authid = null, authrole = null, authmethod = null, authrealm = null, authextra = null } = value;
  if (!isTextOrNull(authid) || !isTextOrNull(authrole) || !isTextOrNull(authmethod) || !isTextOrNull(authrealm)) {
    return undefined;
  }
  if (authextra !== null && !isObject(authextra)) return undefined;
  if (authid === null || authrole === null || authmethod === null || authrealm === null) return null;
  return deepFreeze({ authid, authrole, authmethod, authrealm, authextra });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isTimestamp(value: unknown): value is string {
  return typeof value === 'string' && TIMESTAMP.test(value) && Number.isFinite(Date.parse(value));
}

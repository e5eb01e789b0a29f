/**
 * `crossbar-ts cookies`: look at the cookies of a node, log browsers out, and look after the stores. Works on a stopped
 * node and on one that runs. Cookies are shown by digests, as the router shows them; never by ids.
 */
import path from 'node:path';

import type { ListedCookie } from '../cookie/management.js';
import { resolveCbdir } from '../node/cbdir.js';
import { verifyCookies, withCookies } from '../node/commands.js';
import type { NodePlace } from '../node/commands.js';
import { NodeError } from '../node/error.js';
import { createReporter } from './logging.js';
import { Output } from './output.js';

interface PlaceOptions {
  readonly cbdir?: string;
  readonly rundir?: string;
  readonly config?: string;
  readonly store?: number;
}

export interface ListOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** Prints a table, or with `json` one JSON object per line. */
export async function listCookies(options: ListOptions): Promise<void> {
  const rows: string[][] = [];
  const print = (cookie: ListedCookie): void => {
    if (options.json === true) process.stdout.write(`${JSON.stringify(cookie)}\n`);
    else rows.push(rowOf(cookie));
  };
  await withCookies(placeOf(options), (management) => management.list(options.store, print));
  if (options.json === true) return;
  process.stdout.write(rows.length === 0 ? 'no cookies\n' : tableOf([HEADINGS, ...rows]));
}

/** Prints what is in the stores. Exits with 1 when something in them cannot be read. */
export async function verify(options: PlaceOptions): Promise<void> {
  const found = await verifyCookies(placeOf(options), options.store);
  if (found.length === 0) process.stdout.write('no cookie store on a disk\n');
  for (const { store, place, problem, ...counts } of found) {
    const { good, damaged, outdated, cookies, logins, expired } = counts;
    const lines = `${good} good, ${damaged} damaged, ${outdated} outdated`;
    const what = problem ?? `${lines}; ${cookies} cookies, ${logins} with a login, ${expired} expired`;
    process.stdout.write(`store ${store} (${place}): ${what}\n`);
  }
  if (found.some(({ damaged, problem }) => damaged > 0 || problem !== undefined)) process.exitCode = 1;
}

/** Rewrites the stores without what nobody can ask for any more. */
export async function compact(options: PlaceOptions): Promise<void> {
  const compacted = await withCookies(placeOf(options), (management) => management.compact(options.store));
  for (const { store, place, before, after } of compacted) {
    const what = before === undefined ? 'nothing to compact' : `${before} entries before, ${after} now`;
    process.stdout.write(`store ${store} (${place}): ${what}\n`);
  }
}

export interface RevokeOptions extends PlaceOptions {
  readonly authid?: string;
  readonly digest?: string;
  readonly all?: boolean;
}

/** Logs browsers out. Exits with 1 when a single one was meant and there is none. */
export async function revoke(options: RevokeOptions): Promise<void> {
  const { authid, digest, all, store } = options;
  if ([authid, digest, all].filter((choice) => choice !== undefined).length !== 1) {
    throw new NodeError('ERR_NODE_COOKIES', 'say which cookies are meant: one of --authid, --digest and --all');
  }
  const count = await withCookies(placeOf(options), (management) => management.revoke({ authid, digest }, store));
  if (digest !== undefined && count === 0) throw new NodeError('ERR_NODE_COOKIES', `there is no cookie ${digest}`);
  process.stdout.write(`${count} ${count === 1 ? 'cookie' : 'cookies'} revoked\n`);
}

export interface ImportOptions extends PlaceOptions {
  readonly from: string;
  readonly to?: number;
}

/** Takes the cookies of a file or a database over into a store of the node. */
export async function importCookies(options: ImportOptions): Promise<void> {
  const from = path.resolve(options.from);
  const report = await withCookies(placeOf(options), (management) => management.import(from, options.to));
  const { imported, known, expired, damaged } = report;
  process.stdout.write(`${imported} imported; ${known} known already, ${expired} expired, ${damaged} damaged\n`);
}

function placeOf({ cbdir: option, rundir, config }: PlaceOptions): NodePlace {
  const cbdir = resolveCbdir({ option, env: process.env, cwd: process.cwd() });
  const output = new Output(process.stderr);
  const noColor = (process.env['NO_COLOR'] ?? '') !== '';
  const { log } = createReporter({ loglevel: 'warn', logformat: 'text', color: 'auto' }, output, noColor);
  return { cbdir, rundir, config, log };
}

const HEADINGS = ['STORE', 'DIGEST', 'CREATED', 'EXPIRES', 'AUTHID', 'ROLE', 'REALM', 'METHOD', 'SESSIONS'];

function rowOf({ store, digest, created, expires, sessions, ...login }: ListedCookie): string[] {
  const { authid, authrole, authrealm, authmethod } = login;
  const texts = [authid, authrole, authrealm, authmethod].map((text) => (text === null ? '-' : printable(text)));
  return [String(store), digest, created, expires, ...texts, String(sessions.length)];
}

/** Names come from outside: nothing in them may move the cursor or turn the text around. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0));
  const lines = rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

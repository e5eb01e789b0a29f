/**
 * `crossbar-ts cookies`: look at the cookies of a node, log browsers out, and look after the stores. Works on a stopped
 * node and on one that runs. Cookies are shown by digests, as the router shows them; never by ids.
 */
import path from 'node:path';

import type { ListedCookie } from '../cookie/management.js';
import { verifyCookies, withCookies } from '../node/commands.js';
import { NodeError } from '../node/error.js';
import { placeOf } from './place.js';
import type { PlaceOptions } from './place.js';
import { print, printable, tableOf } from './table.js';

interface StoreOptions extends PlaceOptions {
  readonly store?: number;
}

export interface ListOptions extends StoreOptions {
  readonly json?: boolean;
}

/** Prints a table, or with `json` one JSON object per line. */
export async function listCookies(options: ListOptions): Promise<void> {
  const rows: string[][] = [];
  const show = async (cookie: ListedCookie): Promise<void> => {
    if (options.json === true) await print(`${JSON.stringify(cookie)}\n`);
    else rows.push(rowOf(cookie));
  };
  await withCookies(placeOf(options), (management) => management.list(options.store, show));
  if (options.json === true) return;
  await print(rows.length === 0 ? 'no cookies\n' : tableOf([HEADINGS, ...rows]));
}

/** Prints what is in the stores. Exits with 1 when something in them cannot be read. */
export async function verify(options: StoreOptions): Promise<void> {
  const found = await verifyCookies(placeOf(options), options.store);
  if (found.length === 0) process.stdout.write('no cookie store that outlives the node\n');
  for (const { store, place, problem, ...counts } of found) {
    const { good, damaged, outdated, cookies, logins, expired } = counts;
    const lines = `${good} good, ${damaged} damaged, ${outdated} outdated`;
    const what = problem ?? `${lines}; ${cookies} cookies, ${logins} with a login, ${expired} expired`;
    process.stdout.write(`store ${store} (${place}): ${what}\n`);
  }
  if (found.some(({ damaged, problem }) => damaged > 0 || problem !== undefined)) process.exitCode = 1;
}

/** Rewrites the stores without what nobody can ask for any more. */
export async function compact(options: StoreOptions): Promise<void> {
  const compacted = await withCookies(placeOf(options), (management) => management.compact(options.store));
  for (const { store, place, before, after } of compacted) {
    const what = before === undefined ? 'nothing to compact' : `${before} entries before, ${after} now`;
    process.stdout.write(`store ${store} (${place}): ${what}\n`);
  }
}

export interface RevokeOptions extends StoreOptions {
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

const HEADINGS = ['STORE', 'DIGEST', 'CREATED', 'EXPIRES', 'AUTHID', 'ROLE', 'REALM', 'METHOD', 'SESSIONS'];

function rowOf({ store, digest, created, expires, sessions, ...login }: ListedCookie): string[] {
  const { authid, authrole, authrealm, authmethod } = login;
  const texts = [authid, authrole, authrealm, authmethod].map((text) => (text === null ? '-' : printable(text)));
  return [String(store), digest, created, expires, ...texts, String(sessions.length)];
}

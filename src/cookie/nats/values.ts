/**
 * What the bucket keeps of a cookie, and under which keys. Pure.
 *
 *     <hash>.0, <hash>.1, ...   one value for each change: all of the record, a forward, or the mark of a cookie that is gone
 *     <hash>.s                  when the browser was last seen
 *
 * `<hash>` is that of the cookie id, because an id may have letters that a key may not. A version is created once and never written
 * again: of several nodes that change a cookie at the same time one makes the next version, and the others look again.
 */
import { createHash } from 'node:crypto';
import { forwardLine, liveLine, parseLine } from '../file/line.js';
import { isForward } from '../store.js';
import type { CookieForward, CookieRecord } from '../store.js';

/** What is left of a cookie that was deleted. */
export interface Gone {
  /** The id, which is worth nothing any more. */
  readonly gone: string;
  /** In milliseconds since 1970: until then it must be known that the cookie is gone. */
  readonly until: number;
  /** Whether sessions end for it: it was logged out, and not just over. */
  readonly told: boolean;
  /** Of the id that had taken the place of this one: its hash. */
  readonly movedTo?: string;
}

/** What a version says. */
export type Held = CookieRecord | CookieForward | Gone;

/** A version, as the bucket has it. */
export interface Version {
  /** Undefined where the value cannot be read. */
  readonly held: Held | undefined;
  /** Counts only when the id with this hash leads here: the first version of a successor, which is written before the forward. */
  readonly from: string | undefined;
}

/** Where a value stands. */
export type Key =
  | { readonly hash: string; readonly version: number }
  | { readonly hash: string; readonly version: 'seen' }
  /** Of a node that finds out whether it is up to date. */
  | { readonly probe: string };

const HASH = /^([A-Za-z0-9_-]{43})\.(0|[1-9][0-9]{0,8}|s)$/;
const PROBE = 'probe.';

/** @returns what a key begins with: the SHA-256 of a cookie id, in Base64url. */
export function hashOf(cbtid: string): string {
  return createHash('sha256').update(cbtid).digest('base64url');
}

export function versionKey(hash: string, version: number): string {
  return `${hash}.${version}`;
}

export function seenKey(hash: string): string {
  return `${hash}.s`;
}

/** @param name of a run of a node. */
export function probeKey(name: string): string {
  return `${PROBE}${name}`;
}

export function isProbe(key: string): boolean {
  return key.startsWith(PROBE);
}

/** @returns undefined for a key that is not ours. */
export function keyOf(key: string): Key | undefined {
  if (isProbe(key)) return { probe: key };
  const [, hash, version] = HASH.exec(key) ?? [];
  if (hash === undefined) return undefined;
  return { hash, version: version === 's' ? 'seen' : Number(version) };
}

export function isGone(held: Held): held is Gone {
  return 'gone' in held;
}

/** @param from see {@link Version.from}. */
export function encodeVersion(held: Held, from?: string): Uint8Array {
  if (isGone(held)) return Buffer.from(JSON.stringify(held));
  if (isForward(held)) return Buffer.from(forwardLine(held).trimEnd());
  const line = liveLine(held).trimEnd();
  return Buffer.from(from === undefined ? line : `${line}\n${from}`);
}

export function decodeVersion(value: Uint8Array): Version {
  const [line = '', from] = textOf(value).split('\n');
  if (line.startsWith('{"gone"')) return { held: goneOf(line), from: undefined };
  const entry = parseLine(line);
  return { held: entry?.record ?? entry?.forward, from };
}

/** @returns the text of a value. */
export function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}

function goneOf(line: string): Gone | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // counted as damaged
  }
  const { gone, until, told, movedTo } = value as Readonly<Record<string, unknown>>;
  if (typeof gone !== 'string' || typeof until !== 'number' || typeof told !== 'boolean') return undefined;
  return typeof movedTo === 'string' ? { gone, until, told, movedTo } : { gone, until, told };
}

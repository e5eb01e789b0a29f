/**
 * The arguments of a call become an HTTP request. They come from any caller of the procedure: the server that is asked is the one of
 * the config, whatever they say. Pure.
 */
import type { Args, Kwargs } from '../../client/api.js';
import { isDict } from '../../wamp/payload.js';
import { RequestFailed } from './request.js';
import type { RestRequest } from './request.js';
import type { CalleeExtra } from './schema.js';

/** In the order of the positions, as Crossbar.io has them. */
const NAMES = ['method', 'url', 'body', 'headers', 'params'] as const;

type Name = (typeof NAMES)[number];

/** Methods that `fetch` does not know; the first makes a tunnel, the others show what was sent. */
const NO_METHODS = ['CONNECT', 'TRACE', 'TRACK'];

/** Headers that belong to the connection, or choose another site of the server. */
const NO_HEADERS = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** @throws RequestFailed with what is wrong. */
export function requestOf(
  args: Args,
  kwargs: Kwargs,
  extra: Pick<CalleeExtra, 'baseurl' | 'allow_absolute'>,
): RestRequest {
  const given = argumentsOf(args, kwargs);
  const method = methodOf(given('method'));
  const url = urlOf(given('url'), extra);
  addParams(url, given('params'));
  const body = bodyOf(given('body'));
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new RequestFailed(`A request with the method ${method} has no "body".`);
  }
  return { method, url, headers: headersOf(given('headers')), body };
}

/** @returns a look-up by name; null is the same as nothing. */
function argumentsOf(args: Args, kwargs: Kwargs): (name: Name) => unknown {
  const known: readonly string[] = NAMES;
  const unknown = Object.keys(kwargs).find((name) => !known.includes(name));
  if (unknown !== undefined || args.length > NAMES.length) {
    const what = unknown === undefined ? `more than ${NAMES.length}` : JSON.stringify(unknown.slice(0, 100));
    throw new RequestFailed(`Found ${what} among the arguments (allowed: ${NAMES.join(', ')}).`);
  }
  return (name) => kwargs[name] ?? args[NAMES.indexOf(name)] ?? undefined;
}

function methodOf(value: unknown): string {
  if (typeof value !== 'string') throw new RequestFailed('The "method" must be a string.');
  const method = value.toUpperCase();
  if (!/^[!#$%&'*+.^_`|~0-9A-Z-]{1,32}$/.test(method) || NO_METHODS.includes(method)) {
    throw new RequestFailed('The "method" is no method of HTTP that can be sent.');
  }
  return method;
}

function urlOf(value: unknown = '', { baseurl, allow_absolute }: Pick<CalleeExtra, 'baseurl' | 'allow_absolute'>): URL {
  if (typeof value !== 'string') throw new RequestFailed('The "url" must be a string.');
  if (!URL.canParse(value, baseurl)) throw new RequestFailed('The "url" is no URL.');
  const url = new URL(value, baseurl);
  if (url.origin !== new URL(baseurl).origin) {
    if (!allow_absolute) throw new RequestFailed('The "url" leads to another server.');
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new RequestFailed('The "url" is not of HTTP.');
  }
  if (url.username + url.password !== '') throw new RequestFailed('The "url" has a user or a password.');
  return url;
}

function addParams(url: URL, value: unknown = {}): void {
  if (!isDict(value)) throw new RequestFailed('The "params" must be an object.');
  for (const [name, values] of Object.entries(value)) {
    for (const text of listOf(values, 'params')) url.searchParams.append(name, text);
  }
}

/** As bytes: a text would get a Content-Type that nobody asked for. */
function bodyOf(value: unknown = ''): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : value;
  if (typeof value !== 'string') throw new RequestFailed('The "body" must be a string, or bytes.');
  return value === '' ? undefined : new TextEncoder().encode(value);
}

function headersOf(value: unknown = {}): Headers {
  if (!isDict(value)) throw new RequestFailed('The "headers" must be an object.');
  const headers = new Headers();
  for (const [name, values] of Object.entries(value)) {
    if (NO_HEADERS.has(name.toLowerCase())) throw new RequestFailed(`The header "${name}" cannot be chosen.`);
    for (const text of listOf(values, 'headers')) append(headers, name, text);
  }
  return headers;
}

function append(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch (cause) {
    throw new RequestFailed('The "headers" have a name or a value that no header can have.', { cause });
  }
}

/** @returns the values of a name: one, or a list. */
function listOf(value: unknown, where: Name): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === 'string')) return list;
  throw new RequestFailed(`The "${where}" must have strings, or lists of strings.`);
}

/**
 * The headers that a proxy passes on, as lists of names and values in their order: nothing is joined, and a name may come again.
 * Headers that are about one connection stay behind (RFC 9110, section 7.6.1), in both directions. Pure.
 */

/** Names and values in turn, as `rawHeaders` of Node.js has them. */
export type HeaderList = readonly string[];

const CONNECTION = 'connection';

/** About one connection, whatever `Connection` says; the framing of bodies is set anew. */
const HOP_BY_HOP = [
  ...[CONNECTION, 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
];

/** What the proxy says itself: a client that says it as well must not be heard. */
const SAID_BY_US = [
  ...['host', 'content-length', 'forwarded', 'x-real-ip'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-server'],
  // Becomes HTTP_PROXY in the environment of CGI scripts, which many libraries obey ("httpoxy").
  'proxy',
];

const NEVER_TO_BACKEND: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...SAID_BY_US]);
const NEVER_TO_OTHER_HALF: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length']);
const NEVER_TO_CLIENT: ReadonlySet<string> = new Set(HOP_BY_HOP);

/** Names nothing but the connection itself: so it is in nearly all requests and answers. */
const NAMES_NOTHING = /^(?:keep-alive|close)$/i;

/** @returns the names, in lower case, of what `Connection` says is about one connection; undefined when it names none. */
function namedByConnection(list: HeaderList): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let at = 0; at < list.length; at += 2) {
    const [name = '', value = ''] = [list[at], list[at + 1]];
    if (!isNamed(name, CONNECTION) || NAMES_NOTHING.test(value)) continue;
    names ??= new Set();
    for (const named of value.split(',')) names.add(named.trim().toLowerCase());
  }
  return names;
}

/**
 * @returns the headers of a request that go to the backend. Names with `_` are left out: to CGI and WSGI they are the same as those
 *   with `-`, so that a client could say what only the proxy may.
 */
export function requestHeaders(list: HeaderList): string[] {
  return without(list, NEVER_TO_BACKEND, true);
}

/** @returns all headers but those that are about one connection. */
export function withoutHops(list: HeaderList): string[] {
  return without(list, NEVER_TO_OTHER_HALF, false);
}

/** @returns the headers of a response that go to the client. */
export function responseHeaders(list: HeaderList): string[] {
  return without(list, NEVER_TO_CLIENT, false);
}

function without(list: HeaderList, never: ReadonlySet<string>, withoutUnderscores: boolean): string[] {
  const named = namedByConnection(list);
  const kept: string[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [name = '', value = ''] = [list[at], list[at + 1]];
    const key = name.toLowerCase();
    if (never.has(key) || named?.has(key) === true || (withoutUnderscores && key.includes('_'))) continue;
    kept.push(name, value);
  }
  return kept;
}

/** Changes the values of one header. @param change undefined takes the header out. */
export function mapHeader(list: HeaderList, name: string, change: (value: string) => string | undefined): string[] {
  const changed: string[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [key = '', value = ''] = [list[at], list[at + 1]];
    const next = isNamed(key, name) ? change(value) : value;
    if (next !== undefined) changed.push(key, next);
  }
  return changed;
}

/** @param name in lower case; most headers have one of another length, which is cheap to see. */
function isNamed(header: string, name: string): boolean {
  return header.length === name.length && header.toLowerCase() === name;
}

/** Who asks, and how they came. */
export interface Came {
  /** The address at the other end of the connection; undefined on a socket of the file system. */
  readonly peer: string | undefined;
  /** The address of the client; the same where it came by itself. */
  readonly client: string | undefined;
  /** `X-Forwarded-For` of a trusted proxy; undefined where there is none. */
  readonly chain: string | undefined;
  readonly host: string | undefined;
  readonly port: string;
  readonly proto: 'http' | 'https';
}

/** @returns what the backend is told of the client. @param withForwarded also by `Forwarded` (RFC 7239). */
export function forwardedHeaders({ peer, client, chain, host, port, proto }: Came, withForwarded: boolean): string[] {
  const steps = [chain, peer].filter((step) => step !== undefined);
  const list = [...(steps.length > 0 ? ['X-Forwarded-For', steps.join(', ')] : [])];
  if (client !== undefined) list.push('X-Real-IP', client);
  if (host !== undefined) list.push('X-Forwarded-Host', host);
  list.push('X-Forwarded-Port', port, 'X-Forwarded-Proto', proto);
  if (withForwarded) {
    const node = client === undefined ? 'unknown' : client.includes(':') ? `"[${client}]"` : client;
    const asked = host === undefined || /["\\]/.test(host) ? '' : `;host="${host}"`;
    list.push('Forwarded', `for=${node}${asked};proto=${proto}`);
  }
  return list;
}

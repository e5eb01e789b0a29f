/**
 * The headers that a proxy passes on, as lists of names and values in their order: nothing is joined, and a name may come again.
 * Headers that are about one connection stay behind (RFC 9110, section 7.6.1), in both directions. Pure.
 */

/** Names and values in turn, as `rawHeaders` of Node.js has them. */
export type HeaderList = readonly string[];

/** About one connection, whatever `Connection` says; the framing of bodies is set anew. */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
];

/** What the proxy says itself: a client that says it as well must not be heard. */
const SAID_BY_US = [
  ...['host', 'content-length', 'forwarded', 'x-real-ip'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-server'],
  // Becomes HTTP_PROXY in the environment of CGI scripts, which many libraries obey ("httpoxy").
  'proxy',
];

/** @returns the names, in lower case, of what `Connection` says is about one connection. */
function namedByConnection(list: HeaderList): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length; at += 2) {
    if (list[at]?.toLowerCase() !== 'connection') continue;
    for (const name of (list[at + 1] ?? '').split(',')) names.push(name.trim().toLowerCase());
  }
  return names;
}

/**
 * @returns the headers of a request that go to the backend. Names with `_` are left out: to CGI and WSGI they are the same as those
 *   with `-`, so that a client could say what only the proxy may.
 */
export function requestHeaders(list: HeaderList): string[] {
  const dropped = new Set([...HOP_BY_HOP, ...SAID_BY_US, ...namedByConnection(list)]);
  return filtered(list, (name) => !dropped.has(name) && !name.includes('_'));
}

/** @returns the headers of a response that go to the client. */
export function responseHeaders(list: HeaderList): string[] {
  const dropped = new Set([...HOP_BY_HOP, ...namedByConnection(list)]);
  return filtered(list, (name) => !dropped.has(name));
}

function filtered(list: HeaderList, isKept: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [name = '', value = ''] = [list[at], list[at + 1]];
    if (isKept(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** Changes the values of one header. @param change undefined takes the header out. */
export function mapHeader(list: HeaderList, name: string, change: (value: string) => string | undefined): string[] {
  const changed: string[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [key = '', value = ''] = [list[at], list[at + 1]];
    const next = key.toLowerCase() === name ? change(value) : value;
    if (next !== undefined) changed.push(key, next);
  }
  return changed;
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

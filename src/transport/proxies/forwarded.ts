/**
 * What the headers of proxies say of a client. Each proxy appends what it saw, so the words of those that are trusted stand at the
 * right end, and whatever stands left of the first one that is not trusted may be invented by the client. So everything is read from
 * the right, and never further than needed: not more than 32 entries, and 1 KiB.
 *
 *     peer not trusted -> nothing is read (`http/client-address.ts`)
 *     peer trusted -> the entry at the right end -> no address: the peer is the client
 *                                                -> not trusted: the client
 *                                                -> trusted: the entry left of it, in the same way
 *
 * Pure.
 */
import { plainAddress } from './trusted-proxies.js';
import type { TrustedProxies } from './trusted-proxies.js';

/** The headers, as Node.js joins several lines of one name. */
export type ProxyHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What the trusted proxies say; undefined where they say nothing. */
export interface Forwarded {
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** Whether the client came by TLS. */
  readonly isSecure: boolean | undefined;
  /** As in `Host`. Only where the config trusts it. */
  readonly host: string | undefined;
}

const MAX_ENTRIES = 32;
const MAX_CHARACTERS = 1024;

/** One step of the way of a request. */
interface Hop {
  readonly address: string;
  readonly port: number | undefined;
}

/** @returns what the headers of a request from a trusted proxy say of its client. */
export function readForwarded(headers: ProxyHeaders, proxies: TrustedProxies): Forwarded {
  const isNamed = ['x-forwarded-for', 'x-forwarded-proto'].some((name) => headers[name] !== undefined);
  const readsElements = proxies.headers.has('forwarded') && headers['forwarded'] !== undefined;
  if (readsElements && !(isNamed && proxies.headers.has('x-forwarded'))) return readElements(headers, proxies);
  return proxies.headers.has('x-forwarded') ? readLists(headers, proxies) : NOTHING;
}

const NOTHING: Forwarded = { address: undefined, port: undefined, isSecure: undefined, host: undefined };

/** `X-Forwarded-For` and those beside it. */
function readLists(headers: ProxyHeaders, proxies: TrustedProxies): Forwarded {
  const { hop, steps } = walk(entriesOf(headers['x-forwarded-for']), hopOf, proxies);
  const isSecure = isSecureScheme(protoAt(entriesOf(headers['x-forwarded-proto']), steps));
  const host = proxies.trustsHost ? hostOf(textOf(headers['x-forwarded-host'])) : undefined;
  return {
    ...{ address: hop?.address, port: hop?.port, isSecure },
    host: host === undefined ? undefined : withPort(host, textOf(headers['x-forwarded-port']), isSecure),
  };
}

/** `Forwarded`: all that is said of one step stands together. */
function readElements(headers: ProxyHeaders, proxies: TrustedProxies): Forwarded {
  const elements = elementsOf(textOf(headers['forwarded']));
  const { hop, steps } = walk(elements, (element) => hopOf(element?.get('for')), proxies);
  const element = elements[Math.max(steps - 1, 0)];
  return {
    ...{ address: hop?.address, port: hop?.port, isSecure: isSecureScheme(element?.get('proto')) },
    host: proxies.trustsHost ? hostOf(element?.get('host') ?? '') : undefined,
  };
}

/**
 * @param entries from the right end of the header.
 * @param hopIn undefined where an entry has no address. Only entries on the way are asked.
 * @returns the client, and how many entries it took to find it; no client where already the first entry is no address.
 */
function walk<T>(
  entries: readonly T[],
  hopIn: (entry: T) => Hop | undefined,
  proxies: TrustedProxies,
): { readonly hop: Hop | undefined; readonly steps: number } {
  let found: Hop | undefined;
  let steps = 0;
  for (const entry of entries) {
    const hop = hopIn(entry);
    if (hop === undefined) break;
    found = hop;
    steps += 1;
    if (!proxies.hasAddress(hop.address)) break;
  }
  return { hop: found, steps };
}

/** One value counts for the whole way; of several the one that was said of the step where the client is. */
function protoAt(protos: readonly string[], steps: number): string | undefined {
  return protos.length === 1 ? protos[0] : protos[Math.max(steps - 1, 0)];
}

/** @returns undefined for a word that is no scheme of HTTP or WebSockets. */
function isSecureScheme(scheme: string | undefined): boolean | undefined {
  const word = scheme?.toLowerCase() ?? '';
  if (word === 'https' || word === 'wss') return true;
  return word === 'http' || word === 'ws' ? false : undefined;
}

/** @param text `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5`. */
function hopOf(text: string | undefined): Hop | undefined {
  const [, bracketed, v4, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text ?? '') ?? [];
  const isV4InBrackets = bracketed !== undefined && !bracketed.includes(':');
  const address = isV4InBrackets ? undefined : plainAddress(bracketed ?? v4 ?? text ?? '');
  if (address === undefined) return undefined;
  const number = Number(port ?? 0);
  return { address, port: number > 0 && number <= 65_535 ? number : undefined };
}

/** One host, as in `Host`; undefined for a list, and for what is none. */
function hostOf(text: string): string | undefined {
  return /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.test(text) ? text : undefined;
}

function withPort(host: string, port: string, isSecure: boolean | undefined): string {
  const isUsual = port === (isSecure === true ? '443' : '80');
  const hasOwn = /:\d+$/.test(host.replace(/^\[.*\]/, ''));
  return hasOwn || isUsual || !/^[1-9]\d{0,4}$/.test(port) ? host : `${host}:${port}`;
}

function textOf(header: string | readonly string[] | undefined): string {
  return (typeof header === 'object' ? header.join(', ') : (header ?? '')).trim();
}

/** @returns the entries of a list from its right end; what is cut off at the left is none. */
function entriesOf(header: string | readonly string[] | undefined): string[] {
  if (header === undefined) return [];
  const text = textOf(header);
  const entries = text.slice(-MAX_CHARACTERS).split(',');
  if (text.length > MAX_CHARACTERS) entries.shift();
  return entries
    .slice(-MAX_ENTRIES)
    .reverse()
    .map((entry) => entry.trim());
}

/** The parameters of an element of `Forwarded`; undefined for one that cannot be read. */
type Element = ReadonlyMap<string, string> | undefined;

/**
 * @returns the elements of `Forwarded` from its right end. They are also cut from there: a quotation mark that a client left open
 *   must not swallow what the proxies wrote behind it.
 */
function elementsOf(text: string): Element[] {
  const elements: Element[] = [];
  const start = Math.max(0, text.length - MAX_CHARACTERS);
  let end = text.length;
  let isQuoted = false;
  for (let at = text.length - 1; at >= start && elements.length < MAX_ENTRIES; at--) {
    if (text[at] === '"') isQuoted = !isQuoted;
    if (text[at] !== ',' || isQuoted) continue;
    elements.push(elementOf(text.slice(at + 1, end)));
    end = at;
  }
  if (start === 0 && elements.length < MAX_ENTRIES) elements.push(elementOf(text.slice(0, end)));
  return elements;
}

const PAIR = /[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:"([^"\\]*)"|([^",;=\\ \t]*))[ \t]*(?:;|$)/iy;

function elementOf(text: string): Element {
  const pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const [, name, quoted, token = ''] = PAIR.exec(text) ?? [];
    const key = name?.toLowerCase();
    if (key === undefined || pairs.has(key)) return undefined;
    pairs.set(key, quoted ?? token);
  }
  return pairs;
}

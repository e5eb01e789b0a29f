/**
 * Which pages may open a WebSocket: nothing else keeps a page of another site from connecting with the cookies of its
 * visitor. Pure.
 */
import { isIP } from 'node:net';

/** A configured origin list, ready to be asked. `host` is the `Host` header: what the client asked for. */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean;

/** In a list: the host that the client asked for ({@link isSelf}), with any port and any scheme of HTTP and WebSockets. */
const SELF = 'self';

/**
 * @param patterns origins, `*` standing for any characters, compared with and without the port being written out; a slash
 *   at the end does not count; `self`.
 * @param allowNull whether pages without an origin ({@link isNullOrigin}) may connect.
 * @returns a check that lets clients without Origin in: they are no browsers, and nobody rides on their cookies.
 */
export function originCheck(patterns: readonly string[], allowNull: boolean): OriginCheck {
  const allowsSelf = patterns.includes(SELF);
  const expressions = patterns
    .filter((pattern) => pattern !== SELF)
    .map((pattern) => pattern.replace(/(?<=[^/])\/$/, ''))
    .map((pattern) => new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`, 'i'));
  return (origin, host) => {
    if (origin === undefined) return true;
    if (isNullOrigin(origin)) return allowNull;
    if (allowsSelf && isSelf(origin, host)) return true;
    const forms = originForms(origin);
    return expressions.some((expression) => forms.some((form) => expression.test(form)));
  };
}

/**
 * Whether a page has no origin of its own: sandboxed frames and local files say `null`, web views on phones `file://` or
 * `content://`, and some nothing at all.
 */
export function isNullOrigin(origin: string): boolean {
  return /^(?:null|(?:file|content):.*|[a-z][a-z0-9+.-]*:\/\/)?$/i.test(origin.trim());
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

const ORIGIN = /^([a-z][a-z0-9+.-]*:)\/\/([^/\\?#@\s]+?)(:\d+)?$/i;
/** Some libraries for WebSockets (Starscream) make an origin of the URL that they connect to. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'http:': ':80',
  'https:': ':443',
  'ws:': ':80',
  'wss:': ':443',
};

/**
 * `https://example.com` is also `https://example.com:443`: patterns are written both ways.
 * @returns nothing for what is no origin, so that no pattern matches it.
 */
function originForms(origin: string): readonly string[] {
  const parts = ORIGIN.exec(origin);
  if (parts === null) return [];
  const [, scheme = '', host = '', port] = parts;
  const usual = DEFAULT_PORTS[scheme.toLowerCase()];
  return usual === undefined || (port !== undefined && port !== usual)
    ? [origin]
    : [`${scheme}//${host}`, `${scheme}//${host}${usual}`];
}

/**
 * The names of this machine that browsers never ask a name server for. They are one host: a server for pages under development says
 * `localhost`, and a node `127.0.0.1`. Both sides have to be one of them: the owner of any other name can point it at this machine.
 */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a page is of the host that was asked for. Whatever a proxy says in `X-Forwarded-Host` counts for nothing: a client can
 * say that, too.
 */
export function isSelf(origin: string, host: string | undefined): boolean {
  const names = namesOf(origin, host);
  if (names === undefined) return false;
  return names[0] === names[1] || names.every((name) => LOOPBACK_NAMES.has(name));
}

/** Whether a page and the host that it asked for have the same name, so that browsers keep cookies of the one for the other. */
export function isSameName(origin: string, host: string | undefined): boolean {
  const names = namesOf(origin, host);
  return names !== undefined && names[0] === names[1];
}

/** @returns the host of the page and the host that it asked for; undefined unless both are there. */
function namesOf(origin: string, host: string | undefined): readonly [string, string] | undefined {
  const [, scheme = '', originHost = ''] = ORIGIN.exec(origin) ?? [];
  if (!(scheme.toLowerCase() in DEFAULT_PORTS)) return undefined;
  const [page, asked] = [hostName(originHost), hostNameOf(host)];
  return page === undefined || asked === undefined ? undefined : [page, asked];
}

/** @returns the name in a `Host` header. */
function hostNameOf(host: string | undefined): string | undefined {
  const asked = /^([^/\\?#@\s]+?)(?::\d+)?$/.exec(host ?? '')?.[1];
  return asked === undefined ? undefined : hostName(asked);
}

/** @returns a host as browsers write it, without the dot of the root; undefined when it is none. */
function hostName(host: string): string | undefined {
  try {
    return new URL(`http://${host}/`).hostname.replace(/\.$/, '');
  } catch {
    // No host, so it is nobody's.
    return undefined;
  }
}

/** What proxies add, and no page can. */
const FORWARDED = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'forwarded',
  'via',
] as const;

/** Names without a dot, and addresses of IPv4. */
const NO_NAME_OF_INTERNET = /^(?:[\w-]+|[\d.]+)(?::\d+)?$/;

/** Our end of a connection. It is a question to the system. */
export interface LocalEnd {
  readonly localAddress?: string | undefined;
}

/**
 * Whether the host that a client asked for may be a name of the Internet whose owner gave it the address of this machine
 * (DNS rebinding): then a page of that owner, in a browser on this machine, is of the same host. The names of a machine have
 * no dot or end in `.localhost` or `.test`, and most proxies say that they are one.
 */
export function isPlanted(headers: Readonly<Record<string, unknown>>, connection: LocalEnd): boolean {
  const { host } = headers;
  if (typeof host !== 'string' || NO_NAME_OF_INTERNET.test(host)) return false;
  if (FORWARDED.some((header) => headers[header] !== undefined)) return false;
  const name = hostNameOf(host);
  if (name === undefined || !name.includes('.') || name.startsWith('[') || isIP(name) !== 0) return false;
  return !/\.(?:localhost|test)$/.test(name) && isLoopback(connection.localAddress);
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/** Whether a `Host` header names the machine that the browser runs on. */
export function isThisMachine(host: string | undefined): boolean {
  const name = hostNameOf(host);
  return name !== undefined && /^(?:127\.[0-9.]+|\[::1\]|(?:.+\.)?localhost)$/.test(name);
}

/**
 * Which pages may open a WebSocket: nothing else keeps a page of another site from connecting with the cookies of its
 * visitor. Pure.
 */

/** A configured origin list, ready to be asked. `host` is the `Host` header: what the client asked for. */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean;

/** In a list: the host that the client asked for, with any scheme and port. */
const SELF = 'self';

/**
 * @param patterns origins, `*` standing for any characters, compared with and without the port being written out; `self`.
 * @param allowNull whether `Origin: null` (sandboxed frames, local files) may connect.
 * @returns a check that lets clients without Origin in: they are no browsers, and nobody rides on their cookies.
 */
export function originCheck(patterns: readonly string[], allowNull: boolean): OriginCheck {
  const allowsSelf = patterns.includes(SELF);
  const expressions = patterns
    .filter((pattern) => pattern !== SELF)
    .map((pattern) => new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`, 'i'));
  return (origin, host) => {
    if (origin === undefined) return true;
    if (origin === 'null') return allowNull;
    if (allowsSelf && isSelf(origin, host)) return true;
    const forms = originForms(origin);
    return expressions.some((expression) => forms.some((form) => expression.test(form)));
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

const ORIGIN = /^([a-z][a-z0-9+.-]*:)\/\/([^/\\?#@\s]+?)(:\d+)?$/i;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': ':80', 'https:': ':443' };

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

/** Whatever a proxy says in `X-Forwarded-Host` counts for nothing: a client can say that, too. */
function isSelf(origin: string, host: string | undefined): boolean {
  const [, scheme = '', originHost = ''] = ORIGIN.exec(origin) ?? [];
  if (!(scheme.toLowerCase() in DEFAULT_PORTS)) return false;
  const asked = /^([^/\\?#@\s]+?)(?::\d+)?$/.exec(host ?? '')?.[1];
  const name = asked === undefined ? undefined : hostName(asked);
  return name !== undefined && name === hostName(originHost);
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

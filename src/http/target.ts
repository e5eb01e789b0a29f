/**
 * The request target of an HTTP request, checked once for every service: what comes out of here decodes, has no dot
 * segments and no control characters. Pure; it knows nothing of sockets, services or files.
 *
 * Dot segments are refused instead of resolved. A browser resolves them before it asks, so one that arrives was sent
 * to see what happens.
 */

/** Longer targets are answered with 414. Well below the 16 KiB for all headers, well above what browsers send. */
export const MAX_TARGET_LENGTH = 8192;

/** What most targets look like: nothing in it that could be wrong. */
const PLAIN_PATH = /^(?:\/[\w-]{1,64}){1,16}$/;

/** Path and query of a request. */
export interface Target {
  /** Percent-encoded, starts with `/`. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/** A target that cannot be served. */
export interface BadTarget {
  readonly status: 400 | 414;
  readonly text: string;
}

/**
 * @param target the second word of the request line, in origin form (`/a?b`) or absolute form (`http://host/a?b`);
 *   of the latter the authority is ignored, there are no virtual hosts.
 */
export function parseTarget(target: string): Target | BadTarget {
  if (PLAIN_PATH.test(target)) return { path: target, query: '' };
  if (target.length > MAX_TARGET_LENGTH) return { status: 414, text: 'The URL is too long.' };
  const local = withoutAuthority(target);
  if (!local.startsWith('/')) return malformed('The URL has no path.');
  if (!/^[\x21\x22\x24-\x7e]*$/.test(local)) return malformed('The URL contains a character that must be encoded.');
  const queryAt = local.indexOf('?');
  const path = queryAt < 0 ? local : local.slice(0, queryAt);
  for (const segment of path.slice(1).split('/')) {
    const fault = segmentFault(segment);
    if (fault !== undefined) return malformed(fault);
  }
  return { path, query: queryAt < 0 ? '' : local.slice(queryAt) };
}

/**
 * Splits the first segment off a checked path.
 *
 * @param rest empty, or a path that starts with `/`
 * @returns the first segment, decoded, and what follows it
 */
export function firstSegment(rest: string): { readonly segment: string; readonly rest: string } {
  const end = rest.indexOf('/', 1);
  const encoded = end < 0 ? rest.slice(1) : rest.slice(1, end);
  return {
    segment: encoded.includes('%') ? decodeURIComponent(encoded) : encoded,
    rest: end < 0 ? '' : rest.slice(end),
  };
}

/** Whether a request asks for the mount, with or without a slash behind it, and not for something below. */
export function isMountItself(rest: string): boolean {
  return rest === '' || rest === '/';
}

/** `http://host/a?b` -> `/a?b`; other forms are left alone. */
function withoutAuthority(target: string): string {
  const authority = /^https?:\/\/[^/?#]+/i.exec(target);
  if (authority === null) return target;
  const local = target.slice(authority[0].length);
  return local.startsWith('/') ? local : `/${local}`;
}

function segmentFault(segment: string): string | undefined {
  const decoded = decode(segment);
  if (decoded === undefined) return 'The URL has a broken percent-encoding.';
  if (/[\x00-\x1f\x7f]/.test(decoded)) return 'The URL contains a control character.';
  if (decoded === '.' || decoded === '..') return 'The URL contains a dot segment.';
  return undefined;
}

/** @returns undefined for a broken escape and for bytes that are not UTF-8 */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function malformed(text: string): BadTarget {
  return { status: 400, text };
}

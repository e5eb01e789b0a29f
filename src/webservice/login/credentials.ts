/** What a page posts: from bytes to credentials. Pure. */
import { isDict } from '../../wamp/payload.js';
import type { Dict } from '../../wamp/payload.js';

/** What a user proves who they are with. */
export interface Credentials {
  /** The realm that the page asks for; undefined for that of the service. */
  readonly realm: string | undefined;
  /** Undefined beside a token, which names its user itself. */
  readonly authid: string | undefined;
  /** A password or a one-time ticket, or the token: never for a log. */
  readonly secret: string;
  /** The name of the method that is asked, as a client says it in HELLO. */
  readonly method: 'ticket' | 'jwt';
}

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** @returns the media type of a `Content-Type`, in lower case and without parameters; undefined without one. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  return header?.split(';', 1).join('').trim().toLowerCase();
}

/**
 * @param bytes of a JSON object or a form; none are an empty one.
 * @returns undefined for what is neither.
 */
export function fieldsOf(bytes: Buffer, mediaType: string): Dict | undefined {
  if (bytes.length === 0) return {};
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (mediaType === FORM_TYPE) return formFields(text);
    const value: unknown = JSON.parse(text);
    return isDict(value) ? value : undefined;
  } catch {
    // A stranger may send anything.
    return undefined;
  }
}

/** @returns undefined where a field comes twice: nobody knows which one is meant. */
function formFields(text: string): Dict | undefined {
  const fields = [...new URLSearchParams(text)];
  return new Set(fields.map(([name]) => name)).size === fields.length ? Object.fromEntries(fields) : undefined;
}

/** @returns undefined for fields that are neither `authid` and `ticket`, nor `token`. */
export function credentialsOf({ realm, authid, ticket, token }: Dict): Credentials | undefined {
  if (realm !== undefined && !isText(realm)) return undefined;
  if (isText(token) && authid === undefined && ticket === undefined) {
    return { realm, authid: undefined, secret: token, method: 'jwt' };
  }
  if (!isText(authid) || !isText(ticket) || token !== undefined) return undefined;
  return { realm, authid, secret: ticket, method: 'ticket' };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * Reads the session cookie of a web application out of the `Cookie` header. express-session signs its cookies, so a session id
 * that was made up never reaches the store. Pure.
 */
import { verify } from '../../cookie/signature.js';
import type { Dict } from '../../wamp/payload.js';

/** The session that a client says it has. */
export interface PresentedSession {
  /** The verified id of the session: a password. */
  readonly sid: string;
  /** The cookie as the client sent it, `name=value`, for who checks it himself. */
  readonly cookie: string;
}

/** What the cookies look like. */
export interface SessionCookieShape {
  /** The name of the cookie, compared exactly. */
  readonly cookie: string;
  /** Any of them may have signed it. Undefined: cookies are not signed, and whoever is asked checks them. */
  readonly secrets?: readonly string[];
}

/** How many cookies of the name are looked at. Other sites on the same domain can plant some that come first. */
const MAX_COOKIES = 16;

/** Browsers keep no larger cookie. */
const MAX_COOKIE_CHARACTERS = 4096;

/** An id of Express has 32 characters; one that an application makes itself may be longer. */
const MAX_SID_CHARACTERS = 512;

/**
 * @param headers of the handshake, with names in lower case.
 * @returns the first session whose signature is good. Express looks at the first cookie of the name only, so that a planted one hides
 *   the real one.
 */
export function presentedSession(headers: Dict | undefined, shape: SessionCookieShape): PresentedSession | undefined {
  const header = headers?.['cookie'];
  if (typeof header !== 'string') return undefined;
  for (const text of valuesOf(header, shape.cookie)) {
    const sid = sidOf(text, shape.secrets);
    if (sid !== undefined) return { sid, cookie: `${shape.cookie}=${text}` };
  }
  return undefined;
}

function valuesOf(header: string, name: string): string[] {
  const start = `${name}=`;
  return header
    .split(';')
    .map((piece) => piece.trim())
    .filter((piece) => piece.startsWith(start) && piece.length <= MAX_COOKIE_CHARACTERS)
    .slice(0, MAX_COOKIES)
    .map((piece) => unquoted(piece.slice(start.length)));
}

function sidOf(text: string, secrets: readonly string[] | undefined): string | undefined {
  if (secrets === undefined) return text === '' ? undefined : text;
  const sid = verify(text, secrets)?.value;
  return sid === undefined || sid.length > MAX_SID_CHARACTERS ? undefined : sid;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

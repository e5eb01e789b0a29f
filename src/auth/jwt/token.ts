/** What a token says before anybody has checked it: only whether it is one, and whose keys to check it with. Pure. */
import { isDict } from '../../wamp/payload.js';
import type { Dict } from '../../wamp/payload.js';

/** Header, claims and signature in Base64url (RFC 7515, section 7.1). An unsigned one ends with the dot, and is refused later. */
const FORM = /^([\w-]+)\.([\w-]+)\.[\w-]*$/;

/**
 * @param maxLength longer text is not taken apart: then the form alone counts.
 * @returns whether a text is a JWT, and no password or ticket of another kind.
 */
export function isToken(text: string, maxLength: number): boolean {
  const header = FORM.exec(text)?.[1];
  return header !== undefined && (text.length > maxLength || decoded(header) !== undefined);
}

/** @returns the issuer that a token names, which nothing proves yet; undefined when it names none. */
export function claimedIssuer(token: string): string | undefined {
  const issuer = decoded(FORM.exec(token)?.[2] ?? '')?.['iss'];
  return typeof issuer === 'string' ? issuer : undefined;
}

function decoded(part: string): Dict | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isDict(value) ? value : undefined;
  } catch {
    // A client may send anything.
    return undefined;
  }
}

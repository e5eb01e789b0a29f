/**
 * Signed cookie values as Express and `cookie-signature` write them, `s:<value>.<mac>`. An id that was not made here is refused
 * without a look into the store. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Behind the last dot, the Base64 of a SHA-256 without its padding. Express signs values of any characters. */
const SIGNED = /^s:(.+)\.([A-Za-z0-9+/]{43})$/s;

/** A value with a good signature. */
export interface Verified {
  readonly value: string;
  /** Signed with another secret than the first: it should be signed anew. */
  readonly isOutdated: boolean;
}

/** @returns the signed value, percent-encoded as Express does it on the wire. */
export function sign(value: string, secret: string): string {
  return encodeURIComponent(`s:${value}.${mac(value, secret)}`);
}

/**
 * @param text as it stands in the `Cookie` header.
 * @param secrets any of them may have signed it.
 * @returns undefined when the value is not signed, or with another secret.
 */
export function verify(text: string, secrets: readonly string[]): Verified | undefined {
  const [, value, given] = SIGNED.exec(decoded(text)) ?? [];
  if (value === undefined || given === undefined) return undefined;
  // All secrets are tried, so that the time does not tell which one fits.
  const matches = secrets.map((secret) => isEqual(mac(value, secret), given));
  const index = matches.indexOf(true);
  return index === -1 ? undefined : { value, isOutdated: index > 0 };
}

/** @returns the value of a signed text, whoever signed it; undefined when it is not signed. */
export function signedValue(text: string): string | undefined {
  return SIGNED.exec(decoded(text))?.[1];
}

function mac(value: string, secret: string): string {
  return createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, '');
}

/** Both are 43 characters of ASCII. */
function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded: no value of ours.
    return '';
  }
}

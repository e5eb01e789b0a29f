/**
 * Names for a cookie that others may see. Somebody who knows one cannot come back as that browser, but sees that two sessions
 * belong to the same one. Pure.
 */
import { createHash } from 'node:crypto';

/** How much of the hash is kept. 96 bits: no two cookies share a digest, and an id of 144 bits cannot be found from it. */
const DIGEST_BYTES = 12;

/** @returns 16 characters of Base64url, always the same for the same id. The id cannot be found from them. */
export function cookieDigest(cbtid: string): string {
  // The prefix keeps it apart from other hashes of the same id, such as those in somebody's log.
  const hash = createHash('sha256').update(`http_cbtid:${cbtid}`).digest();
  return hash.subarray(0, DIGEST_BYTES).toString('base64url');
}

/**
 * The `authid` of anonymous sessions where the cookie id is a password (`authid: derived`). Other sessions see it, and cannot
 * come back with it.
 * @returns as many characters of Base64url as the id has, always the same for the same id.
 */
export function derivedAuthid(cbtid: string): string {
  return createHash('sha256').update(`authid:${cbtid}`).digest('base64url').slice(0, cbtid.length);
}

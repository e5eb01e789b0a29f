/**
 * The mark of the credential that a login was made with. It is stored with the login, and compared when the cookie comes back:
 * so a changed ticket, secret or key ends the login.
 *
 * The mark has 16 bits of a digest. Once in 65,536 times a changed credential has the same mark. More bits would confirm
 * guesses: somebody who reads the cookie file could try words on it at leisure, and would find the ticket. With 16 bits 15 of
 * a million words fit, and those have to be tried at the node, which counts failures. There is no salt for each login,
 * because the marks of several logins would add up to more bits.
 */
import { createHash } from 'node:crypto';
import type { CookieAuth, LoginFault } from '../cookie/store.js';

const MARK_BYTES = 2;

/** @param secret the credential as the config has it. @returns the mark to store with a login. */
export function credentialMark(authmethod: string, authid: string, secret: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([authmethod, authid, secret]), 'utf8')
    .digest();
  return digest.toString('hex', 0, MARK_BYTES);
}

/**
 * @param marks of all credentials that the principal has now.
 * @returns what is wrong with a login of the principal; undefined when nothing is. Logins of versions that stored no mark still
 *   count.
 */
export function credentialFault({ credential }: CookieAuth, marks: Iterable<string>): LoginFault | undefined {
  if (credential === undefined || [...marks].includes(credential)) return undefined;
  return 'another credential';
}

/**
 * What a remembered login is compared with when its cookie comes back: a mark of the credential that it was made with, so
 * that a changed ticket, secret or key ends it.
 *
 * The mark has 16 bits of a digest. A credential that was changed keeps its mark once in 65,536 times. More bits would find
 * out guesses: whoever reads the cookie file could try words on it at leisure, and would know which is the ticket. Of a
 * million words 15 fit, and they have to be tried at the node, which counts. It has no salt for each login: the marks of
 * several logins would add up to more bits.
 */
import { createHash } from 'node:crypto';
import type { CookieAuth } from '../cookie/store.js';
import type { LoginFault } from './method.js';

const MARK_BYTES = 2;

/** @param secret whatever proves who it is, as the config has it. @returns the mark to keep with a login. */
export function credentialMark(authmethod: string, authid: string, secret: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([authmethod, authid, secret]), 'utf8')
    .digest();
  return digest.toString('hex', 0, MARK_BYTES);
}

/**
 * @param marks those of all credentials that the principal has now.
 * @returns what is wrong with a login that names the principal; undefined when nothing is. Logins of versions that noted no
 *   mark go on to count.
 */
export function credentialFault({ credential }: CookieAuth, marks: Iterable<string>): LoginFault | undefined {
  if (credential === undefined || [...marks].includes(credential)) return undefined;
  return 'another credential';
}

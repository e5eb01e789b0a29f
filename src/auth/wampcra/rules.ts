/** What is checked of the users of WAMP-CRA. */
import type { Rules } from '../../schema/rules.js';

/** The length of a derived key, in bytes, that clients take for granted. */
const DEFAULT_KEYLEN = 32;

/** Rule of a user: with `salt` the secret is a derived key; without it `iterations` and `keylen` mean nothing. */
export const checkUser: Rules = (user, { report, secretAt }) => {
  const [salt, keylen] = [user.get('salt'), user.get('keylen')];
  if (salt.missing) {
    for (const only of [user.get('iterations'), keylen]) {
      if (!only.missing) report(only.path, 'found without "salt" (allowed: both, or none of them)');
    }
    return;
  }
  if (salt.value === '') return;
  const secret = secretAt(user.get('secret'));
  const length = keylen.missing ? DEFAULT_KEYLEN : keylen.number();
  if (secret === undefined || length === undefined || isKey(secret, length)) return;
  report(
    user.get('secret').path,
    `found something else than a derived key of ${length} bytes beside "salt" (allowed: what PBKDF2 derives from the password, in Base64)`,
  );
};

function isKey(secret: string, length: number): boolean {
  const bytes = Buffer.from(secret, 'base64');
  return bytes.length === length && bytes.toString('base64') === secret;
}

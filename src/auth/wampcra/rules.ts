/** What is checked of the users of WAMP-CRA. */
import type { Rules } from '../../schema/rules.js';
import { DEFAULT_KEYLEN, isDerivedKey } from './derived-key.js';

/** Rule of a user: with `salt` the secret is a derived key, or a password; without it `iterations` and `keylen` mean nothing. */
export const checkUser: Rules = (user, { note, secretAt }) => {
  const [salt, keylen] = [user.get('salt'), user.get('keylen')];
  if (salt.missing) {
    for (const only of [user.get('iterations'), keylen]) {
      if (!only.missing) note(only.path, 'has no effect without "salt"');
    }
    return;
  }
  if (salt.value === '') return;
  const secret = secretAt(user.get('secret'));
  const length = keylen.missing ? DEFAULT_KEYLEN : keylen.number();
  if (secret === undefined || length === undefined || isDerivedKey(secret, length)) return;
  note(
    user.get('secret').path,
    `found no derived key of ${length} bytes in Base64, so it is taken for the password: the node derives the key at each start`,
  );
};

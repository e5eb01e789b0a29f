/** What is checked of the principals of cryptosign. */
import type { Rules } from '../../schema/rules.js';
import { warnIfNobody } from '../principal-rules.js';

/** Rule of the object of principals: a client without an authid is found by its key, so a key should have one owner. */
export const checkKeys: Rules = (principals, context) => {
  warnIfNobody(principals, context);
  const owners = new Map<string, string>();
  for (const principal of principals.entries()) {
    const authid = principal.path.at(-1) ?? '';
    for (const key of principal.get('authorized_keys').items()) {
      const text = key.text()?.toLowerCase();
      if (text === undefined) continue;
      if (!/^[0-9a-f]{64}$/.test(text)) {
        context.note(key.path, 'found no Ed25519 public key (64 hex digits), so nobody can join with it');
        continue;
      }
      const owner = owners.get(text);
      if (owner === undefined) owners.set(text, authid);
      else {
        const name = JSON.stringify(owner);
        context.warn(key.path, `this is also a key of ${name}: a client that names no authid is taken for that one`);
      }
    }
  }
};

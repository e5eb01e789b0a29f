/** What is checked of the principals of SCRAM. */
import type { Rules } from '../../schema/rules.js';

/** Rule of a principal: only Argon2 needs `memory`. */
export const checkPrincipal: Rules = (principal, { report }) => {
  const kdf = principal.get('kdf').text();
  if (kdf?.startsWith('argon2') !== true || !principal.get('memory').missing) return;
  report(principal.path, `missing key "memory" beside "kdf": ${JSON.stringify(kdf)} (allowed: both)`);
};

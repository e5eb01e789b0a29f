/** What is checked of the proofs of components. */
import type { Rules } from '../schema/rules.js';

/** Rule of `cryptosign`: what is no key would show only when the router refuses it. The key itself is not told. */
export const checkPrivateKey: Rules = (method, { report, secretAt }) => {
  const place = method.get('privkey');
  const key = secretAt(place);
  if (key === undefined || /^[0-9a-f]{64}$/i.test(key)) return;
  report(place.path, 'found what is no private key (allowed: 64 hex digits, in the config, the environment or a file)');
};

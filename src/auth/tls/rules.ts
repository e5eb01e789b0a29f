/** What is checked of the principals of TLS authentication. */
import type { Rules } from '../../schema/rules.js';

const FINGERPRINTS = ['certificate-sha1', 'certificate-sha256'];

/** Rule of a principal: no client matches one without a fingerprint. */
export const checkPrincipal: Rules = (principal, { report }) => {
  const isKnown = FINGERPRINTS.some((key) => !principal.get(key).missing);
  if (!principal.isObject || isKnown) return;
  const allowed = FINGERPRINTS.map((key) => JSON.stringify(key)).join(' or ');
  report(principal.path, `missing key "certificate-sha1" (allowed: ${allowed})`);
};

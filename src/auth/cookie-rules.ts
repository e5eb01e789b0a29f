/** What is checked of the `cookie` method. */
import type { Rules } from '../schema/rules.js';

/** Rule of the section: no cookie, no login. */
export const needsCookie: Rules = (section, { inForce, report }) => {
  if (!inForce('cookie').missing) return;
  report(section.path, 'found without a "cookie" section for this path (allowed: both, or none of them)');
};

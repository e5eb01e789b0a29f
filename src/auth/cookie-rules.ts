/** What is checked of the `cookie` method. */
import type { Rules } from '../schema/rules.js';

/** Rule of the section: without a cookie there is no login to remember. */
export const needsCookie: Rules = (section, { inForce, report }) => {
  if (!inForce('cookie').missing) return;
  report(section.path, 'found without a "cookie" section for this path (allowed: both, or none of them)');
};

/** What is checked of the `cookie` method. */
import type { Adapt, Rules } from '../schema/rules.js';

/** Rule of the section: without a cookie there is no login to remember. */
export const needsCookie: Rules = (section, { inForce, note }) => {
  if (!inForce('cookie').missing) return;
  note(
    section.path,
    'found without a "cookie" section for this path, so no browser is known and nobody can join by it',
  );
};

/** Crossbar.io only looks whether the key is there. */
export const cookieSectionOf: Adapt = (section) => {
  if (typeof section === 'object' && section !== null && !Array.isArray(section)) return undefined;
  return { value: {}, note: `found ${kindOf(section)}, taken as {}: the key alone switches the method on` };
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

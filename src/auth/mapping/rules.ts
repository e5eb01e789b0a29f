/** What is checked of the keys that map users. */
import type { Rules } from '../../schema/rules.js';

const MAX_EXTRA = 32;

/** Rule of `extra`: WELCOME has all of it. */
export const checkExtra: Rules = (extra, { report }) => {
  const { length } = extra.isObject ? extra.entries() : [];
  if (length > MAX_EXTRA) report(extra.path, `found ${length} names (allowed: ${MAX_EXTRA} at most)`);
};

/** What is checked of the principals of every method that has them in the config. */
import type { Rules } from '../schema/rules.js';

/** Rule of the object of principals by authid: an empty one is probably a mistake. */
export const warnIfNobody: Rules = (principals, { warn }) => {
  if (principals.isObject && principals.entries().length === 0) {
    warn(principals.path, 'there is nobody in it, so nobody can log in by this method');
  }
};

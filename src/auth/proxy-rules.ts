/** What is checked of the methods of proxy workers. */
import type { Rules } from '../schema/rules.js';

/** Rule of their sections. */
export const letsNobodyIn: Rules = ({ path }, { note }) => {
  note(path, 'has no effect: proxy workers of this node need no login, and those of other nodes cannot log in');
};

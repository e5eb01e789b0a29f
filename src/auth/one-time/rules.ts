/** What is checked of one-time tickets. */
import type { Rules } from '../../schema/rules.js';

/** Rule of the section: the parameter is for tickets in the URL. */
export const checkOneTime: Rules = (section, { note }) => {
  const { missing, path } = section.get('parameter');
  const isRead = section
    .get('from')
    .items()
    .some(({ value }) => value === 'query');
  if (!missing && !isRead) note(path, 'found without "query" in "from", so it has no effect');
};

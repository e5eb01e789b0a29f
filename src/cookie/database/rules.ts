/** What is checked of the store `database`. */
import type { Rules } from '../../schema/rules.js';

/** Rule of the section: a read-only database cannot be emptied at the start. */
export const checkReadonly: Rules = (store, { report }) => {
  const [purge, readonly] = [store.get('purge_on_startup'), store.get('readonly')];
  if (purge.value !== true || readonly.value !== true) return;
  report(purge.path, 'found true beside "readonly": true (allowed: false, or a database that may be written)');
};

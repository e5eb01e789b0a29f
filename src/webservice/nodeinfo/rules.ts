/** What is checked of the service `nodeinfo` beyond what the schema can say. */
import type { Rules } from '../../schema/rules.js';

/** Rule of the section: the roles are those of logins, which only cookies remember. */
export const checkNodeInfo: Rules = (service, { inForce, report }) => {
  const roles = service.at('options', 'roles');
  if (roles.items().length === 0 || !inForce('cookie').missing) return;
  report(roles.path, 'found without a "cookie" section for this path (allowed: one, here or at the transport)');
};

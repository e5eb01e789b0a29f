/** What is checked of the options of a container. */
import type { Rules } from '../../schema/rules.js';

const ENDS_WITH_ONE = ['shutdown-on-any-component-failed', 'shutdown-on-any-component-stopped'];

/** Rule of the options: what ends with the first component that ends cannot start it again. Crossbar.io refuses these four pairs, too. */
export const checkRestart: Rules = (options, { report }) => {
  const restart = options.get('restart').text();
  const shutdown = options.get('shutdown').text() ?? '';
  if (!ENDS_WITH_ONE.includes(shutdown) || (restart !== 'restart-always' && restart !== 'restart-on-failed')) return;
  report(
    options.get('restart').path,
    `found ${JSON.stringify(restart)} beside "shutdown": ${JSON.stringify(shutdown)}, which ends the container instead (allowed: "restart-never" there)`,
  );
};

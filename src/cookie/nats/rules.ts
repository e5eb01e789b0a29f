/** What is checked of the store `nats`. */
import { checkNats } from '../../engine/nats/rules.js';
import { natsKeys } from '../../engine/nats/schema.js';
import type { Rules } from '../../schema/rules.js';

/** What belongs to a connection: all of it is borrowed, or nothing. */
const OF_SERVERS = Object.keys(natsKeys).filter((key) => key !== 'servers');

/** Rule of the section: it is known where NATS is, by the section itself or by that of the cluster, and not by some of each. */
export const checkServers: Rules = (store, { node, report }) => {
  if (!store.get('servers').missing) {
    checkNats(store, { report });
    return;
  }
  if (node.at('cluster', 'servers').missing) {
    report(
      store.path,
      '"servers" is missing, and there is no section "cluster" that names those of NATS (allowed: a list of servers, or such a section)',
    );
    return;
  }
  for (const key of OF_SERVERS) {
    const own = store.get(key);
    if (own.missing) continue;
    report(
      own.path,
      'found without "servers" (allowed: both, or none of them: then all is as the section "cluster" says)',
    );
  }
};

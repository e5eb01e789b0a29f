/** What is checked of a realm that has an uplink: one that takes part in the cluster of the node. */
import type { Rules } from '../../schema/rules.js';

/** Rule of a realm: what it needs of the node around it, and what is not there yet for several nodes. */
export const checkRealmOfCluster: Rules = (realm, { report, node, workers }) => {
  const flag = realm.get('cluster');
  if (flag.value !== true) return;
  if (node.get('cluster').missing) {
    report(flag.path, 'found true, but the node has no section "cluster" (allowed: false, or such a section)');
  }
  const name = realm.get('name').text();
  const first = workers
    .flatMap((worker) => worker.get('realms').items())
    .find((other) => other.get('cluster').value === true && other.get('name').text() === name);
  if (first !== undefined && first.path.join('/') !== realm.path.join('/')) {
    report(
      flag.path,
      `the realm "${name ?? ''}" of another worker is in the cluster already (allowed: one of this name)`,
    );
  }
  const store = realm.get('store');
  if (!store.missing) {
    const why = 'each node would remember other events than the next';
    report(
      store.path,
      `found beside "cluster": true: no history of several nodes is built yet, ${why} (allowed: none)`,
    );
  }
};

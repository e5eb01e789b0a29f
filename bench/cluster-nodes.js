/** Nodes of one cluster over nats-servers of our own, or one node without a cluster, for the benches of the cluster. */
import { startNats } from './nats.js';
import { startConfigured } from './servers.js';

export const REALM = 'realm1';

/**
 * @typedef {object} Nodes
 * @property {readonly import('./servers.js').Server[]} servers one for each node
 * @property {readonly URL[]} urls of their WebSockets
 * @property {readonly number[]} natsPids none where there is no cluster
 * @property {() => Promise<string[]>} stop resolves to what went wrong
 */

/**
 * @param {1 | 3} count one node is in no cluster
 * @returns {Promise<Nodes>}
 */
export async function startNodes(count) {
  const nats = count === 1 ? undefined : await startNats();
  const begin = (/** @type {number} */ index) => startConfigured(configOf(index, nats?.urls));
  // The first one makes the buckets of the cluster, which NATS says at first are not there.
  const started = await Promise.allSettled([begin(0)]);
  started.push(...(await Promise.allSettled(Array.from({ length: count - 1 }, (_, index) => begin(index + 1)))));
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async () => {
    const problems = await Promise.all(servers.map((server) => server.stop()));
    await nats?.stop();
    return problems.filter((problem) => problem !== undefined);
  };
  const failed = started.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { servers, urls: servers.map(({ url }) => new URL(url)), natsPids: nats?.pids ?? [], stop };
}

/**
 * @param {number} index
 * @param {readonly string[] | undefined} servers of NATS
 */
function configOf(index, servers) {
  const allow = { call: true, register: true, publish: true, subscribe: true };
  const realm = { name: REALM, roles: [{ name: 'anonymous', permissions: [{ uri: '*', allow }] }] };
  const paths = { '/': { type: 'nodeinfo' }, ws: { type: 'websocket' } };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  const transports = [{ type: 'web', endpoint, paths }];
  if (servers === undefined) return { version: 2, workers: [{ type: 'router', realms: [realm], transports }] };
  const cluster = { type: 'nats', name: 'bench', node: `n${index + 1}`, servers };
  return { version: 2, cluster, workers: [{ type: 'router', realms: [{ ...realm, cluster: true }], transports }] };
}

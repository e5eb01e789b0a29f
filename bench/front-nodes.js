/** The nodes of `fronts.js`: one process, or the same node with its connections in fronts, or its router in a process of its own, or both; and what each of their processes costs. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeConfig } from './node-config.js';
import { childrenOf, processFigures } from './proc.js';
import { PLAIN } from './scenarios.js';
import { startConfigured } from './servers.js';

const POLL_MS = 10;
const START_SECONDS = 30;

/**
 * @typedef {object} FrontedNode
 * @property {import('./servers.js').Server} server
 * @property {number | undefined} parent the process that keeps the fronts
 * @property {readonly number[]} fronts
 * @property {number | undefined} apart the process of the router; undefined: it is in that of the node
 *
 * @typedef {object} Account processor time in microseconds, since the processes began
 * @property {number} main of the router, its main thread
 * @property {number} router all of its threads
 * @property {number} node the process of the node, where the router is in another one
 * @property {number} parent
 * @property {number} fronts all of them together
 *
 * @typedef {{ rssBytes: number, pssBytes: number }} Memory
 */

/**
 * @param {number} fronts none: the router has the connections
 * @param {boolean} isApart whether the router has a process of its own
 * @returns {Promise<FrontedNode>} with all of its processes at work
 */
export async function startFronted(fronts, isApart) {
  const { version, workers } = nodeConfig(PLAIN);
  const [worker] = workers;
  const router = isApart ? { ...worker, options: { process: true } } : worker;
  const config = { version, workers: fronts === 0 ? [router] : behindFronts(router, fronts) };
  const server = await startConfigured(config);
  try {
    return { server, ...(await processesOf(server, fronts, isApart)) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * The transports go to a proxy worker. The router has a socket file in their place.
 *
 * @param {{ readonly transports?: object } | undefined} worker
 * @param {number} instances
 */
function behindFronts(worker, instances) {
  const transport = { type: 'rawsocket', endpoint: { type: 'unix', path: 'router.sock' }, serializers: ['json'] };
  return [
    { ...worker, transports: [transport] },
    {
      type: 'proxy',
      instances,
      connections: { router: { transport } },
      routes: { realm1: { anonymous: 'router' } },
      transports: worker?.transports,
    },
  ];
}

/**
 * @param {import('./servers.js').Server} server
 * @param {number} count of fronts
 * @param {boolean} isApart
 */
async function processesOf({ pid, said }, count, isApart) {
  const deadline = Date.now() + START_SECONDS * 1000;
  for (;;) {
    const children = childrenOf(pid);
    const parent = count === 0 ? undefined : children.find((child) => childrenOf(child).length > 0);
    const fronts = parent === undefined ? [] : childrenOf(parent);
    const apart = isApart ? children.find((child) => child !== parent) : undefined;
    const started = said().split('"front started"').length - 1;
    const isWhole = fronts.length === count && started === count && (apart !== undefined) === isApart;
    if (isWhole && said().includes('"node started"')) return { parent, fronts, apart };
    if (Date.now() > deadline) throw new Error(`${started} of ${count} fronts have started: ${said()}`);
    await sleep(POLL_MS);
  }
}

/** @param {FrontedNode} node @returns {Account} */
export function accountOf({ server, parent, fronts, apart }) {
  const router = processFigures(apart ?? server.pid);
  const node = apart === undefined ? 0 : processFigures(server.pid).micros;
  const sum = fronts.reduce((micros, pid) => micros + processFigures(pid).micros, 0);
  const kept = parent === undefined ? 0 : processFigures(parent).micros;
  return { main: router.mainMicros, router: router.micros, node, parent: kept, fronts: sum };
}

/** @param {number} pid @returns {Memory} PSS: a page that several processes share counts in parts */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (/** @type {string} */ name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
  return { rssBytes: bytes('Rss'), pssBytes: bytes('Pss') };
}

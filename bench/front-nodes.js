/** The nodes of `fronts.js`: one process, or the same node with its connections in fronts; and what each of their processes costs. */
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
 *
 * @typedef {object} Account processor time in microseconds, since the processes began
 * @property {number} main of the router, its main thread
 * @property {number} router all of its threads
 * @property {number} parent
 * @property {number} fronts all of them together
 *
 * @typedef {{ rssBytes: number, pssBytes: number }} Memory
 */

/**
 * @param {number} fronts none: everything in one process
 * @returns {Promise<FrontedNode>} with all fronts at work
 */
export async function startFronted(fronts) {
  const config = nodeConfig(PLAIN);
  if (fronts === 0) return { server: await startConfigured(config), parent: undefined, fronts: [] };
  const server = await startConfigured(behindFronts(config, fronts));
  try {
    return { server, ...(await frontsOf(server, fronts)) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * The transports go to a proxy worker. The router has a socket file in their place.
 *
 * @param {ReturnType<typeof nodeConfig>} config
 * @param {number} instances
 */
function behindFronts({ version, workers: [worker] }, instances) {
  const transport = { type: 'rawsocket', endpoint: { type: 'unix', path: 'router.sock' }, serializers: ['json'] };
  return {
    version,
    workers: [
      { ...worker, transports: [transport] },
      {
        type: 'proxy',
        instances,
        connections: { router: { transport } },
        routes: { realm1: { anonymous: 'router' } },
        transports: worker?.transports,
      },
    ],
  };
}

/**
 * @param {import('./servers.js').Server} server
 * @param {number} count
 */
async function frontsOf({ pid, said }, count) {
  const deadline = Date.now() + START_SECONDS * 1000;
  for (;;) {
    const [parent] = childrenOf(pid);
    const fronts = parent === undefined ? [] : childrenOf(parent);
    const started = said().split('"front started"').length - 1;
    if (fronts.length === count && started === count) return { parent, fronts };
    if (Date.now() > deadline) throw new Error(`${started} of ${count} fronts have started: ${said()}`);
    await sleep(POLL_MS);
  }
}

/** @param {FrontedNode} node @returns {Account} */
export function accountOf({ server, parent, fronts }) {
  const router = processFigures(server.pid);
  const sum = fronts.reduce((micros, pid) => micros + processFigures(pid).micros, 0);
  const kept = parent === undefined ? 0 : processFigures(parent).micros;
  return { main: router.mainMicros, router: router.micros, parent: kept, fronts: sum };
}

/** @param {number} pid @returns {Memory} PSS: a page that several processes share counts in parts */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (/** @type {string} */ name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
  return { rssBytes: bytes('Rss'), pssBytes: bytes('Pss') };
}

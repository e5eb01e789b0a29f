/** What the parts of `npm run bench:edge` have in common: a bar and what was measured, a node, its sustainable rate. */
import { generate } from '../generator.js';
import { startNode } from '../servers.js';

/**
 * @typedef {object} Bar
 * @property {string} bar what is asked for
 * @property {string} measured
 * @property {boolean} held
 * @property {object} [details] for `--json`
 *
 * @typedef {object} Sizes
 * @property {number} seconds of load, for each
 * @property {number} rateSeconds to find out what the node sustains
 * @property {number} quietSeconds to settle, and to see that all is as before
 * @property {number} connections that are idle
 * @property {number} idleSeconds
 */

/**
 * @param {Bar} values
 * @returns {Bar}
 */
export function bar(values) {
  return values;
}

/**
 * @param {{ p50: number, p99: number, max: number } | undefined} percentiles
 * @returns {string}
 */
export function inMs(percentiles) {
  if (percentiles === undefined) return 'none';
  const { p99, max } = percentiles;
  return `p99 ${p99.toFixed(1)}, worst ${max.toFixed(1)} ms`;
}

/** What the log says of clients that read too slowly; anything else that it complains of is a fault. */
export const SLOW_CONSUMER = 'slow consumer';
const COMPLAINTS = ['warn', 'error', 'fatal'];

/**
 * A node of its own for each measurement.
 *
 * @param {object} options of the WebSocket
 * @param {(server: import('../servers.js').Server) => Promise<Bar[]>} measure
 * @param {(log: readonly Line[]) => Bar[]} [judge] looks at the complaints in its log about slow clients; without it there
 *   should be none
 * @returns {Promise<Bar[]>}
 * @typedef {{ level: string, msg: string, sessionId?: number, droppedInAll?: number }} Line
 */
export async function withNode(options, measure, judge) {
  const server = await startNode({ cookie: 'none', options });
  let bars;
  let problem;
  try {
    bars = await measure(server);
  } finally {
    problem = await server.stop();
  }
  const lines = server.said().split('\n').filter(Boolean);
  const complaints = lines
    .map((line) => /** @type {Line} */ (JSON.parse(line)))
    // A node that everybody may use in every way is what the bench wants.
    .filter(({ level, msg }) => COMPLAINTS.includes(level) && msg !== 'config warning');
  const about = (/** @type {Line} */ { msg }) => msg.startsWith(SLOW_CONSUMER);
  if (judge !== undefined) bars.push(...judge(complaints.filter(about)));
  const isFault = judge === undefined ? problem !== undefined : !complaints.every(about);
  return isFault
    ? [...bars, { bar: 'the node has nothing to complain of', measured: problem ?? '', held: false }]
    : bars;
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Sizes} sizes
 * @param {readonly string[]} flags of the load generator
 * @returns {Promise<number>} units a second in a closed loop
 */
export async function sustainableRate(server, { rateSeconds }, flags) {
  const load = { flags, seconds: rateSeconds, warmup: rateSeconds / 2, connections: 1 };
  const { result, problem } = await generate(server, load);
  if (result === undefined) throw new Error(problem);
  return result.perSecond;
}

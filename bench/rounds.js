/**
 * Who is measured when: everything that shares a baseline in turn, round after round, each round in another order. A
 * machine that grows warm or busy then does so for all of them.
 */
import { generate } from './generator.js';
import { startPeer } from './peers.js';
import { PLAIN } from './scenarios.js';
import { startBaseline, startNode } from './servers.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./scenarios.js').Scenario} Scenario
 * @typedef {import('./servers.js').Server} Server
 * @typedef {import('./table.js').Row} Row
 */

export const OURS = 'crossbar-ts';
/** The same with the service `metrics`. */
const WITH_METRICS = `${OURS}, metrics`;
/** Between two looks at the event loop. At 10 ms the looking costs 0.3 % of a processor in an idle process. */
const LOOP_RESOLUTION_MS = 10;

/** @typedef {{ row: Row, start: () => Promise<Server>, load: readonly string[] }} Step one server under one load */

/**
 * @param {Options} options
 * @returns {Step[]}
 */
export function stepsOf({ scenarios, peers, acknowledge, metrics }) {
  return scenarios.flatMap((scenario, index) => {
    const { baseline, node, unit } = scenario;
    const load = acknowledge && unit === 'event' ? [...scenario.load, '--acknowledge'] : scenario.load;
    const steps = [step(scenario, OURS, () => startNode(node), load)];
    if (metrics) steps.push(step(scenario, WITH_METRICS, () => startNode({ ...node, metrics }), load));
    // What needs a config of ours is not asked of others.
    for (const peer of node === PLAIN ? peers : []) {
      const flags = [...load, '--realm', peer.realm, '--cookie', 'any', '--drain', '3'];
      steps.push(step(scenario, peer.name, () => startPeer(peer), flags));
    }
    if (!scenarios.slice(0, index).some((earlier) => earlier.baseline === baseline)) {
      const { name, server, unitsPerRouterUnit } = baseline;
      steps.push(step(scenario, name, () => startBaseline(server), baseline.load, unitsPerRouterUnit));
    }
    return steps;
  });
}

/**
 * @param {Scenario} scenario
 * @param {string} server
 * @param {() => Promise<Server>} start
 * @param {readonly string[]} load
 * @param {number} [scale]
 * @returns {Step}
 */
function step(scenario, server, start, load, scale = 1) {
  const isForeign = ![OURS, WITH_METRICS, scenario.baseline.name].includes(server);
  return { row: { scenario, server, isForeign, scale, runs: [], failure: undefined }, start, load };
}

/**
 * @param {readonly Step[]} steps
 * @param {Options} options
 * @returns {Promise<string[]>} what went wrong with us or our baselines; what a peer does wrong is noted in its row
 */
export async function runAll(steps, options) {
  const problems = /** @type {string[]} */ ([]);
  const families = new Map(steps.map(({ row }) => [row.scenario.baseline, /** @type {Step[]} */ ([])]));
  for (const one of steps) families.get(one.row.scenario.baseline)?.push(one);
  for (const family of families.values()) {
    for (let run = 0; run < options.runs; run++) {
      const turn = run % family.length;
      for (const next of [...family.slice(turn), ...family.slice(0, turn)]) {
        problems.push(...(await runStep(next, run, options)));
      }
    }
  }
  return problems;
}

/**
 * @param {Step} step
 * @param {number} run
 * @param {Options} options
 * @returns {Promise<string[]>} what went wrong
 */
async function runStep({ row, start, load }, run, options) {
  // What a peer cannot do it cannot do the next time either.
  if (row.failure !== undefined) return [];
  const name = `${row.scenario.name}, ${row.server}, run ${run + 1}`;
  process.stderr.write(`${name}\n`);
  const { result, found } = await measureOnce(start, load, options);
  if (row.isForeign && found.length > 0) {
    row.failure = found.map((text) => text.split('\n', 1)[0]).join('; ');
    return [];
  }
  row.runs[run] = result;
  return found.map((problem) => `${name}: ${problem}`);
}

/**
 * @param {() => Promise<Server>} start
 * @param {readonly string[]} flags
 * @param {Options} options
 * @returns {Promise<{ result: import('./table.js').Result | undefined, found: string[] }>}
 */
async function measureOnce(start, flags, { seconds, warmup, connections }) {
  let server;
  try {
    server = await start();
  } catch (error) {
    return { result: undefined, found: [error instanceof Error ? error.message : String(error)] };
  }
  const loop = /** @type {Promise<import('./probe.js').LoopDelay | undefined>[]} */ ([]);
  try {
    const load = { flags, seconds, warmup, connections };
    const { result, problem } = await generate(server, load, (phase) => {
      const { probe } = server;
      if (phase === 'pause') return probe?.memory();
      const asked = probe?.loopDelay({ resolution: LOOP_RESOLUTION_MS, stop: phase === 'measured' });
      if (asked !== undefined) loop.push(asked.catch(() => undefined));
      return undefined;
    });
    const delays = await Promise.all(loop);
    const found = [problem ?? [], (await server.stop()) ?? []].flat();
    return { result: result && { ...result, loopDelayMs: delays[1] }, found };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

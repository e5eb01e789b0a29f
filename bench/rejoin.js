#!/usr/bin/env node
/**
 * `npm run bench:rejoin`: what clients feel of a rolling restart. A thousand sessions are on a node that stops; each goes to the other node
 * as soon as its connection is closed. Told is how long that takes from the close to WELCOME, and for how long the loop of the other
 * node is busy without a break. The spread says over how many seconds the first node closes connections: 0 is all at once.
 */
import { parseArgs } from 'node:util';
import { percentiles } from './load/closed-loop.js';
import { Violations } from './load/sequence.js';
import { WampSession } from './load/wamp-session.js';
import { machine } from './machine.js';
import { nodeConfig } from './node-config.js';
import { platformProblem } from './proc.js';
import { buildProblem, startConfigured } from './servers.js';
import { markdownTable } from './table.js';

const REALM = 'realm1';
const SPREADS = [0, undefined, 2, 5];
/** So many sessions begin at a time before anything is measured. */
const AT_ONCE = 50;

const { values: options } = parseArgs({
  options: { clients: { type: 'string', default: '1000' }, runs: { type: 'string', default: '3' } },
});
const obstacle = platformProblem() ?? buildProblem();
if (obstacle === undefined) await main(Number(options.clients), Number(options.runs));
else {
  process.stderr.write(`bench: ${obstacle}\n`);
  process.exitCode = 1;
}

/**
 * @param {number} clients
 * @param {number} runs
 */
async function main(clients, runs) {
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const rows = [];
  for (const spread of SPREADS) {
    const times = [];
    let turnMs = 0;
    for (let run = 0; run < runs; run += 1) {
      const felt = await restart(clients, spread);
      times.push(...felt.times);
      turnMs = Math.max(turnMs, felt.turnMs);
    }
    const { p50, p99, max } = percentiles(times) ?? { p50: NaN, p99: NaN, max: NaN };
    const name = spread === undefined ? `default, ${clients / 1000} s` : `${spread} s`;
    rows.push([name, ...[p50, p99, max, turnMs].map((ms) => ms.toFixed(0))]);
  }
  const head = ['spread', 'rejoin p50 ms', 'p99 ms', 'longest ms', 'longest turn ms'];
  process.stdout.write(markdownTable(head, rows));
}

/**
 * @param {number} clients
 * @param {number | undefined} spread in seconds
 * @returns {Promise<{ times: number[], turnMs: number }>} in milliseconds
 */
async function restart(clients, spread) {
  const [stopping, staying] = await Promise.all([startDraining(spread), startDraining(spread)]);
  const violations = new Violations();
  const [from, to] = [new URL(stopping.url), new URL(staying.url)];
  const rejoined = /** @type {Promise<number>[]} */ ([]);
  const sessions = /** @type {WampSession[]} */ ([]);
  for (let begun = 0; begun < clients; begun += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, () => WampSession.open(from, REALM, violations));
    sessions.push(...(await Promise.all(some)));
  }
  for (const session of sessions) {
    rejoined.push(
      new Promise((resolve, reject) => {
        session.client.onEnd = () => {
          const begin = performance.now();
          const joined = WampSession.open(to, REALM, violations);
          joined.then((again) => resolve((sessions.push(again), performance.now() - begin)), reject);
        };
      }),
    );
  }
  await staying.probe?.ask('longest-turn');
  const [problem, ...times] = await Promise.all([stopping.stop(), ...rejoined]);
  const turnMs = await staying.probe?.ask('longest-turn');
  await Promise.all(sessions.slice(clients).map((session) => session.leave()));
  for (const text of [problem, await staying.stop()]) if (text !== undefined) process.stderr.write(`${text}\n`);
  if (violations.total > 0) process.stderr.write(`${JSON.stringify(violations)}\n`);
  return { times, turnMs };
}

/** @param {number | undefined} spread */
function startDraining(spread) {
  const drain = spread === undefined ? {} : { drain: { spread } };
  return startConfigured({ ...nodeConfig({ cookie: 'memory' }), controller: { options: drain } });
}

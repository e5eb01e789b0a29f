#!/usr/bin/env node
/**
 * `npm run bench:mqtt`: what clients of MQTT cost our node in processor time, and what they cost mosquitto, if it is installed: events to
 * 100 subscribers, round trips of a PUBLISH with QoS 1, connections. Both servers take turns within each load, each time a fresh process,
 * so that a machine that grows busy hits both; the last column is the median of the ratios of such turns.
 */
import { readFlags, refuse, wholeNumber } from './flags.js';
import { Violations } from './load/sequence.js';
import { machine } from './machine.js';
import { connections, events, roundTrips } from './mqtt/loads.js';
import { mosquittoProblem, startMosquitto, startOurs } from './mqtt/servers.js';
import { loadAverage, platformProblem, usage } from './proc.js';
import { buildProblem } from './servers.js';
import { markdownTable } from './table.js';

const NAME = 'mqtt';
/** A part of the units comes before, for the compiler. */
const WARM_UP = 0.5;

/**
 * @typedef {object} Row
 * @property {string} name for `--only`
 * @property {string} title
 * @property {number} share of the usual number of units: some cost more than others
 * @property {import('./mqtt/loads.js').Begin} begin
 *
 * @typedef {{ ours: number[], mosquitto: number[] }} Turns microseconds for one unit, a figure for each turn
 */

/** @type {readonly Row[]} */
const ROWS = [
  ...[8, 1].flatMap((underWay) =>
    [0, 1].flatMap((qos) =>
      [20, 1024].map((bytes) => ({
        name: `events-qos${qos}${bytes === 20 ? '' : '-1k'}${underWay === 1 ? '-single' : ''}`,
        title: `event to 100 subscribers, QoS ${qos}, ${bytes} bytes, ${underWay} under way`,
        share: underWay === 1 ? 0.5 : 1,
        begin: events({ qos, bytes, underWay }),
      })),
    ),
  ),
  {
    name: 'trip',
    title: 'PUBLISH with QoS 1 and PUBACK, one at a time',
    share: 0.1,
    begin: roundTrips({ underWay: 1 }),
  },
  { name: 'trips', title: 'the same, 100 in flight', share: 0.2, begin: roundTrips({ underWay: 100 }) },
  { name: 'connect', title: 'CONNECT to DISCONNECT, 16 at once', share: 0.01, begin: connections({ atOnce: 16 }) },
];

const USAGE = `usage: npm run bench:${NAME} -- [flags]
  --only a,b      only rows whose names begin so: ${ROWS.map(({ name }) => name).join(', ')}
  --events N      events in a turn; of other things in proportion (400000)
  --turns N       turns of each server (3)
  --alone         without mosquitto
  --profile FILE  a CPU profile of our node, of the last turn`;

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const obstacle = platformProblem() ?? buildProblem();
  if (obstacle !== undefined) return refuse(NAME, obstacle);
  const missing = options.alone ? 'it was not asked for' : mosquittoProblem();
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const problems = /** @type {string[]} */ ([]);
  const cells = /** @type {string[][]} */ ([]);
  for (const row of options.rows) {
    process.stderr.write(`${row.name}\n`);
    const turns = await measureRow(row, options, missing === undefined, problems);
    cells.push([row.title, ...cellsOf(turns)]);
  }
  process.stdout.write(`CPU µs of the server for each, median (lowest-highest) of ${options.turns} turns\n\n`);
  process.stdout.write(markdownTable(['', 'ours', 'mosquitto', 'ours / mosquitto'], cells));
  process.stdout.write(`\nload average at the end: ${loadAverage()}\n`);
  if (missing !== undefined) process.stdout.write(`\nnot measured: mosquitto, because ${missing}\n`);
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readOptions() {
  const most = /** @type {const} */ ({ only: undefined, events: '400000', turns: '3' });
  const defaults = /** @type {const} */ ({ ...most, alone: false, profile: undefined });
  return readFlags({ name: NAME, usage: USAGE, defaults }, ({ only, events: count, turns, alone, profile }) => {
    const words = only?.split(',') ?? [''];
    const rows = ROWS.filter(({ name }) => words.some((word) => name.startsWith(word)));
    if (rows.length === 0) throw new Error(`there is no "${only}"`);
    return {
      ...{ rows, alone, profile },
      events: wholeNumber('--events', count, { least: 1000 }),
      turns: wholeNumber('--turns', turns, { most: 100 }),
    };
  });
}

/**
 * @param {Row} row
 * @param {{ events: number, turns: number, profile: string | undefined }} options
 * @param {boolean} hasMosquitto
 * @param {string[]} problems
 * @returns {Promise<Turns>}
 */
async function measureRow(row, { events: count, turns, profile }, hasMosquitto, problems) {
  const found = /** @type {Turns} */ ({ ours: [], mosquitto: [] });
  const units = Math.ceil(count * row.share);
  for (let turn = 0; turn < turns; turn += 1) {
    const ours = await startOurs();
    const probe = turn === turns - 1 && profile !== undefined ? ours.probe : undefined;
    await probe?.startProfile();
    const ended = { ...ours, stop: async () => (await probe?.stopProfile(profile ?? ''), ours.stop()) };
    found.ours.push(await measure(ended, row, units, problems));
    if (hasMosquitto) found.mosquitto.push(await measure(await startMosquitto(), row, units, problems));
  }
  return found;
}

/**
 * @param {import('./mqtt/servers.js').MqttServer} server
 * @param {Row} row
 * @param {number} units
 * @param {string[]} problems
 * @returns {Promise<number>} microseconds of processor time for one, when the server is warm
 */
async function measure({ port, pid, stop }, { name, begin }, units, problems) {
  const violations = new Violations();
  try {
    const { load, leave } = await begin(port, violations);
    await load(Math.ceil(units * WARM_UP));
    const before = cpuMicros(pid);
    await load(units);
    const micros = (cpuMicros(pid) - before) / units;
    await leave();
    return micros;
  } finally {
    const problem = await stop();
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
    if (violations.total > 0) problems.push(`${name}: ${JSON.stringify(violations)}`);
  }
}

/** @param {number} pid */
function cpuMicros(pid) {
  const { schedMicros, tickMicros } = usage([pid]);
  return schedMicros ?? tickMicros;
}

/** @param {Turns} turns @returns {string[]} */
function cellsOf({ ours, mosquitto }) {
  if (mosquitto.length === 0) return [spread(ours), '', ''];
  const ratios = ours.map((micros, turn) => micros / (mosquitto[turn] ?? NaN));
  return [spread(ours), spread(mosquitto), median(ratios).toFixed(2)];
}

/** @param {readonly number[]} values */
function spread(values) {
  const digits = median(values) < 20 ? 2 : 0;
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((n) =>
    n.toFixed(digits),
  );
  return `${middle} (${least}-${most})`;
}

/** @param {readonly number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

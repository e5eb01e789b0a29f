/**
 * What the benches have in common that tell what a request costs, `bridge.js`, `proxy.js` and `longpoll.js`: the flags, the turns, the
 * table, and clients of HTTP that keep their connections, as programs with a pool do.
 */
import http from 'node:http';
import { readFlags, refuse, wholeNumber } from './flags.js';
import { machine } from './machine.js';
import { platformProblem, usage } from './proc.js';
import { buildProblem } from './servers.js';
import { markdownTable } from './table.js';

/** How many connections there are to a server, and how many requests are under way. */
export const CONNECTIONS = 16;
/** A part of the requests comes before, for the compiler. */
const WARM_UP = 0.25;
const MAX_REQUESTS = 80_000;

/**
 * @typedef {object} Measured
 * @property {number} micros microseconds of processor time for one
 * @property {readonly string[]} [beside] what stands in the columns behind it
 * @property {string | undefined} [problem] what went wrong
 *
 * @typedef {object} Row
 * @property {string} title
 * @property {(count: number) => Promise<Measured | string>} measure on a server of its own; a text says why that cannot be done
 *
 * @typedef {object} Bench
 * @property {string} name behind `bench:`
 * @property {string} what the requests are, in the usage
 * @property {number} requests the default
 * @property {readonly string[]} head of the table
 * @property {readonly Row[]} rows
 */

/**
 * The whole command. The rows take turns, so that a machine that grows busy hits all of them.
 *
 * @param {Bench} bench
 */
export async function runBench(bench) {
  const options = readOptions(bench);
  if (options === undefined) return;
  const obstacle = platformProblem() ?? buildProblem();
  if (obstacle !== undefined) return refuse(bench.name, obstacle);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const problems = /** @type {string[]} */ ([]);
  const skipped = new Map(/** @type {[Row, string][]} */ ([]));
  const results = new Map(bench.rows.map((row) => [row, /** @type {Measured[]} */ ([])]));
  for (let run = 0; run < options.runs; run += 1) {
    for (const [row, runs] of results) {
      if (skipped.has(row)) continue;
      const measured = await row.measure(options.requests);
      if (typeof measured === 'string') skipped.set(row, measured);
      else runs.push(measured);
      if (typeof measured === 'object' && measured.problem !== undefined) {
        problems.push(`${row.title}: ${measured.problem}`);
      }
    }
  }
  const cells = [...results].filter(([row]) => !skipped.has(row)).map(([row, runs]) => [row.title, ...cellsOf(runs)]);
  process.stdout.write(`median (lowest-highest) of runs with ${options.requests} ${bench.what} each\n\n`);
  process.stdout.write(markdownTable(bench.head, cells));
  for (const [{ title }, why] of skipped) process.stdout.write(`\nnot measured: ${title}, because ${why}\n`);
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/** @param {readonly Measured[]} runs @returns {string[]} */
function cellsOf(runs) {
  const sorted = runs.toSorted((a, b) => a.micros - b.micros);
  const each = sorted[sorted.length >> 1];
  const [median, lowest, highest] = [each, sorted[0], sorted.at(-1)].map((run) => (run?.micros ?? 0).toFixed(0));
  return [`${median} (${lowest}-${highest})`, ...(each?.beside ?? [])];
}

/** @param {Bench} bench */
function readOptions(bench) {
  const text = `usage: npm run bench:${bench.name} -- [flags]
  --requests N  ${bench.what} in a run (${bench.requests})
  --runs N      runs of each row (3)`;
  const defaults = { requests: String(bench.requests), runs: '3' };
  return readFlags({ name: bench.name, usage: text, defaults }, ({ requests, runs }) => ({
    requests: wholeNumber('--requests', requests, { most: MAX_REQUESTS }),
    runs: wholeNumber('--runs', runs, { most: 100 }),
  }));
}

/**
 * @param {number} pid
 * @param {number} count
 * @param {(count: number) => Promise<void>} load makes so many requests
 * @returns {Promise<number>} microseconds of processor time that a process and its children spend on one, when they are warm
 */
export async function microsOfEach(pid, count, load) {
  await load(Math.ceil(count * WARM_UP));
  const start = cpuMicros(pid);
  await load(count);
  return (cpuMicros(pid) - start) / count;
}

/** @param {number} pid */
function cpuMicros(pid) {
  const { schedMicros, tickMicros } = usage([pid]);
  return schedMicros ?? tickMicros;
}

/**
 * @param {number} count
 * @param {(worker: number) => Promise<void>} ask one after the other in each of {@link CONNECTIONS} workers
 */
export async function inWorkers(count, ask) {
  let left = count;
  const oneAfterTheOther = async (/** @type {number} */ worker) => {
    while (left > 0) {
      left -= 1;
      await ask(worker);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, worker) => oneAfterTheOther(worker)));
}

/**
 * @param {import('node:http').RequestOptions} options
 * @param {string} [body]
 * @returns {Promise<{ status: number, text: string }>}
 */
export function exchange(options, body = '') {
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

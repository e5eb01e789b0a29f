#!/usr/bin/env node
/**
 * `npm run bench`: our node, bare `ws` servers and (if asked for) another router under the same load, one after the
 * other, several times over; then one table. README.md beside this file tells how to read it.
 *
 * Exit codes: 0, 1 when a message was lost, doubled or out of order or a process failed, 2 for a wrong call.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseOptions, UsageError } from './options.js';
import { loadAverage, openFilesLimit, platformProblem } from './proc.js';
import { buildProblem, startBaseline, startNode } from './servers.js';
import { historyCells, renderTable } from './table.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./scenarios.js').Scenario} Scenario
 * @typedef {import('./servers.js').Server} Server
 * @typedef {import('./table.js').Row} Row
 */

const OURS = 'crossbar-ts';
const TMPFS_MAGIC = 0x01021994;
const BUSY_LOAD = 0.7;

/** @typedef {{ row: Row, start: () => Promise<Server>, load: readonly string[] }} Step one server under one load */

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const problem = platformProblem() ?? buildProblem() ?? limitProblem(options);
  if (problem !== undefined) return refuse(problem);

  process.stdout.write(`${machine().join('\n')}\n\n`);
  const steps = options.scenarios.flatMap((scenario, index) =>
    stepsOf(scenario, options, options.scenarios.slice(0, index)),
  );
  const problems = await runAll(steps, options);
  const rows = steps.map(({ row }) => row);
  process.stdout.write(`${renderTable(rows)}\nhistory: | ${historyCells(rows, OURS).join(' | ')} |\n`);
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify(report(rows, problems, options), undefined, 2)}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readOptions() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    refuse(error.message);
    return undefined;
  }
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(`bench: ${reason}\n`);
  process.exitCode = 2;
}

/** @param {Options} options */
function limitProblem({ scenarios, connections }) {
  const needed = connections + 100;
  const limit = openFilesLimit();
  if (limit >= needed || !scenarios.some(({ name }) => name === 'idle')) return undefined;
  return `the scenario idle needs ${needed} open files, the limit is ${limit}: raise it (ulimit -n) or lower --connections`;
}

/**
 * @param {Scenario} scenario
 * @param {Options} options
 * @param {readonly Scenario[]} earlier scenarios; a baseline that one of them has is not measured again
 * @returns {Step[]}
 */
function stepsOf(scenario, { peer, acknowledge }, earlier) {
  const { baseline, cookie } = scenario;
  const routerLoad = acknowledge && scenario.unit === 'event' ? [...scenario.load, '--acknowledge'] : scenario.load;
  const step = (
    /** @type {string} */ server,
    /** @type {() => Promise<Server>} */ start,
    load = routerLoad,
    scale = 1,
  ) => ({
    row: { scenario, server, scale, runs: [] },
    start,
    load,
  });
  const steps = [step(OURS, () => startNode(cookie), [...routerLoad, '--cookie', cookie === 'none' ? 'none' : 'new'])];
  if (peer !== undefined && cookie === 'none') {
    const running = { ...peer, cookieFile: undefined, stop: () => Promise.resolve(undefined) };
    steps.push(
      step(`peer ${new URL(peer.url).host}`, () => Promise.resolve(running), [...routerLoad, '--realm', peer.realm]),
    );
  }
  if (!earlier.some((other) => other.baseline === baseline)) {
    steps.push(step(baseline.name, () => startBaseline(baseline.server), baseline.load, baseline.unitsPerRouterUnit));
  }
  return steps;
}

/**
 * Everything that shares a baseline is measured in turn, round after round, each round in another order: a machine that
 * grows warm or busy then does so for all of them.
 *
 * @param {readonly Step[]} steps
 * @param {Options} options
 * @returns {Promise<string[]>} what went wrong
 */
async function runAll(steps, options) {
  const problems = /** @type {string[]} */ ([]);
  const families = new Map(steps.map(({ row }) => [row.scenario.baseline, /** @type {Step[]} */ ([])]));
  for (const step of steps) families.get(step.row.scenario.baseline)?.push(step);
  for (const family of families.values()) {
    for (let run = 0; run < options.runs; run++) {
      const turn = run % family.length;
      for (const step of [...family.slice(turn), ...family.slice(0, turn)]) {
        const name = `${step.row.scenario.name}, ${step.row.server}, run ${run + 1}`;
        process.stderr.write(`${name}\n`);
        const found = await runStep(step, run, options);
        problems.push(...found.map((problem) => `${name}: ${problem}`));
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
  let server;
  try {
    server = await start();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  try {
    const { result, problem } = await generate(server, load, options);
    row.runs[run] = result;
    return [problem ?? [], (await server.stop()) ?? []].flat();
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * Runs the load generator in a process of its own.
 *
 * @param {Server} server
 * @param {readonly string[]} load
 * @param {Options} options
 */
async function generate(server, load, { seconds, warmup, connections }) {
  const flags = [
    '--url',
    server.url,
    '--pid',
    server.pid,
    '--seconds',
    seconds,
    '--warmup',
    warmup,
    '--connections',
    connections,
  ];
  if (server.cookieFile !== undefined) flags.push('--cookie-file', server.cookieFile);
  const args = [path.join(import.meta.dirname, 'load.js'), ...load, ...flags.map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0 && code !== 1)
    return { result: undefined, problem: `the load generator failed (${code}): ${stderr.trim()}` };
  const result = JSON.parse(stdout);
  const { total, counts, examples } = result.violations;
  return {
    result,
    problem: total > 0 ? `${total} violations ${JSON.stringify(counts)}, e.g. ${examples.join('; ')}` : undefined,
  };
}

function machine() {
  const [cpu] = os.cpus();
  const load = loadAverage();
  const lines = [
    `${cpu?.model.trim() ?? 'unknown CPU'}, ${os.cpus().length} cores, Linux ${os.release()}, Node.js ${process.version}, load average ${load}`,
  ];
  if (load > BUSY_LOAD)
    lines.push('WARNING: other programs keep this machine busy; the figures will be worse than they should be');
  if (statfsSync(os.tmpdir()).type === TMPFS_MAGIC) {
    lines.push(
      `WARNING: ${os.tmpdir()} is in memory: a durable file costs nothing there; set TMPDIR to a directory on a disk`,
    );
  }
  return lines;
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} problems
 * @param {Options} options
 */
function report(rows, problems, options) {
  const { seconds, warmup, runs, connections, peer } = options;
  return {
    measuredAt: new Date().toISOString(),
    machine: machine(),
    options: { seconds, warmup, runs, connections, peer: peer?.url },
    rows: rows.map(({ scenario, ...row }) => ({ scenario: scenario.name, unit: scenario.unit, ...row })),
    problems,
  };
}

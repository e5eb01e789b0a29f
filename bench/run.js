#!/usr/bin/env node
/**
 * `npm run bench`: our node, bare `ws` servers and (if asked for) other routers under the same load, one after the other,
 * several times over; then one table. README.md beside this file tells how to read it.
 *
 * Exit codes: 0, 1 when a message was lost, doubled or out of order or a process of ours failed, 2 for a wrong call.
 */
import { writeFileSync } from 'node:fs';
import { machine } from './machine.js';
import { natsProblem } from './nats.js';
import { parseOptions, UsageError } from './options.js';
import { openFilesLimit, platformProblem } from './proc.js';
import { takeProfiles } from './profiles.js';
import { OURS, runAll, stepsOf } from './rounds.js';
import { buildProblem } from './servers.js';
import { historyCells, renderTable } from './table.js';

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./table.js').Row} Row
 */

// It has processes of its own to tell apart.
if (process.argv.includes('fronts')) await import('./fronts.js');
else await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const problem = platformProblem() ?? buildProblem() ?? limitProblem(options) ?? natsObstacle(options);
  if (problem !== undefined) return refuse(problem);

  process.stdout.write(`${machine().join('\n')}\n\n`);
  const steps = stepsOf(options);
  const problems = await runAll(steps, options);
  const rows = steps.map(({ row }) => row);
  process.stdout.write(`${renderTable(rows)}\nhistory: | ${historyCells(rows, OURS).join(' | ')} |\n`);
  if (options.profile !== undefined) problems.push(...(await takeProfiles(options, options.profile)));
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

/** @param {Options} options */
function natsObstacle({ scenarios }) {
  const needing = scenarios.filter(({ node }) => node.cookie === 'nats').map(({ name }) => name);
  const problem = needing.length === 0 ? undefined : natsProblem();
  return problem === undefined ? undefined : `${needing.join(', ')}: ${problem}`;
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} problems
 * @param {Options} options
 */
function report(rows, problems, options) {
  const { seconds, warmup, runs, connections, peers } = options;
  return {
    measuredAt: new Date().toISOString(),
    machine: machine(),
    options: { seconds, warmup, runs, connections, peers: peers.map(({ name }) => name) },
    rows: rows.map(({ scenario, ...row }) => ({ scenario: scenario.name, unit: scenario.unit, ...row })),
    problems,
  };
}

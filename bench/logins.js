#!/usr/bin/env node
/**
 * `npm run bench:logins`: what a login costs the router, from HELLO to the answer to GOODBYE, by each method.
 *
 * Each method has a fresh node. The connections stay open, and have one session after the other: so TCP, the handshake and the
 * cookie of a browser are not in the figure. There are so many of them because a router lets a connection that has ten sessions
 * within a second wait; only some have a login under way. The methods take turns, so that a machine that grows busy hits all of them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { importSource } from '../scripts/source.js';
import { named, readFlags, refuse, wholeNumber } from './flags.js';
import { LOGINS, REALM } from './login-methods.js';
import { machine } from './machine.js';
import { platformProblem, usage } from './proc.js';
import { buildProblem, startConfigured } from './servers.js';
import { markdownTable } from './table.js';
import { Visitor } from './visitor.js';

const CONNECTIONS = 1024;
/** How many logins are under way at a time. */
const AT_A_TIME = 16;
/** How many tickets a node keeps at most, for the measured logins and those before. */
const MAX_LOGINS = 80_000;
/** A part of the logins comes before, for the compiler. */
const WARM_UP = 0.25;
/** What the others are compared with. */
const COMPARED = 'wampcra';

const NAME = 'logins';
const USAGE = `usage: npm run bench:logins -- [flags]
  --only a,b    only these (default: all): ${LOGINS.map(({ name }) => name).join(', ')}
  --logins N    logins in a run, at most ${MAX_LOGINS} (20000)
  --runs N      runs of each (3)
  --json FILE   writes the results too`;

/** @typedef {{ name: string, title: string, micros: number[], skipped?: string }} Result microseconds of a login in each run */

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const problem = platformProblem() ?? buildProblem();
  if (problem !== undefined) return refuse(NAME, problem);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const { authSchema } = await importSource('auth/schema.ts');
  const problems = /** @type {string[]} */ ([]);
  const results = options.logins.map(({ name, title, word }) => {
    const skipped = Object.hasOwn(authSchema.properties, word) ? {} : { skipped: 'this node does not know the method' };
    return /** @type {Result} */ ({ name, title, micros: [], ...skipped });
  });
  for (let run = 0; run < options.runs; run += 1) {
    for (const [index, login] of options.logins.entries()) {
      const result = results[index];
      if (result === undefined || result.skipped !== undefined) continue;
      process.stderr.write(`${login.name} ${run + 1}/${options.runs}\n`);
      const measured = await measure(login, options.count, problems);
      if (typeof measured === 'string') result.skipped = measured;
      else result.micros.push(measured);
    }
  }
  process.stdout.write(render(results, options.count));
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  if (options.json !== undefined) {
    const report = {
      measuredAt: new Date().toISOString(),
      machine: machine(),
      logins: options.count,
      results,
      problems,
    };
    writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readOptions() {
  const defaults = /** @type {const} */ ({ only: undefined, logins: '20000', runs: '3', json: undefined });
  return readFlags({ name: NAME, usage: USAGE, defaults }, ({ only, logins: number, runs, json }) => {
    const logins = named(only, LOGINS);
    const count = wholeNumber('--logins', number, { most: MAX_LOGINS });
    return { logins, count, runs: wholeNumber('--runs', runs, { most: 100 }), json };
  });
}

/**
 * @param {import('./login-methods.js').Login} login
 * @param {number} count
 * @param {string[]} problems
 * @returns {Promise<number | string>} microseconds of processor time for one; or why it cannot be measured
 */
async function measure({ name, prepare }, count, problems) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-'));
  const prepared = await prepare(directory);
  if (typeof prepared === 'string') {
    rmSync(directory, { recursive: true });
    return prepared;
  }
  try {
    const server = await startConfigured(configWith(prepared.auth));
    try {
      return await measureAt(server, prepared, count);
    } finally {
      const problem = await server.stop();
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
    }
  } finally {
    await prepared.end?.();
    rmSync(directory, { recursive: true });
  }
}

/** @param {object} auth */
function configWith(auth) {
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  const options = { max_unauthenticated: 0, max_unauthenticated_per_address: 0, hello_timeout: 0 };
  const paths = { '/': { type: 'nodeinfo' }, ws: { type: 'websocket', auth, options } };
  return {
    version: 2,
    workers: [{ type: 'router', realms: [REALM], transports: [{ type: 'web', endpoint, paths }] }],
  };
}

/**
 * @param {import('./servers.js').Server} server
 * @param {import('./login-methods.js').Preparation} prepared
 * @param {number} count
 */
async function measureAt({ url, pid }, { begin }, count) {
  const place = new URL(url);
  const before = Math.ceil(count * WARM_UP);
  const conversation = await begin(place, before + count);
  const visitors = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => Visitor.open(place, conversation.cookie)),
  );
  await logIn(visitors, conversation, before);
  const start = cpuMicros(pid);
  await logIn(visitors, conversation, count);
  const micros = (cpuMicros(pid) - start) / count;
  for (const visitor of visitors) visitor.drop();
  return micros;
}

/**
 * @param {readonly Visitor[]} visitors
 * @param {import('./login-methods.js').Conversation} conversation
 * @param {number} count
 */
async function logIn(visitors, { hello, answer }, count) {
  let next = 0;
  const oneAfterTheOther = async () => {
    while (next < count) {
      const visitor = visitors[next % visitors.length];
      next += 1;
      await visitor?.join(hello, answer);
      await visitor?.leave();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, oneAfterTheOther));
}

/** @param {number} pid */
function cpuMicros(pid) {
  const { schedMicros, tickMicros } = usage([pid]);
  return schedMicros ?? tickMicros;
}

/**
 * @param {readonly Result[]} results
 * @param {number} count
 */
function render(results, count) {
  const measured = results.filter(({ micros }) => micros.length > 0);
  const skipped = results.filter(({ micros }) => micros.length === 0);
  const compared = median(measured.find(({ name }) => name === COMPARED)?.micros ?? []);
  const rows = measured.map(({ title, micros }) => {
    const each = median(micros) ?? 0;
    const spread = `${Math.min(...micros).toFixed(0)}-${Math.max(...micros).toFixed(0)}`;
    return [title, `${each.toFixed(0)} (${spread})`, compared === undefined ? '' : (each / compared).toFixed(2)];
  });
  const lines = skipped.map(({ title, skipped: why }) => `not measured: ${title}, because ${why}\n`);
  const table = markdownTable(['login', 'CPU µs of the router', 'x WAMP-CRA'], rows);
  return `median (lowest-highest) of runs with ${count} logins each\n\n${table}${lines.length === 0 ? '' : `\n${lines.join('')}`}`;
}

/** @param {readonly number[]} numbers */
function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

#!/usr/bin/env node
/**
 * `npm run bench:memory`: what a session, a subscription, a cookie and so on cost in memory.
 *
 * Each kind of thing has a fresh node. N of it are made, then N more, and after each the node collects its garbage and
 * says what it holds: the second N, divided by N, is the figure. So whatever is made once does not count.
 */
import { writeFileSync } from 'node:fs';
import { named, readFlags, refuse } from './flags.js';
import { machine } from './machine.js';
import { KINDS } from './memory-kinds.js';
import { openFilesLimit, platformProblem, usage } from './proc.js';
import { buildProblem, startNode } from './servers.js';
import { markdownTable } from './table.js';

const NAME = 'memory';
const USAGE = `usage: npm run bench:memory -- [flags]
  --only a,b    only these (default: all): ${KINDS.map(({ name }) => name).join(', ')}
  --share X     a part of the usual numbers of things, e.g. 0.1 (1)
  --json FILE   writes the results too`;
/** Files that are open anyway. */
const SPARE_FILES = 100;

/**
 * @typedef {{ heapBytes: number, rssBytes: number }} Cost of one thing
 * @typedef {{ name: string, title: string, count: number, each: Cost }} Result
 * @typedef {{ started: number, collected: number }} EmptyNode resident bytes
 */

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const problem = platformProblem() ?? buildProblem();
  if (problem !== undefined) return refuse(NAME, problem);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const problems = /** @type {string[]} */ ([]);
  const empty = await measureEmpty(problems);
  const results = /** @type {Result[]} */ ([]);
  for (const kind of options.kinds) {
    process.stderr.write(`${kind.name}\n`);
    results.push(await measureKind(kind, options.share, problems));
  }
  process.stdout.write(render(empty, results));
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  if (options.json !== undefined) {
    const report = { measuredAt: new Date().toISOString(), machine: machine(), empty, results, problems };
    writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readOptions() {
  const defaults = /** @type {const} */ ({ only: undefined, share: '1', json: undefined });
  return readFlags({ name: NAME, usage: USAGE, defaults }, ({ only, share: part, json }) => {
    const kinds = named(only, KINDS);
    const share = Number(part);
    if (!(share > 0 && share <= 1)) throw new Error(`--share is a number up to 1, not "${part}"`);
    return { kinds, share, json };
  });
}

/**
 * @param {string[]} problems
 * @returns {Promise<EmptyNode>}
 */
async function measureEmpty(problems) {
  const server = await startNode({ cookie: 'none' });
  const started = usage([server.pid]).rssBytes;
  const collected = (await heldBy(server)).rssBytes;
  problems.push(...[(await server.stop()) ?? []].flat());
  return { started, collected };
}

/**
 * @param {import('./memory-kinds.js').Kind} kind
 * @param {number} share
 * @param {string[]} problems
 * @returns {Promise<Result>}
 */
async function measureKind({ name, title, node, start, usual, perConnection, begin }, share, problems) {
  const most = perConnection === true ? (openFilesLimit() - SPARE_FILES) / 2 : Infinity;
  const count = Math.max(1, Math.floor(Math.min(usual * share, most)));
  const server = await (start === undefined ? startNode(node) : start());
  try {
    const { make, leave } = await begin(new URL(server.url));
    await make(count);
    const before = await heldBy(server);
    await make(count);
    const after = await heldBy(server);
    leave();
    const each = {
      heapBytes: (after.heapBytes - before.heapBytes) / count,
      rssBytes: (after.rssBytes - before.rssBytes) / count,
    };
    return { name, title, count, each };
  } finally {
    const problem = await server.stop();
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
}

/**
 * @param {import('./servers.js').Server} server
 * @returns {Promise<Cost>}
 */
async function heldBy({ probe, pid }) {
  if (probe === undefined) throw new Error('our node is started with a probe');
  const { heapUsed, external } = await probe.memory();
  return { heapBytes: heapUsed + external, rssBytes: usage([pid]).rssBytes };
}

/**
 * @param {EmptyNode} empty
 * @param {readonly Result[]} results
 */
function render(empty, results) {
  const mib = (/** @type {number} */ bytes) => (bytes / 1_048_576).toFixed(0);
  const whole = (/** @type {number} */ bytes) => Math.round(bytes).toLocaleString('en');
  const rows = results.map(({ title, count, each }) => [
    title,
    whole(each.heapBytes),
    whole(each.rssBytes),
    `${whole(count)} after ${whole(count)}`,
  ]);
  const lead = `empty node: ${mib(empty.started)} MiB resident after the start, ${mib(empty.collected)} when its garbage has gone`;
  return `${lead}\n\n${markdownTable(['one more', 'bytes in heap and buffers', 'bytes resident', 'measured over'], rows)}`;
}

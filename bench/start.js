/**
 * What a start costs: processor time and wall time until the port listens, and resident memory a second later, with
 * nobody connected.
 *
 *     npm run bench:start                        # 7 starts of each
 *     npm run bench:start -- --runs 15 --program /path/to/other/bin/crossbar-ts.js
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { listeningPort, platformProblem, usage } from './proc.js';
import { nodeConfig } from './node-config.js';
import { buildProblem } from './servers.js';

const ROOT = path.dirname(import.meta.dirname);
const POLL_MS = 1;
const START_SECONDS = 20;
/** After this long the start is over, and what it left behind has mostly been swept up. */
const SETTLE_MS = 1000;

/** A program that does nothing but listen: below this no start can come. */
const BARE = ['-e', "require('node:net').createServer().listen(0, '127.0.0.1')"];

/**
 * @typedef {object} Start
 * @property {number} cpuMs in user and kernel mode, all threads
 * @property {number} wallMs
 * @property {number} rssMib
 */

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    program: { type: 'string', default: path.join(ROOT, 'bin/crossbar-ts.js') },
  },
});

const problem = platformProblem() ?? buildProblem();
if (problem === undefined) {
  await main();
} else {
  process.stderr.write(`bench: ${problem}\n`);
  process.exitCode = 1;
}

async function main() {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-'));
  try {
    const programs = programsIn(directory);
    /** @type {Map<string, Start[]>} */
    const starts = new Map([...programs.keys()].map((name) => [name, []]));
    // In turn, so that a machine that grows busy hits all of them.
    for (let run = 0; run < Number(options.runs); run += 1) {
      for (const [name, args] of programs) starts.get(name)?.push(await measure(args));
    }
    process.stdout.write(render(starts));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} directory for the node directories
 * @returns {Map<string, string[]>} title -> arguments of Node.js
 */
function programsIn(directory) {
  const example = JSON.parse(readFileSync(path.join(ROOT, '.crossbar/config.json'), 'utf8'));
  example.workers[0].transports[0].endpoint.port = 0;
  symlinkSync(path.join(ROOT, 'web'), path.join(directory, 'web'));
  const node = (/** @type {string} */ name, /** @type {object} */ config) => {
    const cbdir = path.join(directory, name);
    mkdirSync(cbdir);
    writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(config));
    return [options.program, 'start', '--cbdir', cbdir, '--logformat', 'json'];
  };
  return new Map([
    ['Node.js alone', BARE],
    ['one WebSocket', node('minimal', nodeConfig({ cookie: 'none' }))],
    ['the same, cookie file', node('cookies', nodeConfig({ cookie: 'file' }))],
    ["the demo's node", node('demo', example)],
  ]);
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<Start>}
 */
async function measure(args) {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  await once(child, 'spawn');
  const pid = /** @type {number} */ (child.pid);
  try {
    while (listeningPort(pid) === undefined) {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} has ended`);
      if (performance.now() - begun > START_SECONDS * 1000) throw new Error(`${args.join(' ')} does not listen`);
      await sleep(POLL_MS);
    }
    const { schedMicros, tickMicros } = usage([pid]);
    const wallMs = performance.now() - begun;
    await sleep(SETTLE_MS);
    const rssMib = usage([pid]).rssBytes / 2 ** 20;
    return { cpuMs: (schedMicros ?? tickMicros) / 1000, wallMs, rssMib };
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

/** @param {Map<string, Start[]>} starts */
function render(starts) {
  const rows = [...starts].map(([name, runs]) => [
    name,
    spread(runs.map(({ cpuMs }) => cpuMs)),
    spread(runs.map(({ wallMs }) => wallMs)),
    spread(runs.map(({ rssMib }) => rssMib)),
  ]);
  const head = ['start of', 'CPU ms', 'wall ms', 'RSS MiB'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}

/** @param {readonly number[]} values */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return `${median.toFixed(0)} (${sorted.at(0)?.toFixed(0)}-${sorted.at(-1)?.toFixed(0)})`;
}

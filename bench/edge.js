#!/usr/bin/env node
/**
 * `npm run bench:edge`: how the node behaves when it is asked for more than it can give, when clients do not read, when ten
 * thousand of them say nothing, and at half of what it can do. Each bar is printed with what was measured.
 *
 * Exit codes: 0 when every bar is held, 1 when one is not, 2 for a wrong call.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { delay } from './edge/delay.js';
import { idle } from './edge/idle.js';
import { overload } from './edge/overload.js';
import { slow } from './edge/slow.js';
import { machine } from './machine.js';
import { openFilesLimit, platformProblem } from './proc.js';
import { buildProblem } from './servers.js';
import { markdownTable } from './table.js';

/** @type {Record<string, (sizes: import('./edge/bars.js').Sizes) => Promise<import('./edge/bars.js').Bar[]>>} */
const PARTS = { overload, slow, idle, delay };

const USAGE = `usage: npm run bench:edge -- [flags]
  --only a,b         only these parts: ${Object.keys(PARTS).join(', ')}
  --seconds N        length of each load (20)
  --connections N    idle sessions (10000)
  --idle-seconds N   how long they are watched, twice (65)
  --json FILE        writes every figure too
  --quick            shows that everything works; the figures mean nothing`;
/** Beside the idle sessions. */
const SPARE_FILES = 100;

class UsageError extends Error {}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof UsageError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 2;
}

/** @param {readonly string[]} argv */
async function main(argv) {
  const { help, json, parts, sizes } = optionsOf(argv);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const problem = platformProblem() ?? buildProblem() ?? limitProblem(parts, sizes);
  if (problem !== undefined) throw new UsageError(problem);

  process.stdout.write(`${machine().join('\n')}\n\n`);
  const bars = [];
  for (const part of parts) bars.push(...((await PARTS[part]?.(sizes)) ?? []));
  const cells = bars.map(({ bar, measured, held }) => [bar, measured, held ? 'held' : 'NOT HELD']);
  process.stdout.write(markdownTable(['bar', 'measured', ''], cells));
  if (json !== undefined) {
    const report = { measuredAt: new Date().toISOString(), machine: machine(), sizes, bars };
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return bars.every(({ held }) => held) ? 0 : 1;
}

/** @param {readonly string[]} argv */
function optionsOf(argv) {
  const values = parse(argv);
  const standard = values.quick
    ? { seconds: 1.5, rateSeconds: 0.5, quietSeconds: 0.3, connections: 200, idleSeconds: 1 }
    : { seconds: 20, rateSeconds: 4, quietSeconds: 2, connections: 10_000, idleSeconds: 65 };
  const parts = values.only?.split(',') ?? Object.keys(PARTS);
  const unknown = parts.find((part) => !(part in PARTS));
  if (unknown !== undefined) throw new UsageError(`there is no part "${unknown}"\n${USAGE}`);
  const sizes = {
    seconds: positive('seconds', values.seconds, standard.seconds),
    rateSeconds: standard.rateSeconds,
    quietSeconds: standard.quietSeconds,
    connections: Math.ceil(positive('connections', values.connections, standard.connections)),
    idleSeconds: positive('idle-seconds', values['idle-seconds'], standard.idleSeconds),
  };
  return { help: values.help, json: values.json, parts, sizes };
}

/** @param {readonly string[]} argv */
function parse(argv) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string' },
        seconds: { type: 'string' },
        connections: { type: 'string' },
        'idle-seconds': { type: 'string' },
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/**
 * @param {string} flag
 * @param {string | undefined} text
 * @param {number} standard
 */
function positive(flag, text, standard) {
  const value = text === undefined ? standard : Number(text);
  if (!(value > 0 && value < Infinity))
    throw new UsageError(`--${flag} is a number above 0, not "${text ?? ''}"\n${USAGE}`);
  return value;
}

/**
 * @param {readonly string[]} parts
 * @param {import('./edge/bars.js').Sizes} sizes
 */
function limitProblem(parts, { connections }) {
  const needed = connections + SPARE_FILES;
  const limit = openFilesLimit();
  if (!parts.includes('idle') || limit >= needed) return undefined;
  return `the part idle needs ${needed} open files, the limit is ${limit}: raise it (ulimit -n) or lower --connections`;
}

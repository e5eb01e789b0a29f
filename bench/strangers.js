#!/usr/bin/env node
/**
 * `npm run bench:strangers`: one stranger after the other does to a node what is known to have hurt it once, each for ten seconds, and
 * forty honest clients go on meanwhile. The node has a heap of 256 MiB and 1024 files.
 *
 * Exit codes: 0 when every bar is held, 1 when one is not, 2 for a wrong call.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machine } from './machine.js';
import { platformProblem } from './proc.js';
import { buildProblem } from './servers.js';
import { ATTACKS } from './strangers/attacks.js';
import { Scene } from './strangers/scene.js';
import { markdownTable } from './table.js';

const MAX_PING_MS = 250;
const MIB = 1_048_576;

const USAGE = `usage: npm run bench:strangers -- [flags]
  --only a,b     only these attacks: ${ATTACKS.map(({ name }) => name).join(', ')}
  --seconds N    length of each attack (10)
  --settle N     seconds between two of them (1)
  --behind-proxy the stranger has the address of everybody else
  --program FILE the bin/crossbar-ts.js of another build
  --json FILE    writes every figure too`;

class UsageError extends Error {}

/** @typedef {import('./strangers/scene.js').Outcome} Outcome */

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
  const play = optionsOf(argv);
  const { json } = play;
  if (play.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const problem = platformProblem() ?? buildProblem();
  if (problem !== undefined) throw new UsageError(problem);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const outcomes = await playAll(play);
  const head = ['attack', 'rounds', 'longest ping ms', 'p99 ms', 'longest connect ms', 'refused or cut', 'RSS MiB'];
  process.stdout.write(markdownTable([...head, 'files', 'log KiB', 'alive', ''], outcomes.map(cellsOf)));
  for (const { attack, honest } of outcomes) {
    for (const text of honest.refused.slice(0, 3)) process.stdout.write(`${attack}: ${text}\n`);
  }
  if (json !== undefined) {
    const report = { measuredAt: new Date().toISOString(), machine: machine(), seconds: play.seconds, outcomes };
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return outcomes.every(isHeld) ? 0 : 1;
}

/**
 * All on one node, so that what one leaves behind meets the next; another one when it has ended.
 *
 * @param {ReturnType<typeof optionsOf>} play
 */
async function playAll({ attacks, seconds, settle, program, isBehindProxy }) {
  /** @type {Outcome[]} */
  const outcomes = [];
  /** @type {Scene | undefined} */
  let scene;
  try {
    for (const attack of attacks) {
      scene ??= await Scene.start(program);
      outcomes.push(await scene.play(attack, seconds, isBehindProxy));
      await sleep(settle * 1000);
      if (!scene.isAlive) scene = await scene.end();
    }
  } finally {
    await scene?.end();
  }
  return outcomes;
}

/** @param {Outcome} outcome */
function isHeld({ honest, alive }) {
  return alive && honest.refused.length === 0 && honest.calls > 0 && honest.longestMs < MAX_PING_MS;
}

/** @param {Outcome} outcome */
function cellsOf(outcome) {
  const { attack, rounds, honest, peakRssBytes, peakFiles, logBytes, alive } = outcome;
  return [
    attack,
    String(rounds),
    honest.longestMs.toFixed(0),
    honest.p99Ms.toFixed(0),
    honest.longestConnectMs.toFixed(0),
    String(honest.refused.length),
    (peakRssBytes / MIB).toFixed(0),
    String(peakFiles),
    (logBytes / 1024).toFixed(0),
    alive ? 'yes' : 'NO',
    isHeld(outcome) ? 'held' : 'NOT HELD',
  ];
}

/** @param {readonly string[]} argv */
function optionsOf(argv) {
  const values = parse(argv);
  const names = values.only?.split(',') ?? ATTACKS.map(({ name }) => name);
  const attacks = names.map((name) => {
    const attack = ATTACKS.find((candidate) => candidate.name === name);
    if (attack === undefined) throw new UsageError(`there is no attack "${name}"\n${USAGE}`);
    return attack;
  });
  return {
    help: values.help,
    json: values.json,
    program: values.program,
    isBehindProxy: values['behind-proxy'],
    attacks,
    seconds: positive('seconds', values.seconds, 10),
    settle: positive('settle', values.settle, 1),
  };
}

/** @param {readonly string[]} argv */
function parse(argv) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string' },
        seconds: { type: 'string' },
        settle: { type: 'string' },
        program: { type: 'string' },
        'behind-proxy': { type: 'boolean', default: false },
        json: { type: 'string' },
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
  if (!(value > 0 && value < Infinity)) {
    throw new UsageError(`--${flag} is a number above 0, not "${text ?? ''}"\n${USAGE}`);
  }
  return value;
}

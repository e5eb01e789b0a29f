/** The flags of `npm run bench -- ...`. */
import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios.js';

const USAGE = `usage: npm run bench -- [flags]
  --scenario a,b   only these (default: all): ${SCENARIOS.map(({ name }) => name).join(', ')}
  --seconds N      measured time of one run (4)
  --warmup N       time before it (2)
  --runs N         runs of everything, interleaved (3)
  --connections N  sessions of the scenario idle (2000)
  --json FILE      writes every single result too
  --peer URL       another WAMP router to measure beside ours, e.g. ws://127.0.0.1:9000/ws, with --pid
  --pid N          its process id; what it started is counted too
  --realm NAME     its realm (realm1)
  --acknowledge    publications ask for an acknowledgement (routers only; no baseline can)
  --quick          one short run: shows that everything works, the figures mean nothing`;

/**
 * @typedef {object} Options
 * @property {readonly import('./scenarios.js').Scenario[]} scenarios
 * @property {number} seconds
 * @property {number} warmup
 * @property {number} runs
 * @property {number} connections
 * @property {boolean} acknowledge
 * @property {string | undefined} json
 * @property {{ url: string, pid: number, realm: string } | undefined} peer
 */

export class UsageError extends Error {}

/**
 * @param {readonly string[]} argv
 * @returns {Options | undefined} undefined when only help was asked for
 * @throws {UsageError} with the whole usage text
 */
export function parseOptions(argv) {
  const values = parseFlags(argv);
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return undefined;
  }
  const standard = values.quick
    ? { seconds: 0.5, warmup: 0.3, runs: 1, connections: 100 }
    : { seconds: 4, warmup: 2, runs: 3, connections: 2000 };
  return {
    scenarios: chosen(values.scenario),
    seconds: positive('seconds', values.seconds, standard.seconds),
    warmup: positive('warmup', values.warmup, standard.warmup),
    runs: Math.ceil(positive('runs', values.runs, standard.runs)),
    connections: Math.ceil(positive('connections', values.connections, standard.connections)),
    acknowledge: values.acknowledge,
    json: values.json,
    peer: peerOf(values),
  };
}

/** @param {readonly string[]} argv */
function parseFlags(argv) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        scenario: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        runs: { type: 'string' },
        connections: { type: 'string' },
        json: { type: 'string' },
        peer: { type: 'string' },
        pid: { type: 'string' },
        realm: { type: 'string', default: 'realm1' },
        acknowledge: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string | undefined} names */
function chosen(names) {
  if (names === undefined) return SCENARIOS;
  return names.split(',').map((name) => {
    const scenario = SCENARIOS.find((candidate) => candidate.name === name);
    if (scenario === undefined) throw usageError(`there is no scenario "${name}"`);
    return scenario;
  });
}

/**
 * @param {string} flag
 * @param {string | undefined} text
 * @param {number} standard
 */
function positive(flag, text, standard) {
  const value = text === undefined ? standard : Number(text);
  if (!(value > 0 && value < Infinity)) throw usageError(`--${flag} is a number above 0, not "${text ?? ''}"`);
  return value;
}

/** @param {{ peer?: string | undefined, pid?: string | undefined, realm: string }} values */
function peerOf({ peer, pid, realm }) {
  if (peer === undefined && pid === undefined) return undefined;
  if (peer === undefined || pid === undefined) throw usageError('--peer and --pid belong together');
  if (!URL.canParse(peer) || new URL(peer).protocol !== 'ws:')
    throw usageError(`--peer is a ws: address, not "${peer}"`);
  return { url: peer, pid: positive('pid', pid, 0), realm };
}

/** @param {string} reason */
function usageError(reason) {
  return new UsageError(`${reason}\n${USAGE}`);
}

/** The flags of `npm run bench -- ...`. */
import { parseArgs } from 'node:util';
import { natsProblem } from './nats.js';
import { PEER_PACKAGES, peerPackage } from './peers.js';
import { GROUPS, SCENARIOS, scenariosFor } from './scenarios.js';

const USAGE = `usage: npm run bench -- [flags]
  --scenario a,b   only these (default: all; those with NATS where there is a nats-server), by name, by the beginning of names or by group
                   groups: ${Object.keys(GROUPS).join(', ')}
                   names: ${SCENARIOS.map(({ name }) => name).join(', ')}
                   and fronts, alone, with flags of its own: --scenario fronts --help
  --seconds N      measured time of one run (4)
  --warmup N       time before it (2)
  --runs N         runs of everything, interleaved (3)
  --connections N  sessions of the scenario idle (10000)
  --json FILE      writes every single result too
  --profile DIR    writes a CPU profile of our node for each scenario, from a run more, and prints what costs most
  --peer a,b       other routers beside ours: ${PEER_PACKAGES.join(', ')} (fetched from npm into bench/.peers)
  --peer URL       one that runs already, e.g. ws://127.0.0.1:9000/ws, with --pid
  --pid N          its process id; what it started is counted too
  --realm NAME     its realm (realm1)
  --metrics        our node a second time, with the service metrics, which measures calls
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
 * @property {boolean} metrics
 * @property {string | undefined} json
 * @property {string | undefined} profile a directory
 * @property {readonly import('./peers.js').Peer[]} peers
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
    : { seconds: 4, warmup: 2, runs: 3, connections: 10_000 };
  return {
    scenarios: chosen(values.scenario),
    seconds: positive('seconds', values.seconds, standard.seconds),
    warmup: positive('warmup', values.warmup, standard.warmup),
    runs: Math.ceil(positive('runs', values.runs, standard.runs)),
    connections: Math.ceil(positive('connections', values.connections, standard.connections)),
    acknowledge: values.acknowledge,
    metrics: values.metrics,
    json: values.json,
    profile: values.profile,
    peers: peersOf(values),
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
        profile: { type: 'string' },
        peer: { type: 'string' },
        pid: { type: 'string' },
        realm: { type: 'string', default: 'realm1' },
        acknowledge: { type: 'boolean', default: false },
        metrics: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string | undefined} words */
function chosen(words) {
  // Who names none may not have what some need.
  if (words === undefined) return SCENARIOS.filter(({ node }) => node.cookie !== 'nats' || natsProblem() === undefined);
  const names = words.split(',').flatMap((word) => {
    const scenarios = word === '' ? [] : scenariosFor(word);
    if (scenarios.length === 0) throw usageError(`there is no scenario "${word}"`);
    return scenarios;
  });
  // In the order of the table, each of them once.
  return SCENARIOS.filter((scenario) => names.includes(scenario));
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

/**
 * @param {{ peer?: string | undefined, pid?: string | undefined, realm: string }} values
 * @returns {import('./peers.js').Peer[]}
 */
function peersOf({ peer, pid, realm }) {
  if (peer !== undefined && pid === undefined && !peer.includes('://')) {
    return peer.split(',').map((name) => {
      const known = peerPackage(name);
      if (known === undefined)
        throw usageError(`--peer is a ws: address or one of ${PEER_PACKAGES.join(', ')}, not "${name}"`);
      return known;
    });
  }
  if (peer === undefined && pid === undefined) return [];
  if (peer === undefined || pid === undefined) throw usageError('--peer with an address and --pid belong together');
  if (!URL.canParse(peer) || new URL(peer).protocol !== 'ws:')
    throw usageError(`--peer is a ws: address, not "${peer}"`);
  return [{ name: `peer ${new URL(peer).host}`, realm, running: { url: peer, pid: positive('pid', pid, 0) } }];
}

/** @param {string} reason */
function usageError(reason) {
  return new UsageError(`${reason}\n${USAGE}`);
}

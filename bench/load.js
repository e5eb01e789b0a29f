#!/usr/bin/env node
/**
 * The load generator: one process, one kind of load, one line of JSON.
 *
 *     node bench/load.js --kind rpc --url ws://127.0.0.1:8080/ws --pid 1234 --seconds 4
 *
 * It drives any WAMP router (JSON over WebSocket, anonymous) or one of the baseline servers, reads what the server's
 * process burns, and checks that every message arrived exactly once and in order. Exit 1 when one did not.
 */
import { parseArgs } from 'node:util';
import { connect, idle } from './load/connections.js';
import { broadcast, publish } from './load/pubsub.js';
import { echo, rpc } from './load/rpc.js';
import { Violations } from './load/sequence.js';
import { platformProblem } from './proc.js';

/**
 * @typedef {object} LoadOptions
 * @property {string} realm
 * @property {number} window messages under way
 * @property {number} payload bytes
 * @property {number} subscribers
 * @property {boolean} acknowledge whether publications ask for PUBLISHED
 * @property {number} concurrency connections being opened at a time
 * @property {number} connections for `idle`
 * @property {'none' | 'new' | 'any'} cookie what a handshake has to set
 * @property {string | undefined} cookie-file the store, to be checked after `connect`
 * @property {number} drain seconds to wait for what is under way at the end
 *
 * @typedef {object} LoadContext
 * @property {URL} url
 * @property {LoadOptions} options
 * @property {import('./load/measure.js').MeasureOptions} stretch
 * @property {Violations} violations
 */

const KINDS = { rpc, echo, publish, broadcast, connect, idle };
/** What opening and closing sessions may take on top of the time that was asked for. */
const SPARE_SECONDS = 60;

const problem = platformProblem();
if (problem !== undefined) fail(problem);

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'rpc' },
    url: { type: 'string' },
    pid: { type: 'string', multiple: true, default: [] },
    realm: { type: 'string', default: 'realm1' },
    seconds: { type: 'string', default: '4' },
    warmup: { type: 'string', default: '2' },
    window: { type: 'string', default: '64' },
    payload: { type: 'string', default: '20' },
    subscribers: { type: 'string', default: '1' },
    acknowledge: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '16' },
    connections: { type: 'string', default: '2000' },
    cookie: { type: 'string', default: 'any' },
    'cookie-file': { type: 'string' },
    drain: { type: 'string', default: '10' },
  },
});
const run = KINDS[/** @type {keyof typeof KINDS} */ (values.kind)];
if (run === undefined) fail(`--kind is one of ${Object.keys(KINDS).join(', ')}`);
if (values.url === undefined || values.pid.length === 0) fail('--url and --pid of the server are needed');

const violations = new Violations();
/** @type {LoadContext} */
const context = {
  url: new URL(values.url),
  stretch: { pids: values.pid.map(Number), seconds: Number(values.seconds), warmupSeconds: Number(values.warmup) },
  options: {
    realm: values.realm,
    window: Number(values.window),
    payload: Number(values.payload),
    subscribers: Number(values.subscribers),
    acknowledge: values.acknowledge,
    concurrency: Number(values.concurrency),
    connections: Number(values.connections),
    cookie: /** @type {'none' | 'new' | 'any'} */ (values.cookie),
    'cookie-file': values['cookie-file'],
    drain: Number(values.drain),
  },
  violations,
};

const patience = context.stretch.seconds + 2 * context.stretch.warmupSeconds + context.options.drain + SPARE_SECONDS;
const watchdog = setTimeout(
  () => fail(`no end after ${patience} seconds: the server does not answer`),
  patience * 1000,
);
try {
  const result = await run(context);
  process.stdout.write(`${JSON.stringify({ kind: values.kind, ...result, violations })}\n`);
  process.exitCode = violations.total > 0 ? 1 : 0;
} catch (error) {
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
clearTimeout(watchdog);

/**
 * @param {string} reason
 * @returns {never}
 */
function fail(reason) {
  process.stderr.write(`load: ${reason}\n`);
  process.exit(2);
}

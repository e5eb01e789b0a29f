#!/usr/bin/env node
/**
 * The load generator: one process, one kind of load, one line of JSON.
 *
 *     node bench/load.js --kind rpc --url ws://127.0.0.1:8080/ws --pid 1234 --seconds 4
 *
 * It drives any WAMP router (WebSocket or RawSocket, anonymous) or one of the baseline servers, reads what the server's
 * process burns, and checks that every message arrived exactly once and in order. Exit 1 when one did not.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { CODECS } from './load/codec.js';
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
 * @property {number} patterns subscriptions with patterns on file for `publish`, of which one matches; 0: the topic itself
 * @property {import('./load/wamp-session.js').Serializer[]} serializers the first is the publisher's; subscribers have them in turn
 * @property {boolean} rawsocket whether sessions of `rpc` and `publish` use RawSocket instead of WebSocket
 * @property {boolean} acknowledge whether publications ask for PUBLISHED
 * @property {number} concurrency connections being opened at a time
 * @property {number} connections for `idle`
 * @property {'none' | 'new' | 'known' | 'any'} cookie what a handshake has to set; `known`: nothing for a browser that comes back
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
    patterns: { type: 'string', default: '0' },
    serializer: { type: 'string', multiple: true, default: ['json'] },
    rawsocket: { type: 'boolean', default: false },
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
if (!values.serializer.every((name) => Object.hasOwn(CODECS, name)))
  fail(`--serializer is one of ${Object.keys(CODECS).join(', ')}`);
if (values.url === undefined || values.pid.length === 0) fail('--url and --pid of the server are needed');

const violations = new Violations();
// Whoever started this process may want to know when the measured stretch begins and ends, and to act in a pause.
const tell = (/** @type {import('./generator.js').Phase} */ phase) => process.send?.({ phase });
const pause = async () => {
  if (tell('pause')) await once(process, 'message');
};
/** @type {LoadContext} */
const context = {
  url: new URL(values.url),
  stretch: {
    pids: values.pid.map(Number),
    seconds: Number(values.seconds),
    warmupSeconds: Number(values.warmup),
    onWarm: () => tell('warm'),
    onMeasured: () => tell('measured'),
    onPause: pause,
  },
  options: {
    realm: values.realm,
    window: Number(values.window),
    payload: Number(values.payload),
    subscribers: Number(values.subscribers),
    patterns: Number(values.patterns),
    serializers: /** @type {import('./load/wamp-session.js').Serializer[]} */ (values.serializer),
    rawsocket: values.rawsocket,
    acknowledge: values.acknowledge,
    concurrency: Number(values.concurrency),
    connections: Number(values.connections),
    cookie: /** @type {LoadOptions['cookie']} */ (values.cookie),
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
  fail(error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error));
}
clearTimeout(watchdog);
if (process.connected) process.disconnect();

/**
 * @param {string} reason
 * @returns {never}
 */
function fail(reason) {
  process.stderr.write(`load: ${reason}\n`);
  process.exit(2);
}

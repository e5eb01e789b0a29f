#!/usr/bin/env node
/**
 * `npm run bench:cluster`: what a call, an event and a subscription cost over three nodes of a cluster, beside one node without one, in
 * processor time of the routers and of NATS, and in time. The processor time is of many under way, the times are of one after the other.
 * Nodes and servers are fresh for each row. With `--order` it does something else: cluster-order.js.
 */
import { REALM, startNodes } from './cluster-nodes.js';
import { percentiles } from './load/closed-loop.js';
import { Violations } from './load/sequence.js';
import { EVENT, INVOCATION, PUBLISH, WampSession, YIELD, openMany } from './load/wamp-session.js';
import { natsProblem } from './nats.js';
import { usage } from './proc.js';
import { inWorkers, runBench } from './requests.js';

const TOPIC = 'com.example.bench';
const PROCEDURE = 'com.example.echo';
/** Of what is done with many under way, this part comes before, for the compiler, and again one after the other. */
const WARM_UP = 0.25;
const ONE_AT_A_TIME = 0.25;

/**
 * @callback Open a session on a node
 * @param {number} node
 * @returns {Promise<WampSession>}
 *
 * @callback Begin
 * @param {Open} open
 * @returns {Promise<() => Promise<void>>} what does it once
 *
 * @typedef {{ title: string, nodes: 1 | 3, begin: Begin }} Kind
 */

/** @type {readonly Kind[]} */
const KINDS = [
  { title: 'a call: one node', nodes: 1, begin: (open) => calls(open, 0) },
  { title: 'a call: one node of three', nodes: 3, begin: (open) => calls(open, 0) },
  { title: 'a call: to another node', nodes: 3, begin: (open) => calls(open, 1) },
  { title: 'a publication to 1: one node', nodes: 1, begin: (open) => events(open, [0]) },
  { title: 'a publication to 1: on another node', nodes: 3, begin: (open) => events(open, [1]) },
  { title: 'a publication to 3: one node', nodes: 1, begin: (open) => events(open, [0, 0, 0]) },
  { title: 'a publication to 3: one on each node', nodes: 3, begin: (open) => events(open, [0, 1, 2]) },
  { title: 'a publication to 100: one node', nodes: 1, begin: (open) => events(open, spread(100, 1)) },
  { title: 'a publication to 100: over three nodes', nodes: 3, begin: (open) => events(open, spread(100, 3)) },
  { title: 'SUBSCRIBE and UNSUBSCRIBE: one node', nodes: 1, begin: subscriptions },
  { title: 'SUBSCRIBE and UNSUBSCRIBE: three nodes', nodes: 3, begin: subscriptions },
];

if (process.argv.includes('--order')) await (await import('./cluster-order.js')).main();
else await main();

async function main() {
  const missing = natsProblem();
  await runBench({
    name: 'cluster',
    what: 'calls, publications or subscriptions',
    requests: 10_000,
    head: ['load: where', 'CPU µs of the routers', 'CPU µs of NATS', 'p50 ms', 'p99 ms'],
    rows: KINDS.map((kind) => ({
      title: kind.title,
      measure: (count) => (kind.nodes > 1 && missing !== undefined ? Promise.resolve(missing) : measure(kind, count)),
    })),
  });
}

/**
 * @param {Kind} kind
 * @param {number} count
 * @returns {Promise<import('./requests.js').Measured>}
 */
async function measure({ nodes, begin }, count) {
  const violations = new Violations();
  const { servers, urls, natsPids, stop } = await startNodes(nodes);
  const problems = /** @type {string[]} */ ([]);
  let figures;
  try {
    const sessions = /** @type {WampSession[]} */ ([]);
    const load = await begin(async (node) => {
      const session = await WampSession.open(/** @type {URL} */ (urls[node]), REALM, violations);
      sessions.push(session);
      return session;
    });
    figures = await figuresOf(load, { count, routers: servers.map(({ pid }) => pid), nats: natsPids });
    await Promise.all(sessions.map((session) => session.leave()));
  } finally {
    problems.push(...(await stop()));
  }
  if (violations.total > 0) problems.push(JSON.stringify(violations));
  const { micros, natsMicros, p50, p99 } = figures;
  const beside = [nodes === 1 ? '' : natsMicros.toFixed(0), p50.toFixed(2), p99.toFixed(2)];
  return { micros, beside, problem: problems.join('; ') || undefined };
}

/**
 * @param {() => Promise<void>} one
 * @param {{ count: number, routers: readonly number[], nats: readonly number[] }} of
 */
async function figuresOf(one, { count, routers, nats }) {
  await inWorkers(Math.ceil(count * WARM_UP), one);
  const before = { routers: cpuMicros(routers), nats: cpuMicros(nats) };
  await inWorkers(count, one);
  const micros = (cpuMicros(routers) - before.routers) / count;
  const natsMicros = (cpuMicros(nats) - before.nats) / count;
  const times = [];
  for (let n = 0; n < count * ONE_AT_A_TIME; n += 1) {
    const begun = performance.now();
    await one();
    times.push(performance.now() - begun);
  }
  const { p50 = 0, p99 = 0 } = percentiles(times) ?? {};
  return { micros, natsMicros, p50, p99 };
}

/** @param {readonly number[]} pids */
function cpuMicros(pids) {
  if (pids.length === 0) return 0;
  const { schedMicros, tickMicros } = usage(pids);
  return schedMicros ?? tickMicros;
}

/** @param {number} count @param {number} nodes @returns {number[]} the node of each */
function spread(count, nodes) {
  return Array.from({ length: count }, (_, index) => index % nodes);
}

/** @param {Open} open @param {number} node of the callee */
async function calls(open, node) {
  const callee = await open(node);
  const caller = await open(0);
  callee.handlers.set(INVOCATION, ([, id, , , args]) => callee.send([YIELD, id, {}, args]));
  await callee.register(PROCEDURE);
  let sent = 0;
  const one = async () => {
    const number = sent++;
    const result = await caller.call(PROCEDURE, [number]);
    if (result !== number) throw new Error(`${number} was answered with ${result}`);
  };
  return one;
}

/**
 * Done when all have the event.
 *
 * @param {Open} open
 * @param {readonly number[]} nodes of the subscribers
 */
async function events(open, nodes) {
  const publisher = await open(0);
  // number of a publication -> how many have not got it yet, and what happens then
  const underWay = /** @type {Map<number, { left: number, done: () => void }>} */ (new Map());
  let next = 0;
  const subscribers = await openMany(nodes.length, () => open(nodes[next++] ?? 0));
  for (const subscriber of subscribers) {
    let last = -1;
    subscriber.handlers.set(EVENT, ([, , , , args]) => {
      const number = Number(Array.isArray(args) ? args[0] : NaN);
      const publication = underWay.get(number);
      if (publication === undefined || number !== last + 1) throw new Error(`event ${number} came behind ${last}`);
      last = number;
      publication.left -= 1;
      if (publication.left > 0) return;
      underWay.delete(number);
      publication.done();
    });
    // The handler of events is in the way of no answer.
    await subscriber.subscribe(TOPIC);
  }
  let sent = 0;
  return () =>
    new Promise((/** @type {(value: void) => void} */ done) => {
      const number = sent++;
      underWay.set(number, { left: nodes.length, done });
      publisher.send([PUBLISH, publisher.nextRequestId(), {}, TOPIC, [number]]);
    });
}

/** @type {Begin} */
async function subscriptions(open) {
  const session = await open(0);
  let number = 0;
  return async () => session.unsubscribe(await session.subscribe(`${TOPIC}.n${number++}`));
}

/**
 * `npm run bench:cluster -- --order`: a million events of four publishers over three nodes and three servers of NATS to twenty
 * subscribers. Each subscriber has to get each event of each publisher once and in order, whatever the topics are and whether it is
 * subscribed to them or to their beginning. Nothing piles up: a publication is under way until it is acknowledged and all subscribers
 * have it. Kept is the last number of each publisher at each subscriber, so it can run for as long as one likes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { REALM, startNodes } from './cluster-nodes.js';
import { readFlags, refuse, wholeNumber } from './flags.js';
import { ClosedLoop } from './load/closed-loop.js';
import { Sequence, Violations } from './load/sequence.js';
import { EVENT, PUBLISH, PUBLISHED, WampSession } from './load/wamp-session.js';
import { machine } from './machine.js';
import { natsProblem } from './nats.js';
import { loadAverage, platformProblem, usage } from './proc.js';
import { buildProblem } from './servers.js';

const PUBLISHERS = 4;
const SUBSCRIBERS = 20;
const TOPICS = 7;
const BEGINNING = 'com.example.order';
/** Publications of one publisher that are under way. */
const WINDOW = 32;
const LOOK_MS = 100;
const TELL_MS = 30_000;
/** When nothing has come for so long, what is missing is lost. */
const PATIENCE_MS = 60_000;
const NAME = 'cluster';
const USAGE = `usage: npm run bench:cluster -- --order [flags]
  --events N  publications of all publishers together (1000000)`;

/** @typedef {{ loop: ClosedLoop, acknowledged: Sequence }} Publisher */

/** The whole command. Exit codes: 0, 1 when an event was lost, doubled or out of order or a process of ours failed, 2 for a wrong call. */
export async function main() {
  const events = readEvents();
  if (events === undefined) return;
  const obstacle = platformProblem() ?? buildProblem() ?? natsProblem();
  if (obstacle !== undefined) return refuse(NAME, obstacle);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const violations = new Violations();
  const nodes = await startNodes(3);
  const problems = /** @type {string[]} */ ([]);
  try {
    process.stdout.write(await play(nodes, Math.ceil(events / PUBLISHERS), violations));
  } finally {
    problems.push(...(await nodes.stop()));
  }
  if (violations.total > 0) problems.push(JSON.stringify(violations));
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readEvents() {
  const defaults = /** @type {const} */ ({ order: false, events: '1000000' });
  return readFlags({ name: NAME, usage: USAGE, defaults }, ({ events }) =>
    wholeNumber('--events', events, { least: PUBLISHERS }),
  );
}

/**
 * @param {import('./cluster-nodes.js').Nodes} nodes
 * @param {number} each publications of each publisher
 * @param {Violations} violations
 * @returns {Promise<string>} what it was, in words
 */
async function play({ servers, urls, natsPids }, each, violations) {
  const sessions = await openSessions(urls, PUBLISHERS + SUBSCRIBERS, violations);
  const [speaking, listening] = [sessions.slice(0, PUBLISHERS), sessions.slice(PUBLISHERS)];
  const publishers = speaking.map((session, index) => publisherOn(session, { index, each, violations }));
  let received = 0;
  const sequences = await Promise.all(
    listening.map((session, index) =>
      subscriberOn(session, { index, publishers, violations, onEvent: () => (received += 1) }),
    ),
  );
  const pids = servers.map(({ pid }) => pid);
  const before = { nodes: cpuMicros(pids), nats: cpuMicros(natsPids), at: performance.now() };
  for (const { loop } of publishers) loop.start();
  await untilAllCame(publishers, () => received);
  const seconds = (performance.now() - before.at) / 1000;
  const micros = { nodes: cpuMicros(pids) - before.nodes, nats: cpuMicros(natsPids) - before.nats };
  for (const { acknowledged } of publishers) acknowledged.finish(each);
  for (const sequence of sequences.flat()) sequence.finish(each);
  // What comes twice may come after all has come once: a session that leaves reads what was sent to it before.
  await Promise.all(sessions.map((session) => session.leave()));

  const events = each * PUBLISHERS;
  const whole = (/** @type {number} */ number) => Math.round(number).toLocaleString('en');
  const p99 = publishers.map(({ loop }) => loop.latencies()?.p99 ?? NaN).map((ms) => ms.toFixed(0));
  return [
    `${whole(events)} events of ${PUBLISHERS} publishers over 3 nodes, ${whole(received)} of ${whole(events * SUBSCRIBERS)} deliveries`,
    `violations: ${JSON.stringify(violations)}`,
    `${whole(seconds)} s, ${whole(events / seconds)} events/s, ${whole(received / seconds)} deliveries/s`,
    `CPU µs of one publication to ${SUBSCRIBERS}: ${whole(micros.nodes / events)} of the nodes, ${whole(micros.nats / events)} of NATS`,
    `until the last subscriber has it, of each publisher: p99 ${p99.join(', ')} ms`,
    `load average at the end: ${loadAverage()}\n`,
  ].join('\n');
}

/**
 * @param {readonly URL[]} urls of the nodes
 * @param {number} count
 * @param {Violations} violations
 * @returns {Promise<WampSession[]>} on the nodes in turn
 */
function openSessions(urls, count, violations) {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      return WampSession.open(/** @type {URL} */ (urls[index % urls.length]), REALM, violations);
    }),
  );
}

/**
 * @param {WampSession} session
 * @param {{ index: number, each: number, violations: Violations }} of
 * @returns {Publisher}
 */
function publisherOn(session, { index, each, violations }) {
  const acknowledged = new Sequence(`publisher ${index}`, violations);
  const loop = new ClosedLoop({
    window: WINDOW,
    arrivalsEach: SUBSCRIBERS + 1,
    limit: each,
    send: (number) =>
      session.send([PUBLISH, number + 1, { acknowledge: true }, `${BEGINNING}.${number % TOPICS}`, [index, number]]),
  });
  session.handlers.set(PUBLISHED, ([, id]) => {
    if (acknowledged.accept(Number(id) - 1, loop.sent)) loop.arrived(Number(id) - 1);
  });
  return { loop, acknowledged };
}

/**
 * Every other one has a subscription to the beginning of the topics, and the rest one to each of them.
 *
 * @param {WampSession} session
 * @param {{ index: number, publishers: readonly Publisher[], violations: Violations, onEvent: () => void }} of
 * @returns {Promise<Sequence[]>} one for each publisher
 */
async function subscriberOn(session, { index, publishers, violations, onEvent }) {
  const sequences = publishers.map(
    (_, publisher) => new Sequence(`subscriber ${index}, of publisher ${publisher}`, violations),
  );
  session.handlers.set(EVENT, ([, , , , args]) => {
    const [publisher, number] = Array.isArray(args) ? args.map(Number) : [];
    const loop = publishers[publisher ?? -1]?.loop;
    if (loop === undefined || number === undefined) return violations.add('damaged', JSON.stringify(args));
    if (!sequences[publisher ?? -1]?.accept(number, loop.sent)) return;
    onEvent();
    loop.arrived(number);
  });
  if (index % 2 === 0) await session.subscribe(BEGINNING, { match: 'prefix' });
  else for (let topic = 0; topic < TOPICS; topic += 1) await session.subscribe(`${BEGINNING}.${topic}`);
  return sequences;
}

/**
 * Says from time to time how far it is.
 *
 * @param {readonly Publisher[]} publishers
 * @param {() => number} received
 */
async function untilAllCame(publishers, received) {
  let last = { received: 0, at: performance.now() };
  let toldAt = performance.now();
  while (!publishers.every(({ loop }) => loop.isComplete) && performance.now() - last.at < PATIENCE_MS) {
    await sleep(LOOK_MS);
    if (received() > last.received) last = { received: received(), at: performance.now() };
    if (performance.now() - toldAt < TELL_MS) continue;
    toldAt = performance.now();
    process.stderr.write(`${publishers.reduce((sum, { loop }) => sum + loop.sent, 0).toLocaleString('en')} events\n`);
  }
}

/** @param {readonly number[]} pids */
function cpuMicros(pids) {
  const { schedMicros, tickMicros } = usage(pids);
  return schedMicros ?? tickMicros;
}

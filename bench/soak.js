#!/usr/bin/env node
/**
 * `npm run bench:soak -- --minutes 10`: clients come, do whatever clients do, and go, for a long time. Does the node hold
 * more at the end than at the start?
 *
 *     controller joins -> inspection -> warm-up -> all leave -> memory -> churn -> all leave -> memory, inspection
 *
 * The controller is the only session that stays; it asks the meta API whether anything is left in the realm. Exit codes:
 * 0; 1 when memory has grown by more than the limit, when objects or entries are left, or when an answer was wrong; 2 for
 * a wrong call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFlags, refuse } from './flags.js';
import { Violations } from './load/sequence.js';
import { WampSession } from './load/wamp-session.js';
import { machine } from './machine.js';
import { platformProblem, usage } from './proc.js';
import { buildProblem, startNode } from './servers.js';
import { Guest, TOPICS, topic } from './soak-life.js';
import { markdownTable } from './table.js';

const NAME = 'soak';
const USAGE = `usage: npm run bench:soak -- [flags]
  --minutes N   how long, warm-up and all (10)
  --clients N   how many at a time (24)
  --limit N     growth of heap or resident memory that is too much, in percent (5)`;
/** Of the whole time. */
const WARMUP_SHARE = 0.25;
const MOST_WARMUP_SECONDS = 120;
const SETTLE_SECONDS = 30;
const SETTLE_POLL_MS = 50;
/** Short, so that most cookies expire and the store has to let go of them. */
const COOKIE_SECONDS = 5;
/** Classes of which there is an object for each session, connection or what they make; the controller has some of each. */
const CLASSES = [
  ...['Session', 'Subscription', 'Registration', 'LiveCookie'],
  ...['WampConnection', 'WampWebSocket', 'Outbox', 'Receiver', 'Socket'],
];
/** Classes whose objects have a short life. */
const FLEETING_CLASSES = ['Opening', 'IncomingMessage', 'ServerResponse'];
const LISTS = ['wamp.subscription.list', 'wamp.registration.list'];

/** @typedef {{ heapBytes: number, rssBytes: number }} Held */

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const problem = platformProblem() ?? buildProblem();
  if (problem !== undefined) return refuse(NAME, problem);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const problems = /** @type {string[]} */ ([]);
  const server = await startNode({ cookie: 'file', cookieSeconds: COOKIE_SECONDS });
  try {
    await soak(server, options, problems);
  } finally {
    problems.push(...[(await server.stop()) ?? []].flat());
  }
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readOptions() {
  const defaults = /** @type {const} */ ({ minutes: '10', clients: '24', limit: '5' });
  return readFlags({ name: NAME, usage: USAGE, defaults }, (given) => {
    const [seconds, clients, limit] = [Number(given.minutes) * 60, Number(given.clients), Number(given.limit)];
    if (![seconds, clients, limit].every((value) => value > 0 && value < Infinity)) {
      throw new Error('the flags are numbers above 0');
    }
    return { seconds, clients, limit };
  });
}

/**
 * @param {import('./servers.js').Server} server
 * @param {{ seconds: number, clients: number, limit: number }} options
 * @param {string[]} problems
 */
async function soak(server, { seconds, clients, limit }, problems) {
  const violations = new Violations();
  const place = { url: new URL(server.url), violations, counts: new Map() };
  const controller = await controllerOf(place);
  const guests = Array.from({ length: clients }, () => new Guest(place));
  const probe = server.probe;
  if (probe === undefined) throw new Error('our node is started with a probe');

  const before = await probe.objects([...CLASSES, ...FLEETING_CLASSES]);
  const own = await listsOf(controller);
  const warmup = Math.min(seconds * WARMUP_SHARE, MOST_WARMUP_SECONDS);
  await churn(guests, warmup);
  problems.push(...(await leftIn(controller, own, 'after the warm-up')));
  const start = await heldBy(server);
  place.counts.clear();
  await churn(guests, seconds - warmup);
  problems.push(...(await leftIn(controller, own, 'at the end')));
  const end = await heldBy(server);
  const after = await probe.objects(Object.keys(before));
  controller.client.drop();

  process.stdout.write(renderMemory(start, end) + renderCounts(place.counts));
  problems.push(...grown(start, end, limit), ...unknownClasses(before), ...leftObjects(before, after));
  if (violations.total > 0) problems.push(`${violations.total} wrong answers: ${JSON.stringify(violations)}`);
}

/**
 * It has one of all that clients have. All retained events that there will be are there from the start.
 *
 * @param {import('./soak-life.js').Place} place
 */
async function controllerOf({ url, violations }) {
  const controller = await WampSession.open(url, 'realm1', violations);
  await controller.subscribe('bench.controller.topic');
  await controller.register('bench.controller.procedure');
  for (let n = 0; n < TOPICS; n++) await controller.publish(topic(n), { retain: true }, ['x'.repeat(100)]);
  return controller;
}

/**
 * @param {readonly Guest[]} guests
 * @param {number} seconds
 */
async function churn(guests, seconds) {
  process.stderr.write(`${guests.length} clients come and go for ${seconds.toFixed(1)} s\n`);
  const end = performance.now() + seconds * 1000;
  const come = async (/** @type {Guest} */ guest) => {
    while (performance.now() < end) await guest.live();
  };
  await Promise.all(guests.map(come));
}

/**
 * @param {WampSession} controller
 * @returns {Promise<string[]>} what the meta API knows of subscriptions and registrations
 */
async function listsOf(controller) {
  return Promise.all(LISTS.map(async (list) => JSON.stringify(await controller.call(list))));
}

/**
 * Waits until only the controller is there, and asks what else there is.
 *
 * @param {WampSession} controller
 * @param {readonly string[]} own what it had itself when it was alone
 * @param {string} when
 * @returns {Promise<string[]>}
 */
async function leftIn(controller, own, when) {
  const deadline = performance.now() + SETTLE_SECONDS * 1000;
  let sessions;
  while ((sessions = await controller.call('wamp.session.count')) > 1 && performance.now() < deadline) {
    await sleep(SETTLE_POLL_MS);
  }
  const found = sessions > 1 ? [`${sessions - 1} sessions that have gone are there ${when}`] : [];
  for (const [index, ids] of (await listsOf(controller)).entries()) {
    if (ids !== own[index]) found.push(`${LISTS[index]} has other entries ${when}: ${ids.slice(0, 200)}`);
  }
  return found;
}

/**
 * @param {import('./servers.js').Server} server
 * @returns {Promise<Held>}
 */
async function heldBy({ probe, pid }) {
  const { heapUsed = 0, external = 0 } = (await probe?.memory()) ?? {};
  return { heapBytes: heapUsed + external, rssBytes: usage([pid]).rssBytes };
}

/**
 * @param {Held} start
 * @param {Held} end
 */
function renderMemory(start, end) {
  const row = (/** @type {string} */ name, /** @type {keyof Held} */ key) => [
    name,
    ...[start, end].map((held) => (held[key] / 1_048_576).toFixed(1)),
    percentGrown(start[key], end[key]).toFixed(1),
  ];
  const rows = [row('heap and buffers', 'heapBytes'), row('resident', 'rssBytes')];
  return `${markdownTable(['MiB, all have left', 'start', 'end', 'growth %'], rows)}\n`;
}

/** @param {ReadonlyMap<string, number>} counts */
function renderCounts(counts) {
  const rows = [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([what, n]) => [what, n.toLocaleString('en')]);
  return markdownTable(['between start and end', 'how many'], rows);
}

/**
 * @param {Held} start
 * @param {Held} end
 * @param {number} limit
 */
function grown(start, end, limit) {
  const keys = /** @type {const} */ (['heapBytes', 'rssBytes']);
  return keys
    .map((key) => ({ key, growth: percentGrown(start[key], end[key]) }))
    .filter(({ growth }) => growth > limit)
    .map(
      ({ key, growth }) =>
        `${key === 'heapBytes' ? 'the heap' : 'resident memory'} has grown by ${growth.toFixed(1)} %`,
    );
}

/**
 * @param {number} start
 * @param {number} end
 */
function percentGrown(start, end) {
  return (end / start - 1) * 100;
}

/**
 * Looking for objects of a class that has got another name would find nothing, always.
 *
 * @param {Readonly<Record<string, number>>} before
 */
function unknownClasses(before) {
  return CLASSES.filter((name) => before[name] === 0).map((name) => `the node has no objects of class ${name}`);
}

/**
 * @param {Readonly<Record<string, number>>} before
 * @param {Readonly<Record<string, number>>} after
 */
function leftObjects(before, after) {
  return Object.keys(before)
    .filter((name) => (after[name] ?? 0) > (before[name] ?? 0))
    .map((name) => `${(after[name] ?? 0) - (before[name] ?? 0)} objects of class ${name} are left`);
}

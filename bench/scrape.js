#!/usr/bin/env node
/**
 * `npm run bench:scrape`: for how long a scrape of more than 10,000 series holds the event loop of the node at a time, idle and under load,
 * and what it costs in all. Beside it stands the longest stretch of a second without a scrape.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machine } from './machine.js';
import { Violations } from './load/sequence.js';
import { WampSession } from './load/wamp-session.js';
import { platformProblem, usage } from './proc.js';
import { buildProblem, startConfigured } from './servers.js';
import { markdownTable } from './table.js';

const REALMS = 120;
/** So many of each realm are counted by name. */
const TOPICS = 200;
/** Between two scrapes: a text is served for a second. */
const REST_MS = 1200;
/** Between two looks at the loop: what runs in short turns meanwhile counts as one. */
const LOOK_MS = 1;
/** Publications that a realm under load has under way. */
const UNDER_WAY = 16;

/** @typedef {{ longest: number[], without: number[], cpuMs: number[] }} Stretches in milliseconds */

const { values: options } = parseArgs({ options: { scrapes: { type: 'string', default: '15' } } });
const obstacle = platformProblem() ?? buildProblem();
if (obstacle === undefined) await main();
else {
  process.stderr.write(`bench: ${obstacle}\n`);
  process.exitCode = 1;
}

async function main() {
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const server = await startConfigured(config());
  const violations = new Violations();
  try {
    const url = new URL(server.url);
    const sessions = await countedTopics(url, violations);
    const metrics = new URL('/metrics', url.href.replace('ws:', 'http:'));
    const series = await seriesAt(metrics);
    const idle = await stretches(server, metrics);
    const load = startLoad(sessions);
    const loaded = await stretches(server, metrics);
    await load.end();
    await Promise.all(sessions.map((session) => session.leave()));
    process.stdout.write(`${series} series\n\n`);
    const head = ['', 'longest turn of a scrape, ms', 'of a second without', 'CPU ms of a scrape'];
    process.stdout.write(markdownTable(head, [rowOf('idle', idle), rowOf('under load', loaded)]));
  } finally {
    const problem = await server.stop();
    if (problem !== undefined) process.stderr.write(`${problem}\n`);
  }
  if (violations.total > 0) process.stderr.write(`${JSON.stringify(violations)}\n`);
}

function config() {
  const allow = { call: true, register: true, publish: true, subscribe: true };
  const roles = [{ name: 'anonymous', permissions: [{ uri: '*', allow }] }];
  const realms = Array.from({ length: REALMS }, (_, number) => ({ name: nameOf(number), roles }));
  const metrics = { type: 'metrics', uris: [{ uri: 'com.example.', match: 'prefix' }] };
  const paths = { '/': { type: 'nodeinfo' }, ws: { type: 'websocket' }, metrics };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  return { version: 2, workers: [{ type: 'router', realms, transports: [{ type: 'web', endpoint, paths }] }] };
}

/** @param {number} number */
function nameOf(number) {
  return `com.example.realm${number}`;
}

/** @returns a session in a third of the realms, each of which has published to all topics */
async function countedTopics(/** @type {URL} */ url, /** @type {Violations} */ violations) {
  const sessions = await Promise.all(
    Array.from({ length: REALMS / 3 }, (_, number) => WampSession.open(url, nameOf(number), violations)),
  );
  for (const session of sessions) {
    const asked = Array.from({ length: TOPICS }, (_, topic) => session.publish(topicOf(topic), {}, []));
    await Promise.all(asked);
  }
  return sessions;
}

/** @param {number} number */
function topicOf(number) {
  return `com.example.topic${number}`;
}

/** @param {URL} metrics */
async function seriesAt(metrics) {
  const text = await (await fetch(metrics)).text();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

/**
 * @param {import('./servers.js').Server} server
 * @param {URL} metrics
 * @returns {Promise<Stretches>}
 */
async function stretches({ probe, pid }, metrics) {
  if (probe === undefined) throw new Error('the node has no probe');
  const found = /** @type {Stretches} */ ({ longest: [], without: [], cpuMs: [] });
  await probe.ask('longest-turn', { resolution: LOOK_MS });
  for (let scrape = -3; scrape < Number(options.scrapes); scrape += 1) {
    await sleep(REST_MS);
    const without = await probe.ask('longest-turn', { resolution: LOOK_MS });
    const before = microsOf(pid);
    await seriesAt(metrics);
    const cpuMs = (microsOf(pid) - before) / 1000;
    const longest = await probe.ask('longest-turn', { resolution: LOOK_MS });
    // The first ones are for the compiler.
    if (scrape < 0) continue;
    found.longest.push(longest);
    found.without.push(without);
    found.cpuMs.push(cpuMs);
  }
  return found;
}

/** @param {number} pid */
function microsOf(pid) {
  const { schedMicros, tickMicros } = usage([pid]);
  return schedMicros ?? tickMicros;
}

/** @param {readonly WampSession[]} sessions */
function startLoad(sessions) {
  let isOver = false;
  const run = async (/** @type {WampSession} */ session) => {
    for (let topic = 0; !isOver; topic += 1) await session.publish(topicOf(topic % TOPICS), {}, []);
  };
  const runs = sessions.slice(0, UNDER_WAY).map(run);
  return {
    end: async () => {
      isOver = true;
      await Promise.all(runs);
    },
  };
}

/**
 * @param {string} name
 * @param {Stretches} stretches
 */
function rowOf(name, { longest, without, cpuMs }) {
  return [name, spread(longest), spread(without), spread(cpuMs)];
}

/** @param {readonly number[]} values */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `${at(0.5)} (${at(0)} to ${at(1)})`;
}

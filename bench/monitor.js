/**
 * How long a look of the monitor holds the event loop: every kind of list and order, on a node with many sessions in this process. The
 * figure is the longest stretch of processor time of the thread between two turns of the loop, the least of several looks: what
 * other processes and the collector of garbage do by chance is not meant.
 *
 *     npm run bench:monitor
 *     npm run bench:monitor -- --sessions 20000 --rounds 3
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { buildProblem } from './servers.js';
import { TurnWatch } from './turn-watch.js';

const { values: options } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
  },
});

const ORDERS = {
  sessions: [
    ...['joined', 'unsent_bytes', 'received', 'sent', 'messages', 'messages_rate', 'received_rate', 'sent_rate'],
    ...['subscriptions', 'registrations', 'authid', 'authrole'],
  ],
  topics: ['publications', 'publications_rate', 'subscribers', 'uri', 'created'],
  procedures: ['calls', 'calls_rate', 'calls_in_flight', 'callees', 'uri', 'created'],
};
const REALM = 'realm1';
/** Rates are those of a second at least: so long a look is followed by one that takes the same counts. */
const RATE_MS = 1100;

/** @typedef {(procedure: string, kwargs: Record<string, unknown>) => Promise<unknown>} Look */

/** @returns {{what: string, procedure: string, kwargs: Record<string, unknown>}[]} */
function looks() {
  const lists = Object.entries(ORDERS).flatMap(([list, orders]) =>
    orders.flatMap((sort) =>
      [{}, { realm: REALM }, { search: 'nobody of this name' }].map((more) => ({
        what: [list, sort, ...Object.keys(more)].join(' '),
        procedure: list,
        kwargs: { sort, ...more },
      })),
    ),
  );
  const slow = { what: 'sessions slow', procedure: 'sessions', kwargs: { slow: true, sort: 'unsent_bytes' } };
  return [{ what: 'summary', procedure: 'summary', kwargs: {} }, slow, ...lists];
}

/**
 * Looks, and a reading in every turn of the loop meanwhile.
 *
 * @param {TurnWatch} watch @param {() => Promise<unknown>} look
 */
async function longestIn(watch, look) {
  await turn();
  watch.take();
  let [isOver, longest] = [false, 0];
  const asked = look().finally(() => (isOver = true));
  while (!isOver) {
    await turn();
    longest = Math.max(longest, watch.take());
  }
  await asked;
  return longest;
}

/** @param {Look} call @param {number} rounds */
async function measured(call, rounds) {
  const watch = new TurnWatch();
  const kinds = looks();
  const least = new Map(kinds.map(({ what }) => [what, Infinity]));
  const most = new Map(kinds.map(({ what }) => [what, 0]));
  for (let round = 0; round < rounds; round++) {
    for (const { what, procedure, kwargs } of kinds) {
      const longest = await longestIn(watch, () => call(`crossbar.monitor.${procedure}`, kwargs));
      least.set(what, Math.min(least.get(what) ?? 0, longest));
      most.set(what, Math.max(most.get(what) ?? 0, longest));
    }
    await sleep(RATE_MS);
  }
  watch.stop();
  return kinds.map(({ what }) => ({ what, least: least.get(what) ?? 0, most: most.get(what) ?? 0 }));
}

/** @param {string} directory @param {number} count */
async function crowded(directory, count) {
  const { startNode } = await import('../dist/index.js');
  const permissions = [
    { uri: '', match: 'prefix', allow: { call: true, register: true, subscribe: true, publish: true } },
    { uri: 'crossbar.monitor.', match: 'prefix', allow: { call: true } },
  ];
  const realm = { name: REALM, roles: [{ name: 'anonymous', permissions }] };
  const node = await startNode({
    config: { version: 2, workers: [{ type: 'router', realms: [realm], transports: [] }] },
    cbdir: directory,
  });
  const names = { role: 'anonymous' };
  for (let begun = 0; begun < count; begun += 500) {
    const more = Array.from({ length: Math.min(500, count - begun) }, async (_, index) => {
      const session = await node.connect(REALM, { ...names, authid: `user ${begun + index}` });
      // So many topics and procedures as there are sessions.
      await session.subscribe(`com.example.topic.${begun + index}`, () => undefined);
      await session.register(`com.example.procedure.${begun + index}`, () => null);
    });
    await Promise.all(more);
  }
  const operator = await node.connect(REALM, names);
  /** @type {Look} */
  const call = (procedure, kwargs) => operator.call(procedure, [], kwargs);
  return { node, call };
}

const problem = buildProblem();
if (problem !== undefined) throw new Error(problem);
const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-bench-monitor-'));
try {
  const { node, call } = await crowded(directory, Number(options.sessions));
  const rows = await measured(call, Number(options.rounds));
  console.log(
    `${options.sessions} sessions, topics and procedures; the longest stretch in ms: the least and the most of ${options.rounds} looks`,
  );
  for (const { what, least, most } of [...rows].sort((a, b) => b.least - a.least)) {
    console.log(`${least.toFixed(1).padStart(7)} ${most.toFixed(1).padStart(7)}  ${what}`);
  }
  await node.stop();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

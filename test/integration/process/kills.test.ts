/**
 * kill -9 of the process of a router worker under load, again and again. Each call has an answer, or its connection has ended; everybody comes
 * back to the same port; the clients of the other worker, in the process of the node, notice nothing.
 */
import { afterEach, expect, it } from 'vitest';
import { ClusterLoad } from '../../support/cluster-load.js';
import { startDaemon } from '../../support/daemon.js';
import type { Daemon, LogRecord } from '../../support/daemon.js';
import { LOOPBACK, openRealm } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';

/** How often it is killed. */
const ROUNDS = Number(process.env['PROCESS_ROUNDS'] ?? '3');
/** Four clients of the load are one place each. */
const PLACES = 10;
/** At the most so many calls are answered before the next kill. */
const CALLS_BETWEEN = 400;
const SERVES = 'the process of a router worker serves';

/** A callee may not be there again. */
const MAY_BE = ['wamp.error.no_available_callee', 'wamp.error.no_such_procedure', 'wamp.error.canceled'];

let daemon: Daemon | undefined;
afterEach(async () => {
  await daemon?.dispose();
  daemon = undefined;
});

function worker(id: string, options: object): object {
  const paths = { '/': { type: 'json', value: id }, ws: { type: 'websocket' } };
  const transports = [{ type: 'web', endpoint: LOOPBACK, paths }];
  return { type: 'router', id, options, realms: [openRealm('realm1')], transports };
}

function pidsOf(node: Daemon): number[] {
  return node.logs.filter(({ msg }) => msg === SERVES).map(({ pid }) => Number(pid));
}

it(
  'a process that dies under load takes nobody along but its own clients, who come back',
  async () => {
    const config = { version: 2, workers: [worker('apart', { process: true }), worker('near', {})] };
    const node = (daemon = await startDaemon({ config }));
    const isNear = ({ msg, worker: of }: LogRecord): boolean => msg === 'transport started' && of === 'near';
    const port = Number((await node.waitForLog(isNear))['port']);
    const witness = await WampClient.join(`ws://127.0.0.1:${port}/ws`);
    const load = await ClusterLoad.begin(Array.from({ length: PLACES }, () => node));
    for (let round = 0; round < ROUNDS; round++) {
      const due = load.tally.results + Math.floor(Math.random() * CALLS_BETWEEN);
      await expect.poll(() => load.tally.results, { interval: 1, timeout: 60_000 }).toBeGreaterThanOrEqual(due);
      const before = pidsOf(node);
      process.kill(before.at(-1) ?? 0, 'SIGKILL');
      expect((await witness.ask([32, round + 1, {}, `com.example.topic${round}`]))[0]).toBe(33);
      await node.waitForLog(({ msg, pid }) => msg === SERVES && !before.includes(Number(pid)));
      for (let place = 0; place < PLACES; place++) await load.ready(place);
    }
    const tally = await load.end();
    process.stdout.write(`${JSON.stringify({ ...tally, errors: [...tally.errors] })}\n`);
    expect([...tally.errors.keys()].filter((uri) => !MAY_BE.includes(uri))).toEqual([]);
    expect(tally).toMatchObject({ unanswered: 0, faults: [], lost: 0 });
    expect(tally.results).toBeGreaterThan(0);
    expect(tally.events).toBeGreaterThan(0);
    expect(witness.isOpen).toBe(true);
    const ends = node.logs.filter(({ level }) => level === 'error');
    expect(new Set(ends.map(({ msg }) => msg))).toEqual(new Set(['the process of a router worker has ended']));
    expect(ends).toHaveLength(ROUNDS);
    await witness.drop();
    expect(await node.stop()).toBe(0);
  },
  120_000 + ROUNDS * 30_000,
);

/**
 * kill -9 of nodes and of nats-servers under load, one after the other; each is started again. The next calls are answered by the nodes
 * that are left, no call is without an answer, no session id is given twice, nothing is left behind, and a browser that was told that it is
 * logged in or out is so at every node.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { hashOf } from '../../../src/cookie/nats/values.js';
import { CLOSED, ClusterLoad } from '../../support/cluster-load.js';
import { LoginLoad, loginPath } from '../../support/login-load.js';
import { hasNats } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { ThreeNodes } from '../../support/three-nodes.js';

/** How often something is killed; each of the six once by default. */
const ROUNDS = Number(process.env['CLUSTER_ROUNDS'] ?? '6');

const TIMINGS = { heartbeat: 300, suspect_after: 2000, fence_after: 2000, remove_after: 3000 };

let cluster: ThreeNodes | undefined;
afterEach(async () => {
  await cluster?.dispose();
  cluster = undefined;
});

describeNeeds('nats-server', hasNats)('a cluster under load', () => {
  it(
    'survives the death of any node, and of any server of NATS',
    async () => {
      const config = nodeConfig({
        transport: { endpoint: { ...LOOPBACK, port: '$PORT' } },
        paths: { browser: loginPath({ type: 'nats', bucket: 'browsers' }) },
      });
      cluster = await ThreeNodes.start(config, { timings: TIMINGS });
      const load = await ClusterLoad.begin(cluster.nodes);
      const logins = new LoginLoad(cluster.nodes, '/browser');
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const victim = ROUNDS > 6 ? Math.floor(Math.random() * 6) : round;
        times.push(...(await (victim % 2 === 0 ? killNode : killServer)(cluster, load, victim >> 1)));
        if (ROUNDS > 6) process.stderr.write(`round ${round + 1}: ${report(times)}\n`);
      }
      const nodes = cluster;
      const { broken, ...browsers } = await logins.end((ids) => nodes.entriesOf('browsers', ids.map(hashOf)));
      if (broken.length > 0) process.stdout.write(`${broken.join('\n')}\n${cookieLines(nodes)}\n`);
      process.stdout.write(`${JSON.stringify(browsers)}\n`);
      const tally = await load.end();
      process.stdout.write(`${report(times)} ${JSON.stringify({ ...tally, errors: [...tally.errors] })}\n`);

      const mayBe = seesLoss(cluster) ? [...MAY_BE, NO_SUCH_PROCEDURE] : MAY_BE;
      expect([...tally.errors.keys()].filter((uri) => !mayBe.includes(uri))).toEqual([]);
      expect(tally).toMatchObject({ unanswered: 0, faults: [] });
      expect(broken).toEqual([]);
      expect(browsers.logins).toBeGreaterThan(browsers.logouts);
      expect(browsers.logouts).toBeGreaterThan(0);
      expect(tally.results).toBeGreaterThan(0);
      expect(tally.events).toBeGreaterThan(0);
      const left = cluster;
      await expect.poll(() => left.keysOf('registrations')).toEqual([]);
      await expect
        .poll(async () => {
          const names = (await left.keysOf('nodes')).map((key) => key.split('.').slice(0, 2).join('.'));
          return names.filter((name) => name.startsWith('n.')).sort();
        })
        .toEqual(['n.n1', 'n.n2', 'n.n3']);
    },
    60_000 + ROUNDS * 30_000,
  );
});

/**
 * A callee that dies with calls: nobody knows whether it was called. A node without NATS, or one that has no callee of its own yet and
 * reaches no other: surely nobody was.
 */
const MAY_BE = ['wamp.error.canceled', 'wamp.error.unavailable', 'wamp.error.no_available_callee'];

/** Where NATS has lost what it confirmed, all nodes join again at once: who calls may be back before who is called. */
const NO_SUCH_PROCEDURE = 'wamp.error.no_such_procedure';

/** What the nodes said of cookies and their bucket, for those who look for a lost login. */
function cookieLines({ nodes }: ThreeNodes): string {
  const lines = nodes.flatMap(({ output }, at) => output.split('\n').map((line) => `${at} ${line}`));
  return lines.filter((line) => /cookie|bucket|values are gone|does not tell/.test(line)).join('\n');
}

let hasSeenLoss = false;

/** @returns whether NATS has lost values since the test began, as far as the nodes know that were not killed since it was asked last. */
function seesLoss({ nodes }: ThreeNodes): boolean {
  hasSeenLoss ||= nodes.some(({ output }) => output.includes("the cluster's values are gone"));
  return hasSeenLoss;
}

/** A node that has no time for its heartbeats ends its connections, which tells its clients. */
const isTold = (answer: string): boolean => answer === 'result' || answer === CLOSED || MAY_BE.includes(answer);

/** @returns how long the next calls to the nodes that are left took, in milliseconds. */
async function killNode(all: ThreeNodes, load: ClusterLoad, index: number): Promise<readonly number[]> {
  seesLoss(all);
  await all.node(index).kill();
  const calls = await load.nextCalls(index);
  await patiently(all, async () => {
    await all.restart(index);
    await load.ready(index);
  });
  expect(calls.filter(({ answer }) => !isTold(answer))).toEqual([]);
  return calls.map(({ ms }) => ms);
}

async function killServer(all: ThreeNodes, load: ClusterLoad, index: number): Promise<readonly number[]> {
  const server = all.nats.servers[index];
  await server?.kill();
  const calls = await load.nextCalls(-1);
  await server?.start();
  await all.nats.ready();
  await patiently(all, async () => {
    for (const each of all.nodes.keys()) await load.ready(each);
  });
  expect(calls.filter(({ answer }) => !isTold(answer))).toEqual([]);
  return calls.map(({ ms }) => ms);
}

/** So long NATS may confirm nothing, though its servers run: a node that joins gives up a little later. */
const PATIENCE_MS = 45_000;

/**
 * Resolves when the nodes serve again. In the long form a NATS that confirms nothing any more gets what an operator would do: its servers are
 * restarted. A server of 2.9.10 that came back after kill -9 may reset its copy again and again ("last sequence mismatch").
 */
async function patiently(all: ThreeNodes, serve: () => Promise<void>): Promise<void> {
  const served = serve().then(() => true);
  const isServed = ROUNDS <= 6 || (await Promise.race([served, delay(PATIENCE_MS, false)]));
  if (!isServed) {
    process.stderr.write('NATS confirms nothing: its servers are restarted\n');
    for (const server of all.nats.servers) {
      await server.kill('SIGTERM');
      await server.start();
    }
    await all.nats.ready();
  }
  await served;
}

function report(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `next calls: ${times.length}, p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, most ${(sorted.at(-1) ?? 0).toFixed(1)} ms;`;
}

/**
 * Two nodes behind HAProxy, which asks them by `/readyz`; one after the other is started again, as with every new version. Clients come
 * back by themselves, once each, with their cookies, and nobody who comes in between is refused.
 *
 * `ROLLING_CLIENTS=200` has as many clients of each library; the times are printed.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import path from 'node:path';
import autobahn from 'autobahn';
import { afterEach, expect, it } from 'vitest';
import { autobahnCrowd, PYTHON, pythonCrowd, wampyCrowd } from '../support/crowds.js';
import type { Crowd } from '../support/crowds.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { HAS_HAPROXY, startBalancer } from '../support/front-proxies.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const EACH = Number(process.env['ROLLING_CLIENTS'] ?? '8');
const hasAll = HAS_HAPROXY && spawnSync(PYTHON, ['-c', 'import autobahn']).status === 0;

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function ask(daemon: Daemon, procedure: string, ...args: readonly unknown[]): Promise<unknown> {
  const client = await WampClient.join(daemon.url('/ws', 'ws'));
  const [, , , [result] = []] = (await client.ask([48, 1, {}, procedure, args])) as [50, 1, object, unknown[]?];
  await client.close();
  return result;
}

async function subscribersAt(daemon: Daemon, topic: string): Promise<number> {
  const id = await ask(daemon, 'wamp.subscription.lookup', topic);
  return typeof id === 'number' ? Number(await ask(daemon, 'wamp.subscription.count_subscribers', id)) : 0;
}

/** Comes, calls and leaves, again and again, until it is told to end. @returns how often that went well. */
async function comeAndGo(url: string, isOver: () => boolean): Promise<number> {
  let done = 0;
  while (!isOver()) {
    const client = await WampClient.join(url);
    expect((await client.ask([48, 1, {}, 'wamp.session.count']))[0]).toBe(50);
    await client.close();
    done += 1;
  }
  return done;
}

describeNeeds('HAProxy and python3-autobahn', hasAll)('a rolling restart', () => {
  it('is noticed by nobody who comes, and survived by all who are there', async () => {
    // Both know the cookies of both.
    const store = { type: 'database', path: path.join(temporaryDirectory(), 'cookies') };
    const config = {
      ...nodeConfig({
        transport: {
          endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' },
          cookie: { authid: 'derived', store },
        },
        paths: { readyz: { type: 'readyz' } },
      }),
      controller: { options: { drain: { delay: 2 } } },
    };
    const nodes = await Promise.all([startDaemon({ config }), startDaemon({ config })]);
    ends.push(() => Promise.all(nodes.map((node) => node.dispose())));
    const balancer = await startBalancer(nodes.map(({ port }) => port));
    ends.push(() => balancer.program.stop());
    const origin = `http://127.0.0.1:${balancer.port}`;

    const cookies = await Promise.all(
      Array.from({ length: EACH * 2 }, async () => {
        const answer = await fetch(origin);
        await answer.text();
        return String(answer.headers.get('set-cookie')).split(';')[0] ?? '';
      }),
    );
    const crowds: Crowd[] = [
      autobahnCrowd({ origin, size: EACH, cookies: cookies.slice(0, EACH) }),
      wampyCrowd({ origin, size: EACH, cookies: cookies.slice(EACH) }),
      pythonCrowd({ origin, size: EACH }),
    ];
    ends.push(() => Promise.all(crowds.map((crowd) => crowd.close())));
    await Promise.all(crowds.map((crowd) => crowd.open()));

    /** @returns how long it took until everybody was there, in milliseconds; nobody is twice. */
    const allThere = async (): Promise<number> => {
      const startMs = performance.now();
      for (const { topic, size } of crowds) {
        for (let count = -1; count !== size;) {
          if (count >= 0) await delay(100);
          count = (await Promise.all(nodes.map((node) => subscribersAt(node, topic)))).reduce((a, b) => a + b);
          expect(count).toBeLessThanOrEqual(size);
        }
      }
      return performance.now() - startMs;
    };
    await allThere();

    let isOver = false;
    const visits = comeAndGo(`${origin.replace('http', 'ws')}/ws`, () => isOver);
    visits.catch(() => undefined);
    const times: string[] = [];
    for (const index of nodes.keys()) {
      const node = nodes[index] as Daemon;
      nodes[index] = await node.restart();
      times.push(`${((await allThere()) / 1000).toFixed(1)} s`);
    }
    isOver = true;
    expect(await visits).toBeGreaterThan(0);

    for (const node of nodes) {
      const client = await WampClient.join(node.url('/ws', 'ws'));
      for (const [index, { topic }] of crowds.entries()) {
        await client.ask([16, index + 1, { acknowledge: true }, topic, ['end']]);
      }
      await client.close();
    }
    for (const crowd of crowds) {
      const reports = await crowd.reports();
      expect(reports.map(({ events }) => events)).toEqual(Array(crowd.size).fill(['end']));
      for (const { authids } of reports.slice(0, crowd.known)) expect(new Set(authids).size).toBe(1);
    }
    process.stdout.write(`${crowds.length * EACH} clients back after ${times.join(' and ')}\n`);
  }, 180_000);
});

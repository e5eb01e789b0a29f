/**
 * Two nodes behind HAProxy, which asks them by `/readyz`; one after the other is started again, as with every new version. Two hundred
 * clients, half of them in Chromium, come back by themselves within ten seconds, once each, with their cookies and logins, every call
 * of theirs has an answer, and nobody who comes in between is refused.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import autobahn from 'autobahn';
import { afterEach, expect, it } from 'vitest';
import { CHROMIUM, launchBrowser } from '../support/browser.js';
import { checkReports, DRAIN, stopAndStart, told } from '../support/comeback.js';
import { CROWD_AUTH, CROWD_PATHS, PYTHON, twoHundred } from '../support/crowds.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { HAS_HAPROXY, startBalancer } from '../support/front-proxies.js';
import { allThere, Insider } from '../support/insider.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig, openRealm } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const hasAll = HAS_HAPROXY && existsSync(CHROMIUM) && spawnSync(PYTHON, ['-c', 'import autobahn']).status === 0;

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Somebody who comes, calls and leaves, again and again. */
const VISIT_EVERY_MS = 20;

/** @returns how often that went well, when it is told to end. */
async function comeAndGo(url: string, isOver: () => boolean): Promise<number> {
  let done = 0;
  while (!isOver()) {
    const client = await WampClient.join(url, 'visitors');
    expect((await client.ask([48, 1, {}, 'wamp.session.count']))[0]).toBe(50);
    await client.close();
    done += 1;
    await delay(VISIT_EVERY_MS);
  }
  return done;
}

describeNeeds('HAProxy, chromium and python3-autobahn', hasAll)('a rolling restart', () => {
  it('is noticed by nobody who comes, and survived by all who are there', async () => {
    const browser = await launchBrowser();
    ends.push(() => browser.close());
    // Both know the cookies of both.
    const store = { type: 'database', path: path.join(temporaryDirectory(), 'cookies') };
    const config = {
      ...nodeConfig({
        transport: {
          endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' },
          cookie: { authid: 'derived', store },
        },
        realms: [openRealm('realm1'), openRealm('visitors')],
        websocket: { auth: CROWD_AUTH },
        paths: {
          ...CROWD_PATHS,
          readyz: { type: 'readyz' },
          visit: { type: 'websocket', cookie: { store: { type: 'memory' } } },
        },
      }),
      controller: { options: { drain: { ...DRAIN, delay: 3 } } },
    };
    const [first, second] = await Promise.all([startDaemon({ config }), startDaemon({ config })]);
    const nodes = [first, second];
    ends.push(() => Promise.all(nodes.map((node) => node.dispose())));
    const balancer = await startBalancer([first.port, second.port]);
    ends.push(() => balancer.program.stop());
    const origin = `http://127.0.0.1:${balancer.port}`;
    const crowds = await twoHundred(browser, origin);
    ends.push(() => Promise.all(crowds.map((crowd) => crowd.close())));
    const insiders = await Promise.all(nodes.map((node) => Insider.join(node)));
    await Promise.all(crowds.map((crowd) => crowd.open()));
    await allThere(insiders, crowds);

    let isOver = false;
    const visits = comeAndGo(`${origin.replace('http', 'ws')}/visit`, () => isOver);
    visits.catch(() => undefined);
    for (const index of nodes.keys()) {
      const [daemon, insider] = [nodes[index] as Daemon, insiders[index] as Insider];
      const others = insiders.filter((each) => each !== insider);
      // Else there may be no node for a moment: it looks at the one that was started again once a second.
      await balancer.allUp();
      const again = await stopAndStart({ daemon, insider, others, crowds, stop: () => daemon.stop() });
      nodes[index] = again.daemon;
      insiders[index] = again.insider;
      process.stdout.write(`after the stop of node ${index + 1} back within\n${told(again.seconds)}\n`);
    }
    isOver = true;
    expect(await visits).toBeGreaterThan(0);
    await checkReports(insiders, crowds, nodes.length);
    for (const insider of insiders) insider.leave();
  }, 180_000);
});
